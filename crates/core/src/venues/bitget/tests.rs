use super::*;
use crate::types::{
    Aggressor, Coverage, Level, Origin, Price, Qty, Ticker, Trade, TradeId, VenueBbo, VenueSeq,
};
use crate::venues::{BITGET, BITGET_COIN_FUTURES, BITGET_USDT_FUTURES};

const TIME: TimeNs = 1_777_358_880_011_000_000;

/// `BTCUSDT`, prices and quantities at −4, and `APEUSDT`, quantities at −1.
fn routes() -> Routes {
    let mut routes = Routes::new();
    for (slot, name, qty_exponent) in [(0, "BTCUSDT", -4), (1, "APEUSDT", -1)] {
        let route = Route { slot: Slot(slot), price_exponent: -4, qty_exponent };
        assert!(routes.carry([name.as_bytes()].into_iter(), route));
    }
    routes
}

fn say(room: &mut Bitget, frame: &str) -> Result<Events, &'static str> {
    let mut events = Events::default();
    let read = room.frame(frame.as_bytes(), At::default(), &routes(), &mut events);
    read.map(|()| events).map_err(|error| error.code())
}

fn one(product: Venue, frame: &str) -> Events {
    say(&mut Bitget::of(product), frame).unwrap_or_else(|code| panic!("{code}: {frame}"))
}

fn code(product: Venue, frame: &str) -> &'static str {
    say(&mut Bitget::of(product), frame).err().unwrap_or("none")
}

fn bodies(events: &Events) -> Vec<Body> {
    events.list().iter().map(|event| event.body).collect()
}

/// A message of a book of version 2; `members` stand behind its levels.
fn version_2(inst_type: &str, channel: &str, action: &str, members: &str) -> String {
    format!(
        "{{\"action\":\"{action}\",\"arg\":{{\"instType\":\"{inst_type}\",\"channel\":\"{channel}\",\"instId\":\"BTCUSDT\"}},\
         \"data\":[{{\"asks\":[[\"8476.98\",\"415.0\"]],\"bids\":[[\"8476.97\",\"0\"]]{members},\"ts\":\"1777358880011\"}}],\
         \"ts\":1777358880013}}"
    )
}

/// The same of version 3.
fn version_3(inst_type: &str, channel: &str, action: &str, members: &str) -> String {
    version_2(inst_type, channel, action, members)
        .replace("\"channel\"", "\"topic\"")
        .replace("\"instId\"", "\"symbol\"")
        .replace("\"asks\"", "\"a\"")
        .replace("\"bids\"", "\"b\"")
}

#[test]
fn books_of_every_version_are_read_both_ways() {
    let linked = VenueSeq { first: 11, last: 20, prev: Some(10) };
    let version_1 =
        version_2("sp", "books", "update", ",\"checksum\":-7").replace(",\"ts\":1777358880013", "");
    for (frame, seq, check) in [
        (version_1, VenueSeq::default(), Some(-7)),
        (version_2("SPOT", "books", "update", ",\"checksum\":7"), VenueSeq::default(), Some(7)),
        (version_3("spot", "books", "update", ",\"checksum\":7,\"seq\":20,\"pseq\":10"), linked, Some(7)),
        (version_3("spot", "books", "update", ",\"checksum\":0,\"seq\":20,\"pseq\":10"), linked, None),
        (version_3("spot", "books", "update", ",\"seq\":\"20\",\"pseq\":\"10\""), linked, None),
    ] {
        for frame in [frame.clone(), frame.replace("[{", "[ {")] {
            let events = one(BITGET, &frame);
            let first = events.list()[0];
            let Body::Levels(is, span) = first.body else { panic!("{first:?}") };
            assert_eq!((is, first.slot, first.ts_event), (seq, Slot(0), TIME), "{frame}");
            assert_eq!(events.levels(span).bids, [Level::new(84_769_700, 0)]);
            assert_eq!(events.levels(span).asks, [Level::new(84_769_800, 4_150_000)]);
            let checks = bodies(&events).split_off(1);
            let expected = check.map(|check: i32| Body::Check(check.cast_unsigned()));
            assert_eq!(checks, Vec::from_iter(expected), "{frame}");
        }
    }
}

#[test]
fn a_snapshot_of_0_as_checksum_is_a_book_all_the_same() {
    for (frame, number) in [
        (version_2("SPOT", "books", "snapshot", ",\"checksum\":0"), 0),
        (
            version_3("spot", "books", "snapshot", ",\"checksum\":0,\"seq\":451275591390,\"pseq\":0"),
            451_275_591_390,
        ),
    ] {
        let [Body::Book(seq, span, Coverage::Whole, Origin::Stream)] = bodies(&one(BITGET, &frame))[..]
        else {
            panic!("{frame}")
        };
        assert_eq!((seq, span.len()), (VenueSeq::at(number), 2));
    }
}

#[test]
fn what_cannot_be_proven_or_read_is_refused_and_its_book_named() {
    let fresh = |product, frame: &str| {
        let (mut room, mut events) = (Bitget::of(product), Events::default());
        let read = room.frame(frame.as_bytes(), At::default(), &routes(), &mut events);
        assert!(read.is_err() && events.list().is_empty(), "{frame}");
        (read.unwrap_err().code(), events.concerned())
    };
    let btc = Some(Scope::Book(Slot(0)));
    for members in ["", ",\"checksum\":0"] {
        let frame = version_2("SPOT", "books", "update", members);
        assert_eq!(fresh(BITGET, &frame), ("decode.missing_field", btc), "{members}");
    }
    for members in
        [",\"checksum\":5,\"seq\":20", ",\"checksum\":5,\"pseq\":20", ",\"checksum\":5,\"seq\":0,\"pseq\":1"]
    {
        let frame = version_3("spot", "books", "update", members);
        assert_eq!(fresh(BITGET, &frame), ("decode.missing_field", btc), "{members}");
    }
    for members in
        [",\"checksum\":2147483648", ",\"checksum\":-2147483649", ",\"checksum\":99999999999999999999"]
    {
        let frame = version_2("SPOT", "books", "update", members);
        assert_eq!(fresh(BITGET, &frame), ("decode.overflow", btc), "{members}");
    }
    let good = version_2("SPOT", "books", "update", ",\"checksum\":7");
    assert_eq!(fresh(BITGET, &good.replace("update", "partial")), ("decode.unknown_message", btc));
    assert_eq!(fresh(BITGET, &good.replace("asks", "a")), ("decode.missing_field", btc));
    assert_eq!(fresh(BITGET, &version_2("SPOT", "books5", "update", "")), ("decode.unknown_message", btc));
    for at in [1, 20, good.len() - 60, good.len() - 1] {
        let (_, concerned) = fresh(BITGET, &good[..at]);
        assert!(concerned == Some(Scope::All) || concerned == btc, "{at}");
    }
    // What is cut, of a market that is not the source's.
    assert_eq!(fresh(BITGET_USDT_FUTURES, &good[..good.len() - 60]).1, None);
    assert_eq!(fresh(BITGET, "<html>"), ("decode.not_json", Some(Scope::All)));
    assert_eq!(fresh(BITGET, "{}"), ("decode.unknown_message", Some(Scope::All)));
    let trade = good.replace("\"books\"", "\"trade\"");
    assert_eq!(fresh(BITGET, &trade[..trade.len() - 60]).1, None);
}

#[test]
fn a_symbol_of_another_product_is_foreign() {
    let contract = version_2("USDT-FUTURES", "books", "update", ",\"checksum\":7");
    assert_eq!(bodies(&one(BITGET_USDT_FUTURES, &contract)).len(), 2);
    assert_eq!(code(BITGET, &contract), "decode.unknown_symbol");
    assert_eq!(code(BITGET, &version_2("mc", "books", "update", ",\"checksum\":7")), "decode.unknown_symbol");
    assert_eq!(code(BITGET_COIN_FUTURES, &contract), "decode.unknown_symbol");
    assert_eq!(code(BITGET, &version_2("SUSDT-FUTURES", "books", "update", "")), "decode.unknown_symbol");
}

#[test]
fn of_several_channels_of_a_book_the_deepest_counts() {
    let whole = |channel| version_3("spot", channel, "snapshot", ",\"checksum\":0,\"seq\":20,\"pseq\":0");
    let change = version_3("spot", "books", "update", ",\"checksum\":0,\"seq\":20,\"pseq\":10");
    let event = |event: &str, channel: &str| {
        format!(
            "{{\"event\":\"{event}\",\"arg\":{{\"instType\":\"spot\",\"topic\":\"{channel}\",\"symbol\":\"BTCUSDT\"}}}}"
        )
    };
    let mut room = Bitget::of(BITGET);
    for (frame, expected) in [
        (change.clone(), "levels"),
        (whole("books1"), "top"),
        (change.clone(), "levels"),
        (whole("books15"), "book of 15"),
        (whole("books5"), "nothing"),
        (whole("books1"), "top"),
        (event("unsubscribe", "books5"), "nothing"),
        (whole("books"), "book"),
        (whole("books50"), "nothing"),
        (change.clone(), "levels"),
        (event("unsubscribe", "books"), "lost"),
        (event("subscribe", "books"), "nothing"),
        (whole("books50"), "book of 50"),
    ] {
        let events = say(&mut room, &frame).unwrap();
        let word = match bodies(&events)[..] {
            [] => "nothing".to_owned(),
            [Body::Book(_, _, Coverage::Whole, Origin::Stream)] => "book".to_owned(),
            [Body::Book(seq, _, Coverage::Depth(depth), Origin::Restated)] => {
                assert_eq!(seq, VenueSeq::at(20));
                format!("book of {depth}")
            }
            [Body::Levels(..)] => "levels".to_owned(),
            [Body::Bbo(VenueBbo { venue_seq: 0, bid, ask, ts_event: TIME })] => {
                assert_eq!((bid, ask), (Level::new(84_769_700, 0), Level::new(84_769_800, 4_150_000)));
                "top".to_owned()
            }
            [Body::Lost { scope: Scope::Book(Slot(0)), .. }] => "lost".to_owned(),
            ref other => panic!("{other:?}"),
        };
        assert_eq!(word, expected, "{frame}");
    }
    let mut events = Events::default();
    room.opened(At::default(), &mut events);
    assert!(matches!(bodies(&events)[..], [Body::Lost { scope: Scope::Book(Slot(0)), .. }]));
}

/// A message of another channel, with an `arg` of version 2 or 3.
fn market(arg: &str, action: &str, data: &str) -> String {
    format!("{{\"action\":\"{action}\",\"arg\":{{{arg}}},\"data\":[{data}],\"ts\":1777358880099}}")
}

const TRADES_2: &str = "\"instType\":\"SPOT\",\"channel\":\"trade\",\"instId\":\"BTCUSDT\"";

#[test]
fn trades_have_names_but_for_those_of_version_1() {
    let version_1 = "[\"1777358880011\",\"76671.22\",\"0.0013\",\"sell\"]";
    let later = "{\"ts\":\"1777358880011\",\"price\":\"76671.22\",\"size\":\"0.0013\",\"side\":\"sell\",\"tradeId\":\"12\"}";
    let latest = "{\"i\":\"12\",\"p\":\"76671.22\",\"v\":\"0.0013\",\"S\":\"sell\",\"T\":\"1777358880011\",\"L\":\"13\",\"isRPI\":\"no\"}";
    let trades_3 = "\"instType\":\"spot\",\"topic\":\"publicTrade\",\"symbol\":\"BTCUSDT\"";
    for (arg, trade, id) in [
        (TRADES_2, version_1, TradeId::None),
        (TRADES_2, later, TradeId::Number(12)),
        (trades_3, latest, TradeId::Number(12)),
    ] {
        let newer = trade.replace("0.0013", "0.0014");
        let events = one(BITGET, &market(arg, "update", &format!("{newer},{trade}")));
        let [Body::Trades(span)] = bodies(&events)[..] else { panic!("{events:?}") };
        let expected = Trade {
            id,
            price: Price(766_712_200),
            qty: Qty(13),
            aggressor: Aggressor::Sell,
            ts_event: TIME,
            resting: None,
        };
        assert_eq!(events.trades_of(span), [expected, Trade { qty: Qty(14), ..expected }]);
        let history = one(BITGET, &market(arg, "snapshot", trade));
        assert_eq!(bodies(&history), [], "what was before");
    }
    let bad = later.replace("76671.22", "0");
    assert_eq!(code(BITGET, &market(TRADES_2, "update", &bad)), "decode.zero_price");
}

#[test]
fn statistics_of_every_version_are_read() {
    let ticker = |arg: &str, data: &str| {
        let events = one(BITGET_USDT_FUTURES, &market(arg, "snapshot", data));
        let [Body::Ticker(at)] = bodies(&events)[..] else { panic!("{events:?}") };
        (events.ticker(at), events.list()[0].ts_event)
    };
    let expected = Ticker {
        last: Some(Price(1_133_700)),
        mark: Some(Price(1_133_810)),
        index: Some(Price(1_134_270)),
        volume: Some(Qty(253_014_000)),
        open_interest: Some(Qty(219_571_700)),
        funding_rate_e9: Some(-100_000),
        funding_at: Some(1_649_314_800_000_000_000),
        ..Ticker::default()
    };
    let version_1 = "{\"instId\":\"BTCUSDT\",\"last\":\"113.370\",\"bestAsk\":\"113.41\",\"capitalRate\":\"-0.000100\",\
         \"nextSettleTime\":1649314800000,\"systemTime\":1649290077309,\"markPrice\":\"113.381\",\"indexPrice\":\"113.427\",\
         \"holding\":\"21957.17\",\"baseVolume\":\"25301.40\"}";
    let version_2 = "{\"instId\":\"BTCUSDT\",\"lastPr\":\"113.37\",\"fundingRate\":\"-0.0001\",\"nextFundingTime\":\"1649314800000\",\
         \"markPrice\":\"113.381\",\"indexPrice\":\"113.427\",\"holdingAmount\":\"21957.17\",\"baseVolume\":\"25301.4\",\
         \"symbol\":\"BTCUSDT\",\"ts\":\"1649290077309\"}";
    let version_3 = "{\"lastPrice\":\"113.37\",\"volume24h\":\"25301.4\",\"indexPrice\":\"113.427\",\"markPrice\":\"113.381\",\
         \"fundingRate\":\"-0.0001\",\"openInterest\":\"21957.17\",\"deliveryTime\":\"\",\"nextFundingTime\":\"1649314800000\"}";
    let arg_1 = "\"instType\":\"mc\",\"channel\":\"ticker\",\"instId\":\"BTCUSDT\"";
    let arg_2 = "\"instType\":\"USDT-FUTURES\",\"channel\":\"ticker\",\"instId\":\"BTCUSDT\"";
    let arg_3 = "\"instType\":\"usdt-futures\",\"topic\":\"ticker\",\"symbol\":\"BTCUSDT\"";
    for (arg, data, ts_event) in [
        (arg_1, version_1, 1_649_290_077_309_000_000),
        (arg_2, version_2, 1_649_290_077_309_000_000),
        (arg_3, version_3, 1_777_358_880_099_000_000),
    ] {
        assert_eq!(ticker(arg, data), (expected, ts_event), "{data}");
    }
    let (delivery, _) =
        ticker(arg_2, "{\"lastPr\":\"5\",\"fundingRate\":\"0\",\"nextFundingTime\":\"0\",\"ts\":\"1\"}");
    assert_eq!((delivery.last, delivery.funding_at), (Some(Price(50_000)), None));
}

#[test]
fn a_liquidation_has_its_quantity_in_its_value() {
    let entry = |symbol: &str, price: &str, amount: &str| {
        format!(
            "{{\"symbol\":\"{symbol}\",\"side\":\"buy\",\"price\":\"{price}\",\"amount\":\"{amount}\",\"ts\":\"1777358880011\"}}"
        )
    };
    let arg = "\"instType\":\"usdt-futures\",\"topic\":\"liquidation\"";
    let other = entry("XUSDT", "0.500280739469", "143.330431857868");
    for (price, amount, qty) in
        [("0.1649", "13.70319", 831), ("0.5002", "143.330431857868", 2_865), ("2", "3", 15)]
    {
        let data = format!("{},{other}", entry("APEUSDT", price, amount));
        let events = one(BITGET_USDT_FUTURES, &market(arg, "update", &data));
        let [Body::Liquidations(span)] = bodies(&events)[..] else { panic!("{events:?}") };
        assert_eq!(events.list()[0].slot, Slot(1));
        let trade = events.trades_of(span)[0];
        assert_eq!((trade.qty, trade.aggressor, trade.ts_event), (Qty(qty), Aggressor::Unknown, TIME));
    }
    assert_eq!(code(BITGET_USDT_FUTURES, &market(arg, "update", &other)), "decode.unknown_symbol");
    for (price, amount, refused) in [("0", "1", "decode.zero_price"), ("1", "-1", "decode.negative")] {
        let entry = market(arg, "update", &entry("APEUSDT", price, amount));
        assert_eq!(code(BITGET_USDT_FUTURES, &entry), refused);
    }
}

#[test]
fn life_requests_and_other_channels_say_nothing() {
    for frame in [
        "pong".to_owned(),
        "{\"event\":\"subscribe\",\"arg\":{\"instType\":\"SPOT\",\"channel\":\"books\",\"instId\":\"BTCUSDT\"}}".to_owned(),
        "{\"event\":\"unsubscribe\",\"arg\":{\"instType\":\"SPOT\",\"channel\":\"books\",\"instId\":\"XUSDT\"}}".to_owned(),
        "{\"event\":\"login\",\"code\":0}".to_owned(),
        market("\"instType\":\"SPOT\",\"channel\":\"candle1m\",\"instId\":\"BTCUSDT\"", "update", "[\"1\",\"2\"]"),
    ] {
        assert_eq!(bodies(&one(BITGET, &frame)), [], "{frame}");
    }
    let refused = "{\"event\":\"error\",\"arg\":{\"instType\":\"SPOT\",\"channel\":\"x\",\"instId\":\"X\"},\"code\":30001,\"msg\":\"no\"}";
    assert_eq!(code(BITGET, refused), "decode.venue_refused");
}

#[test]
fn frames_show_their_instrument_and_time() {
    let mut sightings = Sightings::default();
    for frame in [
        version_2("SPOT", "books", "update", ""),
        version_3("coin-futures", "books", "update", "").replace("BTCUSDT", "BTCUSD"),
        version_2("mc", "trade", "update", ""),
        version_2("SUSDT-FUTURES", "books", "update", "").replace("BTCUSDT", "SBTCSUSDT"),
        "{\"arg\":{\"channel\":\"books\",\"instId\":\"ETH-USDT\"},\"data\":[]}".to_owned(),
    ] {
        Bitget::default().sight(frame.as_bytes(), &mut sightings);
    }
    assert!(sightings.is_readable());
    let found = [(BITGET, "BTCUSDT"), (BITGET_COIN_FUTURES, "BTCUSD"), (BITGET_USDT_FUTURES, "BTCUSDT")];
    assert_eq!(sightings.instruments(), found.map(|(venue, symbol)| (venue, symbol.to_owned())));
    for (frame, time) in [
        (version_2("SPOT", "books", "update", ""), 1_777_358_880_013_000_000),
        (version_2("sp", "books", "update", "").replace(",\"ts\":1777358880013", ""), TIME),
        ("pong".to_owned(), 0),
    ] {
        assert_eq!(Bitget::time(frame.as_bytes()), time, "{frame}");
    }
}
