//! Books and instruments that venues answer requests with, behind a line that names the product and the address.

use depthwire_core::decode::DecodeError;
use depthwire_core::types::{Events, Route, Routes, Slot, Venue};
use depthwire_core::venues::{
    self, ALL, Asked, At, BINANCE_COINM, BINANCE_SPOT, BINANCE_US, BINANCE_USDM, BITSTAMP, BITSTAMP_ORDERS,
    COINBASE_EXCHANGE, DERIBIT, FrameError, GATEIO, GATEIO_DELIVERY, GATEIO_FUTURES, KUCOIN, KUCOIN_FUTURES,
    OKX,
};
use depthwire_sim::dialects::{Frames, all};

use crate::connection::{assert_sane, is_alike, word};
use crate::json::{json_fields, loosened};
use crate::mutate::{Fields, Kind};
use crate::random::Random;
use crate::recorded::{Recordings, recordings, shortened};
use crate::refusals::REFUSALS;
use crate::run::{Said, Target};

/// Where a product is asked for a book; `@` stands for the instrument.
const ADDRESSES: &[(Venue, &str)] = &[
    (BINANCE_SPOT, "https://api.binance.com/api/v3/depth?symbol=@&limit=1000"),
    (BINANCE_USDM, "https://fapi.binance.com/fapi/v1/depth?symbol=@&limit=1000"),
    (BINANCE_COINM, "https://dapi.binance.com/dapi/v1/depth?symbol=@&limit=1000"),
    (BINANCE_US, "https://api.binance.us/api/v3/depth?symbol=@&limit=1000"),
    (BITSTAMP, "https://www.bitstamp.net/api/v2/order_book/@/"),
    (BITSTAMP_ORDERS, "https://www.bitstamp.net/api/v2/order_book/@/?group=2"),
    (COINBASE_EXCHANGE, "https://api.exchange.coinbase.com/products/@/book?level=3"),
    (DERIBIT, "https://www.deribit.com/api/v2/public/get_order_book?instrument_name=@"),
    (GATEIO, "https://api.gateio.ws/api/v4/spot/order_book?currency_pair=@&with_id=true"),
    (GATEIO_FUTURES, "https://api.gateio.ws/api/v4/futures/usdt/order_book?contract=@&with_id=true"),
    (GATEIO_DELIVERY, "https://api.gateio.ws/api/v4/delivery/usdt/order_book?contract=@&with_id=true"),
    (KUCOIN, "https://api.kucoin.com/api/v1/market/orderbook/level2_100?symbol=@"),
    (KUCOIN_FUTURES, "https://api-futures.kucoin.com/api/v1/level2/snapshot?symbol=@"),
    (OKX, "https://www.okx.com/api/v5/market/books?instId=@&sz=400"),
];

/// Answers of venues whose dialect gives none: the instrument, and what is answered for it.
const WRITTEN: &[(Venue, &str, &str)] = &[
    (
        OKX,
        "BTC-USDT",
        r#"{"code":"0","msg":"","data":[{"asks":[["41006.8","0.60038921","0","1"]],"bids":[["41006.3","0.30178218","0","2"]],"ts":"1629966436396","seqId":3235851742}]}"#,
    ),
    (
        DERIBIT,
        "BTC-PERPETUAL",
        r#"{"jsonrpc":"2.0","result":{"timestamp":1654246806027,"instrument_name":"BTC-PERPETUAL","change_id":45305261539,"bids":[[30434.5,600.0]],"asks":[[30435.0,20.0]]},"usIn":1,"usOut":2}"#,
    ),
    (
        DERIBIT,
        "BTC-PERPETUAL",
        r#"{"jsonrpc":"2.0","result":[{"tick_size":0.5,"min_trade_amount":10,"instrument_name":"BTC-PERPETUAL","state":"open"}]}"#,
    ),
    (
        GATEIO,
        "BTC_USDT",
        r#"{"id":123456,"current":1623898993123,"update":1623898993121,"asks":[["1.52","1.151"],["1.53","1.218"]],"bids":[["1.17","201.863"]]}"#,
    ),
    (
        GATEIO_FUTURES,
        "BTC_USDT",
        r#"{"id":123456,"current":1623898993.123,"update":1623898993.121,"asks":[{"p":"1.52","s":100}],"bids":[{"p":"1.17","s":150}]}"#,
    ),
];

/// The slot of a product's only instrument.
const SOLE: Slot = Slot(0);

/// The answers of a product about one instrument.
struct Product {
    venue: Venue,
    code: String,
    answers: Vec<Vec<u8>>,
    /// That instrument alone, and with those of recordings.
    sole: Routes,
    known: Routes,
}

/// One answer.
pub struct Answers {
    products: Vec<Product>,
    events: Events,
    general: Events,
    loose: Vec<u8>,
}

impl Default for Answers {
    fn default() -> Self {
        let mut products: Vec<Product> = Vec::new();
        let mut add = |venue: Venue, code: &str, answer: Vec<u8>| {
            if let Some(known) = products.iter_mut().find(|known| known.venue == venue) {
                return known.answers.push(answer);
            }
            let instrument = venues::instrument(venue, code).unwrap();
            let (mut sole, mut known) = (Routes::new(), Routes::new());
            for routes in [&mut sole, &mut known] {
                let route = Route { slot: SOLE, price_exponent: -8, qty_exponent: -8 };
                assert!(routes.carry(instrument.wire_codes(), route));
            }
            if let Some(recordings) = recordings() {
                recordings.carry(venue, &mut known);
            }
            products.push(Product { venue, code: code.to_owned(), answers: vec![answer], sole, known });
        };
        for (venue, code, answer) in WRITTEN {
            add(*venue, code, answer.as_bytes().to_vec());
        }
        for mut dialect in all(3) {
            let (mut frames, mut answer) = (Frames::new(), Vec::new());
            dialect.open(1_785_552_833_184_216_000, &mut frames);
            for _ in 0..6 {
                dialect.step(u64::MAX, &mut frames);
                if dialect.snapshot(&mut answer) {
                    let venue = venues::from_name(dialect.venue()).unwrap();
                    add(venue, dialect.code(), shortened(&answer).unwrap());
                }
            }
        }
        let (events, general, loose) = Default::default();
        Self { products, events, general, loose }
    }
}

/// What an answer says: all of it, or nothing.
fn read(venue: Venue, asked: &Asked<'_>, answer: &[u8], events: &mut Events) -> Result<(), FrameError> {
    events.clear();
    let read = venues::session(venue).answer(asked, answer, At::default(), events);
    assert!(read.is_ok() || events.mark() == Events::default().mark(), "all or nothing");
    assert_sane(events);
    read
}

impl Target for Answers {
    const NAME: &'static str = "answers";
    const IS_RECORDED: bool = true;

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        let product = random.pick(&self.products);
        out.extend_from_slice(product.venue.name().as_bytes());
        out.push(b' ');
        let address = ADDRESSES.iter().find(|(venue, _)| *venue == product.venue);
        if let Some((_, address)) = address.filter(|_| random.one_in(2)) {
            out.extend_from_slice(address.replace('@', &product.code).as_bytes());
        }
        out.push(b'\n');
        out.extend(random.pick(&product.answers));
    }

    fn other_inputs(&self) -> Vec<Vec<u8>> {
        let of = |product: &Venue| {
            REFUSALS
                .iter()
                .map(|text| [product.name().as_bytes(), b" \n", *text].concat())
                .collect::<Vec<_>>()
        };
        ALL.iter().flat_map(of).collect()
    }

    fn recorded(&self, recordings: &Recordings) -> Vec<Vec<u8>> {
        recordings.answers()
    }

    fn fields(fields: &mut Fields<'_>) {
        let head = fields.bytes.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        fields.note(Kind::Text, 0, head);
        json_fields(fields, head, fields.bytes.len());
    }

    fn check(&mut self, bytes: &[u8], random: &mut Random, said: &mut Said) {
        let Self { products, events, general, loose } = self;
        let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
        let (head, answer) = (&bytes[..end], bytes[end..].strip_prefix(b"\n").unwrap_or_default());
        let (name, url) = head.split_at(head.iter().position(|&byte| byte == b' ').unwrap_or(head.len()));
        let url = url.strip_prefix(b" ").unwrap_or_default();
        let none = Routes::new();
        let Some(venue) = ALL.iter().find(|venue| venue.name().as_bytes() == name).copied() else { return };
        let product = products.iter().find(|product| product.venue == venue);
        let routes =
            product.map_or(&none, |product| if url.is_empty() { &product.sole } else { &product.known });
        let asked = Asked { routes, url };
        let plain = read(venue, &asked, answer, events);
        loosened(answer, loose);
        let spaced = read(venue, &asked, loose, general);
        let code = |read: Result<(), FrameError>| read.map_err(|error| error.code());
        assert_eq!(code(plain), code(spaced), "white space says nothing");
        assert!(is_alike(events, general), "{:?} {:?}", events.list(), general.list());
        said.ok(venue.name());
        match plain {
            Ok(()) => {
                events.list().iter().for_each(|event| said.ok(word(&event.body)));
                let all = [url, b" ", answer].concat().to_ascii_lowercase();
                let is_named = |code: &[u8]| {
                    let code = code.to_ascii_lowercase();
                    all.windows(code.len()).any(|part| part == code)
                };
                for event in events.list() {
                    let mut codes = routes.starting_with(b"").filter(|(_, route)| route.slot == event.slot);
                    let is_known = routes.len() == 1 || codes.any(|(code, _)| is_named(code));
                    assert!(is_known, "of an instrument that nobody has named");
                }
            }
            Err(FrameError::Decode(DecodeError::UnknownSymbol { .. })) => said.error("foreign"),
            Err(error) => {
                said.error(error.code());
                if let FrameError::Decode(
                    DecodeError::MissingField { field } | DecodeError::BadNumber { field, .. },
                ) = error
                {
                    said.ok(field);
                }
            }
        }
        // Half an answer is none.
        let answer = answer.trim_ascii();
        if plain.is_ok() && !events.list().is_empty() {
            let half = read(venue, &asked, &answer[..random.below(answer.len())], general);
            assert!(half.is_err(), "half an answer");
        }
    }
}
