//! Trades: each is told once, by one kind of message.

use depthwire_core::encode::{Kind, Stream};
use depthwire_core::engine::EngineConfig;
use depthwire_core::replica::{ReplicaReason, ReplicaState, ReplicaTape, TapeGap, feed_frames};
use depthwire_core::types::{BookState, StaleReason};

use crate::random::Random;
use crate::rig::{MS, Rig, S, kinds};

#[test]
fn one_kind_of_trade_message_is_passed_on() {
    let mut rig = Rig::new(EngineConfig::default());
    rig.trade("trade", 7);
    rig.trade("aggTrade", 3);
    rig.trade("trade", 8);
    assert_eq!(kinds(&rig.seen()), [(5, 3), (5, 3)]);
    let stats = rig.engine.stats();
    assert_eq!((stats.trades, stats.ignored), (2, 1));
}

#[test]
fn a_trade_is_told_once_and_a_reset_lets_the_other_kind_in() {
    let mut rig = Rig::new(EngineConfig::default());
    for id in [7, 7, 6, 9] {
        rig.trade("trade", id);
    }
    assert_eq!(kinds(&rig.seen()).len(), 2, "7 and 9");
    rig.engine.reset_source(rig.source, rig.now).unwrap();
    rig.seen();
    rig.trade("aggTrade", 1);
    assert_eq!(kinds(&rig.seen()), [(5, 3)]);
}

/// A reader of trades by rule 4, and the venue's connection, which brings the book, too.
struct Read {
    rig: Rig,
    tape: ReplicaTape,
    ids: Vec<u64>,
}

impl Read {
    fn new() -> Self {
        let mut rig = Rig::synced(EngineConfig::default());
        let mut tape = ReplicaTape::new(Kind::Trade);
        let image = |frame: &[u8]| {
            tape.apply(&feed_frames(frame).next().unwrap().unwrap());
        };
        rig.engine.image(rig.id, Stream::TRADES, rig.now, image).unwrap();
        let mut read = Self { rig, tape, ids: Vec::new() };
        read.trade(7);
        assert_eq!((read.take(), read.ids.pop()), (vec![], Some(7)));
        read
    }

    fn trade(&mut self, id: u64) {
        self.rig.now += MS;
        self.rig.trade_at(id, "10.50", "1", false);
    }

    fn fail(&mut self) {
        self.rig.now += 2 * S;
        self.rig.engine.source_failed(self.rig.source, self.rig.now).unwrap();
        assert_eq!(self.rig.state(), BookState::Stale(StaleReason::SourceFailed));
    }

    fn open(&mut self) {
        self.rig.engine.opened(self.rig.source, self.rig.now).unwrap();
    }

    /// Takes what was told; the gaps in it.
    fn take(&mut self) -> Vec<TapeGap> {
        let Self { rig, tape, ids } = self;
        let mut gaps = Vec::new();
        rig.frames(|bytes| {
            for frame in feed_frames(bytes).map(Result::unwrap).filter(|it| it.stream() == Stream::TRADES) {
                let told = tape.apply(&frame);
                gaps.extend(told.gap);
                ids.extend(frame.trades().filter(|_| told.takes).map(|trade| trade.id.value()));
            }
        });
        gaps
    }
}

const SILENT: ReplicaState = ReplicaState::Stale(ReplicaReason::Server(StaleReason::SourceFailed));

#[test]
fn trades_of_the_books_own_connection_are_stale_with_it_and_whole_where_their_numbers_go_on() {
    let mut read = Read::new();
    read.fail();
    assert_eq!((read.take(), read.tape.state()), (vec![], SILENT), "at once, and nothing is missing yet");
    read.open();
    read.trade(8);
    assert_eq!((read.take(), read.tape.state()), (vec![], ReplicaState::Synced), "8 follows 7");
    assert!(matches!(read.rig.state(), BookState::Stale(_)), "whatever becomes of the book");
    assert_eq!(read.ids, [8]);
}

#[test]
fn trades_that_were_lost_with_the_books_own_connection_are_told_where_they_were_lost() {
    let mut read = Read::new();
    read.fail();
    read.take();
    read.open();
    read.trade(9);
    let gaps = read.take();
    assert!(matches!(gaps[..], [TapeGap::Sequence { .. }]), "before the image of the next epoch: {gaps:?}");
    read.trade(10);
    assert_eq!((read.take(), read.ids.as_slice()), (vec![], [9, 10].as_slice()));
}

#[test]
fn what_a_gap_of_the_book_costs_trades_is_told_in_its_place() {
    let mut read = Read::new();
    read.rig.now += 2 * S;
    read.rig.depth(200, 201, "", "");
    assert_eq!((read.take(), read.tape.state()), (vec![], ReplicaState::Synced), "the connection lives");
    read.trade(8);
    assert_eq!(read.take(), [], "none was lost");
    read.rig.now += S;
    read.rig.depth(300, 301, "", "");
    read.trade(9);
    read.trade(11);
    assert_eq!(
        (read.take(), read.ids.as_slice()),
        (vec![], [8, 9, 11].as_slice()),
        "which numbers venues use is theirs"
    );
}

#[test]
fn a_book_that_is_whole_again_ends_the_silence_of_trades() {
    let mut read = Read::new();
    for at in [200, 300] {
        read.fail();
        assert_eq!(
            (read.take(), read.tape.state()),
            (vec![], SILENT),
            "also where none has come since the last time"
        );
        read.open();
        read.rig.now += 20 * S;
        read.rig.depth(at, at, "", "");
        read.rig.tick();
        read.rig.seen();
        read.rig.snapshot(at, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
        assert_eq!(read.rig.state(), BookState::Synced);
        assert_eq!((read.take(), read.tape.state()), (vec![TapeGap::Reset], ReplicaState::Synced));
    }
}

/// A reader by rule 4 alone, which knows nothing of the book, never takes trades for whole that are not, nor a tape for live that
/// nobody tells.
#[test]
fn no_trade_of_the_books_own_connection_is_missing_untold() {
    let (mut gaps, mut whole, mut mended) = (0, 0, 0);
    for seed in 0..200 {
        let mut random = Random(seed);
        let mut read = Read::new();
        let (mut is_open, mut number, mut last, mut update, mut has_gap) = (true, 7, 7, 100, false);
        for _ in 0..150 {
            match random.below(8) {
                0 if is_open => {
                    read.rig.now += 2 * S;
                    read.rig.engine.source_failed(read.rig.source, read.rig.now).unwrap();
                    is_open = false;
                }
                0 => {
                    read.open();
                    is_open = true;
                }
                1 if is_open => {
                    // The venue's numbers jump, or the book is asked for.
                    update += 1 + random.below(2);
                    read.rig.now += 20 * S;
                    read.rig.depth(update, update, "", "");
                    read.rig.tick();
                }
                2 if is_open && read.rig.state() != BookState::Synced => {
                    let asked = read.rig.snapshot(update, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]");
                    mended += u64::from(asked.is_ok());
                }
                _ => {
                    number += 1;
                    if is_open {
                        read.trade(number);
                    }
                }
            }
            let told = read.take();
            gaps += told.len();
            has_gap |= !told.is_empty();
            for id in std::mem::take(&mut read.ids) {
                assert!(id == last + 1 || has_gap, "{seed}: {last} and then {id}");
                whole += u64::from(!has_gap);
                (last, has_gap) = (id, false);
            }
            assert!(is_open || read.tape.state() == SILENT, "{seed}: nobody tells it");
        }
    }
    assert!(gaps > 100 && whole > 100 && mended > 100, "{gaps} {whole} {mended}");
}
