use super::*;
use crate::types::{
    Aggressor, Coverage, Level, Origin, Price, Qty, Route, Ticker, TradeId, TradingStatus, VenueSeq,
};
use crate::venues::{Asked, KRAKEN_FUTURES};

fn routes() -> Routes {
    let mut routes = Routes::new();
    let route = Route { slot: Slot(0), price_exponent: -1, qty_exponent: 0 };
    assert!(routes.carry([&b"PI_XBTUSD"[..]].into_iter(), route));
    routes
}

fn say(room: &mut KrakenFutures, frame: &str) -> Result<Events, &'static str> {
    let mut events = Events::default();
    match room.frame(frame.as_bytes(), At::default(), &routes(), &mut events) {
        Ok(()) => Ok(events),
        Err(error) => Err(error.code()),
    }
}

/// In one word what a frame says.
fn word(room: &mut KrakenFutures, frame: &str) -> &'static str {
    match say(room, frame) {
        Ok(events) => match events.list().first().map(|event| event.body) {
            None => "nothing",
            Some(Body::Book(..)) => "book",
            Some(Body::Levels(..)) => "levels",
            Some(Body::Trades(_)) => "trade",
            Some(Body::Lost { .. }) => "lost",
            Some(_) => "another",
        },
        Err(code) => code,
    }
}

const SNAPSHOT: &str = "{\"feed\":\"book_snapshot\",\"product_id\":\"PI_XBTUSD\",\"timestamp\":1612269825817,\"seq\":326072249,\
     \"tickSize\":null,\"bids\":[{\"price\":34892.5,\"qty\":6385.0},{\"price\":34892,\"qty\":10924}],\
     \"asks\":[{\"price\":34911.5,\"qty\":20598}]}";

const DELTA: &str = "{\"feed\":\"book\",\"product_id\":\"PI_XBTUSD\",\"side\":\"sell\",\"seq\":326094134,\"price\":34981,\"qty\":0,\
     \"timestamp\":1612269953629}";

const TRADE: &str = "{\"feed\":\"trade\",\"product_id\":\"PI_XBTUSD\",\"uid\":\"05af78ac-a774-478c-a50c-8b9c234e071e\",\"side\":\"sell\",\
     \"type\":\"fill\",\"seq\":653355,\"time\":1612266317519,\"qty\":15000,\"price\":34969.5}";

const TICKER: &str = "{\"time\":1676393235406,\"product_id\":\"PI_XBTUSD\",\"funding_rate\":-6.2604214e-11,\
     \"relative_funding_rate\":-1.380384722222e-6,\"next_funding_rate_time\":1676394000000,\"feed\":\"ticker\",\"bid\":21978.5,\
     \"ask\":21987.0,\"bid_size\":2536.0,\"ask_size\":13948.0,\"volume\":31403908.0,\"dtm\":0,\"leverage\":\"50x\",\"index\":21984.54,\
     \"premium\":-0.0,\"last\":21983.5,\"change\":1.9,\"suspended\":false,\"tag\":\"perpetual\",\"pair\":\"XBT:USD\",\
     \"openInterest\":30072580.0,\"markPrice\":21979.68641534714,\"maturityTime\":0,\"post_only\":false}";

#[test]
fn a_book_is_whole_and_then_one_level_at_a_time() {
    let mut room = KrakenFutures::default();
    let events = say(&mut room, SNAPSHOT).unwrap();
    let [event] = events.list() else { panic!("{events:?}") };
    let Body::Book(seq, span, Coverage::Whole, Origin::Stream) = event.body else { panic!("{event:?}") };
    assert_eq!((seq, event.ts_event), (VenueSeq::at(326_072_249), 1_612_269_825_817_000_000));
    let sides = events.levels(span);
    assert_eq!(sides.bids, [Level::new(348_925, 6_385), Level::new(348_920, 10_924)]);
    assert_eq!(sides.asks, [Level::new(349_115, 20_598)]);
    for (frame, bids, asks) in [
        (DELTA.to_owned(), vec![], vec![Level::new(349_810, 0)]),
        (
            DELTA.replace("sell", "buy").replace("\"qty\":0", "\"qty\":7.0"),
            vec![Level::new(349_810, 7)],
            vec![],
        ),
    ] {
        let events = say(&mut room, &frame).unwrap();
        let Some(Body::Levels(seq, span)) = events.list().first().map(|event| event.body) else {
            panic!("{events:?}")
        };
        let sides = events.levels(span);
        assert_eq!((seq, sides.bids, sides.asks), (VenueSeq::at(326_094_134), &*bids, &*asks));
    }
}

#[test]
fn what_a_book_is_told_by_is_read_or_refused() {
    for (frame, said) in [
        (DELTA.replace("sell", "both"), "decode.wrong_type"),
        (DELTA.replace("34981", "34981.55"), "decode.inexact"),
        (DELTA.replace("34981", "0"), "decode.zero_price"),
        (DELTA.replace("\"seq\":326094134,", ""), "decode.missing_field"),
        (DELTA.replace("PI_XBTUSD", "PI_ETHUSD"), "decode.unknown_symbol"),
        (SNAPSHOT.replace("\"qty\":6385.0", "\"qty\":-1"), "decode.negative"),
        (SNAPSHOT.replace("\"asks\":[", "\"asks\":7,\"x\":["), "decode.wrong_type"),
        ("{\"product_id\":\"PI_XBTUSD\"}".to_owned(), "decode.unknown_message"),
        ("<html>".to_owned(), "decode.not_json"),
    ] {
        assert_eq!(word(&mut KrakenFutures::default(), &frame), said, "{frame}");
    }
}

#[test]
fn only_executions_on_the_book_are_trades() {
    let told = |frame: &str| {
        let events = say(&mut KrakenFutures::default(), frame).unwrap();
        let trades = events.list().iter().map(|event| match event.body {
            Body::Trades(span) => ("trade", events.trades_of(span).to_vec()),
            Body::Liquidations(span) => ("liquidation", events.trades_of(span).to_vec()),
            _ => panic!("{event:?}"),
        });
        trades.collect::<Vec<_>>()
    };
    let fill = told(TRADE);
    let [("trade", trades)] = &*fill else { panic!("{fill:?}") };
    let [trade] = trades[..] else { panic!("{trades:?}") };
    assert_eq!((trade.id, trade.aggressor), (TradeId::Number(653_355), Aggressor::Sell));
    assert_eq!((trade.price, trade.qty), (Price(349_695), Qty(15_000)));
    let forced = told(&TRADE.replace("fill", "liquidation"));
    assert_eq!(forced.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), ["trade", "liquidation"]);
    assert_eq!(
        (told(&TRADE.replace("fill", "block")), told(&TRADE.replace("fill", "termination"))),
        (vec![], vec![])
    );
}

#[test]
fn a_ticker_tells_the_top_the_statistics_and_the_state() {
    let events = say(&mut KrakenFutures::default(), TICKER).unwrap();
    let [top, statistics, state] = events.list() else { panic!("{events:?}") };
    let Body::Bbo(top) = top.body else { panic!("{top:?}") };
    assert_eq!((top.bid, top.ask), (Level::new(219_785, 2_536), Level::new(219_870, 13_948)));
    assert_eq!((top.venue_seq, top.ts_event), (0, 1_676_393_235_406_000_000));
    let Body::Ticker(at) = statistics.body else { panic!("{statistics:?}") };
    let expected = Ticker {
        last: Some(Price(219_835)),
        mark: Some(Price(219_796)),
        index: Some(Price(219_845)),
        volume: Some(Qty(31_403_908)),
        open_interest: Some(Qty(30_072_580)),
        funding_rate_e9: Some(-1_380),
        funding_at: Some(1_676_394_000_000_000_000),
        ..Ticker::default()
    };
    assert_eq!(events.ticker(at), expected);
    assert_eq!(state.body, Body::Trading(TradingStatus::Trading));
    let said = |frame: &str| {
        let events = say(&mut KrakenFutures::default(), frame).unwrap();
        let ticker = events.list().iter().find_map(|event| match event.body {
            Body::Ticker(at) => Some(events.ticker(at)),
            _ => None,
        });
        (ticker.unwrap(), events.list().last().unwrap().body)
    };
    let zero = TICKER.replace("\"relative_funding_rate\":-1.380384722222e-6,", "");
    assert_eq!(said(&zero).0.funding_rate_e9, Some(0), "a rate of zero is not told");
    let future = zero.replace("\"next_funding_rate_time\":1676394000000,", "");
    assert_eq!(said(&future).0.funding_rate_e9, None, "a future has none");
    for (from, to, status) in [
        ("\"suspended\":false", "\"suspended\":true", TradingStatus::Halted),
        ("\"post_only\":false", "\"post_only\":true", TradingStatus::Limited),
    ] {
        assert_eq!(said(&TICKER.replace(from, to)).1, Body::Trading(status));
    }
    let untraded = TICKER.replace("21978.5", "0.0").replace("21983.5", "0.0");
    let events = say(&mut KrakenFutures::default(), &untraded).unwrap();
    let Body::Bbo(top) = events.list()[0].body else { panic!("{events:?}") };
    assert_eq!((top.bid, top.ask), (Level::new(0, 0), Level::new(219_870, 13_948)));
    assert_eq!(said(&untraded).0.last, None);
    let no_bid = TICKER.replace("\"bid\":21978.5,", "").replace("\"bid_size\":2536.0,", "");
    let events = say(&mut KrakenFutures::default(), &no_bid).unwrap();
    let Body::Bbo(top) = events.list()[0].body else { panic!("{events:?}") };
    assert_eq!((top.bid, top.ask), (Level::new(0, 0), Level::new(219_870, 13_948)), "an empty side");
    let lite = "{\"feed\":\"ticker_lite\",\"product_id\":\"PI_XBTUSD\",\"bid\":34932,\"ask\":34949.5,\"change\":3.37,\"premium\":0.1,\
         \"volume\":264126741.0,\"tag\":\"perpetual\",\"pair\":\"XBT:USD\",\"dtm\":-18618,\"maturityTime\":0}";
    let events = say(&mut KrakenFutures::default(), lite).unwrap();
    assert_eq!(events.list().len(), 1, "prices without quantities are no top");
}

#[test]
fn what_is_said_of_a_connection_is_read_or_refused() {
    for (frame, said) in [
        ("{\"event\":\"info\",\"version\":1}", "nothing"),
        ("{\"event\":\"subscribed\",\"feed\":\"book\",\"product_ids\":[\"PI_XBTUSD\"]}", "nothing"),
        ("{\"event\":\"error\",\"message\":\"Invalid product id\"}", "decode.venue_refused"),
        ("{\"event\":\"alert\",\"message\":\"Rate limit\"}", "decode.venue_refused"),
        ("{\"event\":\"subscribed_failed\",\"feed\":\"book\"}", "decode.venue_refused"),
        ("{\"feed\":\"heartbeat\",\"time\":1534262350627}", "nothing"),
        ("{\"feed\":\"trade_snapshot\",\"product_id\":\"PI_XBTUSD\",\"trades\":[{\"seq\":1}]}", "nothing"),
    ] {
        assert_eq!(word(&mut KrakenFutures::default(), frame), said, "{frame}");
    }
}

#[test]
fn a_book_that_is_told_no_more_is_lost() {
    let mut room = KrakenFutures::default();
    let ended =
        "{\"event\":\"unsubscribed\",\"feed\":\"book\",\"product_ids\":[\"PI_XBTUSD\",\"PI_ETHUSD\"]}";
    assert_eq!(word(&mut room, ended), "nothing", "none was told");
    assert_eq!(word(&mut room, SNAPSHOT), "book");
    assert_eq!(word(&mut room, &ended.replace("\"book\"", "\"trade\"")), "nothing");
    assert_eq!([ended; 2].map(|frame| word(&mut room, frame)), ["lost", "nothing"]);
}

#[test]
fn an_answer_of_rest_is_no_book() {
    let (routes, mut events) = (routes(), Events::default());
    let url = b"https://futures.kraken.com/derivatives/api/v3/orderbook?symbol=PI_XBTUSD";
    let body = b"{\"result\":\"success\",\"orderBook\":{\"bids\":[[29648, 66]],\"asks\":[[29656, 20000]]}}";
    let asked = Asked { routes: &routes, url };
    let read = KrakenFutures::default().answer(&asked, body, At::default(), &mut events);
    assert_eq!(read.map_err(|error| error.code()), Err("decode.not_snapshot"));
}

#[test]
fn who_is_concerned_by_what_cannot_be_read() {
    let book = Some(Scope::Book(Slot(0)));
    for (frame, scope) in [
        (&SNAPSHOT[..150], book),
        (&DELTA[..60], book),
        (&DELTA[..34], Some(Scope::All)),
        (&DELTA[..10], Some(Scope::All)),
        (&TRADE[..60], None),
        (&TICKER[..TICKER.len() - 9], None),
    ] {
        let mut events = Events::default();
        let read = KrakenFutures::default().frame(frame.as_bytes(), At::default(), &routes(), &mut events);
        assert!(read.is_err());
        assert_eq!(events.concerned(), scope, "{frame}");
    }
}

#[test]
fn frames_show_their_contract_and_their_time() {
    for (frame, found, ms) in [
        (DELTA, true, 1_612_269_953_629),
        (TRADE, true, 1_612_266_317_519),
        (TICKER, true, 1_676_393_235_406),
        ("{\"feed\":\"heartbeat\",\"time\":1534262350627}", false, 1_534_262_350_627),
        ("{\"event\":\"info\",\"version\":1}", false, 0),
    ] {
        let mut sightings = Sightings::default();
        KrakenFutures::default().sight(frame.as_bytes(), &mut sightings);
        assert_eq!(KrakenFutures::time(frame.as_bytes()), ms * 1_000_000);
        let known: &[_] = if found { &[(KRAKEN_FUTURES, "PI_XBTUSD".to_owned())] } else { &[] };
        assert_eq!(sightings.instruments(), known, "{frame}");
    }
}

#[test]
fn a_contract_is_found_by_its_name_in_either_case() {
    for (name, symbol, inverse) in [
        ("pi_xbtusd", "PI_XBTUSD", true),
        ("FI_XBTUSD_210924", "FI_XBTUSD_210924", true),
        ("PF_XBTUSD", "PF_XBTUSD", false),
    ] {
        let found = crate::venues::instrument(KRAKEN_FUTURES, name).unwrap();
        assert_eq!((&*found.symbol, found.inverse), (symbol, inverse));
    }
}
