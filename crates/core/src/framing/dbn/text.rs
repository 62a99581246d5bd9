//! Texts of fixed width, ended by a NUL or by the width.

use core::fmt;

use super::DbnError;

/// A text of a record: the bytes before the first NUL.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// The text in a field of fixed width.
    #[must_use]
    pub fn new(field: &'a [u8]) -> Self {
        Self(field.split(|&byte| byte == 0).next().unwrap_or_default())
    }

    /// The bytes, which may be any.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The text.
    ///
    /// # Errors
    /// [`DbnError::NotUtf8`].
    pub fn as_str(self) -> Result<&'a str, DbnError> {
        core::str::from_utf8(self.0).map_err(|cause| DbnError::NotUtf8 { at: cause.valid_up_to() })
    }
}

/// Printable ASCII as it is, everything else escaped: a hostile text cannot steer a terminal or a log.
impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_at_the_first_nul_or_at_the_width() {
        for (field, text) in [(&b"ESH4\0\0"[..], "ESH4"), (b"ESH4", "ESH4"), (b"\0ESH4", ""), (b"", "")] {
            assert_eq!(Text::new(field).as_str(), Ok(text));
        }
        assert_eq!(Text::new(b"a\0\xff").as_str(), Ok("a"));
        assert_eq!(Text::new(b"ab\xff\0").as_str(), Err(DbnError::NotUtf8 { at: 2 }));
        assert_eq!(Text::new(b"a\x1b[2J\xff").to_string(), "a\\x1b[2J\\xff");
    }
}
