//! What an error says of itself, part by part.

use core::fmt;

/// What is wrong, what was expected and what came instead. Codes and remedies stand beside it: they belong to the kind of
/// error and not to the one that occurred.
///
/// Displayed it reads `what; expected …, got …`, which is the text of every error of this crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What is wrong, and where.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub got: String,
}

impl Account {
    /// An account of these parts.
    #[must_use]
    pub fn new(what: impl fmt::Display, expected: impl fmt::Display, got: impl fmt::Display) -> Self {
        Self { what: what.to_string(), expected: expected.to_string(), got: got.to_string() }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; expected {}, got {}", self.what, self.expected, self.got)
    }
}

/// A byte as an error names it: itself where it can be printed, else in hexadecimal.
pub(crate) struct Byte(pub(crate) u8);

impl fmt::Display for Byte {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_ascii_graphic() {
            write!(f, "'{}'", char::from(self.0))
        } else {
            write!(f, "0x{:02x}", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_put_together_once() {
        let account = Account::new("a line", format_args!("{} bytes", 5), 6);
        assert_eq!(account.to_string(), "a line; expected 5 bytes, got 6");
        assert_eq!((account.expected.as_str(), account.got.as_str()), ("5 bytes", "6"));
    }

    #[test]
    fn a_byte_is_shown_so_that_it_does_no_harm() {
        assert_eq!([Byte(b'a').to_string(), Byte(0x1b).to_string()], ["'a'", "0x1b"]);
    }
}
