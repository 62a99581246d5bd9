//! Messages of every documented form, and what they say.

use super::*;
use crate::types::{
    Absent, Aggressor, Body, Definition, Level, OrderChange, OrderId, Part, Price, Qty, Route, Side, Span,
    StaleReason, TradeId, TradingStatus, VenueBbo, VenueSeq, fnv1a_64,
};

const BTC: Slot = Slot(2);
const ID: &str = "d50ec984-77a8-460a-b958-66f114b0de9b";
const OTHER: &str = "132fb6ae-456b-4654-b4e0-d681ac05cea1";
const AT: TimeNs = 1_786_309_548_210_883_000;

fn routes() -> Routes {
    let mut routes = Routes::new();
    let route = Route { slot: BTC, price_exponent: -2, qty_exponent: -8 };
    assert!(routes.carry([&b"BTC-USD"[..]].into_iter(), route));
    routes
}

/// A connection that is heard.
#[derive(Default)]
struct Heard {
    room: CoinbaseExchange,
    out: Events,
}

impl Heard {
    fn frame(&mut self, frame: &str) -> Result<(), &'static str> {
        self.out.clear();
        let read = self.room.frame(frame.as_bytes(), At::default(), &routes(), &mut self.out);
        read.map_err(|error| error.code())
    }

    fn answer(&mut self, url: &str, answer: &str) -> Result<(), &'static str> {
        self.out.clear();
        let asked = Asked { routes: &routes(), url: url.as_bytes() };
        let read = self.room.answer(&asked, answer.as_bytes(), At::default(), &mut self.out);
        read.map_err(|error| error.code())
    }

    fn bodies(&self) -> Vec<Body> {
        self.out.list().iter().map(|event| event.body).collect()
    }

    /// Changes of orders, each named by a hash of its text.
    fn named(&self, span: Span) -> Vec<OrderChange> {
        let name = |id| OrderId(fnv1a_64(self.out.texts().text(id)));
        self.out.order_changes(span).iter().map(|change| change.with_ids(name)).collect()
    }

    /// What the last message, which has a number, does to orders.
    fn changes(&self) -> (u64, Vec<OrderChange>) {
        match self.out.list().last().map(|event| (event.slot, event.ts_event, event.is_last, event.body)) {
            Some((BTC, AT, true, Body::NumberedOrders(seq, span, Absent::Passes))) => {
                assert_eq!(seq, VenueSeq::at(seq.last));
                (seq.last, self.named(span))
            }
            other => panic!("{other:?}"),
        }
    }

    fn lost(&self) -> Option<(u64, u64)> {
        match self.bodies()[..] {
            [Body::Lost { scope: Scope::Book(BTC), reason: StaleReason::Gap, expected, received }] => {
                Some((expected, received))
            }
            [] => None,
            ref other => panic!("{other:?}"),
        }
    }
}

fn message(kind: &str, number: u64, more: &str) -> String {
    format!(
        r#"{{"type":"{kind}","time":"2026-08-09T21:05:48.210883Z","product_id":"BTC-USD","sequence":{number}{more}}}"#
    )
}

fn id(text: &str) -> OrderId {
    OrderId(fnv1a_64(text.as_bytes()))
}

#[test]
fn each_message_does_to_the_book_what_the_documents_say() {
    let order = |more: &str| format!(r#","order_id":"{ID}","side":"sell"{more}"#);
    let modify =
        |price, qty| OrderChange::Modify { id: id(ID), side: Side::Ask, price: Price(price), qty: Qty(qty) };
    let add = OrderChange::Add { id: id(ID), side: Side::Ask, price: Price(20_020), qty: Qty(100_000_000) };
    let mut heard = Heard::default();
    for (number, (kind, more, changes)) in [
        ("received", order(r#","size":"1.34","price":"502.1","order_type":"limit","client_oid":"x""#), vec![]),
        ("received", order(r#","funds":"3000.234","order_type":"market""#), vec![]),
        ("open", order(r#","price":"200.2","remaining_size":"1.00""#), vec![add]),
        ("done", order(r#","price":"200.2","reason":"filled","remaining_size":"0""#), vec![OrderChange::Delete { id: id(ID) }]),
        ("done", order(r#","reason":"canceled","cancel_reason":"102:Self Trade Prevention""#), vec![OrderChange::Delete { id: id(ID) }]),
        ("change", order(r#","reason":"STP","old_size":"12.2","new_size":"5.5","price":"400.23""#), vec![modify(40_023, 550_000_000)]),
        ("change", order(r#","reason":"modify_order","old_size":"1","new_size":"2","old_price":"400.23","new_price":"400.25""#), vec![modify(40_025, 200_000_000)]),
        ("change", order(r#","reason":"STP","old_size":"1","new_size":"0","price":"400.23""#), vec![OrderChange::Delete { id: id(ID) }]),
        ("change", order(r#","reason":"STP","old_funds":"5","new_funds":"4","price":null"#), vec![]),
        ("change", order(r#","reason":"STP","old_size":"2","new_size":"1","price":null"#), vec![]),
        ("change", order(r#","reason":"STP","old_funds":"5","new_funds":"4""#), vec![]),
        ("activate", order(r#","stop_type":"entry","stop_price":"80","size":"2","funds":"50""#), vec![]),
    ]
    .into_iter()
    .enumerate()
    {
        let number = number as u64 + 7;
        assert_eq!(heard.frame(&message(kind, number, &more)), Ok(()), "{kind}{more}");
        assert_eq!(heard.changes(), (number, changes), "{kind}{more}");
        assert_eq!(heard.out.list().len(), 1);
    }
}

#[test]
fn an_execution_reduces_the_maker_and_is_a_trade() {
    let mut heard = Heard::default();
    assert_eq!(
        heard.frame(&message("received", 49, &format!(r#","order_id":"{OTHER}","side":"buy""#))),
        Ok(())
    );
    for (number, side, aggressor) in [(50, "sell", Aggressor::Buy), (51, "buy", Aggressor::Sell)] {
        let more = format!(
            r#","trade_id":{number},"maker_order_id":"{ID}","taker_order_id":"{OTHER}","side":"{side}","size":"5.23512","price":"400.23""#
        );
        assert_eq!(heard.frame(&message("match", number, &more)), Ok(()));
        let execution = OrderChange::Execute { id: id(ID), qty: Qty(523_512_000) };
        assert_eq!(heard.changes(), (number, vec![execution]));
        let [trades, _] = heard.out.list() else { panic!("{:?}", heard.bodies()) };
        let Body::Trades(span) = trades.body else { panic!("{trades:?}") };
        assert!(!trades.is_last, "the venue's own event goes on");
        let [trade] = heard.out.trades_of(span) else { panic!("one trade") };
        assert_eq!((trade.id, trade.aggressor), (TradeId::Number(number), aggressor));
        assert_eq!((trade.price, trade.qty, trade.ts_event), (Price(40_023), Qty(523_512_000), AT));
    }
}

#[test]
fn executions_alone_are_trades() {
    let execution = |kind, number| {
        let more = format!(
            r#","trade_id":{number},"maker_order_id":"{ID}","taker_order_id":"{OTHER}","side":"sell","size":"1","price":"400.23""#
        );
        message(kind, number, &more)
    };
    let mut heard = Heard::default();
    for (kind, number) in [("last_match", 3), ("match", 9), ("match", 20)] {
        assert_eq!(heard.frame(&execution(kind, number)), Ok(()));
        assert!(matches!(heard.bodies()[..], [Body::Trades(_)]), "{kind}");
        assert!(heard.out.list()[0].is_last);
        assert_eq!(heard.out.concerned(), None);
    }
    let subscriptions = r#"{"type":"subscriptions","channels":[{"name":"matches","product_ids":["BTC-USD"]},{"name":"status","product_ids":null},{"name":"full","product_ids":["ETH-USD","BTC-USD"]}]}"#;
    assert_eq!(heard.frame(subscriptions), Ok(()));
    assert_eq!(heard.frame(&execution("match", 21)), Ok(()));
    assert_eq!(heard.changes().0, 21);
    assert_eq!(heard.frame(&execution("last_match", 22)), Ok(()));
    assert!(matches!(heard.bodies()[..], [Body::Trades(_)]), "of before the subscription");
}

#[test]
fn a_heartbeat_that_is_ahead_shows_a_loss_once() {
    let heartbeat = |number| message("heartbeat", number, r#","last_trade_id":20"#);
    let open = |number| {
        message(
            "open",
            number,
            &format!(r#","order_id":"{ID}","side":"buy","price":"1","remaining_size":"1""#),
        )
    };
    let mut heard = Heard::default();
    assert_eq!((heard.frame(&heartbeat(90)), heard.lost()), (Ok(()), None), "nothing was heard yet");
    assert_eq!(heard.frame(&open(91)), Ok(()));
    for (number, lost) in [(91, None), (90, None), (94, Some((92, 94))), (94, None), (95, Some((95, 95)))] {
        assert_eq!((heard.frame(&heartbeat(number)), heard.lost()), (Ok(()), lost), "{number}");
    }
    assert_eq!(heard.frame(&open(96)), Ok(()));
    assert_eq!((heard.frame(&heartbeat(96)), heard.lost()), (Ok(()), None));
    heard.room.opened(At::default(), &mut heard.out);
    assert_eq!((heard.frame(&heartbeat(99)), heard.lost()), (Ok(()), None), "another connection");
}

#[test]
fn the_book_of_level_3_has_every_order_in_its_place() {
    let book = format!(
        r#"{{"bids":[["295.96","4.39088265","{ID}"],["295.96","1","{OTHER}"]],"asks":[["295.97","25.2","da863862-25f4-4868-ac41-005d11ab0a5f"]],"sequence":3,"auction_mode":false,"auction":null,"time":"2026-08-09T21:05:48.210883Z"}}"#
    );
    let address = "https://api.exchange.coinbase.com/products/BTC-USD/book?level=3";
    for url in ["", address] {
        let mut heard = Heard::default();
        assert_eq!(heard.answer(url, &book), Ok(()));
        let [event] = heard.out.list() else { panic!("{:?}", heard.bodies()) };
        let Body::OrderBook(3, Part::Whole, _, span) = event.body else { panic!("{event:?}") };
        assert_eq!((event.slot, event.ts_event), (BTC, AT));
        let add = |text: &str, side, price, qty| OrderChange::Add {
            id: id(text),
            side,
            price: Price(price),
            qty: Qty(qty),
        };
        assert_eq!(
            heard.named(span),
            [
                add(ID, Side::Bid, 29_596, 439_088_265),
                add(OTHER, Side::Bid, 29_596, 100_000_000),
                add("da863862-25f4-4868-ac41-005d11ab0a5f", Side::Ask, 29_597, 2_520_000_000),
            ]
        );
    }
    for (url, answer, code) in [
        (address, r#"{"message":"NotFound"}"#.to_owned(), "decode.not_snapshot"),
        (address, book.replace(&format!("\"{ID}\""), "7"), "decode.not_snapshot"),
        (address, book.replace(&format!(",\"{ID}\""), ""), "decode.bad_level"),
        (address, book.replace(ID, ""), "decode.wrong_type"),
        (address, book.replace(ID, &ID.repeat(2)), "decode.wrong_type"),
        (address, book.replace("295.97", "0"), "decode.zero_price"),
        (address, book.replace("\"sequence\":3,", ""), "decode.missing_field"),
        (address, book[..90].to_owned(), "decode.truncated"),
        (address, "<html>".to_owned(), "decode.not_json"),
        (
            "https://api.exchange.coinbase.com/products/ETH-USD/book?level=3",
            book.clone(),
            "decode.unknown_symbol",
        ),
        ("https://api.exchange.coinbase.com/products", "[]".to_owned(), "decode.not_snapshot"),
    ] {
        let mut heard = Heard::default();
        assert_eq!(heard.answer(url, &answer), Err(code), "{answer}");
        assert!(heard.out.list().is_empty() && heard.out.orders_added().is_empty());
    }
}

#[test]
fn a_book_among_the_messages_is_nobodys() {
    let mut heard = Heard::default();
    assert_eq!(heard.frame(r#"{"bids":[],"asks":[],"sequence":3}"#), Err("decode.ambiguous_snapshot"));
    assert_eq!(heard.out.concerned(), None);
}

#[test]
fn what_cannot_be_read_concerns_whom_it_names() {
    let good =
        message("open", 1, &format!(r#","order_id":"{ID}","side":"buy","price":"1","remaining_size":"1""#));
    let book = Some(Scope::Book(BTC));
    for (frame, concerned) in [
        (good[..good.len() - 1].to_owned(), book),
        (good.replace("\"buy\"", "\"bid\""), book),
        (good.replace("\"price\":\"1\"", "\"price\":\"0\""), book),
        (good.replace("remaining_size", "size"), book),
        (good.replace("\"sequence\":1", "\"sequence\":\"x\""), book),
        (good.replace("2026-08-09T", "2026-08-09 "), book),
        (good.replace("BTC-USD", "ETH-USD"), None),
        (good.replace("\"BTC-USD\"", "7"), Some(Scope::All)),
        (good.replace("\"type\":\"open\"", "\"type\":7"), book),
        (good[..12].to_owned(), Some(Scope::All)),
        (message("ticker", 1, r#","price":"x""#), None),
        (message("heartbeat", 1, "").replace(":1}", ":-1}"), None),
        (r#"{"type":"status","products":{}}"#.to_owned(), None),
        (r#"{"type":"error","message":"Failed to subscribe","reason":"no"}"#.to_owned(), None),
        ("<html>".to_owned(), Some(Scope::All)),
    ] {
        let mut heard = Heard::default();
        assert!(heard.frame(&frame).is_err(), "{frame}");
        assert_eq!(heard.out.concerned(), concerned, "{frame}");
        assert!(heard.out.list().is_empty());
    }
}

#[test]
fn what_is_of_no_use_is_passed_over() {
    let mut heard = Heard::default();
    for frame in [
        r#"{"type":"snapshot","product_id":"BTC-USD","bids":[["1","1"]],"asks":[]}"#,
        r#"{"type":"l2update","product_id":"BTC-USD","time":"2026-08-09T21:05:48Z","changes":[["buy","1","1"]]}"#,
        r#"{"type":"auction","product_id":"BTC-USD","sequence":7,"auction_state":"collection"}"#,
        r#"{"type":"activate","product_id":"BTC-USD","timestamp":"1483736448.299000","order_id":"x"}"#,
        r#"{"type":"subscriptions","channels":[]}"#,
    ] {
        assert_eq!(heard.frame(frame), Ok(()), "{frame}");
        assert!(heard.out.list().is_empty());
    }
}

#[test]
fn tickers_and_products_tell_what_they_have() {
    let mut heard = Heard::default();
    let whole = r#","price":"1285.22","volume_24h":"245532.79269678","best_bid":"1285.04","best_bid_size":"0.46688654","best_ask":"1285.27","best_ask_size":"1.5","side":"buy","trade_id":370843401,"last_size":"11.4396987""#;
    assert_eq!(heard.frame(&message("ticker", 5, whole)), Ok(()));
    let [Body::Bbo(bbo), Body::Ticker(at)] = heard.bodies()[..] else { panic!("{:?}", heard.bodies()) };
    let (bid, ask) = (Level::new(128_504, 46_688_654), Level::new(128_527, 150_000_000));
    assert_eq!(bbo, VenueBbo { venue_seq: 0, bid, ask, ts_event: AT });
    let ticker = heard.out.ticker(at);
    assert_eq!((ticker.last, ticker.volume), (Some(Price(128_522)), Some(Qty(24_553_279_269_678))));
    let older = r#","price":"4095.00","best_bid":"4094.99","best_ask":"4095""#;
    assert_eq!(heard.frame(&message("ticker", 6, older)), Ok(()));
    assert!(matches!(heard.bodies()[..], [Body::Ticker(_)]));
    let status = r#"{"type":"status","products":[{"id":"ETH-USD"},{"id":"BTC-USD","base_increment":"0.00000001","quote_increment":"0.01","status":"online","post_only":true}],"currencies":[]}"#;
    assert_eq!(heard.frame(status), Ok(()));
    let definition = Definition { price_digits: 2, qty_digits: 8, tick_size: 1, lot_size: 1 };
    assert_eq!(heard.bodies(), [Body::Definition(definition), Body::Trading(TradingStatus::Limited)]);
}
