//! What has traded at prices: the profile of an instrument, kept from when somebody asks for it, and the views that are read of it.
//!
//! A profile says since when it counts and when it was noticed that trades may be missing in it: whatever makes readers of the
//! trades believe that, and a book that lost its truth, which the same connection brings, unless the next trade has the number
//! behind the last one. It begins anew where the venue does. It stays when its last reader leaves.

use super::instrument::{Context, InstrumentState};
use super::streams::{Cursor, Stamp};
use super::{EngineConfig, VOLUME_VIEWS_MAX};
use crate::aggregate::{Profile, VolumeView};
use crate::encode::{
    CheckBody, Flags, Header, ImageBody, Kind, SessionBody, Stream, ViewBody, write_volumes,
    write_volumes_image,
};
use crate::types::{Clock, KnownTo, TimeNs, Trade};
use crate::venues::TradeIds;

/// One view and those who read it.
#[derive(Debug)]
struct VolumeSlot {
    view: VolumeView,
    stream: Stream,
    cursor: Cursor,
    /// Sequence of its last image: what changed since is in rows.
    image_seq: u64,
    readers: u32,
}

/// The profile of one instrument.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    profile: Profile,
    session: SessionBody,
    /// Whether trades are missing unless the number of the next one says otherwise.
    is_doubted: bool,
    slots: Vec<VolumeSlot>,
    /// The highest sequence of a view closed in this epoch; see [`super::views::Views`].
    closed_seq: u64,
}

impl Volumes {
    /// Where a stream stands, if it is open.
    pub(super) fn seq(&self, stream: Stream) -> Option<u64> {
        self.find(stream).map(|slot| slot.cursor.seq)
    }

    fn find(&self, stream: Stream) -> Option<&VolumeSlot> {
        self.slots.iter().find(|slot| slot.stream == stream)
    }

    /// Trades may be missing from now on.
    fn miss(&mut self, now: TimeNs) {
        self.is_doubted = false;
        // Before the first one nothing counts.
        if self.session.since != 0 {
            self.session.missed_at = now;
        }
        self.note();
    }

    fn note(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.view.note());
    }
}

impl InstrumentState {
    /// Keeps a profile from now on, if there is none yet.
    pub(super) fn keep_volumes(&mut self, now: TimeNs) {
        if self.volumes.is_none() {
            // Of trades that come whole all from now on are counted; else the first one shows when they come.
            let since = if self.trades.is_told() { now } else { 0 };
            let session = SessionBody { since, missed_at: 0 };
            self.volumes = Some(Box::new(Volumes { session, ..Volumes::default() }));
        }
    }

    /// Opens a view (interval, grouping) of the profile, or joins the one that is alike.
    pub(super) fn open_volumes(&mut self, interval_ns: u64, grouping: i64, now: TimeNs) -> Option<Stream> {
        self.keep_volumes(now);
        let at = self.trades.cursor.at;
        let Volumes { profile, slots, closed_seq, .. } = self.volumes.as_deref_mut()?;
        let alike = |slot: &&mut VolumeSlot| {
            (slot.view.interval_ns(), slot.view.grouping()) == (interval_ns, grouping)
        };
        if let Some(slot) = slots.iter_mut().find(alike) {
            slot.readers += 1;
            return Some(slot.stream);
        }
        if slots.len() == VOLUME_VIEWS_MAX {
            return None;
        }
        let is_free = |number: &u8| slots.iter().all(|slot| slot.stream.0 != *number);
        let numbers = Stream::VOLUMES_FIRST.0..Stream::COSTS_FIRST.0;
        let stream = Stream(numbers.into_iter().find(is_free)?);
        let seq = *closed_seq + 1;
        let mut view = VolumeView::new(grouping, interval_ns);
        view.image(now, seq, profile);
        slots.push(VolumeSlot { view, stream, cursor: Cursor { seq, at }, image_seq: seq, readers: 1 });
        Some(stream)
    }

    /// Leaves a view; the last reader closes it. Whether it is closed.
    pub(super) fn close_volumes(&mut self, stream: Stream) -> bool {
        let Some(Volumes { slots, closed_seq, .. }) = self.volumes.as_deref_mut() else { return false };
        let Some(index) = slots.iter().position(|slot| slot.stream == stream) else { return false };
        slots[index].readers -= 1;
        let is_closed = slots[index].readers == 0;
        if is_closed {
            *closed_seq = slots.swap_remove(index).cursor.seq.max(*closed_seq);
        }
        is_closed
    }

    /// A trade has been told. `is_next`: its number proves that none is missing before it.
    #[inline]
    pub(super) fn count_volume<C: Clock>(
        &mut self,
        trade: &Trade,
        is_next: bool,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        let Some(volumes) = self.volumes.as_deref_mut() else { return };
        if std::mem::take(&mut volumes.is_doubted) && !is_next {
            volumes.miss(now);
        }
        if volumes.session.since == 0 {
            volumes.session.since = now;
            volumes.note();
        }
        if volumes.profile.add(trade) {
            return self.renew_volumes(now, cx);
        }
        for slot in &mut volumes.slots {
            slot.view.touch(trade.price);
        }
        self.publish_volumes(now, cx);
    }

    /// Publishes the views that are due.
    #[inline]
    pub(super) fn publish_volumes<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if self.volumes.is_none() {
            return;
        }
        let Some(mut volumes) = self.volumes.take() else { return };
        let Volumes { profile, session, slots, .. } = &mut *volumes;
        for slot in slots.iter_mut().filter(|slot| slot.view.is_due(now)) {
            slot.cursor = Cursor { seq: slot.cursor.seq + 1, at: self.trades.cursor.at };
            let (rows, merged) = slot.view.flush(now, slot.cursor.seq, profile);
            let mut header = self.header(Kind::Volumes, slot.stream, slot.cursor, cx);
            header.flags = header.flags.with(Flags::CONFLATED.when(merged > 1));
            cx.out.frame(self.id, slot.stream, |out| write_volumes(out, &header, session, rows));
        }
        self.volumes = Some(volumes);
    }

    /// Every view's rows are others than those that were published: an image of each.
    #[cold]
    pub(super) fn renew_volumes<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        let at = self.trades.cursor.at;
        self.take_volumes(now, |seq| seq + 1, at);
        self.publish_volume_images(now, cx);
    }

    /// An epoch opens: every view begins at 1.
    pub(super) fn open_volumes_epoch(&mut self, now: TimeNs) {
        let at = self.trades.cursor.at;
        self.take_volumes(now, |_| 1, at);
        if let Some(volumes) = self.volumes.as_deref_mut() {
            volumes.closed_seq = 0;
        }
    }

    fn take_volumes(&mut self, now: TimeNs, next: impl Fn(u64) -> u64, at: Stamp) {
        let Some(Volumes { profile, slots, .. }) = self.volumes.as_deref_mut() else { return };
        for slot in slots {
            let seq = next(slot.cursor.seq);
            (slot.cursor, slot.image_seq) = (Cursor { seq, at }, seq);
            slot.view.image(now, seq, profile);
        }
    }

    pub(super) fn publish_volume_images<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        let stream = |index: usize| Some(self.volumes.as_deref()?.slots.get(index)?.stream);
        let streams: [Option<Stream>; VOLUME_VIEWS_MAX] = std::array::from_fn(stream);
        for stream in streams.into_iter().flatten() {
            self.publish_image(stream, now, cx);
        }
    }

    /// Trades may be missing, whatever the next one is.
    pub(super) fn miss_volumes<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if let Some(volumes) = self.volumes.as_deref_mut() {
            volumes.miss(now);
            self.publish_volumes(now, cx);
        }
    }

    /// Trades are told no more for now, or again.
    pub(super) fn note_volumes<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if let Some(volumes) = self.volumes.as_deref_mut() {
            volumes.note();
            self.publish_volumes(now, cx);
        }
    }

    /// The book has lost its truth, and trades may be missing with it: where they have numbers the next one decides.
    pub(super) fn doubt_volumes<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        let can_prove = self.product.trade_ids == TradeIds::Ascending && self.last_trade.is_some();
        match self.volumes.as_deref_mut() {
            Some(volumes) if can_prove => volumes.is_doubted = true,
            Some(_) => self.miss_volumes(now, cx),
            None => {}
        }
    }

    /// Begins the profile anew.
    pub(super) fn restart_volumes<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if let Some(volumes) = self.volumes.as_deref_mut() {
            volumes.profile.clear();
            (volumes.session, volumes.is_doubted) = (SessionBody::default(), false);
            self.renew_volumes(now, cx);
        }
    }

    /// Takes another scale; a profile that cannot begins anew. The epoch that follows tells it.
    pub(super) fn rescale_volumes(
        &mut self,
        price: impl Fn(i64) -> Option<i64>,
        qty: impl Fn(i64) -> Option<i64>,
        width: impl Fn(i64) -> i64,
    ) {
        let Some(Volumes { profile, session, slots, .. }) = self.volumes.as_deref_mut() else { return };
        for slot in slots {
            slot.view.regroup(width(slot.view.grouping()));
        }
        if !profile.rescale(price, qty) {
            profile.clear();
            *session = SessionBody::default();
        }
    }

    /// Hands out the image of a view, as it was published.
    pub(super) fn volumes_image<C: Clock>(
        &mut self,
        stream: Stream,
        config: &EngineConfig,
        clock: &C,
        emit: impl FnMut(&[u8]),
    ) {
        let Some(Volumes { session, slots, .. }) = self.volumes.as_deref().filter(|_| !self.is_held) else {
            return;
        };
        let Some(slot) = slots.iter().find(|slot| slot.stream == stream) else { return };
        let Cursor { seq, at } = slot.cursor;
        let header = self.stamp(Kind::Image, stream, (seq, seq), at, config, clock);
        let body = ImageBody {
            known_to: KnownTo::WHOLE,
            depth: 0,
            price_exponent: self.price_exponent,
            qty_exponent: self.qty_exponent,
            state: self.state().code(),
            reason: self.state().reason_code(),
            check: CheckBody::default(),
        };
        let view = ViewBody { grouping: slot.view.width(), interval_ns: slot.view.interval_ns(), depth: 0 };
        let rows = slot.view.published();
        write_volumes_image(&mut self.bytes, &header, (&body, &view), session, rows, emit);
    }

    /// Writes the rows of a view that were published behind a sequence into `bytes`. False where an image stands between.
    pub(super) fn volumes_since<C: Clock>(
        &mut self,
        stream: Stream,
        seq: u64,
        config: &EngineConfig,
        clock: &C,
    ) -> bool {
        let Some(Volumes { session, slots, .. }) = self.volumes.as_deref() else { return false };
        let Some(slot) = slots.iter().find(|slot| slot.stream == stream) else { return false };
        if seq < slot.image_seq {
            return false;
        }
        let Cursor { seq: to, at } = slot.cursor;
        let mut header: Header = self.stamp(Kind::Volumes, stream, (to, seq), at, config, clock);
        header.flags = header.flags.with(Flags::CONFLATED);
        self.volume_rows.clear();
        self.volume_rows.extend(slot.view.since(seq));
        self.bytes.clear();
        write_volumes(&mut self.bytes, &header, session, &self.volume_rows);
        true
    }
}
