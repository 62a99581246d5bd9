//! Trades and liquidations of a connection that is lost while the book is not: what their readers are told.

use super::{Engine, EngineConfig, SourceId};
use crate::encode::generated::size_prefixed_root_as_frame;
use crate::encode::{Flags, Kind, RECORD_HEADER_BYTES, RecordType, Stream};
use crate::types::{InstrumentId, NoClock};
use crate::venues;

/// Kind, sequence and the one before, whether it is stale, how many trades.
type Told = (Kind, u64, u64, bool, usize);

fn read(bytes: &[u8], stream: Stream) -> Option<Told> {
    let frame = size_prefixed_root_as_frame(bytes).ok()?;
    let header = frame.header();
    let kind = Kind::ALL.into_iter().find(|kind| *kind as u8 == header.kind())?;
    let is_stale = header.flags() & Flags::STALE.0 != 0;
    let trades = frame.trades().map_or(0, |trades| trades.len());
    (header.stream() == stream.0).then_some((kind, header.seq(), header.prev_seq(), is_stale, trades))
}

struct Tapes {
    engine: Engine<NoClock>,
    id: InstrumentId,
    sources: Vec<SourceId>,
    now: u64,
    /// Of the last answer that was asked for.
    ticket: u32,
}

impl Tapes {
    /// Connections that tell all of an instrument but its book, of a product whose trades have numbers.
    fn numbered(sources: usize) -> Self {
        Self::of("binance-usdm", "ETHUSDT", sources)
    }

    fn of(venue: &str, symbol: &str, sources: usize) -> Self {
        let venue = venues::from_name(venue).unwrap();
        let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
        let id = engine.add_instrument(venues::instrument(venue, symbol).unwrap()).unwrap();
        let sources = (0..sources).map(|_| engine.open(venue).unwrap()).collect();
        let mut tapes = Self { engine, id, sources, now: 1, ticket: 0 };
        for at in 0..tapes.sources.len() {
            tapes.engine.carry_beside_books(tapes.sources[at], &[id]).unwrap();
            tapes.open(at);
        }
        tapes
    }

    fn open(&mut self, source: usize) {
        self.engine.opened(self.sources[source], self.now).unwrap();
    }

    fn fail(&mut self, source: usize) {
        self.now += 1;
        self.engine.source_failed(self.sources[source], self.now).unwrap();
    }

    fn hear(&mut self, source: usize, text: &str) {
        self.now += 1;
        self.engine.ingest(self.sources[source], text.as_bytes(), self.now).unwrap();
    }

    fn trade(&mut self, source: usize, number: u64) {
        self.hear(
            source,
            &format!(
                r#"{{"e":"aggTrade","E":5,"s":"ETHUSDT","a":{number},"p":"10.5","q":"1","nq":"1","f":1,"l":1,"T":5,"m":true}}"#
            ),
        );
    }

    /// Lets some of the simulated connections bring the book, too, which is whole then.
    fn bring_book(&mut self, sources: usize) {
        for source in &self.sources[..sources] {
            self.engine.carry(*source, &[self.id]).unwrap();
        }
        self.update(0, 100);
        self.snapshot(100);
    }

    fn update(&mut self, source: usize, number: u64) {
        self.hear(
            source,
            &format!(
                r#"{{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":{number},"u":{number},"b":[],"a":[["12.00","1"]]}}"#
            ),
        );
    }

    fn snapshot(&mut self, number: u64) {
        // Another request follows after a pause.
        self.now += 500_000_000;
        self.engine.tick(self.now);
        self.told();
        let text = format!(r#"{{"lastUpdateId":{number},"bids":[["10.00","1"]],"asks":[["11.00","1"]]}}"#);
        self.engine.answer(self.id, self.ticket, text.as_bytes(), self.now).unwrap();
    }

    fn sim_trade(&mut self, source: usize, number: u64) {
        self.hear(
            source,
            &format!(
                r#"{{"e":"trade","E":1,"s":"BTCUSDT","t":{number},"p":"10.00","q":"1","T":1,"m":true}}"#
            ),
        );
    }

    fn liquidation(&mut self, source: usize) {
        self.hear(
            source,
            r#"{"e":"forceOrder","E":5,"o":{"s":"ETHUSDT","S":"SELL","p":"1","q":"1","ap":"1","X":"FILLED","z":"1","T":5}}"#,
        );
    }

    /// What was told of trades and of liquidations.
    fn told(&mut self) -> (Vec<Told>, Vec<Told>) {
        let (mut trades, mut liquidations) = (Vec::new(), Vec::new());
        let outbox = self.engine.outbox();
        while let Some(record) = outbox.front() {
            if record[4] == RecordType::Frame as u8 {
                trades.extend(read(&record[RECORD_HEADER_BYTES..], Stream::TRADES));
                liquidations.extend(read(&record[RECORD_HEADER_BYTES..], Stream::LIQUIDATIONS));
            }
            if record[4] == RecordType::Ask as u8 {
                self.ticket = u32::from_le_bytes(*record[RECORD_HEADER_BYTES..].first_chunk().unwrap());
            }
            outbox.take();
        }
        (trades, liquidations)
    }

    fn trades(&mut self) -> Vec<Told> {
        self.told().0
    }

    fn image(&mut self, stream: Stream) -> Told {
        let mut told = None;
        self.engine.image(self.id, stream, self.now, |frame| told = read(frame, stream)).unwrap();
        told.unwrap()
    }
}

#[test]
fn a_lost_connection_is_told_at_once_and_trades_that_go_on_by_number_are_whole() {
    let mut tapes = Tapes::numbered(1);
    tapes.trade(0, 10);
    tapes.liquidation(0);
    tapes.told();
    tapes.fail(0);
    let (trades, liquidations) = tapes.told();
    assert_eq!(trades, [(Kind::Trade, 3, 2, true, 0)], "the next number decides");
    assert_eq!(liquidations, [(Kind::Liquidation, 4, 3, true, 0)], "nothing can prove it: one is left out");
    assert_eq!(tapes.image(Stream::TRADES), (Kind::Image, 3, 3, true, 0), "who comes now is told, too");
    assert_eq!(tapes.image(Stream::LIQUIDATIONS), (Kind::Image, 4, 4, true, 0));
    tapes.open(0);
    tapes.fail(0);
    assert_eq!(tapes.told(), (vec![], vec![]), "told once");
    tapes.open(0);
    tapes.trade(0, 10);
    assert_eq!(tapes.trades(), [], "a repetition decides nothing");
    assert!(tapes.image(Stream::TRADES).3);
    tapes.trade(0, 11);
    tapes.trade(0, 14);
    tapes.liquidation(0);
    let (trades, liquidations) = tapes.told();
    assert_eq!(trades, [(Kind::Trade, 4, 3, false, 1), (Kind::Trade, 5, 4, false, 1)]);
    assert_eq!(liquidations, [(Kind::Liquidation, 5, 4, false, 1)], "the gap was told");
}

#[test]
fn trades_that_do_not_go_on_by_number_follow_a_gap() {
    let mut tapes = Tapes::numbered(1);
    tapes.trade(0, 10);
    tapes.fail(0);
    tapes.open(0);
    tapes.told();
    tapes.trade(0, 12);
    assert_eq!(tapes.trades(), [(Kind::Trade, 5, 4, false, 1)]);
    tapes.trade(0, 15);
    assert_eq!(tapes.trades(), [(Kind::Trade, 6, 5, false, 1)], "which numbers venues use is theirs");
}

#[test]
fn trades_without_numbers_are_a_gap_at_once() {
    let mut tapes = Tapes::of("bybit-linear", "BTCUSDT", 1);
    let trade = r#"{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":5,"data":[{"T":4,"s":"BTCUSDT","S":"Buy","v":"0.004","p":"65114.20","L":"MinusTick","i":"a9188a0a-82bc-50de-be60-03eedbe3cdd7","BT":false,"RPI":false,"seq":7}]}"#;
    tapes.hear(0, trade);
    tapes.told();
    tapes.fail(0);
    tapes.open(0);
    tapes.hear(0, trade);
    assert_eq!(tapes.trades(), [(Kind::Trade, 4, 3, true, 0), (Kind::Trade, 5, 4, false, 1)]);
}

#[test]
fn a_connection_that_had_nothing_to_tell_yet_is_told_too() {
    let mut tapes = Tapes::numbered(1);
    tapes.fail(0);
    let (trades, liquidations) = tapes.told();
    assert_eq!(trades, [(Kind::Trade, 3, 2, true, 0)]);
    assert_eq!(liquidations, [(Kind::Liquidation, 3, 2, true, 0)]);
}

#[test]
fn while_another_connection_tells_the_same_nothing_is_missing() {
    let mut tapes = Tapes::numbered(2);
    for number in 1..4 {
        tapes.trade(0, number);
        tapes.trade(1, number);
    }
    tapes.told();
    tapes.fail(0);
    assert_eq!(tapes.trades(), []);
    tapes.open(0);
    tapes.fail(1);
    assert_eq!(
        tapes.trades(),
        [(Kind::Trade, 5, 4, true, 0)],
        "the other one has told nothing since it came back"
    );
}

#[test]
fn a_successor_that_a_connection_is_dropped_for_tells_on() {
    let mut tapes = Tapes::numbered(2);
    let [old, new] = tapes.sources[..] else { panic!("two") };
    tapes.engine.succeed(new, old).unwrap();
    tapes.trade(0, 10);
    tapes.liquidation(0);
    tapes.told();
    tapes.engine.drop(old, tapes.id, 9).unwrap();
    assert_eq!(tapes.told(), (vec![], vec![]), "it is subscribed, if nothing was traded meanwhile");
    tapes.engine.drop(new, tapes.id, 9).unwrap();
    assert_eq!(tapes.trades(), [(Kind::Trade, 4, 3, true, 0)], "nobody tells them any more");
}

#[test]
fn a_successor_of_a_connection_that_is_lost_has_to_prove_that_it_tells() {
    let mut tapes = Tapes::numbered(2);
    let [old, new] = tapes.sources[..] else { panic!("two") };
    tapes.engine.succeed(new, old).unwrap();
    tapes.trade(0, 10);
    tapes.told();
    tapes.fail(0);
    assert_eq!(tapes.trades(), [(Kind::Trade, 3, 2, true, 0)], "it may not be subscribed yet");
    tapes.trade(1, 11);
    assert_eq!(tapes.trades(), [(Kind::Trade, 4, 3, false, 1)]);
}

#[test]
fn one_that_is_dropped_without_a_successor_is_told() {
    let mut tapes = Tapes::numbered(2);
    tapes.trade(0, 10);
    tapes.told();
    tapes.engine.drop(tapes.sources[0], tapes.id, 9).unwrap();
    assert_eq!(tapes.trades(), [(Kind::Trade, 3, 2, true, 0)]);
}

#[test]
fn a_venue_that_begins_anew_leaves_a_gap() {
    let mut tapes = Tapes::numbered(1);
    tapes.trade(0, 10);
    tapes.told();
    tapes.engine.reset_source(tapes.sources[0], 9).unwrap();
    assert_eq!(tapes.trades(), [(Kind::Trade, 4, 3, true, 0)], "its numbers say nothing");
    tapes.trade(0, 11);
    assert_eq!(tapes.trades(), [(Kind::Trade, 5, 4, false, 1)]);
}

#[test]
fn a_lost_connection_of_nothing_that_is_traded_is_no_gap() {
    let mut tapes = Tapes::numbered(2);
    tapes.trade(0, 10);
    tapes.liquidation(0);
    tapes.told();
    tapes.fail(1);
    assert_eq!(tapes.told(), (vec![], vec![]));
}

#[test]
fn an_epoch_that_begins_while_a_connection_is_lost_is_the_gap_and_stays_stale() {
    let mut tapes = Tapes::numbered(1);
    tapes.trade(0, 10);
    tapes.fail(0);
    tapes.told();
    let finer = r#"{"e":"aggTrade","E":5,"s":"ETHUSDT","a":12,"p":"10.500000000001","q":"1","nq":"1","f":1,"l":1,"T":5,"m":true}"#;
    tapes.hear(0, finer);
    assert_eq!(tapes.trades(), [(Kind::Image, 1, 1, true, 0), (Kind::Trade, 2, 1, false, 1)]);
}

#[test]
fn a_book_that_another_connection_mends_says_nothing_of_trades() {
    let mut tapes = Tapes::of("sim", "BTCUSDT", 2);
    tapes.bring_book(2);
    tapes.sim_trade(0, 1);
    tapes.fail(0);
    tapes.told();
    assert!(tapes.image(Stream::TRADES).3);
    tapes.update(1, 105);
    tapes.snapshot(105);
    assert_eq!(tapes.trades(), [(Kind::Image, 1, 1, true, 0)], "the book is whole, and nobody tells trades");
    tapes.sim_trade(1, 2);
    assert!(!tapes.image(Stream::TRADES).3);
}

#[test]
fn a_book_that_a_later_connection_mends_says_nothing_of_trades() {
    let mut tapes = Tapes::of("sim", "BTCUSDT", 1);
    tapes.bring_book(1);
    tapes.sim_trade(0, 1);
    tapes.fail(0);
    let instrument = [tapes.id];
    let venue = venues::from_name("sim").unwrap();
    tapes.sources.push(tapes.engine.open_source(venue, &instrument).unwrap());
    tapes.told();
    tapes.update(1, 105);
    tapes.snapshot(105);
    assert_eq!(tapes.trades(), [(Kind::Image, 1, 1, true, 0)], "it has told none");
    tapes.open(0);
    assert!(tapes.image(Stream::TRADES).3);
    tapes.sim_trade(0, 2);
    assert!(!tapes.image(Stream::TRADES).3);
}

#[test]
fn a_connection_that_brings_the_book_later_loses_trades_with_it() {
    let mut tapes = Tapes::of("sim", "BTCUSDT", 1);
    tapes.sim_trade(0, 1);
    tapes.bring_book(1);
    tapes.told();
    let seq = tapes.image(Stream::TRADES).1;
    tapes.update(0, 105);
    tapes.sim_trade(0, 9);
    let trades = tapes.trades();
    assert!(trades.last().unwrap().2 > seq, "some may be missing: {trades:?}");
}

/// Steele, Lea, Flood 2014.
struct SplitMix64(u64);

impl SplitMix64 {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// A reader by rule 4 never takes trades for whole that are not, nor a tape for live that nobody tells.
#[test]
fn no_trade_is_missing_untold_whatever_is_lost() {
    let (mut gaps, mut proved) = (0, 0);
    for seed in 0..300 {
        let mut random = SplitMix64(seed);
        let count = 1 + random.below(3) as usize;
        let mut tapes = Tapes::numbered(count);
        let mut is_open = vec![true; count];
        // The first one settles the scale.
        (0..count).for_each(|at| tapes.trade(at, 100));
        tapes.told();
        let (mut number, mut seq, mut is_stale) = (100, tapes.image(Stream::TRADES).1, false);
        // Trades of the venue since the last one that came.
        let mut missing = 0;
        for _ in 0..200 {
            match random.below(8) {
                0 | 1 => {
                    let at = random.below(count as u64) as usize;
                    if is_open[at] {
                        tapes.fail(at);
                    } else {
                        tapes.open(at);
                    }
                    is_open[at] = !is_open[at];
                }
                _ => {
                    number += 1;
                    missing += 1;
                    for at in (0..count).filter(|at| is_open[*at]) {
                        tapes.trade(at, number);
                    }
                }
            }
            for (kind, to, before, stale, trades) in tapes.trades() {
                assert!(kind == Kind::Trade && before >= seq, "{seed}");
                let is_gap = before > seq;
                gaps += u64::from(is_gap);
                proved += u64::from(is_stale && !is_gap);
                if trades == 1 {
                    assert!(missing == 1 || is_gap, "{seed}: {missing} are missing untold");
                    missing = 0;
                }
                (seq, is_stale) = (to, stale);
            }
            assert!(is_stale || is_open.contains(&true), "{seed}: nobody tells it");
        }
    }
    assert!(gaps > 100 && proved > 100, "{gaps} {proved}");
}
