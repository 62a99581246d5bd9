//! The streams of statistics, liquidations and trading, as their readers see them.

use super::{Engine, EngineConfig, SourceId};
use crate::encode::generated::size_prefixed_root_as_frame;
use crate::encode::{Flags, Kind, RECORD_HEADER_BYTES, Stream};
use crate::types::{Instrument, InstrumentId, NoClock, TradingStatus};
use crate::venues;

/// A frame of one of the three streams.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    kind: Kind,
    /// Sequence, and the one before.
    seq: (u64, u64),
    epoch: u32,
    what: What,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    /// Mask, mark, index, price exponent.
    Ticker(u32, i64, i64, i8),
    /// Status and its time.
    Trading(u8, u64),
    /// Prices.
    Trades(Vec<i64>),
}

struct Rig {
    engine: Engine<NoClock>,
    source: SourceId,
    id: InstrumentId,
    now: u64,
}

impl Rig {
    fn new(name: &str, symbol: &str) -> Self {
        let venue = venues::from_name(name).unwrap();
        let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
        let listed = venues::instrument(venue, symbol).unwrap();
        let id =
            engine.add_instrument(Instrument { price_exponent: -2, qty_exponent: -3, ..listed }).unwrap();
        let source = engine.open_source(venue, &[id]).unwrap();
        Self { engine, source, id, now: 1_000 }
    }

    /// What a message makes of the streams of interest.
    fn hear(&mut self, text: &str) -> Vec<Told> {
        self.now += 1;
        self.engine.ingest(self.source, text.as_bytes(), self.now).unwrap();
        self.told()
    }

    fn told(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        let outbox = self.engine.outbox();
        while let Some(record) = outbox.front() {
            told.extend(read(&record[RECORD_HEADER_BYTES..]));
            outbox.take();
        }
        told
    }

    fn image(&mut self, stream: Stream) -> Vec<Told> {
        let mut told = Vec::new();
        self.engine.image(self.id, stream, self.now, |frame| told.extend(read(frame))).unwrap();
        told
    }
}

fn read(bytes: &[u8]) -> Option<Told> {
    let frame = size_prefixed_root_as_frame(bytes).ok()?;
    let header = frame.header();
    let what = match Stream(header.stream()) {
        Stream::TICKER => {
            let ticker = frame.ticker()?;
            What::Ticker(ticker.mask(), ticker.mark(), ticker.index(), ticker.price_exponent())
        }
        Stream::TRADING => What::Trading(frame.trading()?.status(), frame.trading()?.ts_event()),
        Stream::LIQUIDATIONS => {
            What::Trades(frame.trades().into_iter().flatten().map(|trade| trade.price()).collect())
        }
        _ => return None,
    };
    assert_eq!(header.flags(), Flags::LAST.0, "none of it follows the book, which is not synced");
    assert_eq!(frame.info().is_some(), header.kind() == Kind::Image as u8);
    let kind = Kind::ALL.into_iter().find(|kind| *kind as u8 == header.kind())?;
    Some(Told { kind, seq: (header.seq(), header.prev_seq()), epoch: header.epoch() as u32, what })
}

fn mark(mark: &str, index: &str) -> String {
    format!(
        r#"{{"e":"markPriceUpdate","E":5,"s":"ETHUSDT","p":"{mark}","i":"{index}","P":"1","r":"","T":0}}"#
    )
}

fn forced(price: &str) -> String {
    format!(
        r#"{{"e":"forceOrder","E":5,"o":{{"s":"ETHUSDT","S":"SELL","p":"{price}","q":"0.5","ap":"{price}","X":"FILLED","z":"0.5","T":5}}}}"#
    )
}

#[test]
fn statistics_are_told_when_they_change() {
    let mut rig = Rig::new("binance-usdm", "ETHUSDT");
    assert_eq!(rig.image(Stream::TICKER), [], "there are none");
    let told = |kind, seq, mark| [Told { kind, seq, epoch: 0, what: What::Ticker(0b110, mark, 1_025, -2) }];
    assert_eq!(rig.hear(&mark("10.5", "10.25")), told(Kind::Image, (1, 1), 1_050), "the first is the image");
    assert_eq!(rig.hear(&mark("10.5", "10.25")), [], "nothing has changed");
    assert_eq!(rig.hear(&mark("10.51", "10.25")), told(Kind::Ticker, (2, 1), 1_051));
    assert_eq!(rig.image(Stream::TICKER), told(Kind::Image, (2, 2), 1_051));
}

#[test]
fn liquidations_are_told_one_by_one() {
    let mut rig = Rig::new("binance-usdm", "ETHUSDT");
    let image = rig.image(Stream::LIQUIDATIONS);
    assert_eq!((image[0].kind, image[0].seq), (Kind::Image, (1, 1)), "an image has no state but its place");
    for (seq, price) in [(2, "10.5"), (3, "10.5"), (4, "11")] {
        let told = rig.hear(&forced(price));
        assert_eq!((told[0].kind, told[0].seq, told.len()), (Kind::Liquidation, (seq, seq - 1), 1));
        assert!(matches!(&told[0].what, What::Trades(prices) if prices.len() == 1 && prices[0] > 0));
    }
    assert_eq!(rig.image(Stream::LIQUIDATIONS)[0].seq, (4, 4));
}

#[test]
fn a_new_epoch_opens_with_what_is_known() {
    let mut rig = Rig::new("binance-usdm", "ETHUSDT");
    rig.hear(&mark("10.51", "10.25"));
    rig.hear(&mark("10.5", "10.25"));
    rig.hear(&forced("10.5"));
    let told = rig.hear(&forced("10.500000000001"));
    assert_eq!((told[0].kind, told[0].seq), (Kind::Image, (1, 1)));
    let what = What::Ticker(0b110, 10_500_000_000_000, 10_250_000_000_000, -12);
    assert_eq!(told[1], Told { kind: Kind::Image, seq: (1, 1), epoch: 1, what });
    assert_eq!((told[2].kind, told[2].seq), (Kind::Liquidation, (2, 1)));
    assert_eq!(told[2].what, What::Trades(vec![10_500_000_000_001]));
    assert_eq!(told.len(), 3, "whether it trades is not known");
}

#[test]
fn trading_is_told_when_it_changes() {
    let venue = venues::from_name("binance-usdm").unwrap();
    let mut rig = Rig::new("binance-usdm", "ETHUSDT");
    let mut listed = venues::instrument(venue, "ETHUSDT").unwrap();
    let mut list = |rig: &mut Rig, status| {
        rig.now += 1;
        listed.terms.status = status;
        rig.engine.define(listed.clone(), rig.now).unwrap();
        rig.told()
    };
    let told = |kind, seq, status: TradingStatus| {
        [Told { kind, seq, epoch: 0, what: What::Trading(status as u8, 0) }]
    };
    assert_eq!(rig.image(Stream::TRADING), [], "nobody has said");
    let halted = TradingStatus::Halted;
    assert_eq!(list(&mut rig, TradingStatus::Unknown), []);
    assert_eq!(list(&mut rig, halted), told(Kind::Image, (1, 1), halted));
    assert_eq!(list(&mut rig, halted), []);
    assert_eq!(list(&mut rig, TradingStatus::Trading), told(Kind::Trading, (2, 1), TradingStatus::Trading));
    assert_eq!(rig.image(Stream::TRADING), told(Kind::Image, (2, 2), TradingStatus::Trading));
}

#[test]
fn what_a_list_said_before_the_book_is_known() {
    let venue = venues::from_name("binance-usdm").unwrap();
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let mut listed = venues::instrument(venue, "ETHUSDT").unwrap();
    listed.terms.status = TradingStatus::Closed;
    let id = engine.add_instrument(listed).unwrap();
    let source = engine.open_source(venue, &[id]).unwrap();
    let mut rig = Rig { engine, source, id, now: 1 };
    assert_eq!(rig.engine.trading(id), Some(TradingStatus::Closed));
    assert_eq!(rig.image(Stream::TRADING)[0].what, What::Trading(TradingStatus::Closed as u8, 0));
}

#[test]
fn trades_and_liquidations_that_venues_name_by_text_carry_it() {
    let trade = r#"{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":5,"data":[{"T":4,"s":"BTCUSDT","S":"Buy","v":"0.004","p":"65114.20","L":"MinusTick","i":"a9188a0a-82bc-50de-be60-03eedbe3cdd7","BT":false,"RPI":false,"seq":7},{"T":4,"s":"BTCUSDT","S":"Buy","v":"0.004","p":"65114.20","L":"MinusTick","i":"b","BT":false,"RPI":false,"seq":7}]}"#;
    let forced = r#"{"table":"liquidation","action":"insert","data":[{"orderID":"dd9cea25-0000-0dab-15b5-b88da776f500","symbol":"XBTUSD","side":"Buy","price":60106,"leavesQty":9200}]}"#;
    let matched = r#"{"type":"message","topic":"/market/match:BTC-USDT","subject":"trade.l3match","data":{"symbol":"BTC-USDT","side":"sell","type":"match","sequence":"1","size":"0.012","price":"24093.9","time":"1660608000026914990","tradeId":"62fade002e113d292303a18b"}}"#;
    // Their numbers go back, without a time.
    let old = [
        r#"trade {"price": 236.47, "amount": 1.5, "id": 8111041}"#,
        r#"trade {"price": 236.46, "amount": 1, "id": 8111040}"#,
    ];
    let cases = [
        (
            "bybit-linear",
            "BTCUSDT",
            &[trade][..],
            Stream::TRADES,
            &["a9188a0a-82bc-50de-be60-03eedbe3cdd7", "b"][..],
        ),
        ("kucoin", "BTC-USDT", &[matched], Stream::TRADES, &["62fade002e113d292303a18b"]),
        ("bitstamp", "btcusd", &old, Stream::TRADES, &["8111041", "8111040"]),
        ("bitmex", "XBTUSD", &[forced], Stream::LIQUIDATIONS, &["dd9cea25-0000-0dab-15b5-b88da776f500"][..]),
    ];
    for (venue, symbol, texts, stream, names) in cases {
        let mut rig = Rig::new(venue, symbol);
        for text in texts {
            rig.engine.ingest(rig.source, text.as_bytes(), rig.now).unwrap();
        }
        let mut told = Vec::new();
        let outbox = rig.engine.outbox();
        while let Some(record) = outbox.front() {
            let frame = size_prefixed_root_as_frame(&record[RECORD_HEADER_BYTES..]).unwrap();
            let is_change = frame.header().kind() != Kind::Image as u8;
            if frame.header().stream() == stream.0 && is_change {
                for (trade, name) in frame.trades().unwrap().iter().zip(frame.names().unwrap()) {
                    let text = name.text();
                    let text = text.iter().take(name.size().into()).map(char::from).collect::<String>();
                    assert_eq!((trade.id_kind(), trade.id()), (2, name.number()));
                    told.push(text);
                }
            }
            outbox.take();
        }
        assert_eq!(told, names, "{venue}");
    }
}
