//! Books that are made of several instruments' books: at each price what all of them have together.
//!
//! 1. A consolidated book is at every moment the sum of its members' books, at its own scale (`terms`). It follows each input
//!    of a member with one delta, which has the times of that input and no venue's number.
//! 2. A member whose book is not synced is out: nothing of it counts. Who is in changes with an epoch only: a member that
//!    leaves or enters, that begins its book anew or takes another scale opens one, whose images tell the sum of those that are
//!    in. That comes with the same input that made it so.
//! 3. It is synced as long as any member is in. When the last one leaves, its state is that of the last one.
//! 4. Beyond the bound to which any member that is in has made its book known, a price may have more than is told.
//! 5. A best bid above a best ask is no contradiction between venues. The flag says it, and it is not counted.
//! 6. Its orders are the shares that members have of its prices, in the order of the members. The number of one is a multiple of
//!    the count of members plus the place of its own among them.
//!
//! Cost: nothing where there is no such book, but a flag of each instrument. Else for each level that a member changes a look
//! into the `parts`, and what a change of any book costs; it allocates nothing once warm. An epoch costs a pass over the members'
//! books.

mod parts;
mod terms;

use super::instrument::{Context, InstrumentState};
use super::orders::check_of;
use super::recovery::SnapshotOrigin;
use super::streams::Stamp;
use super::{BOOKS_MAX, Engine, EngineConfig, EngineError};
use crate::book::{BookSpec, L2Book};
use crate::encode::{
    ImageBody, Kind, OrderAction, OrderBody, OrderCause, OrderName, PLACE_LAST, Stream, write_orders_image,
};
use crate::types::{
    BookState, Catalogue, Clock, Instrument, InstrumentId, KnownTo, Level, Levels, Price, Qty, QtyUnit,
    ScaleSource, Side, Sides, Slot, StaleReason, Terms, TimeNs,
};
use crate::venues::{CONSOLIDATED, Scale};
use parts::{Changed, Parts, Share};
pub use terms::ConsolidatedError;
use terms::{Conversion, SameAssets};

/// Most members of a consolidated book.
pub const MEMBERS_MAX: usize = 16;

/// Most consolidated books of one engine.
pub const CONSOLIDATED_MAX: usize = 256;

/// Whether a member counts in its book, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    In,
    /// Its book is not synced.
    Out(BookState),
    /// No source carries it yet.
    Absent,
    /// Its venue has said since that it is of another unit or asset.
    Misfit(ConsolidatedError),
    /// A number of it, or a sum with it, is beyond 63 bits at the scale of all.
    Range,
}

impl Standing {
    /// Why it is out, in a word: a reason of a stale book, `syncing`, `absent`, `unit`, `asset` or `range`; `none` where it is in.
    #[must_use]
    pub const fn reason_name(self) -> &'static str {
        match self {
            Self::In => "none",
            Self::Out(BookState::Stale(reason)) => reason.name(),
            Self::Out(_) => "syncing",
            Self::Absent => "absent",
            Self::Misfit(ConsolidatedError::Asset(_)) => "asset",
            Self::Misfit(_) => "unit",
            Self::Range => "range",
        }
    }
}

/// A member of a consolidated book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Which.
    pub instrument: InstrumentId,
    /// Whether it counts.
    pub standing: Standing,
}

/// What a member has at a price of a consolidated book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenuePart {
    /// Whose.
    pub instrument: InstrumentId,
    /// How much, at the scale of the consolidated book.
    pub qty: Qty,
    /// When the message arrived that told it last.
    pub told_at: TimeNs,
}

/// What of an instrument the books that are made of it have still to be told.
#[derive(Debug, Default)]
pub(super) struct Fed {
    /// Numbers of these books, and its own among their members.
    books: Vec<(u32, u32)>,
    /// Levels of a synced book that have changed, in their order.
    levels: Levels,
    /// Whether the venue's event ends with them.
    is_last: bool,
    /// Whether its state or its epoch is another: nothing that was known of it holds.
    is_anew: bool,
    is_wanted: bool,
    now: TimeNs,
}

impl Fed {
    fn told(&mut self) {
        self.levels.clear();
        self.is_anew = false;
        self.is_wanted = false;
    }
}

#[derive(Debug)]
struct Member {
    id: InstrumentId,
    slot: Option<Slot>,
    standing: Standing,
    conversion: Option<Conversion>,
    /// How far its own book was known when that was looked at last, and what that is here.
    own_known_to: KnownTo,
    known_to: KnownTo,
}

/// A book that is made of others.
#[derive(Debug)]
pub(super) struct Consolidated {
    id: InstrumentId,
    slot: Slot,
    members: Vec<Member>,
    same: SameAssets,
    parts: Parts,
    /// Reused.
    levels: Levels,
}

impl Consolidated {
    pub(super) const fn slot(&self) -> Slot {
        self.slot
    }

    /// Rule 4.
    fn known_to(&self) -> KnownTo {
        let is_in = |member: &&Member| member.standing == Standing::In;
        self.members.iter().filter(is_in).fold(KnownTo::WHOLE, |known, member| KnownTo {
            bid: known.bid.max(member.known_to.bid),
            ask: known.ask.min(member.known_to.ask),
        })
    }

    /// Takes all that a member has, where it is to count. `old`: the parts before, at this scale.
    fn enter(
        &mut self,
        index: usize,
        instruments: &[InstrumentState],
        listed: Result<(&Instrument, (i8, i8)), ConsolidatedError>,
        old: Option<&Parts>,
    ) -> Standing {
        let Some(slot) = self.members[index].slot else { return Standing::Absent };
        let source = &instruments[slot.0 as usize];
        if !source.lead().is_synced() {
            return Standing::Out(source.lead().state());
        }
        let (listed, scale) = match listed {
            Ok(listed) => listed,
            Err(error) => return Standing::Misfit(error),
        };
        let Some(conversion) = Conversion::new(listed, scale) else { return Standing::Range };
        let now = source.book_cursor.at.ts_recv;
        for side in [Side::Bid, Side::Ask] {
            for level in source.book.levels(side) {
                let set = conversion.level(level).and_then(|Level { price, qty }| {
                    let before = old.map(|old| old.share(side, price, index)).filter(|old| old.qty == qty);
                    let told_at = before.map_or(now, |before| before.told_at);
                    self.parts.set(side, price, index, Share { qty, told_at })
                });
                if set.is_none() {
                    self.parts.forget(index);
                    return Standing::Range;
                }
            }
        }
        let member = &mut self.members[index];
        member.conversion = Some(conversion);
        member.own_known_to = source.book.known_to();
        member.known_to = conversion.known_to(member.own_known_to);
        Standing::In
    }

    /// Publishes the image with which the stream of shares goes on.
    pub(super) fn publish_parts<C: Clock>(&self, state: &mut InstrumentState, cx: &mut Context<'_, C>) {
        state.order_stream.image_comes(state.book_cursor.at);
        state.tells_orders = true;
        let (id, Context { config, clock, out, .. }) = (state.id, cx);
        self.write_parts(state, config, *clock, |frame| {
            out.frame(id, Stream::ORDERS, |bytes| bytes.extend_from_slice(frame));
        });
    }

    /// Hands out all shares, as one frame or several. Cost: linear in them.
    pub(super) fn write_parts<C: Clock>(
        &self,
        state: &mut InstrumentState,
        config: &EngineConfig,
        clock: &C,
        emit: impl FnMut(&[u8]),
    ) {
        let mut orders = Vec::new();
        for side in [Side::Bid, Side::Ask] {
            for Level { price, .. } in state.book.levels(side) {
                orders.extend(self.parts.at(side, price).map(|(_, number, share)| OrderBody {
                    name: OrderName::Number(number),
                    price,
                    qty: share.qty,
                    place: PLACE_LAST,
                    action: OrderAction::Add,
                    side: Some(side),
                    cause: OrderCause::Unknown,
                }));
            }
        }
        let cursor = state.order_stream.cursor;
        let header =
            state.stamp(Kind::Image, Stream::ORDERS, (cursor.seq, cursor.seq), cursor.at, config, clock);
        let body = ImageBody {
            known_to: state.book.known_to(),
            depth: 0,
            price_exponent: state.price_exponent,
            qty_exponent: state.qty_exponent,
            state: state.orders.state().code(),
            reason: state.orders.state().reason_code(),
            check: check_of(&orders),
        };
        write_orders_image(&mut state.bytes, &header, &body, &orders, |_| &b""[..], emit);
    }
}

impl<C: Clock> Engine<C> {
    /// Makes a book of the books of these instruments, named `consolidated:SYMBOL`. They need no source yet: each enters when its
    /// book is synced. `same`: pairs of words that mean one asset, as `USD` and `USDT` where these are taken for equal.
    ///
    /// # Errors
    /// [`EngineError::Consolidated`], [`EngineError::UnknownInstrument`], [`EngineError::InUse`] for a name that is taken,
    /// [`EngineError::Instrument`] for one that is none, [`EngineError::Full`].
    pub fn consolidate(
        &mut self,
        symbol: &str,
        members: &[InstrumentId],
        same: &[(&str, &str)],
    ) -> Result<InstrumentId, EngineError> {
        let same: SameAssets = same.iter().map(|&(a, b)| [a.into(), b.into()]).collect();
        let listed = checked(&self.catalogue, members, &same)?;
        if self.catalogue.find(CONSOLIDATED, symbol).is_some() {
            return Err(EngineError::InUse);
        }
        if self.consolidated.len() == CONSOLIDATED_MAX {
            return Err(EngineError::Consolidated(ConsolidatedError::Full));
        }
        if self.instruments.len() == BOOKS_MAX {
            return Err(EngineError::Full);
        }
        let told =
            |of: fn(&Terms) -> &str| listed.iter().map(|one| of(&one.terms)).find(|text| !text.is_empty());
        let (price_exponent, qty_exponent) = terms::scale(listed.iter().copied());
        let is_shares = listed.iter().any(|one| one.qty_unit == QtyUnit::Shares);
        let instrument = Instrument {
            price_exponent,
            qty_exponent,
            scale_source: ScaleSource::Listed,
            qty_unit: if is_shares { QtyUnit::Shares } else { QtyUnit::Base },
            terms: Terms {
                base: told(|terms| &terms.base).unwrap_or_default().into(),
                quote: told(|terms| &terms.quote).unwrap_or_default().into(),
                ..Terms::default()
            },
            ..Scale::INFERRED.instrument(CONSOLIDATED, symbol)
        };
        let id = self.catalogue.add(instrument).map_err(EngineError::Instrument)?;
        let slot = Slot(self.instruments.len() as u32);
        let Some(listed) = self.catalogue.get(id) else { return Err(EngineError::UnknownInstrument(id.0)) };
        self.instruments.push(InstrumentState::new(id, slot, listed, &self.config));
        self.by_id.insert(id, slot);
        self.instruments[slot.0 as usize].count_in(&mut self.stats);
        let member = |&id: &InstrumentId| Member {
            id,
            slot: None,
            standing: Standing::Absent,
            conversion: None,
            own_known_to: KnownTo::WHOLE,
            known_to: KnownTo::WHOLE,
        };
        self.consolidated.push(Consolidated {
            id,
            slot,
            members: members.iter().map(member).collect(),
            same,
            parts: Parts::new(members.len()),
            levels: Levels::default(),
        });
        self.join_members();
        self.ask_venues();
        Ok(id)
    }

    /// Who is in a consolidated book, and who is out, in the order of its members; `None` for any other instrument.
    #[must_use]
    pub fn members(&self, instrument: InstrumentId) -> Option<Vec<Membership>> {
        let of = self.consolidated_of(instrument)?;
        let told = |member: &Member| Membership { instrument: member.id, standing: member.standing };
        Some(of.members.iter().map(told).collect())
    }

    /// What the members of a consolidated book have at a price, in the order of the members. Nothing of any other instrument.
    /// While it is not synced: what was known last.
    pub fn venue_parts(
        &self,
        instrument: InstrumentId,
        side: Side,
        price: Price,
    ) -> impl Iterator<Item = VenuePart> + use<'_, C> {
        self.consolidated_of(instrument).into_iter().flat_map(move |of| {
            of.parts.at(side, price).map(|(member, _, share)| VenuePart {
                instrument: of.members[member].id,
                qty: share.qty,
                told_at: share.told_at,
            })
        })
    }

    fn consolidated_of(&self, instrument: InstrumentId) -> Option<&Consolidated> {
        self.consolidated.iter().find(|of| of.id == instrument)
    }

    /// Members that have a state by now feed their books.
    pub(super) fn join_members(&mut self) {
        let Self { consolidated, instruments, by_id, outbox, .. } = self;
        for (book, of) in consolidated.iter_mut().enumerate() {
            for (index, member) in
                of.members.iter_mut().enumerate().filter(|(_, member)| member.slot.is_none())
            {
                let Some(&slot) = by_id.get(&member.id) else { continue };
                member.slot = Some(slot);
                let fed = instruments[slot.0 as usize].fed.get_or_insert_default();
                fed.books.push((book as u32, index as u32));
                fed.is_anew = true;
                if !std::mem::replace(&mut fed.is_wanted, true) {
                    outbox.want_merge(member.id);
                }
            }
        }
    }

    /// The books that are made of an instrument follow what has become of it.
    #[inline(never)]
    pub(super) fn merge(&mut self, instrument: InstrumentId) {
        let Some(&slot) = self.by_id.get(&instrument) else { return };
        let Some(mut fed) = self.instruments[slot.0 as usize].fed.take() else { return };
        for &(book, member) in &fed.books {
            let (book, member) = (book as usize, member as usize);
            if fed.is_anew || !self.follow(book, member, slot, &fed) {
                self.rebuild(book, member, fed.now);
            }
        }
        fed.told();
        self.instruments[slot.0 as usize].fed = Some(fed);
    }

    /// A book takes what one of its members has changed. False where that does not fit: the book is to be made anew.
    #[inline]
    fn follow(&mut self, book: usize, index: usize, from: Slot, fed: &Fed) -> bool {
        let Self { instruments, consolidated, config, clock, outbox, stats, scratch, .. } = self;
        let cx = &mut Context { config, clock, out: outbox, stats, scratch };
        let of = &mut consolidated[book];
        let member = &mut of.members[index];
        let (at, own_known_to) = {
            let source = &instruments[from.0 as usize];
            (source.book_cursor.at, source.book.known_to())
        };
        let state = &mut instruments[of.slot.0 as usize];
        let conversion = member.conversion.filter(|_| member.standing == Standing::In);
        // One that is out is looked at again when its book begins anew.
        let Some(conversion) = conversion.filter(|_| state.recovery.is_synced()) else { return true };
        of.levels.clear();
        for side in [Side::Bid, Side::Ask] {
            for level in fed.levels.side(side) {
                let Some(Level { price, qty }) = conversion.level(*level) else { return false };
                let share = Share { qty, told_at: at.ts_recv };
                let Some(changed) = of.parts.set(side, price, index, share) else { return false };
                if changed.before == qty {
                    continue;
                }
                of.levels.side_mut(side).push(Level { price, qty: changed.sum });
                if state.tells_orders {
                    state.note_share(side, Level { price, qty }, changed);
                }
            }
        }
        if own_known_to != member.own_known_to {
            member.own_known_to = own_known_to;
            member.known_to = conversion.known_to(own_known_to);
        }
        let known_to = of.known_to();
        if of.levels.is_empty() && known_to == state.book.known_to() {
            return true;
        }
        let stamp = Stamp { venue_seq: 0, ..at };
        state.follow_members(of.levels.view(), known_to, stamp, fed, cx);
        true
    }

    /// A book is made anew of the books of its members as they are. `cause`: the member that it is for.
    #[cold]
    fn rebuild(&mut self, book: usize, cause: usize, now: TimeNs) {
        let Self { instruments, consolidated, catalogue, config, clock, outbox, stats, scratch, .. } = self;
        let cx = &mut Context { config, clock, out: outbox, stats, scratch };
        let of = &mut consolidated[book];
        let Some(listed) =
            of.members.iter().map(|member| catalogue.get(member.id)).collect::<Option<Vec<_>>>()
        else {
            return;
        };
        let scale = terms::scale(listed.iter().copied());
        let steps = terms::steps(&listed, scale);
        let state = &instruments[of.slot.0 as usize];
        let is_scaled = (state.price_exponent, state.qty_exponent) == scale;
        let old = std::mem::replace(&mut of.parts, Parts::new(listed.len()));
        for (index, one) in listed.iter().enumerate() {
            let checked =
                terms::check(listed[0], one, of.members[index].id.0, &of.same).map(|()| (*one, scale));
            let standing = of.enter(index, instruments, checked, Some(&old).filter(|_| is_scaled));
            of.members[index].standing = standing;
        }
        let is_in = |member: &Member| member.standing == Standing::In;
        let cause = &of.members[cause];
        let at = cause.slot.filter(|_| is_in(cause)).map(|slot| instruments[slot.0 as usize].book_cursor.at);
        let stamp = Stamp { venue_seq: 0, ..at.unwrap_or(Stamp { ts_recv: now, ..Stamp::default() }) };
        let why = match cause.standing {
            Standing::Out(state) => state,
            _ => BookState::Stale(StaleReason::SourceFailed),
        };
        let known_to = of.known_to();
        let state = &mut instruments[of.slot.0 as usize];
        if !of.members.iter().any(is_in) {
            return state.lose_members(why, now, cx);
        }
        if !is_scaled || (state.tick_size, state.lot_size) != steps {
            state.book.clear();
            if !state.take_scale(scale.0, scale.1, now, cx) {
                return state.lose_members(BookState::Stale(StaleReason::Contradiction), now, cx);
            }
            (state.tick_size, state.lot_size) = steps;
            state.book = L2Book::new(BookSpec { tick_size: steps.0, levels_max: cx.config.levels_max });
            if let Some(before) = catalogue.get(of.id).cloned() {
                let (price_exponent, qty_exponent) = scale;
                let (tick_size, lot_size) = steps;
                let added =
                    catalogue.add(Instrument { price_exponent, qty_exponent, tick_size, lot_size, ..before });
                debug_assert!(added.is_ok());
            }
        }
        of.levels.clear();
        for side in [Side::Bid, Side::Ask] {
            let sums = of.parts.sums(side).map(|(price, qty)| Level { price, qty });
            of.levels.side_mut(side).extend(sums);
        }
        state.take_members(of.levels.view(), known_to, stamp, now, cx);
    }

    /// Time passes for books whose life is that of their members.
    pub(super) fn tick_consolidated(&mut self, now: TimeNs) {
        let Self { instruments, consolidated, config, clock, outbox, stats, scratch, .. } = self;
        let cx = &mut Context { config, clock, out: outbox, stats, scratch };
        for of in consolidated {
            let state = &mut instruments[of.slot.0 as usize];
            if state.recovery.is_synced() {
                state.publish_views(now, cx);
                state.publish_costs(now, cx);
                state.publish_check_if_due(now, cx);
            }
        }
    }
}

/// The members of a book, as they are listed.
fn checked<'a>(
    catalogue: &'a Catalogue,
    members: &[InstrumentId],
    same: &SameAssets,
) -> Result<Vec<&'a Instrument>, EngineError> {
    if !(2..=MEMBERS_MAX).contains(&members.len()) {
        return Err(EngineError::Consolidated(ConsolidatedError::Count(members.len())));
    }
    let mut listed = Vec::new();
    for (index, &id) in members.iter().enumerate() {
        let one = catalogue.get(id).ok_or(EngineError::UnknownInstrument(id.0))?;
        if members[..index].contains(&id) {
            return Err(EngineError::Consolidated(ConsolidatedError::Twice(id.0)));
        }
        if one.venue == CONSOLIDATED {
            return Err(EngineError::Consolidated(ConsolidatedError::Nested(id.0)));
        }
        listed.push(one);
        terms::check(listed[0], one, id.0, same).map_err(EngineError::Consolidated)?;
    }
    Ok(listed)
}

impl InstrumentState {
    /// What readers are told of its book is noted for the books that are made of it.
    #[inline(never)]
    pub(super) fn feed<C>(&mut self, levels: Sides<'_>, is_last: bool, now: TimeNs, cx: &mut Context<'_, C>) {
        let Some(fed) = &mut self.fed else { return };
        if !fed.is_anew {
            fed.levels.bids.extend_from_slice(levels.bids);
            fed.levels.asks.extend_from_slice(levels.asks);
        }
        (fed.is_last, fed.now) = (is_last, now);
        if !std::mem::replace(&mut fed.is_wanted, true) {
            cx.out.want_merge(self.id);
        }
    }

    /// Its state, its epoch or its scale is another.
    #[cold]
    pub(super) fn feed_anew<C>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        let Some(fed) = &mut self.fed else { return };
        fed.levels.clear();
        (fed.is_anew, fed.now) = (true, now);
        if !std::mem::replace(&mut fed.is_wanted, true) {
            cx.out.want_merge(self.id);
        }
    }

    /// Notes what has become of a member's share for readers of the stream of orders.
    #[cold]
    fn note_share(&mut self, side: Side, share: Level, changed: Changed) {
        let (action, place) = match (changed.before.0, share.qty.0) {
            (_, 0) => (OrderAction::Remove, 0),
            (0, _) => (OrderAction::Add, changed.ahead),
            _ => (OrderAction::Change, 0),
        };
        let name = OrderName::Number(changed.number);
        let cause = OrderCause::Unknown;
        let (price, qty) = (share.price, share.qty);
        let side = Some(side);
        self.order_stream.note(OrderBody { name, price, qty, place, action, side, cause }, &[]);
    }

    /// The sums that a change of a member has made.
    #[inline]
    fn follow_members<C: Clock>(
        &mut self,
        levels: Sides<'_>,
        known_to: KnownTo,
        stamp: Stamp,
        fed: &Fed,
        cx: &mut Context<'_, C>,
    ) {
        let bbo = self.bbo;
        // No venue sent it, and rule 5.
        let counted = (cx.stats.applied, cx.stats.applied_level_changes, cx.stats.crossed);
        let is_taken = self.take(levels, stamp, cx);
        (cx.stats.applied, cx.stats.applied_level_changes, cx.stats.crossed) = counted;
        if !is_taken {
            return self.lose_members(BookState::Stale(StaleReason::LevelsLimit), fed.now, cx);
        }
        self.book.know_to(known_to);
        self.publish(levels, self.bbo != bbo, fed.is_last, fed.now, cx);
        self.publish_orders(fed.is_last, stamp, cx);
    }

    /// The sums of all members that are in.
    fn take_members<C: Clock>(
        &mut self,
        levels: Sides<'_>,
        known_to: KnownTo,
        stamp: Stamp,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        if self.book.load(levels, known_to).is_err() {
            return self.lose_members(BookState::Stale(StaleReason::LevelsLimit), now, cx);
        }
        self.book_cursor.at = stamp;
        self.applied_at = stamp.ts_recv;
        self.recovery.replaced(0, stamp.ts_event, SnapshotOrigin::Stream);
        if !self.orders.is_synced() {
            self.orders.begin_orders();
            self.orders.orders_whole(0);
            self.orders.synced(now);
        }
        self.become_synced(now, cx);
    }

    /// No member is in, or their sum cannot be held.
    #[cold]
    fn lose_members<C: Clock>(&mut self, why: BookState, now: TimeNs, cx: &mut Context<'_, C>) {
        if let BookState::Stale(reason) = why {
            self.orders.lose(reason, (0, 0), now);
            return self.lose(reason, (0, 0), now, cx);
        }
        if self.recovery.state() != BookState::Syncing {
            self.on_restart(now, cx);
        }
    }
}
