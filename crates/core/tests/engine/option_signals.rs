//! Signals of an option, as a reader of the feed has them, against Black's formula over the book, the ticker and the terms.

#![allow(clippy::float_arithmetic, reason = "volatilities are real numbers")]

use depthwire_core::encode::Stream;
use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::replica::{ReplicaSignals, feed_frames};
use depthwire_core::signal::{Black76, FORWARD_AGE_NS_MAX, Right, SignalId, SignalParams, YEAR_DAYS};
use depthwire_core::types::{BookState, InstrumentId, NoClock};
use depthwire_core::venues::{self, DERIBIT};

use crate::random::Random;
use crate::rig::{MS, S};

const NAME: &str = "BTC-27MAR26-65000-P";
const EXPIRY_MS: u64 = 1_774_598_400_000;
const STRIKE: f64 = 65_000.0;
const MINUTE: SignalParams = SignalParams { window_ns: 60 * S, vpin: None };
const OPTION_ROWS: usize = 8;

struct OptionRig {
    engine: Engine<NoClock>,
    source: SourceId,
    id: InstrumentId,
    now: u64,
    change: u64,
    /// What is asked for is a stream at this interval.
    stream: Stream,
    reader: ReplicaSignals,
}

impl OptionRig {
    /// A book of one level a side, at prices in 0.0001.
    fn new(bid: u64, ask: u64, interval_ns: u64) -> Self {
        let listed = format!(
            r#"{{"jsonrpc":"2.0","result":[{{"tick_size":0.0001,"strike":{STRIKE:?},"settlement_period":"month","base_currency":"BTC","quote_currency":"BTC","settlement_currency":"BTC","option_type":"put","min_trade_amount":0.1,"kind":"option","is_active":true,"instrument_name":"{NAME}","expiration_timestamp":{EXPIRY_MS}}}]}}"#
        );
        let definitions = venues::instruments(DERIBIT, listed.as_bytes()).unwrap();
        let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
        let id = engine.add_instrument(definitions.list()[0].clone()).unwrap();
        let source = engine.open_source(DERIBIT, &[id]).unwrap();
        let now = EXPIRY_MS * 1_000_000 - 30 * 86_400 * S;
        let mut rig = Self {
            engine,
            source,
            id,
            now,
            change: 100,
            stream: Stream::SIGNALS_FIRST,
            reader: ReplicaSignals::new(),
        };
        rig.book("snapshot", &format!("[\"new\",0.{bid:04},1.0]"), &format!("[\"new\",0.{ask:04},1.0]"));
        assert_eq!(rig.engine.book_info(id, now).unwrap().state, BookState::Synced);
        rig.stream = rig.engine.open_signals(id, interval_ns, MINUTE, now).unwrap();
        let reader = &mut rig.reader;
        rig.engine
            .image(id, rig.stream, now, |bytes| {
                for frame in feed_frames(bytes) {
                    reader.apply(&frame.unwrap()).unwrap();
                }
            })
            .unwrap();
        rig.read();
        rig
    }

    fn hear(&mut self, channel: &str, data: &str) {
        let text = format!(
            r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{channel}","data":{{"timestamp":{},"instrument_name":"{NAME}",{data}}}}}}}"#,
            self.now / 1_000_000
        );
        self.engine.ingest(self.source, text.as_bytes(), self.now).unwrap();
        self.read();
    }

    fn book(&mut self, kind: &str, bids: &str, asks: &str) {
        let before = self.change;
        self.change += 1;
        let (change, prev) = (self.change, format!("\"prev_change_id\":{before},"));
        let prev = if kind == "change" { prev } else { String::new() };
        let data = format!(r#""type":"{kind}",{prev}"change_id":{change},"bids":[{bids}],"asks":[{asks}]"#);
        self.hear(&format!("book.{NAME}.raw"), &data);
    }

    fn ticker(&mut self, underlying: f64) {
        let data = format!(r#""state":"open","underlying_price":{underlying:?},"interest_rate":0.0"#);
        self.hear(&format!("ticker.{NAME}.raw"), &data);
    }

    fn read(&mut self) {
        let (stream, reader) = (self.stream, &mut self.reader);
        let outbox = self.engine.outbox();
        while let Some(record) = outbox.front() {
            if record[4] == depthwire_core::encode::RecordType::Frame as u8 {
                let size = u32::from_le_bytes(*record.first_chunk().unwrap()) as usize;
                let begin = depthwire_core::encode::RECORD_HEADER_BYTES;
                for frame in feed_frames(&record[begin..begin + size]).map(Result::unwrap) {
                    if [stream, Stream::STATUS].contains(&frame.stream()) {
                        reader.apply(&frame).unwrap();
                    }
                }
            }
            outbox.take();
        }
    }

    /// The rows of the option, as numbers.
    fn rows(&self) -> Vec<(SignalId, f64, u64)> {
        let of_option = self.reader.rows().iter().filter(|row| row.id >= SignalId::BidVolatility);
        of_option.map(|row| (row.id, row.value as f64 * 10f64.powi(row.exponent.into()), row.at)).collect()
    }

    fn ids(&self) -> Vec<SignalId> {
        self.rows().into_iter().map(|row| row.0).collect()
    }

    /// What the definitions make of the book as it is, and of a forward that was told at a time.
    fn expected(&self, forward: f64, at: u64) -> Vec<(SignalId, f64)> {
        let years = (EXPIRY_MS * 1_000_000 - at) as f64 / (YEAR_DAYS * 86_400e9);
        let option = Black76::new(Right::Put, forward, STRIKE, years, 0.0).unwrap();
        let info = self.engine.book_info(self.id, self.now).unwrap();
        let scale = 10f64.powi(self.engine.catalogue().get(self.id).unwrap().price_exponent.into());
        let price = |level: Option<depthwire_core::types::Level>| level.map(|one| one.price.0 as f64 * scale);
        let (bid, ask) = (price(info.bbo.bid), price(info.bbo.ask));
        let mut rows = Vec::new();
        if info.bbo.is_crossed() {
            return rows;
        }
        let implied = |price: f64| option.implied_volatility(price * forward);
        for (id, price) in [(SignalId::BidVolatility, bid), (SignalId::AskVolatility, ask)] {
            rows.extend(price.and_then(implied).map(|volatility| (id, volatility)));
        }
        let mid = bid.zip(ask).and_then(|(bid, ask)| implied(f64::midpoint(bid, ask)));
        if let Some(mid) = mid {
            let greeks = option.greeks(mid).unwrap();
            rows.extend([
                (SignalId::MidVolatility, mid),
                (SignalId::Delta, greeks.delta),
                (SignalId::PriceAdjustedDelta, option.price_adjusted_delta(mid).unwrap()),
                (SignalId::Gamma, greeks.gamma),
                (SignalId::Vega, greeks.vega),
                (SignalId::Theta, greeks.theta),
            ]);
        }
        rows
    }

    #[track_caller]
    fn compare(&self, forward: f64, at: u64) {
        let expected = self.expected(forward, at);
        let told = self.rows();
        assert_eq!(self.ids(), expected.iter().map(|row| row.0).collect::<Vec<_>>());
        for ((id, value, row_at), (_, expected)) in told.into_iter().zip(expected) {
            assert!((value - expected).abs() <= 6e-10 + expected.abs() * 1e-9, "{id:?} {value} {expected}");
            assert_eq!(row_at, at, "{id:?}");
        }
    }
}

#[test]
fn an_option_has_volatilities_and_greeks_once_its_forward_is_told() {
    let mut rig = OptionRig::new(800, 820, 0);
    assert_eq!(rig.ids(), [], "no forward");
    let told = rig.now;
    rig.ticker(63_210.25);
    assert_eq!(rig.ids(), [], "it is told with the next change or tick");
    rig.now += 100 * MS;
    rig.engine.tick(rig.now);
    rig.read();
    assert_eq!(rig.ids().len(), OPTION_ROWS);
    rig.compare(63_210.25, told);
    rig.now += MS;
    rig.book("change", "[\"new\",0.0805,1.0]", "");
    rig.compare(63_210.25, rig.now);
}

#[test]
fn what_is_not_known_has_no_row() {
    let mut rig = OptionRig::new(800, 820, 0);
    rig.ticker(63_210.25);
    rig.now += MS;
    rig.book("change", "[\"delete\",0.08,0.0]", "");
    assert_eq!(rig.ids(), [SignalId::AskVolatility], "no bid");
    rig.book("change", "[\"new\",0.08,1.0]", "");
    assert_eq!(rig.ids().len(), OPTION_ROWS);
    // The book goes on, and the forward is told no more.
    rig.now += FORWARD_AGE_NS_MAX;
    rig.book("change", "[\"new\",0.0801,1.0]", "");
    assert_eq!(rig.ids(), []);
    rig.ticker(63_210.5);
    rig.book("change", "[\"new\",0.0802,1.0]", "");
    assert_eq!(rig.ids().len(), OPTION_ROWS);
    // Behind its end.
    rig.now = EXPIRY_MS * 1_000_000;
    rig.ticker(63_210.75);
    rig.book("change", "[\"new\",0.0803,1.0]", "");
    assert_eq!(rig.ids(), []);
}

/// Streaming = batch: after each event the rows are those that the definitions make of what is known then.
#[test]
fn rows_are_those_of_the_definitions_after_every_event() {
    let mut random = Random(7);
    let mut rig = OptionRig::new(800, 820, 0);
    let mut forward = (63_210.25, rig.now);
    rig.ticker(forward.0);
    let mut compared = 0;
    for _ in 0..2_000 {
        rig.now += (1 + random.below(2_000)) * MS;
        if random.below(3) == 0 {
            forward = (60_000.0 + random.below(60_000) as f64 / 10.0, rig.now);
            rig.ticker(forward.0);
            rig.engine.tick(rig.now + 100 * MS);
            rig.read();
            rig.now += 100 * MS;
        } else {
            // The side's only level moves, now and then over the other one, and now and then away.
            let side = random.below(2);
            let known = rig.engine.book_info(rig.id, rig.now).unwrap().bbo;
            let held = if side == 0 { known.bid } else { known.ask };
            let price = 760 + random.below(60) + side * 30;
            let mut change = Vec::new();
            let exponent = rig.engine.catalogue().get(rig.id).unwrap().price_exponent;
            let text = |mantissa: i64| {
                let digits = usize::from(exponent.unsigned_abs());
                format!("0.{mantissa:0digits$}")
            };
            if let Some(level) = held {
                change.push(format!("[\"delete\",{},0.0]", text(level.price.0)));
            }
            if random.below(8) != 0 {
                change.push(format!("[\"new\",0.{price:04},1.0]"));
            }
            if change.is_empty() {
                continue;
            }
            let change = change.join(",");
            let (bids, asks) = if side == 0 { (change.as_str(), "") } else { ("", change.as_str()) };
            rig.book("change", bids, asks);
        }
        let at = rig.rows().first().map_or(rig.now, |row| row.2);
        assert!(at <= rig.now && at >= forward.1);
        rig.compare(forward.0, at);
        compared += rig.rows().len();
    }
    assert!(compared > 5_000, "{compared}");
}
