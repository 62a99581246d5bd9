//! What a frame of a recording shows of its product and its instrument.

use super::fields::{Field, time_ns};
use super::reader::{Frame, Message};
use crate::decode::leading_digits;
use crate::types::{Events, Routes, TimeNs, Venue};
use crate::venues::room::{Sightings, Sureness};
use crate::venues::value_behind;
use crate::venues::{BINANCE_COINM, BINANCE_SPOT, BINANCE_US, BINANCE_USDM};

/// Notes the instrument of a frame.
///
/// 1. `depthUpdate` without `pu` is spot; with `pu` and `ps` COIN-M; with `pu` alone USDⓈ-M.
/// 2. `bookTicker` without `e` is spot; with `ps` COIN-M; with `e` alone USDⓈ-M.
/// 3. Trades say less and count only for a symbol that nothing else has placed: `M` is spot's; of the rest a symbol
///    with `USD_` (`BTCUSD_PERP`) is COIN-M, any other USDⓈ-M.
/// 4. A snapshot with `symbol` is COIN-M; others name no symbol.
///
/// The simulated venue speaks as spot does and is taken for it.
pub(super) fn sight(is_us: bool, bytes: &[u8], out: &mut Sightings) {
    let mut frame = Frame::new(bytes);
    if frame.read(&Routes::new(), &mut Events::default()).is_err() {
        return;
    }
    let Ok(message) = frame.message() else { return };
    if message == Message::Unused && !frame.has(Field::Type) {
        return;
    }
    out.readable();
    let Some((venue, sureness)) = place(&mut frame, message) else { return };
    // Rule 10 of the room: spot alone, all of whose messages are of the address's host.
    let (venue, sureness) = if is_us { (BINANCE_US, Sureness::Sure) } else { (venue, sureness) };
    let Ok(Some(symbol)) = frame.symbol() else { return };
    if let Ok(symbol) = core::str::from_utf8(symbol) {
        out.add(venue, symbol, sureness);
    }
}

/// The product that a message comes from and whether that is sure.
fn place(frame: &mut Frame<'_>, message: Message) -> Option<(Venue, Sureness)> {
    use Sureness::{Maybe, Sure};
    let futures = if frame.has(Field::Pair) { BINANCE_COINM } else { BINANCE_USDM };
    Some(match message {
        Message::Depth if frame.has(Field::PrevId) => (futures, Sure),
        Message::Bbo if frame.has(Field::Type) => (futures, Sure),
        Message::Depth | Message::Bbo => (BINANCE_SPOT, Sure),
        Message::Snapshot => (BINANCE_COINM, Sure),
        Message::Trade | Message::AggregateTrade if frame.has(Field::BestMatch) => (BINANCE_SPOT, Maybe),
        Message::Trade | Message::AggregateTrade | Message::MarkPrice | Message::Liquidation => {
            let coinm = frame.symbol().ok()??.windows(4).any(|part| part == b"USD_");
            (if coinm { BINANCE_COINM } else { BINANCE_USDM }, Maybe)
        }
        Message::VenueError | Message::Unused => return None,
    })
}

/// The time of a message: its `E`, which is the first or second key of each.
pub(super) fn time(bytes: &[u8]) -> TimeNs {
    let head = bytes.get(..256).unwrap_or(bytes);
    let digits = value_behind::first(head, b"\"E\"").and_then(leading_digits);
    digits.and_then(|(value, _)| time_ns(value)).unwrap_or(0)
}
