//! Which of the depths of a symbol is its book.

use crate::decode::SymbolText;
use crate::venues::deepest::Deepest;

/// What a connection has told of one symbol.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Followed {
    deepest: Deepest,
    /// Whether it was unsubscribed.
    pub(super) has_ended: bool,
    symbol: Option<SymbolText>,
}

/// What a message of a depth is to the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    /// It is of the book.
    Book,
    /// It is of the best prices beside it.
    Top,
    /// It is of another subscription.
    Not,
}

impl Followed {
    /// Judges a message of a depth.
    pub(super) fn judge(&mut self, depth: u32, is_snapshot: bool, symbol: &[u8]) -> Counts {
        if self.has_ended {
            // Nothing is followed until the next snapshot.
            if !is_snapshot {
                return Counts::Book;
            }
            *self = Self::default();
        }
        if is_snapshot && depth == 1 && self.depth().is_some_and(|followed| followed > 1) {
            return Counts::Top;
        }
        if !self.deepest.counts(depth, is_snapshot) {
            return Counts::Not;
        }
        if is_snapshot {
            self.symbol = Some(SymbolText::new(symbol));
        }
        Counts::Book
    }

    /// Levels a side of the book that counts, once its snapshot has come.
    pub(super) const fn depth(&self) -> Option<u32> {
        self.deepest.depth()
    }

    /// Whether the book that counts is of a depth.
    pub(super) fn is_at(&self, depth: u32) -> bool {
        self.depth() == Some(depth) && !self.has_ended
    }

    /// An update of that book came.
    pub(super) fn heard(&mut self, depth: u32) {
        self.deepest.counts(depth, false);
    }

    /// Whether a text names the topic of the book that counts.
    pub(super) fn is_named_in(&self, text: &[u8]) -> bool {
        let (Some(depth), Some(symbol)) = (self.depth(), self.symbol) else { return false };
        memchr::memmem::find_iter(text, b"orderbook.").any(|at| {
            let topic = text.get(at + b"orderbook.".len()..).unwrap_or_default();
            let topic = topic.split(|byte| *byte == b'"').next().unwrap_or_default();
            let point = memchr::memchr(b'.', topic).unwrap_or(topic.len());
            of_text(&topic[..point]) == Some(depth) && topic.get(point + 1..) == Some(symbol.as_bytes())
        })
    }
}

/// The depth of a topic. `None` for a word, which is that of another kind of book.
pub(super) fn of_text(text: &[u8]) -> Option<u32> {
    match crate::decode::leading_digits(text) {
        Some((depth, len)) if len == text.len() && len > 0 => {
            u32::try_from(depth).ok().filter(|depth| *depth > 0)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Counts::{Book, Not, Top};
    use super::*;

    #[test]
    fn depth_1_beside_a_deeper_one_is_the_top() {
        let mut of = Followed::default();
        for (depth, is_snapshot, counts) in [
            (1, true, Book),
            (1, true, Book),
            (50, true, Book),
            (1, true, Top),
            (1, true, Top),
            (1, false, Not),
            (50, false, Book),
        ] {
            assert_eq!(of.judge(depth, is_snapshot, b"BTCUSDT"), counts, "{depth} {is_snapshot} {of:?}");
        }
        assert!(
            of.is_named_in(b"{\"op\":\"unsubscribe\",\"args\":[\"tickers.X\",\"orderbook.50.BTCUSDT\"]}")
        );
        assert!(!of.is_named_in(b"{\"op\":\"unsubscribe\",\"args\":[\"orderbook.200.BTCUSDT\"]}"));
        assert!(!of.is_named_in(b"{\"op\":\"unsubscribe\",\"args\":[\"orderbook.50.BTCUSDTX\"]}"));
    }

    #[test]
    fn other_books_have_no_depth() {
        for (text, depth) in [
            ("1", Some(1)),
            ("1000", Some(1_000)),
            ("rpi", None),
            ("full", None),
            ("", None),
            ("0", None),
            ("5x", None),
        ] {
            assert_eq!(of_text(text.as_bytes()), depth, "{text}");
        }
    }
}
