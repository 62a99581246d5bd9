//! Which instruments a recording holds, told from its first messages.

use super::binance::{Field, Frame, Message};
use super::{DecodeError, LineFramer, Listing, Listings};
use crate::types::{Levels, Venue};

/// Bytes of a recording that are looked at.
pub const DETECT_BYTES_MAX: usize = 4 << 20;

/// Most instruments that are told apart.
pub const DETECT_LEN_MAX: usize = 1_024;

/// The distinct instruments whose streams a recording holds, in order of first sight, judged by its first
/// [`DETECT_BYTES_MAX`] bytes. Empty when no message names one.
///
/// 1. `depthUpdate` without `pu` is spot; with `pu` and `ps` COIN-M; with `pu` alone USDⓈ-M.
/// 2. `bookTicker` without `e` is spot; with `ps` COIN-M; with `e` alone USDⓈ-M.
/// 3. Trades say less and count only for a symbol that nothing else has placed: `M` is spot's; of the rest a symbol
///    with `USD_` (`BTCUSD_PERP`) is COIN-M, any other USDⓈ-M.
/// 4. A snapshot with `symbol` is COIN-M; others name no symbol.
///
/// The simulated venue speaks as spot does and is taken for it. Lines that cannot be read are passed over. Cost: one
/// pass over the bytes, and a search through the instruments found so far for each line.
///
/// # Errors
/// [`DecodeError::EmptyRecording`] for nothing but white space, [`DecodeError::NotRecording`] when no line is one of a
/// recording, [`DecodeError::TooManySymbols`] beyond [`DETECT_LEN_MAX`].
pub fn detect(bytes: &[u8]) -> Result<Vec<(Venue, String)>, DecodeError> {
    let bytes = bytes.get(..DETECT_BYTES_MAX).unwrap_or(bytes);
    let Some(&got) = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) else {
        return Err(DecodeError::EmptyRecording);
    };
    let mut sightings: Vec<Sighting> = Vec::new();
    let mut readable = false;
    let mut levels = Levels::default();
    for line in LineFramer::default().finish(bytes) {
        let Ok((_, payload)) = line.frame else { continue };
        let mut frame = Frame::new(payload);
        if frame.read(&Nothing, &mut levels).is_err() {
            continue;
        }
        readable = true;
        let Some((venue, sure)) = place(&frame) else { continue };
        let Ok(Some(symbol)) = frame.symbol() else { continue };
        let Ok(symbol) = core::str::from_utf8(symbol) else { continue };
        match sightings.iter().position(|seen| seen.venue == venue && seen.symbol == symbol) {
            Some(index) => sightings[index].sure |= sure,
            None if sightings.len() == DETECT_LEN_MAX => return Err(DecodeError::TooManySymbols),
            None => sightings.push(Sighting { venue, symbol: symbol.to_owned(), sure }),
        }
    }
    if !readable {
        return Err(DecodeError::NotRecording { got });
    }
    let placed: Vec<String> =
        sightings.iter().filter(|seen| seen.sure).map(|seen| seen.symbol.clone()).collect();
    sightings.retain(|seen| seen.sure || !placed.contains(&seen.symbol));
    Ok(sightings.into_iter().map(|seen| (seen.venue, seen.symbol)).collect())
}

struct Sighting {
    venue: Venue,
    symbol: String,
    /// Whether more than a guess from a trade stands behind it.
    sure: bool,
}

/// The venue that a message comes from and whether that is sure.
fn place(frame: &Frame<'_>) -> Option<(Venue, bool)> {
    let futures = if frame.has(Field::Pair) { Venue::BinanceCoinm } else { Venue::BinanceUsdm };
    Some(match frame.message().ok()? {
        Message::Depth if frame.has(Field::PrevId) => (futures, true),
        Message::Ticker if frame.has(Field::Type) => (futures, true),
        Message::Depth | Message::Ticker => (Venue::BinanceSpot, true),
        Message::Snapshot => (Venue::BinanceCoinm, true),
        Message::Trade | Message::AggregateTrade if frame.has(Field::BestMatch) => {
            (Venue::BinanceSpot, false)
        }
        Message::Trade | Message::AggregateTrade => {
            let coinm = frame.symbol().ok()??.windows(4).any(|part| part == b"USD_");
            (if coinm { Venue::BinanceCoinm } else { Venue::BinanceUsdm }, false)
        }
        Message::VenueError | Message::Unused => return None,
    })
}

/// No instrument is known yet, so no levels are read.
struct Nothing;

impl Listings for Nothing {
    fn find(&self, _symbol: &[u8]) -> Option<Listing> {
        None
    }

    fn sole(&self) -> Option<Listing> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPOT_DEPTH: &str = r#"{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":2,"b":[["1","1"]],"a":[]}"#;
    const USDM_DEPTH: &str =
        r#"{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSDT","U":1,"u":2,"pu":0,"b":[],"a":[]}"#;
    const COINM_DEPTH: &str =
        r#"{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSD_PERP","ps":"BTCUSD","U":1,"u":2,"pu":0,"b":[],"a":[]}"#;
    const SPOT_TICKER: &str = r#"{"u":1,"s":"ETHUSDT","b":"1","B":"1","a":"2","A":"1"}"#;
    const USDM_TICKER: &str =
        r#"{"e":"bookTicker","u":1,"s":"ETHUSDT","b":"1","B":"1","a":"2","A":"1","T":1,"E":1}"#;
    const COINM_TICKER: &str =
        r#"{"u":1,"e":"bookTicker","s":"ETHUSD_PERP","ps":"ETHUSD","b":"1","B":"1","a":"2","A":"1"}"#;
    const SPOT_TRADE: &str = r#"{"e":"trade","s":"BTCUSDT","t":1,"p":"1","q":"1","T":1,"m":true,"M":true}"#;
    const USDM_TRADE: &str =
        r#"{"e":"trade","s":"BTCUSDT_250328","t":1,"p":"1","q":"1","X":"MARKET","m":true}"#;
    const COINM_TRADE: &str = r#"{"e":"aggTrade","s":"BTCUSD_PERP","a":1,"p":"1","q":"1","T":1,"m":true}"#;
    const SNAPSHOT: &str = r#"{"lastUpdateId":1,"bids":[],"asks":[]}"#;
    const COINM_SNAPSHOT: &str =
        r#"{"lastUpdateId":1,"symbol":"BTCUSD_PERP","pair":"BTCUSD","bids":[],"asks":[]}"#;

    fn found(messages: &[&str]) -> Result<String, &'static str> {
        let text: String = messages.iter().map(|message| format!("1 {message}\n")).collect();
        names(text.as_bytes())
    }

    fn names(bytes: &[u8]) -> Result<String, &'static str> {
        let list = detect(bytes).map_err(|error| error.code())?;
        Ok(list
            .iter()
            .map(|(venue, symbol)| format!("{}:{symbol}", venue.name()))
            .collect::<Vec<_>>()
            .join(" "))
    }

    #[test]
    fn places_each_message_by_its_fields() {
        let combined = format!(r#"{{"stream":"btcusdt@depth@100ms","data":{SPOT_DEPTH}}}"#);
        for (messages, names) in [
            (&[SPOT_DEPTH][..], "binance:BTCUSDT"),
            (&[combined.as_str()], "binance:BTCUSDT"),
            (&[USDM_DEPTH], "binance-usdm:BTCUSDT"),
            (&[COINM_DEPTH], "binance-coinm:BTCUSD_PERP"),
            (&[SPOT_TICKER], "binance:ETHUSDT"),
            (&[USDM_TICKER], "binance-usdm:ETHUSDT"),
            (&[COINM_TICKER], "binance-coinm:ETHUSD_PERP"),
            (&[SPOT_TRADE], "binance:BTCUSDT"),
            (&[USDM_TRADE], "binance-usdm:BTCUSDT_250328"),
            (&[COINM_TRADE], "binance-coinm:BTCUSD_PERP"),
            (&[COINM_SNAPSHOT], "binance-coinm:BTCUSD_PERP"),
            (&[SNAPSHOT], ""),
            (&[SPOT_TRADE, USDM_DEPTH], "binance-usdm:BTCUSDT"),
            (&[SPOT_DEPTH, USDM_DEPTH, SPOT_DEPTH], "binance:BTCUSDT binance-usdm:BTCUSDT"),
            (&["{broken", SPOT_TICKER, SPOT_DEPTH], "binance:ETHUSDT binance:BTCUSDT"),
        ] {
            assert_eq!(found(messages), Ok(names.to_owned()), "{messages:?}");
        }
    }

    #[test]
    fn a_cut_last_line_does_not_matter() {
        let text = format!("1 {SPOT_DEPTH}\n2 {USDM_DEPTH}");
        assert_eq!(names(&text.as_bytes()[..text.len() - 9]), Ok("binance:BTCUSDT".to_owned()));
    }

    #[test]
    fn foreign_and_empty_files_are_named() {
        for (bytes, code) in [
            (&b""[..], "decode.empty_recording"),
            (b" \n\r\n ", "decode.empty_recording"),
            (b"\x1f\x8b\x08\x00\x00", "decode.not_recording"),
            (b"{\"e\":\"depthUpdate\"}\n", "decode.not_recording"),
            (b"time,price\n1,2\n", "decode.not_recording"),
            (b"12 lines of text\n13 more\n", "decode.not_recording"),
            (&[0; 4096], "decode.not_recording"),
        ] {
            assert_eq!(names(bytes), Err(code), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn the_list_is_bounded() {
        let ticker = |n: usize| format!("1 {}\n", SPOT_TICKER.replace("ETHUSDT", &format!("S{n}")));
        let text: String = (0..DETECT_LEN_MAX).map(ticker).collect();
        assert_eq!(detect(text.as_bytes()).map(|list| list.len()), Ok(DETECT_LEN_MAX));
        let text: String = (0..=DETECT_LEN_MAX).map(ticker).collect();
        assert_eq!(detect(text.as_bytes()), Err(DecodeError::TooManySymbols));
    }
}
