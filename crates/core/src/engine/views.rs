//! The depth views of one instrument, each with its place on the wire.

use super::instrument::InstrumentState;
use super::streams::{CheckTimer, Cursor, Stamp};
use super::{EngineError, VIEWS_MAX};
use crate::aggregate::DepthView;
use crate::book::{L2Book, Touched};
use crate::encode::{Flags, Stream};
use crate::types::{KnownTo, TimeNs};

/// One view and those who read it.
#[derive(Debug)]
pub(super) struct ViewSlot {
    pub(super) view: DepthView,
    pub(super) stream: Stream,
    pub(super) cursor: Cursor,
    pub(super) check: CheckTimer,
    /// What is doubted of the published state: as its readers were told, and as it was when the book last agreed with it.
    pub(super) doubts: Flags,
    readers: u32,
}

impl ViewSlot {
    /// Where the published state stands: with the book while nothing has touched it, else before the first touch.
    pub(super) const fn place(&self, book: Stamp) -> Stamp {
        if self.view.is_clean() { book } else { self.cursor.at }
    }

    /// Looks at what is doubted of the published state, where that is the book's; true where it is not what it was.
    #[inline]
    pub(super) fn doubt(&mut self, known_to: KnownTo, is_crossed: bool) -> bool {
        if !self.view.is_clean() {
            return false;
        }
        let is_beyond = self.view.is_beyond(known_to);
        let doubts = Flags::CROSSED.when(is_crossed).with(Flags::BEYOND_KNOWN.when(is_beyond));
        std::mem::replace(&mut self.doubts, doubts) != doubts
    }
}

/// All open views.
#[derive(Debug, Default)]
pub(super) struct Views {
    slots: Vec<ViewSlot>,
    /// The highest sequence of a view closed in this epoch. A stream number that is used again goes on behind it, so
    /// that no frame of the new view can pass for one of the old.
    closed_seq: u64,
}

impl Views {
    /// Notes an update, with the book's place before it.
    #[inline]
    pub(super) fn touch(&mut self, touched: Touched, before: Stamp) {
        for slot in &mut self.slots {
            if slot.view.is_clean() {
                slot.cursor.at = before;
            }
            slot.view.touch(touched.bid, touched.ask);
        }
    }

    /// Takes the book, and whether it is crossed, as every view's state, at sequence 1.
    pub(super) fn open_epoch(&mut self, now: TimeNs, book: &L2Book, is_crossed: bool) {
        self.closed_seq = 0;
        for slot in &mut self.slots {
            slot.view.image(now, book);
            slot.doubt(book.known_to(), is_crossed);
            slot.cursor.seq = 1;
            slot.check.done(now);
        }
    }

    /// Opens a view of the book, and whether that is crossed, or joins the one that is alike. `None` when there are [`VIEWS_MAX`].
    pub(super) fn open(
        &mut self,
        (depth, interval_ns, grouping): (u32, u64, i64),
        now: TimeNs,
        book: Option<(&L2Book, bool)>,
    ) -> Option<Stream> {
        let alike = |slot: &&mut ViewSlot| {
            let view = &slot.view;
            (view.depth(), view.interval_ns(), view.grouping()) == (depth, interval_ns, grouping)
        };
        if let Some(slot) = self.slots.iter_mut().find(alike) {
            slot.readers += 1;
            return Some(slot.stream);
        }
        if self.slots.len() == VIEWS_MAX {
            return None;
        }
        let is_free = |number: &u8| self.slots.iter().all(|slot| slot.stream.0 != *number);
        let stream = Stream((Stream::DEPTH_FIRST.0..Stream::VOLUMES_FIRST.0).find(is_free)?);
        let mut view = DepthView::grouped(depth, interval_ns, grouping);
        if let Some((book, _)) = book {
            view.image(now, book);
        }
        let cursor = Cursor { seq: self.closed_seq + 1, ..Cursor::default() };
        let mut check = CheckTimer::default();
        check.done(now);
        let mut slot = ViewSlot { view, stream, cursor, check, doubts: Flags::NONE, readers: 1 };
        if let Some((book, is_crossed)) = book {
            slot.doubt(book.known_to(), is_crossed);
        }
        self.slots.push(slot);
        Some(stream)
    }

    /// Takes other widths of buckets, those of another scale; see [`DepthView::regroup`].
    pub(super) fn regroup(&mut self, width: impl Fn(i64) -> i64) {
        for slot in self.slots.iter_mut().filter(|slot| slot.view.grouping() > 0) {
            slot.view.regroup(width(slot.view.grouping()));
        }
    }

    /// Leaves a view; the last reader closes it. Whether it is closed.
    pub(super) fn close(&mut self, stream: Stream) -> bool {
        let Some(index) = self.slots.iter().position(|slot| slot.stream == stream) else { return false };
        self.slots[index].readers -= 1;
        let is_closed = self.slots[index].readers == 0;
        if is_closed {
            let closed = self.slots.swap_remove(index);
            self.closed_seq = self.closed_seq.max(closed.cursor.seq);
        }
        is_closed
    }

    pub(super) fn find(&self, stream: Stream) -> Option<&ViewSlot> {
        self.slots.iter().find(|slot| slot.stream == stream)
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut ViewSlot> {
        self.slots.get_mut(index)
    }

    pub(super) fn stream(&self, index: usize) -> Option<Stream> {
        self.slots.get(index).map(|slot| slot.stream)
    }
}

impl InstrumentState {
    /// Opens a depth view (levels, interval, grouping), or joins the one that is alike.
    pub(super) fn open_view(&mut self, view: (u32, u64, i64), now: TimeNs) -> Option<Stream> {
        let book = self.lead().has_book().then_some((&self.book, self.bbo.is_crossed()));
        self.views.open(view, now, book)
    }

    /// Leaves a depth view; the last reader closes it. Whether it is closed.
    pub(super) fn close_depth(&mut self, stream: Stream) -> bool {
        self.views.close(stream)
    }

    /// Whether prices of the instrument can be grouped so: by a multiple of its tick.
    pub(super) fn check_grouping(&self, grouping: i64) -> Result<(), EngineError> {
        // A tick of 0 is not known.
        let tick = self.tick_size.max(1);
        let is_multiple = grouping >= 0 && grouping % tick == 0;
        if is_multiple { Ok(()) } else { Err(EngineError::ViewGrouping { tick, grouping }) }
    }
}
