//! What a frame costs whose venue sends a checksum with it: decoded, applied, cut to the subscribed depth, and the checksum
//! of the best ten levels compared. No feed is encoded.

use depthwire_core::book::{BookSpec, L2Book, Touched};
use depthwire_core::checksum::{PrintedTop, Printing, Scale, TOP_LEVELS};
use depthwire_core::types::{Body, Events, KnownTo, Level, Price, Route, Routes, Side, Slot};
use depthwire_core::venues::{self, At, KRAKEN, Session};

use crate::timing::{Contender, Run, timed};
use crate::workload::{CheckedStream, CheckedStreams, Workload};

/// Levels a side of the subscription.
const DEPTH: usize = 25;

/// Contenders over one workload; the one that computes every checksum from the whole top is the baseline. The last one
/// compares none: what it is faster by is what the checksum costs.
#[must_use]
pub fn contenders(workload: &Workload) -> Option<Result<Vec<Contender<'_>>, String>> {
    let streams = workload.checked.as_ref()?;
    let [stream] = &streams.streams[..] else { return None };
    // One book, of digits that are known.
    if stream.venue != KRAKEN || stream.instruments.len() != 1 {
        return None;
    }
    Some(Ok(vec![
        passes::<Recomputed>("recomputed", (streams, stream), true),
        passes::<Kept>("depthwire", (streams, stream), true),
        passes::<Unchecked>("without checksum", (streams, stream), false),
    ]))
}

/// A way to compare checksums.
trait Check: Default {
    /// The book has changed from these prices on.
    fn touched(&mut self, touched: Touched);
    /// Whether the book has this checksum.
    fn agrees(&mut self, check: u32, book: &L2Book) -> bool;
}

/// The recording's digits are those of its exponents.
const PRINTING: Printing = Printing { price: Scale::Times(1), qty: Scale::Times(1) };
const ROUTE: Route = Route { slot: Slot(0), price_exponent: -1, qty_exponent: -8 };

#[derive(Default)]
struct Recomputed;

impl Check for Recomputed {
    fn touched(&mut self, _: Touched) {}

    fn agrees(&mut self, check: u32, book: &L2Book) -> bool {
        let rows = |side| book.levels(side).take(TOP_LEVELS);
        PRINTING.crc32(rows(Side::Ask).chain(rows(Side::Bid))) == Some(check)
    }
}

/// As the engine does it: only the sides whose best ten an update has reached are printed anew.
struct Kept {
    top: PrintedTop,
    touched: Touched,
    best: Vec<Level>,
}

impl Default for Kept {
    fn default() -> Self {
        Self { top: PrintedTop::new(PRINTING), touched: ALL, best: Vec::with_capacity(TOP_LEVELS) }
    }
}

const ALL: Touched = Touched { bid: Some(Price(i64::MAX)), ask: Some(Price(i64::MIN)) };

impl Check for Kept {
    #[inline]
    fn touched(&mut self, touched: Touched) {
        self.touched = touched;
    }

    #[inline]
    fn agrees(&mut self, check: u32, book: &L2Book) -> bool {
        for (side, nearest) in [(Side::Ask, self.touched.ask), (Side::Bid, self.touched.bid)] {
            if self.top.reaches(side, nearest) {
                self.best.clear();
                book.levels(side).append_to(TOP_LEVELS, &mut self.best);
                self.top.set(side, &self.best);
            }
        }
        self.top.crc32() == Some(check)
    }
}

#[derive(Default)]
struct Unchecked;

impl Check for Unchecked {
    fn touched(&mut self, _: Touched) {}

    fn agrees(&mut self, _: u32, _: &L2Book) -> bool {
        true
    }
}

/// A connection with one book.
struct Reader<C> {
    session: Session,
    routes: Routes,
    events: Events,
    book: L2Book,
    check: C,
}

impl<C: Check> Reader<C> {
    fn new() -> Self {
        let mut routes = Routes::new();
        routes.carry([&b"BTC/USD"[..]].into_iter(), ROUTE);
        Self {
            session: venues::session(KRAKEN),
            routes,
            events: Events::default(),
            book: L2Book::new(BookSpec { tick_size: 1, levels_max: 10_000 }),
            check: C::default(),
        }
    }

    /// Reads one frame and returns how many checksums agreed.
    #[inline]
    fn take(&mut self, frame: &[u8]) -> Result<u64, String> {
        self.events.clear();
        let read = self.session.frame(frame, At::default(), &self.routes, &mut self.events);
        read.map_err(|error| error.to_string())?;
        let mut agreed = 0;
        for event in self.events.list() {
            match event.body {
                Body::Book(_, span, ..) => {
                    let loaded = self.book.load(self.events.levels(span), KnownTo::WHOLE);
                    loaded.map_err(|error| error.code().to_owned())?;
                    self.check.touched(ALL);
                }
                Body::Levels(_, span) => {
                    let touched = self.book.apply(self.events.levels(span));
                    self.check.touched(touched.map_err(|error| error.code().to_owned())?);
                }
                Body::Check(check) => {
                    self.book.truncate(DEPTH);
                    agreed += u64::from(self.check.agrees(check, &self.book));
                }
                _ => {}
            }
        }
        Ok(agreed)
    }
}

fn passes<'a, C: Check + 'a>(
    name: &'static str,
    (streams, stream): (&'a CheckedStreams, &'a CheckedStream),
    is_checked: bool,
) -> Contender<'a> {
    let mut reader = Reader::<C>::new();
    let run = move || {
        let (elapsed, agreed) = timed(|| {
            let mut agreed = 0;
            for _ in 0..streams.passes {
                for frame in stream.frames() {
                    agreed += reader.take(frame)?;
                }
            }
            Ok::<_, String>(agreed)
        });
        Run { elapsed, answer: agreed.map_or_else(|what| what, answer) }
    };
    let contender = Contender::new(name, streams.frames_in_run(), answer(streams.checksums_in_run()), run);
    if is_checked { contender } else { contender.noted("looks at no checksum") }
}

fn answer(agreed: u64) -> String {
    format!("{agreed} checksums agree")
}
