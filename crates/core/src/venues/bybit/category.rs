//! Which of the four markets a connection is of.
//!
//! Its address says it. Without one, as in a file of bare frames, some messages show it (rules 8 to 10): trades that are
//! numbered are spot's, those with `L` are of contracts; so are statistics with a mark price and liquidations. The books
//! themselves show nothing that is sure: "Orderbook" notes that spot prints `ts` before `type`, and contracts, but for
//! depth 1, after it, which is no promise. Such a file may be taken for what that note says, and for no more than a guess.

use crate::types::Venue;
use crate::venues::{BYBIT, BYBIT_INVERSE, BYBIT_LINEAR, BYBIT_OPTION};

/// One of the markets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Category {
    Spot,
    Linear,
    Inverse,
    Option,
}

/// What a message shows of its market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Spot,
    /// Linear or inverse, which have no symbol in common.
    Contract,
}

impl Category {
    const ALL: [(Self, Venue, &'static [u8]); 4] = [
        (Self::Spot, BYBIT, b"spot"),
        (Self::Linear, BYBIT_LINEAR, b"linear"),
        (Self::Inverse, BYBIT_INVERSE, b"inverse"),
        (Self::Option, BYBIT_OPTION, b"option"),
    ];

    /// That of a product of the table.
    pub(super) fn of(product: Venue) -> Option<Self> {
        Self::ALL.iter().find(|(_, venue, _)| *venue == product).map(|(category, ..)| *category)
    }

    /// Its product.
    pub(super) fn venue(self) -> Venue {
        Self::ALL.iter().find(|(category, ..)| *category == self).map_or(BYBIT, |(_, venue, _)| *venue)
    }

    /// That of an address such as `wss://stream.bybit.com/v5/public/linear`.
    pub(super) fn of_address(text: &[u8]) -> Option<Self> {
        const PATH: &[u8] = b"/v5/public/";
        let name = text.get(memchr::memmem::find(text, PATH)? + PATH.len()..)?;
        let end = name.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(name.len());
        Self::of_name(&name[..end])
    }

    /// That of the venue's word for it.
    pub(super) fn of_name(name: &[u8]) -> Option<Self> {
        Self::ALL.iter().find(|(.., named)| *named == name).map(|(category, ..)| *category)
    }

    /// That of a symbol in a message which shows so much.
    pub(super) fn of_symbol(symbol: &[u8], shown: Option<Shown>) -> Option<Self> {
        match shown {
            _ if is_option(symbol) => Some(Self::Option),
            Some(Shown::Spot) => Some(Self::Spot),
            Some(Shown::Contract) if is_inverse(symbol) => Some(Self::Inverse),
            Some(Shown::Contract) => Some(Self::Linear),
            None => None,
        }
    }

    /// Whether a message that shows so much may be of it.
    pub(super) const fn is(self, shown: Shown) -> bool {
        matches!(
            (self, shown),
            (Self::Spot, Shown::Spot) | (Self::Linear | Self::Inverse, Shown::Contract) | (Self::Option, _)
        )
    }
}

/// `BTC-27MAR26-70000-P`, or with the coin that it is settled in behind.
fn is_option(symbol: &[u8]) -> bool {
    matches!(symbol.split(|byte| *byte == b'-').nth(3), Some(b"C" | b"P"))
}

/// `BTCUSD`, or with the month and year of delivery, `BTCUSDU26`.
fn is_inverse(symbol: &[u8]) -> bool {
    symbol.ends_with(b"USD")
        || matches!(symbol, [.., b'U', b'S', b'D', month, tens, ones]
            if month.is_ascii_uppercase() && tens.is_ascii_digit() && ones.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_it() {
        for (address, category) in [
            ("wss://stream.bybit.com/v5/public/linear", Some(Category::Linear)),
            ("wss://stream.bybit.com/v5/public/spot?x=1", Some(Category::Spot)),
            ("wss://stream-testnet.bybit.com/v5/public/inverse", Some(Category::Inverse)),
            ("wss://stream.bybit.com/v5/public/option/", Some(Category::Option)),
            ("wss://stream.bybit.com/v5/public/spread", None),
            ("wss://stream.bybit.com/v5/private", None),
            ("{\"op\":\"subscribe\",\"args\":[\"tickers.BTCUSDT\"]}", None),
        ] {
            assert_eq!(Category::of_address(address.as_bytes()), category, "{address}");
        }
    }

    #[test]
    fn a_symbol_says_the_rest() {
        use Shown::{Contract, Spot};
        for (symbol, shown, category) in [
            ("BTC-27MAR26-70000-P-USDT", None, Some(Category::Option)),
            ("SOL-28APR23-30-C", Some(Contract), Some(Category::Option)),
            ("BTC-26DEC25", Some(Contract), Some(Category::Linear)),
            ("BTCUSDT", Some(Contract), Some(Category::Linear)),
            ("BTCUSDT", Some(Spot), Some(Category::Spot)),
            ("BTCUSDT", None, None),
            ("BTCUSDT-26DEC25", Some(Contract), Some(Category::Linear)),
            ("BTCPERP", Some(Contract), Some(Category::Linear)),
            ("BTCUSD", Some(Contract), Some(Category::Inverse)),
            ("BTCUSDU26", Some(Contract), Some(Category::Inverse)),
        ] {
            assert_eq!(Category::of_symbol(symbol.as_bytes(), shown), category, "{symbol}");
        }
    }
}
