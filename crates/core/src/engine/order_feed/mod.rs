//! Order feeds: bytes whose messages name orders, to books. A feed is one venue's stream of all its instruments; the source
//! says which of them are carried.

mod dbn;
mod detect;
mod error;
mod itch;
mod itch_bytes;
mod order_books;

use super::pipeline::{Context, Pipeline};
use super::{Listed, RECORDING_TICK_NS, RecordingProgress};
use crate::book::l3::{Order, QueuePosition};
use crate::decode::dbn::{DbnError, DbnFramer, Entry};
use crate::encode::Outbox;
use crate::types::{Clock, Level, OrderId, Side, TimeNs, Venue};
pub(super) use detect::detect;
pub use error::FeedError;

use self::dbn::Dbn;
use self::itch::Itch;
use self::itch_bytes::ItchBytes;
use self::order_books::OrderBooks;

/// What a feed writes to.
pub(super) struct Pipelines<'a, C> {
    pub(super) pipelines: &'a mut [Pipeline],
    pub(super) cx: Context<'a, C>,
}

/// One order feed.
#[derive(Debug)]
pub(super) struct OrderFeed {
    protocol: Protocol,
    /// Most books, as many as the source has instruments.
    books: usize,
    /// Time of the last tick made from the recording.
    ticked_at: TimeNs,
}

#[derive(Debug)]
enum Protocol {
    Itch(Box<Itch>, ItchBytes),
    Dbn(Box<Dbn>, DbnFramer),
}

/// Books up to which a recording's time passes in steps of [`super::RECORDING_TICK_NS`]; with more of them, a second.
const BOOKS_FINE_TICKS: usize = 64;
const COARSE_TICK_NS: u64 = 1_000_000_000;

impl OrderFeed {
    /// A feed of a venue whose messages name orders; none for others.
    pub(super) fn new(venue: Venue, books: usize) -> Option<Self> {
        let books_max = u32::try_from(books).ok()?;
        let protocol = match venue {
            Venue::Nasdaq => Protocol::Itch(Box::new(Itch::new(books_max)?), ItchBytes::default()),
            Venue::Databento => Protocol::Dbn(Box::new(Dbn::new(books_max)?), DbnFramer::new()),
            Venue::BinanceSpot | Venue::BinanceUsdm | Venue::BinanceCoinm | Venue::Sim => return None,
        };
        Some(Self { protocol, books, ticked_at: 0 })
    }

    /// The feed as it was opened: nothing is known of any book, and the format is told from the next bytes. None as for
    /// [`Self::new`]. The old orders' memory goes first: a feed reserves address space for all that it may hold.
    pub(super) fn anew(self) -> Option<Self> {
        let (venue, books) = (self.venue(), self.books);
        drop(self);
        Self::new(venue, books)
    }

    /// Whole messages up to the first whose time is after `until`; the rules of [`super::Engine::ingest_recording`].
    pub(super) fn ingest<C: Clock>(
        &mut self,
        bytes: &[u8],
        last: bool,
        until: TimeNs,
        listed: &[Listed],
        to: &mut Pipelines<'_, C>,
        drain: &mut impl FnMut(&mut Outbox) -> bool,
    ) -> RecordingProgress {
        let progress = RecordingProgress { is_blocked: !drain(to.cx.out), ..RecordingProgress::default() };
        if progress.is_blocked {
            return progress;
        }
        let mut pace = Pace { until, progress, ticked_at: &mut self.ticked_at, drain };
        match &mut self.protocol {
            Protocol::Itch(itch, framing) => framing.ingest(itch, bytes, last, listed, to, &mut pace),
            Protocol::Dbn(dbn, framer) => ingest_dbn(dbn, framer, bytes, last, listed, to, &mut pace),
        }
        // The end of a file, and the beginning of the next, have consequences without a message of their own.
        if !pace.progress.is_blocked && !to.cx.out.is_empty() {
            pace.progress.is_blocked = !(pace.drain)(to.cx.out);
        }
        pace.progress
    }

    const fn venue(&self) -> Venue {
        match self.protocol {
            Protocol::Itch(..) => Venue::Nasdaq,
            Protocol::Dbn(..) => Venue::Databento,
        }
    }

    const fn books(&self) -> &OrderBooks {
        match &self.protocol {
            Protocol::Itch(itch, _) => &itch.books,
            Protocol::Dbn(dbn, _) => &dbn.books,
        }
    }

    /// An order that rests in the book of a pipeline, and what stands before it.
    pub(super) fn order(&self, pipeline: usize, id: OrderId) -> Option<(Order, QueuePosition)> {
        let books = self.books();
        let is_known = |order: &Order| books.is_whole(order.book) && books.pipeline(order.book) == pipeline;
        let order = books.order(id).filter(is_known)?;
        Some((order, books.queue_position(id)?))
    }

    /// The sum of a pipeline's own orders at every price, best first; nothing where the book is not known.
    pub(super) fn levels(&self, pipeline: usize, side: Side) -> impl Iterator<Item = Level> + '_ {
        let books = self.books();
        let book = books.find(pipeline).filter(|book| books.is_whole(*book));
        book.into_iter().flat_map(move |book| books.levels(book, side))
    }
}

fn ingest_dbn<C: Clock, D: FnMut(&mut Outbox) -> bool>(
    dbn: &mut Dbn,
    framer: &mut DbnFramer,
    bytes: &[u8],
    last: bool,
    listed: &[Listed],
    to: &mut Pipelines<'_, C>,
    pace: &mut Pace<'_, D>,
) {
    // Each round but the last ends before metadata, which the next uses up.
    let mut at = 0;
    'files: loop {
        let mut had_metadata = framer.metadata().is_some();
        let mut records = if last { framer.finish(&bytes[at..]) } else { framer.records(&bytes[at..]) };
        loop {
            let next = records.next();
            if !had_metadata && let Some(metadata) = records.metadata() {
                had_metadata = true;
                dbn.learn(metadata, listed, pace.progress.last_ts, to);
            }
            let Some(Entry { start, end, record, .. }) = next else { break };
            if record == Err(DbnError::MetadataAmongRecords) {
                // Files of one stream, one after the other: the next begins here, with metadata of its own.
                *framer = DbnFramer::new();
                at += start;
                continue 'files;
            }
            let ts = record.as_ref().map_or(0, dbn::received_at);
            if !pace.is_due(ts, at + start, listed, to) {
                return;
            }
            if record.is_err_and(|error: DbnError| error.ends_the_stream()) {
                dbn.lose_all(pace.progress.last_ts, to);
            }
            let taken = record.and_then(|record| dbn.take(record, listed, to));
            if !pace.took(at + end, taken.map_err(FeedError::from), to) {
                return;
            }
        }
        // Metadata is used up without a record.
        pace.progress.consumed = at + records.consumed();
        return;
    }
}

/// How far a call may go and has gone.
struct Pace<'a, D> {
    until: TimeNs,
    progress: RecordingProgress,
    ticked_at: &'a mut TimeNs,
    drain: &'a mut D,
}

impl<D: FnMut(&mut Outbox) -> bool> Pace<'_, D> {
    /// Whether a message of that time is to be taken now; if so, time passes up to it.
    #[inline]
    fn is_due<C: Clock>(
        &mut self,
        ts: TimeNs,
        start: usize,
        listed: &[Listed],
        to: &mut Pipelines<'_, C>,
    ) -> bool {
        if ts > self.until {
            self.progress.next_ts = ts;
            self.progress.consumed = start;
            return false;
        }
        if ts > 0 {
            let step = if listed.len() <= BOOKS_FINE_TICKS { RECORDING_TICK_NS } else { COARSE_TICK_NS };
            if ts.abs_diff(*self.ticked_at) >= step {
                *self.ticked_at = ts;
                for listed in listed {
                    to.pipelines[listed.pipeline].on_tick(ts, &mut to.cx);
                }
            }
            self.progress.last_ts = ts;
        }
        to.cx.stats.frames += 1;
        true
    }

    /// Notes what came of the message that ends there; false when its consequences cannot be drained.
    #[inline]
    fn took<C: Clock>(
        &mut self,
        end: usize,
        taken: Result<(), FeedError>,
        to: &mut Pipelines<'_, C>,
    ) -> bool {
        if let Err(error) = taken {
            to.cx.stats.decode_errors += 1;
            self.progress.error = Some(error.into());
        }
        self.progress.consumed = end;
        self.progress.is_blocked = !to.cx.out.is_empty() && !(self.drain)(to.cx.out);
        !self.progress.is_blocked
    }
}
