use super::*;
use crate::types::{Aggressor, Body, Coverage, Level, Origin, Price, Qty, Route, Ticker, TradeId, VenueSeq};
use crate::venues::{GATEIO, GATEIO_DELIVERY, GATEIO_FUTURES};

fn routes() -> Routes {
    let mut routes = Routes::new();
    let route = Route { slot: Slot(0), price_exponent: -8, qty_exponent: -6 };
    assert!(routes.carry([&b"BTC_USDT"[..]].into_iter(), route));
    routes
}

fn say(room: &mut Gateio, frame: &str) -> Result<Events, &'static str> {
    let mut events = Events::default();
    match room.frame(frame.as_bytes(), At::default(), &routes(), &mut events) {
        Ok(()) => Ok(events),
        Err(error) => Err(error.code()),
    }
}

fn obu(depth: u32, numbers: &str) -> String {
    format!(
        "{{\"channel\":\"spot.obu\",\"result\":{{\"t\":7,\"s\":\"ob.BTC_USDT.{depth}\",{numbers},\"b\":[[\"5\",\"2\"]],\
         \"a\":[[\"6\",\"0\"]]}},\"time_ms\":8,\"event\":\"update\"}}"
    )
}

const UPDATE: &str = "{\"time\":1,\"channel\":\"spot.order_book_update\",\"event\":\"update\",\"result\":{\"t\":7,\"e\":\"depthUpdate\",\
     \"E\":1,\"s\":\"BTC_USDT\",\"U\":5,\"u\":6,\"b\":[[\"5\",\"2\"]],\"a\":[]}}";

/// In one word what a frame says.
fn word(room: &mut Gateio, frame: &str) -> &'static str {
    match say(room, frame) {
        Ok(events) => match events.list().first().map(|event| event.body) {
            None => "nothing",
            Some(Body::Book(..)) => "book",
            Some(Body::Levels(..)) => "levels",
            Some(Body::Trades(_)) => "trade",
            Some(Body::Ticker(_)) => "ticker",
            Some(_) => "another",
        },
        Err(code) => code,
    }
}

#[test]
fn a_book_is_one_of_a_depth_and_of_one_channel() {
    let mut room = Gateio::default();
    for (frame, said) in [
        (UPDATE.to_owned(), "levels"),
        (obu(50, "\"u\":9,\"U\":8"), "levels"),
        (obu(50, "\"full\":true,\"u\":9"), "book"),
        (obu(50, "\"u\":10,\"U\":10"), "levels"),
        (UPDATE.to_owned(), "nothing"),
        (obu(400, "\"u\":10,\"U\":10"), "nothing"),
        (obu(400, "\"full\":true,\"u\":11"), "book"),
        (obu(50, "\"full\":true,\"u\":12"), "nothing"),
        (obu(50, "\"u\":13,\"U\":13"), "nothing"),
        (obu(400, "\"u\":9,\"U\":10"), "decode.backward_ids"),
        (obu(400, "\"u\":9"), "decode.missing_field"),
    ] {
        assert_eq!(word(&mut room, &frame), said, "{frame}");
    }
}

#[test]
fn a_whole_book_is_known_to_its_depth() {
    let events = say(&mut Gateio::default(), &obu(400, "\"full\":true,\"u\":9")).unwrap();
    let [event] = events.list() else { panic!("{events:?}") };
    let Body::Book(seq, span, coverage, Origin::Stream) = event.body else { panic!("{event:?}") };
    assert_eq!((seq, coverage, event.ts_event), (VenueSeq::at(9), Coverage::Depth(400), 7_000_000));
    assert_eq!(events.levels(span).bids, [Level::new(500_000_000, 2_000_000)]);
    let events = say(&mut Gateio::default(), &obu(400, "\"u\":9,\"U\":4")).unwrap();
    let Some(Body::Levels(seq, _)) = events.list().first().map(|event| event.body) else {
        panic!("{events:?}")
    };
    assert_eq!((seq.first, seq.last, seq.prev), (4, 9, None));
}

#[test]
fn levels_of_futures_are_objects() {
    let frame = "{\"id\":null,\"time\":1,\"channel\":\"futures.order_book_update\",\"event\":\"update\",\"error\":null,\"result\":{\
         \"t\":7,\"s\":\"BTC_USDT\",\"U\":5,\"u\":6,\"b\":[],\"a\":[{\"p\":\"42372.9\",\"s\":0},{\"p\":\"42367.1\",\"s\":738}]}}";
    let events = say(&mut Gateio::default(), frame).unwrap();
    let Some(Body::Levels(_, span)) = events.list().first().map(|event| event.body) else {
        panic!("{events:?}")
    };
    let asks = [Level::new(4_237_290_000_000, 0), Level::new(4_236_710_000_000, 738_000_000)];
    assert_eq!(events.levels(span).asks, asks);
}

#[test]
fn an_answer_is_the_book_of_its_address() {
    let body = "{\"id\":123,\"current\":1623898993123,\"update\":1623898993121,\"asks\":[[\"7\",\"1\"]],\"bids\":[[\"6\",\"2\"]]}";
    let answer = |url: &str, body: &str| {
        let (routes, mut events) = (routes(), Events::default());
        let asked = Asked { routes: &routes, url: url.as_bytes() };
        let read = Gateio::default().answer(&asked, body.as_bytes(), At::default(), &mut events);
        match read {
            Ok(()) => Ok(events.list()[0].body),
            Err(error) => Err(error.code()),
        }
    };
    let url = "https://api.gateio.ws/api/v4/spot/order_book?currency_pair=BTC_USDT&limit=100&with_id=true";
    let Ok(Body::Book(seq, _, Coverage::ToWorst, Origin::Answer)) = answer(url, body) else { panic!() };
    assert_eq!(seq, VenueSeq::at(123));
    let contract = "https://api.gateio.ws/api/v4/futures/usdt/order_book?contract=BTC_USDT&with_id=true";
    assert!(matches!(answer(contract, body), Ok(Body::Book(..))));
    assert!(matches!(answer("", body), Ok(Body::Book(.., Origin::Anonymous))));
    assert_eq!(answer(&url.replace("BTC_", "ETH_"), body), Err("decode.unknown_symbol"));
    assert_eq!(
        answer("https://api.gateio.ws/api/v4/spot/trades?currency_pair=BTC_USDT", body),
        Err("decode.not_snapshot")
    );
    assert_eq!(answer(url, &body.replace("\"id\":123,", "")), Err("decode.not_snapshot"));
}

#[test]
fn a_book_that_was_recorded_among_messages_is_that_of_the_only_instrument() {
    let body = "{\"id\":123,\"current\":1.5,\"update\":1.2,\"asks\":[{\"p\":\"9\",\"s\":1}],\"bids\":[]}";
    let events = say(&mut Gateio::default(), body).unwrap();
    let [event] = events.list() else { panic!("{events:?}") };
    assert!(matches!(event.body, Body::Book(seq, .., Origin::Anonymous) if seq == VenueSeq::at(123)));
    assert_eq!(say(&mut Gateio::default(), "{\"id\":1,\"asks\":[]}").unwrap_err(), "decode.unknown_message");
    let mut several = routes();
    let route = Route { slot: Slot(1), price_exponent: -8, qty_exponent: -6 };
    assert!(several.carry([&b"ETH_USDT"[..]].into_iter(), route));
    let mut events = Events::default();
    let read = Gateio::default().frame(body.as_bytes(), At::default(), &several, &mut events);
    assert_eq!(read.map_err(|error| error.code()), Err("decode.ambiguous_snapshot"));
    assert_eq!(events.concerned(), None);
}

#[test]
fn trades_say_who_took() {
    let spot = "{\"time\":1,\"channel\":\"spot.trades\",\"event\":\"update\",\"result\":{\"id\":1638417041,\"create_time\":1631824310,\
         \"create_time_ms\":\"1631824310261.896\",\"side\":\"buy\",\"currency_pair\":\"BTC_USDT\",\"amount\":\"0.00052\",\"price\":\"47395.009\"}}";
    let futures = "{\"time\":1,\"channel\":\"futures.trades\",\"event\":\"update\",\"error\":null,\"result\":[{\"size\":-7,\"id\":376991,\
         \"create_time\":1653808101,\"price\":\"29009.9\",\"contract\":\"BTC_USDT\"},{\"size\":9,\"id\":376992,\
         \"create_time\":1653808101,\"create_time_ms\":1653808101120,\"price\":29008.7,\"contract\":\"BTC_USDT\"},{\"size\":9,\"id\":376993,\
         \"create_time\":1653808101,\"price\":\"1\",\"contract\":\"BTC_USDT\",\"is_internal\":true}]}";
    let told = |frame: &str| {
        let events = say(&mut Gateio::default(), frame).unwrap();
        let trades = events.list().iter().flat_map(|event| match event.body {
            Body::Trades(span) => events.trades_of(span).to_vec(),
            _ => vec![],
        });
        trades.map(|trade| (trade.id, trade.aggressor, trade.qty, trade.ts_event)).collect::<Vec<_>>()
    };
    let number = TradeId::Number;
    assert_eq!(told(spot), [(number(1_638_417_041), Aggressor::Buy, Qty(520), 1_631_824_310_261_000_000)]);
    assert_eq!(
        told(futures),
        [
            (number(376_991), Aggressor::Sell, Qty(7_000_000), 1_653_808_101_000_000_000),
            (number(376_992), Aggressor::Buy, Qty(9_000_000), 1_653_808_101_120_000_000),
        ]
    );
    assert_eq!(word(&mut Gateio::default(), &spot.replace("BTC_USDT", "ETH_USDT")), "decode.unknown_symbol");
}

#[test]
fn statistics_and_tops_are_read() {
    let ticker = |frame: &str| {
        let events = say(&mut Gateio::default(), frame).unwrap();
        let Some(Body::Ticker(at)) = events.list().first().map(|event| event.body) else {
            panic!("{events:?}")
        };
        events.ticker(at)
    };
    let spot = "{\"time\":1,\"channel\":\"spot.tickers\",\"event\":\"update\",\"result\":{\"currency_pair\":\"BTC_USDT\",\"last\":\"29968.31\",\
         \"lowest_ask\":\"29968.31\",\"base_volume\":\"10676.3278590512\"}}";
    let last = Some(Price(2_996_831_000_000));
    assert_eq!(
        ticker(spot),
        Ticker { last, ..Ticker::default() },
        "a volume finer than the scale is left out"
    );
    let futures = "{\"id\":null,\"time\":1,\"channel\":\"futures.tickers\",\"event\":\"update\",\"error\":null,\"result\":[{\
         \"contract\":\"BTC_USDT\",\"last\":\"29968.31\",\"funding_rate\":\"-0.00004\",\"mark_price\":\"29908\",\"index_price\":\"\",\
         \"total_size\":\"75\",\"volume_24h\":\"33\"}]}";
    let expected = Ticker {
        last,
        mark: Some(Price(2_990_800_000_000)),
        volume: Some(Qty(33_000_000)),
        open_interest: Some(Qty(75_000_000)),
        funding_rate_e9: Some(-40_000),
        ..Ticker::default()
    };
    assert_eq!(ticker(futures), expected);
    let top = "{\"id\":null,\"time\":1,\"channel\":\"futures.book_ticker\",\"event\":\"update\",\"error\":null,\"result\":{\"t\":9,\"u\":4,\
         \"s\":\"BTC_USDT\",\"b\":\"\",\"B\":0,\"a\":\"6\",\"A\":3}}";
    let events = say(&mut Gateio::default(), top).unwrap();
    let Some(Body::Bbo(top)) = events.list().first().map(|event| event.body) else { panic!("{events:?}") };
    assert_eq!((top.bid, top.ask), (Level::new(0, 0), Level::new(600_000_000, 3_000_000)));
}

#[test]
fn what_is_said_of_a_connection_is_read_or_refused() {
    for (frame, said) in [
        ("{\"time\":1,\"channel\":\"spot.pong\",\"event\":\"\",\"result\":null}", "nothing"),
        (
            "{\"time\":1,\"channel\":\"spot.obu\",\"event\":\"subscribe\",\"payload\":[\"ob.BTC_USDT.50\"],\"result\":{\"status\":\"success\"}}",
            "nothing",
        ),
        (
            "{\"time\":1,\"channel\":\"spot.obu\",\"event\":\"subscribe\",\"error\":{\"code\":2,\"message\":\"Alert sub ob.BTC_USDT.50\"},\"result\":null}",
            "decode.venue_refused",
        ),
        ("{\"time\":1,\"channel\":\"spot.candlesticks\",\"event\":\"update\",\"result\":{}}", "nothing"),
        ("{\"label\":\"TOO_MANY_REQUESTS\"}", "decode.unknown_message"),
        ("<html>", "decode.not_json"),
    ] {
        assert_eq!(word(&mut Gateio::default(), frame), said, "{frame}");
    }
}

#[test]
fn who_is_concerned_by_what_cannot_be_read() {
    for (frame, scope) in [
        (
            "{\"channel\":\"spot.obu\",\"result\":{\"t\":7,\"s\":\"ob.BTC_USDT.50\",\"u\":",
            Some(Scope::Book(Slot(0))),
        ),
        (
            "{\"time\":1,\"channel\":\"spot.order_book_update\",\"result\":{\"s\":\"BTC_USDT\",\"U\":",
            Some(Scope::Book(Slot(0))),
        ),
        ("{\"channel\":\"spot.obu\",\"result\":{\"t\":7,\"s\":\"ob.BTC_", Some(Scope::All)),
        ("{\"time\":1,\"channel\":\"spot.trades\",\"event\":", None),
        ("{\"time\":1,\"chan", Some(Scope::All)),
    ] {
        let mut events = Events::default();
        let read = Gateio::default().frame(frame.as_bytes(), At::default(), &routes(), &mut events);
        assert!(read.is_err());
        assert_eq!(events.concerned(), scope, "{frame}");
    }
}

#[test]
fn a_frame_shows_its_product() {
    for (frame, found) in [
        (obu(50, "\"u\":9,\"U\":8"), Some((GATEIO, "BTC_USDT"))),
        (obu(50, "\"u\":9,\"U\":8").replace("spot.", "futures."), Some((GATEIO_FUTURES, "BTC_USDT"))),
        (UPDATE.to_owned(), Some((GATEIO, "BTC_USDT"))),
        (
            UPDATE.replace("spot.", "futures.").replace("BTC_USDT", "BTC_USDT_20261225"),
            Some((GATEIO_DELIVERY, "BTC_USDT_20261225")),
        ),
        ("{\"channel\":\"options.trades\",\"event\":\"update\",\"result\":[]}".to_owned(), None),
    ] {
        let mut sightings = Sightings::default();
        Gateio::default().sight(frame.as_bytes(), &mut sightings);
        let told = sightings.instruments();
        let found: Vec<_> = found.into_iter().map(|(venue, symbol)| (venue, symbol.to_owned())).collect();
        assert_eq!(told, found, "{frame}");
    }
}

#[test]
fn a_symbol_of_the_other_market_is_foreign() {
    let book = obu(400, "\"full\":true,\"u\":9");
    for (product, channel, said) in [
        (GATEIO, "spot.", "book"),
        (GATEIO, "futures.", "decode.unknown_symbol"),
        (GATEIO_FUTURES, "futures.", "book"),
        (GATEIO_DELIVERY, "futures.", "book"),
        (GATEIO_FUTURES, "spot.", "decode.unknown_symbol"),
    ] {
        let mut room = Gateio::of(product);
        room.opened(At::default(), &mut Events::default());
        let frame = book.replace("spot.", channel);
        assert_eq!(word(&mut room, &frame), said, "{product:?} {channel}");
        let mut out = Events::default();
        let read = room.frame(&frame.as_bytes()[..frame.len() - 9], At::default(), &routes(), &mut out);
        assert!(read.is_err());
        assert_eq!(out.concerned().is_some(), said == "book", "{product:?} {channel}");
    }
    let book = b"{\"id\":7,\"bids\":[[\"5\",\"1\"]],\"asks\":[]}";
    for (address, is_own) in [
        ("https://api.gateio.ws/api/v4/spot/order_book?currency_pair=BTC_USDT", true),
        ("https://api.gateio.ws/api/v4/futures/usdt/order_book?contract=BTC_USDT", false),
    ] {
        let asked = Asked { routes: &routes(), url: address.as_bytes() };
        let read = Gateio::of(GATEIO).answer(&asked, book, At::default(), &mut Events::default());
        assert_eq!(read.is_ok(), is_own, "{address}");
    }
}
