use super::*;
use crate::types::{Aggressor, Level, Origin, Price, Qty, Route, Ticker, TradeId, TradingStatus};
use crate::venues::{BYBIT, BYBIT_INVERSE, BYBIT_LINEAR, BYBIT_OPTION};

const OPTION_SYMBOL: &str = "BTC-6JAN23-17500-C";

fn routes() -> Routes {
    let mut routes = Routes::new();
    for (slot, symbol) in (0..).zip(["BTCUSDT", OPTION_SYMBOL]) {
        let route = Route { slot: Slot(slot), price_exponent: -8, qty_exponent: -6 };
        assert!(routes.carry([symbol.as_bytes()].into_iter(), route));
    }
    routes
}

/// What a frame makes of a room: its events, or the code of its error.
fn say(room: &mut Bybit, frame: &str) -> Result<Events, &'static str> {
    let mut events = Events::default();
    match room.frame(frame.as_bytes(), At::default(), &routes(), &mut events) {
        Ok(()) => Ok(events),
        Err(error) => Err(error.code()),
    }
}

fn book(depth: &str, kind: &str, number: u64) -> String {
    format!(
        "{{\"topic\":\"orderbook.{depth}.BTCUSDT\",\"type\":\"{kind}\",\"ts\":5,\"data\":{{\"s\":\"BTCUSDT\",\
         \"b\":[[\"7\",\"2\"]],\"a\":[[\"8\",\"3\"]],\"u\":{number},\"seq\":9}},\"cts\":4}}"
    )
}

/// In one word what a frame says.
fn word(room: &mut Bybit, frame: &str) -> &'static str {
    match say(room, frame) {
        Ok(events) => match events.list().first().map(|event| event.body) {
            None => "nothing",
            Some(Body::Book(.., Origin::Stream)) => "book",
            Some(Body::Book(.., Origin::Restated)) => "restated",
            Some(Body::Levels(..)) => "levels",
            Some(Body::Bbo(_)) => "top",
            Some(Body::Trades(_)) => "trade",
            Some(Body::Liquidations(_)) => "liquidation",
            Some(Body::Ticker(_)) => "ticker",
            Some(Body::Lost { .. }) => "lost",
            Some(_) => "another",
        },
        Err(code) => code,
    }
}

#[test]
fn of_several_depths_of_a_symbol_the_deepest_counts() {
    let mut room = Bybit::of(BYBIT_LINEAR);
    for (depth, kind, said) in [
        ("1", "snapshot", "restated"),
        ("50", "snapshot", "book"),
        ("50", "delta", "levels"),
        ("1", "snapshot", "top"),
        ("200", "delta", "nothing"),
        ("200", "snapshot", "book"),
        ("50", "delta", "nothing"),
        ("50", "snapshot", "nothing"),
        ("200", "delta", "levels"),
        ("rpi", "snapshot", "nothing"),
        ("full", "delta", "nothing"),
    ] {
        assert_eq!(word(&mut room, &book(depth, kind, 7)), said, "{depth} {kind}");
    }
    // Unsubscribed, as recordings tell it.
    room.asked(b"{\"op\":\"unsubscribe\",\"args\":[\"orderbook.50.BTCUSDT\"]}");
    assert_eq!(word(&mut room, &book("200", "delta", 8)), "levels");
    room.asked(b"{\"op\":\"unsubscribe\",\"args\":[\"orderbook.200.BTCUSDT\"]}");
    assert_eq!(say(&mut room, "{\"success\":true,\"op\":\"unsubscribe\"}").unwrap().list().len(), 1);
    assert_eq!(word(&mut room, &book("50", "snapshot", 8)), "book");
}

#[test]
fn a_book_is_known_to_its_depth() {
    let mut room = Bybit::of(BYBIT_LINEAR);
    let events = say(&mut room, &book("200", "snapshot", 7)).unwrap();
    let [event] = events.list() else { panic!("{events:?}") };
    let Body::Book(seq, span, coverage, Origin::Stream) = event.body else { panic!("{event:?}") };
    assert_eq!((seq.last, coverage, event.ts_event), (7, Coverage::ExactDepth(200), 4_000_000));
    assert_eq!(events.levels(span).bids, [Level::new(700_000_000, 2_000_000)]);
    // Options: no `seq`, no `cts`, and nothing there.
    let empty = format!(
        "{{\"id\":\"x\",\"topic\":\"orderbook.25.{OPTION_SYMBOL}\",\"ts\":\"6\",\"data\":{{\"s\":\"{OPTION_SYMBOL}\",\
         \"b\":[],\"a\":[],\"u\":0}},\"type\":\"snapshot\"}}"
    );
    let events = say(&mut Bybit::of(BYBIT_OPTION), &empty).unwrap();
    let [event] = events.list() else { panic!("{events:?}") };
    let Body::Book(seq, _, coverage, _) = event.body else { panic!("{event:?}") };
    assert_eq!((seq.last, coverage, event.ts_event), (0, Coverage::Depth(25), 6_000_000));
}

const SPOT_TRADE: &str = "{\"topic\":\"publicTrade.BTCUSDT\",\"ts\":5,\"type\":\"snapshot\",\"data\":[{\"i\":\"2280000001739247417\",\
     \"T\":4,\"p\":\"1923.28\",\"v\":\"0.04537\",\"S\":\"Sell\",\"seq\":1,\"s\":\"BTCUSDT\",\"BT\":false,\"RPI\":false}]}";
const LINEAR_TRADE: &str = "{\"topic\":\"publicTrade.BTCUSDT\",\"type\":\"snapshot\",\"ts\":5,\"data\":[{\"T\":4,\"s\":\"BTCUSDT\",\
     \"S\":\"Buy\",\"v\":\"0.004\",\"p\":\"65114.20\",\"L\":\"MinusTick\",\"i\":\"a9188a0a-82bc-50de-be60-03eedbe3cdd7\",\
     \"BT\":false,\"RPI\":false,\"seq\":753843954913}]}";

#[test]
fn a_connection_of_another_category_says_nothing() {
    for (address, said) in [
        ("wss://stream.bybit.com/v5/public/linear", "book"),
        ("wss://stream.bybit.com/v5/public/spot", "decode.unknown_symbol"),
    ] {
        let mut room = Bybit::of(BYBIT_LINEAR);
        room.opened(At::default(), &mut Events::default());
        room.asked(address.as_bytes());
        assert_eq!(word(&mut room, &book("50", "snapshot", 7)), said, "{address}");
        assert_eq!(word(&mut room, "{\"success\":true,\"op\":\"subscribe\"}"), "nothing");
    }
    // The address counts, whatever a message looks like.
    let mut room = Bybit::of(BYBIT_INVERSE);
    room.asked(b"wss://stream.bybit.com/v5/public/inverse");
    assert_eq!(word(&mut room, SPOT_TRADE), "trade");
}

#[test]
fn what_shows_another_category_takes_the_truth_of_a_connection_without_address() {
    let mut room = Bybit::of(BYBIT_LINEAR);
    for (frame, said) in [
        (book("50", "snapshot", 7), "book"),
        (LINEAR_TRADE.to_owned(), "trade"),
        (book("50", "delta", 8), "levels"),
        (SPOT_TRADE.to_owned(), "lost"),
        (SPOT_TRADE.to_owned(), "decode.unknown_symbol"),
        (book("50", "snapshot", 9), "decode.unknown_symbol"),
        (LINEAR_TRADE.to_owned(), "trade"),
    ] {
        assert_eq!(word(&mut room, &frame), said, "{frame}");
    }
    // One that was opened for this product is of it.
    let mut room = Bybit::of(BYBIT);
    room.opened(At::default(), &mut Events::default());
    assert_eq!(word(&mut room, LINEAR_TRADE), "trade");
}

#[test]
fn a_bare_file_is_claimed_as_far_as_it_shows() {
    let option = book("25", "delta", 1).replace("BTCUSDT", OPTION_SYMBOL);
    let spot_book =
        book("50", "delta", 1).replace(",\"type\":\"delta\",\"ts\":5", ",\"ts\":5,\"type\":\"delta\"");
    let spot_ticker = "{\"topic\":\"tickers.BTCUSDT\",\"ts\":5,\"type\":\"snapshot\",\"cs\":1,\"data\":{\"symbol\":\"BTCUSDT\",\
         \"lastPrice\":\"65140.5\",\"usdIndexPrice\":\"65091.459221\"}}";
    let contract_ticker = "{\"topic\":\"tickers.BTCUSD\",\"type\":\"delta\",\"data\":{\"symbol\":\"BTCUSD\",\"bid1Price\":\"1.5\",\
         \"bid1Size\":\"6\"},\"cs\":1,\"ts\":5}";
    for (address, frames, found) in [
        (None, vec![book("1", "snapshot", 1)], None),
        (None, vec![book("50", "delta", 1)], Some((BYBIT_LINEAR, "BTCUSDT"))),
        (None, vec![spot_book.clone()], Some((BYBIT, "BTCUSDT"))),
        (None, vec![spot_book.clone(), LINEAR_TRADE.to_owned()], Some((BYBIT_LINEAR, "BTCUSDT"))),
        (None, vec![book("50", "delta", 1), SPOT_TRADE.to_owned()], Some((BYBIT, "BTCUSDT"))),
        (None, vec![spot_ticker.to_owned()], Some((BYBIT, "BTCUSDT"))),
        (None, vec![contract_ticker.to_owned()], Some((BYBIT_INVERSE, "BTCUSD"))),
        (None, vec![option], Some((BYBIT_OPTION, OPTION_SYMBOL))),
        (Some("/v5/public/linear"), vec![spot_book], Some((BYBIT_LINEAR, "BTCUSDT"))),
        (Some("/v5/public/spot"), vec![book("1", "snapshot", 1)], Some((BYBIT, "BTCUSDT"))),
        (None, vec![book("rpi", "snapshot", 1)], None),
        (
            None,
            vec!["{\"topic\":\"kline.1.BTCUSDT\",\"data\":[],\"ts\":5,\"type\":\"snapshot\"}".to_owned()],
            None,
        ),
    ] {
        let (mut room, mut sightings) = (Bybit::default(), Sightings::default());
        room.asked(address.unwrap_or_default().as_bytes());
        frames.iter().for_each(|frame| room.sight(frame.as_bytes(), &mut sightings));
        let told = sightings.instruments();
        let found: Vec<_> = found.into_iter().map(|(venue, symbol)| (venue, symbol.to_owned())).collect();
        assert_eq!(told, found, "{address:?} {frames:?}");
    }
}

#[test]
fn trades_are_named_by_number_or_by_text() {
    for (product, frame, id, aggressor) in [
        (BYBIT, SPOT_TRADE, TradeId::Number(2_280_000_001_739_247_417), Aggressor::Sell),
        (
            BYBIT_LINEAR,
            LINEAR_TRADE,
            TradeId::of_text(b"a9188a0a-82bc-50de-be60-03eedbe3cdd7"),
            Aggressor::Buy,
        ),
    ] {
        let events = say(&mut Bybit::of(product), frame).unwrap();
        let [event] = events.list() else { panic!("{events:?}") };
        let Body::Trades(span) = event.body else { panic!("{event:?}") };
        let [trade] = events.trades_of(span) else { panic!("{events:?}") };
        assert_eq!((trade.id, trade.aggressor, trade.ts_event), (id, aggressor, 4_000_000));
    }
    let block = LINEAR_TRADE.replace("\"BT\":false", "\"BT\":true");
    assert_eq!(word(&mut Bybit::of(BYBIT_LINEAR), &block), "nothing");
}

#[test]
fn the_trades_of_all_options_of_a_coin_come_together() {
    let trade = |symbol: &str, price: u32| {
        format!(
            "{{\"p\":\"{price}\",\"v\":\"0.01\",\"i\":\"0404c393\",\"T\":3,\"BT\":false,\"s\":\"{symbol}\",\"S\":\"Sell\"}}"
        )
    };
    let message = |trades: &[String]| {
        let data = trades.join(",");
        format!(
            "{{\"id\":\"x\",\"topic\":\"publicTrade.BTC\",\"ts\":5,\"data\":[{data}],\"type\":\"snapshot\"}}"
        )
    };
    let (own, other) = (trade(OPTION_SYMBOL, 985), trade("BTC-28APR23-29500-C", 1));
    let events = say(&mut Bybit::of(BYBIT_OPTION), &message(&[own.clone(), other.clone(), own])).unwrap();
    assert_eq!(events.list().len(), 2);
    assert!(events.list().iter().all(|event| event.slot == Slot(1)));
    assert_eq!(say(&mut Bybit::of(BYBIT_OPTION), &message(&[other])).err(), Some("decode.unknown_symbol"));
}

#[test]
fn a_position_that_was_long_is_closed_by_selling() {
    let frame = "{\"topic\":\"allLiquidation.BTCUSDT\",\"type\":\"snapshot\",\"ts\":5,\"data\":[{\"T\":4,\"s\":\"BTCUSDT\",\
         \"S\":\"Buy\",\"v\":\"20\",\"p\":\"0.04499\"}]}";
    let events = say(&mut Bybit::of(BYBIT_LINEAR), frame).unwrap();
    let [event] = events.list() else { panic!("{events:?}") };
    let Body::Liquidations(span) = event.body else { panic!("{event:?}") };
    let [trade] = events.trades_of(span) else { panic!("{events:?}") };
    assert_eq!(
        (trade.aggressor, trade.price, trade.qty),
        (Aggressor::Sell, Price(4_499_000), Qty(20_000_000))
    );
}

/// Statistics of a frame.
fn statistics(product: Venue, frame: &str) -> (Ticker, Vec<Body>) {
    let events = say(&mut Bybit::of(product), frame).unwrap();
    let ticker = events.list().iter().find_map(|event| match event.body {
        Body::Ticker(at) => Some(events.ticker(at)),
        _ => None,
    });
    (ticker.unwrap(), events.list().iter().map(|event| event.body).collect())
}

#[test]
fn statistics_of_contracts_tell_what_changed() {
    let (ticker, said) = statistics(
        BYBIT_LINEAR,
        "{\"topic\":\"tickers.BTCUSDT\",\"type\":\"snapshot\",\"data\":{\"symbol\":\"BTCUSDT\",\"tickDirection\":\"PlusTick\",\
         \"lastPrice\":\"17216.00\",\"markPrice\":\"17217.33\",\"indexPrice\":\"17227.36\",\"openInterest\":\"68744.761\",\
         \"volume24h\":\"91705.2760\",\"nextFundingTime\":\"1673280000000\",\"fundingRate\":\"-0.000212\",\
         \"bid1Price\":\"17215.50\",\"bid1Size\":\"84.489\",\"preOpenPrice\":\"\",\"curPreListingPhase\":\"CallAuction\"},\
         \"cs\":24987956059,\"ts\":1673272861686}",
    );
    let expected = Ticker {
        last: Some(Price(1_721_600_000_000)),
        mark: Some(Price(1_721_733_000_000)),
        index: Some(Price(1_722_736_000_000)),
        volume: Some(Qty(91_705_276_000)),
        open_interest: Some(Qty(68_744_761_000)),
        funding_rate_e9: Some(-212_000),
        funding_at: Some(1_673_280_000_000_000_000),
        ..Ticker::default()
    };
    assert_eq!(ticker, expected);
    assert_eq!(said.get(1), Some(&Body::Trading(TradingStatus::Auction)));
    let (ticker, said) = statistics(
        BYBIT_LINEAR,
        "{\"topic\":\"tickers.BTCUSDT\",\"type\":\"delta\",\"data\":{\"symbol\":\"BTCUSDT\",\"markPrice\":\"5\",\
         \"fundingRate\":\"\",\"nextFundingTime\":\"\"},\"cs\":1,\"ts\":5}",
    );
    assert_eq!((ticker, said.len()), (Ticker { mark: Some(Price(500_000_000)), ..Ticker::default() }, 1));
    // Only what is of another channel.
    let frame = "{\"topic\":\"tickers.BTCUSDT\",\"type\":\"delta\",\"data\":{\"symbol\":\"BTCUSDT\",\"bid1Price\":\"5\",\
         \"bid1Size\":\"1\"},\"cs\":1,\"ts\":5}";
    assert_eq!(word(&mut Bybit::of(BYBIT_LINEAR), frame), "nothing");
}

#[test]
fn statistics_of_options_have_their_greeks() {
    let (ticker, said) = statistics(
        BYBIT_OPTION,
        "{\"id\":\"tickers.BTC-6JAN23-17500-C-2480334983-1672917511074\",\"topic\":\"tickers.BTC-6JAN23-17500-C\",\
         \"ts\":1672917511074,\"data\":{\"symbol\":\"BTC-6JAN23-17500-C\",\"bidPrice\":\"0\",\"bidSize\":\"0\",\"bidIv\":\"0\",\
         \"askPrice\":\"10\",\"askSize\":\"5.1\",\"askIv\":\"0.514\",\"lastPrice\":\"10\",\"markPrice\":\"7.86976724\",\
         \"indexPrice\":\"16823.73\",\"markPriceIv\":\"0.4896\",\"underlyingPrice\":\"16815.1\",\"openInterest\":\"49.85\",\
         \"volume24h\":\"26.55\",\"delta\":\"0.047831\",\"gamma\":\"0.00021453\",\"vega\":\"0.81351067\",\
         \"theta\":\"-19.9115368\",\"predictedDeliveryPrice\":\"0\",\"change24h\":\"-0.33333334\"},\"type\":\"snapshot\"}",
    );
    let expected = Ticker {
        last: Some(Price(1_000_000_000)),
        mark: Some(Price(786_976_724)),
        index: Some(Price(1_682_373_000_000)),
        underlying: Some(Price(1_681_510_000_000)),
        volume: Some(Qty(26_550_000)),
        open_interest: Some(Qty(49_850_000)),
        mark_iv_e9: Some(489_600_000),
        bid_iv_e9: Some(0),
        ask_iv_e9: Some(514_000_000),
        delta_e9: Some(47_831_000),
        gamma_e9: Some(214_530),
        vega_e9: Some(813_510_670),
        theta_e9: Some(-19_911_536_800),
        ..Ticker::default()
    };
    assert_eq!(ticker, expected);
    let Some(Body::Bbo(top)) = said.get(1) else { panic!("{said:?}") };
    assert_eq!((top.bid, top.ask), (Level::new(0, 0), Level::new(1_000_000_000, 5_100_000)));
}

#[test]
fn what_is_said_of_a_connection_is_read_or_refused() {
    for (frame, said) in [
        ("{\"success\":true,\"ret_msg\":\"subscribe\",\"conn_id\":\"d\",\"op\":\"subscribe\"}", "nothing"),
        (
            "{\"success\":true,\"ret_msg\":\"pong\",\"conn_id\":\"d\",\"req_id\":\"\",\"op\":\"ping\"}",
            "nothing",
        ),
        ("{\"args\":[\"1672916271846\"],\"op\":\"pong\"}", "nothing"),
        (
            "{\"success\":false,\"ret_msg\":\"Invalid topic: x\",\"conn_id\":\"d\",\"op\":\"subscribe\"}",
            "decode.venue_refused",
        ),
        (
            "{\"success\":true,\"conn_id\":\"a\",\"data\":{\"failTopics\":[],\"successTopics\":[\"x\"]},\"type\":\"COMMAND_RESP\"}",
            "nothing",
        ),
        (
            "{\"success\":true,\"conn_id\":\"a\",\"data\":{\"failTopics\":[\"x\"],\"successTopics\":[]},\"type\":\"COMMAND_RESP\"}",
            "decode.venue_refused",
        ),
        ("{\"retCode\":10006,\"retMsg\":\"Too many visits!\"}", "decode.unknown_message"),
        ("<html>", "decode.not_json"),
        ("{\"topic\":\"kline.1.BTCUSDT\",\"data\":[],\"ts\":5,\"type\":\"snapshot\"}", "nothing"),
    ] {
        assert_eq!(word(&mut Bybit::of(BYBIT_LINEAR), frame), said, "{frame}");
    }
}

#[test]
fn who_is_concerned_by_what_cannot_be_read() {
    for (frame, scope) in [
        (
            "{\"topic\":\"orderbook.50.BTCUSDT\",\"type\":\"delta\",\"ts\":5,\"data\":{\"s\":\"BTC",
            Some(Scope::Book(Slot(0))),
        ),
        ("{\"topic\":\"orderbook.50.BTC", Some(Scope::All)),
        ("{\"topic\":\"orderbook.50.ETHUSDT\",\"type\":\"delta\",\"ts\":", Some(Scope::All)),
        ("{\"topic\":\"publicTrade.BTCUSDT\",\"type\":", None),
        ("{\"success\":true,\"op\":", None),
        ("<html>", Some(Scope::All)),
    ] {
        let mut events = Events::default();
        let read = Bybit::of(BYBIT_LINEAR).frame(frame.as_bytes(), At::default(), &routes(), &mut events);
        assert!(read.is_err());
        assert_eq!(events.concerned(), scope, "{frame}");
    }
    // A message of another symbol than its topic's.
    let mut events = Events::default();
    let frame = book("50", "delta", 1).replace("\"s\":\"BTCUSDT\"", &format!("\"s\":\"{OPTION_SYMBOL}\""));
    let read = Bybit::of(BYBIT_LINEAR).frame(frame.as_bytes(), At::default(), &routes(), &mut events);
    assert_eq!(read.map_err(|error| error.code()), Err("decode.two_instruments"));
    assert_eq!(events.concerned(), Some(Scope::All), "both are carried");
}
