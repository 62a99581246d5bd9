//! Why bytes are not a message: a stable code for programs, a sentence and a remedy for people.

use core::fmt;

use super::{FRAME_BYTES_MAX, FRAME_LEVELS_MAX, NESTING_MAX, SYMBOL_BYTES_MAX};
use crate::types::{Account, Byte, CATALOGUE_LEN_MAX, DECIMAL_TEXT_LEN_MAX, DecimalError, DefinitionsError};

/// By which of an instrument's exponents a number is scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaled {
    /// By none: a sequence number, a time.
    No,
    /// That of prices.
    Price,
    /// That of quantities.
    Qty,
}

/// Why a frame, a line or a file is refused. `at` is always the offset of the byte concerned, from the frame's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The frame is longer than [`FRAME_BYTES_MAX`].
    FrameTooLarge {
        /// Its bytes.
        len: usize,
    },
    /// The frame ends before its JSON does.
    Truncated {
        /// Where it ends.
        at: u32,
    },
    /// A byte that JSON does not allow there.
    NotJson {
        /// Its offset.
        at: u32,
        /// What may stand there.
        expected: &'static str,
        /// What does.
        got: u8,
    },
    /// Bytes after the message.
    TrailingBytes {
        /// Offset of the first.
        at: u32,
        /// That byte.
        got: u8,
    },
    /// Objects and arrays nested deeper than [`NESTING_MAX`].
    TooDeep {
        /// Where the limit is passed.
        at: u32,
    },
    /// A backslash in a text that is needed; venues print these plain.
    Escaped {
        /// Offset of the text.
        at: u32,
    },
    /// A needed key twice: one of the two would be lost.
    DuplicateField {
        /// Offset of the second value.
        at: u32,
        /// The key.
        field: &'static str,
    },
    /// A needed field whose value is of another JSON type.
    WrongType {
        /// Offset of the value.
        at: u32,
        /// The key.
        field: &'static str,
        /// The type that is meant.
        expected: &'static str,
        /// The type that it has.
        got: &'static str,
    },
    /// A number that is no number, does not fit 64 bits, or is not exact at the instrument's exponent.
    BadNumber {
        /// Offset of the number's text.
        at: u32,
        /// Its key, or which part of a level it is.
        field: &'static str,
        /// What is wrong with it.
        cause: DecimalError,
        /// Whose exponent it is read at.
        scaled: Scaled,
    },
    /// A price of zero.
    ZeroPrice {
        /// Offset of the price.
        at: u32,
    },
    /// A level that is not an array of a price and a quantity.
    BadLevel {
        /// Offset of the level.
        at: u32,
    },
    /// More than [`FRAME_LEVELS_MAX`] levels.
    TooManyLevels {
        /// Offset of the first one too many.
        at: u32,
    },
    /// A message without a field that its type needs.
    MissingField {
        /// The key.
        field: &'static str,
    },
    /// A depth update whose last id is below its first.
    BackwardIds {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
    /// A symbol that the connection does not speak for.
    UnknownSymbol {
        /// The symbol.
        symbol: SymbolText,
    },
    /// Two names of one message that are those of two instruments.
    TwoInstruments {
        /// Offset of the second name.
        at: u32,
        /// Its key.
        field: &'static str,
    },
    /// A symbol longer than [`SYMBOL_BYTES_MAX`].
    SymbolTooLong {
        /// Offset of the symbol.
        at: u32,
        /// Its bytes.
        len: u32,
    },
    /// A snapshot without symbol on a connection of several instruments.
    AmbiguousSnapshot,
    /// The answer to a snapshot request holds something else.
    NotSnapshot,
    /// The answer of a list of instruments holds something else, or the venue's list is not read.
    NotInstruments,
    /// A list of instruments without any.
    NoInstruments,
    /// A list of more instruments than a catalogue holds.
    TooManyInstruments,
    /// A list that has an instrument twice, with different terms.
    InstrumentTwice,
    /// An object of no shape that this venue sends.
    UnknownMessage,
    /// A snapshot that was cut to a depth which nobody has told, and which its levels do not show.
    UnknownDepth {
        /// Levels of its longer side.
        levels: u32,
    },
    /// The venue refused what was asked for, in words.
    Refused {
        /// The first of them.
        text: SymbolText,
    },
    /// The venue answered with an error.
    Venue {
        /// The venue's own code.
        code: i64,
    },
}

impl DecodeError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::FrameTooLarge { .. } => "decode.frame_too_large",
            Self::Truncated { .. } => "decode.truncated",
            Self::NotJson { .. } => "decode.not_json",
            Self::TrailingBytes { .. } => "decode.trailing_bytes",
            Self::TooDeep { .. } => "decode.too_deep",
            Self::Escaped { .. } => "decode.escaped",
            Self::DuplicateField { .. } => "decode.duplicate_field",
            Self::WrongType { .. } => "decode.wrong_type",
            Self::BadNumber { cause: DecimalError::Inexact, .. } => "decode.inexact",
            Self::BadNumber { cause: DecimalError::Overflow, .. } => "decode.overflow",
            Self::BadNumber { cause: DecimalError::Negative, .. } => "decode.negative",
            Self::BadNumber { .. } => "decode.bad_number",
            Self::ZeroPrice { .. } => "decode.zero_price",
            Self::BadLevel { .. } => "decode.bad_level",
            Self::TooManyLevels { .. } => "decode.too_many_levels",
            Self::MissingField { .. } => "decode.missing_field",
            Self::BackwardIds { .. } => "decode.backward_ids",
            Self::UnknownSymbol { .. } => "decode.unknown_symbol",
            Self::TwoInstruments { .. } => "decode.two_instruments",
            Self::SymbolTooLong { .. } => "decode.symbol_too_long",
            Self::AmbiguousSnapshot => "decode.ambiguous_snapshot",
            Self::NotSnapshot => "decode.not_snapshot",
            Self::NotInstruments => "decode.not_instruments",
            Self::NoInstruments => "decode.no_instruments",
            Self::TooManyInstruments => "decode.too_many_instruments",
            Self::InstrumentTwice => "decode.instrument_twice",
            Self::UnknownMessage => "decode.unknown_message",
            Self::UnknownDepth { .. } => "decode.unknown_depth",
            Self::Refused { .. } => "decode.venue_refused",
            Self::Venue { .. } => "decode.venue_error",
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::FrameTooLarge { .. } | Self::TooManyLevels { .. } => {
                "ask the venue for fewer levels, or check that this is a market-data stream"
            }
            Self::Truncated { .. } => {
                "pass whole frames; a recording that ends so was cut and needs a new copy"
            }
            Self::NotJson { .. }
            | Self::TrailingBytes { .. }
            | Self::TooDeep { .. }
            | Self::Escaped { .. }
            | Self::DuplicateField { .. }
            | Self::WrongType { .. }
            | Self::ZeroPrice { .. }
            | Self::BadLevel { .. }
            | Self::MissingField { .. }
            | Self::BackwardIds { .. }
            | Self::TwoInstruments { .. }
            | Self::SymbolTooLong { .. }
            | Self::UnknownMessage => {
                "check that the source is the venue's untouched stream; if it is, keep the frame and report it"
            }
            Self::BadNumber { cause: DecimalError::Inexact, .. } => {
                "give the instrument exponents as fine as the digits the venue prints (--instrument)"
            }
            Self::BadNumber { cause: DecimalError::Overflow, .. } => {
                "give the instrument coarser exponents (--instrument), or check the source for damage"
            }
            Self::BadNumber { .. } => {
                "check the source for damage: a venue prints plain decimals of 0 and above"
            }
            Self::UnknownSymbol { .. } => "add the instrument to the connection, or unsubscribe its stream",
            Self::AmbiguousSnapshot => {
                "hand the snapshot in with its instrument, record the address that was asked, or use one connection an instrument"
            }
            Self::NotSnapshot => "pass the untouched answer of the venue's depth endpoint",
            Self::NotInstruments | Self::NoInstruments => {
                "check the address: it must be the venue's endpoint of instruments; the list of before goes on to count"
            }
            Self::TooManyInstruments => "ask for a part of the list: one product, or what trades only",
            Self::InstrumentTwice => {
                "ask again; where it stays so, keep the answer and report it: the list of before goes on to count"
            }
            Self::UnknownDepth { .. } => {
                "record the acknowledgement of the subscription too: it tells the depth"
            }
            Self::Refused { .. } => {
                "check what was subscribed against the venue's list of instruments and its limits"
            }
            Self::Venue { .. } => {
                "look the code up in the venue's list of errors; below -1000 the request is at fault"
            }
        }
    }

    /// Of a list of instruments that [`Definitions`](crate::types::Definitions) refused.
    #[must_use]
    pub const fn of_list(error: DefinitionsError) -> Self {
        match error {
            DefinitionsError::TooMany => Self::TooManyInstruments,
            DefinitionsError::Contradiction => Self::InstrumentTwice,
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match *self {
            Self::FrameTooLarge { len } => {
                Account::new("frame too large", format_args!("at most {FRAME_BYTES_MAX} bytes"), len)
            }
            Self::Truncated { at } => {
                Account::new("frame ends in the middle", "more JSON", format_args!("its end at byte {at}"))
            }
            Self::NotJson { at, expected, got } => {
                Account::new(format_args!("not JSON at byte {at}"), expected, Byte(got))
            }
            Self::TrailingBytes { at, got } => {
                Account::new(format_args!("bytes after the message at byte {at}"), "its end", Byte(got))
            }
            Self::TooDeep { at } => Account::new(
                format_args!("nested too deep at byte {at}"),
                format_args!("at most {NESTING_MAX} levels"),
                "more",
            ),
            Self::Escaped { at } => Account::new(
                format_args!("escaped text in a needed field at byte {at}"),
                "plain text",
                "a backslash",
            ),
            Self::DuplicateField { at, field } => {
                Account::new(format_args!("field `{field}` repeated at byte {at}"), "it once", "it again")
            }
            Self::WrongType { at, field, expected, got } => {
                Account::new(format_args!("field `{field}` at byte {at}"), expected, got)
            }
            Self::BadNumber { at, field, cause, .. } => bad_number(at, field, cause),
            Self::ZeroPrice { at } => Account::new(format_args!("price at byte {at}"), "above 0", "0"),
            Self::BadLevel { at } => {
                Account::new(format_args!("level at byte {at}"), "[price, quantity]", "something else")
            }
            Self::TooManyLevels { at } => Account::new(
                format_args!("too many levels at byte {at}"),
                format_args!("at most {FRAME_LEVELS_MAX}"),
                "more",
            ),
            Self::MissingField { field } => {
                Account::new("incomplete message", format_args!("field `{field}`"), "none")
            }
            Self::BackwardIds { first, last } => Account::new(
                "update ids run backward",
                format_args!("the last at or above the first, {first}"),
                last,
            ),
            Self::UnknownSymbol { symbol } => {
                Account::new("foreign symbol", "one of the connection's instruments", symbol)
            }
            Self::TwoInstruments { at, field } => Account::new(
                format_args!("message of two instruments: field `{field}` at byte {at}"),
                "the instrument that the message has named",
                "another",
            ),
            Self::SymbolTooLong { at, len } => Account::new(
                format_args!("symbol too long at byte {at}"),
                format_args!("at most {SYMBOL_BYTES_MAX} bytes"),
                len,
            ),
            Self::AmbiguousSnapshot => {
                Account::new("snapshot without symbol", "a connection of one instrument", "several")
            }
            Self::NotSnapshot => Account::new("no snapshot", "a whole book", "another message"),
            Self::NotInstruments => {
                Account::new("no list of instruments", "the venue's list", "another answer")
            }
            Self::NoInstruments => Account::new("empty list of instruments", "at least one", "none"),
            Self::TooManyInstruments => Account::new(
                "list of instruments too long",
                format_args!("at most {CATALOGUE_LEN_MAX}"),
                "more",
            ),
            Self::InstrumentTwice => Account::new(
                "contradictory list of instruments",
                "each once",
                "one twice, with different terms",
            ),
            Self::UnknownMessage => {
                Account::new("unknown message", "a market-data event of the venue", "another object")
            }
            Self::Venue { code } => {
                Account::new("the venue refused", "an answer", format_args!("its error {code}"))
            }
            Self::UnknownDepth { levels } => Account::new(
                "snapshot of unknown depth",
                "a depth that was told",
                format_args!("{levels} levels"),
            ),
            Self::Refused { text } => {
                Account::new("the venue refused", "an answer", format_args!("its words {text}"))
            }
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

impl std::error::Error for DecodeError {}

fn bad_number(at: u32, field: &str, cause: DecimalError) -> Account {
    let what = format_args!("number in `{field}` at byte {at}");
    match cause {
        DecimalError::Empty => Account::new(what, "digits", "none"),
        DecimalError::BadByte(nth) => {
            Account::new(what, "a decimal", format_args!("another character at its byte {nth}"))
        }
        DecimalError::TooLong => {
            Account::new(what, format_args!("at most {DECIMAL_TEXT_LEN_MAX} characters"), "more")
        }
        DecimalError::Overflow => Account::new(what, "a 64-bit value", "a larger one"),
        DecimalError::Inexact => Account::new(what, "no digit below the instrument's exponent", "one"),
        DecimalError::Negative => Account::new(what, "0 or above", "a negative value"),
    }
}

/// A symbol's text by value, so that an error can name it and still be copied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SymbolText {
    len: u8,
    bytes: [u8; SYMBOL_BYTES_MAX],
}

impl SymbolText {
    /// The first [`SYMBOL_BYTES_MAX`] bytes of a text.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        let len = text.len().min(SYMBOL_BYTES_MAX);
        let mut bytes = [0; SYMBOL_BYTES_MAX];
        bytes[..len].copy_from_slice(&text[..len]);
        Self { len: len as u8, bytes }
    }

    /// The text, which may be any bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl serde::Serialize for SymbolText {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.as_bytes().serialize(to)
    }
}

impl<'de> serde::Deserialize<'de> for SymbolText {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Vec::<u8>::deserialize(from).map(|text| Self::new(&text))
    }
}

/// Letters, digits and marks of any script as they are, everything else escaped: a hostile symbol cannot steer a terminal
/// or a log.
impl fmt::Display for SymbolText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |letter: char| letter.is_alphanumeric() || letter.is_ascii_graphic();
        match core::str::from_utf8(self.as_bytes()) {
            Ok(text) if text.chars().all(is_plain) => f.write_str(text),
            _ => write!(f, "{}", self.as_bytes().escape_ascii()),
        }
    }
}

impl fmt::Debug for SymbolText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_says_what_was_expected_and_what_came() {
        let number = |cause| DecodeError::BadNumber { at: 9, field: "p", cause, scaled: Scaled::Price };
        let all = [
            DecodeError::FrameTooLarge { len: 9 },
            DecodeError::Truncated { at: 9 },
            DecodeError::NotJson { at: 9, expected: "a value", got: 0 },
            DecodeError::TrailingBytes { at: 9, got: b'x' },
            DecodeError::TooDeep { at: 9 },
            DecodeError::Escaped { at: 9 },
            DecodeError::DuplicateField { at: 9, field: "u" },
            DecodeError::WrongType { at: 9, field: "u", expected: "a number", got: "null" },
            number(DecimalError::Empty),
            number(DecimalError::Overflow),
            number(DecimalError::Inexact),
            number(DecimalError::Negative),
            DecodeError::ZeroPrice { at: 9 },
            DecodeError::BadLevel { at: 9 },
            DecodeError::TooManyLevels { at: 9 },
            DecodeError::MissingField { field: "u" },
            DecodeError::BackwardIds { first: 2, last: 1 },
            DecodeError::UnknownSymbol { symbol: SymbolText::new(b"X\x1b[2J") },
            DecodeError::TwoInstruments { at: 9, field: "s" },
            DecodeError::SymbolTooLong { at: 9, len: 99 },
            DecodeError::AmbiguousSnapshot,
            DecodeError::NotSnapshot,
            DecodeError::NotInstruments,
            DecodeError::NoInstruments,
            DecodeError::TooManyInstruments,
            DecodeError::InstrumentTwice,
            DecodeError::UnknownMessage,
            DecodeError::UnknownDepth { levels: 9 },
            DecodeError::Refused { text: SymbolText::new(b"X") },
            DecodeError::Venue { code: -1121 },
        ];
        let mut codes: Vec<_> = all.iter().map(DecodeError::code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all.len(), "each has a code of its own");
        for error in all {
            let text = error.to_string();
            assert!(text.contains("expected ") && text.contains(", got "), "{text}");
            assert!(!text.contains('\x1b'), "{text}");
            assert!(error.code().starts_with("decode.") && !error.fix().is_empty());
        }
    }
}
