//! Venues' lists of their instruments, behind a line that names the product.

use depthwire_core::decode::DecodeError;
use depthwire_core::types::{Catalogue, Definitions, Venue, is_symbol};
use depthwire_core::venues::{
    self, ALL, BINANCE_COINM, BINANCE_SPOT, BINANCE_US, BINANCE_USDM, BITFINEX, BITGET, BITGET_COIN_FUTURES,
    BITGET_USDC_FUTURES, BITGET_USDT_FUTURES, BITMEX, BITSTAMP, BITSTAMP_ORDERS, BYBIT, BYBIT_INVERSE,
    BYBIT_LINEAR, BYBIT_OPTION, COINBASE, COINBASE_EXCHANGE, DERIBIT, GATEIO, GATEIO_DELIVERY,
    GATEIO_FUTURES, KRAKEN, KRAKEN_FUTURES, KUCOIN, KUCOIN_FUTURES, LIGHTER, OKX,
};

use crate::json::{json_fields, loosened};
use crate::mutate::{Fields, Kind};
use crate::random::Random;
use crate::refusals::REFUSALS;
use crate::run::{Said, Target};

/// A product's list: what stands before its entries, they, and what stands behind. `@` stands for an increment.
type List = (Venue, &'static str, &'static [&'static str], &'static str);

const BINANCE: &[&str] = &[
    r#"{"symbol":"ETHBTC","status":"TRADING","baseAsset":"ETH","quoteAsset":"BTC","filters":[{"filterType":"PRICE_FILTER","minPrice":"0.00001","tickSize":"@"},{"filterType":"LOT_SIZE","stepSize":"@"}]}"#,
    r#"{"symbol":"BTCUSDT_240329","contractType":"CURRENT_QUARTER","deliveryDate":1711699200000,"status":"SETTLING","baseAsset":"BTC","quoteAsset":"USDT","marginAsset":"USDT","filters":[{"tickSize":"@","filterType":"PRICE_FILTER"},{"stepSize":"@","filterType":"LOT_SIZE"}]}"#,
    r#"{"symbol":"BTCUSD_PERP","contractType":"PERPETUAL","deliveryDate":4133404800000,"contractStatus":"TRADING","contractSize":100,"baseAsset":"BTC","quoteAsset":"USD","marginAsset":"BTC","filters":[{"filterType":"PRICE_FILTER","tickSize":"@"},{"filterType":"LOT_SIZE","stepSize":"@"}]}"#,
];
const BITGET_FUTURES: &[&str] = &[
    r#"{"symbol":"BTCPERP","baseCoin":"BTC","quoteCoin":"USDC","priceEndStep":"5","volumePlace":"3","pricePlace":"1","sizeMultiplier":"@","symbolType":"perpetual","symbolStatus":"maintain","deliveryTime":""}"#,
    r#"{"symbol":"BTCUSDZ24","baseCoin":"BTC","quoteCoin":"USD","priceEndStep":"1","pricePlace":"1","sizeMultiplier":"@","symbolType":"delivery","symbolStatus":"normal","deliveryTime":"1735286400000"}"#,
];
const BITSTAMP_PAIRS: &[&str] = &[
    r#"{"trading": "Enabled", "base_decimals": 8, "url_symbol": "btcusd", "name": "BTC\/USD", "counter_decimals": 2}"#,
    r#"{"trading": "Disabled", "base_decimals": 5, "url_symbol": "xrpeur", "name": "XRP/EUR", "counter_decimals": 5}"#,
];
const GATEIO_CONTRACTS: &[&str] = &[
    r#"{"name":"BTC_USDT","type":"direct","quanto_multiplier":"0.0001","order_price_round":"@","in_delisting":false}"#,
    r#"{"name":"BTC_USD_20220603","type":"inverse","quanto_multiplier":"0","order_price_round":"@","expire_time":1654243200}"#,
];
const KUCOIN_HEAD: &str = r#"{"code":"200000","data":["#;
const BITGET_HEAD: &str = r#"{"code":"00000","msg":"success","requestTime":1730332858796,"data":["#;

const LISTS: &[List] = &[
    (BINANCE_SPOT, r#"{"timezone":"UTC","symbols":["#, BINANCE, "]}"),
    (BINANCE_USDM, r#"{"timezone":"UTC","symbols":["#, BINANCE, "]}"),
    (BINANCE_COINM, r#"{"timezone":"UTC","symbols":["#, BINANCE, "]}"),
    (BINANCE_US, r#"{"timezone":"UTC","symbols":["#, BINANCE, "]}"),
    (
        BITFINEX,
        "[[",
        &[
            r#"["BTCUSD",[null,null,null,"0.00004","2000.0",null,null,null,0.2,0.1]]"#,
            r#"["DOGE:USD",[null,null,null,"2","1"]]"#,
            r#"["BTCF0:USTF0",[null,null,null,"0.00004","100"]]"#,
        ],
        "]]",
    ),
    (
        BITGET,
        BITGET_HEAD,
        &[
            r#"{"symbol":"BTCUSDT","baseCoin":"BTC","quoteCoin":"USDT","minTradeAmount":"0","pricePrecision":"2","quantityPrecision":"6","status":"online"}"#,
            r#"{"symbol":"PEPEUSDT","baseCoin":"PEPE","quoteCoin":"USDT","pricePrecision":"10","quantityPrecision":"0","status":"gray"}"#,
        ],
        "]}",
    ),
    (BITGET_USDT_FUTURES, BITGET_HEAD, BITGET_FUTURES, "]}"),
    (BITGET_USDC_FUTURES, BITGET_HEAD, BITGET_FUTURES, "]}"),
    (BITGET_COIN_FUTURES, BITGET_HEAD, BITGET_FUTURES, "]}"),
    (
        BITMEX,
        "[",
        &[
            r#"{"symbol":"XBTUSD","state":"Open","typ":"FFWCSX","expiry":null,"underlying":"XBT","quoteCurrency":"USD","lotSize":100,"tickSize":0.5,"multiplier":-100000000,"settlCurrency":"XBt","underlyingToPositionMultiplier":null,"underlyingToSettleMultiplier":-100000000,"isQuanto":false,"isInverse":true}"#,
            r#"{"symbol":"ETHM19","state":"Closed","typ":"FFCCSX","expiry":"2019-06-28T12:00:00.000Z","underlying":"ETH","quoteCurrency":"XBT","lotSize":1,"tickSize":1e-05,"multiplier":100000000,"settlCurrency":"XBt","underlyingToPositionMultiplier":1,"isQuanto":false,"isInverse":false}"#,
            r#"{"symbol":"XBT_USDT","state":"Open","typ":"IFXXXP","expiry":null,"underlying":"XBT","quoteCurrency":"USDT","lotSize":1000,"tickSize":@,"settlCurrency":"","underlyingToPositionMultiplier":100000000,"isQuanto":false,"isInverse":false}"#,
            r#"{"symbol":".BXBT","state":"Unlisted","typ":"MRCXXX","expiry":null,"tickSize":0.01}"#,
        ],
        "]",
    ),
    (BITSTAMP, "[", BITSTAMP_PAIRS, "]"),
    (BITSTAMP_ORDERS, "[", BITSTAMP_PAIRS, "]"),
    (
        BYBIT,
        r#"{"retCode":0,"retMsg":"OK","result":{"category":"spot","list":["#,
        &[
            r#"{"symbolId":9,"symbol":"BTCUSDT","baseCoin":"BTC","quoteCoin":"USDT","status":"Trading","lotSizeFilter":{"basePrecision":"@","quotePrecision":"0.0000001"},"priceFilter":{"tickSize":"@"}}"#,
        ],
        r#"],"nextPageCursor":""},"time":1735809771618}"#,
    ),
    (
        BYBIT_LINEAR,
        r#"{"retCode":0,"retMsg":"OK","result":{"category":"linear","list":["#,
        &[
            r#"{"symbol":"BTCUSDT-14AUG26","contractType":"LinearFutures","status":"Trading","baseCoin":"BTC","quoteCoin":"USDT","deliveryTime":"1786694400000","priceFilter":{"tickSize":"@"},"lotSizeFilter":{"qtyStep":"@"},"settleCoin":"USDT"}"#,
            r#"{"symbol":"SOLPERP","contractType":"LinearPerpetual","status":"Closed","baseCoin":"SOL","quoteCoin":"USDC","deliveryTime":"0","priceFilter":{"tickSize":"@"},"lotSizeFilter":{"qtyStep":"@"},"settleCoin":"USDC"}"#,
        ],
        r#"],"nextPageCursor":"first%3DSOLPERP"},"time":1735809771618}"#,
    ),
    (
        BYBIT_INVERSE,
        r#"{"retCode":0,"retMsg":"OK","result":{"category":"inverse","list":["#,
        &[
            r#"{"symbol":"BTCUSD","contractType":"InversePerpetual","status":"PreLaunch","baseCoin":"BTC","quoteCoin":"USD","deliveryTime":"0","priceFilter":{"tickSize":"@"},"lotSizeFilter":{"qtyStep":"1"},"settleCoin":"BTC"}"#,
        ],
        r#"],"nextPageCursor":""},"time":1735809771618}"#,
    ),
    (
        BYBIT_OPTION,
        r#"{"retCode":0,"retMsg":"OK","result":{"category":"option","list":["#,
        &[
            r#"{"symbol":"BTC-27MAR26-70000-P-USDT","status":"Delivering","baseCoin":"BTC","quoteCoin":"USDT","settleCoin":"USDT","optionsType":"Put","deliveryTime":"1774598400000","priceFilter":{"tickSize":"5"},"lotSizeFilter":{"qtyStep":"@"}}"#,
        ],
        r#"],"nextPageCursor":""},"time":1735809771618}"#,
    ),
    (
        COINBASE,
        r#"{"products":["#,
        &[
            r#"{"product_id":"BTC-USD","price":"65086.18","base_increment":"@","price_increment":"@","base_currency_id":"BTC","quote_currency_id":"USD","status":"online","alias":"","alias_to":["BTC-USDC"],"future_product_details":null}"#,
            r#"{"product_id":"BTC-USDC","base_increment":"0.00000001","price_increment":"0.01","base_currency_id":"BTC","quote_currency_id":"USDC","status":"online","alias":"BTC-USD"}"#,
            r#"{"product_id":"BIT-28AUG26-CDE","base_increment":"1","price_increment":"5","base_currency_id":"","quote_currency_id":"USD","status":"","product_type":"FUTURE","alias":"","future_product_details":{"contract_size":"0.01","contract_expiry":"2026-08-28T15:00:00Z","contract_expiry_type":"EXPIRING"}}"#,
        ],
        r#"],"num_products":3}"#,
    ),
    (
        COINBASE_EXCHANGE,
        "[",
        &[
            r#"{"id":"BTC-USD","base_currency":"BTC","quote_currency":"USD","quote_increment":"@","base_increment":"@","status":"online","post_only":false,"auction_mode":false}"#,
            r#"{"id":"ETH-EUR","base_currency":"ETH","quote_currency":"EUR","quote_increment":"0.01","base_increment":"@","status":"delisted","trading_disabled":true}"#,
        ],
        "]",
    ),
    (
        DERIBIT,
        r#"{"jsonrpc":"2.0","result":["#,
        &[
            r#"{"tick_size":0.0005,"strike":40000.0,"settlement_period":"month","quote_currency":"BTC","option_type":"put","min_trade_amount":0.1,"kind":"option","is_active":true,"instrument_name":"BTC-24SEP21-40000-P","expiration_timestamp":1632470400000,"contract_size":1.0,"base_currency":"BTC"}"#,
            r#"{"tick_size":@,"settlement_period":"perpetual","quote_currency":"USD","min_trade_amount":10,"kind":"future","is_active":true,"instrument_name":"BTC-PERPETUAL","expiration_timestamp":32503708800000,"contract_size":10,"base_currency":"BTC","settlement_currency":"BTC"}"#,
            r#"{"state":"inactive","kind":"future_combo","instrument_name":"BTC-FS-19MAY26_PERP","expiration_timestamp":1779177600000,"is_active":true,"tick_size":0.5,"contract_size":10.0,"base_currency":"BTC","quote_currency":"USD","min_trade_amount":10.0,"settlement_period":"day"}"#,
        ],
        "]}",
    ),
    (
        GATEIO,
        "[",
        &[
            r#"{"id":"ETH_USDT","base":"ETH","quote":"USDT","fee":"0.2","amount_precision":3,"precision":6,"trade_status":"tradable"}"#,
            r#"{"id":"PEPE_USDT","base":"PEPE","quote":"USDT","amount_precision":0,"precision":12,"trade_status":"untradable"}"#,
        ],
        "]",
    ),
    (GATEIO_FUTURES, "[", GATEIO_CONTRACTS, "]"),
    (GATEIO_DELIVERY, "[", GATEIO_CONTRACTS, "]"),
    (
        KRAKEN,
        r#"{"error":[],"result":{"#,
        &[
            r#""XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","base":"XXBT","quote":"ZUSD","pair_decimals":1,"lot_decimals":8,"tick_size":"0.1","status":"online"}"#,
            r#""MATICEUR":{"wsname":"MATIC/EUR","pair_decimals":4,"lot_decimals":8,"tick_size":"0.01","status":"cancel_only"}"#,
            r#""DARK":{"altname":"DARK","pair_decimals":1,"lot_decimals":8}"#,
        ],
        "}}",
    ),
    (
        KRAKEN_FUTURES,
        r#"{"result":"success","instruments":["#,
        &[
            r#"{"symbol":"pi_xbtusd","type":"futures_inverse","underlying":"rr_xbtusd","tickSize":@,"contractSize":1,"tradeable":true}"#,
            r#"{"symbol":"fi_xrpusd_210924","type":"futures_inverse","lastTradingTime":"2021-09-24T15:00:00.000Z","tickSize":0.0001,"contractSize":1,"tradeable":false}"#,
            r#"{"symbol":"in_xbtusd","type":"spot index","tradeable":false}"#,
            r#"{"symbol":"PF_PEPEUSD","type":"flexible_futures","tickSize":1e-10,"contractSize":1,"tradeable":true,"contractValueTradePrecision":-3,"postOnly":true,"base":"PEPE","quote":"USD"}"#,
        ],
        r#"],"serverTime":"2026-08-09T00:00:00Z"}"#,
    ),
    (
        KUCOIN,
        KUCOIN_HEAD,
        &[
            r#"{"symbol":"REQ-ETH","name":"REQ-ETH","baseCurrency":"REQ","quoteCurrency":"ETH","baseMinSize":"1","baseIncrement":"@","quoteIncrement":"0.0000001","priceIncrement":"@","enableTrading":true}"#,
            r#"{"symbol":"BTC-USDT","baseCurrency":"BTC","quoteCurrency":"USDT","baseIncrement":"0.00000001","priceIncrement":"0.1","enableTrading":false}"#,
        ],
        "]}",
    ),
    (
        KUCOIN_FUTURES,
        KUCOIN_HEAD,
        &[
            r#"{"symbol":"XBTUSDTM","type":"FFWCSX","expireDate":null,"baseCurrency":"XBT","quoteCurrency":"USDT","settleCurrency":"USDT","lotSize":1,"tickSize":@,"multiplier":0.001,"isInverse":false,"status":"Open"}"#,
            r#"{"symbol":"XBTMM22","type":"FFICSX","expireDate":1656057600000,"baseCurrency":"XBT","quoteCurrency":"USD","settleCurrency":"XBT","lotSize":1,"tickSize":1.0,"multiplier":-1.0,"isInverse":true,"status":"Paused"}"#,
        ],
        "]}",
    ),
    (
        LIGHTER,
        r#"{"code":200,"order_book_details":["#,
        &[
            r#"{"symbol":"BTC","market_id":1,"status":"active","size_decimals":5,"price_decimals":1}"#,
            r#"{"symbol":"DOGE","market_id":3,"status":"inactive","size_decimals":0,"price_decimals":6}"#,
        ],
        r#"],"spot_order_book_details":[{"symbol":"ETH/USDC","market_id":2048,"status":"inactive","size_decimals":4,"price_decimals":2}]}"#,
    ),
    (
        OKX,
        r#"{"code":"0","msg":"","data":["#,
        &[
            r#"{"instType":"SPOT","instId":"BTC-USDT","baseCcy":"BTC","quoteCcy":"USDT","settleCcy":"","ctVal":"","ctMult":"","ctType":"","tickSz":"@","lotSz":"@","state":"live"}"#,
            r#"{"instType":"OPTION","instId":"BTC-USD-241217-92000-C","uly":"BTC-USD","baseCcy":"","quoteCcy":"","settleCcy":"BTC","ctVal":"1","ctMult":"0.01","ctType":"","optType":"C","stk":"92000","expTime":"1734422400000","tickSz":"0.0001","lotSz":"1","state":"live"}"#,
            r#"{"instType":"SWAP","instId":"BTC-USD-SWAP","uly":"BTC-USD","settleCcy":"BTC","ctVal":"100","ctMult":"1","ctType":"inverse","optType":"","stk":"","expTime":"","tickSz":"0.1","lotSz":"1","state":"suspend"}"#,
            r#"{"instType":"SWAP","instId":"NEW-USDT-SWAP","uly":"NEW-USDT","ctVal":"1","ctType":"linear","tickSz":"","lotSz":"","state":"preopen"}"#,
        ],
        "]}",
    ),
];

const INCREMENTS: &[&str] =
    &["0.1", "0.01", "0.00000001", "0.0005", "0.25", "1", "5", "0.50", "0.000000000001"];

/// The same list with the letters of its texts, which has no escapes, as escapes.
fn escaped(list: &[u8]) -> Vec<u8> {
    let (mut out, mut is_text) = (Vec::new(), false);
    for &byte in list {
        is_text ^= byte == b'"';
        if is_text && (byte.is_ascii_alphanumeric() || byte == b'/') {
            out.extend(format!("\\u{byte:04X}").bytes());
        } else {
            out.push(byte);
        }
    }
    out
}

/// One list.
pub struct Lists;

impl Target for Lists {
    const NAME: &'static str = "instruments";
    // A short entry makes an instrument of many fields, kept with its symbol in two places.
    const MEMORY: (usize, usize) = (64 << 10, 128);

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        let (product, head, entries, tail) = random.pick(LISTS);
        // The first is an instrument for sure.
        let listed = entries.iter().enumerate().filter(|(nth, _)| *nth == 0 || random.one_in(2));
        let mut listed: Vec<String> = listed.map(|(_, entry)| (*entry).to_owned()).collect();
        for entry in &mut listed {
            while entry.contains('@') {
                *entry = entry.replacen('@', random.pick::<&str>(INCREMENTS), 1);
            }
        }
        if random.one_in(2) {
            listed.reverse();
        }
        out.extend(format!("{}\n{head}{}{tail}", product.name(), listed.join(",")).bytes());
    }

    fn other_inputs(&self) -> Vec<Vec<u8>> {
        let of = |(product, head, _, tail): &List| {
            let empty = [head.as_bytes(), tail.as_bytes()].concat();
            let bodies = REFUSALS.iter().copied().chain([&empty[..]]);
            bodies.map(|body| [product.name().as_bytes(), b"\n", body].concat()).collect::<Vec<_>>()
        };
        LISTS.iter().flat_map(of).collect()
    }

    fn fields(fields: &mut Fields<'_>) {
        let head = fields.bytes.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        fields.note(Kind::Text, 0, head);
        json_fields(fields, head, fields.bytes.len());
    }

    fn check(&mut self, bytes: &[u8], random: &mut Random, said: &mut Said) {
        let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
        let (name, list) = (&bytes[..end], bytes[end..].strip_prefix(b"\n").unwrap_or_default());
        let Some(venue) = ALL.iter().find(|venue| venue.name().as_bytes() == name).copied() else { return };
        let plain = venues::instruments(venue, list);
        let mut loose = Vec::new();
        loosened(list, &mut loose);
        let spaced = venues::instruments(venue, &loose);
        let told = |read: &Result<Definitions, DecodeError>| match read {
            Ok(told) => Ok((told.list().to_vec(), told.passed_over(), told.next().map(str::to_owned))),
            Err(error) => Err(error.code()),
        };
        assert_eq!(told(&plain), told(&spaced), "white space says nothing");
        if !list.contains(&b'\\') {
            let escaped = venues::instruments(venue, &escaped(list));
            assert_eq!(told(&plain), told(&escaped), "an escape is the letter that it means");
        }
        said.ok(venue.name());
        match plain {
            Ok(definitions) => {
                said.size("instruments", definitions.list().len());
                said.size("passed over", definitions.passed_over() as usize);
                assert!(!definitions.list().is_empty());
                let mut catalogue = Catalogue::default();
                for instrument in definitions.list() {
                    assert_eq!(instrument.venue, venue);
                    assert!(is_symbol(&instrument.symbol) && instrument.is_scaled());
                    assert!(catalogue.find(venue, &instrument.symbol).is_none(), "each instrument once");
                    assert!(venues::check_scale(instrument).is_ok());
                    assert!(instrument.wire_codes().all(|code| !code.is_empty()));
                    assert!(catalogue.add(instrument.clone()).is_ok());
                    // An alias is its product, and a product is itself.
                    let named = venues::instrument(venue, &instrument.symbol).unwrap().symbol;
                    assert_eq!(venues::instrument(venue, &named).unwrap().symbol, named);
                    said.ok(instrument.terms.kind.name());
                    said.ok(instrument.terms.status.name());
                }
                // Half a list is none.
                let list = list.trim_ascii();
                assert!(
                    venues::instruments(venue, &list[..random.below(list.len())]).is_err(),
                    "half a list"
                );
            }
            Err(error) => {
                said.error(error.code());
                if let DecodeError::MissingField { field } | DecodeError::BadNumber { field, .. } = error {
                    said.ok(field);
                }
            }
        }
    }
}
