//! Changes of an input that know where its fields are.

use crate::random::Random;

/// What stands somewhere in an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number, its first byte the highest.
    Big,
    /// A number, its first byte the lowest.
    Little,
    /// A byte that is one of a few letters.
    Letter,
    /// Bytes of any value.
    Text,
    /// A value of JSON.
    Token,
    /// A message, record, packet or block, framing and all.
    Unit,
}

#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub at: usize,
    pub len: usize,
    pub kind: Kind,
}

/// Notes fields one after the other.
pub struct Fields<'a> {
    pub bytes: &'a [u8],
    pub out: &'a mut Vec<Field>,
}

impl Fields<'_> {
    /// Notes a field if it lies within the input.
    pub fn note(&mut self, kind: Kind, at: usize, len: usize) {
        if len > 0 && at.checked_add(len).is_some_and(|end| end <= self.bytes.len()) {
            self.out.push(Field { at, len, kind });
        }
    }

    pub fn big(&self, at: usize, len: usize) -> Option<usize> {
        let bytes = self.bytes.get(at..at + len)?;
        Some(bytes.iter().fold(0, |value, &byte| value << 8 | usize::from(byte)))
    }

    pub fn little(&self, at: usize, len: usize) -> Option<usize> {
        let bytes = self.bytes.get(at..at + len)?;
        Some(bytes.iter().rev().fold(0, |value, &byte| value << 8 | usize::from(byte)))
    }
}

const LETTERS: &[u8] = b"ABCDEFHIJKLMNOPQRSTUVWXYZ+ ?abz\0\xff";

const TOKENS: [&str; 30] = [
    "0",
    "-0",
    "1",
    "-1",
    "0.00",
    "1e999",
    "1e-9",
    "1E2",
    "1.",
    ".5",
    "00001.50",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\"0\"",
    "\"0.00000000\"",
    "\"1.0000000\"",
    "\"\\u0031\"",
    "\"-1\"",
    "\"9223372036854775807\"",
    "18446744073709551615",
    "18446744073709551616",
    "\"92233720368547758.08\"",
    "99999999999999",
    "\"12345678.123456780\"",
    "[\"1\",\"1\"]",
    "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]",
    "\"a\0b\"",
];

/// Changes `bytes` in one place. `other` is another input of the target, `note` what notes the fields of one.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], note: fn(&mut Fields<'_>), random: &mut Random) {
    let turn = random.below(16);
    // To find fields costs more than to change bytes.
    let fields = if turn <= 10 { fields_of(bytes, note) } else { Vec::new() };
    let units = units_of(&fields);
    match turn {
        0..=7 if !fields.is_empty() => {
            let field = *random.pick(&fields);
            if field.kind != Kind::Unit {
                return change(bytes, field, &fields, random);
            }
            unit(bytes, field, &units, random);
        }
        8 | 9 if !units.is_empty() => unit(bytes, *random.pick(&units), &units, random),
        10 => {
            // A unit, or any piece, of another input.
            let theirs = units_of(&fields_of(other, note));
            let piece = match theirs.is_empty() || random.one_in(4) {
                true if other.is_empty() => return,
                true => {
                    let at = random.below(other.len());
                    at..(at + 1 + random.below(64)).min(other.len())
                }
                false => {
                    let field = random.pick(&theirs);
                    field.at..field.at + field.len
                }
            };
            let at = if units.is_empty() { random.below(bytes.len() + 1) } else { random.pick(&units).at };
            bytes.splice(at..at, other[piece].iter().copied());
        }
        11 => {
            // The head of the one and the tail of the other.
            bytes.truncate(random.below(bytes.len() + 1));
            let at = random.below(other.len() + 1);
            bytes.extend_from_slice(&other[at..]);
        }
        12 => bytes.truncate(random.below(bytes.len() + 1)),
        13 if !bytes.is_empty() => {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        14 => {
            let at = random.below(bytes.len() + 1);
            let len = 1 + random.below(9);
            let added = random.bytes(len);
            bytes.splice(at..at, added);
        }
        _ if !bytes.is_empty() => {
            let at = random.below(bytes.len());
            let end = (at + 1 + random.below(9)).min(bytes.len());
            bytes.drain(at..end);
        }
        _ => bytes.push(random.next() as u8),
    }
}

fn fields_of(bytes: &[u8], note: fn(&mut Fields<'_>)) -> Vec<Field> {
    let mut out = Vec::new();
    note(&mut Fields { bytes, out: &mut out });
    out
}

fn units_of(fields: &[Field]) -> Vec<Field> {
    fields.iter().filter(|field| field.kind == Kind::Unit).copied().collect()
}

/// Drops, repeats, moves or exchanges units.
fn unit(bytes: &mut Vec<u8>, unit: Field, units: &[Field], random: &mut Random) {
    let range = unit.at..unit.at + unit.len;
    let other = *random.pick(units);
    match random.below(4) {
        0 => drop(bytes.drain(range)),
        1 => {
            let copy = bytes[range].to_vec();
            bytes.splice(other.at..other.at, copy);
        }
        2 => {
            let copy: Vec<u8> = bytes.drain(range).collect();
            let at = other.at.min(bytes.len());
            bytes.splice(at..at, copy);
        }
        _ => {
            let (first, second) = if unit.at <= other.at { (unit, other) } else { (other, unit) };
            if first.at + first.len <= second.at {
                let copy = bytes[second.at..second.at + second.len].to_vec();
                let moved: Vec<u8> = bytes.splice(first.at..first.at + first.len, copy).collect();
                let at = second.at + second.len - first.len;
                bytes.splice(at..at + second.len, moved);
            }
        }
    }
}

/// Gives one field another value.
fn change(bytes: &mut Vec<u8>, field: Field, fields: &[Field], random: &mut Random) {
    let Field { at, len, kind } = field;
    let range = at..at + len;
    match kind {
        Kind::Letter => {
            bytes[at] = if random.one_in(8) { random.next() as u8 } else { *random.pick(LETTERS) }
        }
        Kind::Text => {
            let nth = at + random.below(len);
            bytes[nth] = *random.pick(&[0, b' ', b'0', b'9', b'A', 0x7f, 0x80, 0xff, random.0 as u8]);
        }
        Kind::Token if random.one_in(2) => drop(bytes.splice(range, random.pick(&TOKENS).bytes())),
        Kind::Token => {
            let nth = at + random.below(len);
            let byte = *random.pick(b"0123456789.-+eE\"\\,:[]{} \n\0\xff@");
            match random.below(3) {
                0 => bytes[nth] = byte,
                1 => bytes.insert(nth, byte),
                _ => drop(bytes.remove(nth)),
            }
        }
        Kind::Unit => {}
        Kind::Big | Kind::Little => {
            let same: Vec<Field> = fields.iter().filter(|one| one.len == len).copied().collect();
            let mut word = [0u8; 8];
            let width = len.min(8);
            let number = |word: &[u8; 8]| u64::from_le_bytes(*word);
            word[..width].copy_from_slice(&bytes[at..at + width]);
            if kind == Kind::Big {
                word[..width].reverse();
            }
            let max = u64::MAX >> (64 - 8 * width);
            let now = number(&word);
            let value = match random.below(12) {
                0 => 0,
                1 => 1,
                2 => max,
                3 => max - 1,
                4 => max / 2,
                5 => max / 2 + 1,
                6 => now.wrapping_add(1),
                7 => now.wrapping_sub(1),
                8 => now.wrapping_add(random.below(17) as u64).wrapping_sub(8),
                9 => random.any_size(),
                10 => now ^ (1 << random.below(8 * width)),
                _ => {
                    // What a neighbour of the same width says.
                    let from = random.pick(&same).at;
                    let copy = bytes[from..from + len].to_vec();
                    bytes[range].copy_from_slice(&copy);
                    return;
                }
            };
            let mut word = value.to_le_bytes();
            if kind == Kind::Big {
                word[..width].reverse();
            }
            bytes[at..at + width].copy_from_slice(&word[..width]);
        }
    }
}
