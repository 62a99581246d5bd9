use super::*;
use crate::types::{
    Aggressor, Body, Coverage, Level, Origin, Price, Qty, Route, Slot, Ticker, Trade, TradeId, VenueBbo,
    VenueSeq,
};
use crate::venues::{KUCOIN, KUCOIN_FUTURES};

/// `BTC-USDT`, prices at −1 and quantities at −8, and `XBTUSDTM`, prices at −1 and contracts.
fn routes() -> Routes {
    let mut routes = Routes::new();
    for (slot, name, qty_exponent) in [(0, "BTC-USDT", -8), (1, "XBTUSDTM", 0)] {
        let route = Route { slot: Slot(slot), price_exponent: -1, qty_exponent };
        assert!(routes.carry([name.as_bytes()].into_iter(), route));
    }
    routes
}

fn say(product: Venue, frame: &str) -> (Result<(), &'static str>, Events) {
    let mut events = Events::default();
    let read = Kucoin::of(product).frame(frame.as_bytes(), At::default(), &routes(), &mut events);
    (read.map_err(|error| error.code()), events)
}

fn one(product: Venue, frame: &str) -> Events {
    let (read, events) = say(product, frame);
    assert_eq!(read, Ok(()), "{frame}");
    events
}

/// The error of a frame, and whose book it concerns.
fn refused(product: Venue, frame: &str) -> (&'static str, Option<Scope>) {
    let (read, events) = say(product, frame);
    assert!(events.list().is_empty(), "{frame}");
    (read.err().unwrap_or("none"), events.concerned())
}

fn bodies(events: &Events) -> Vec<Body> {
    events.list().iter().map(|event| event.body).collect()
}

fn message(topic: &str, subject: &str, data: &str) -> String {
    format!("{{\"type\":\"message\",\"topic\":\"{topic}\",\"subject\":\"{subject}\",\"data\":{data}}}")
}

/// A message of the book of BTC-USDT.
fn update(first: u64, last: u64, asks: &str, bids: &str) -> String {
    let data = format!(
        "{{\"sequenceStart\":{first},\"symbol\":\"BTC-USDT\",\"changes\":{{\"asks\":[{asks}],\"bids\":[{bids}]}},\"sequenceEnd\":{last}}}"
    );
    message("/market/level2:BTC-USDT", "trade.l2update", &data)
}

/// A message of the book of XBTUSDTM.
fn change(number: u64, change: &str) -> String {
    let data = format!("{{\"sequence\":{number},\"change\":\"{change}\",\"timestamp\":1705708800010}}");
    message("/contractMarket/level2:XBTUSDTM", "level2", &data)
}

const BTC: Option<Scope> = Some(Scope::Book(Slot(0)));

#[test]
fn changes_of_spot_have_a_range_and_rows_of_price_0_have_no_level() {
    for (frame, seq, bids, asks) in [
        (update(7, 7, "", "[\"24081.2\",\"0.00265\",\"7\"]"), (7, 7), &[(240_812, 265_000)][..], &[][..]),
        (update(7, 7, "[\"0\",\"0\",\"7\"]", ""), (7, 7), &[], &[]),
        (
            update(
                7,
                10,
                "[\"24088.8\",\"0\",\"8\"],[\"0\",\"0\",\"9\"]",
                "[\"0\",\"5\",\"7\"],[\"12\",\"0.12\",\"10\"]",
            ),
            (7, 10),
            &[(120, 12_000_000)],
            &[(240_888, 0)],
        ),
    ] {
        let events = one(KUCOIN, &frame);
        let [Body::Levels(is, span)] = bodies(&events)[..] else { panic!("{frame}") };
        assert_eq!(is, VenueSeq { first: seq.0, last: seq.1, prev: None });
        let levels = |side: &[(i64, i64)]| side.iter().map(|level| Level::new(level.0, level.1)).collect();
        let expected: [Vec<Level>; 2] = [levels(bids), levels(asks)];
        assert_eq!(
            [events.levels(span).bids, events.levels(span).asks],
            [&*expected[0], &*expected[1]],
            "{frame}"
        );
        assert_eq!((events.list()[0].slot, events.list()[0].ts_event), (Slot(0), 0));
    }
    let timed = update(7, 7, "", "").replace("\"symbol\":", "\"time\":1685578980002,\"symbol\":");
    assert_eq!(one(KUCOIN, &timed).list()[0].ts_event, 1_685_578_980_002_000_000);
}

#[test]
fn a_change_of_futures_is_a_text_and_has_one_number() {
    for (text, bids, asks) in [
        ("39069.0,buy,23960", &[(390_690, 23_960)][..], &[][..]),
        ("39069.5,sell,0", &[], &[(390_695, 0)]),
        ("0,sell,0", &[], &[]),
        ("0.0,buy,1", &[], &[]),
    ] {
        let events = one(KUCOIN_FUTURES, &change(9, text));
        let [Body::Levels(seq, span)] = bodies(&events)[..] else { panic!("{text}") };
        assert_eq!(seq, VenueSeq::at(9));
        let levels = |side: &[(i64, i64)]| side.iter().map(|level| Level::new(level.0, level.1)).collect();
        let expected: [Vec<Level>; 2] = [levels(bids), levels(asks)];
        assert_eq!(
            [events.levels(span).bids, events.levels(span).asks],
            [&*expected[0], &*expected[1]],
            "{text}"
        );
        assert_eq!((events.list()[0].slot, events.list()[0].ts_event), (Slot(1), 1_705_708_800_010_000_000));
    }
    let xbt = Some(Scope::Book(Slot(1)));
    for (text, code) in [
        ("39069.0,buy", "decode.bad_level"),
        ("39069.0,buy,1,2", "decode.bad_level"),
        ("39069.0,bid,1", "decode.bad_level"),
        ("39069.0,buy,", "decode.bad_number"),
        ("x,buy,1", "decode.bad_number"),
        ("1,buy,-1", "decode.negative"),
    ] {
        assert_eq!(refused(KUCOIN_FUTURES, &change(9, text)), (code, xbt), "{text}");
    }
}

#[test]
fn what_cannot_be_read_names_its_book() {
    assert_eq!(refused(KUCOIN, &update(19, 15, "", "")), ("decode.backward_ids", BTC));
    assert_eq!(refused(KUCOIN, &update(1, 2, "[\"5\"]", "")), ("decode.bad_level", BTC));
    let whole = update(1, 2, "[\"5\",\"1\",\"2\"]", "");
    assert_eq!(refused(KUCOIN, &whole.replace("sequenceEnd", "sequenceX")), ("decode.missing_field", BTC));
    for at in [1, 20, 60, whole.len() - 1] {
        let concerned = refused(KUCOIN, &whole[..at]).1;
        assert!(concerned == Some(Scope::All) || concerned == BTC, "{at}: {concerned:?}");
    }
    // As recorded, with the topic behind the data.
    let recorded = "{\"data\":{\"sequenceStart\":1,\"symbol\":\"BTC-USDT\",\"changes\":{\"asks\":[],\"bi";
    assert_eq!(refused(KUCOIN, recorded).1, BTC);
    let trade = message("/market/match:BTC-USDT", "trade.l3match", "{}");
    assert_eq!(refused(KUCOIN, &trade), ("decode.missing_field", None));
    assert_eq!(refused(KUCOIN, "<html>"), ("decode.not_json", Some(Scope::All)));
    assert_eq!(refused(KUCOIN, "{\"type\":\"x\"}"), ("decode.unknown_message", Some(Scope::All)));
    assert_eq!(refused(KUCOIN, "{\"id\":\"1\",\"type\":\"ack\"").1, None);
    let refusal =
        "{\"id\":\"1\",\"type\":\"error\",\"code\":404,\"data\":\"topic /market/level2:X is not found\"}";
    assert_eq!(refused(KUCOIN, refusal), ("decode.venue_refused", None));
}

#[test]
fn a_symbol_of_another_product_is_foreign() {
    assert_eq!(refused(KUCOIN_FUTURES, &update(1, 2, "", "")), ("decode.unknown_symbol", None));
    assert_eq!(refused(KUCOIN, &change(1, "5,buy,1")), ("decode.unknown_symbol", None));
    let other = update(1, 2, "", "").replace("BTC-USDT", "ETH-USDT");
    assert_eq!(refused(KUCOIN, &other), ("decode.unknown_symbol", None));
}

/// An answer, asked for the instruments of `routes`, at an address.
fn answered(url: &str, text: &str, routes: &Routes) -> Result<(Slot, Body), &'static str> {
    let mut events = Events::default();
    let asked = Asked { routes, url: url.as_bytes() };
    let read = Kucoin::default().answer(&asked, text.as_bytes(), At::default(), &mut events);
    assert!(read.is_ok() || events.list().is_empty());
    read.map(|()| (events.list()[0].slot, events.list()[0].body)).map_err(|error| error.code())
}

#[test]
fn an_answer_is_a_book_that_is_whole_or_cut() {
    let levels = |count: usize| vec!["[\"5.1\",\"1\"]"; count].join(",");
    let spot = |bids, asks| {
        format!(
            "{{\"code\":\"200000\",\"data\":{{\"time\":1654325095225,\"sequence\":\"77\",\"bids\":[{}],\"asks\":[{}]}}}}",
            levels(bids),
            levels(asks)
        )
    };
    let mut sole = Routes::new();
    sole.carry([&b"BTC-USDT"[..]].into_iter(), routes().find(b"BTC-USDT").unwrap());
    let url = "https://api.kucoin.com/api/v1/market/orderbook/level2_100?symbol=BTC-USDT";
    for (bids, asks, coverage) in [
        (3, 7, Coverage::Whole),
        (100, 100, Coverage::ToWorst),
        (20, 19, Coverage::ToWorst),
        (101, 250, Coverage::Whole),
    ] {
        for (url, routes, origin) in [(url, &routes(), Origin::Answer), ("", &sole, Origin::Anonymous)] {
            let (slot, body) = answered(url, &spot(bids, asks), routes).unwrap();
            let Body::Book(seq, span, is, from) = body else { panic!("{body:?}") };
            assert_eq!((slot, seq, span.len()), (Slot(0), VenueSeq::at(77), bids + asks));
            assert_eq!((is, from), (coverage, origin), "{bids} {asks}");
        }
    }
    let futures = "{\"code\":\"200000\",\"data\":{\"symbol\":\"XBTUSDTM\",\"sequence\":1645045405918,\"asks\":[[29641.0,30109]],\
         \"bids\":[[29640.0,13007]],\"ts\":1654326922830525196}}";
    let (slot, body) = answered("", futures, &routes()).unwrap();
    assert!(matches!(body, Body::Book(_, _, Coverage::Whole, Origin::Answer)) && slot == Slot(1), "{body:?}");
    let among = one(KUCOIN_FUTURES, futures);
    assert!(matches!(bodies(&among)[..], [Body::Book(.., Origin::Answer)]), "as a recorder writes it");
    assert_eq!(refused(KUCOIN, &spot(1, 1)), ("decode.ambiguous_snapshot", None));
    assert_eq!(refused(KUCOIN, "{\"code\":\"429000\"}"), ("decode.not_snapshot", None));
    assert_eq!(answered("", futures, &sole), Err("decode.unknown_symbol"));
    assert_eq!(answered("", &spot(1, 1), &routes()), Err("decode.ambiguous_snapshot"));
    for text in
        ["{\"code\":\"429000\",\"msg\":\"Too Many Requests\"}", "[]", "{\"code\":\"200000\",\"data\":[]}"]
    {
        assert_eq!(answered(url, text, &routes()), Err("decode.not_snapshot"));
    }
    let orders = url.replace("level2_100", "level3");
    assert_eq!(answered(&orders, &spot(1, 1), &routes()), Err("decode.not_snapshot"));
}

#[test]
fn tops_trades_and_statistics_are_told() {
    let data = "{\"sequence\":\"1636276321894\",\"bestAsk\":\"24088.7\",\"size\":\"0.1\",\"bestBidSize\":\"7\",\"price\":\"24088.6\",\
         \"time\":1660608019966,\"bestAskSize\":\"0.5\",\"bestBid\":\"24088.6\"}";
    for (topic, subject) in [("/market/ticker:BTC-USDT", "trade.ticker"), ("/market/ticker:all", "BTC-USDT")]
    {
        let events = one(KUCOIN, &message(topic, subject, data));
        let [Body::Bbo(bbo), Body::Ticker(at)] = bodies(&events)[..] else { panic!("{events:?}") };
        let (bid, ask) = (Level::new(240_886, 700_000_000), Level::new(240_887, 50_000_000));
        let ts_event = 1_660_608_019_966_000_000;
        assert_eq!(bbo, VenueBbo { venue_seq: 1_636_276_321_894, bid, ask, ts_event });
        assert_eq!(events.ticker(at), Ticker { last: Some(Price(240_886)), ..Ticker::default() });
    }
    let top = "{\"symbol\":\"XBTUSDTM\",\"sequence\":17,\"bestBidSize\":260,\"bestBidPrice\":\"24067\",\"ts\":1705708800078000000}";
    let events = one(KUCOIN_FUTURES, &message("/contractMarket/tickerV2:XBTUSDTM", "tickerV2", top));
    let [Body::Bbo(bbo)] = bodies(&events)[..] else { panic!("{events:?}") };
    assert_eq!((bbo.venue_seq, bbo.bid, bbo.ask), (0, Level::new(240_670, 260), Level::default()));
    assert_eq!(bbo.ts_event, 1_705_708_800_078_000_000);

    let spot = "{\"symbol\":\"BTC-USDT\",\"side\":\"sell\",\"type\":\"match\",\"sequence\":\"1\",\"size\":\"0.00001255\",\"price\":\"24093.9\",\
         \"time\":\"1660608000026914990\",\"tradeId\":\"62fade002e113d292303a18b\"}";
    let futures = "{\"symbol\":\"XBTUSDTM\",\"sequence\":1,\"side\":\"buy\",\"size\":16,\"price\":24093.9,\"tradeId\":\"1701197946092\",\
         \"ts\":1660608000026914990}";
    for (product, topic, data, id, qty, aggressor) in [
        (
            KUCOIN,
            "/market/match:BTC-USDT",
            spot,
            TradeId::of_text(b"62fade002e113d292303a18b"),
            1_255,
            Aggressor::Sell,
        ),
        (
            KUCOIN_FUTURES,
            "/contractMarket/execution:XBTUSDTM",
            futures,
            TradeId::Number(1_701_197_946_092),
            16,
            Aggressor::Buy,
        ),
    ] {
        let events = one(product, &message(topic, "match", data));
        let [Body::Trades(span)] = bodies(&events)[..] else { panic!("{events:?}") };
        let ts_event = 1_660_608_000_026_914_990;
        let expected = Trade { id, price: Price(240_939), qty: Qty(qty), aggressor, ts_event, resting: None };
        assert_eq!(events.trades_of(span), [expected]);
    }

    for (subject, data, expected) in [
        (
            "mark.index.price",
            "{\"markPrice\":39610.1,\"indexPrice\":39615.4,\"granularity\":1000,\"timestamp\":1706068801000}",
            Some(Ticker { mark: Some(Price(396_101)), index: Some(Price(396_154)), ..Ticker::default() }),
        ),
        (
            "funding.rate",
            "{\"granularity\":28800000,\"fundingRate\":3.9e-05,\"timestamp\":1706068800000}",
            Some(Ticker { funding_rate_e9: Some(39_000), ..Ticker::default() }),
        ),
        ("funding.rate", "{\"granularity\":60000,\"fundingRate\":3.2e-05,\"timestamp\":1706068800000}", None),
        ("other", "{}", None),
    ] {
        let events = one(KUCOIN_FUTURES, &message("/contract/instrument:XBTUSDTM", subject, data));
        let told = bodies(&events).first().map(|body| match *body {
            Body::Ticker(at) => events.ticker(at),
            ref other => panic!("{other:?}"),
        });
        assert_eq!(told, expected, "{data}");
    }
}

#[test]
fn life_and_other_topics_say_nothing() {
    for frame in [
        "{\"id\":\"hQvf8jkno\",\"type\":\"welcome\"}".to_owned(),
        "{\"id\":\"1545910660739\",\"type\":\"ack\"}".to_owned(),
        "{\"id\":\"1545910590801\",\"type\":\"pong\"}".to_owned(),
        message("/market/candles:BTC-USDT_1min", "trade.candles.add", "{\"candles\":[]}"),
        message("/spotMarket/level2Depth5:BTC-USDT", "level2", "{}"),
    ] {
        let events = one(KUCOIN, &frame);
        assert_eq!((bodies(&events), events.concerned()), (vec![], None), "{frame}");
    }
}

#[test]
fn frames_show_their_instrument_and_time() {
    let mut sightings = Sightings::default();
    for frame in [
        update(1, 1, "", ""),
        change(1, "5,buy,1"),
        message("/market/candles:ETH-BTC_1min", "trade.candles.add", "{}"),
        message("/market/ticker:all", "DOT-USDT", "{}"),
        "{\"type\":\"message\",\"topic\":\"/other:X\",\"subject\":\"x\"}".to_owned(),
        "{\"id\":\"1\",\"type\":\"ack\"}".to_owned(),
    ] {
        Kucoin::default().sight(frame.as_bytes(), &mut sightings);
    }
    assert!(sightings.is_readable());
    let found =
        [(KUCOIN, "BTC-USDT"), (KUCOIN_FUTURES, "XBTUSDTM"), (KUCOIN, "ETH-BTC"), (KUCOIN, "DOT-USDT")];
    assert_eq!(sightings.instruments(), found.map(|(venue, symbol)| (venue, symbol.to_owned())));
    for (frame, time) in [
        (change(1, "5,buy,1"), 1_705_708_800_010_000_000),
        (message("/market/match:X", "m", "{\"time\":\"1660608000026914990\"}"), 1_660_608_000_026_914_990),
        (
            message("/contractMarket/execution:X", "m", "{\"ts\":1660608000026914990}"),
            1_660_608_000_026_914_990,
        ),
        (update(1, 1, "", ""), 0),
    ] {
        assert_eq!(Kucoin::time(frame.as_bytes()), time, "{frame}");
    }
}
