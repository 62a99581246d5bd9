use super::*;
use crate::types::{Aggressor, Body, Coverage, Level, Origin, Price, Slot, TradeId, VenueSeq};
use crate::venues::LIGHTER;

fn routes() -> Routes {
    let mut routes = Routes::new();
    routes.carry([&b"1"[..]].into_iter(), Route { slot: Slot(0), price_exponent: -1, qty_exponent: -5 });
    routes
}

/// What a frame says, or the code of why not.
fn said(room: &mut Lighter, frame: &str) -> Result<Vec<Body>, &'static str> {
    let mut events = Events::default();
    let read = room.frame(frame.as_bytes(), At::default(), &routes(), &mut events);
    read.map_err(|error| error.code())?;
    Ok(events.list().iter().map(|event| event.body).collect())
}

fn order_book(kind: &str, numbers: &str) -> String {
    format!(
        "{{\"type\":\"{kind}/order_book\",\"channel\":\"order_book:1\",\"timestamp\":1776692222437,\"order_book\":{{\"code\":0,\
         \"asks\":[{{\"price\":\"75300.5\",\"size\":\"0.08303\"}}],\"bids\":[{{\"price\":\"75300.4\",\"size\":\"0.00000\"}}],{numbers}}}}}"
    )
}

#[test]
fn updates_are_linked_by_nonces_or_counted_by_offsets() {
    for (kind, numbers, expected) in [
        ("subscribed", "\"offset\":7,\"nonce\":100,\"begin_nonce\":0", (100, None)),
        ("update", "\"offset\":19,\"nonce\":152,\"begin_nonce\":100", (152, Some(100))),
        ("subscribed", "\"offset\":7,\"nonce\":100", (7, None)),
        ("update", "\"offset\":7,\"nonce\":100", (7, Some(6))),
        ("update", "\"offset\":8,\"nonce\":103", (8, Some(7))),
    ] {
        let got = match said(&mut Lighter::default(), &order_book(kind, numbers)).unwrap()[0] {
            Body::Book(seq, _, Coverage::Whole, Origin::Stream) => (seq.last, None),
            Body::Levels(VenueSeq { last, prev, .. }, _) => (last, Some(prev.unwrap())),
            other => panic!("{other:?}"),
        };
        assert_eq!(got, expected, "{kind} {numbers}");
    }
}

#[test]
fn a_whole_book_has_both_sides_at_their_scales() {
    let mut events = Events::default();
    let frame = order_book("subscribed", "\"offset\":7,\"nonce\":100,\"begin_nonce\":0");
    Lighter::default().frame(frame.as_bytes(), At::default(), &routes(), &mut events).unwrap();
    let Body::Book(_, span, ..) = events.list()[0].body else { panic!("a book") };
    assert_eq!(events.levels(span).asks, [Level::new(753_005, 8_303)]);
    assert_eq!(events.levels(span).bids, [Level::new(753_004, 0)]);
    assert_eq!(events.list()[0].ts_event, 1_776_692_222_437_000_000);
    assert_eq!(Lighter::time(frame.as_bytes()), 1_776_692_222_437_000_000);
}

#[test]
fn trades_come_in_the_order_of_their_numbers() {
    let trade = |id: u64, is_maker_ask: bool| {
        format!(
            "{{\"trade_id\":{id},\"price\":\"75196.7\",\"size\":\"0.00012\",\"is_maker_ask\":{is_maker_ask},\"timestamp\":1776690800246}}"
        )
    };
    let frame = |kind: &str| {
        format!(
            "{{\"type\":\"{kind}/trade\",\"channel\":\"trade:1\",\"nonce\":1,\"trades\":[{},{}],\"liquidation_trades\":[{}]}}",
            trade(9, false),
            trade(7, true),
            trade(8, true)
        )
    };
    let mut events = Events::default();
    Lighter::default().frame(frame("update").as_bytes(), At::default(), &routes(), &mut events).unwrap();
    let [trades, liquidations] = events.list() else { panic!("{:?}", events.list()) };
    let Body::Trades(span) = trades.body else { panic!("trades") };
    let told: Vec<_> = events.trades_of(span).iter().map(|trade| (trade.id, trade.aggressor)).collect();
    let number = TradeId::Number;
    assert_eq!(
        told,
        [(number(7), Aggressor::Buy), (number(8), Aggressor::Buy), (number(9), Aggressor::Sell)]
    );
    let Body::Liquidations(span) = liquidations.body else { panic!("liquidations") };
    assert_eq!(events.trades_of(span).iter().map(|trade| trade.id).collect::<Vec<_>>(), [number(8)]);
    // What was traded before the subscription is not told as if it were now.
    assert_eq!(said(&mut Lighter::default(), &frame("subscribed")), Ok(vec![]));
}

#[test]
fn tickers_and_statistics_are_told_as_far_as_they_say() {
    let mut events = Events::default();
    let mut read = |frame: &str| {
        events.clear();
        Lighter::default().frame(frame.as_bytes(), At::default(), &routes(), &mut events).map(|()| {
            events.list().first().map(|event| match event.body {
                Body::Bbo(bbo) => format!("{} {}", bbo.bid.price.0, bbo.ask.price.0),
                Body::Ticker(at) => format!("{:?}", events.ticker(at).mark.map(|Price(mark)| mark)),
                other => format!("{other:?}"),
            })
        })
    };
    let both = r#"{"type":"update/ticker","channel":"ticker:1","nonce":5,"ticker":{"s":"BTC","a":{"price":"75531.6","size":"0.5"},"b":{"price":"75524.4","size":"0.1"}},"timestamp":1}"#;
    assert_eq!(read(both).unwrap(), Some("755244 755316".to_owned()));
    let one = r#"{"type":"update/ticker","channel":"ticker:1","nonce":5,"ticker":{"s":"BTC","b":{}},"timestamp":1}"#;
    assert_eq!(read(one).unwrap(), None);
    let stats = r#"{"type":"update/market_stats","channel":"market_stats:1","market_stats":{"symbol":"BTC","market_id":1,"index_price":"89926.8","mark_price":"89880.0","last_trade_price":"0"}}"#;
    assert_eq!(read(stats).unwrap(), Some("Some(898800)".to_owned()));
    let all = r#"{"type":"update/market_stats","channel":"market_stats:all","timestamp":1,"market_stats":{"0":{"market_id":0,"mark_price":"2308.861"},"1":{"market_id":1,"mark_price":"75241.1"}}}"#;
    assert_eq!(read(all).unwrap(), Some("Some(752411)".to_owned()));
}

#[test]
fn what_is_no_message_of_a_book_costs_none() {
    let whole = order_book("subscribed", "\"offset\":7,\"nonce\":100,\"begin_nonce\":0");
    for (frame, code, concerned) in [
        (&whole[..whole.len() - 9], "decode.truncated", Some(Scope::Book(Slot(0)))),
        (&whole.replace("order_book:1", "order_book:9"), "decode.unknown_symbol", None),
        (&whole.replace("75300.5", "0"), "decode.zero_price", Some(Scope::Book(Slot(0)))),
        (&whole.replace("\"nonce\":100", "\"nonce\":\"x\""), "decode.bad_number", Some(Scope::Book(Slot(0)))),
        (r#"{"type":"update/trade","channel":"trade:1","trades":[{}]}"#, "decode.missing_field", None),
        (r#"{"error":{"code":30003,"message":"Already Subscribed"}}"#, "decode.venue_refused", None),
        (r#"{"type":"nonsense"}"#, "decode.unknown_message", Some(Scope::All)),
        ("<html><body>maintenance</body></html>", "decode.not_json", Some(Scope::All)),
    ] {
        let mut events = Events::default();
        let read = Lighter::default().frame(frame.as_bytes(), At::default(), &routes(), &mut events);
        assert_eq!(read.unwrap_err().code(), code, "{frame}");
        assert_eq!(events.concerned(), concerned, "{frame}");
        assert_eq!(events.mark(), Events::default().mark(), "{frame}");
    }
}

#[test]
fn the_venues_question_for_life_is_answered() {
    let mut room = Lighter::default();
    let mut text = b"before".to_vec();
    said(&mut room, r#"{"type":"ping"}"#).unwrap();
    assert!(room.reply(&mut text));
    assert_eq!(text, br#"{"type":"pong"}"#);
    said(&mut room, r#"{"session_id":"7","type":"connected"}"#).unwrap();
    assert!(!room.reply(&mut text));
}

#[test]
fn markets_have_numbers_and_symbols() {
    let list = r#"{"code":200,"order_book_details":[{"symbol":"BTC","market_id":1,"status":"active","size_decimals":5,"price_decimals":1}],
        "spot_order_book_details":[{"symbol":"ETH/USDC","market_id":2048,"status":"inactive","size_decimals":4,"price_decimals":2}]}"#;
    let definitions = crate::venues::instruments(LIGHTER, list.as_bytes()).unwrap();
    let [bitcoin, ether] = definitions.list() else { panic!("two markets") };
    assert_eq!((bitcoin.to_string(), &*bitcoin.codes[0]), ("lighter:BTC".to_owned(), &b"1"[..]));
    assert_eq!((bitcoin.price_exponent, bitcoin.tick_size, bitcoin.qty_exponent), (-1, 1, -5));
    assert_eq!((&*ether.terms.base, &*ether.terms.quote, &*ether.codes[0]), ("ETH", "USDC", &b"2048"[..]));
    for name in ["BTC", "1"] {
        assert_eq!(instrument(LIGHTER, name).symbol, "BTC");
    }
    assert_eq!(
        crate::venues::instruments(LIGHTER, b"{\"code\":429}").unwrap_err().code(),
        "decode.not_instruments"
    );
}
