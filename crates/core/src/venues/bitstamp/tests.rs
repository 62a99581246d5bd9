use super::*;
use crate::types::{
    Aggressor, Coverage, OrderChange, OrderId, Origin, Price, Qty, Route, Side, TradeId, TradingStatus,
    VenueSeq,
};
use crate::venues::BITSTAMP;

fn routes() -> Routes {
    let mut routes = Routes::new();
    for (slot, code) in [&b"btcusd"[..], b"ethusd"].into_iter().enumerate() {
        let route = Route { slot: Slot(slot as u32), price_exponent: -2, qty_exponent: -8 };
        assert!(routes.carry([code].into_iter(), route));
    }
    routes
}

fn difference(pair: &str, time_us: u64) -> String {
    format!(
        "{{\"data\":{{\"timestamp\":\"1\",\"microtimestamp\":\"{time_us}\",\"bids\":[[\"100.5\",\"1\"]],\"asks\":[[\"101\",\"0\"]]}},\
         \"channel\":\"diff_order_book_{pair}\",\"event\":\"data\"}}"
    )
}

fn said(room: &mut Bitstamp, frame: &str) -> Result<Vec<Body>, (&'static str, Option<Scope>)> {
    let mut events = Events::default();
    let read = room.frame(frame.as_bytes(), At::default(), &routes(), &mut events);
    read.map_err(|error| (error.code(), events.concerned()))?;
    Ok(events.list().iter().map(|event| event.body).collect())
}

/// What a difference covers; none where its book is lost.
fn covered(room: &mut Bitstamp, frame: &str) -> Option<(u64, u64)> {
    match *said(room, frame).unwrap() {
        [Body::Levels(VenueSeq { first, last, prev: None }, _)] => Some((first, last)),
        [Body::Lost { reason: StaleReason::Contradiction, .. }] => None,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_difference_covers_the_time_since_the_one_before() {
    let mut room = Bitstamp::default();
    for (pair, time, covers) in [
        ("btcusd", 500, Some((500, 500))),
        ("btcusd", 700, Some((501, 700))),
        ("ethusd", 600, Some((600, 600))),
        ("btcusd", 700, Some((700, 700))),
        ("btcusd", 900, Some((701, 900))),
        ("btcusd", 899, None),
        ("btcusd", 950, Some((950, 950))),
        ("ethusd", 650, Some((601, 650))),
    ] {
        assert_eq!(covered(&mut room, &difference(pair, time)), covers, "{pair} {time}");
    }
    let mut events = Events::default();
    room.opened(At::default(), &mut events);
    assert_eq!(events.list().len(), 2, "both books");
    assert_eq!(covered(&mut room, &difference("btcusd", 1_000)), Some((1_000, 1_000)));
}

#[test]
fn what_cannot_be_read_breaks_the_time() {
    for (frame, code, concerned) in [
        (
            difference("btcusd", 800).replace("\"1\"]]", "\"x\"]]"),
            "decode.bad_number",
            Some(Scope::Book(Slot(0))),
        ),
        (
            difference("btcusd", 800).replace("\"event\"", "\"evert\""),
            "decode.missing_field",
            Some(Scope::Book(Slot(0))),
        ),
        (difference("btcusd", 800)[..90].to_owned(), "decode.truncated", Some(Scope::All)),
        ("<html>".to_owned(), "decode.not_json", Some(Scope::All)),
    ] {
        let mut room = Bitstamp::default();
        assert_eq!(covered(&mut room, &difference("btcusd", 500)), Some((500, 500)));
        assert_eq!(said(&mut room, &frame), Err((code, concerned)));
        assert_eq!(covered(&mut room, &difference("btcusd", 900)), Some((900, 900)), "{frame}");
    }
    let mut room = Bitstamp::default();
    assert_eq!(said(&mut room, &difference("xrpusd", 1)), Err(("decode.unknown_symbol", None)));
}

#[test]
fn an_answer_is_the_book_of_its_address() {
    let routes = routes();
    let book = |bid: &str| {
        format!(
            "{{\"timestamp\":\"1\",\"microtimestamp\":\"600\",\"bids\":[[\"{bid}\",\"1\"]],\"asks\":[[\"101\",\"2\"]]}}"
        )
    };
    let mut events = Events::default();
    let mut answer = |url: &str, text: &str| {
        events.clear();
        let asked = Asked { routes: &routes, url: url.as_bytes() };
        let read = Bitstamp::default().answer(&asked, text.as_bytes(), At::default(), &mut events);
        read.map_err(|error| error.code())?;
        let [event] = events.list() else { panic!("{:?}", events.list()) };
        let Body::Book(seq, span, Coverage::Whole, Origin::Answer) = event.body else { panic!("{event:?}") };
        Ok((event.slot.0, seq.last, event.ts_event, events.levels(span).bids[0].price.0))
    };
    let url = "https://www.bitstamp.net/api/v2/order_book/ethusd/?group=1";
    assert_eq!(answer(url, &book("100")), Ok((1, 600, 600_000, 10_000)));
    assert_eq!(answer("https://x/api/v2/order_book/ethusd", &book("100.5")), Ok((1, 600, 600_000, 10_050)));
    assert_eq!(answer("", &book("100")), Err("decode.ambiguous_snapshot"));
    assert_eq!(answer("https://x/order_book/xrpusd", &book("100")), Err("decode.unknown_symbol"));
    assert_eq!(answer(url, &book("101")), Err("decode.not_snapshot"), "crossed");
    let orders = book("100").replace("\"1\"]", "\"1\",\"2043\"]");
    assert_eq!(answer(url, &orders), Err("decode.not_snapshot"), "orders are no levels");
    assert_eq!(answer(url, "{\"error\":\"x\"}"), Err("decode.not_snapshot"));
    assert_eq!(answer(url, "[]"), Err("decode.not_snapshot"));
}

#[test]
fn trades_are_read_exactly() {
    let frame = |side: u32| {
        format!(
            "{{\"data\":{{\"id\":213,\"timestamp\":\"1\",\"amount\":0.1,\"amount_str\":\"0.10000000\",\"price\":100.1,\
             \"price_str\":\"100.10\",\"type\":{side},\"microtimestamp\":\"700\",\"buy_order_id\":1,\"sell_order_id\":2}},\
             \"channel\":\"live_trades_btcusd\",\"event\":\"trade\"}}"
        )
    };
    for (side, aggressor) in [(0, Aggressor::Buy), (1, Aggressor::Sell), (7, Aggressor::Unknown)] {
        let mut events = Events::default();
        let frame = frame(side);
        Bitstamp::default().frame(frame.as_bytes(), At::default(), &routes(), &mut events).unwrap();
        let Body::Trades(span) = events.list()[0].body else { panic!() };
        let told = events.trades_of(span)[0];
        assert_eq!((told.id, told.price, told.qty), (TradeId::Number(213), Price(10_010), Qty(10_000_000)));
        assert_eq!((told.aggressor, told.ts_event), (aggressor, 700_000));
    }
}

#[test]
fn the_connection_speaks_of_itself() {
    for (frame, says) in [
        (
            "{\"event\":\"bts:subscription_succeeded\",\"channel\":\"live_trades_btcusd\",\"data\":{}}",
            Ok(vec![]),
        ),
        ("{\"event\":\"bts:heartbeat\",\"channel\":\"\",\"data\":{\"status\":\"success\"}}", Ok(vec![])),
        ("{\"event\":\"bts:request_reconnect\",\"channel\":\"\",\"data\":\"\"}", Ok(vec![])),
        (
            "{\"event\":\"data\",\"channel\":\"detail_order_book_btcusd\",\"data\":{\"bids\":[],\"asks\":[]}}",
            Ok(vec![]),
        ),
        (
            "{\"event\":\"bts:error\",\"channel\":\"\",\"data\":{\"code\":null,\"message\":\"Bad subscription string.\"}}",
            Err(("decode.venue_refused", None)),
        ),
    ] {
        assert_eq!(said(&mut Bitstamp::default(), frame), says, "{frame}");
    }
}

#[test]
fn the_list_of_pairs_tells_digits() {
    let answer = b"[{\"trading\": \"Enabled\", \"base_decimals\": 8, \"url_symbol\": \"btcusd\", \"name\": \"BTC\\/USD\", \
        \"counter_decimals\": 2},{\"trading\": \"Disabled\", \"base_decimals\": 5, \"url_symbol\": \"xrpeur\", \"name\": \
        \"XRP/EUR\", \"counter_decimals\": 5}]";
    let out = crate::venues::instruments(BITSTAMP, answer).unwrap();
    let [first, second] = out.list() else { panic!("{:?}", out.list()) };
    assert_eq!((&*first.symbol, first.price_exponent, first.qty_exponent), ("btcusd", -2, -8));
    assert_eq!((&*first.terms.base, &*first.terms.quote), ("BTC", "USD"));
    assert_eq!((second.price_exponent, second.terms.status), (-5, TradingStatus::Halted));
    assert!(Bitstamp::instruments(BITSTAMP, b"{}", &mut Definitions::default()).is_err());
    assert_eq!(instrument(BITSTAMP, "BTC/USD").symbol, "btcusd");
}

#[test]
fn the_time_is_in_microseconds() {
    assert_eq!(
        Bitstamp::time(difference("btcusd", 1_641_343_691_406_478).as_bytes()),
        1_641_343_691_406_478_000
    );
    assert_eq!(Bitstamp::time(b"{}"), 0);
}

/// What a message of version 1 does; the price and amount of a trade.
fn said_by_v1(frame: &str) -> Result<String, &'static str> {
    let mut events = Events::default();
    let read = Bitstamp::default().frame(frame.as_bytes(), At::default(), &routes(), &mut events);
    read.map_err(|error| error.code())?;
    let [event] = events.list() else { panic!("{:?}", events.list()) };
    assert_eq!((event.slot, event.ts_event), (Slot(0), 0));
    Ok(match event.body {
        Body::Orders(0, span) => format!("{:?}", events.order_changes(span)),
        Body::Trades(span) => {
            let trade = events.trades_of(span)[0];
            format!("{} {} {:?}", trade.price.0, trade.qty.0, trade.aggressor)
        }
        Body::Book(seq, span, Coverage::Depth(20), Origin::Restated) => {
            assert_eq!(seq, VenueSeq::default());
            let sides = events.levels(span);
            format!("{:?} {:?}", sides.bids, sides.asks)
        }
        ref other => panic!("{other:?}"),
    })
}

#[test]
fn version_1_is_read() {
    let order = |event: &str| {
        format!(
            "order_{event} {{\"price\": \"236.47\", \"amount\": \"2.00000000\", \"datetime\": \"1\", \"id\": 65, \"order_type\": 1}}"
        )
    };
    let (id, side, price, qty) = (OrderId(65), Side::Ask, Price(23_647), Qty(200_000_000));
    for (event, change) in [
        ("created", OrderChange::Add { id, side, price, qty }),
        ("changed", OrderChange::Modify { id, side, price, qty }),
        ("deleted", OrderChange::Delete { id }),
    ] {
        assert_eq!(said_by_v1(&order(event)), Ok(format!("{:?}", [change])), "{event}");
    }
    for (wrong, code) in [
        (order("created").replace("\"order_type\": 1", "\"order_type\": 2"), "decode.wrong_type"),
        (order("created").replace("236.47", "0.00"), "decode.zero_price"),
        (order("created").replace("\"id\": 65, ", ""), "decode.missing_field"),
        (order("filled"), "decode.not_json"),
        (order("created")[..40].to_owned(), "decode.truncated"),
    ] {
        assert_eq!(said_by_v1(&wrong), Err(code), "{wrong}");
    }
    let book =
        "order_book {\"bids\": [[\"236.47\", \"1.50000000\"]], \"asks\": [[\"236.64\", \"3.79520000\"]]}";
    let levels = |price, qty| [crate::types::Level::new(price, qty)];
    let said = format!("{:?} {:?}", levels(23_647, 150_000_000), levels(23_664, 379_520_000));
    assert_eq!(said_by_v1(book), Ok(said));
}

#[test]
fn numbers_of_trades_of_version_1_are_those_that_binary_ones_stand_for() {
    for (price, amount, expected) in [
        ("236.47", "0.21144331", "23647 21144331 Unknown"),
        ("236.47999999999999", "1.7885566900000001", "23648 178855669 Unknown"),
        ("236", "3", "23600 300000000 Unknown"),
        ("236.00000000000003", "9.9999999999999995e-07", "23600 100 Unknown"),
        ("236.5", "9.9999999999999999e-30", "23650 0 Unknown"),
    ] {
        let trade = format!("trade {{\"price\": {price}, \"amount\": {amount}, \"id\": 8111041}}");
        assert_eq!(said_by_v1(&trade), Ok(expected.to_owned()), "{trade}");
    }
    let coarse = Route { slot: Slot(0), price_exponent: 0, qty_exponent: -8 };
    let mut routes = Routes::new();
    assert!(routes.carry([v1::PAIR].into_iter(), coarse));
    let trade = b"trade {\"price\": 236.47999999999999, \"amount\": 1, \"id\": 1}";
    let read = Bitstamp::default().frame(trade, At::default(), &routes, &mut Events::default());
    assert_eq!(read.map_err(|error| error.code()), Err("decode.inexact"));
}

#[test]
fn a_book_of_version_1_that_cannot_be_read_is_in_doubt() {
    let concerned = |frame: &str| said(&mut Bitstamp::default(), frame).unwrap_err().1;
    assert_eq!(concerned("order_book {\"bids\": [[\"1.00\""), Some(Scope::Book(Slot(0))));
    assert_eq!(concerned("order_deleted {\"id\": 7"), None, "no book of levels depends on it");
}

#[test]
fn a_book_that_is_told_whole_gives_way_to_differences() {
    let whole =
        |time: u64| difference("btcusd", time).replace("diff_order", "order").replace("\"0\"", "\"2\"");
    let restated = |said: &[Body]| match *said {
        [Body::Book(seq, span, Coverage::Depth(100), Origin::Restated)] => Some((seq.last, span.len())),
        [] => None,
        ref other => panic!("{other:?}"),
    };
    let ack = |verb: &str| {
        format!("{{\"event\":\"bts:{verb}_succeeded\",\"channel\":\"diff_order_book_btcusd\",\"data\":{{}}}}")
    };
    let restart = Body::Restart(Scope::Book(Slot(0)));
    let mut room = Bitstamp::default();
    assert_eq!(restated(&said(&mut room, &whole(500)).unwrap()), Some((500, 2)));
    assert_eq!(restated(&said(&mut room, &whole(600)).unwrap()), Some((600, 2)));
    match said(&mut room, &difference("btcusd", 700)).unwrap()[..] {
        [first, Body::Levels(seq, _)] => assert_eq!((first, seq.first, seq.last), (restart, 700, 700)),
        ref other => panic!("{other:?}"),
    }
    assert_eq!(restated(&said(&mut room, &whole(800)).unwrap()), None, "differences say more");
    assert_eq!(covered(&mut room, &difference("btcusd", 900)), Some((701, 900)));
    assert_eq!(said(&mut room, &ack("unsubscription")), Ok(vec![]));
    assert_eq!(restated(&said(&mut room, &whole(950)).unwrap()), Some((950, 2)));
    assert_eq!(said(&mut room, &ack("subscription")), Ok(vec![restart]));
    assert_eq!(restated(&said(&mut room, &whole(960)).unwrap()), None);
    let broken = whole(970).replace("\"1\"]]", "\"x\"]]");
    let mut room = Bitstamp::default();
    assert_eq!(said(&mut room, &broken), Err(("decode.bad_number", Some(Scope::Book(Slot(0))))));
    for frame in [whole(500), "order_book {\"bids\": [[\"1.00\", \"1.0\"]], \"asks\": []}".to_owned()] {
        let mut room = Bitstamp::default();
        said(&mut room, &frame).unwrap();
        let mut events = Events::default();
        room.skipped(At::default(), &mut events);
        assert!(matches!(events.list()[0].body, Body::Lost { reason: StaleReason::Skipped, .. }), "{frame}");
    }
}

#[test]
fn a_frame_is_json_to_its_last_letter_or_refused() {
    let good = difference("btcusd", 500);
    assert!(said(&mut Bitstamp::default(), &good).is_ok());
    // Members that mean nothing here: the second number is the one that was damaged.
    for (from, to) in [
        ("\"timestamp\":\"1\"", "\"timestamp\":01"),
        ("\"timestamp\":\"1\"", "\"timestamp\":1.2.3"),
        ("\"timestamp\":\"1\"", "\"timestamp\":\"\\x\""),
        ("\"timestamp\":\"1\"", "\"timestamp\":\"\u{1}\""),
        ("\"event\":", "\"more\":{\"a\":[1,{\"b\":-}]},\"event\":"),
    ] {
        let frame = good.replacen(from, to, 1);
        let read = said(&mut Bitstamp::default(), &frame);
        // What is escaped may be another name.
        let scope = if to.contains('\\') { Scope::All } else { Scope::Book(Slot(0)) };
        assert_eq!(read, Err(("decode.not_json", Some(scope))), "{frame}");
    }
}

#[test]
fn a_frame_that_names_two_pairs_and_cannot_be_read_is_of_either() {
    let broken = difference("btcusd", 500).replace("\"timestamp\":\"1\"", "\"timestamp\":01");
    for (from, to, scope) in [
        ("", "", Scope::Book(Slot(0))),
        ("\"data\":{", "\"more\":\"order_book_ethusd\",\"data\":{", Scope::All),
        ("\"data\":{", "\"more\":\"order_book_xrpusd\",\"data\":{", Scope::All),
        ("\"data\":{", "\"more\":\"live_trades_btcusd\",\"data\":{", Scope::Book(Slot(0))),
        ("\"data\":{", "\"more\":\"bts:\",\"data\":{", Scope::Book(Slot(0))),
        ("\"data\":{", "\"more\":\"\\n\",\"data\":{", Scope::All),
    ] {
        let frame = broken.replacen(from, to, 1);
        assert_eq!(said(&mut Bitstamp::default(), &frame), Err(("decode.not_json", Some(scope))), "{frame}");
    }
    let trade = r#"{"data":{"id":01},"channel":"live_trades_btcusd","event":"trade"}"#;
    assert_eq!(said(&mut Bitstamp::default(), trade), Err(("decode.not_json", None)));
}
