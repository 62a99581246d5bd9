use super::*;
use crate::types::{Aggressor, Coverage, Level, Origin, Price, Route, VenueSeq};

fn routes() -> Routes {
    let mut routes = Routes::new();
    routes.carry([&b"BTC"[..]].into_iter(), Route { slot: Slot(0), price_exponent: -1, qty_exponent: -5 });
    routes
}

fn read(room: &mut Hyperliquid, frame: &str, events: &mut Events) -> Result<Vec<Body>, &'static str> {
    events.clear();
    room.frame(frame.as_bytes(), At::default(), &routes(), events).map_err(|error| error.code())?;
    Ok(events.list().iter().map(|event| event.body).collect())
}

const BOOK: &str = r#"{"channel":"l2Book","data":{"coin":"BTC","levels":[[{"n":5,"px":"105055.0","sz":"3.03622"}],[{"px":"105056.0","sz":"0.1428","n":1},{"px":"105057.0","sz":"2","n":1}]],"time":1737918843542}}"#;

fn answered(method: &str, figures: &str) -> String {
    format!(
        "{{\"channel\":\"subscriptionResponse\",\"data\":{{\"method\":\"{method}\",\"subscription\":\
         {{\"type\":\"l2Book\",\"coin\":\"BTC\",\"nSigFigs\":{figures},\"mantissa\":null}}}}}}"
    )
}

#[test]
fn every_message_of_a_book_is_the_whole_of_it() {
    let (mut room, mut events) = (Hyperliquid::default(), Events::default());
    let bodies = read(&mut room, BOOK, &mut events).unwrap();
    let [Body::Book(seq, span, Coverage::Depth(20), Origin::Restated)] = bodies[..] else {
        panic!("{bodies:?}")
    };
    assert_eq!(seq, VenueSeq::at(1_737_918_843_542));
    assert_eq!(events.list()[0].ts_event, 1_737_918_843_542_000_000);
    let sides = events.levels(span);
    assert_eq!(sides.bids, [Level::new(1_050_550, 303_622)]);
    assert_eq!(sides.asks, [Level::new(1_050_560, 14_280), Level::new(1_050_570, 200_000)]);
    assert_eq!(Hyperliquid::time(BOOK.as_bytes()), 1_737_918_843_542_000_000);
    let empty = r#"{"channel":"l2Book","data":{"coin":"BTC","time":1730160007687,"levels":[[],[]]}}"#;
    assert_eq!(read(&mut room, empty, &mut events).map(|bodies| bodies.len()), Ok(1));
}

#[test]
fn a_grouped_book_is_none() {
    let (mut room, mut events) = (Hyperliquid::default(), Events::default());
    assert_eq!(read(&mut room, &answered("subscribe", "null"), &mut events), Ok(vec![]));
    assert_eq!(read(&mut room, BOOK, &mut events).map(|bodies| bodies.len()), Ok(1));
    let bodies = read(&mut room, &answered("subscribe", "5"), &mut events).unwrap();
    assert!(matches!(bodies[..], [Body::Lost { reason: StaleReason::Contradiction, .. }]), "{bodies:?}");
    assert_eq!(read(&mut room, BOOK, &mut events), Ok(vec![]), "whose it is, nobody knows");
    read(&mut room, &answered("unsubscribe", "5"), &mut events).unwrap();
    assert_eq!(read(&mut room, BOOK, &mut events).map(|bodies| bodies.len()), Ok(1));
    // A recording may hold what was sent, and not the answer.
    let mut room = Hyperliquid::default();
    room.asked(br#"{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC","nSigFigs":3}}"#);
    assert_eq!(read(&mut room, BOOK, &mut events), Ok(vec![]));
}

#[test]
fn a_book_ends_with_its_connection_or_subscription() {
    for end in ["opened", "unsubscribed"] {
        let (mut room, mut events) = (Hyperliquid::default(), Events::default());
        read(&mut room, BOOK, &mut events).unwrap();
        for expected in [1, 0] {
            events.clear();
            if end == "opened" {
                room.opened(At::default(), &mut events);
            } else {
                read(&mut room, &answered("unsubscribe", "null"), &mut events).unwrap();
            }
            assert_eq!(events.list().len(), expected, "{end}");
        }
    }
}

#[test]
fn tops_trades_and_statistics() {
    let (mut room, mut events) = (Hyperliquid::default(), Events::default());
    let bbo = r#"{"channel":"bbo","data":{"coin":"BTC","time":5,"bbo":[{"px":"107575.0","sz":"3.5","n":17},null]}}"#;
    let [Body::Bbo(bbo)] = read(&mut room, bbo, &mut events).unwrap()[..] else { panic!("a top") };
    assert_eq!((bbo.bid.price, bbo.ask.qty.0, bbo.venue_seq), (Price(1_075_750), 0, 0));
    let one =
        r#"{"channel":"bbo","data":{"coin":"BTC","time":5,"bbo":[{"px":"107575.0","sz":"3.5","n":17}]}}"#;
    assert_eq!(read(&mut room, one, &mut events), Ok(vec![]));
    let trades = r#"{"channel":"trades","data":[{"coin":"BTC","side":"B","px":"69997.0","sz":"0.5","time":7,"hash":"0x","tid":9},{"coin":"BTC","side":"A","px":"69998.0","sz":"1","time":8,"hash":"0x","tid":3}]}"#;
    let [Body::Trades(span)] = read(&mut room, trades, &mut events).unwrap()[..] else { panic!("trades") };
    let sides: Vec<_> = events.trades_of(span).iter().map(|trade| trade.aggressor).collect();
    assert_eq!(sides, [Aggressor::Buy, Aggressor::Sell]);
    let context = r#"{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{"funding":"-0.0000125","openInterest":"18617.5","oraclePx":"0.5","markPx":"0.6","midPx":null}}}"#;
    let [Body::Ticker(at)] = read(&mut room, context, &mut events).unwrap()[..] else { panic!("statistics") };
    let ticker = events.ticker(at);
    assert_eq!((ticker.mark, ticker.index), (Some(Price(6)), Some(Price(5))));
    assert_eq!(ticker.funding_rate_e9, Some(-12_500));
}

#[test]
fn what_cannot_be_read_costs_the_book_that_it_may_be_of() {
    let mut events = Events::default();
    let book = Some(Scope::Book(Slot(0)));
    for (frame, code, concerned) in [
        (BOOK[..BOOK.len() - 30].to_owned(), "decode.truncated", book),
        (BOOK.replace("105055.0", "0"), "decode.zero_price", book),
        (BOOK.replace("\"BTC\"", "\"ETH\""), "decode.unknown_symbol", None),
        (BOOK.replace("],[", "],[],["), "decode.wrong_type", book),
        (r#"{"channel":"error","data":"Invalid subscription"}"#.to_owned(), "decode.venue_refused", None),
        ("{\"chan".to_owned(), "decode.truncated", Some(Scope::All)),
        ("<html>".to_owned(), "decode.not_json", Some(Scope::All)),
    ] {
        let got = read(&mut Hyperliquid::default(), &frame, &mut events);
        assert_eq!(got.unwrap_err(), code, "{frame}");
        assert_eq!(events.concerned(), concerned, "{frame}");
        assert_eq!(events.mark(), Events::default().mark(), "{frame}");
    }
}
