use super::*;
use crate::types::{
    Aggressor, Coverage, Level, Origin, Price, Qty, Route, Trade, TradeId, TradingStatus, VenueSeq,
};

const NAMES: [&str; 3] = ["BTC-USDT", "BTC-USDT-SWAP", "BTC-USD-240329-60000-C"];

/// Prices and quantities at −4.
fn routes() -> Routes {
    let mut routes = Routes::new();
    for (slot, name) in NAMES.into_iter().enumerate() {
        let route = Route { slot: Slot(slot as u32), price_exponent: -4, qty_exponent: -4 };
        assert!(routes.carry([name.as_bytes()].into_iter(), route));
    }
    routes
}

/// What frames of one connection say, an error by its code.
fn said(frames: &[&str]) -> Vec<Result<Events, &'static str>> {
    let (mut room, routes) = (Okx::default(), routes());
    let read = |frame: &&str| {
        let mut events = Events::default();
        match room.frame(frame.as_bytes(), At::default(), &routes, &mut events) {
            Ok(()) => Ok(events),
            Err(error) => Err(error.code()),
        }
    };
    frames.iter().map(read).collect()
}

fn one(frame: &str) -> Events {
    said(&[frame]).remove(0).unwrap_or_else(|code| panic!("{code}: {frame}"))
}

fn bodies(events: &Events) -> Vec<Body> {
    events.list().iter().map(|event| event.body).collect()
}

fn book(channel: &str, action: &str, members: &str) -> String {
    let action = if action.is_empty() { String::new() } else { format!("\"action\":\"{action}\",") };
    format!(
        "{{\"arg\":{{\"channel\":\"{channel}\",\"instId\":\"BTC-USDT\"}},{action}\"data\":[{{\"asks\":[[\"8476.98\",\"415\",\"0\",\"13\"]],\"bids\":[[\"8476.97\",\"0\",\"0\",\"0\"]],\"ts\":\"1597026383085\"{members}}}]}}"
    )
}

const TIME: TimeNs = 1_597_026_383_085_000_000;

#[test]
fn books_have_numbers_or_checksums() {
    let linked = |first, last, prev| VenueSeq { first, last, prev: Some(prev) };
    for (action, members, seq, check) in [
        (
            "snapshot",
            ",\"checksum\":-85519604,\"seqId\":123456,\"prevSeqId\":-1",
            VenueSeq::at(123_456),
            Some(-85_519_604),
        ),
        ("snapshot", ",\"checksum\":0,\"seqId\":123456,\"prevSeqId\":-1", VenueSeq::at(123_456), None),
        ("snapshot", ",\"checksum\":1232", VenueSeq::default(), Some(1_232)),
        ("update", ",\"checksum\":0,\"seqId\":20,\"prevSeqId\":10", linked(11, 20, 10), None),
        ("update", ",\"checksum\":7,\"seqId\":20,\"prevSeqId\":10", linked(11, 20, 10), Some(7)),
        ("update", ",\"seqId\":20,\"prevSeqId\":10", linked(11, 20, 10), None),
        ("update", ",\"checksum\":0,\"seqId\":3,\"prevSeqId\":10", linked(3, 3, 10), None),
        ("update", ",\"checksum\":0,\"seqId\":10,\"prevSeqId\":10", linked(10, 10, 10), None),
        ("update", ",\"checksum\":-2147483648", VenueSeq::default(), Some(i32::MIN)),
    ] {
        let events = one(&book("books", action, members));
        let (first, last) = (events.list()[0], events.list()[events.list().len() - 1]);
        let span = match first.body {
            Body::Book(is, span, Coverage::Depth(400), Origin::Stream) if action == "snapshot" => {
                assert_eq!(is, seq);
                span
            }
            Body::Levels(is, span) => {
                assert_eq!(is, seq);
                span
            }
            body => panic!("{body:?}"),
        };
        assert_eq!((first.slot, first.ts_event, first.is_last), (Slot(0), TIME, true));
        let sides = events.levels(span);
        assert_eq!(sides.bids, [Level::new(84_769_700, 0)]);
        assert_eq!(sides.asks, [Level::new(84_769_800, 4_150_000)]);
        match check {
            Some(check) => assert_eq!(last.body, Body::Check(check.cast_unsigned())),
            None => assert_eq!(events.list().len(), 1),
        }
    }
}

#[test]
fn what_cannot_be_proven_or_read_is_refused_and_its_book_named() {
    let fresh = |frame: &str| {
        let (mut room, mut events) = (Okx::default(), Events::default());
        let read = room.frame(frame.as_bytes(), At::default(), &routes(), &mut events);
        assert!(read.is_err() && events.list().is_empty(), "{frame}");
        (read.unwrap_err().code(), events.concerned())
    };
    let btc = Some(Scope::Book(Slot(0)));
    for (action, members) in [
        ("update", ""),
        ("update", ",\"checksum\":0"),
        ("snapshot", ",\"checksum\":0"),
        ("update", ",\"checksum\":5,\"prevSeqId\":10"),
        ("update", ",\"checksum\":5,\"seqId\":0,\"prevSeqId\":10"),
    ] {
        assert_eq!(fresh(&book("books", action, members)), ("decode.missing_field", btc), "{members}");
    }
    for members in [
        ",\"checksum\":2147483648",
        ",\"checksum\":-9999999999",
        ",\"checksum\":1,\"seqId\":99999999999999999999",
    ] {
        assert_eq!(fresh(&book("books", "update", members)), ("decode.overflow", btc), "{members}");
    }
    let good = book("books", "update", ",\"checksum\":1");
    assert_eq!(fresh(&good[..good.len() - 1]), ("decode.truncated", btc));
    assert_eq!(fresh(&good[..40]), ("decode.truncated", Some(Scope::All)));
    assert_eq!(fresh(&good.replace("update", "partial")), ("decode.unknown_message", btc));
    assert_eq!(fresh(&good.replace("BTC-USDT", "BTC-USDC")), ("decode.unknown_symbol", None));
    assert_eq!(
        fresh("{\"event\":\"error\",\"code\":\"60012\",\"msg\":\"Invalid request\",\"connId\":\"a4\"}"),
        ("decode.venue_refused", None)
    );
    assert_eq!(fresh("<html>").0, "decode.not_json");
    assert_eq!(fresh("{}"), ("decode.unknown_message", Some(Scope::All)));
}

#[test]
fn of_several_channels_of_a_book_the_deepest_counts() {
    let proof = ",\"checksum\":0,\"seqId\":20,\"prevSeqId\":10";
    let whole = |channel| book(channel, "snapshot", ",\"checksum\":0,\"seqId\":20,\"prevSeqId\":-1");
    let change = |channel| book(channel, "update", proof);
    let frames = [
        (book("books5", "", ",\"seqId\":5"), 1),
        (change("books"), 0),
        (whole("books50-l2-tbt"), 1),
        (book("books5", "", ",\"seqId\":6"), 0),
        (change("books50-l2-tbt"), 1),
        (whole("books"), 1),
        (whole("books50-l2-tbt"), 0),
        (change("books50-l2-tbt"), 0),
        (change("books"), 1),
        (whole("books-l2-tbt"), 1),
        (change("books"), 0),
        (whole("books-elp-all"), 0),
        ("{\"event\":\"unsubscribe\",\"arg\":{\"channel\":\"books\",\"instId\":\"BTC-USDT\"}}".to_owned(), 0),
        (
            "{\"event\":\"unsubscribe\",\"arg\":{\"channel\":\"books-l2-tbt\",\"instId\":\"BTC-USDT\"}}"
                .to_owned(),
            1,
        ),
        (whole("books"), 1),
    ];
    let texts: Vec<&str> = frames.iter().map(|(frame, _)| frame.as_str()).collect();
    for ((frame, count), events) in frames.iter().zip(said(&texts)) {
        assert_eq!(events.unwrap().list().len(), *count, "{frame}");
    }
}

#[test]
fn five_levels_are_told_whole_each_time() {
    let is_restated = |members: &str, seq| {
        let events = one(&book("books5", "", members));
        matches!(events.list()[0].body, Body::Book(is, _, Coverage::Depth(5), Origin::Restated) if is == seq)
    };
    assert!(is_restated(",\"seqId\":9", VenueSeq::at(9)));
    assert!(is_restated(",\"instId\":\"BTC-USDT\"", VenueSeq::default()), "as before it was numbered");
}

#[test]
fn the_top_has_the_number_of_its_book() {
    let top = one(&book("bbo-tbt", "", ",\"seqId\":77").replace("[[\"8476.97\",\"0\",\"0\",\"0\"]]", "[]"));
    let Body::Bbo(bbo) = top.list()[0].body else { panic!() };
    assert_eq!((bbo.venue_seq, bbo.bid, bbo.ask), (77, Level::default(), Level::new(84_769_800, 4_150_000)));
    let Body::Bbo(old) = one(&book("bbo-tbt", "", "")).list()[0].body else { panic!() };
    assert_eq!(old.venue_seq, 0);
}

#[test]
fn several_elements_of_a_message_are_several_events() {
    let one_more = ",\"checksum\":0,\"seqId\":20,\"prevSeqId\":10},{\"asks\":[],\"bids\":[],\"ts\":\"1597026383086\",\"checksum\":0,\"seqId\":21,\"prevSeqId\":20";
    let events = one(&book("books", "update", one_more));
    let seqs: Vec<_> = events.list().iter().map(|event| (event.ts_event, event.body)).collect();
    assert!(
        matches!(seqs[..], [(TIME, Body::Levels(a, _)), (_, Body::Levels(b, _))] if (a.last, b.prev) == (20, Some(20)))
    );
}

fn market(channel: &str, data: &str) -> Events {
    let is_named = |name: &&&str| data.contains(&format!("\"instId\":\"{name}\""));
    let name = NAMES.iter().find(is_named).unwrap_or(&NAMES[0]);
    one(&format!("{{\"arg\":{{\"channel\":\"{channel}\",\"instId\":\"{name}\"}},\"data\":[{data}]}}"))
}

#[test]
fn trades_are_those_of_one_channel() {
    let trade = |id: u64| {
        format!(
            "{{\"instId\":\"BTC-USDT\",\"tradeId\":\"{id}\",\"px\":\"42219.9\",\"sz\":\"0.1206\",\"side\":\"sell\",\"ts\":\"1630048897897\",\"count\":\"3\"}}"
        )
    };
    let frame = |channel, id| {
        format!("{{\"arg\":{{\"channel\":\"{channel}\",\"instId\":\"BTC-USDT\"}},\"data\":[{}]}}", trade(id))
    };
    let events = market("trades", &format!("{},{}", trade(5), trade(6)));
    let Body::Trades(first) = events.list()[0].body else { panic!() };
    assert_eq!(events.list().len(), 2);
    let expected = Trade {
        id: TradeId::Number(5),
        price: Price(422_199_000),
        qty: Qty(1_206),
        aggressor: Aggressor::Sell,
        ts_event: 1_630_048_897_897_000_000,
        resting: None,
    };
    assert_eq!(events.trades_of(first), [expected]);
    let frames = [frame("trades-all", 5), frame("trades", 5), frame("trades-all", 6)];
    let counts: Vec<_> = said(&frames.each_ref().map(String::as_str))
        .into_iter()
        .map(|events| events.unwrap().list().len())
        .collect();
    assert_eq!(counts, [1, 0, 1]);
}

#[test]
fn statistics_of_every_channel_are_read() {
    let ticker = |channel: &str, data: &str| {
        let events = market(channel, data);
        let Body::Ticker(at) = events.list()[0].body else { panic!("{data}") };
        (events.list()[0].slot, events.ticker(at))
    };
    let (_, day) = ticker(
        "tickers",
        r#"{"instType":"SPOT","instId":"BTC-USDT","last":"9999.99","lastSz":"0.1","askPx":"9999.99","vol24h":"2222","ts":"1597026383085"}"#,
    );
    assert_eq!((day.last, day.volume), (Some(Price(99_999_900)), Some(Qty(22_220_000))));
    let (slot, mark) = ticker(
        "mark-price",
        r#"{"instType":"SWAP","instId":"BTC-USDT-SWAP","markPx":"0.1","ts":"1597026383085"}"#,
    );
    assert_eq!((slot, mark.mark), (Slot(1), Some(Price(1_000))));
    let (_, funding) = ticker(
        "funding-rate",
        r#"{"fundingRate":"-0.0001875391284828","fundingTime":"1700726400000","instId":"BTC-USDT-SWAP","instType":"SWAP","nextFundingRate":"","ts":"1700724675402"}"#,
    );
    assert_eq!(
        (funding.funding_rate_e9, funding.funding_at),
        (Some(-187_539), Some(1_700_726_400_000_000_000))
    );
    let (_, none) = ticker(
        "funding-rate",
        r#"{"fundingTime":"1640851200000","instId":"BTC-USDT-SWAP","nextFundingRate":"0.0003"}"#,
    );
    assert_eq!(none.funding_rate_e9, None);
    let (_, open) = ticker(
        "open-interest",
        r#"{"instId":"BTC-USDT-SWAP","instType":"SWAP","oi":"2216113.01","oiCcy":"22161.1301","ts":"1743041250440"}"#,
    );
    assert_eq!(open.open_interest, Some(Qty(22_161_130_100)));
    let (slot, option) = ticker(
        "opt-summary",
        r#"{"instId":"BTC-USD-240329-60000-C","uly":"BTC-USD","delta":"0.1975745164","gamma":"4.7290833601","markVol":"0.7794507758","bidVol":"","askVol":"0.8203208593","realVol":"","deltaBS":"0.2038286081","gammaBS":"0.0013437829","thetaBS":"-16.4798150221","vegaBS":"0.7647227087","fwdPx":"60001.5","ts":"1640001659301"}"#,
    );
    assert_eq!((slot, option.mark_iv_e9, option.bid_iv_e9), (Slot(2), Some(779_450_775), None));
    assert_eq!((option.delta_e9, option.gamma_e9), (Some(203_828_608), Some(1_343_782)));
    assert_eq!((option.theta_e9, option.vega_e9), (Some(-16_479_815_022), Some(764_722_708)));
    assert_eq!(option.underlying, Some(Price(600_015_000)));
    let index = market("index-tickers", r#"{"instId":"BTC-USDT","idxPx":"0.1","ts":"1597026383085"}"#);
    assert_eq!(
        index.list().iter().map(|event| event.slot).collect::<Vec<_>>(),
        [Slot(0), Slot(1)],
        "of the pair and its derivatives"
    );
}

#[test]
fn liquidations_and_states_are_read() {
    let events = market("liquidation-orders", r#"{"details":[{"bkLoss":"0","bkPx":"0.007831","ccy":"","posSide":"short","side":"buy","sz":"13","ts":"1692266434010"}],"instFamily":"BTC-USDT","instId":"BTC-USDT-SWAP","instType":"SWAP","uly":"BTC-USDT"}"#.replace("0.007831", "0.0078").as_str());
    let Body::Liquidations(span) = events.list()[0].body else { panic!() };
    let trade = events.trades_of(span)[0];
    assert_eq!((trade.price, trade.qty, trade.aggressor), (Price(78), Qty(130_000), Aggressor::Buy));
    let state = |state: &str| {
        let data = format!(
            "{{\"instId\":\"BTC-USDT\",\"tickSz\":\"0.1\",\"lotSz\":\"0.00000001\",\"state\":\"{state}\"}},{{\"instId\":\"OTHER\",\"state\":\"live\"}}"
        );
        let events = bodies(&market("instruments", &data));
        let [Body::Definition(definition), Body::Trading(status)] = events[..] else { panic!("{events:?}") };
        assert_eq!((definition.price_digits, definition.tick_size, definition.qty_digits), (1, 1, 8));
        status
    };
    assert_eq!(state("live"), TradingStatus::Trading);
    assert_eq!(state("suspend"), TradingStatus::Halted);
    assert_eq!(state("post_only"), TradingStatus::Limited);
    assert_eq!(state("test"), TradingStatus::Unknown);
}

#[test]
fn life_and_other_channels_say_nothing() {
    for frame in [
        "pong",
        "{\"event\":\"subscribe\",\"arg\":{\"channel\":\"books\",\"instId\":\"BTC-USDT\"},\"connId\":\"32f4414f\"}",
        "{\"event\":\"notice\",\"code\":\"64008\",\"msg\":\"The connection will soon be closed for a service upgrade.\"}",
        "{\"arg\":{\"channel\":\"candle1D\",\"instId\":\"BTC-USDT\"},\"data\":[[\"1597026383085\",\"8533.02\"]]}",
    ] {
        assert_eq!(bodies(&one(frame)), [], "{frame}");
    }
}

#[test]
fn an_answer_joins_by_its_number() {
    let (mut room, mut routes) = (Okx::default(), routes());
    let mut answer = |routes: &Routes, url: &str, text: &str| {
        let mut events = Events::default();
        let asked = Asked { routes, url: url.as_bytes() };
        room.answer(&asked, text.as_bytes(), At::default(), &mut events).map_err(|error| error.code())?;
        Ok(bodies(&events)[0])
    };
    let book = r#"{"code":"0","msg":"","data":[{"asks":[["41006.8","0.6","0","1"]],"bids":[["41006.3","0.3","0","2"]],"ts":"1629966436396","seqId":7}]}"#;
    let url = "https://www.okx.com/api/v5/market/books?instId=BTC-USDT&sz=400";
    assert!(
        matches!(answer(&routes, url, book), Ok(Body::Book(seq, _, Coverage::ToWorst, Origin::Answer)) if seq == VenueSeq::at(7))
    );
    assert_eq!(answer(&routes, url, &book.replace(':', " : ")), answer(&routes, url, book));
    assert_eq!(answer(&routes, "", book), Err("decode.ambiguous_snapshot"));
    for text in [
        book.replace(",\"seqId\":7", ""),
        r#"{"code":"50011","msg":"Too many requests","data":[]}"#.to_owned(),
        r#"{"code":"0","data":[{"instId":"BTC-USDT"}]}"#.to_owned(),
    ] {
        assert_eq!(answer(&routes, url, &text), Err("decode.not_snapshot"), "{text}");
    }
    routes.drop(Slot(1));
    routes.drop(Slot(2));
    assert!(matches!(answer(&routes, "", book), Ok(Body::Book(.., Origin::Anonymous))));
}

#[test]
fn instruments_have_their_terms() {
    use crate::types::{Decimal, InstrumentKind, QtyUnit};
    use crate::venues::OKX;
    let list = r#"{"code":"0","msg":"","data":[
        {"instType":"OPTION","instId":"BTC-USD-241217-92000-C","uly":"BTC-USD","baseCcy":"","quoteCcy":"","settleCcy":"BTC","ctVal":"1","ctMult":"0.01","ctType":"","optType":"C","stk":"92000","expTime":"1734422400000","tickSz":"0.0001","lotSz":"1","state":"live"},
        {"instType":"SWAP","instId":"BTC-USD-SWAP","uly":"BTC-USD","settleCcy":"BTC","ctVal":"100","ctMult":"1","ctType":"inverse","optType":"","stk":"","expTime":"","tickSz":"0.1","lotSz":"1","state":"suspend"},
        {"instType":"SPOT","instId":"BTC-USDT","baseCcy":"BTC","quoteCcy":"USDT","settleCcy":"","ctVal":"","ctMult":"","ctType":"","tickSz":"0.1","lotSz":"0.00000001","state":"live"},
        {"instType":"SWAP","instId":"NEW-USDT-SWAP","uly":"NEW-USDT","ctVal":"1","ctType":"linear","tickSz":"","lotSz":"","state":"preopen"}]}"#;
    let definitions = crate::venues::instruments(OKX, list.as_bytes()).unwrap();
    assert_eq!((definitions.list().len(), definitions.passed_over()), (3, 1));
    let [option, swap, spot] = definitions.list() else { panic!() };
    let terms = option.terms.option.unwrap();
    assert_eq!((terms.is_call, terms.strike), (true, Decimal { mantissa: 92_000, exponent: 0 }));
    assert_eq!((option.terms.expiry, option.terms.kind), (1_734_422_400_000_000_000, InstrumentKind::Option));
    assert_eq!(option.contract_size, Decimal { mantissa: 1, exponent: -2 });
    assert_eq!((&*option.terms.base, &*option.terms.quote), ("BTC", "USD"));
    assert!(swap.inverse && swap.qty_unit == QtyUnit::Contracts && swap.contract_size.mantissa == 100);
    assert_eq!(swap.terms.status, TradingStatus::Halted);
    assert_eq!(
        (spot.price_exponent, spot.qty_exponent, spot.qty_unit, spot.inverse),
        (-1, -8, QtyUnit::Base, false)
    );
    let code = |text: &str| crate::venues::instruments(OKX, text.as_bytes()).unwrap_err().code();
    assert_eq!(
        code(r#"{"code":"51000","msg":"Parameter instType error","data":[]}"#),
        "decode.not_instruments"
    );
    assert_eq!(code(r#"{"code":"0","data":[]}"#), "decode.no_instruments");
    let named = |name| instrument(OKX, name);
    assert!(
        named("BTC-USD-240329").inverse
            && !named("BTC-USDT-SWAP").inverse
            && !named("BTC-USD-240329-60000-C").inverse
    );
    assert_eq!(
        (named("BTC-USD").qty_unit, named("BTC-USD-SWAP").qty_unit),
        (QtyUnit::Base, QtyUnit::Contracts)
    );
}
