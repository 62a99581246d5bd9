//! Messages that name their instrument twice: in what was subscribed, and beside what is said of it.
//!
//! Two names that are those of two instruments contradict each other. Whose the message is nobody knows, so it is
//! applied to neither, and what it would have changed of a book is lost to both.

use crate::decode::json::{Kind, Scanner, Token, unescape};
use crate::decode::members::{members, text};
use crate::decode::{DecodeError, SYMBOL_BYTES_MAX, SymbolText};
use crate::types::{Events, Route, Routes, Scope};

/// One name of a message.
#[derive(Clone, Copy)]
pub(super) struct FirstName<'a> {
    /// It.
    pub(super) name: &'a [u8],
    /// Whether the message may change a book.
    pub(super) is_book: bool,
}

impl FirstName<'_> {
    /// That the second name of the message, where there is one, is that of the same instrument.
    ///
    /// # Errors
    /// [`DecodeError::TwoInstruments`]; [`DecodeError::UnknownSymbol`] where neither is carried.
    #[inline]
    pub(super) fn agrees(
        self,
        second: Token,
        bytes: &[u8],
        field: &'static str,
        routes: &Routes,
        out: &mut Events,
    ) -> Result<(), DecodeError> {
        let is_same =
            second.kind == Kind::Absent || (second.kind == Kind::String && second.of(bytes) == self.name);
        if is_same { Ok(()) } else { self.differs(second, bytes, field, routes, out) }
    }

    #[cold]
    fn differs(
        self,
        second: Token,
        bytes: &[u8],
        field: &'static str,
        routes: &Routes,
        out: &mut Events,
    ) -> Result<(), DecodeError> {
        let mut plain = [0; SYMBOL_BYTES_MAX];
        let other = match second.kind {
            Kind::EscapedString => unescape(second.of(bytes), &mut plain)
                .map_err(|_| DecodeError::Escaped { at: second.start })?,
            _ => text(second, bytes, field)?,
        };
        if other == self.name {
            return Ok(());
        }
        self.contradicts(routes.find(self.name), routes.find(other), (second, field), out)
    }

    /// The same of two names that have led somewhere, or nowhere.
    pub(super) fn contradicts(
        self,
        first: Option<Route>,
        second: Option<Route>,
        (at, field): (Token, &'static str),
        out: &mut Events,
    ) -> Result<(), DecodeError> {
        let scope = match (first, second) {
            (Some(first), Some(second)) if first.slot == second.slot => return Ok(()),
            (Some(_), Some(_)) => Scope::All,
            (Some(one), None) | (None, Some(one)) => Scope::Book(one.slot),
            (None, None) => {
                return Err(DecodeError::UnknownSymbol { symbol: SymbolText::new(self.name) });
            }
        };
        if self.is_book {
            out.concerns(scope);
        }
        Err(DecodeError::TwoInstruments { at: at.start, field })
    }

    /// Why a message whose first name is not carried is not read: it is foreign, unless what it says, an object or a list of
    /// them, names one that is carried.
    #[cold]
    pub(super) fn is_foreign(
        self,
        data: Token,
        bytes: &[u8],
        field: &'static str,
        routes: &Routes,
        out: &mut Events,
    ) -> DecodeError {
        let foreign = DecodeError::UnknownSymbol { symbol: SymbolText::new(self.name) };
        let mut scanner = Scanner::new(bytes, data.start as usize);
        let is_list = data.kind == Kind::Array && scanner.open(b'[', "an array").is_ok();
        if !is_list && data.kind != Kind::Object {
            return foreign;
        }
        let mut first = true;
        loop {
            if is_list && !scanner.more(first, b']').unwrap_or(false) {
                return foreign;
            }
            first = false;
            let Ok([name]) = members(&mut scanner, bytes, &[field]) else { return foreign };
            if let Err(error @ DecodeError::TwoInstruments { .. }) =
                self.agrees(name, bytes, field, routes, out)
            {
                return error;
            }
            if !is_list {
                return foreign;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Slot;

    #[test]
    fn two_names_are_one_instrument_or_a_contradiction() {
        let mut routes = Routes::new();
        let route = |slot| Route { slot: Slot(slot), price_exponent: 0, qty_exponent: 0 };
        assert!(routes.carry([&b"A"[..], b"A2"].into_iter(), route(1)));
        assert!(routes.carry([&b"B"[..]].into_iter(), route(2)));
        for (first, second, expected, scope) in [
            ("A", "\"A\"", None, None),
            ("A", "\"\\u0041\"", None, None),
            ("A", "\"A2\"", None, None),
            ("A", "\"B\"", Some("decode.two_instruments"), Some(Scope::All)),
            ("A", "\"C\"", Some("decode.two_instruments"), Some(Scope::Book(Slot(1)))),
            ("C", "\"B\"", Some("decode.two_instruments"), Some(Scope::Book(Slot(2)))),
            ("C", "\"D\"", Some("decode.unknown_symbol"), None),
            ("A", "null", Some("decode.wrong_type"), None),
        ] {
            let text = format!("{{\"s\":{second}}}");
            let [token] = members(&mut Scanner::new(text.as_bytes(), 0), text.as_bytes(), &["s"]).unwrap();
            for is_book in [true, false] {
                let mut out = Events::default();
                let named = FirstName { name: first.as_bytes(), is_book };
                let read = named.agrees(token, text.as_bytes(), "s", &routes, &mut out);
                assert_eq!(read.err().map(|error| error.code()), expected, "{first} {second}");
                assert_eq!(out.concerned(), scope.filter(|_| is_book), "{first} {second}");
            }
        }
        let list = b"[{\"s\":\"D\"},{\"s\":\"B\"}]";
        let data = Scanner::new(list, 0).value().unwrap();
        let named = FirstName { name: b"C", is_book: true };
        let error = named.is_foreign(data, list, "s", &routes, &mut Events::default());
        assert_eq!(error.code(), "decode.two_instruments");
        let error = named.is_foreign(data, list, "x", &routes, &mut Events::default());
        assert_eq!(error.code(), "decode.unknown_symbol");
    }
}
