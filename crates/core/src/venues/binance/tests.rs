use super::*;
use crate::decode::FRAME_BYTES_MAX;
use crate::types::{
    Aggressor, Coverage, Level, LevelSpan, Price, Qty, Sides, Ticker, Trade, TradeId, VenueBbo, VenueSeq,
};

const SPOT: Route = Route { slot: Slot(1), price_exponent: -2, qty_exponent: -5 };
const USDM: Route = Route { slot: Slot(2), price_exponent: -2, qty_exponent: -3 };
const COINM: Route = Route { slot: Slot(3), price_exponent: -1, qty_exponent: 0 };

/// What one frame says, with its levels beside it.
#[expect(clippy::large_enum_variant, reason = "it is copied in tests only")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Depth(Slot, VenueSeq, TimeNs),
    Snapshot(Slot, u64, TimeNs, Origin),
    Bbo(Slot, VenueBbo),
    Trade(Slot, Trade),
    Liquidation(Slot, Trade),
    Ticker(Slot, Ticker),
    Nothing,
}

fn table(list: &[(&str, Route)]) -> Routes {
    let mut routes = Routes::new();
    for (code, route) in list {
        assert!(routes.carry([code.as_bytes()].into_iter(), *route));
    }
    routes
}

fn all() -> Routes {
    table(&[("BTCUSDT", SPOT), ("ETHUSDT", USDM), ("BTCUSD_PERP", COINM), ("币安人生USDT", SPOT)])
}

fn one() -> Routes {
    table(&[("BTCUSDT", SPOT)])
}

type Pairs = Vec<(i64, i64)>;

fn said(events: &Events) -> (Said, Pairs, Pairs) {
    let [event] = events.list() else {
        assert!(events.list().is_empty(), "{events:?}");
        return (Said::Nothing, Vec::new(), Vec::new());
    };
    let sides = |span: LevelSpan| {
        let Sides { bids, asks } = events.levels(span);
        let pairs = |side: &[Level]| side.iter().map(|level| (level.price.0, level.qty.0)).collect::<Pairs>();
        (pairs(bids), pairs(asks))
    };
    let (said, (bids, asks)) = match event.body {
        Body::Levels(seq, span) => (Said::Depth(event.slot, seq, event.ts_event), sides(span)),
        Body::Book(seq, span, coverage, origin) => {
            assert_eq!(coverage, Coverage::ToWorst);
            (Said::Snapshot(event.slot, seq.last, event.ts_event, origin), sides(span))
        }
        Body::Bbo(bbo) => (Said::Bbo(event.slot, bbo), Default::default()),
        Body::Trades(span) => (Said::Trade(event.slot, events.trades_of(span)[0]), Default::default()),
        Body::Liquidations(span) => {
            (Said::Liquidation(event.slot, events.trades_of(span)[0]), Default::default())
        }
        Body::Ticker(at) => (Said::Ticker(event.slot, events.ticker(at)), Default::default()),
        other => panic!("{other:?}"),
    };
    (said, bids, asks)
}

fn run(text: &str, routes: &Routes) -> Result<(Said, Pairs, Pairs), FrameError> {
    let mut out = Events::default();
    let read = Binance::default().frame(text.as_bytes(), At::default(), routes, &mut out);
    if read.is_err() {
        assert_eq!(out.mark(), Events::default().mark(), "something is left over of {text}");
    }
    read.map(|()| said(&out))
}

fn event(text: &str) -> Said {
    run(text, &all()).unwrap().0
}

fn code(text: &str) -> &'static str {
    run(text, &all()).map_or_else(|error| error.code(), |(event, ..)| panic!("{text} gave {event:?}"))
}

#[test]
fn depth_updates_of_the_three_products() {
    let spot = Said::Depth(
        SPOT.slot,
        VenueSeq { first: 50_093_239_189, last: 50_093_239_202, prev: None },
        1_723_161_255_208_000_000,
    );
    let usdm =
        Said::Depth(USDM.slot, VenueSeq { first: 4, last: 5, prev: Some(3) }, 1_721_347_022_526_000_000);
    let coinm = Said::Depth(
        COINM.slot,
        VenueSeq { first: 1_007_198_631_847, last: 1_007_198_631_985, prev: Some(1_007_198_631_835) },
        1_723_161_257_462_000_000,
    );
    for (text, event, bids, asks) in [
        (
            r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":50093239189,"u":50093239202,"b":[["61737.63000000","0.00000000"],["56854.58000000","1.50000000"]],"a":[["61837.64000000","1.54698000"]]}}"#,
            spot,
            vec![(6_173_763, 0), (5_685_458, 150_000)],
            vec![(6_183_764, 154_698)],
        ),
        // The same in microseconds, bare, in another order, with white space, numbers for strings and unknown keys.
        (
            " {\"b\" : [ [ 61737.63 , 0 ], [\"56854.58\",1.5,\"x\"] ] ,\n\"a\":[[\"61837.64\",\"154698e-5\"]],\"u\":\"50093239202\",\
             \"U\":50093239189,\"new\":{\"e\":[{\"b\":1}],\"x\":\"\\\"}\"},\"s\":\"BTCUSDT\",\"E\":1723161255208000,\"e\":\"depthUpdate\"}\r\n",
            spot,
            vec![(6_173_763, 0), (5_685_458, 150_000)],
            vec![(6_183_764, 154_698)],
        ),
        (
            r#"{"stream":"ethusdt@depth@0ms","data":{"e":"depthUpdate","E":1721347022530,"T":1721347022526,"s":"ETHUSDT","U":4,"u":5,"pu":3,"b":[["3424.98","193.438"]],"a":[]}}"#,
            usdm,
            vec![(342_498, 193_438)],
            vec![],
        ),
        // The stream's name after its data.
        (
            r#"{"data":{"T":1721347022526,"e":"depthUpdate","E":1,"s":"ETHUSDT","U":4,"u":5,"pu":3,"b":[["3424.98","193.438"]],"a":[]},"stream":"ethusdt@depth"}"#,
            usdm,
            vec![(342_498, 193_438)],
            vec![],
        ),
        (
            r#"{"e":"depthUpdate","E":1723161257476,"T":1723161257462,"s":"BTCUSD_PERP","ps":"BTCUSD","U":1007198631847,"u":1007198631985,"pu":1007198631835,"b":[],"a":[["61801.4","0"],["61817.7","44"]]}"#,
            coinm,
            vec![],
            vec![(618_014, 0), (618_177, 44)],
        ),
    ] {
        assert_eq!(run(text, &all()), Ok((event, bids, asks)), "{text}");
    }
}

#[test]
fn snapshots_of_the_three_products() {
    let spot = r#"{"lastUpdateId":50093239218,"bids":[["61837.63000000","3.78826000"]],"asks":[["61837.64000000","1.54698000"]]}"#;
    let usdm =
        r#"{"lastUpdateId":7,"E":1723161256501,"T":1723161256493,"bids":[["61800.20","2.909"]],"asks":[]}"#;
    let coinm = r#"{"lastUpdateId":8,"E":1723161257835,"T":1723161257823,"symbol":"BTCUSD_PERP","pair":"BTCUSD","bids":[["61804.7","35"]],"asks":[["61804.8","1"]]}"#;
    let late = r#"{"bids":[["61804.7","35"]],"asks":[["61804.8","1"]],"symbol":"BTCUSD_PERP","T":1723161257823,"lastUpdateId":8}"#;
    let spot_event = Said::Snapshot(SPOT.slot, 50_093_239_218, 0, Origin::Anonymous);
    let coinm_event = Said::Snapshot(COINM.slot, 8, 1_723_161_257_823_000_000, Origin::Answer);
    assert_eq!(run(spot, &one()), Ok((spot_event, vec![(6_183_763, 378_826)], vec![(6_183_764, 154_698)])));
    for text in [coinm, late] {
        assert_eq!(run(text, &all()), Ok((coinm_event, vec![(618_047, 35)], vec![(618_048, 1)])));
    }
    assert_eq!(code(spot), "decode.ambiguous_snapshot");
    assert_eq!(run(coinm, &one()).unwrap_err().code(), "decode.unknown_symbol");

    let answer = |text: &str, routes: &Routes, url: &[u8]| {
        let mut out = Events::default();
        let asked = Asked { routes, url };
        let read = Binance::default().answer(&asked, text.as_bytes(), At::default(), &mut out);
        assert!(read.is_ok() || out.list().is_empty());
        read.map(|()| said(&out).0)
    };
    let (coin, usd) = (table(&[("BTCUSD_PERP", COINM)]), table(&[("BTCUSDT", USDM)]));
    assert_eq!(answer(spot, &one(), b""), Ok(spot_event));
    assert_eq!(answer(coinm, &coin, b""), Ok(coinm_event));
    let other = answer(coinm, &table(&[("ETHUSD_PERP", COINM)]), b"");
    assert_eq!(other.unwrap_err().code(), "decode.unknown_symbol", "another instrument's answer");
    let usdm_event = Said::Snapshot(USDM.slot, 7, 1_723_161_256_493_000_000, Origin::Anonymous);
    assert_eq!(answer(usdm, &usd, b""), Ok(usdm_event));
    // A recorded address says whose it is.
    let of_spot = Said::Snapshot(SPOT.slot, 50_093_239_218, 0, Origin::Answer);
    assert_eq!(answer(spot, &all(), b"https://x/depth?symbol=BTCUSDT&limit=1000"), Ok(of_spot));
    let foreign = answer(spot, &all(), b"https://x/depth?limit=5&symbol=XRPUSDT");
    assert_eq!(foreign.unwrap_err().code(), "decode.unknown_symbol");
    for (text, error) in [
        (r#"{"code":-1121,"msg":"Invalid symbol."}"#, DecodeError::Venue { code: -1121 }),
        (r#"{"result":null,"id":1}"#, DecodeError::NotSnapshot),
        (r#"[]"#, DecodeError::NotSnapshot),
        (r#"{"lastUpdateId":7,"bids":[]}"#, DecodeError::MissingField { field: "a" }),
    ] {
        assert_eq!(answer(text, &one(), b""), Err(error.into()), "{text}");
    }
}

#[test]
fn tops_of_the_three_products() {
    let of = |route: Route, venue_seq, bid: (i64, i64), ask: (i64, i64), ts_event| {
        let (bid, ask) = (Level::new(bid.0, bid.1), Level::new(ask.0, ask.1));
        Said::Bbo(route.slot, VenueBbo { venue_seq, bid, ask, ts_event })
    };
    for (text, expected) in [
        (
            r#"{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#,
            of(SPOT, 50_093_239_212, (6_183_763, 378_826), (6_183_764, 154_698), 0),
        ),
        (
            r#"{"e":"bookTicker","u":5,"s":"ETHUSDT","b":"61800.20","B":"2.507","a":"61800.30","A":"2.510","T":1723161256313,"E":1723161256314}"#,
            of(USDM, 5, (6_180_020, 2_507), (6_180_030, 2_510), 1_723_161_256_313_000_000),
        ),
        (
            r#"{"stream":"btcusd_perp@bookTicker","data":{"u":6,"e":"bookTicker","s":"BTCUSD_PERP","ps":"BTCUSD","b":"61804.7","B":"35","a":"61804.8","A":"1645","T":1723161257465,"E":1723161257476}}"#,
            of(COINM, 6, (618_047, 35), (618_048, 1_645), 1_723_161_257_465_000_000),
        ),
        // An empty side.
        (
            r#"{"u":1,"s":"BTCUSDT","b":"0.00000000","B":"0.00000000","a":"1.00000000","A":"2.00000000"}"#,
            of(SPOT, 1, (0, 0), (100, 200_000), 0),
        ),
    ] {
        assert_eq!(event(text), expected, "{text}");
    }
    assert_eq!(code(r#"{"u":1,"s":"BTCUSDT","b":"0","B":"1","a":"1","A":"2"}"#), "decode.zero_price");
    assert_eq!(
        code(r#"{"e":"bookTicker","u":1,"s":"BTCUSDT","b":"1","B":"1","a":"1"}"#),
        "decode.missing_field"
    );
}

#[test]
fn trades_and_aggregates() {
    let spot = Trade {
        id: TradeId::Number(3_735_683_259),
        price: Price(6_183_763),
        qty: Qty(2_000),
        aggressor: Aggressor::Sell,
        ts_event: 1_723_161_255_342_000_000,
        resting: None,
    };
    let coinm = Trade {
        id: TradeId::Number(41_045_788),
        price: Price(585_701),
        qty: Qty(58),
        aggressor: Aggressor::Buy,
        ts_event: 1_616_201_883_304_000_000,
        resting: None,
    };
    for (text, slot, trade) in [
        (
            r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}"#,
            SPOT.slot,
            spot,
        ),
        // The ids of the two orders, which spot printed in former years.
        (
            r#"{"e":"trade","E":1,"s":"BTCUSDT","t":3735683259,"p":"61837.63","q":"0.02","b":88,"a":50,"T":1723161255342,"m":true,"M":true}"#,
            SPOT.slot,
            spot,
        ),
        (
            r#"{"stream":"btcusd_perp@aggTrade","data":{"e":"aggTrade","E":1616201883458,"a":41045788,"s":"BTCUSD_PERP","p":"58570.1","q":"58","f":91864326,"l":91864327,"T":1616201883304,"m":false}}"#,
            COINM.slot,
            coinm,
        ),
    ] {
        assert_eq!(event(text), Said::Trade(slot, trade), "{text}");
    }
    let futures = |execution: &str| {
        event(&format!(
            r#"{{"e":"trade","E":2,"T":1,"s":"ETHUSDT","t":7,"p":"3424.98","q":"0.007","X":"{execution}","m":true}}"#
        ))
    };
    assert!(matches!(futures("MARKET"), Said::Trade(_, Trade { ts_event: 1_000_000, .. })));
    // Neither is an execution on the book.
    for execution in ["NA", "INSURANCE_FUND", "ADL", "SOMETHING_NEW"] {
        assert_eq!(futures(execution), Said::Nothing, "{execution}");
    }
    let off_tick =
        r#"{"e":"trade","E":2,"T":1,"s":"ETHUSDT","t":7,"p":"3424.98555","q":"0.0001","X":"ADL","m":true}"#;
    assert_eq!(event(off_tick), Said::Nothing, "its price is nobody's business");
}

#[test]
fn of_the_two_kinds_of_trade_message_the_first_is_passed_on() {
    let (single, aggregate) = (
        r#"{"e":"trade","E":1,"s":"BTCUSDT","t":7,"p":"1","q":"1","T":1,"m":true,"M":true}"#,
        r#"{"e":"aggTrade","E":1,"s":"BTCUSDT","a":3,"p":"1","q":"1","f":7,"l":7,"T":1,"m":true,"M":true}"#,
    );
    for (first, second) in [(single, aggregate), (aggregate, single)] {
        let mut room = Binance::default();
        let counts = [first, second, first].map(|text| {
            let mut out = Events::default();
            room.frame(text.as_bytes(), At::default(), &all(), &mut out).unwrap();
            out.list().len()
        });
        assert_eq!(counts, [1, 0, 1]);
    }
}

#[test]
fn marks_and_liquidations_of_futures() {
    let mark = r#"{"stream":"ethusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1562305380000,"s":"ETHUSDT","p":"11794.15","i":"11784.62","P":"11784.25","r":"-0.00038167","T":1562306400000}}"#;
    let ticker = Ticker {
        mark: Some(Price(1_179_415)),
        index: Some(Price(1_178_462)),
        funding_rate_e9: Some(-381_670),
        funding_at: Some(1_562_306_400_000_000_000),
        ..Ticker::default()
    };
    assert_eq!(event(mark), Said::Ticker(USDM.slot, ticker));
    let forced = r#"{"e":"forceOrder","E":1568014460893,"o":{"s":"ETHUSDT","S":"SELL","o":"LIMIT","f":"IOC","q":"0.014","p":"9910","ap":"9910","X":"FILLED","l":"0.014","z":"0.014","T":1568014460893}}"#;
    let trade = Trade {
        id: TradeId::None,
        price: Price(991_000),
        qty: Qty(14),
        aggressor: Aggressor::Sell,
        ts_event: 1_568_014_460_893_000_000,
        resting: None,
    };
    assert_eq!(event(forced), Said::Liquidation(USDM.slot, trade));
}

#[test]
fn symbols_may_be_of_any_script_and_escaped() {
    for symbol in ["币安人生USDT", r"\u5e01\u5b89\u4eba\u751fUSDT"] {
        let text = format!(
            r#"{{"stream":"{symbol}@depth","data":{{"e":"depthUpdate","E":1,"s":"{symbol}","U":1,"u":2,"b":[["1","1"]],"a":[]}}}}"#
        );
        assert!(matches!(event(&text), Said::Depth(slot, ..) if slot == SPOT.slot), "{text}");
        let top = format!(r#"{{"u":101,"s":"{symbol}","b":"0.12","B":"30.0","a":"0.13","A":"20.0"}}"#);
        assert!(matches!(event(&top), Said::Bbo(slot, _) if slot == SPOT.slot), "{top}");
    }
}

#[test]
fn a_refused_frame_says_whose_book_it_may_have_changed() {
    let book = Some(Scope::Book(SPOT.slot));
    for (text, concerned) in [
        (
            r#"{"e":"depthUpdate","E":5,"s":"BTCUSDT","U":10,"u":12,"b":[["1.5","2"]],"a":[["1.6","x"]]}"#,
            book,
        ),
        (r#"{"e":"depthUpdate","E":5,"s":"BTCUSDT","U":10,"b":[["1.5","2"]],"a":[]}"#, book),
        (r#"{"e":"depthUpdate","E":5,"s":"DOGEUSDT","U":10,"u":12,"b":[["1.5","x"]],"a":[]}"#, None),
        (r#"{"e":"depthUpdate","E":5,"s":"BTC"#, Some(Scope::All)),
        (r#"{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"0","q":"1","T":1,"m":true}"#, None),
        (r#"{"e":"trade","E":1,"s":"BTC"#, None),
        ("xxxx", Some(Scope::All)),
        (r#"{"code":-1121,"msg":"Invalid symbol."}"#, None),
    ] {
        let mut out = Events::default();
        assert!(
            Binance::default().frame(text.as_bytes(), At::default(), &all(), &mut out).is_err(),
            "{text}"
        );
        assert_eq!(out.concerned(), concerned, "{text}");
    }
}

#[test]
fn messages_that_change_nothing_are_ignored() {
    for text in [
        r#"{"result":null,"id":1}"#,
        r#"{"id":"a","status":200,"result":{"serverTime":1}}"#,
        r#"{"e":"serverShutdown","E":1}"#,
        r#"{"stream":"!ticker@arr","data":[{"e":"24hrTicker","s":"ETHBTC","p":"-0.1"}]}"#,
        "[]",
        r#"{"stream":"x@ticker","data":{"e":"24hrTicker","E":1,"s":"NEW","p":"-0.0510","b":"1","B":"1","a":"1","A":"1","q":"x"}}"#,
        r#"{"e":"kline","E":1,"s":"BTCUSDT","k":{"t":1,"s":"BTCUSDT","e":2,"b":[[[]]]}}"#,
        // Partial books and the book with retail price improvement: not changes of the book.
        r#"{"stream":"btcusdt@depth20","data":{"lastUpdateId":1,"bids":[["1","1"]],"asks":[]}}"#,
        r#"{"stream":"runeusd_perp@depth5","data":{"e":"depthUpdate","E":2,"T":1,"s":"RUNEUSD_PERP","ps":"RUNEUSD","U":3,"u":3,"pu":-1,"b":[],"a":[["8.4400","2"]]}}"#,
        r#"{"data":{"e":"depthUpdate","s":"BTCUSDT","U":3,"u":3,"pu":1,"b":[["1","1"]],"a":[["8","2"]]},"stream":"btcusdt@depth5@100ms"}"#,
        r#"{"stream":"ethusdt@rpiDepth@500ms","data":{"e":"depthUpdate","s":"ETHUSDT","U":3,"u":3,"pu":1,"b":[],"a":[]}}"#,
    ] {
        assert_eq!(event(text), Said::Nothing, "{text}");
    }
}

#[test]
fn a_foreign_symbol_is_an_error_that_names_it() {
    let text = r#"{"e":"depthUpdate","E":1,"s":"DOGEUSDT","U":1,"u":2,"b":[["1","1"]],"a":[]}"#;
    let error = run(text, &all()).unwrap_err();
    assert_eq!(error, DecodeError::UnknownSymbol { symbol: SymbolText::new(b"DOGEUSDT") }.into());
    assert_eq!(
        error.to_string(),
        "foreign symbol; expected one of the connection's instruments, got DOGEUSDT"
    );
}

#[test]
fn venue_errors_keep_the_venues_code() {
    for (text, code) in [
        (r#"{"code":-1121,"msg":"Invalid symbol."}"#, -1121),
        (r#"{"error":{"code":2,"msg":"Invalid request: unknown \"method\""},"id":1}"#, 2),
        (r#"{"id":null,"status":429,"error":{"code":-1003,"msg":"","data":{"retryAfter":1}}}"#, -1003),
    ] {
        assert_eq!(run(text, &all()), Err(DecodeError::Venue { code }.into()), "{text}");
    }
}

#[test]
fn bad_messages_have_a_code_each() {
    let depth = |from: &str, to: &str| {
        let text = r#"{"e":"depthUpdate","E":5,"T":4,"s":"BTCUSDT","U":10,"u":12,"pu":9,"b":[["1.5","2"]],"a":[["1.6","0"]]}"#;
        assert!(text.contains(from), "{from}");
        code(&text.replacen(from, to, 1))
    };
    for (from, to, code) in [
        (r#""U":10"#, r#""U":13"#, "decode.backward_ids"),
        (r#""U":10,"#, "", "decode.missing_field"),
        (r#""u":12,"#, "", "decode.missing_field"),
        (r#""s":"BTCUSDT","#, "", "decode.missing_field"),
        (r#","a":[["1.6","0"]]"#, "", "decode.missing_field"),
        (r#""U":10"#, r#""U":-10"#, "decode.negative"),
        (r#""U":10"#, r#""U":10.0"#, "decode.bad_number"),
        (r#""U":10"#, r#""U":1e1"#, "decode.bad_number"),
        (r#""U":10"#, r#""U":"""#, "decode.bad_number"),
        (r#""U":10"#, r#""U":18446744073709551616"#, "decode.overflow"),
        (r#""U":10"#, r#""U":null"#, "decode.wrong_type"),
        (r#""U":10"#, r#""U":[10]"#, "decode.wrong_type"),
        (r#""U":10"#, r#""U":"\u0031""#, "decode.escaped"),
        (r#""pu":9"#, r#""pu":-1"#, "decode.negative"),
        (r#""T":4"#, r#""T":18446744073710"#, "decode.overflow"),
        (r#""T":4"#, r#""U":4"#, "decode.duplicate_field"),
        (r#""T":4"#, r#""\u0054":4"#, "decode.escaped"),
        (r#""T":4"#, r#""b":[["7","7"]]"#, "decode.duplicate_field"),
        (r#""e":"depthUpdate""#, r#""e":1"#, "decode.wrong_type"),
        (r#""e":"depthUpdate""#, r#""e":"depth\u0055pdate""#, "decode.escaped"),
        (r#""e":"depthUpdate","#, "", "decode.unknown_message"),
        (r#""BTCUSDT""#, "7", "decode.wrong_type"),
        (r#""BTCUSDT""#, r#""BTC\u00""#, "decode.escaped"),
        ("BTCUSDT", "BTCUSDTBTCUSDTBTCUSDTBTCUSDTBTCUSDTBTCUSDT", "decode.symbol_too_long"),
        ("BTCUSDT", "btcusdt", "decode.unknown_symbol"),
        (r#"[["1.5","2"]]"#, r#""1.5""#, "decode.wrong_type"),
        (r#"["1.5","2"]"#, r#"["1.5"]"#, "decode.bad_level"),
        (r#""1.5""#, r#""0""#, "decode.zero_price"),
        (r#""1.5""#, r#""-1.5""#, "decode.negative"),
        (r#""1.5""#, r#""1.555""#, "decode.inexact"),
        (r#""1.5""#, r#""1e400""#, "decode.overflow"),
        (r#""1.5""#, r#""NaN""#, "decode.bad_number"),
    ] {
        assert_eq!(depth(from, to), code, "{from} → {to}");
    }
    for (text, expected) in [
        ("", "decode.truncated"),
        ("7", "decode.not_json"),
        ("null", "decode.not_json"),
        ("{}", "decode.unknown_message"),
        (r#"{"data":null}"#, "decode.unknown_message"),
        (r#"{"stream":"x@depth","data":{}}"#, "decode.unknown_message"),
        (r#"{"e":"trade"} {"e":"trade"}"#, "decode.trailing_bytes"),
        (r#"{"stream":"a@depth","stream":"b@depth","data":{}}"#, "decode.duplicate_field"),
        (r#"{"e":"trade","s":"BTCUSDT","t":1,"p":"1","q":"1","T":1}"#, "decode.missing_field"),
        (r#"{"e":"trade","s":"BTCUSDT","t":1,"p":"1","q":"1","T":1,"m":"yes"}"#, "decode.wrong_type"),
        (r#"{"e":"trade","s":"BTCUSDT","t":1,"p":"0","q":"1","T":1,"m":true}"#, "decode.zero_price"),
        (r#"{"code":"x"}"#, "decode.wrong_type"),
    ] {
        assert_eq!(code(text), expected, "{text}");
    }
}

#[test]
fn a_frame_above_the_limit_is_refused_unread() {
    let mut text = " ".repeat(FRAME_BYTES_MAX);
    assert_eq!(code(&text), "decode.truncated");
    text.push(' ');
    assert_eq!(code(&text), "decode.frame_too_large");
}

/// Frames as the products print them, bare and combined.
const PRINTED: [&str; 9] = [
    r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":50093239189,"u":50093239202,"b":[["61737.63000000","0.00000000"],["56854.58000000","1.50000000"]],"a":[["61837.64000000","1.54698000"]]}}"#,
    r#"{"stream":"ethusdt@depth","data":{"e":"depthUpdate","E":1721347022530,"T":1721347022526,"s":"ETHUSDT","U":4,"u":5,"pu":3,"b":[["3424.98","193.438"]],"a":[]}}"#,
    r#"{"e":"depthUpdate","E":1723161257476,"T":1723161257462,"s":"BTCUSD_PERP","ps":"BTCUSD","U":1007198631847,"u":1007198631985,"pu":1007198631835,"b":[],"a":[["61801.4","0"],["61817.7","44"]]}"#,
    r#"{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#,
    r#"{"e":"bookTicker","u":5123107839020,"s":"ETHUSDT","b":"61800.20","B":"2.507","a":"61800.30","A":"2.510","T":1723161256313,"E":1723161256313}"#,
    r#"{"stream":"btcusd_perp@bookTicker","data":{"u":1007198632021,"e":"bookTicker","s":"BTCUSD_PERP","ps":"BTCUSD","b":"61804.7","B":"35","a":"61804.8","A":"1645","T":1723161257465,"E":1723161257476}}"#,
    r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}"#,
    r#"{"e":"trade","E":1723161255343000,"s":"BTCUSDT","t":3735683259,"p":"61837.63","q":"0.02","T":1723161255342000,"m":false,"M":true}"#,
    r#"{"stream":"btcusd_perp@trade","data":{"e":"trade","E":1723161257687,"T":1723161257679,"s":"BTCUSD_PERP","t":849714402,"p":"61804.8","q":"4","X":"MARKET","m":false}}"#,
];

/// Whether a frame takes the short way; if so, the general way must come to the same.
fn takes_short_way(bytes: &[u8], routes: &Routes) -> bool {
    let (mut short, mut general) = (Events::default(), Events::default());
    if printed::decode(bytes, false, routes, &mut short).is_none() {
        return false;
    }
    assert_eq!(Binance::default().any(bytes, routes, &mut general), Ok(()), "{}", bytes.escape_ascii());
    assert_eq!(said(&short), said(&general), "{}", bytes.escape_ascii());
    true
}

#[test]
fn what_the_venue_prints_takes_the_short_way() {
    for frame in PRINTED {
        assert!(takes_short_way(frame.as_bytes(), &all()), "{frame}");
    }
    for frame in [
        "",
        "{}",
        r#"{"stream":"btcusdt@depth5","data":{"e":"depthUpdate""#,
        &PRINTED[0].replace("@depth@", "@depth20@"),
        &PRINTED[0].replace("btcusdt@depth@100ms", "btcusdt"),
        &PRINTED[2].replace("1007198631847", "1007198631986"),
        &PRINTED[3].replace("61837.63", "0.0"),
        &PRINTED[8].replace("MARKET", "NA"),
        &PRINTED[8].replace("BTCUSD_PERP", "UNKNOWN"),
    ] {
        assert!(!takes_short_way(frame.as_bytes(), &all()), "{frame}");
    }
}

#[test]
fn the_short_way_agrees_with_the_general_one_on_damaged_frames() {
    let inputs = if cfg!(debug_assertions) { 50_000 } else { 500_000 };
    let seed = 0x5eed_0fda_3a6e_u64;
    println!("seed {seed:#x}, {inputs} inputs");
    let mut random = seed;
    let mut below = |end: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % end
    };
    let pieces = [
        "0",
        "9",
        ".",
        "-",
        "e",
        "\"",
        "\\",
        " ",
        ",",
        "]",
        "}",
        "@",
        "00000000",
        "12345678",
        "1234567890123456",
        "[\"1.5\",\"2\"],",
        "\"T\":1,",
        "\"ps\":\"X\",",
        "\"pu\":7,",
        "\"e\":\"trade\",",
        "true",
        "null",
        "{}",
        "\0",
    ];
    let (routes, mut short) = (all(), 0);
    for _ in 0..inputs {
        let mut bytes = PRINTED[below(PRINTED.len())].as_bytes().to_vec();
        for _ in 0..=below(3) {
            let at = below(bytes.len());
            let until = (at + below(12)).min(bytes.len());
            match below(5) {
                0 => bytes[at] = below(256) as u8,
                1 => bytes[at] = pieces[below(pieces.len())].as_bytes()[0],
                2 => drop(bytes.splice(at..at, pieces[below(pieces.len())].bytes())),
                3 => drop(bytes.splice(at..until, pieces[below(pieces.len())].bytes())),
                _ if bytes.len() > until => drop(bytes.drain(at..until)),
                _ => {}
            }
        }
        short += usize::from(takes_short_way(&bytes, &routes));
    }
    // Digits may change without the form changing.
    assert!(short > inputs / 40, "{short}");
}

#[test]
fn streams_of_partial_books_are_no_changes_of_the_book() {
    let mut routes = Routes::new();
    routes
        .carry([&b"BTCUSDT"[..]].into_iter(), Route { slot: Slot(0), price_exponent: -2, qty_exponent: -3 });
    let depth = "{\"e\":\"depthUpdate\",\"E\":1,\"T\":1,\"s\":\"BTCUSDT\",\"U\":1,\"u\":2,\"pu\":0,\"b\":[[\"1\",\"1\"]],\"a\":[]}";
    let named = format!("{{\"stream\":\"btcusdt@depth\",\"data\":{depth}}}");
    let changes = |asked: &[u8], frame: &str| {
        let (mut room, mut events) = (Binance::default(), Events::default());
        room.asked(asked);
        room.frame(frame.as_bytes(), At::default(), &routes, &mut events).unwrap();
        events.list().iter().any(|event| matches!(event.body, Body::Levels(..)))
    };
    for (asked, frame, is_change) in [
        (&b"wss://fstream.binance.com/ws/btcusdt@depth@100ms"[..], depth, true),
        (b"wss://fstream.binance.com/ws/btcusdt@depth5@100ms", depth, false),
        (b"{\"method\":\"SUBSCRIBE\",\"params\":[\"btcusdt@rpiDepth@500ms\"],\"id\":1}", depth, false),
        (b"wss://fstream.binance.com/stream?streams=btcusdt@depth5/btcusdt@depth", &named, true),
    ] {
        assert_eq!(changes(asked, frame), is_change, "{}", asked.escape_ascii());
    }
}

#[test]
fn only_answers_of_depth_requests_are_books() {
    let mut routes = Routes::new();
    routes
        .carry([&b"BTCUSDT"[..]].into_iter(), Route { slot: Slot(0), price_exponent: -2, qty_exponent: -3 });
    let body = b"{\"lastUpdateId\":7,\"bids\":[[\"1\",\"1\"]],\"asks\":[]}";
    for (url, is_book) in [
        (&b"https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000"[..], true),
        (b"https://fapi.binance.com/fapi/v1/rpiDepth?symbol=BTCUSDT", false),
        (b"https://api.binance.com/api/v3/ticker?symbol=BTCUSDT", false),
        (b"", true),
    ] {
        let (mut room, mut events) = (Binance::default(), Events::default());
        let asked = Asked { routes: &routes, url };
        let read = room.answer(&asked, body, At::default(), &mut events);
        assert_eq!(read.is_ok(), is_book, "{}", url.escape_ascii());
    }
}

#[test]
fn an_address_tells_the_two_spot_venues_apart() {
    use crate::venues::{BINANCE_SPOT, BINANCE_US};
    let mut routes = Routes::new();
    routes
        .carry([&b"BTCUSDT"[..]].into_iter(), Route { slot: Slot(0), price_exponent: -2, qty_exponent: -3 });
    let depth =
        b"{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\"U\":1,\"u\":2,\"b\":[[\"1\",\"1\"]],\"a\":[]}";
    let us = b"wss://stream.binance.us:9443/stream?streams=btcusdt@depth";
    let other = b"wss://stream.binance.com:9443/stream?streams=btcusdt@depth";
    for (product, address, count) in [
        (BINANCE_US, &us[..], 1),
        (BINANCE_US, other, 0),
        (BINANCE_SPOT, us, 0),
        (BINANCE_SPOT, other, 1),
        (BINANCE_US, b"wss://127.0.0.1:9000/stream", 1),
    ] {
        let (mut room, mut events) = (Binance::of(product), Events::default());
        room.opened(At::default(), &mut events);
        room.asked(address);
        room.frame(depth, At::default(), &routes, &mut events).unwrap();
        assert_eq!(events.list().len(), count, "{product:?} {}", address.escape_ascii());
    }
    for (address, venue) in [(&us[..], BINANCE_US), (other, BINANCE_SPOT), (b"", BINANCE_SPOT)] {
        let (mut room, mut sightings) = (Binance::default(), Sightings::default());
        room.asked(address);
        room.sight(depth, &mut sightings);
        assert_eq!(sightings.instruments(), [(venue, "BTCUSDT".to_owned())]);
    }
    let (mut room, mut events) = (Binance::of(BINANCE_SPOT), Events::default());
    let url = b"https://api.binance.us/api/v3/depth?symbol=BTCUSDT&limit=1000";
    let asked = Asked { routes: &routes, url };
    let body = b"{\"lastUpdateId\":7,\"bids\":[[\"1\",\"1\"]],\"asks\":[]}";
    assert!(room.answer(&asked, body, At::default(), &mut events).is_err());
}

#[test]
fn what_shows_itself_to_be_of_futures_is_not_of_a_pair() {
    use crate::venues::{BINANCE_SPOT, BINANCE_USDM};
    let routes = one();
    for text in [
        r#"{"e":"trade","E":5,"T":4,"s":"BTCUSDT","t":7,"p":"1.5","q":"2","X":"MARKET","m":true}"#,
        r#"{"e":"trade","E":5,"s":"BTCUSDT","t":7,"p":"1.5","q":"2","T":4,"X":"MARKET","m":true}"#,
        r#"{"e":"bookTicker","u":7,"s":"BTCUSDT","b":"1.5","B":"2","a":"1.6","A":"2","T":4,"E":5}"#,
        r#"{"stream":"btcusdt@markPrice","data":{"e":"markPriceUpdate","E":5,"s":"BTCUSDT","p":"1.5","i":"1.5","r":"","T":0}}"#,
        r#"{"e":"forceOrder","E":5,"o":{"s":"BTCUSDT","S":"BUY","p":"1.5","q":"2"}}"#,
    ] {
        let read = |product| {
            let mut out = Events::default();
            let mut room = Binance::of(product);
            let read = room.frame(text.as_bytes(), At::default(), &routes, &mut out);
            (read.err().map(|error| error.code()), out.concerned(), out.list().len())
        };
        assert_eq!(read(BINANCE_SPOT), (Some("decode.unknown_symbol"), None, 0), "{text}");
        assert_eq!(read(BINANCE_USDM), (None, None, 1), "{text}");
    }
}
