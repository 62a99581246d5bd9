//! Messages that name their instrument twice, and differently: applied to neither, and the books that they may have changed are
//! lost.

use depthwire_core::types::{Events, Route, Routes, Scope, Slot, Venue};
use depthwire_core::venues::{
    self, At, BINANCE_SPOT, BINANCE_USDM, BITMEX, BYBIT_LINEAR, BYBIT_OPTION, DERIBIT, KUCOIN,
    KUCOIN_FUTURES, LIGHTER, OKX,
};

const A: Slot = Slot(0);
const B: Slot = Slot(1);

/// A venue, two of its codes, whether the message is of a book, and the message: `$1` and `$2` stand for its two names.
const MESSAGES: &[(Venue, [&str; 2], bool, &str)] = &[
    (
        BINANCE_SPOT,
        ["BTCUSDT", "ETHUSDT"],
        true,
        r#"{"stream":"$l@depth@100ms","data":{"e":"depthUpdate","E":5,"s":"$2","U":7,"u":8,"b":[["1.5","2"]],"a":[]}}"#,
    ),
    (
        BINANCE_USDM,
        ["BTCUSDT", "BTCUSDT_260327"],
        true,
        r#"{"stream":"$l@depth","data":{"e":"depthUpdate","E":5,"T":5,"s":"$2","ps":"X","U":7,"u":8,"pu":6,"b":[],"a":[["1.5","2"]]}}"#,
    ),
    (
        BINANCE_SPOT,
        ["BTCUSDT", "币安人生USDT"],
        true,
        r#"{"stream":"$l@depth","data":{"e":"depthUpdate","E":5,"s":"$2","U":7,"u":8,"b":[["1.5","2"]],"a":[]}}"#,
    ),
    (
        BINANCE_SPOT,
        ["BTCUSDT", "ETHUSDT"],
        true,
        r#"{"data":{"a":[],"b":[],"e":"depthUpdate","E":5,"s":"$2","U":7,"u":8},"stream":"$l@depth"}"#,
    ),
    (
        BINANCE_SPOT,
        ["BTCUSDT", "ETHUSDT"],
        false,
        r#"{"stream":"$l@bookTicker","data":{"u":7,"s":"$2","b":"1.5","B":"2","a":"1.6","A":"2"}}"#,
    ),
    (
        BINANCE_SPOT,
        ["BTCUSDT", "ETHUSDT"],
        false,
        r#"{"stream":"$l@trade","data":{"e":"trade","E":5,"s":"$2","t":7,"p":"1.5","q":"2","T":5,"m":true,"M":true}}"#,
    ),
    (
        BINANCE_SPOT,
        ["BTCUSDT", "ETHUSDT"],
        false,
        r#"{"stream":"$l@aggTrade","data":{"e":"aggTrade","E":5,"s":"$2","a":7,"p":"1.5","q":"2","T":5,"m":true}}"#,
    ),
    (
        OKX,
        ["BTC-USDT", "ETH-USDT"],
        true,
        r#"{"arg":{"channel":"books5","instId":"$1"},"data":[{"asks":[["2","1","0","1"]],"bids":[["1","1","0","1"]],"instId":"$2","ts":"5","seqId":7}]}"#,
    ),
    (
        OKX,
        ["BTC-USDT", "ETH-USDT"],
        true,
        r#"{"arg":{"channel":"books","instId":"$1"},"action":"snapshot","data":[{"asks":[["2","1","0","1"]],"bids":[],"instId":"$2","ts":"5","seqId":7,"prevSeqId":-1}]}"#,
    ),
    (
        OKX,
        ["BTC-USDT", "ETH-USDT"],
        false,
        r#"{"arg":{"channel":"trades","instId":"$1"},"data":[{"instId":"$2","tradeId":"7","px":"1.5","sz":"2","side":"buy","ts":"5"}]}"#,
    ),
    (
        OKX,
        ["BTC-USDT", "ETH-USDT"],
        false,
        r#"{"arg":{"channel":"tickers","instId":"$1"},"data":[{"instId":"$2","last":"1.5","ts":"5"}]}"#,
    ),
    (
        KUCOIN,
        ["BTC-USDT", "ETH-USDT"],
        true,
        r#"{"type":"message","topic":"/market/level2:$1","subject":"trade.l2update","data":{"sequenceStart":7,"symbol":"$2","changes":{"asks":[],"bids":[["1.5","2","7"]]},"sequenceEnd":7}}"#,
    ),
    (
        KUCOIN,
        ["BTC-USDT", "ETH-USDT"],
        false,
        r#"{"type":"message","topic":"/market/match:$1","subject":"trade.l3match","data":{"symbol":"$2","price":"1.5","size":"2","side":"buy","tradeId":"7","time":"1545896669105000000"}}"#,
    ),
    (
        KUCOIN_FUTURES,
        ["XBTUSDTM", "ETHUSDTM"],
        false,
        r#"{"type":"message","topic":"/contractMarket/execution:$1","subject":"match","data":{"symbol":"$2","price":"1.5","size":2,"side":"buy","tradeId":"7","ts":1545896669105000000}}"#,
    ),
    (
        BYBIT_LINEAR,
        ["BTCUSDT", "ETHUSDT"],
        true,
        r#"{"topic":"orderbook.50.$1","type":"snapshot","ts":5,"data":{"s":"$2","b":[["1.5","2"]],"a":[],"u":7,"seq":7},"cts":5}"#,
    ),
    (
        BYBIT_LINEAR,
        ["BTCUSDT", "ETHUSDT"],
        true,
        r#"{"topic":"orderbook.50.$1","type":"delta","ts":5,"data":{"s":"$2","b":[["1.5","2"]],"a":[],"u":7,"seq":7},"cts":5}"#,
    ),
    (
        BYBIT_LINEAR,
        ["BTCUSDT", "ETHUSDT"],
        false,
        r#"{"topic":"publicTrade.$1","type":"snapshot","ts":5,"data":[{"T":5,"s":"$2","S":"Buy","v":"1","p":"2","L":"PlusTick","i":"a-b","BT":false}]}"#,
    ),
    (
        BYBIT_LINEAR,
        ["BTCUSDT", "ETHUSDT"],
        false,
        r#"{"topic":"tickers.$1","type":"snapshot","ts":5,"data":{"symbol":"$2","tickDirection":"PlusTick","lastPrice":"1.5","markPrice":"1.5"}}"#,
    ),
    (
        DERIBIT,
        ["BTC-PERPETUAL", "ETH-PERPETUAL"],
        true,
        r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.$1.raw","data":{"type":"snapshot","timestamp":5,"instrument_name":"$2","change_id":7,"bids":[["new",1.5,2.0]],"asks":[]}}}"#,
    ),
    (
        DERIBIT,
        ["BTC-PERPETUAL", "ETH-PERPETUAL"],
        false,
        r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.$1.raw","data":[{"instrument_name":"$2","trade_seq":7,"timestamp":5,"price":1.5,"amount":2.0,"direction":"buy"}]}}"#,
    ),
    (
        DERIBIT,
        ["BTC-PERPETUAL", "ETH-PERPETUAL"],
        false,
        r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.$1","data":{"timestamp":5,"instrument_name":"$2","best_bid_price":1.5,"best_bid_amount":2.0,"best_ask_price":1.6,"best_ask_amount":2.0}}}"#,
    ),
    (
        BITMEX,
        ["XBTUSD", "ETHUSD"],
        true,
        r#"{"table":"orderBookL2","action":"partial","keys":["symbol","id","side"],"filter":{"symbol":"$1"},"data":[{"symbol":"$2","id":7,"side":"Buy","size":1,"price":2,"timestamp":"2024-05-06T07:08:09.012Z"}]}"#,
    ),
    (
        BITMEX,
        ["XBTUSD", "ETHUSD"],
        true,
        r#"{"table":"orderBook10","action":"partial","keys":["symbol"],"filter":{"symbol":"$1"},"data":[{"symbol":"$2","bids":[[1,2]],"asks":[],"timestamp":"2024-05-06T07:08:09.012Z"}]}"#,
    ),
    (
        BITMEX,
        ["XBTUSD", "ETHUSD"],
        false,
        r#"{"table":"quote","action":"partial","keys":[],"filter":{"symbol":"$1"},"data":[{"symbol":"$2","bidSize":1,"bidPrice":2,"askPrice":3,"askSize":4,"timestamp":"2024-05-06T07:08:09.012Z"}]}"#,
    ),
    (
        LIGHTER,
        ["0", "1"],
        false,
        r#"{"type":"update/trade","channel":"trade:$1","trades":[{"trade_id":7,"market_id":$2,"price":"1.5","size":"2","is_maker_ask":true,"timestamp":5}]}"#,
    ),
    (
        LIGHTER,
        ["0", "1"],
        false,
        r#"{"type":"update/market_stats","channel":"market_stats:$1","timestamp":5,"market_stats":{"market_id":$2,"index_price":"1.5"}}"#,
    ),
];

fn route(slot: Slot) -> Route {
    Route { slot, price_exponent: -2, qty_exponent: -2 }
}

fn routes(carried: &[(&str, Slot)]) -> Routes {
    let mut routes = Routes::new();
    for (code, slot) in carried {
        assert!(routes.carry([code.as_bytes()].into_iter(), route(*slot)));
    }
    routes
}

fn read(venue: Venue, message: &str, routes: &Routes) -> (Option<&'static str>, Option<Scope>, usize) {
    let mut out = Events::default();
    let read = venues::session(venue).frame(message.as_bytes(), At::default(), routes, &mut out);
    (read.err().map(|error| error.code()), out.concerned(), out.list().len())
}

#[test]
fn a_message_of_two_instruments_is_applied_to_neither() {
    const TWO: Option<&str> = Some("decode.two_instruments");
    for &(venue, [one, two], is_book, template) in MESSAGES {
        let message = |first: &str, second: &str| {
            template.replace("$1", first).replace("$l", &first.to_lowercase()).replace("$2", second)
        };
        let both = routes(&[(one, A), (two, B)]);
        for name in [one, two] {
            let (code, _, events) = read(venue, &message(name, name), &both);
            assert_eq!((code, events > 0), (None, true), "{venue:?}: {}", message(name, name));
        }
        for (first, second) in [(one, two), (two, one)] {
            let message = message(first, second);
            let scope = |scope| Some(scope).filter(|_| is_book);
            assert_eq!(read(venue, &message, &both), (TWO, scope(Scope::All), 0), "{venue:?}: {message}");
            for (carried, slot) in [(first, A), (second, B)] {
                let (code, concerned, events) = read(venue, &message, &routes(&[(carried, slot)]));
                let expected = Some(Scope::Book(slot)).filter(|_| is_book);
                assert_eq!((concerned, events), (expected, 0), "{venue:?} {carried}: {message}");
                // What is told beside books is another's, as a message of one name would be.
                let is_foreign = !is_book && code == Some("decode.unknown_symbol");
                assert!(code == TWO || is_foreign, "{venue:?} {carried} {code:?}: {message}");
            }
            let (code, concerned, _) = read(venue, &message, &routes(&[("OTHER", A)]));
            assert_eq!((code, concerned), (Some("decode.unknown_symbol"), None), "{venue:?}: {message}");
        }
    }
}

#[test]
fn what_is_told_of_many_names_each() {
    let options = "{\"topic\":\"publicTrade.BTC\",\"type\":\"snapshot\",\"ts\":5,\"data\":[{\"T\":5,\"s\":\"BTC-27MAR26-1-C\",\"S\":\"Buy\",\"v\":\"1\",\"p\":\"2\",\"i\":\"a-b\",\"BT\":false}]}";
    assert_eq!(read(BYBIT_OPTION, options, &routes(&[("BTC-27MAR26-1-C", A)])), (None, None, 1));
    let kinds = "{\"jsonrpc\":\"2.0\",\"method\":\"subscription\",\"params\":{\"channel\":\"trades.future.BTC.100ms\",\"data\":[{\"instrument_name\":\"BTC-PERPETUAL\",\"trade_seq\":7,\"timestamp\":5,\"price\":1.5,\"amount\":2.0,\"direction\":\"buy\"}]}}";
    assert_eq!(read(DERIBIT, kinds, &routes(&[("BTC-PERPETUAL", A)])), (None, None, 1));
    let market = "{\"stream\":\"!bookTicker@x\",\"data\":{\"u\":7,\"s\":\"BTCUSDT\",\"b\":\"1.5\",\"B\":\"2\",\"a\":\"1.6\",\"A\":\"2\"}}";
    assert_eq!(read(BINANCE_SPOT, market, &routes(&[("BTCUSDT", A)])), (None, None, 1));
}
