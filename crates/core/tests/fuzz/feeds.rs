//! Whole order feeds: bytes through the engine to published books, beside a plain model of the same.

use std::collections::HashMap;
use std::marker::PhantomData;

use depthwire_core::book::digest;
use depthwire_core::encode::{
    Kind as FrameKind, Outbox, RECORD_HEADER_BYTES, RecordType, Stream, find_header,
};
use depthwire_core::engine::{Engine, EngineConfig, RecordingProgress, SourceId};
use depthwire_core::recording::Format;
use depthwire_core::replica::{Outcome, Replica, ReplicaState};
use depthwire_core::types::{BookState, InstrumentId, Level, NoClock, Side, Venue};
use depthwire_core::venues::{self, OrderIds};

use crate::chunks::in_chunks;
use crate::memory;
use crate::model::{Model, Phase, Sides};
use crate::mutate::Fields;
use crate::random::Random;
use crate::recorded::Recordings;
use crate::run::{Said, Target};

/// One kind of order feed.
pub trait Feed {
    const NAME: &'static str;
    const VENUE: Venue;
    const SYMBOLS: &'static [&'static str];
    /// Whether a recording's form is one of this feed's.
    fn is_form(form: Format) -> bool;
    fn generate(random: &mut Random, out: &mut Vec<u8>);
    fn fields(fields: &mut Fields<'_>);
    fn tell(model: &mut Model<'_>, bytes: &[u8]);
}

/// An engine and what its frames alone say.
struct Rig {
    engine: Engine<NoClock>,
    source: SourceId,
    ids: Vec<InstrumentId>,
    heard: Heard,
}

/// A reader of the frames.
#[derive(Default)]
struct Heard {
    replica: Replica,
    /// By instrument: the state that the last status frame told.
    states: HashMap<u32, u8>,
}

impl Heard {
    /// Takes all records out.
    fn take(&mut self, outbox: &mut Outbox) {
        while let Some(record) = outbox.front() {
            if record[4] == RecordType::Frame as u8 {
                let frame = &record[RECORD_HEADER_BYTES..];
                // Places of the protocol's header and status.
                let header = &frame[find_header(frame).unwrap()..];
                let instrument = u32::from_le_bytes(header[56..60].try_into().unwrap());
                let (kind, stream) = (header[60], Stream(header[61]));
                if kind == FrameKind::Status as u8 {
                    self.states.insert(instrument, header[88]);
                }
                if kind == FrameKind::Delta as u8 {
                    assert_eq!(stream, Stream::BOOK);
                    let state = self.states.get(&instrument);
                    assert_eq!(
                        state,
                        Some(&BookState::Synced.code()),
                        "a book that is not synced publishes no delta"
                    );
                }
                let outcome = self.replica.apply(frame).expect("the engine's frames are frames");
                assert!(!matches!(outcome, Outcome::Gap { .. } | Outcome::CheckFailed), "{outcome:?}");
            }
            outbox.take();
        }
    }
}

/// Heap that a feed may take for its books, and for each byte: an order of 19 bytes and more, in ladders and queues.
const FEED_MEMORY: (usize, usize) = (24 << 20, 2_048);

impl Rig {
    fn new<F: Feed>() -> Self {
        let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
        let add =
            |symbol: &&str| engine.add_instrument(venues::instrument(F::VENUE, symbol).unwrap()).unwrap();
        let ids: Vec<_> = F::SYMBOLS.iter().map(add).collect();
        let source = engine.open_source(F::VENUE, &ids).unwrap();
        Self { engine, source, ids, heard: Heard::default() }
    }

    fn ingest(
        &mut self,
        bytes: &[u8],
        last: bool,
        until: u64,
        mut holds: impl FnMut() -> bool,
    ) -> RecordingProgress {
        let Self { engine, source, heard, .. } = self;
        let drain = |outbox: &mut Outbox| {
            if holds() {
                return false;
            }
            heard.take(outbox);
            true
        };
        engine.replay(*source, bytes, last, until, drain).unwrap()
    }

    /// A piece in several calls: time stops before messages that are not due, and nobody takes the frames out.
    fn ingest_haltingly(&mut self, piece: &[u8], last: bool, random: &mut Random) -> usize {
        let mut used = 0;
        let mut until = if random.one_in(2) { u64::MAX } else { random.any_size() };
        loop {
            let progress = self.ingest(&piece[used..], last, until, || random.one_in(6));
            used += progress.consumed;
            if progress.is_blocked {
                continue;
            }
            if progress.next_ts == 0 {
                return used;
            }
            assert!(progress.next_ts > until);
            until = progress.next_ts;
        }
    }

    /// The feed ends: nothing waits for another line any more.
    fn end(&mut self) {
        self.engine.ended(self.source, u64::MAX).unwrap();
        self.heard.take(self.engine.outbox());
    }

    fn levels(&self, at: usize) -> Sides {
        let book = self.engine.book(self.ids[at]).unwrap();
        [book.levels(Side::Bid).collect(), book.levels(Side::Ask).collect()]
    }

    fn is_synced(&self, at: usize) -> bool {
        self.engine.book_info(self.ids[at], 0).unwrap().state == BookState::Synced
    }

    /// The engine, its frames and the model say the same of every book.
    fn assert_agrees(&self, model: &Model<'_>) {
        for (at, book) in model.books.iter().enumerate() {
            let id = self.ids[at];
            assert_eq!(self.is_synced(at), book.phase == Phase::Whole, "book {at}: {book:?}");
            let heard = self.heard.replica.book(id);
            if book.phase != Phase::Whole {
                assert!(heard.is_none_or(|heard| heard.state() != ReplicaState::Synced));
                continue;
            }
            assert_eq!(self.levels(at), book.told);
            let listed = self.engine.catalogue().get(id).unwrap();
            let text = |[bids, asks]: Sides| {
                let exponents = (listed.price_exponent, listed.qty_exponent);
                digest(bids, asks, exponents.0, exponents.1)
            };
            assert_eq!(self.engine.orders_digest(id).unwrap(), text(model.levels(at)));
            let heard = heard.unwrap();
            assert_eq!(heard.state(), ReplicaState::Synced);
            let side = |side| heard.book().levels(side).collect::<Vec<Level>>();
            assert_eq!([side(Side::Bid), side(Side::Ask)], book.told);
        }
    }
}

/// A feed as a target.
pub struct FeedTarget<F>(pub PhantomData<F>);

pub fn feed<F: Feed>() -> FeedTarget<F> {
    FeedTarget(PhantomData)
}

impl<F: Feed> Target for FeedTarget<F> {
    const NAME: &'static str = F::NAME;
    const INPUT_BYTES_MAX: usize = 3_000;
    // An engine reserves room for the most orders; what it takes beyond that is measured by itself.
    const MEMORY: (usize, usize) = (usize::MAX / 2, 0);
    const SLOWER: usize = 20;
    const IS_RECORDED: bool = true;

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        F::generate(random, out);
    }

    fn recorded(&self, recordings: &Recordings) -> Vec<Vec<u8>> {
        recordings.pieces(F::is_form)
    }

    fn fields(fields: &mut Fields<'_>) {
        F::fields(fields);
    }

    fn check(&mut self, bytes: &[u8], random: &mut Random, said: &mut Said) {
        let mut model = Model::new(F::SYMBOLS);
        model.has_own_numbers = venues::product(F::VENUE).order_ids == OrderIds::Arbitrary;
        F::tell(&mut model, bytes);
        let mut rig = Rig::new::<F>();
        let (progress, most) = memory::most(|| rig.ingest(bytes, true, u64::MAX, || false));
        let cap = FEED_MEMORY.0 + FEED_MEMORY.1 * bytes.len();
        assert!(most <= cap, "{most} bytes of heap, above {cap}");
        assert_eq!(progress.consumed, bytes.len());
        assert!(!progress.is_blocked && progress.next_ts == 0);
        rig.end();
        rig.assert_agrees(&model);
        let stats = rig.engine.stats();
        if let Some(error) = progress.error {
            assert!(stats.decode_errors + stats.recording_errors > 0);
            said.error(error.code());
        }
        for (of, number) in [
            ("gaps", stats.gaps),
            ("trades", stats.trades),
            ("errors", stats.decode_errors),
            ("adds", stats.orders.adds),
            ("contradictions", stats.orders.contradictions),
            ("passed over", stats.orders.passed_over),
            ("clears", stats.orders.clears),
            ("crossed", stats.crossed),
            ("synced", (0..rig.ids.len()).filter(|&at| rig.is_synced(at)).count() as u64),
        ] {
            said.size(of, number as usize);
        }
        let mut cut = Rig::new::<F>();
        let mut halts = Random(random.next());
        in_chunks(bytes, random, |piece, last| cut.ingest_haltingly(piece, last, &mut halts));
        cut.end();
        cut.assert_agrees(&model);
        let again = cut.engine.stats();
        assert_eq!((again.orders, again.trades, again.gaps), (stats.orders, stats.trades, stats.gaps));
    }
}
