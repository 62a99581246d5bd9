use super::*;
use crate::types::{
    Aggressor, Coverage, Definition, Level, Origin, Price, Qty, Route, Ticker, TradeId, TradingStatus,
    VenueSeq, Verb,
};
use crate::venues::{Asked, BITMEX};

fn routes() -> Routes {
    let mut routes = Routes::new();
    for (slot, name, price_exponent) in [(0, &b"XBTUSD"[..], -1), (1, b"ETHUSD", -2)] {
        let route = Route { slot: Slot(slot), price_exponent, qty_exponent: 0 };
        assert!(routes.carry([name].into_iter(), route));
    }
    routes
}

fn say(room: &mut Bitmex, frame: &str) -> Result<Events, &'static str> {
    let mut events = Events::default();
    match room.frame(frame.as_bytes(), At::default(), &routes(), &mut events) {
        Ok(()) => Ok(events),
        Err(error) => Err(error.code()),
    }
}

/// In a word what each event of a frame says.
fn words(room: &mut Bitmex, frame: &str) -> String {
    match say(room, frame) {
        Err(code) => code.to_owned(),
        Ok(events) => {
            let word = |body: &Body| match body {
                Body::Book(..) => "book",
                Body::VerbedLevels(..) => "verbs",
                Body::Levels(..) => "levels",
                Body::Trades(_) => "trade",
                Body::Liquidations(_) => "liquidation",
                Body::Bbo(_) => "top",
                Body::Lost { .. } => "lost",
                _ => "another",
            };
            let words = events.list().iter().map(|event| {
                let more = if event.is_last { "" } else { "…" };
                format!("{}{more} {}", word(&event.body), event.slot.0)
            });
            words.collect::<Vec<_>>().join(", ")
        }
    }
}

/// A message of a table of levels: each row is a side, an id, a price and a size, of which 0 stands for none.
fn rows(table: &str, action: &str, symbol: &str, rows: &[(&str, u64, u32, u32)]) -> String {
    let number = |key: &str, value: u32| match value {
        0 => String::new(),
        value => format!(",\"{key}\":{}.{}", value / 10, value % 10),
    };
    let row = |(side, id, price, size): &(&str, u64, u32, u32)| {
        format!(
            "{{\"symbol\":\"{symbol}\",\"id\":{id},\"side\":\"{side}\"{}{},\"timestamp\":\"2024-05-06T07:08:09.012Z\"}}",
            number("size", size * 10),
            number("price", *price),
        )
    };
    let list = rows.iter().map(row).collect::<Vec<_>>().join(",");
    let filter = if action == "partial" {
        format!("\"keys\":[\"symbol\",\"id\",\"side\"],\"filter\":{{\"symbol\":\"{symbol}\"}},")
    } else {
        String::new()
    };
    format!("{{\"table\":\"{table}\",\"action\":\"{action}\",{filter}\"data\":[{list}]}}")
}

const L2: &str = "orderBookL2";
const BOOK: [(&str, u64, u32, u32); 3] =
    [("Sell", 9, 602_505, 700), ("Buy", 7, 602_500, 1_200), ("Buy", 5, 602_495, 300)];

/// A room that has heard a whole book of that table.
fn begun(table: &str) -> Bitmex {
    let mut room = Bitmex::default();
    assert_eq!(words(&mut room, &rows(table, "partial", "XBTUSD", &BOOK)), "book 0");
    room
}

#[test]
fn a_book_is_whole_and_then_told_by_what_comes_changes_and_goes() {
    let mut room = Bitmex::default();
    let events = say(&mut room, &rows(L2, "partial", "XBTUSD", &BOOK)).unwrap();
    let [event] = events.list() else { panic!("{events:?}") };
    let Body::Book(seq, span, Coverage::Whole, Origin::Stream) = event.body else { panic!("{event:?}") };
    assert_eq!((seq, event.ts_event), (VenueSeq::at(0), 1_714_979_289_012_000_000));
    let sides = events.levels(span);
    assert_eq!(sides.bids, [Level::new(602_500, 1_200), Level::new(602_495, 300)]);
    assert_eq!(sides.asks, [Level::new(602_505, 700)]);
    let asks = vec![Level::new(602_510, 40)];
    for (action, row, verb, bids, asks) in [
        ("insert", ("Sell", 3, 602_510, 40), Verb::New, vec![], asks),
        ("update", ("Buy", 7, 602_500, 90), Verb::Change, vec![Level::new(602_500, 90)], vec![]),
        ("update", ("Buy", 7, 0, 80), Verb::Change, vec![Level::new(602_500, 80)], vec![]),
        ("delete", ("Buy", 7, 602_500, 0), Verb::Delete, vec![Level::new(602_500, 0)], vec![]),
        ("delete", ("Sell", 3, 0, 0), Verb::Delete, vec![], vec![Level::new(602_510, 0)]),
    ] {
        let events = say(&mut room, &rows(L2, action, "XBTUSD", &[row])).unwrap();
        let Some(Body::VerbedLevels(seq, span, verbs)) = events.list().first().map(|event| event.body) else {
            panic!("{events:?}")
        };
        let sides = events.levels(span);
        assert_eq!((seq, sides.bids, sides.asks), (VenueSeq::at(0), &*bids, &*asks));
        assert_eq!(events.verbs_of(verbs), [verb]);
    }
    // The id may come again, with another price.
    let again = rows(L2, "insert", "XBTUSD", &[("Buy", 7, 602_480, 1), ("Sell", 7, 602_520, 2)]);
    assert_eq!(words(&mut room, &again), "verbs 0");
}

#[test]
fn what_cannot_be_contradicts_the_book_until_it_is_told_anew() {
    for (action, row) in [
        ("insert", ("Sell", 9, 602_505, 1)),
        ("insert", ("Sell", 9, 602_515, 1)),
        ("update", ("Buy", 9, 602_505, 1)),
        ("update", ("Sell", 8, 602_505, 1)),
        ("update", ("Sell", 8, 0, 1)),
        ("update", ("Sell", 9, 602_515, 1)),
        ("delete", ("Sell", 8, 0, 0)),
        ("delete", ("Sell", 9, 602_515, 0)),
        ("partial", ("Sell", 9, 602_515, 1)),
    ] {
        for table in [L2, "orderBookL2_25"] {
            let mut room = begun(table);
            let frame = match action {
                "partial" => rows(table, action, "XBTUSD", &[row, row]),
                _ => rows(table, action, "XBTUSD", &[row]),
            };
            let events = say(&mut room, &frame).unwrap();
            let [event] = events.list() else { panic!("{events:?}") };
            let (scope, reason) = (Scope::Book(Slot(0)), StaleReason::Contradiction);
            assert_eq!(event.body, Body::Lost { scope, reason, expected: 0, received: 0 }, "{frame}");
            assert!(events.levels_added().is_empty());
            let good = rows(table, "update", "XBTUSD", &[("Buy", 7, 602_500, 9)]);
            assert_eq!(words(&mut room, &good), "", "it is not known any more");
            assert_eq!(words(&mut room, &rows(table, "partial", "XBTUSD", &BOOK)), "book 0");
            assert_ne!(words(&mut room, &good), "");
        }
    }
}

#[test]
fn what_comes_before_the_whole_book_is_dropped() {
    let mut room = Bitmex::default();
    let update = rows(L2, "update", "XBTUSD", &[("Buy", 7, 602_500, 9)]);
    assert_eq!(words(&mut room, &update), "");
    let empty = rows(L2, "partial", "XBTUSD", &[]);
    assert_eq!(words(&mut room, &empty), "book 0", "a book may be empty");
    assert_eq!(words(&mut room, &rows(L2, "insert", "XBTUSD", &BOOK[..1])), "verbs 0");
    let size_alone = update.replace("\"size\":9.0,", "");
    assert_eq!(words(&mut begun(L2), &size_alone), "", "nothing that is told has changed");
}

#[test]
fn a_number_finer_than_the_scale_changes_nothing_of_what_is_known() {
    let mut room = begun(L2);
    let both = [("Sell", 4, 602_510, 1), ("Buy", 7, 602_500, 1)];
    let fine = rows(L2, "insert", "XBTUSD", &both[..1]).replace("60251.0", "60251.05");
    assert_eq!(words(&mut room, &fine), "decode.inexact");
    let mut finer = Routes::new();
    let route = Route { slot: Slot(0), price_exponent: -2, qty_exponent: 0 };
    assert!(finer.carry([&b"XBTUSD"[..]].into_iter(), route));
    let mut events = Events::default();
    for (frame, price) in [
        (fine, 6_025_105),
        (rows(L2, "update", "XBTUSD", &[("Sell", 9, 0, 1)]), 6_025_050),
        (rows(L2, "delete", "XBTUSD", &[("Sell", 9, 602_505, 0)]), 6_025_050),
    ] {
        events.clear();
        room.frame(frame.as_bytes(), At::default(), &finer, &mut events).unwrap();
        let Some(Body::VerbedLevels(_, span, _)) = events.list().first().map(|event| event.body) else {
            panic!("{events:?}")
        };
        assert_eq!(events.levels(span).asks[0].price, Price(price), "{frame}");
    }
}

#[test]
fn what_a_book_is_told_by_is_read_or_refused() {
    let insert = rows(L2, "insert", "XBTUSD", &[("Buy", 4, 602_490, 3)]);
    for (frame, said) in [
        (insert.clone(), "verbs 0"),
        (insert.replace("insert", "upsert"), "decode.wrong_type"),
        (insert.replace("\"Buy\"", "\"Both\""), "decode.wrong_type"),
        (insert.replace("\"size\":3.0", "\"size\":0"), "decode.wrong_type"),
        (insert.replace("\"size\":3.0", "\"size\":-3"), "decode.negative"),
        (insert.replace("\"size\":3.0,", ""), "decode.missing_field"),
        (insert.replace(",\"price\":60249.0", ""), "decode.missing_field"),
        (insert.replace(",\"price\":60249.0", ",\"price\":0"), "decode.zero_price"),
        (insert.replace("\"id\":4", "\"id\":-4"), "decode.bad_number"),
        (insert.replace("2024-05-06", "2024-05-66"), "decode.wrong_type"),
        (insert.replace("XBTUSD", "XBTEUR"), "decode.unknown_symbol"),
        (insert.replace("\"data\"", "\"rows\""), "decode.missing_field"),
        ("{\"data\":[]}".to_owned(), "decode.unknown_message"),
        ("<html>".to_owned(), "decode.not_json"),
    ] {
        assert_eq!(words(&mut begun(L2), &frame), said, "{frame}");
    }
}

#[test]
fn a_message_may_be_of_several_instruments() {
    let mut room = Bitmex::default();
    let all = rows(L2, "partial", "XBTUSD", &BOOK)
        .replace("\"filter\":{\"symbol\":\"XBTUSD\"}", "\"filter\":{}")
        .replace("\"symbol\":\"XBTUSD\",\"id\":7", "\"symbol\":\"ETHUSD\",\"id\":7");
    assert_eq!(words(&mut room, &all), "book 0, book 1");
    let foreign = all.replace("partial", "delete").replacen("XBTUSD", "XBTEUR", 1);
    assert_eq!(words(&mut room, &foreign), "verbs 0, verbs 1");
    let mut events = Events::default();
    assert!(room.frame(&foreign.as_bytes()[..200], At::default(), &routes(), &mut events).is_err());
    assert_eq!(events.concerned(), Some(Scope::All), "the rest may be of any");
    let unsaid = all.replace("\"filter\":{},", "");
    let mut room = Bitmex::default();
    assert_eq!(words(&mut room, &unsaid), "book 0, book 1");
    assert!(room.has_all);
}

/// So many levels a side, the best at 60000.
fn levels(count: u64) -> Vec<(&'static str, u64, u32, u32)> {
    let of = |side, id, price: u64| (side, id, price as u32, 10);
    let bids = (0..count).map(|at| of("Buy", 100 + at, 600_000 - 5 * at));
    bids.chain((0..count).map(|at| of("Sell", 300 + at, 600_005 + 5 * at))).collect()
}

#[test]
fn the_best_25_levels_are_told_in_several_messages() {
    const BEST: &str = "orderBookL2_25";
    let mut room = Bitmex::default();
    let events = say(&mut room, &rows(BEST, "partial", "XBTUSD", &levels(25))).unwrap();
    let Some(Body::Book(_, _, Coverage::Depth(25), Origin::Stream)) =
        events.list().first().map(|event| event.body)
    else {
        panic!("{events:?}")
    };
    let (first, next) = (("Buy", 100, 0, 0), ("Buy", 999, 598_000, 5));
    let (better, worst) = (("Buy", 998, 600_002, 5), ("Buy", 124, 0, 0));
    for (action, row, said) in [
        ("delete", first, "levels… 0"),
        ("update", ("Buy", 101, 0, 7), "levels… 0"),
        ("insert", next, "levels 0"),
        ("insert", better, "levels… 0"),
        ("update", ("Sell", 300, 0, 7), "levels… 0"),
        ("delete", worst, "levels 0"),
        ("insert", first, "decode.missing_field"),
    ] {
        assert_eq!(words(&mut room, &rows(BEST, action, "XBTUSD", &[row])), said, "{action} {row:?}");
    }
    let more = rows(BEST, "insert", "XBTUSD", &[("Buy", 100, 600_001, 5)]);
    assert_eq!(words(&mut room, &more), "levels… 0");
    let update = rows(BEST, "update", "XBTUSD", &[("Buy", 101, 0, 8)]);
    assert_eq!([0; 3].map(|_| words(&mut room, &update)), ["levels… 0", "levels… 0", "lost 0"]);
    assert_eq!(words(&mut room, &rows(BEST, "partial", "XBTUSD", &levels(25))), "book 0");
    assert_eq!(words(&mut room, &rows(BEST, "delete", "XBTUSD", &[first])), "levels… 0");
    let short = [0; 4].map(|_| words(&mut room, &update));
    assert_eq!(short, ["levels… 0", "levels 0", "levels 0", "levels 0"], "there are no more");
    assert_eq!(words(&mut room, &rows(BEST, "partial", "XBTUSD", &levels(26))), "lost 0");
}

#[test]
fn the_best_ten_levels_are_told_whole() {
    let whole = |action: &str| {
        format!(
            "{{\"table\":\"orderBook10\",\"action\":\"{action}\",\"data\":[{{\"symbol\":\"XBTUSD\",\"bids\":[[60250,1200],[60249.5,300]],\
             \"timestamp\":\"2024-05-06T07:08:09.012Z\",\"asks\":[[60250.5,700]]}}]}}"
        )
    };
    let mut room = Bitmex::default();
    for (action, is_from) in
        [("partial", Origin::Stream), ("update", Origin::Restated), ("insert", Origin::Restated)]
    {
        let events = say(&mut room, &whole(action)).unwrap();
        let [event] = events.list() else { panic!("{events:?}") };
        let Body::Book(seq, span, Coverage::Depth(10), origin) = event.body else { panic!("{event:?}") };
        assert_eq!((seq, origin), (VenueSeq::at(1_714_979_289_012), is_from), "its time is its number");
        let sides = events.levels(span);
        assert_eq!(sides.bids, [Level::new(602_500, 1_200), Level::new(602_495, 300)]);
        assert_eq!(sides.asks, [Level::new(602_505, 700)]);
    }
    let asks = ",\"asks\":[[60250.5,700]]";
    for (frame, said) in [
        (whole("partial").replace(asks, ""), "book 0"),
        (whole("update").replace(asks, ""), "decode.missing_field"),
        (whole("update").replace("[60250.5,700]", "[60250.5]"), "decode.bad_level"),
        (whole("update").replace("[60250.5,700]", &["[1,1]"; 11].join(",")), "decode.too_many_levels"),
        (whole("delete"), "lost 0"),
    ] {
        assert_eq!(words(&mut room, &frame), said, "{frame}");
    }
}

#[test]
fn of_several_tables_the_deepest_counts() {
    let ten = "{\"table\":\"orderBook10\",\"action\":\"update\",\"data\":[{\"symbol\":\"XBTUSD\",\"bids\":[[60250,1]],\"asks\":[],\
               \"timestamp\":\"2024-05-06T07:08:09.012Z\"}]}";
    let mut room = Bitmex::default();
    assert_eq!(words(&mut room, ten), "book 0");
    assert_eq!(words(&mut room, &rows("orderBookL2_25", "partial", "XBTUSD", &BOOK)), "book 0");
    assert_eq!(words(&mut room, ten), "");
    assert_eq!(words(&mut room, &rows(L2, "partial", "XBTUSD", &BOOK)), "book 0");
    let delete = |table| rows(table, "delete", "XBTUSD", &[("Buy", 7, 0, 0)]);
    assert_eq!([words(&mut room, &delete("orderBookL2_25")), words(&mut room, ten)], ["", ""]);
    assert_eq!(words(&mut room, &delete(L2)), "verbs 0");
    assert_eq!(words(&mut room, "{\"success\":true,\"unsubscribe\":\"orderBook10:XBTUSD\"}"), "");
    let ended =
        "{\"success\":true,\"unsubscribe\":\"orderBookL2:XBTUSD\",\"request\":{\"op\":\"unsubscribe\"}}";
    assert_eq!([ended; 2].map(|frame| words(&mut room, frame)), ["lost 0", ""]);
    assert_eq!(words(&mut room, ten), "book 0", "the next deepest");
}

const TRADE: &str = "{\"table\":\"trade\",\"action\":\"insert\",\"data\":[{\"timestamp\":\"2024-05-06T07:08:09.012Z\",\"symbol\":\"XBTUSD\",\
     \"side\":\"Sell\",\"size\":900,\"price\":60250.5,\"tickDirection\":\"MinusTick\",\"trdMatchID\":\"9b3c2f60-0000-0000-006d-9a4d31c40ab2\",\
     \"grossValue\":1493764,\"homeNotional\":0.01493764,\"foreignNotional\":900,\"trdType\":\"Regular\"}]}";

#[test]
fn only_executions_on_the_book_are_trades() {
    let events = say(&mut Bitmex::default(), TRADE).unwrap();
    let Some(Body::Trades(span)) = events.list().first().map(|event| event.body) else {
        panic!("{events:?}")
    };
    let [trade] = events.trades_of(span) else { panic!("{events:?}") };
    assert_eq!(trade.id, TradeId::of_text(b"9b3c2f60-0000-0000-006d-9a4d31c40ab2"));
    assert_eq!((trade.price, trade.qty, trade.aggressor), (Price(602_505), Qty(900), Aggressor::Sell));
    assert_eq!(trade.ts_event, 1_714_979_289_012_000_000);
    for (frame, said) in [
        (TRADE.replace(",\"trdType\":\"Regular\"", ""), "trade 0"),
        (TRADE.replace("Regular", "Settlement"), ""),
        (TRADE.replace("Regular", "Referential"), ""),
        (TRADE.replace("insert", "partial"), ""),
        (TRADE.replace("\"side\":\"Sell\",", ""), "trade 0"),
        (TRADE.replace("60250.5", "null"), "decode.wrong_type"),
        (TRADE.replace("XBTUSD", ".BXBT"), "decode.unknown_symbol"),
    ] {
        assert_eq!(words(&mut Bitmex::default(), &frame), said, "{frame}");
    }
}

#[test]
fn a_liquidation_is_told_when_its_order_is_placed() {
    let frame = "{\"table\":\"liquidation\",\"action\":\"insert\",\"data\":[{\"orderID\":\"dd9cea25-0000-0dab-15b5-b88da776f500\",\
                 \"symbol\":\"XBTUSD\",\"side\":\"Buy\",\"price\":60106,\"leavesQty\":9200}]}";
    let events = say(&mut Bitmex::default(), frame).unwrap();
    let Some(Body::Liquidations(span)) = events.list().first().map(|event| event.body) else {
        panic!("{events:?}")
    };
    let [order] = events.trades_of(span) else { panic!("{events:?}") };
    assert_eq!((order.price, order.qty, order.aggressor), (Price(601_060), Qty(9_200), Aggressor::Buy));
    for other in ["partial", "update", "delete"] {
        assert_eq!(words(&mut Bitmex::default(), &frame.replace("insert", other)), "");
    }
    assert_eq!(words(&mut Bitmex::default(), &frame.replace("9200", "null")), "");
}

#[test]
fn quotes_are_tops() {
    let frame = "{\"table\":\"quote\",\"action\":\"insert\",\"data\":[{\"timestamp\":\"2024-05-06T07:08:09.012Z\",\"symbol\":\"XBTUSD\",\
                 \"bidSize\":1200,\"bidPrice\":60250,\"askPrice\":60250.5,\"askSize\":700},{\"timestamp\":\"2024-05-06T07:08:09.013Z\",\
                 \"symbol\":\"ETHUSD\",\"bidSize\":null,\"bidPrice\":null,\"askPrice\":3100.05,\"askSize\":4}]}";
    let events = say(&mut Bitmex::default(), frame).unwrap();
    let tops = events.list().iter().map(|event| match event.body {
        Body::Bbo(top) => (event.slot, top.bid, top.ask, top.venue_seq),
        _ => panic!("{event:?}"),
    });
    assert_eq!(
        tops.collect::<Vec<_>>(),
        [
            (Slot(0), Level::new(602_500, 1_200), Level::new(602_505, 700), 0),
            (Slot(1), Level::new(0, 0), Level::new(310_005, 4), 0),
        ]
    );
}

#[test]
fn an_instrument_says_what_has_changed_of_it() {
    let said = |row: &str| {
        let frame = format!(
            "{{\"table\":\"instrument\",\"action\":\"update\",\"data\":[{{\"symbol\":\"XBTUSD\",{row}}}]}}"
        );
        let events = say(&mut Bitmex::default(), &frame).unwrap();
        let bodies = events.list().iter().map(|event| match event.body {
            Body::Ticker(at) => (Some(events.ticker(at)), None),
            body => (None, Some(body)),
        });
        bodies.collect::<Vec<_>>()
    };
    let ticker = Ticker {
        last: Some(Price(602_500)),
        mark: Some(Price(602_412)),
        index: Some(Price(602_398)),
        volume: Some(Qty(7_800_300)),
        open_interest: Some(Qty(589_221_530)),
        funding_rate_e9: Some(-75_000),
        funding_at: Some(1_714_996_800_000_000_000),
        ..Ticker::default()
    };
    let row = "\"lastPrice\":60250,\"markPrice\":60241.27,\"indicativeSettlePrice\":60239.88,\"volume24h\":7800300,\
               \"openInterest\":589221530,\"fundingRate\":-0.000075,\"fundingTimestamp\":\"2024-05-06T12:00:00.000Z\"";
    assert_eq!(said(row), [(Some(ticker), None)]);
    let mark = Ticker { mark: Some(Price(602_412)), ..Ticker::default() };
    assert_eq!(said("\"markPrice\":60241.27,\"fundingRate\":null"), [(Some(mark), None)]);
    assert_eq!(said("\"lastTickDirection\":\"PlusTick\""), []);
    let definition = Definition { price_digits: 1, qty_digits: 0, tick_size: 5, lot_size: 100 };
    assert_eq!(
        said("\"state\":\"Open\",\"tickSize\":0.5,\"lotSize\":100"),
        [(None, Some(Body::Definition(definition))), (None, Some(Body::Trading(TradingStatus::Trading)))]
    );
    assert_eq!(said("\"state\":\"Settled\""), [(None, Some(Body::Trading(TradingStatus::Closed)))]);
}

#[test]
fn what_is_said_of_a_connection_is_read_or_refused() {
    for (frame, said) in [
        (
            "{\"info\":\"Welcome to the BitMEX Realtime API.\",\"version\":\"2.0.0\",\"limit\":{\"remaining\":39}}",
            "",
        ),
        ("{\"success\":true,\"subscribe\":\"orderBookL2:XBTUSD\",\"request\":{\"op\":\"subscribe\"}}", ""),
        ("{\"status\":400,\"error\":\"Unknown table: orderBookL3\",\"meta\":{}}", "decode.venue_refused"),
        ("pong", ""),
        ("{\"table\":\"funding\",\"action\":\"partial\",\"data\":[]}", ""),
        ("{\"table\":\"chat\",\"action\":\"insert\",\"data\":[{\"id\":1}]}", ""),
    ] {
        assert_eq!(words(&mut begun(L2), frame), said, "{frame}");
    }
}

#[test]
fn a_new_connection_and_another_file_lose_the_books() {
    for reason in [StaleReason::SourceFailed, StaleReason::Skipped] {
        let (mut room, mut events) = (begun(L2), Events::default());
        assert_eq!(words(&mut room, &rows(L2, "partial", "ETHUSD", &BOOK)), "book 1");
        match reason {
            StaleReason::SourceFailed => room.opened(At::default(), &mut events),
            _ => room.began(At::default(), &mut events),
        }
        let lost = [0, 1].map(|slot| {
            let scope = Scope::Book(Slot(slot));
            Body::Lost { scope, reason, expected: 0, received: 0 }
        });
        assert_eq!(events.list().iter().map(|event| event.body).collect::<Vec<_>>(), lost);
        assert_eq!(words(&mut room, &rows(L2, "update", "XBTUSD", &[("Buy", 7, 602_500, 9)])), "");
    }
}

#[test]
fn an_answer_of_rest_is_no_book() {
    let (routes, mut events) = (routes(), Events::default());
    let url = b"https://www.bitmex.com/api/v1/orderBook/L2?symbol=XBTUSD&depth=0";
    let body = b"[{\"symbol\":\"XBTUSD\",\"id\":7,\"side\":\"Buy\",\"size\":1,\"price\":60250}]";
    let asked = Asked { routes: &routes, url };
    let read = Bitmex::default().answer(&asked, body, At::default(), &mut events);
    assert_eq!(read.map_err(|error| error.code()), Err("decode.not_snapshot"));
}

#[test]
fn who_is_concerned_by_what_cannot_be_read() {
    let update = rows(L2, "update", "XBTUSD", &[("Buy", 7, 602_500, 9)]);
    let book = Some(Scope::Book(Slot(0)));
    for (frame, scope) in [
        (&update[..update.len() - 9], book),
        (&update[..70], book),
        (&update[..50], Some(Scope::All)),
        (&update[..10], Some(Scope::All)),
        (&TRADE[..160], None),
    ] {
        let mut events = Events::default();
        let read = begun(L2).frame(frame.as_bytes(), At::default(), &routes(), &mut events);
        assert!(read.is_err());
        assert_eq!(events.concerned(), scope, "{frame}");
    }
}

#[test]
fn frames_show_their_instruments_and_their_time() {
    let partial = rows(L2, "partial", "XBTUSD", &BOOK);
    let index = TRADE.replace("XBTUSD", ".BXBT");
    for (frame, names, ns) in [
        (&*partial, &["XBTUSD"][..], 1_714_979_289_012_000_000),
        (TRADE, &["XBTUSD"], 1_714_979_289_012_000_000),
        (&index, &[], 1_714_979_289_012_000_000),
        ("{\"table\":\"spot/depth\",\"action\":\"partial\",\"data\":[{\"symbol\":\"A\"}]}", &[], 0),
        ("{\"table\":\"trade\",\"data\":[{\"symbol\":\"A\"}]}", &[], 0),
        ("pong", &[], 0),
    ] {
        let mut sightings = Sightings::default();
        Bitmex::default().sight(frame.as_bytes(), &mut sightings);
        assert_eq!(Bitmex::time(frame.as_bytes()), ns);
        let names: Vec<_> = names.iter().map(|name| (BITMEX, (*name).to_owned())).collect();
        assert_eq!(sightings.instruments(), names, "{frame}");
    }
}
