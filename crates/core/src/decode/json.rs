//! A forward-only scanner for the little JSON that venues send.
//!
//! It walks the bytes once, allocates nothing and hands out the places of values, not values. Structure (brackets,
//! commas, colons, quotes, literals) is checked everywhere, so that a cut frame is never taken for a whole one. Two
//! things are left loose because nothing depends on them: the bytes inside strings (invalid UTF-8 and control
//! characters pass) and the inner grammar of numbers, which whoever needs the number reads strictly.

use memchr::memchr;

use super::DecodeError;
use super::digits::equal_bytes;
use super::plain_items::plain_items_end;

/// Deepest nesting of objects and arrays, the outermost counted. Venue frames need 5.
pub const NESTING_MAX: u8 = 16;

/// The JSON type of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// No value: the key was not there.
    #[default]
    Absent,
    /// A string.
    String,
    /// A string with a backslash in it.
    EscapedString,
    /// A number.
    Number,
    /// `true`.
    True,
    /// `false`.
    False,
    /// `null`.
    Null,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// The type's name, with its article.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "nothing",
            Self::String | Self::EscapedString => "a string",
            Self::Number => "a number",
            Self::True | Self::False => "a boolean",
            Self::Null => "null",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// The place of a value: for strings what stands between the quotes, for all others the whole text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Offset of its first byte.
    pub start: u32,
    /// Offset after its last byte.
    pub end: u32,
}

impl Token {
    /// The bytes of the token in the frame that it was found in.
    pub fn of<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// The text that a string with backslashes stands for, written into `out`.
///
/// # Errors
/// The offset of an escape that JSON does not know, of half a surrogate pair, or of what does not fit.
pub fn unescape<'o>(text: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], usize> {
    let (mut at, mut len) = (0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = memchr(b'\\', rest).unwrap_or(rest.len());
        let end = len + plain;
        out.get_mut(len..end).ok_or(at)?.copy_from_slice(&rest[..plain]);
        (at, len) = (at + plain, end);
        if plain < rest.len() {
            let (letter, used) = escape(&rest[plain..]).ok_or(at)?;
            let room = out.get_mut(len..len + letter.len_utf8()).ok_or(at)?;
            len += letter.encode_utf8(room).len();
            at += used;
        }
    }
    out.get(..len).ok_or(at)
}

/// The letter of the escape at the head of a text, and how many bytes it takes.
fn escape(text: &[u8]) -> Option<(char, usize)> {
    let letter = match *text.get(1)? {
        byte @ (b'"' | b'\\' | b'/') => char::from(byte),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let unit = hex4(text.get(2..6)?)?;
            if !(0xD800..0xDC00).contains(&unit) {
                return Some((char::from_u32(unit)?, 6));
            }
            let low = text.get(6..12)?.strip_prefix(b"\\u").and_then(hex4)?;
            if !(0xDC00..0xE000).contains(&low) {
                return None;
            }
            return Some((char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00))?, 12));
        }
        _ => return None,
    };
    Some((letter, 2))
}

fn hex4(text: &[u8]) -> Option<u32> {
    if !text.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(core::str::from_utf8(text).ok()?, 16).ok()
}

/// A position in a frame. `bytes` must be shorter than 4 GiB; the decoder's limit is far below.
pub struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    nesting: u8,
}

impl<'a> Scanner<'a> {
    /// A scanner that starts at an offset of the frame.
    pub const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, nesting: 0 }
    }

    /// The offset of the next byte.
    pub const fn at(&self) -> u32 {
        self.at as u32
    }

    /// The bytes that are left.
    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Goes on at an offset: the bytes before it were read elsewhere.
    #[inline]
    pub const fn move_to(&mut self, at: u32) {
        self.at = at as usize;
    }

    /// The next byte that is not white space, not consumed.
    #[inline]
    pub fn peek(&mut self) -> Result<u8, DecodeError> {
        while let Some(&byte) = self.bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Ok(byte);
            }
            self.at += 1;
        }
        Err(DecodeError::Truncated { at: self.at() })
    }

    /// Enters an object or array, whose opening bracket must be next.
    #[inline]
    pub fn open(&mut self, bracket: u8, expected: &'static str) -> Result<(), DecodeError> {
        let got = self.peek()?;
        if got != bracket {
            return Err(DecodeError::NotJson { at: self.at(), expected, got });
        }
        if self.nesting == NESTING_MAX {
            return Err(DecodeError::TooDeep { at: self.at() });
        }
        self.nesting += 1;
        self.at += 1;
        Ok(())
    }

    /// Whether another item follows in the object or array entered. Consumes the comma, or the closing bracket.
    #[inline]
    pub fn more(&mut self, first: bool, bracket: u8) -> Result<bool, DecodeError> {
        let got = self.peek()?;
        if got == bracket {
            self.nesting -= 1;
            self.at += 1;
            return Ok(false);
        }
        if first {
            return Ok(true);
        }
        if got != b',' {
            return Err(DecodeError::NotJson {
                at: self.at(),
                expected: "a comma or a closing bracket",
                got,
            });
        }
        self.at += 1;
        Ok(true)
    }

    /// The next key with its colon.
    #[inline]
    pub fn key(&mut self) -> Result<Token, DecodeError> {
        let got = self.peek()?;
        if got != b'"' {
            return Err(DecodeError::NotJson { at: self.at(), expected: "a key", got });
        }
        let key = self.string()?;
        let got = self.peek()?;
        if got != b':' {
            return Err(DecodeError::NotJson { at: self.at(), expected: "a colon", got });
        }
        self.at += 1;
        Ok(key)
    }

    /// The next value, whatever it is, consumed whole. Cost: its bytes.
    #[inline]
    pub fn value(&mut self) -> Result<Token, DecodeError> {
        let got = self.peek()?;
        match got {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => {
                let rest = self.rest();
                let digits = rest.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count() + 1;
                // Integers end here; what makes up other numbers is looked for only then.
                let len = rest[digits..]
                    .iter()
                    .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
                    .count()
                    + digits;
                let start = self.at();
                self.at += len;
                Ok(Token { kind: Kind::Number, start, end: self.at() })
            }
            _ => self.container_or_literal(got),
        }
    }

    /// The values that are rare where speed counts. Recursion ends at [`NESTING_MAX`].
    #[inline(never)]
    fn container_or_literal(&mut self, got: u8) -> Result<Token, DecodeError> {
        let start = self.at();
        let kind = match got {
            b'{' => {
                self.open(b'{', "an object")?;
                let mut first = true;
                while self.more(first, b'}')? {
                    first = false;
                    self.key()?;
                    self.value()?;
                }
                Kind::Object
            }
            b'[' => {
                self.open(b'[', "an array")?;
                let mut first = !self.plain_items();
                if !first {
                    self.value()?;
                }
                while self.more(first, b']')? {
                    first = false;
                    self.value()?;
                }
                Kind::Array
            }
            b't' => self.literal(b"true", Kind::True)?,
            b'f' => self.literal(b"false", Kind::False)?,
            b'n' => self.literal(b"null", Kind::Null)?,
            _ => return Err(DecodeError::NotJson { at: start, expected: "a value", got }),
        };
        Ok(Token { kind, start, end: self.at() })
    }

    /// Passes over items of an array as long as another one follows each right behind a comma: strings without a backslash,
    /// or rows of such strings. Whether there were any; then a value comes next. Rows of numbers in quotes are most of what
    /// venues send.
    #[inline]
    fn plain_items(&mut self) -> bool {
        let start = self.at;
        self.at = match self.rest() {
            [b'"', ..] => plain_items_end(self.bytes, start, false),
            [b'[', b'"', ..] if self.nesting < NESTING_MAX => plain_items_end(self.bytes, start, true),
            _ => start,
        };
        self.at > start
    }

    /// Accepts white space up to the end of the frame and nothing else.
    pub fn finish(&mut self) -> Result<(), DecodeError> {
        match self.peek() {
            Ok(got) => Err(DecodeError::TrailingBytes { at: self.at(), got }),
            Err(_) => Ok(()),
        }
    }

    /// A string whose opening quote is next.
    #[inline]
    fn string(&mut self) -> Result<Token, DecodeError> {
        let start = self.at + 1;
        let mut at = start;
        let mut kind = Kind::String;
        // Eight bytes at a time to the first quote or backslash, which nearly always is the closing quote.
        while let Some(word) = self.bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_le_bytes(*word);
            let found = equal_bytes(word, b'"') | equal_bytes(word, b'\\');
            if found != 0 {
                at += (found.trailing_zeros() / 8) as usize;
                break;
            }
            at += 8;
        }
        loop {
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    kind = Kind::EscapedString;
                    at += 2;
                }
                Some(_) => at += 1,
                None => return Err(DecodeError::Truncated { at: self.bytes.len() as u32 }),
            }
        }
        self.at = at + 1;
        Ok(Token { kind, start: start as u32, end: at as u32 })
    }

    fn literal(&mut self, text: &'static [u8], kind: Kind) -> Result<Kind, DecodeError> {
        for &wanted in text {
            match self.bytes.get(self.at) {
                Some(&got) if got == wanted => self.at += 1,
                Some(&got) => {
                    return Err(DecodeError::NotJson { at: self.at(), expected: "true, false or null", got });
                }
                None => return Err(DecodeError::Truncated { at: self.at() }),
            }
        }
        Ok(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &[u8]) -> Result<Kind, &'static str> {
        let mut scanner = Scanner::new(text, 0);
        let token = scanner.value().map_err(|error| error.code())?;
        scanner.finish().map_err(|error| error.code())?;
        Ok(token.kind)
    }

    #[test]
    fn skips_any_value_whole() {
        for (text, kind) in [
            (&b"{}"[..], Kind::Object),
            (b" [ ] ", Kind::Array),
            (b"{\"a\":[1,-2.5e+3,{\"b\":null}],\"c\":true,\"d\":false}", Kind::Object),
            (b"\t[ 1 ,\r\n \"x\" ] \n", Kind::Array),
            (b"\"a\\\"]}\\\\\"", Kind::EscapedString),
            (b"\"\xff\x00\xfe\"", Kind::String),
            (b"-0", Kind::Number),
            (b"[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", Kind::Array),
        ] {
            assert_eq!(whole(text), Ok(kind), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn refuses_what_is_not_json() {
        for (text, code) in [
            (&b""[..], "decode.truncated"),
            (b"  ", "decode.truncated"),
            (b"{", "decode.truncated"),
            (b"{\"a\"", "decode.truncated"),
            (b"{\"a\":", "decode.truncated"),
            (b"{\"a\":1", "decode.truncated"),
            (b"\"a\\\"", "decode.truncated"),
            (b"\"a\\", "decode.truncated"),
            (b"tru", "decode.truncated"),
            (b"{]", "decode.not_json"),
            (b"[}", "decode.not_json"),
            (b"[1,]", "decode.not_json"),
            (b"[,1]", "decode.not_json"),
            (b"[1 2]", "decode.not_json"),
            (b"{\"a\":1,}", "decode.not_json"),
            (b"{\"a\" 1}", "decode.not_json"),
            (b"{a:1}", "decode.not_json"),
            (b"trux", "decode.not_json"),
            (b"nan", "decode.not_json"),
            (b"\xef\xbb\xbf{}", "decode.not_json"),
            (b"\x00", "decode.not_json"),
            (b"{}{}", "decode.trailing_bytes"),
            (b"{}\x00", "decode.trailing_bytes"),
            (b"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", "decode.too_deep"),
        ] {
            assert_eq!(whole(text), Err(code), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_token_is_the_text_between_the_quotes() {
        let text = br#"  "BTCUSDT" "#;
        let token = Scanner::new(text, 0).value().unwrap();
        assert_eq!(token.of(text), b"BTCUSDT");
    }
}
