//! What is sent: updates of a book as the embedded venue prints them, numbered so that each frame of the feed names its message.
//!
//! Each changes its levels to quantities that they did not have, so each causes exactly one frame of the book's stream.

use std::io::Write;

/// The instrument that they are of.
pub const INSTRUMENT: &str = "sim:BTCUSDT";
/// Number of the first update. All have as many digits, so a number is written in place.
pub const FIRST: u64 = 100_000_000_001;
/// Levels a side of the book.
const LEVELS: u64 = 50;
/// Levels that one update may change.
pub const CHANGES_MAX: u64 = LEVELS;
/// Bodies that are repeated. Not a multiple of the levels, so a level never gets the quantity that it has.
const BODIES: u64 = 257;
const DIGITS: usize = 12;
/// Best prices, in hundredths.
const BEST: [u64; 2] = [6_000_000, 6_000_010];

/// Updates in the venue's text.
#[derive(Debug)]
pub struct Updates {
    bodies: Vec<Body>,
}

#[derive(Debug)]
struct Body {
    bytes: Vec<u8>,
    /// Where its two numbers stand.
    numbers: [usize; 2],
}

impl Updates {
    /// Of so many levels each, 1 to [`CHANGES_MAX`].
    #[must_use]
    pub fn new(changes: u64) -> Self {
        let changes = changes.clamp(1, CHANGES_MAX);
        Self { bodies: (0..BODIES).map(|at| Body::new(at, changes)).collect() }
    }

    /// The answer to a request for the book, on which the first update follows.
    #[must_use]
    pub fn snapshot() -> Vec<u8> {
        let side = |side: usize| {
            let levels = (0..LEVELS).map(|level| {
                let price = price(side, level);
                format!("[\"{}.{:02}000000\",\"9.00000000\"]", price / 100, price % 100)
            });
            levels.collect::<Vec<_>>().join(",")
        };
        let (bids, asks) = (side(0), side(1));
        format!("{{\"lastUpdateId\":{},\"bids\":[{bids}],\"asks\":[{asks}]}}", FIRST - 1).into_bytes()
    }

    /// Hands out an update by its place, from 0.
    pub fn write(&mut self, at: u64, mut to: impl FnMut(&[u8])) {
        let body = &mut self.bodies[(at % BODIES) as usize];
        for from in body.numbers {
            let mut room = &mut body.bytes[from..from + DIGITS];
            // Twelve digits have room in twelve bytes.
            let _ = write!(room, "{}", FIRST + at);
        }
        to(&body.bytes);
    }
}

impl Body {
    fn new(at: u64, changes: u64) -> Self {
        let mut bytes = br#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1767225600000,"s":"BTCUSDT","U":"#.to_vec();
        let mut numbers = [bytes.len(), 0];
        bytes.extend_from_slice(&[b'0'; DIGITS]);
        bytes.extend_from_slice(b",\"u\":");
        numbers[1] = bytes.len();
        bytes.extend_from_slice(&[b'0'; DIGITS]);
        for (side, open) in [(0, ",\"b\":["), (1, "],\"a\":[")] {
            bytes.extend_from_slice(open.as_bytes());
            // The odd one of an odd number is a bid.
            let mine = changes / 2 + (1 - side as u64) * (changes % 2);
            for change in 0..mine {
                let price = price(side, (at * mine + change) % LEVELS);
                let separator = if change == 0 { "" } else { "," };
                let (whole, cents) = (price / 100, price % 100);
                let text =
                    format!("{separator}[\"{whole}.{cents:02}000000\",\"{}.{change:03}00000\"]", 1 + at);
                bytes.extend_from_slice(text.as_bytes());
            }
        }
        bytes.extend_from_slice(b"]}}");
        Self { bytes, numbers }
    }
}

const fn price(side: usize, level: u64) -> u64 {
    if side == 0 { BEST[0] - 10 * level } else { BEST[1] + 10 * level }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::FrameMaker;

    #[test]
    fn each_update_causes_one_frame_that_names_it() {
        for changes in [1, 4, CHANGES_MAX] {
            let mut updates = Updates::new(changes);
            let mut maker = FrameMaker::new().unwrap();
            for at in 0..3 * BODIES {
                let mut named = Vec::new();
                updates.write(at, |bytes| maker.take(bytes, |number, _| named.push(number)).unwrap());
                assert_eq!(named, [FIRST + at], "{changes} changes");
            }
        }
    }

    #[test]
    fn the_levels_are_as_many_as_asked_for() {
        for changes in [1, 3, 50] {
            Updates::new(changes).write(7, |bytes| {
                let text = std::str::from_utf8(bytes).unwrap();
                assert_eq!(text.matches("[\"").count() as u64, changes, "{text}");
                assert!(text.contains("\"U\":100000000008,\"u\":100000000008,"), "{text}");
            });
        }
    }
}
