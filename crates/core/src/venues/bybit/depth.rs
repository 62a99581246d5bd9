//! Which of the depths of a symbol is its book.

use crate::decode::SymbolText;

/// What a connection has told of one symbol.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Followed {
    /// Levels a side of the book that counts, once its snapshot has come.
    pub(super) depth: Option<u32>,
    /// Snapshots of shallower books since the last message of it.
    passed_over: u8,
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
        let Some(followed) = self.depth.filter(|_| !self.has_ended) else {
            // An update that no snapshot came before shows that one is needed.
            if is_snapshot {
                self.follow(depth, symbol);
            }
            return Counts::Book;
        };
        if depth == followed {
            self.passed_over = 0;
            return Counts::Book;
        }
        match (is_snapshot, depth) {
            (true, depth) if depth > followed => self.follow(depth, symbol),
            (true, 1) => return Counts::Top,
            (true, _) => {
                // Subscribed twice while the deeper one says nothing: that one has ended.
                self.passed_over += 1;
                if self.passed_over < 2 {
                    return Counts::Not;
                }
                self.follow(depth, symbol);
            }
            (false, _) => return Counts::Not,
        }
        Counts::Book
    }

    /// Whether the book that counts is of a depth.
    pub(super) fn is_at(&self, depth: u32) -> bool {
        self.depth == Some(depth) && !self.has_ended
    }

    /// A message of that book came.
    pub(super) const fn heard(&mut self) {
        self.passed_over = 0;
    }

    fn follow(&mut self, depth: u32, symbol: &[u8]) {
        *self = Self { depth: Some(depth), symbol: Some(SymbolText::new(symbol)), ..Self::default() };
    }

    /// Whether a text names the topic of the book that counts.
    pub(super) fn is_named_in(&self, text: &[u8]) -> bool {
        let (Some(depth), Some(symbol)) = (self.depth, self.symbol) else { return false };
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
    fn the_deepest_counts() {
        let mut of = Followed::default();
        for (depth, is_snapshot, counts) in [
            (50, false, Book),
            (1, true, Book),
            (1, true, Book),
            (50, false, Not),
            (50, true, Book),
            (50, false, Book),
            (200, false, Not),
            (1, true, Top),
            (1, true, Top),
            (1, false, Not),
            (200, true, Book),
            (50, true, Not),
            (50, false, Not),
            (200, false, Book),
            (50, true, Not),
            (1, true, Top),
            (50, true, Book),
            (200, false, Not),
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
