//! Reading fields of a record where it stands: offsets are proven against its length when the crate is compiled.

use super::{Header, Text};

/// A little-endian number.
pub trait Number: Sized {
    /// The number at offset `AT`, which with its own bytes lies within `LEN`: else the program does not compile.
    fn read<const AT: usize, const LEN: usize>(bytes: &[u8; LEN]) -> Self;
}

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Number for $type {
            #[inline(always)]
            fn read<const AT: usize, const LEN: usize>(bytes: &[u8; LEN]) -> Self {
                const BYTES: usize = size_of::<$type>();
                const { assert!(AT + BYTES <= LEN, "the field lies within the record") };
                let mut raw = [0; BYTES];
                raw.copy_from_slice(&bytes[AT..AT + BYTES]);
                Self::from_le_bytes(raw)
            }
        }
    )*};
}

number!(u8, u16, u32, u64, i32, i64);

/// Fields of a record of known length.
pub trait Fields {
    /// The number at offset `AT`.
    fn number<T: Number, const AT: usize>(&self) -> T;

    /// The text in the `WIDTH` bytes at offset `AT`.
    fn text<const AT: usize, const WIDTH: usize>(&self) -> Text<'_>;

    /// The header.
    fn header(&self) -> Header;
}

impl<const LEN: usize> Fields for [u8; LEN] {
    #[inline(always)]
    fn number<T: Number, const AT: usize>(&self) -> T {
        T::read::<AT, LEN>(self)
    }

    fn text<const AT: usize, const WIDTH: usize>(&self) -> Text<'_> {
        const { assert!(AT + WIDTH <= LEN, "the field lies within the record") };
        Text::new(&self[AT..AT + WIDTH])
    }

    #[inline(always)]
    fn header(&self) -> Header {
        Header {
            rtype: self.number::<u8, 1>(),
            publisher_id: self.number::<u16, 2>(),
            instrument_id: self.number::<u32, 4>(),
            ts_event: self.number::<u64, 8>(),
        }
    }
}

/// Defines the view of a record that has one layout in all versions: its name, its bytes, its numbers by offset.
macro_rules! view {
    ($(#[$doc:meta])* $name:ident $len:literal {
        $($(#[$field_doc:meta])* $field:ident: $type:ty = $at:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $name<'a>(&'a [u8; $len]);

        impl<'a> $name<'a> {
            /// Its bytes: the header and the fields, without `ts_out`.
            pub const BYTES: usize = $len;

            /// The view of a record of this type. The length and the type in its header are not looked at.
            #[inline]
            #[must_use]
            pub const fn new(bytes: &'a [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Whose record, and when.
            #[inline]
            #[must_use]
            pub fn header(self) -> $crate::framing::dbn::Header {
                $crate::framing::dbn::view::Fields::header(self.0)
            }

            $(
                $(#[$field_doc])*
                #[inline]
                #[must_use]
                pub fn $field(self) -> $type {
                    $crate::framing::dbn::view::Fields::number::<$type, $at>(self.0)
                }
            )*
        }

        impl core::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("header", &self.header())
                    $(.field(stringify!($field), &self.$field()))*
                    .finish()
            }
        }
    };
}

/// Defines the view of a record whose layout differs by version: each layout's bytes, and where each has each field.
macro_rules! versioned_view {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$layout_doc:meta])* $layout:ident $len:literal,)*
    } numbers {
        $($(#[$number_doc:meta])* $number:ident: $type:ty = { $($number_in:ident $at:literal),* },)*
    } texts {
        $($(#[$text_doc:meta])* $text:ident = { $($text_in:ident $text_at:literal $width:literal),* },)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub enum $name<'a> {
            $($(#[$layout_doc])* $layout(&'a [u8; $len]),)*
        }

        impl<'a> $name<'a> {
            /// Whose record, and when.
            #[must_use]
            pub fn header(self) -> $crate::framing::dbn::Header {
                match self {
                    $(Self::$layout(bytes) => $crate::framing::dbn::view::Fields::header(bytes),)*
                }
            }

            $(
                $(#[$number_doc])*
                #[must_use]
                pub fn $number(self) -> $type {
                    match self {
                        $(Self::$number_in(bytes) => {
                            $crate::framing::dbn::view::Fields::number::<$type, $at>(bytes)
                        })*
                    }
                }
            )*

            $(
                $(#[$text_doc])*
                #[must_use]
                pub fn $text(self) -> $crate::framing::dbn::Text<'a> {
                    match self {
                        $(Self::$text_in(bytes) => {
                            $crate::framing::dbn::view::Fields::text::<$text_at, $width>(bytes)
                        })*
                    }
                }
            )*
        }

        impl core::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("header", &self.header())
                    $(.field(stringify!($number), &self.$number()))*
                    $(.field(stringify!($text), &self.$text()))*
                    .finish()
            }
        }
    };
}

pub(super) use {versioned_view, view};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_little_endian_numbers_at_any_offset() {
        let bytes: [u8; 16] = [14, 0xa0, 1, 2, 3, 4, 5, 0x86, 9, 10, 11, 12, 13, 14, 15, 0xf0];
        assert_eq!(bytes.number::<u8, 15>(), 0xf0);
        assert_eq!(bytes.number::<u16, 1>(), 0x01a0);
        assert_eq!(bytes.number::<u32, 4>(), 0x8605_0403);
        assert_eq!(bytes.number::<i32, 4>(), 0x8605_0403_u32.cast_signed());
        assert_eq!(bytes.number::<u64, 8>(), 0xf00f_0e0d_0c0b_0a09);
        assert_eq!(bytes.number::<i64, 8>(), 0xf00f_0e0d_0c0b_0a09_u64.cast_signed());
        let header = bytes.header();
        assert_eq!((header.rtype, header.publisher_id), (0xa0, 0x0201));
        assert_eq!((header.instrument_id, header.ts_event), (0x8605_0403, 0xf00f_0e0d_0c0b_0a09));
    }
}
