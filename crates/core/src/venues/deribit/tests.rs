use super::*;
use crate::types::Coverage;
use crate::types::{
    Aggressor, Level, Origin, Price, Qty, Route, Ticker, TradeId, TradingStatus, VenueSeq, Verb,
};

fn routes() -> Routes {
    let mut routes = Routes::new();
    for (slot, name) in
        ["BTC-PERPETUAL", "BTC-11JUN21-25000-P", "BTC-FS-30SEP22_PERP"].into_iter().enumerate()
    {
        let route = Route { slot: Slot(slot as u32), price_exponent: -4, qty_exponent: -1 };
        assert!(routes.carry([name.as_bytes()].into_iter(), route));
    }
    routes
}

/// A notification.
fn told(channel: &str, data: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{channel}","data":{data}}}}}"#)
}

/// A message of a book of the perpetual.
fn of_book(interval: &str, kind: &str, prev: &str, id: u64, bids: &str) -> String {
    let kind = if kind.is_empty() { String::new() } else { format!(r#""type":"{kind}","#) };
    let prev = if prev.is_empty() { String::new() } else { format!(r#""prev_change_id":{prev},"#) };
    told(
        &format!("book.BTC-PERPETUAL.{interval}"),
        &format!(
            r#"{{{kind}"timestamp":1622627435737,{prev}"instrument_name":"BTC-PERPETUAL","change_id":{id},"bids":[{bids}],"asks":[]}}"#
        ),
    )
}

fn read(room: &mut Deribit, frame: &str) -> Result<Events, &'static str> {
    let mut events = Events::default();
    match room.frame(frame.as_bytes(), At::default(), &routes(), &mut events) {
        Ok(()) => Ok(events),
        Err(error) => {
            assert_eq!(events.mark(), Events::default().mark(), "all or nothing");
            Err(error.code())
        }
    }
}

fn bodies(room: &mut Deribit, frame: &str) -> Vec<Body> {
    read(room, frame).unwrap().list().iter().map(|event| event.body).collect()
}

#[test]
fn a_change_names_what_it_does_and_what_is_before_it() {
    let frame = r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":{"type":"change","timestamp":1622627435737,"prev_change_id":31479598064,"instrument_name":"BTC-PERPETUAL","change_id":31479598217,"bids":[["delete",36779.0,0.0],["new",36809.5,254870.0]],"asks":[["change",37394.0,42670.0]]}}}"#;
    let events = read(&mut Deribit::default(), frame).unwrap();
    let [event] = events.list() else { panic!("{events:?}") };
    let Body::VerbedLevels(seq, span, verbs) = event.body else { panic!("{event:?}") };
    assert_eq!(seq, VenueSeq { first: 31_479_598_065, last: 31_479_598_217, prev: Some(31_479_598_064) });
    assert_eq!(event.ts_event, 1_622_627_435_737_000_000);
    let sides = events.levels(span);
    assert_eq!(sides.bids, [Level::new(367_790_000, 0), Level::new(368_095_000, 2_548_700)]);
    assert_eq!(sides.asks, [Level::new(373_940_000, 426_700)]);
    assert_eq!(events.verbs_of(verbs), [Verb::Delete, Verb::New, Verb::Change]);
    assert_eq!(events.concerned(), Some(Scope::Book(Slot(0))));
}

#[test]
fn whole_books_are_told_in_each_form() {
    let new = r#"["new",37240.0,20.0]"#;
    for (frame, origin, coverage) in [
        (of_book("raw", "snapshot", "", 7, new), Origin::Stream, Coverage::Whole),
        (of_book("100ms", "snapshot", "null", 7, new), Origin::Stream, Coverage::Whole),
        (of_book("raw", "snapshot", "20", 7, new), Origin::Stream, Coverage::Whole),
        (of_book("raw", "", "", 7, new), Origin::Stream, Coverage::Whole),
        (of_book("raw", "change", "0", 7, new), Origin::Stream, Coverage::Whole),
        (of_book("none.20.100ms", "", "", 7, "[37240.0,20.0]"), Origin::Restated, Coverage::Depth(20)),
    ] {
        let events = read(&mut Deribit::default(), &frame).unwrap();
        let [Body::Book(seq, span, covers, from)] =
            events.list().iter().map(|event| event.body).collect::<Vec<_>>()[..]
        else {
            panic!("{frame}")
        };
        assert_eq!((seq, covers, from), (VenueSeq::at(7), coverage, origin), "{frame}");
        assert_eq!(events.levels(span).bids, [Level::new(372_400_000, 200)], "{frame}");
    }
}

#[test]
fn what_is_no_book_is_refused_or_passed_over() {
    let new = r#"["new",37240.0,20.0]"#;
    for (frame, code) in [
        (of_book("raw", "change", "", 7, new), "decode.missing_field"),
        (of_book("raw", "snapshot", "", 7, r#"["change",37240.0,20.0]"#), "decode.wrong_type"),
        (of_book("raw", "change", "6", 7, r#"["newer",37240.0,20.0]"#), "decode.wrong_type"),
        (of_book("raw", "other", "6", 7, new), "decode.unknown_message"),
        (of_book("raw", "change", "6", 7, "[37240.0,20.0]"), "decode.bad_level"),
        (of_book("raw", "change", "6", 7, r#"["new",37240.0,20.0,1]"#), "decode.bad_level"),
        (of_book("raw", "change", "6", 7, r#"["new",0.0,20.0]"#), "decode.zero_price"),
        (of_book("raw", "change", "6", 7, r#"["new",-1.0,20.0]"#), "decode.negative"),
        (of_book("raw", "change", "6", 7, r#"["new",1.0,-20.0]"#), "decode.negative"),
        (of_book("200ms", "change", "6", 7, new), "decode.unknown_message"),
        (of_book("raw", "change", "6", 7, new).replace("book.BTC-P", "book.BTD-P"), "decode.two_instruments"),
        (of_book("raw", "change", "6", 7, new).replace("BTC-P", "BTD-P"), "decode.unknown_symbol"),
        (
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":10028,"message":"too_many_requests"}}"#.to_owned(),
            "decode.venue_refused",
        ),
        (r#"{"jsonrpc":"2.0","id":1,"error":7}"#.to_owned(), "decode.unknown_message"),
        (r#"{"jsonrpc":"2.0","method":"other"}"#.to_owned(), "decode.unknown_message"),
        ("{}".to_owned(), "decode.missing_field"),
        ("<html>".to_owned(), "decode.not_json"),
    ] {
        assert_eq!(read(&mut Deribit::default(), &frame).map(|_| ()), Err(code), "{frame}");
    }
    let room = &mut Deribit::default();
    for frame in [
        of_book("5.20.100ms", "", "", 7, "[37240.0,20.0]"),
        told("deribit_price_index.btc_usd", r#"{"price":1.5}"#),
        r#"{"jsonrpc":"2.0","id":1,"result":["book.BTC-PERPETUAL.raw"],"usIn":1,"usOut":2}"#.to_owned(),
    ] {
        assert_eq!(bodies(room, &frame), [], "{frame}");
    }
}

#[test]
fn of_several_channels_of_a_book_the_one_that_tells_most_counts() {
    let new = r#"["new",37240.0,20.0]"#;
    let whole = |interval: &str| match interval.starts_with("none") {
        true => of_book(interval, "", "", 7, "[37240.0,20.0]"),
        false => of_book(interval, "snapshot", "", 7, new),
    };
    let change = |interval: &str| of_book(interval, "change", "7", 8, new);
    let room = &mut Deribit::default();
    for (frame, counts) in [
        (change("100ms"), true),
        (whole("none.10.100ms"), true),
        (whole("none.20.100ms"), true),
        (whole("none.10.100ms"), false),
        (change("100ms"), false),
        (whole("100ms"), true),
        (change("100ms"), true),
        (whole("none.20.100ms"), false),
        (whole("raw"), true),
        (change("100ms"), false),
        (change("agg2"), false),
        (whole("100ms"), false),
        (change("raw"), true),
        (whole("raw"), true),
    ] {
        assert_eq!(!bodies(room, &frame).is_empty(), counts, "{frame}");
    }
}

#[test]
fn a_book_that_is_unsubscribed_is_known_no_more() {
    let new = r#"["new",37240.0,20.0]"#;
    let answer = |id: u64, result: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result},"usIn":1,"usOut":2}}"#)
    };
    let channels = r#"["trades.BTC-PERPETUAL.raw","book.BTC-PERPETUAL.100ms","book.X.raw"]"#;
    for (request, result) in [
        (r#"{"jsonrpc":"2.0","id":9,"method":"public/unsubscribe","params":{"channels":[]}}"#, channels),
        (r#"{"jsonrpc":"2.0","id":9,"method":"public/unsubscribe_all","params":{}}"#, r#""ok""#),
    ] {
        let room = &mut Deribit::default();
        room.asked(b"wss://www.deribit.com/ws/api/v2");
        room.asked(br#"{"jsonrpc":"2.0","id":8,"method":"public/subscribe","params":{"channels":[]}}"#);
        assert_eq!(bodies(room, &of_book("100ms", "snapshot", "", 7, new)).len(), 1);
        room.asked(request.as_bytes());
        assert_eq!(bodies(room, &answer(8, channels)), []);
        let lost = bodies(room, &answer(9, result));
        let (scope, reason) = (Scope::Book(Slot(0)), StaleReason::SourceFailed);
        assert_eq!(lost, [Body::Lost { scope, reason, expected: 0, received: 0 }]);
        assert_eq!(bodies(room, &answer(9, result)), []);
    }
}

#[test]
fn a_test_is_answered_at_once_and_once() {
    let room = &mut Deribit::default();
    let mut said = b"left over".to_vec();
    for (frame, is_answered) in [
        (r#"{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}"#, false),
        (r#"{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}"#, true),
        (r#"{"jsonrpc":"2.0","id":0,"result":{"version":"1.2.26"},"usIn":1,"usOut":2}"#, false),
    ] {
        assert_eq!(bodies(room, frame), []);
        assert_eq!(room.reply(&mut said), is_answered, "{frame}");
    }
    assert_eq!(said, br#"{"jsonrpc":"2.0","id":0,"method":"public/test","params":{}}"#);
}

#[test]
fn trades_are_those_of_the_book() {
    let trade = |more: &str, name: &str, price: &str| {
        format!(
            r#"{{"trade_seq":30289442,"trade_id":"ETH-48079269","timestamp":1590484512188,"tick_direction":2,"price":{price},"mark_price":1.0,{more}"instrument_name":"{name}","index_price":8810.68,"direction":"sell","amount":11.0}}"#
        )
    };
    let all = [
        trade("", "BTC-PERPETUAL", "8950.0"),
        trade(r#""block_trade_id":"6165","#, "BTC-PERPETUAL", "8950.0"),
        trade(r#""combo_trade_id":"43","#, "BTC-PERPETUAL", "8950.0"),
        trade(r#""liquidation":"M","#, "BTC-11JUN21-25000-P", "0.0305"),
        trade("", "ETH-PERPETUAL", "8950.0"),
        trade("", "BTC-FS-30SEP22_PERP", "-13.5"),
    ];
    let events =
        read(&mut Deribit::default(), &told("trades.any.any.raw", &format!("[{}]", all.join(",")))).unwrap();
    let of = |span| events.trades_of(span)[0];
    let told: Vec<_> = events
        .list()
        .iter()
        .map(|event| match event.body {
            Body::Trades(span) => (event.slot.0, false, of(span).price.0),
            Body::Liquidations(span) => (event.slot.0, true, of(span).price.0),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, [(0, false, 89_500_000), (1, false, 305), (1, true, 305), (2, false, -135_000)]);
    let Body::Trades(span) = events.list()[0].body else { panic!() };
    let trade = of(span);
    assert_eq!((trade.id, trade.aggressor), (TradeId::Number(30_289_442), Aggressor::Sell));
    assert_eq!((trade.qty, trade.ts_event), (Qty(110), 1_590_484_512_188_000_000));
    let foreign = told_alone(&all[4]);
    assert_eq!(read(&mut Deribit::default(), &foreign).map(|_| ()), Err("decode.unknown_symbol"));
}

fn told_alone(trade: &str) -> String {
    told("trades.ETH-PERPETUAL.raw", &format!("[{trade}]"))
}

#[test]
fn a_ticker_of_an_option_has_its_greeks() {
    let data = r#"{"underlying_price":2003.61,"underlying_index":"ETH-30JUL21","timestamp":1626993723632,"stats":{"volume":869.0,"price_change":0.0,"low":0.0015,"high":0.0025},"state":"open","settlement_price":0.0,"open_interest":12685.0,"min_price":0.0001,"max_price":0.025,"mark_price":0.0019,"mark_iv":120.74,"last_price":0.002,"interest_rate":0.0,"instrument_name":"BTC-11JUN21-25000-P","index_price":2006.72,"greeks":{"vega":0.20072,"theta":-1.64029,"rho":0.01188,"gamma":0.0002,"delta":0.03127},"estimated_delivery_price":"expired","bid_iv":115.62,"best_bid_price":0.0015,"best_bid_amount":4714.0,"best_ask_price":0.0025,"best_ask_amount":873.0,"ask_iv":125.63}"#;
    let events = read(&mut Deribit::default(), &told("ticker.BTC-11JUN21-25000-P.raw", data)).unwrap();
    let [ticker, state] = events.list() else { panic!("{events:?}") };
    let Body::Ticker(at) = ticker.body else { panic!("{ticker:?}") };
    let expected = Ticker {
        last: Some(Price(20)),
        mark: Some(Price(19)),
        index: Some(Price(20_067_200)),
        volume: Some(Qty(8_690)),
        open_interest: Some(Qty(126_850)),
        underlying: Some(Price(20_036_100)),
        interest_rate_e9: Some(0),
        mark_iv_e9: Some(1_207_400_000),
        bid_iv_e9: Some(1_156_200_000),
        ask_iv_e9: Some(1_256_300_000),
        delta_e9: Some(31_270_000),
        gamma_e9: Some(200_000),
        vega_e9: Some(200_720_000),
        theta_e9: Some(-1_640_290_000),
        rho_e9: Some(11_880_000),
        ..Ticker::default()
    };
    assert_eq!((ticker.slot, events.ticker(at)), (Slot(1), expected));
    assert_eq!(state.body, Body::Trading(TradingStatus::Trading));
}

#[test]
fn a_ticker_tells_what_its_message_tells() {
    let of = |room: &mut Deribit, channel: &str, data: &str| {
        let events = read(room, &told(channel, data)).unwrap();
        let Body::Ticker(at) = events.list()[0].body else { panic!() };
        events.ticker(at)
    };
    let room = &mut Deribit::default();
    let perpetual = of(
        room,
        "ticker.BTC-PERPETUAL.100ms",
        r#"{"timestamp":1569888003897,"stats":{"volume_usd":545442610.0,"volume":17945.19644566},"last_price":null,"instrument_name":"BTC-PERPETUAL","funding_8h":-8.477e-05,"current_funding":-0.00010785}"#,
    );
    let expected =
        Ticker { volume: Some(Qty(5_454_426_100)), funding_rate_e9: Some(-107_850), ..Ticker::default() };
    assert_eq!(perpetual, expected, "dollars, as its amounts are");
    let combination = of(
        room,
        "incremental_ticker.BTC-FS-30SEP22_PERP",
        r#"{"timestamp":1662681659203,"mark_price":-10.12,"mark_iv":-74.2,"instrument_name":"BTC-FS-30SEP22_PERP"}"#,
    );
    let expected =
        Ticker { mark: Some(Price(-101_200)), mark_iv_e9: Some(-742_000_000), ..Ticker::default() };
    assert_eq!(combination, expected);
}

#[test]
fn best_prices_and_states_are_told() {
    let quote = told(
        "quote.BTC-PERPETUAL",
        r#"{"timestamp":1765541767174,"instrument_name":"BTC-PERPETUAL","best_ask_price":92288.5,"best_bid_price":null,"best_ask_amount":99470.0,"best_bid_amount":0.0}"#,
    );
    let [Body::Bbo(bbo)] = bodies(&mut Deribit::default(), &quote)[..] else { panic!() };
    assert_eq!((bbo.venue_seq, bbo.bid, bbo.ask), (0, Level::new(0, 0), Level::new(922_885_000, 994_700)));
    for (state, status) in [
        ("started", TradingStatus::Trading),
        ("deactivated", TradingStatus::Halted),
        ("terminated", TradingStatus::Closed),
        ("another", TradingStatus::Unknown),
    ] {
        let data = format!(r#"{{"timestamp":1,"state":"{state}","instrument_name":"BTC-PERPETUAL"}}"#);
        let frame = told("instrument.state.any.any", &data);
        assert_eq!(bodies(&mut Deribit::default(), &frame), [Body::Trading(status)]);
    }
}

#[test]
fn answers_are_books_or_instruments() {
    let answered = |bytes: &str| {
        let (mut events, routes) = (Events::default(), routes());
        let asked = Asked { routes: &routes, url: b"" };
        let read = Deribit::default().answer(&asked, bytes.as_bytes(), At::default(), &mut events);
        read.map(|()| events).map_err(|error| error.code())
    };
    let events = answered(
        r#"{"jsonrpc":"2.0","result":{"timestamp":1654246806027,"instrument_name":"BTC-PERPETUAL","change_id":45305261539,"bids":[[30434.5,600.0]],"asks":[]},"usIn":1,"usOut":2}"#,
    )
    .unwrap();
    let Body::Book(seq, span, Coverage::ToWorst, Origin::Answer) = events.list()[0].body else { panic!() };
    assert_eq!(
        (seq, events.levels(span).bids),
        (VenueSeq::at(45_305_261_539), &[Level::new(304_345_000, 6_000)][..])
    );
    let events = answered(
        r#"{"jsonrpc":"2.0","result":[{"tick_size":0.0005,"min_trade_amount":0.1,"instrument_name":"BTC-11JUN21-25000-P","state":"open"},{"tick_size":0.5,"min_trade_amount":1,"instrument_name":"ETH-X"}]}"#,
    )
    .unwrap();
    let [definition, state] = events.list() else { panic!("{events:?}") };
    let expected = crate::types::Definition { price_digits: 4, qty_digits: 1, tick_size: 5, lot_size: 1 };
    assert_eq!((definition.slot, definition.body), (Slot(1), Body::Definition(expected)));
    assert_eq!(state.body, Body::Trading(TradingStatus::Trading));
    for (bytes, code) in [
        (r#"{"jsonrpc":"2.0","result":{"version":"1"}}"#, "decode.not_snapshot"),
        (r#"{"jsonrpc":"2.0","result":[]}"#, "decode.not_snapshot"),
        (r#"{"jsonrpc":"2.0","result":"ok"}"#, "decode.not_snapshot"),
        (r#"{"jsonrpc":"2.0","error":{"code":-1,"message":"no"}}"#, "decode.venue_refused"),
    ] {
        assert_eq!(answered(bytes).map(|_| ()), Err(code), "{bytes}");
    }
}

#[test]
fn a_frame_that_cannot_be_read_costs_the_book_that_it_may_be_of() {
    let whole = of_book("raw", "change", "6", 7, r#"["new",37240.0,20.0]"#);
    let ticker = told("ticker.BTC-PERPETUAL.raw", "{}");
    let one = Some(Scope::Book(Slot(0)));
    for (frame, concerned) in [
        (&whole[..whole.len() - 1], one),
        (&whole[..95], one),
        (&whole[..80], Some(Scope::All)),
        (&whole[..20], Some(Scope::All)),
        (&ticker[..ticker.len() - 1], None),
        (r#"{"jsonrpc":"2.0","id":1,"result":[],"usIn":1,"usOut":2"#, None),
        (r#"{"jsonrpc":"2.0","method":"heartbeat""#, None),
    ] {
        let mut events = Events::default();
        let read = Deribit::default().frame(frame.as_bytes(), At::default(), &routes(), &mut events);
        assert!(read.is_err(), "{frame}");
        assert_eq!(events.concerned(), concerned, "{frame}");
    }
}

#[test]
fn times_are_those_of_the_message() {
    assert_eq!(Deribit::time(of_book("raw", "", "", 1, "").as_bytes()), 1_622_627_435_737_000_000);
    assert_eq!(Deribit::time(br#"{"usIn":1,"usOut":1626993723847561}"#), 1_626_993_723_847_561_000);
    assert_eq!(Deribit::time(b"{}"), 0);
}
