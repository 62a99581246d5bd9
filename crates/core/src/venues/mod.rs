//! The table of venues: one block each makes its number, its names and its connections. Nothing else lists venues.

mod binance;
mod bitfinex;
mod bitget;
mod bitmex;
mod bitstamp;
mod bybit;
mod coinbase;
mod coinbase_exchange;
mod consolidated;
mod databento;
mod deepest;
mod deribit;
mod entry;
mod error;
mod gateio;
mod hyperliquid;
mod kraken;
mod kraken_futures;
mod kucoin;
mod lighter;
mod nasdaq;
mod okx;
mod plain_list;
mod room;
#[cfg(test)]
mod scale_tests;
mod two_names;
mod value_behind;

pub use error::FrameError;
pub use room::{
    Asked, At, Checksum, Detection, Leave, Life, Numbers, OrderIds, Product, Resync, Room, SIGHTINGS_MAX,
    Scale, Sightings, Sureness, TradeIds,
};

use serde_json::Value;

use crate::decode::{DecodeError, INSTRUMENTS_BYTES_MAX};
use crate::types::{
    Catalogue, Definitions, Events, Instrument, InstrumentError, OrderChange, Routes, ScaleSource, Slot,
    TimeNs, Venue, is_symbol,
};

/// Above all of the table.
const CONSOLIDATED_NUMBER: u8 = 255;

/// `consolidated`: where the engine's own books of several venues stand. No source brings it, so it is not in [`ALL`].
pub const CONSOLIDATED: Venue = Venue::new(CONSOLIDATED_NUMBER, "consolidated");

/// Makes the table. A block: the room of a venue, and a line for each of its products: constant, number, name, product.
macro_rules! venues {
    ($($variant:ident($module:ident::$room:ident) {
        $($constant:ident = $number:literal $name:literal: $product:expr;)+
    })+) => {
        $($(
            #[doc = concat!("`", $name, "`.")]
            pub const $constant: Venue = Venue::new($number, $name);
        )+)+

        /// Every venue, in the order of the table.
        pub const ALL: &[Venue] = &[$($($constant),+),+];

        /// What the table says of a venue.
        #[must_use]
        pub const fn product(venue: Venue) -> &'static Product {
            match venue.number() {
                $($($number => &$product,)+)+
                CONSOLIDATED_NUMBER => &consolidated::BOOKS,
                _ => &binance::SPOT,
            }
        }

        /// A connection to a venue: its room's memory.
        #[derive(Debug)]
        pub enum Session {
            $(
                #[doc = concat!("Of `", stringify!($module), "`.")]
                $variant(Box<$module::$room>),
            )+
        }

        /// A new connection to a venue.
        #[must_use]
        pub fn session(venue: Venue) -> Session {
            match venue.number() {
                $($(n if n == $number => Session::$variant(Box::new($module::$room::of(venue))),)+)+
                _ => Session::Binance(Box::default()),
            }
        }

        /// One connection to each room, for recordings that do not say whose they are.
        #[must_use]
        pub fn every_session() -> Vec<Session> {
            vec![$(Session::$variant(Box::default())),+]
        }

        impl Session {
            /// [`Room::frame`].
            ///
            /// # Errors
            /// As there.
            #[inline]
            pub fn frame(
                &mut self,
                bytes: &[u8],
                at: At,
                routes: &Routes,
                out: &mut Events,
            ) -> Result<(), FrameError> {
                match self {
                    $(Self::$variant(room) => room.frame(bytes, at, routes, out),)+
                }
            }

            /// [`Room::answer`].
            ///
            /// # Errors
            /// As there.
            pub fn answer(
                &mut self,
                asked: &Asked<'_>,
                bytes: &[u8],
                at: At,
                out: &mut Events,
            ) -> Result<(), FrameError> {
                match self {
                    $(Self::$variant(room) => room.answer(asked, bytes, at, out),)+
                }
            }

            /// [`Room::opened`].
            pub fn opened(&mut self, at: At, out: &mut Events) {
                match self {
                    $(Self::$variant(room) => room.opened(at, out),)+
                }
            }

            /// [`Room::asked`].
            pub fn asked(&mut self, text: &[u8]) {
                match self {
                    $(Self::$variant(room) => room.asked(text),)+
                }
            }

            /// [`Room::began`].
            pub fn began(&mut self, at: At, out: &mut Events) {
                match self {
                    $(Self::$variant(room) => room.began(at, out),)+
                }
            }

            /// [`Room::skipped`].
            pub fn skipped(&mut self, at: At, out: &mut Events) {
                match self {
                    $(Self::$variant(room) => room.skipped(at, out),)+
                }
            }

            /// [`Room::tick`].
            pub fn tick(&mut self, at: At, routes: &Routes, out: &mut Events) {
                match self {
                    $(Self::$variant(room) => room.tick(at, routes, out),)+
                }
            }

            /// [`Room::reply`].
            #[inline]
            pub fn reply(&self, out: &mut Vec<u8>) -> bool {
                match self {
                    $(Self::$variant(room) => room.reply(out),)+
                }
            }

            /// [`Room::leave`].
            #[must_use]
            pub fn leave(&self, slot: Slot, what: Leave, nth: usize, out: &mut Vec<u8>) -> bool {
                match self {
                    $(Self::$variant(room) => room.leave(slot, what, nth, out),)+
                }
            }

            /// [`Room::hint`].
            #[inline]
            #[must_use]
            pub fn hint(&self, bytes: &[u8]) -> Option<(Slot, OrderChange)> {
                match self {
                    $(Self::$variant(room) => room.hint(bytes),)+
                }
            }

            /// [`Room::kept`].
            #[must_use]
            pub fn kept(&self) -> Option<Value> {
                match self {
                    $(Self::$variant(room) => room.kept(),)+
                }
            }

            /// [`Room::restored`]. False where it stays as it is.
            pub fn restore(&mut self, product: Venue, kept: Value) -> bool {
                match self {
                    $(Self::$variant(room) => match Room::restored(product, kept) {
                        Some(restored) => {
                            **room = restored;
                            true
                        }
                        None => false,
                    },)+
                }
            }

            /// [`Room::time`].
            #[inline]
            #[must_use]
            pub fn time(&self, frame: &[u8]) -> TimeNs {
                match self {
                    $(Self::$variant(_) => $module::$room::time(frame),)+
                }
            }

            /// [`Room::sight`].
            pub fn sight(&mut self, frame: &[u8], out: &mut Sightings) {
                match self {
                    $(Self::$variant(room) => room.sight(frame, out),)+
                }
            }
        }

        /// The instruments of every room's table.
        #[must_use]
        pub fn catalogue() -> Catalogue {
            let mut catalogue = Catalogue::default();
            $(
                for instrument in $module::listed() {
                    let added = catalogue.add(instrument);
                    debug_assert!(added.is_ok());
                }
            )+
            catalogue
        }

        /// [`Room::instruments`], of the list without escaped letters.
        ///
        /// # Errors
        /// As there, with offsets in that list; [`DecodeError::FrameTooLarge`] above [`INSTRUMENTS_BYTES_MAX`], [`DecodeError::NoInstruments`] for a
        /// list without any.
        pub fn instruments(venue: Venue, bytes: &[u8]) -> Result<Definitions, DecodeError> {
            if bytes.len() > INSTRUMENTS_BYTES_MAX {
                return Err(DecodeError::FrameTooLarge { len: bytes.len() });
            }
            let (mut definitions, list) = (Definitions::default(), plain_list::plain(bytes));
            let bytes = &*list;
            match venue.number() {
                $($(n if n == $number => $module::$room::instruments(venue, bytes, &mut definitions)?,)+)+
                _ => return Err(DecodeError::NotInstruments),
            }
            if definitions.list().is_empty() { Err(DecodeError::NoInstruments) } else { Ok(definitions) }
        }

        /// The instrument that a venue means by a symbol or by any of its codes, at the scale of the venue's messages.
        ///
        /// # Errors
        /// [`InstrumentError::Symbol`] when the symbol breaks the grammar.
        pub fn instrument(venue: Venue, symbol: &str) -> Result<Instrument, InstrumentError> {
            if !is_symbol(symbol) {
                return Err(InstrumentError::Symbol);
            }
            Ok(match venue.number() {
                $($(n if n == $number => $module::instrument(venue, symbol),)+)+
                _ => product(venue).scale.instrument(venue, symbol),
            })
        }
    };
}

venues! {
    Binance(binance::Binance) {
        BINANCE_SPOT = 1 "binance": binance::SPOT;
        BINANCE_USDM = 2 "binance-usdm": binance::FUTURES;
        BINANCE_COINM = 3 "binance-coinm": binance::INVERSE;
        SIM = 4 "sim": binance::SPOT;
        BINANCE_US = 5 "binance-us": binance::US;
    }
    Nasdaq(nasdaq::Nasdaq) {
        NASDAQ = 6 "nasdaq": nasdaq::EQUITIES;
    }
    Databento(databento::Databento) {
        DATABENTO = 7 "databento": databento::ORDERS;
    }
    Kraken(kraken::Kraken) { KRAKEN = 8 "kraken": kraken::SPOT; }
    Bybit(bybit::Bybit) {
        BYBIT = 9 "bybit": bybit::SPOT;
        BYBIT_LINEAR = 10 "bybit-linear": bybit::LINEAR;
        BYBIT_INVERSE = 11 "bybit-inverse": bybit::INVERSE;
        BYBIT_OPTION = 12 "bybit-option": bybit::OPTION;
    }
    Bitfinex(bitfinex::Bitfinex) { BITFINEX = 13 "bitfinex": bitfinex::PAIRS; }
    Coinbase(coinbase::Coinbase) { COINBASE = 14 "coinbase": coinbase::ADVANCED; }
    Deribit(deribit::Deribit) { DERIBIT = 15 "deribit": deribit::ALL; }
    Lighter(lighter::Lighter) { LIGHTER = 16 "lighter": lighter::MARKETS; }
    Hyperliquid(hyperliquid::Hyperliquid) { HYPERLIQUID = 17 "hyperliquid": hyperliquid::COINS; }
    Okx(okx::Okx) { OKX = 18 "okx": okx::ALL; }
    Gateio(gateio::Gateio) {
        GATEIO = 19 "gateio": gateio::SPOT;
        GATEIO_FUTURES = 20 "gateio-futures": gateio::FUTURES;
        GATEIO_DELIVERY = 31 "gateio-delivery": gateio::DELIVERY;
    }
    CoinbaseExchange(coinbase_exchange::CoinbaseExchange) {
        COINBASE_EXCHANGE = 21 "coinbase-exchange": coinbase_exchange::ORDERS;
    }
    Bitstamp(bitstamp::Bitstamp) {
        BITSTAMP = 22 "bitstamp": bitstamp::PAIRS;
        BITSTAMP_ORDERS = 32 "bitstamp-orders": bitstamp::ORDERS;
    }
    KrakenFutures(kraken_futures::KrakenFutures) {
        KRAKEN_FUTURES = 23 "kraken-futures": kraken_futures::CONTRACTS;
    }
    Bitget(bitget::Bitget) {
        BITGET = 24 "bitget": bitget::ALL;
        BITGET_USDT_FUTURES = 25 "bitget-usdt-futures": bitget::ALL;
        BITGET_USDC_FUTURES = 26 "bitget-usdc-futures": bitget::ALL;
        BITGET_COIN_FUTURES = 27 "bitget-coin-futures": bitget::ALL;
    }
    Bitmex(bitmex::Bitmex) { BITMEX = 28 "bitmex": bitmex::CONTRACTS; }
    Kucoin(kucoin::Kucoin) {
        KUCOIN = 29 "kucoin": kucoin::SPOT;
        KUCOIN_FUTURES = 30 "kucoin-futures": kucoin::FUTURES;
    }
}

/// The venue of that name.
#[must_use]
pub fn from_name(name: &str) -> Option<Venue> {
    ALL.iter().copied().find(|venue| venue.name() == name)
}

/// Splits `venue:symbol`.
///
/// # Errors
/// [`InstrumentError::Grammar`] without a colon, [`InstrumentError::UnknownVenue`] for a venue that is not here.
pub fn split_name(name: &str) -> Result<(Venue, &str), InstrumentError> {
    let (venue, symbol) = name.split_once(':').ok_or(InstrumentError::Grammar)?;
    Ok((from_name(venue).ok_or(InstrumentError::UnknownVenue)?, symbol))
}

/// Whether an instrument's exponents are those that its venue's format fixes, where it fixes them.
///
/// # Errors
/// [`InstrumentError::FixedScale`].
pub fn check_scale(instrument: &Instrument) -> Result<(), InstrumentError> {
    let scale = product(instrument.venue).scale;
    let is_fixed = scale.source == ScaleSource::Format;
    let is_same =
        (instrument.price_exponent, instrument.qty_exponent) == (scale.price_exponent, scale.qty_exponent);
    if is_fixed && !is_same { Err(InstrumentError::FixedScale) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_split_and_print_alike() {
        let catalogue = catalogue();
        for (id, instrument) in catalogue.iter() {
            let name = instrument.to_string();
            let (venue, symbol) = split_name(&name).unwrap();
            assert_eq!(catalogue.find(venue, symbol), Some(id));
        }
        assert_eq!(split_name("BTCUSDT"), Err(InstrumentError::Grammar));
        assert_eq!(split_name("nyse:IBM"), Err(InstrumentError::UnknownVenue));
    }

    #[test]
    fn the_table_is_sane() {
        let numbers: std::collections::BTreeSet<_> = ALL.iter().map(|venue| venue.number()).collect();
        assert!(numbers.into_iter().eq(1..=ALL.len() as u8), "numbers run on, and none is given twice");
        for venue in ALL {
            assert_eq!(from_name(venue.name()), Some(*venue));
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            assert!(venue.name().bytes().all(is_plain), "{venue:?}");
        }
        assert_eq!(from_name(CONSOLIDATED.name()), None, "no source brings what the engine makes itself");
        assert!(ALL.iter().all(|venue| *venue != CONSOLIDATED));
    }

    #[test]
    fn what_a_format_fixes_is_not_relabelled() {
        let mut instrument = instrument(DATABENTO, "ESH4").unwrap();
        assert_eq!(check_scale(&instrument), Ok(()));
        instrument.price_exponent = -2;
        assert_eq!(check_scale(&instrument), Err(InstrumentError::FixedScale));
    }
}
