use super::*;
use crate::types::{
    Aggressor, Coverage, Definitions, InstrumentKind, Level, OrderChange, OrderId, Origin, Part, Price, Qty,
    Route, Side, TradeId, VenueSeq,
};
use crate::venues::BITFINEX;

fn routes() -> Routes {
    let mut routes = Routes::new();
    for (slot, symbol) in ["tBTCUSD", "tBTCF0:USTF0"].into_iter().enumerate() {
        let instrument = instrument(BITFINEX, symbol);
        let route = Route { slot: Slot(slot as u32), price_exponent: -2, qty_exponent: -8 };
        assert!(routes.carry(instrument.codes.iter().map(|code| &**code), route));
    }
    routes
}

/// A connection that has subscribed to all that is read: 1 the book, 2 trades, 3 ticker, 4 status, 5 liquidations, 6 a book
/// that is not carried, 7 funding, 8 a book of sums, 9 a book of orders.
fn connection(flags: u64) -> Bitfinex {
    let mut room = Bitfinex::default();
    let book = |id: u32, symbol: &str, prec: &str| {
        format!(
            "{{\"event\":\"subscribed\",\"channel\":\"book\",\"chanId\":{id},\"symbol\":\"{symbol}\",\"prec\":\"{prec}\",\"freq\":\"F0\",\"len\":\"25\"}}"
        )
    };
    let other = |id: u32, channel: &str, key: &str| {
        format!("{{\"event\":\"subscribed\",\"channel\":\"{channel}\",\"chanId\":{id},{key}}}")
    };
    for event in [
        "{\"event\":\"info\",\"version\":2,\"serverId\":\"a\",\"platform\":{\"status\":1}}".to_owned(),
        format!("{{\"event\":\"conf\",\"status\":\"OK\",\"flags\":{flags}}}"),
        book(1, "tBTCUSD", "P0"),
        other(2, "trades", "\"symbol\":\"tBTCUSD\""),
        other(3, "ticker", "\"symbol\":\"tBTCUSD\""),
        other(4, "status", "\"key\":\"deriv:tBTCF0:USTF0\""),
        other(5, "status", "\"key\":\"liq:global\""),
        book(6, "tETHUSD", "P0"),
        other(7, "trades", "\"symbol\":\"fUSD\""),
        book(8, "tBTCUSD", "P1"),
        book(9, "tBTCUSD", "R0"),
    ] {
        assert_eq!(said(&mut room, &event).unwrap(), [], "{event}");
    }
    room
}

fn read(room: &mut Bitfinex, frame: &str, events: &mut Events) -> Result<(), FrameError> {
    events.clear();
    room.frame(frame.as_bytes(), At::default(), &routes(), events)
}

fn said(room: &mut Bitfinex, frame: &str) -> Result<Vec<Body>, &'static str> {
    let mut events = Events::default();
    read(room, frame, &mut events).map_err(|error| error.code())?;
    Ok(events.list().iter().map(|event| event.body).collect())
}

/// Prices and quantities.
type Plain = Vec<(i64, i64)>;

/// The levels of a frame: whether they are a whole book, its number, bids and asks as price and quantity.
fn levels(room: &mut Bitfinex, frame: &str) -> (bool, u64, Plain, Plain) {
    let mut events = Events::default();
    read(room, frame, &mut events).unwrap();
    let [event] = events.list() else { panic!("{frame}: {:?}", events.list()) };
    let (is_whole, seq, span) = match event.body {
        Body::Book(seq, span, Coverage::Depth(25), Origin::Stream) => (true, seq, span),
        Body::Levels(seq, span) => (false, seq, span),
        body => panic!("{frame}: {body:?}"),
    };
    assert_eq!(seq, VenueSeq::at(seq.last));
    let plain = |side: &[Level]| side.iter().map(|level| (level.price.0, level.qty.0)).collect::<Vec<_>>();
    let sides = events.levels(span);
    (is_whole, seq.last, plain(sides.bids), plain(sides.asks))
}

/// Orders of a frame, with what they are.
fn orders(room: &mut Bitfinex, frame: &str) -> (Body, Vec<OrderChange>) {
    let mut events = Events::default();
    read(room, frame, &mut events).unwrap();
    let [event] = events.list() else { panic!("{frame}: {:?}", events.list()) };
    let (Body::OrderBook(.., span) | Body::Orders(_, span)) = event.body else { panic!("{event:?}") };
    (event.body, events.order_changes(span).to_vec())
}

const fn lost(reason: StaleReason) -> Body {
    Body::Lost { scope: Scope::Book(Slot(0)), reason, expected: 0, received: 0 }
}

#[test]
fn rows_are_levels_of_the_side_of_their_sign() {
    for (flags, behind) in [(0, ["", "", "", ""]), (65_536, [",1", ",2", ",3", ",4"])] {
        let mut room = connection(flags);
        let of = |at: usize| if flags == 0 { 0 } else { at as u64 };
        let mut at = |frame: &str, nth: usize| levels(&mut room, &format!("[1,{frame}{}]", behind[nth]));
        let book = at("[[101.5,2,0.5],[100,1,4.9e-7],[102,3,-1.25]]", 0);
        assert_eq!(
            book,
            (true, of(1), vec![(10_150, 50_000_000), (10_000, 49)], vec![(10_200, 125_000_000)])
        );
        assert_eq!(at("[101.5,1,0.25]", 1), (false, of(2), vec![(10_150, 25_000_000)], vec![]));
        assert_eq!(at("[101.5,0,1]", 2), (false, of(3), vec![(10_150, 0)], vec![]));
        assert_eq!(at("[102,0,-1]", 3), (false, of(4), vec![], vec![(10_200, 0)]));
    }
}

#[test]
fn numbers_and_times_are_found_behind_what_is_said() {
    let mut room = connection(65_536 + 32_768);
    let mut events = Events::default();
    for (frame, time_ms) in [
        ("[1,[[100,1,1]],1,1785552833184]", 1_785_552_833_184_u64),
        ("[1,[100,1,2],2,1785552833185,\"book\",\"BTCUSD\"]", 1_785_552_833_185),
    ] {
        read(&mut room, frame, &mut events).unwrap();
        assert_eq!(events.list()[0].ts_event, time_ms * 1_000_000);
    }
    assert_eq!(said(&mut room, "[1,\"hb\",3,1785552833186]"), Ok(vec![]));
    assert_eq!(
        said(&mut room, "[1,\"cs\",-1234,4,1785552833186]"),
        Ok(vec![Body::CheckLevels((-1234_i32).cast_unsigned())])
    );
    assert_eq!(said(&mut room, "[1,[100,1,3],5]"), Err("decode.missing_field"));
    assert_eq!(said(&mut room, "[1,[100,1,3]]"), Err("decode.missing_field"));
}

#[test]
fn a_number_that_is_missing_loses_every_book() {
    let gap =
        |expected, received| Body::Lost { scope: Scope::All, reason: StaleReason::Gap, expected, received };
    let mut room = connection(65_536);
    assert!(levels(&mut room, "[1,[[100,1,1]],1]").0);
    // Any channel counts, carried or not; the same twice is passed over.
    assert_eq!(said(&mut room, "[6,\"hb\",2]"), Ok(vec![]));
    assert_eq!(said(&mut room, "[6,[1,1,1],3]"), Err("decode.unknown_symbol"));
    assert_eq!(said(&mut room, "[7,\"te\",[1,2,3,4],4]"), Ok(vec![]));
    assert_eq!(said(&mut room, "[1,[100,1,2],4]"), Ok(vec![]));
    assert_eq!(levels(&mut room, "[1,[100,1,2],5]").1, 5);
    assert_eq!(said(&mut room, "[2,\"hb\",7]"), Ok(vec![gap(6, 7)]));
    assert_eq!(said(&mut room, "[6,[1,1,1],9]"), Ok(vec![gap(8, 9)]));
    assert_eq!(levels(&mut room, "[1,[100,1,2],10]").1, 10);
    // What cannot be read came nevertheless.
    assert_eq!(said(&mut room, "[1,[100,1,\"x\"],11]"), Err("decode.wrong_type"));
    assert_eq!(levels(&mut room, "[1,[100,1,2],12]").1, 12);
    assert_eq!(said(&mut room, "[1,[100,1,2],11]").unwrap()[0], gap(13, 11));
}

#[test]
fn a_book_behind_a_damaged_number_is_no_repetition() {
    let mut room = connection(65_536);
    assert!(levels(&mut room, "[1,[[100,1,1]],1]").0);
    // Number 2, damaged.
    assert_eq!(said(&mut room, "[1,[100,1,2],3]").unwrap().len(), 2);
    let unsubscribed = "{\"event\":\"unsubscribed\",\"status\":\"OK\",\"chanId\":1}";
    assert_eq!(said(&mut room, unsubscribed), Ok(vec![lost(StaleReason::SourceFailed)]));
    let subscribed =
        "{\"event\":\"subscribed\",\"channel\":\"book\",\"chanId\":21,\"symbol\":\"tBTCUSD\",\"len\":\"25\"}";
    assert_eq!(said(&mut room, subscribed), Ok(vec![]));
    let told = said(&mut room, "[21,[[100,1,2]],3]").unwrap();
    assert!(matches!(told[..], [Body::Lost { expected: 4, received: 3, .. }, Body::Book(..)]), "{told:?}");
}

#[test]
fn lists_behind_the_first_are_updates_where_they_were_switched_on() {
    let mut room = connection(536_870_912);
    assert!(levels(&mut room, "[1,[]]").0);
    assert_eq!(
        levels(&mut room, "[1,[[100,0,1],[101,1,-2]]]"),
        (false, 0, vec![(10_000, 0)], vec![(10_100, 200_000_000)])
    );
    let mut room = connection(0);
    assert!(levels(&mut room, "[1,[[100,1,1]]]").0);
    assert_eq!(said(&mut room, "[1,[[100,0,1]]]"), Ok(vec![lost(StaleReason::Contradiction)]));
}

#[test]
fn rows_of_orders_come_change_and_go() {
    for (flags, behind) in [(0, ["", "", ""]), (65_536 + 536_870_912, [",1", ",2", ",3"])] {
        let mut room = connection(flags);
        let (id, price, qty) = (OrderId(60_504_777_678), Price(10_150), Qty(50_000_000));
        let (body, told) =
            orders(&mut room, &format!("[9,[[60504777678,101.5,0.5],[60504777679,102,-1.25]]{}]", behind[0]));
        assert!(matches!(body, Body::OrderBook(_, Part::Whole, Coverage::Orders(25), _)), "{body:?}");
        let ask = OrderChange::Add {
            id: OrderId(60_504_777_679),
            side: Side::Ask,
            price: Price(10_200),
            qty: Qty(125_000_000),
        };
        assert_eq!(told, [OrderChange::Add { id, side: Side::Bid, price, qty }, ask]);
        let list = |row: &str| if flags == 0 { row.to_owned() } else { format!("[{row}]") };
        let (body, told) =
            orders(&mut room, &format!("[9,{}{}]", list("[60504777678,101.5,0.5]"), behind[1]));
        assert!(matches!(body, Body::Orders(..)), "{body:?}");
        assert_eq!(told, [OrderChange::Upsert { id, side: Side::Bid, price, qty }]);
        let (_, told) = orders(&mut room, &format!("[9,{}{}]", list("[60504777678,0,1]"), behind[2]));
        assert_eq!(told, [OrderChange::Delete { id }]);
        // Levels of the pair go on beside them.
        assert!(levels(&mut room, &format!("[1,[[100,1,1]]{}]", behind[2].replace('3', "4"))).0);
    }
}

#[test]
fn rows_of_orders_that_cannot_be_are_refused() {
    let begun = || {
        let mut room = connection(0);
        orders(&mut room, "[9,[[1,100,1]]]");
        room
    };
    for (frame, code) in [
        ("[9,[1,100]]", "decode.bad_level"),
        ("[9,[1,100,0]]", "decode.bad_level"),
        ("[9,[1,0,0]]", "decode.bad_level"),
        ("[9,[-1,100,1]]", "decode.bad_number"),
        ("[9,[1.5,100,1]]", "decode.bad_number"),
        ("[9,[1,-100,1]]", "decode.negative"),
        ("[9,[1,null,1]]", "decode.wrong_type"),
        ("[9,[1,100,\"1\"]]", "decode.wrong_type"),
    ] {
        let (mut room, mut events) = (begun(), Events::default());
        let error = read(&mut room, frame, &mut events).unwrap_err();
        assert_eq!((error.code(), events.concerned()), (code, Some(Scope::Book(Slot(0)))), "{frame}");
    }
    for (frame, code) in [
        ("[9,[1,100,1]]", "decode.not_snapshot"),
        ("[9,[[1,0,1]]]", "decode.zero_price"),
        (&format!("[9,[{}]]", vec!["[1,100,1]"; 26].join(",")), "decode.unknown_depth"),
    ] {
        assert_eq!(said(&mut connection(0), frame), Err(code), "{frame}");
    }
    assert_eq!(said(&mut begun(), "[9,[[1,100,1]]]"), Ok(vec![lost(StaleReason::Contradiction)]));
}

#[test]
fn checksums_are_of_the_book_that_their_channel_tells() {
    let mut room = connection(0);
    assert_eq!(said(&mut room, "[1,\"cs\",1]"), Ok(vec![]), "of a book that has not begun");
    assert_eq!(said(&mut room, "[6,\"cs\",1]"), Err("decode.unknown_symbol"));
    assert_eq!(said(&mut room, "[8,\"cs\",1]"), Ok(vec![]), "of sums");
    levels(&mut room, "[1,[[100,1,1]]]");
    orders(&mut room, "[9,[[1,100,1]]]");
    for (text, check) in
        [("0", 0), ("2147483647", i32::MAX as u32), ("-2147483648", 1 << 31), ("-1", u32::MAX)]
    {
        assert_eq!(said(&mut room, &format!("[1,\"cs\",{text}]")), Ok(vec![Body::CheckLevels(check)]));
        assert_eq!(said(&mut room, &format!("[9,\"cs\",{text}]")), Ok(vec![Body::CheckOrders(check)]));
    }
    for (text, code) in [
        ("2147483648", "decode.overflow"),
        ("-2147483649", "decode.overflow"),
        ("1.5", "decode.inexact"),
        ("null", "decode.wrong_type"),
        ("\"1\"", "decode.wrong_type"),
    ] {
        assert_eq!(said(&mut room, &format!("[1,\"cs\",{text}]")), Err(code), "{text}");
    }
    assert_eq!(said(&mut room, "[1,\"cs\"]"), Err("decode.missing_field"));
}

#[test]
fn of_several_lengths_the_longest_counts() {
    let subscribed = |id: u32, len: u32| {
        format!(
            "{{\"event\":\"subscribed\",\"channel\":\"book\",\"chanId\":{id},\"symbol\":\"tBTCUSD\",\"prec\":\"P0\",\"len\":\"{len}\"}}"
        )
    };
    let mut room = connection(0);
    for (frame, says) in [
        ("[1,[[100,1,1]]]", 1),
        (&*subscribed(20, 1), 0),
        ("[20,[[100,1,1]]]", 0),
        ("[20,[100,0,1]]", 0),
        ("[1,[100,1,2]]", 1),
        (&*subscribed(21, 100), 0),
        ("[1,[100,1,3]]", 1),
        ("[21,[[100,1,1]]]", 1),
        ("[1,[100,0,1]]", 0),
        ("[21,[100,1,5]]", 1),
        ("{\"event\":\"unsubscribed\",\"status\":\"OK\",\"chanId\":1}", 0),
        ("[21,[100,1,6]]", 1),
        ("{\"event\":\"unsubscribed\",\"status\":\"OK\",\"chanId\":21}", 1),
    ] {
        assert_eq!(said(&mut room, frame).unwrap().len(), says, "{frame}");
    }
    assert_eq!(said(&mut room, "[21,[100,1,6]]"), Err("decode.unknown_message"));
    let mut out = Vec::new();
    // Of both forms.
    for (nth, channel) in [9, 20].into_iter().enumerate() {
        assert!(room.leave(Slot(0), Leave::Book, nth, &mut out));
        assert_eq!(out, format!("{{\"event\":\"unsubscribe\",\"chanId\":{channel}}}").as_bytes());
    }
    assert!(!room.leave(Slot(0), Leave::Book, 2, &mut out) && !room.leave(Slot(9), Leave::All, 0, &mut out));
}

#[test]
fn info_and_new_connections_lose_books() {
    for (event, is_lost) in [
        ("{\"event\":\"info\",\"version\":2,\"serverId\":\"b\"}", true),
        ("{\"event\":\"info\",\"code\":20051,\"msg\":\"Stopping. Please try to reconnect\"}", true),
        ("{\"event\":\"info\",\"code\":20060,\"msg\":\"Entering in Maintenance mode.\"}", true),
        ("{\"event\":\"info\",\"code\":20061,\"msg\":\"Maintenance ended.\"}", true),
        ("{\"event\":\"info\",\"code\":1,\"msg\":\"?\"}", false),
        ("{\"event\":\"pong\",\"ts\":1,\"cid\":2}", false),
    ] {
        let mut room = connection(0);
        assert!(levels(&mut room, "[1,[[100,1,1]]]").0);
        let told = said(&mut room, event).unwrap();
        assert_eq!(told, [lost(StaleReason::SourceFailed)][..usize::from(is_lost)], "{event}");
        let mut events = Events::default();
        room.opened(At::default(), &mut events);
        assert_eq!(events.list().len(), usize::from(!is_lost));
    }
    let error = "{\"event\":\"error\",\"msg\":\"subscribe: limit\",\"code\":10305}";
    assert_eq!(said(&mut connection(0), error), Err("decode.venue_refused"));
    let refused = "{\"event\":\"conf\",\"status\":\"ERROR\",\"msg\":\"flags\"}";
    assert_eq!(said(&mut connection(0), refused), Err("decode.venue_refused"));
}

#[test]
fn a_trade_counts_once() {
    let mut room = connection(0);
    let mut events = Events::default();
    let mut trades = |frame: &str| {
        read(&mut room, frame, &mut events).unwrap();
        let of = |event: &crate::types::Event| match event.body {
            Body::Trades(span) => events.trades_of(span).to_vec(),
            body => panic!("{body:?}"),
        };
        events.list().iter().flat_map(of).collect::<Vec<_>>()
    };
    let told = trades("[2,[[12,1617617932920,-3.5,100.25],[11,1617617932910,1,100]]]");
    assert_eq!(told.iter().map(|trade| trade.id).collect::<Vec<_>>(), [11, 12].map(TradeId::Number));
    assert_eq!((told[1].price, told[1].qty), (Price(10_025), Qty(350_000_000)));
    assert_eq!((told[0].aggressor, told[1].aggressor), (Aggressor::Buy, Aggressor::Sell));
    assert_eq!(trades("[2,\"te\",[13,1617617932930,0.5,100]]")[0].ts_event, 1_617_617_932_930_000_000);
    assert_eq!(trades("[2,\"tu\",[13,1617617932930,0.5,100]]"), []);
    assert_eq!(trades("[2,[]]"), []);
    assert_eq!(trades("[7,\"te\",[13,1617617932930,0.5,100]]"), []);
}

#[test]
fn statistics_are_read_by_their_places() {
    let mut room = connection(0);
    let mut events = Events::default();
    let mut ticker = |frame: &str| {
        read(&mut room, frame, &mut events).unwrap();
        let [event] = events.list() else { panic!("{:?}", events.list()) };
        let Body::Ticker(at) = event.body else { panic!("{event:?}") };
        (event.slot, events.ticker(at))
    };
    let (slot, told) =
        ticker("[3,[60954,7.1,60955,8.2,-33,-0.0268,60954.123,47.914412330000005,61000,60000]]");
    assert_eq!((slot, told.last, told.volume), (Slot(0), Some(Price(6_095_412)), Some(Qty(4_791_441_233))));
    let (slot, told) = ticker(
        "[4,[1570492830000,null,8192.7,8197.3,null,101120.8,null,1570521600000,-1.4e-7,9,null,0.00000725,null,null,\
         8196.973333333333,null,null,3005.25851857]]",
    );
    assert_eq!((slot, told.index, told.mark), (Slot(1), Some(Price(819_730)), Some(Price(819_697))));
    assert_eq!((told.funding_rate_e9, told.open_interest), (Some(7_250), Some(Qty(300_525_851_857))));
    assert_eq!(told.funding_at, Some(1_570_521_600_000_000_000));
    let (_, told) =
        ticker("[4,[1569715201000,null,173.535,173.57,null,101052.04,null,1569744000000,0,0,null,null]]");
    assert_eq!((told.mark, told.funding_rate_e9, told.index), (None, None, Some(Price(17_357))));
}

#[test]
fn a_liquidation_counts_once_its_price_is_known() {
    let mut room = connection(0);
    let mut events = Events::default();
    let row = |amount: &str, price: &str| {
        format!(
            "[5,[[\"pos\",143,1594036710543,null,\"tBTCF0:USTF0\",{amount},222.2,null,1,1,null,{price}],\
             [\"pos\",144,1594036710543,null,\"tETHF0:USTF0\",1,222.2,null,1,1,null,1]]]"
        )
    };
    for (amount, aggressor) in [("-4.5", Aggressor::Buy), ("4.5", Aggressor::Sell)] {
        read(&mut room, &row(amount, "235.52"), &mut events).unwrap();
        let [event] = events.list() else { panic!("{:?}", events.list()) };
        let Body::Liquidations(span) = event.body else { panic!("{event:?}") };
        let told = events.trades_of(span)[0];
        assert_eq!((event.slot, told.price, told.qty), (Slot(1), Price(23_552), Qty(450_000_000)));
        assert_eq!((told.id, told.aggressor), (TradeId::Number(143), aggressor));
    }
    read(&mut room, &row("1", "null"), &mut events).unwrap();
    assert_eq!(events.list(), []);
}

#[test]
fn what_cannot_be_read_is_typed_and_concerns_its_book() {
    let book = Some(Scope::Book(Slot(0)));
    for (frame, code, concerned) in [
        ("[1,[100,1]]", "decode.bad_level", book),
        ("[1,[0,1,1]]", "decode.zero_price", book),
        ("[1,[100,1,0]]", "decode.bad_level", book),
        ("[1,[100,1,null]]", "decode.wrong_type", book),
        ("[1,[100,-1,1]]", "decode.bad_number", book),
        ("[1,[100,1,1", "decode.truncated", book),
        ("[1,5]", "decode.unknown_message", book),
        ("[1", "decode.truncated", Some(Scope::All)),
        ("[10,[100,1,1]]", "decode.unknown_message", Some(Scope::All)),
        ("[2,\"te\",[1,2,3]]", "decode.bad_level", None),
        ("[3,[1,2]]", "decode.bad_level", None),
        ("{\"event\":\"unsubscri", "decode.truncated", Some(Scope::All)),
        ("{\"event\":5}", "decode.wrong_type", Some(Scope::All)),
        ("<html>", "decode.not_json", Some(Scope::All)),
    ] {
        let mut room = connection(0);
        let mut events = Events::default();
        read(&mut room, "[1,[[100,1,1]]]", &mut events).unwrap();
        let error = read(&mut room, frame, &mut events).unwrap_err();
        assert_eq!((error.code(), events.concerned()), (code, concerned), "{frame}");
        assert_eq!(events.list(), [], "{frame}");
    }
    let rows = vec!["[100,1,1]"; 26].join(",");
    assert_eq!(said(&mut connection(0), &format!("[1,[{rows}]]")), Err("decode.unknown_depth"));
    assert_eq!(said(&mut connection(0), "[1,[100,1,1]]"), Err("decode.not_snapshot"));
}

#[test]
fn channels_have_a_limit() {
    let mut room = Bitfinex::default();
    let subscribed = |id: u32| {
        format!("{{\"event\":\"subscribed\",\"channel\":\"candles\",\"chanId\":{id},\"key\":\"x\"}}")
    };
    assert!((0..256).all(|id| said(&mut room, &subscribed(id)).is_ok()));
    assert_eq!(said(&mut room, &subscribed(256)), Err("decode.unknown_message"));
    assert_eq!(said(&mut room, &subscribed(7)), Ok(vec![]));
}

#[test]
fn the_list_of_pairs_names_instruments() {
    let answer = b"[[[\"BTCUSD\",[null,null,null,\"0.00004\",\"2000.0\",null,null,null,0.2,0.1]],\
        [\"DOGE:USD\",[null,null,null,\"2\",\"1\"]]],[[\"BTCF0:USTF0\",[null,null,null,\"0.00004\",\"100\"]]]]";
    let mut out = Definitions::default();
    Bitfinex::instruments(BITFINEX, answer, &mut out).unwrap();
    let told: Vec<_> = out
        .list()
        .iter()
        .map(|found| (&*found.symbol, found.terms.kind, &*found.terms.base, &*found.terms.quote))
        .collect();
    assert_eq!(
        told,
        [
            ("tBTCUSD", InstrumentKind::Spot, "BTC", "USD"),
            ("tDOGE:USD", InstrumentKind::Spot, "DOGE", "USD"),
            ("tBTCF0:USTF0", InstrumentKind::Perpetual, "BTC", "UST"),
        ]
    );
    for wrong in [&b"{}"[..], b"[{}]", b"[[5]]", b"[\"error\",10020,\"x\"]"] {
        assert!(Bitfinex::instruments(BITFINEX, wrong, &mut Definitions::default()).is_err());
    }
    assert_eq!(instrument(BITFINEX, "BTCUSD").symbol, "tBTCUSD");
}

#[test]
fn a_time_is_the_last_element() {
    assert_eq!(Bitfinex::time(b"[1,[100,1,1],7,1785552833184]"), 1_785_552_833_184_000_000);
    for none in
        ["[1,[100,1,1],7]", "[1,[100,1,1785552833184]]", "{\"event\":\"info\"}", "[1785552833184]", ""]
    {
        assert_eq!(Bitfinex::time(none.as_bytes()), 0, "{none}");
    }
}
