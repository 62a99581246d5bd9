//! Messages of every documented form, and what they say.

use super::*;
use crate::types::{
    Aggressor, Coverage, Definition, Level, Origin, Price, Qty, Route, Sides, TradingStatus, VenueBbo,
};

const BTC: Slot = Slot(0);
const ETH: Slot = Slot(3);
const SENT_AT: TimeNs = 1_786_309_548_500_000_000;
const CHANGED_AT: TimeNs = 1_786_309_548_210_883_000;

fn routes() -> Routes {
    let mut routes = Routes::new();
    for (slot, code) in [(BTC, "BTC-USD"), (ETH, "ETH-USD")] {
        let route = Route { slot, price_exponent: -2, qty_exponent: -8 };
        assert!(routes.carry([code.as_bytes()].into_iter(), route));
    }
    routes
}

/// A connection that is heard.
#[derive(Default)]
struct Heard {
    room: Coinbase,
    out: Events,
}

impl Heard {
    fn frame(&mut self, frame: &str) -> Result<(), &'static str> {
        self.out.clear();
        let read = self.room.frame(frame.as_bytes(), At::default(), &routes(), &mut self.out);
        read.map_err(|error| error.code())
    }

    /// A message of a channel with these events.
    fn message(&mut self, channel: &str, number: u64, events: &str) -> Result<(), &'static str> {
        self.frame(&message(channel, number, events))
    }

    fn bodies(&self) -> Vec<(Slot, Body)> {
        self.out.list().iter().map(|event| (event.slot, event.body)).collect()
    }

    /// The first loss that was told.
    fn lost(&self) -> Option<(u64, u64)> {
        self.out.list().iter().find_map(|event| match event.body {
            Body::Lost { scope: Scope::All, reason: StaleReason::Gap, expected, received } => {
                Some((expected, received))
            }
            _ => None,
        })
    }
}

fn message(channel: &str, number: u64, events: &str) -> String {
    format!(
        r#"{{"channel":"{channel}","timestamp":"2026-08-09T21:05:48.5Z","sequence_num":{number},"events":[{events}]}}"#
    )
}

fn l2(kind: &str, product: &str, updates: &str) -> String {
    format!(r#"{{"type":"{kind}","product_id":"{product}","updates":[{updates}]}}"#)
}

fn change(side: &str, price: &str, qty: &str) -> String {
    format!(
        r#"{{"side":"{side}","event_time":"2026-08-09T21:05:48.210883Z","price_level":"{price}","new_quantity":"{qty}"}}"#
    )
}

#[test]
fn books_and_changes_are_read_both_ways() {
    let updates = [change("bid", "65062.5", "0.00583"), change("offer", "65106.54", "0")].join(",");
    for (kind, loosen) in [("snapshot", false), ("snapshot", true), ("update", false), ("update", true)] {
        let mut heard = Heard::default();
        let mut frame = message("l2_data", 14, &l2(kind, "BTC-USD", &updates));
        if loosen {
            frame = frame.replace("\":", "\" : ");
        }
        assert_eq!(heard.frame(&frame), Ok(()), "{frame}");
        let [event] = heard.out.list() else { panic!("{:?}", heard.bodies()) };
        assert_eq!((event.slot, event.ts_event), (BTC, CHANGED_AT));
        let span = match event.body {
            Body::Book(seq, span, Coverage::Whole, Origin::Stream) if kind == "snapshot" => {
                assert_eq!(seq.last, 14);
                span
            }
            Body::Levels(seq, span) if kind == "update" => {
                assert_eq!(seq.last, 14);
                span
            }
            body => panic!("{body:?}"),
        };
        let sides = Sides { bids: &[Level::new(6_506_250, 583_000)], asks: &[Level::new(6_510_654, 0)] };
        assert_eq!(heard.out.levels(span), sides);
    }
}

#[test]
fn a_message_may_hold_several_events_none_or_no_change() {
    let mut heard = Heard::default();
    let both =
        [l2("update", "ETH-USD", &change("bid", "1919.44", "1")), l2("update", "BTC-USD", "")].join(",");
    assert_eq!(heard.message("l2_data", 0, &both), Ok(()));
    let told: Vec<_> = heard.out.list().iter().map(|event| (event.slot, event.ts_event)).collect();
    assert_eq!(told, [(ETH, CHANGED_AT), (BTC, SENT_AT)]);
    assert_eq!(heard.message("l2_data", 1, ""), Ok(()));
    assert!(heard.out.list().is_empty());
    let other = [l2("update", "XRP-USD", ""), l2("update", "BTC-USD", "")].join(",");
    assert_eq!(heard.message("l2_data", 2, &other), Ok(()));
    assert_eq!(heard.out.list().len(), 1);
    assert_eq!(heard.message("l2_data", 3, &l2("update", "XRP-USD", "")), Err("decode.unknown_symbol"));
    assert_eq!(heard.message("heartbeats", 4, ""), Ok(()), "one of another product counts");
    assert!(heard.out.list().is_empty());
}

#[test]
fn years_that_stand_for_no_time_give_that_of_the_message() {
    for year in ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z", "1970-01-01T00:00:00Z"] {
        let update = change("bid", "1", "1").replace("2026-08-09T21:05:48.210883Z", year);
        let mut heard = Heard::default();
        assert_eq!(heard.message("l2_data", 0, &l2("update", "BTC-USD", &update)), Ok(()));
        assert_eq!(heard.out.list()[0].ts_event, SENT_AT);
        let frame = message("l2_data", 1, &l2("update", "BTC-USD", &update));
        let frame = frame.replace("2026-08-09T21:05:48.5Z", year);
        assert_eq!(heard.frame(&frame), Ok(()));
        assert_eq!(heard.out.list()[0].ts_event, 0);
    }
}

#[test]
fn every_channel_counts() {
    let mut heard = Heard::default();
    let mut number = 0;
    for (channel, events) in [
        ("subscriptions", r#"{"subscriptions":{"level2":["BTC-USD"]}}"#),
        ("heartbeats", r#"{"current_time":"2026-08-09 21:05:48 +0000 UTC m=+1.2","heartbeat_counter":7}"#),
        ("candles", r#"{"type":"snapshot","candles":[{"start":"1786279500","product_id":"BTC-USD"}]}"#),
        ("user", r#"{"type":"snapshot","orders":[]}"#),
        ("futures_balance_summary", "{}"),
        ("something_else", "null"),
        ("l2_data", ""),
        ("market_trades", r#"{"type":"snapshot","trades":[]}"#),
        ("ticker", r#"{"type":"snapshot","tickers":[]}"#),
        ("ticker_batch", ""),
        ("status", r#"{"type":"snapshot","products":[{"id":"XRP-USD"}]}"#),
    ] {
        assert_eq!(heard.message(channel, number, events), Ok(()), "{channel}");
        assert_eq!(heard.lost(), None, "{channel}");
        number += 1;
        let mut behind = Heard { room: std::mem::take(&mut heard.room), ..Heard::default() };
        assert_eq!(behind.message(channel, number + 1, events), Ok(()));
        assert_eq!(behind.lost(), Some((number, number + 1)), "{channel}");
        heard.room = behind.room;
        number += 2;
    }
}

#[test]
fn a_loss_is_told_whatever_shows_it() {
    let mut heard = Heard::default();
    let update = |number| message("l2_data", number, &l2("update", "BTC-USD", &change("bid", "1", "1")));
    assert_eq!(heard.frame(&update(0)), Ok(()));
    assert_eq!(heard.frame(&update(2)), Ok(()));
    assert!(matches!(heard.bodies()[..], [(_, Body::Lost { .. }), (BTC, Body::Levels(..))]));
    assert_eq!(heard.lost(), Some((1, 2)));
    for (number, expected) in [(2, 3), (9, 3), (0, 10)] {
        assert_eq!(heard.frame(&update(number)), Ok(()));
        assert_eq!(heard.lost(), Some((expected, number)), "repeated, ahead, begun anew");
    }
    assert_eq!(heard.message("l2_data", 5, &l2("update", "XRP-USD", "")), Err("decode.unknown_symbol"));
    assert_eq!(heard.lost(), Some((1, 5)), "one of another product");
    assert_eq!(heard.message("ticker", 9, "7"), Err("decode.not_json"));
    assert_eq!(heard.lost(), Some((6, 9)), "one that cannot be read");
    assert_eq!(heard.message("ticker", 10, ""), Ok(()));
    assert_eq!(heard.lost(), Some((6, 10)), "and again, for the first may be read once more");
}

#[test]
fn what_cannot_be_read_concerns_whom_it_names() {
    let good = message("l2_data", 1, &l2("update", "BTC-USD", &change("bid", "1", "1")));
    let both = [l2("update", "BTC-USD", ""), l2("update", "ETH-USD", "x")].join(",");
    for (frame, concerned) in [
        (good[..good.len() - 2].to_owned(), Some(Scope::Book(BTC))),
        (good.replace("bid", "buy"), Some(Scope::Book(BTC))),
        (good.replace("price_level\":\"1\"", "price_level\":\"0\""), Some(Scope::Book(BTC))),
        (good.replace("update\"", "changed\""), Some(Scope::Book(BTC))),
        (good.replace("sequence_num", "sequence"), Some(Scope::Book(BTC))),
        (good.replace("BTC-USD", "BTC"), None),
        (good.replace("\"BTC-USD\"", "null"), Some(Scope::All)),
        (good[..20].to_owned(), Some(Scope::All)),
        (message("l2_data", 1, &both), Some(Scope::All)),
        (message("market_trades", 1, "7"), None),
        (message("ticker", 1, "7"), None),
        (message("heartbeats", 1, "").replace('}', ""), None),
        ("<html>".to_owned(), Some(Scope::All)),
        (String::new(), Some(Scope::All)),
    ] {
        let mut heard = Heard::default();
        assert_eq!(heard.message("heartbeats", 0, ""), Ok(()));
        assert!(heard.frame(&frame).is_err(), "{frame}");
        assert_eq!(heard.out.concerned(), concerned, "{frame}");
        assert!(heard.out.list().is_empty());
    }
}

#[test]
fn one_that_cannot_be_read_is_not_missing() {
    let mut heard = Heard::default();
    let update =
        |number, price| message("l2_data", number, &l2("update", "BTC-USD", &change("bid", price, "1")));
    assert_eq!(heard.frame(&update(0, "1")), Ok(()));
    assert_eq!(heard.frame(&update(1, "1.001")), Err("decode.inexact"));
    // As the engine hands it in once more, at a finer scale.
    assert_eq!(heard.frame(&update(1, "1.01")), Ok(()));
    assert_eq!(heard.frame(&update(2, "0")), Err("decode.zero_price"));
    assert_eq!((heard.frame(&update(3, "1")), heard.lost()), (Ok(()), None));
}

#[test]
fn refusals_are_told_in_words_and_change_nothing() {
    let mut heard = Heard::default();
    let refusal = r#"{"type":"error","message":"authentication failure"}"#;
    assert_eq!(heard.frame(refusal), Err("decode.venue_refused"));
    assert_eq!(heard.out.concerned(), None);
    assert_eq!(heard.frame("{}"), Err("decode.missing_field"));
}

#[test]
fn trades_are_put_in_order_and_say_who_took() {
    let trade = |product: &str, id: u64, side: &str| {
        format!(
            r#"{{"product_id":"{product}","trade_id":"{id}","price":"65083.67","size":"0.002","time":"2026-08-09T21:05:48.210883Z","side":"{side}"}}"#
        )
    };
    let trades = [
        trade("BTC-USD", 9, "SELL"),
        trade("ETH-USD", 4, "BUY"),
        trade("XRP-USD", 1, "BUY"),
        trade("BTC-USD", 8, "BUY"),
        trade("BTC-USD", 7, "UNKNOWN_ORDER_SIDE"),
    ];
    let mut heard = Heard::default();
    let event = format!(r#"{{"type":"update","trades":[{}]}}"#, trades.join(","));
    assert_eq!(heard.message("market_trades", 0, &event), Ok(()));
    let told: Vec<_> = heard
        .out
        .list()
        .iter()
        .map(|event| match event.body {
            Body::Trades(span) => {
                let of = heard.out.trades_of(span).iter().map(|trade| (trade.id.value(), trade.aggressor));
                (event.slot, of.collect::<Vec<_>>())
            }
            body => panic!("{body:?}"),
        })
        .collect();
    let btc = vec![(7, Aggressor::Unknown), (8, Aggressor::Sell), (9, Aggressor::Buy)];
    assert_eq!(told, [(BTC, btc), (ETH, vec![(4, Aggressor::Sell)])]);
    let event = format!(r#"{{"type":"update","trades":[{}]}}"#, trades[2]);
    assert_eq!(heard.message("market_trades", 1, &event), Err("decode.unknown_symbol"));
}

#[test]
fn tickers_tell_what_they_have() {
    let mut heard = Heard::default();
    let whole = r#"{"type":"snapshot","tickers":[{"type":"ticker","product_id":"BTC-USD","price":"65086.18","volume_24_h":"2867.54532609","best_bid":"65083.66","best_bid_quantity":"0.20371215","best_ask":"65083.67","best_ask_quantity":"0.24290402"}]}"#;
    assert_eq!(heard.message("ticker", 0, whole), Ok(()));
    let [(BTC, Body::Bbo(bbo)), (BTC, Body::Ticker(at))] = heard.bodies()[..] else {
        panic!("{:?}", heard.bodies())
    };
    let (bid, ask) = (Level::new(6_508_366, 20_371_215), Level::new(6_508_367, 24_290_402));
    assert_eq!(bbo, VenueBbo { venue_seq: 0, bid, ask, ts_event: SENT_AT });
    let ticker = heard.out.ticker(at);
    assert_eq!((ticker.last, ticker.volume), (Some(Price(6_508_618)), Some(Qty(286_754_532_609))));
    let bare = r#"{"type":"update","tickers":[{"type":"ticker","product_id":"BTC-USD","price":"","best_bid":"","best_ask":""}]}"#;
    assert_eq!(heard.message("ticker_batch", 1, bare), Ok(()));
    assert!(matches!(heard.bodies()[..], [(BTC, Body::Ticker(_))]));
}

#[test]
fn products_are_defined_and_say_whether_they_trade() {
    let mut heard = Heard::default();
    for (number, status, trading) in [
        (0, "online", TradingStatus::Trading),
        (1, "offline", TradingStatus::Halted),
        (2, "delisted", TradingStatus::Closed),
        (3, "other", TradingStatus::Unknown),
    ] {
        let event = format!(
            r#"{{"type":"snapshot","products":[{{"id":"XRP-USD"}},{{"product_type":"SPOT","id":"BTC-USD","base_increment":"0.00000001","quote_increment":"0.05","status":"{status}"}}]}}"#
        );
        assert_eq!(heard.message("status", number, &event), Ok(()));
        let definition = Definition { price_digits: 2, qty_digits: 8, tick_size: 5, lot_size: 1 };
        assert_eq!(heard.bodies(), [(BTC, Body::Definition(definition)), (BTC, Body::Trading(trading))]);
    }
}

#[test]
fn another_connection_loses_what_this_one_has_told() {
    let mut heard = Heard::default();
    heard.room.opened(At::default(), &mut heard.out);
    assert!(heard.out.list().is_empty(), "nothing was told yet");
    assert_eq!(heard.message("l2_data", 7, &l2("snapshot", "ETH-USD", "")), Ok(()));
    heard.out.clear();
    heard.room.opened(At::default(), &mut heard.out);
    let lost = |reason| (Slot(0), Body::Lost { scope: Scope::Book(ETH), reason, expected: 0, received: 0 });
    assert_eq!(heard.bodies(), [lost(StaleReason::SourceFailed)]);
    assert_eq!((heard.message("heartbeats", 0, ""), heard.lost()), (Ok(()), None));
    assert_eq!(heard.message("l2_data", 1, &l2("snapshot", "ETH-USD", "")), Ok(()));
    heard.out.clear();
    heard.room.began(At::default(), &mut heard.out);
    assert_eq!(heard.bodies(), [lost(StaleReason::Skipped)]);
}

#[test]
fn a_frame_beyond_the_limits_is_refused() {
    let mut heard = Heard::default();
    let change = change("bid", "1", "1");
    let updates = vec![&*change; crate::decode::FRAME_LEVELS_MAX / 2 + 1].join(",");
    assert!(updates.len() < FRAME_BYTES_MAX);
    let long = message("l2_data", 0, &l2("snapshot", "BTC-USD", &updates));
    assert_eq!(heard.frame(&long), Ok(()));
    let longer = message("l2_data", 1, &l2("snapshot", "BTC-USD", &[&*updates; 2].join(",")));
    assert_eq!(heard.frame(&longer), Err("decode.frame_too_large"));
    assert_eq!(heard.out.concerned(), Some(Scope::Book(BTC)));
    let short = r#"{"side":"bid","price_level":"1","new_quantity":"1"}"#;
    let updates = vec![short; crate::decode::FRAME_LEVELS_MAX + 1].join(",");
    let many = message("l2_data", 1, &l2("snapshot", "BTC-USD", &updates));
    assert_eq!(heard.frame(&many), Err("decode.too_many_levels"));
}
