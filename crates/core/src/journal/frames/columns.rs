//! The columns of a block: numbers in as few bytes as their differences need.

use std::collections::HashMap;

use super::model::{NO_UNIT, ORDERS, word_at};
use super::schema::{self, COLUMNS};
use crate::journal::varint::{put, take, unzigzag, zigzag};

/// One side of a walk: the writer's takes numbers out of a frame, the reader's puts them in. None where there is none.
pub(super) trait Coder {
    /// The word at an offset of a frame, of which one is expected.
    fn number(
        &mut self,
        frame: &mut [u8],
        at: usize,
        column: usize,
        unit: usize,
        expected: u64,
    ) -> Option<u64>;
    /// The same of four bytes, without a unit.
    fn half(&mut self, frame: &mut [u8], at: usize, column: usize, expected: u32) -> Option<u32>;
    /// Bytes as they are.
    fn raw(&mut self, frame: &mut [u8], at: usize, len: usize) -> Option<()>;
    /// The last four bytes of an order.
    fn tail(&mut self, frame: &mut [u8], at: usize) -> Option<[u8; 4]>;
    /// The name of an order that came before, by how many have come since; none for one that comes now.
    fn reference(&mut self, frame: &[u8], at: usize, orders: &[[u8; 16]]) -> Option<Option<[u8; 16]>>;
    /// Remembers the name of an order that comes.
    fn came(&mut self, id: &[u8; 16], orders: &mut Vec<[u8; 16]>);
}

/// What waits to be written.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    /// Differences, with their units.
    columns: Vec<Vec<(i64, u32)>>,
    pub(super) raw: Vec<u8>,
    /// Orders by name: how many came before them.
    places: HashMap<[u8; 16], u32>,
    numbers: usize,
}

impl Default for Taken {
    fn default() -> Self {
        Self { columns: vec![Vec::new(); COLUMNS], raw: Vec::new(), places: HashMap::new(), numbers: 0 }
    }
}

impl Taken {
    /// How many numbers wait.
    pub(super) const fn numbers(&self) -> usize {
        self.numbers
    }

    #[inline]
    pub(super) fn note(&mut self, column: usize, unit: usize, difference: i64) {
        self.columns[column].push((difference, unit as u32));
        self.numbers += 1;
    }

    /// Appends all columns, behind the units of so many instruments, and forgets them.
    pub(super) fn write(&mut self, units: usize, out: &mut Vec<u8>) {
        let mut greatest = vec![0_u64; units];
        for (difference, unit) in self.columns.iter().flatten().filter(|(_, unit)| *unit as usize != NO_UNIT)
        {
            let unit = &mut greatest[*unit as usize];
            *unit = common(*unit, difference.unsigned_abs());
        }
        greatest.iter_mut().for_each(|unit| *unit = (*unit).max(1));
        greatest[NO_UNIT] = 1;
        greatest[1..].iter().for_each(|unit| put(out, *unit));
        let mut bytes = Vec::new();
        for (at, column) in self.columns.iter_mut().enumerate() {
            bytes.clear();
            for (difference, unit) in column.drain(..) {
                let unit = greatest[unit as usize];
                // A difference is a multiple of its unit, whichever its sign; the least number alone has no positive one.
                let told = match unit {
                    1 => difference,
                    unit => (difference.unsigned_abs() / unit) as i64 * difference.signum(),
                };
                put(&mut bytes, zigzag(told));
            }
            let bytes = if at == schema::RAW { &self.raw } else { &bytes };
            put(out, bytes.len() as u64);
            out.extend_from_slice(bytes);
        }
        self.raw.clear();
        self.places.clear();
        self.numbers = 0;
    }
}

/// The greatest number that divides both.
const fn common(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Coder for Taken {
    fn number(
        &mut self,
        frame: &mut [u8],
        at: usize,
        column: usize,
        unit: usize,
        expected: u64,
    ) -> Option<u64> {
        let value = word_at(frame, at);
        self.note(column, unit, value.wrapping_sub(expected) as i64);
        Some(value)
    }

    fn half(&mut self, frame: &mut [u8], at: usize, column: usize, expected: u32) -> Option<u32> {
        let value = u32::from_le_bytes(*frame.get(at..)?.first_chunk()?);
        self.note(column, NO_UNIT, (value.wrapping_sub(expected) as i32).into());
        Some(value)
    }

    fn raw(&mut self, frame: &mut [u8], at: usize, len: usize) -> Option<()> {
        self.raw.extend_from_slice(frame.get(at..at + len)?);
        Some(())
    }

    fn tail(&mut self, frame: &mut [u8], at: usize) -> Option<[u8; 4]> {
        let tail = *frame.get(at..)?.first_chunk()?;
        self.note(schema::ORDER_TAIL, NO_UNIT, packed(tail)?.into());
        Some(tail)
    }

    fn reference(&mut self, frame: &[u8], at: usize, orders: &[[u8; 16]]) -> Option<Option<[u8; 16]>> {
        let id = frame.get(at..)?.first_chunk()?;
        let age = self.places.get(id).map(|place| orders.len() - *place as usize);
        self.note(schema::ORDER_REF, NO_UNIT, age.unwrap_or_default() as i64);
        Some(age.map(|_| *id))
    }

    fn came(&mut self, id: &[u8; 16], orders: &mut Vec<[u8; 16]>) {
        if orders.len() < ORDERS {
            self.places.insert(*id, orders.len() as u32);
            orders.push(*id);
        }
    }
}

/// The last four bytes of an order as a small number: action, side, cause and kind of name. None where one is larger than the
/// schema has any.
pub(super) const fn packed([action, side, cause, kind]: [u8; 4]) -> Option<u32> {
    if action > 7 || side > 3 || cause > 7 || kind > 7 {
        return None;
    }
    Some(action as u32 | (side as u32) << 3 | (cause as u32) << 5 | (kind as u32) << 8)
}

const fn unpacked(packed: u64) -> Option<[u8; 4]> {
    if packed >> 11 != 0 {
        return None;
    }
    Some([packed as u8 & 7, (packed >> 3) as u8 & 3, (packed >> 5) as u8 & 7, (packed >> 8) as u8 & 7])
}

/// Where the columns of a block stand in its bytes, and how far each is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    columns: Vec<(u32, u32)>,
    units: Vec<u64>,
}

impl Places {
    /// Finds the columns that stand at the end of `block` from `at` on, behind the units of so many instruments.
    pub(super) fn find(&mut self, block: &[u8], at: usize, units: usize) -> Option<()> {
        let mut rest = block.get(at..)?;
        self.units.clear();
        self.units.push(1);
        for _ in 1..units {
            self.units.push(take(&mut rest).filter(|unit| *unit != 0)?);
        }
        self.columns.clear();
        for _ in 0..COLUMNS {
            let len = usize::try_from(take(&mut rest)?).ok()?;
            let from = block.len() - rest.len();
            rest = rest.get(len..)?;
            self.columns.push((u32::try_from(from).ok()?, u32::try_from(from + len).ok()?));
        }
        rest.is_empty().then_some(())
    }

    /// Whether each has been read to its end.
    pub(super) fn are_read(&self) -> bool {
        self.columns.iter().all(|(from, to)| from == to)
    }

    /// Reads on in the bytes of the block.
    pub(super) fn of<'a>(&'a mut self, block: &'a [u8]) -> Given<'a> {
        Given { block, places: self }
    }
}

/// The reader's side of a walk.
#[derive(Debug)]
pub(super) struct Given<'a> {
    block: &'a [u8],
    places: &'a mut Places,
}

impl Given<'_> {
    /// The next number of a column.
    #[inline(always)]
    pub(super) fn take(&mut self, column: usize) -> Option<u64> {
        let (from, to) = self.places.columns.get_mut(column)?;
        let mut rest = self.block.get(*from as usize..*to as usize)?;
        if let [byte @ ..0x80, ..] = rest {
            *from += 1;
            return Some(u64::from(*byte));
        }
        let before = rest.len();
        let value = take(&mut rest)?;
        *from += (before - rest.len()) as u32;
        Some(value)
    }
}

impl Given<'_> {
    /// The next number of a column of numbers that are none below 0.
    #[inline(always)]
    pub(super) fn told(&mut self, column: usize) -> Option<u64> {
        self.take(column).map(|told| unzigzag(told) as u64)
    }
}

impl Coder for Given<'_> {
    #[inline(always)]
    fn number(
        &mut self,
        frame: &mut [u8],
        at: usize,
        column: usize,
        unit: usize,
        expected: u64,
    ) -> Option<u64> {
        let unit = *self.places.units.get(unit)?;
        let difference = (unzigzag(self.take(column)?) as u64).wrapping_mul(unit);
        let value = expected.wrapping_add(difference);
        frame.get_mut(at..at + 8)?.copy_from_slice(&value.to_le_bytes());
        Some(value)
    }

    #[inline]
    fn half(&mut self, frame: &mut [u8], at: usize, column: usize, expected: u32) -> Option<u32> {
        let difference = i32::try_from(unzigzag(self.take(column)?)).ok()?;
        let value = expected.wrapping_add(difference as u32);
        frame.get_mut(at..at + 4)?.copy_from_slice(&value.to_le_bytes());
        Some(value)
    }

    #[inline]
    fn raw(&mut self, frame: &mut [u8], at: usize, len: usize) -> Option<()> {
        let (from, to) = self.places.columns.get_mut(schema::RAW)?;
        let bytes = self.block.get(*from as usize..*to as usize)?.get(..len)?;
        *from += len as u32;
        frame.get_mut(at..at + len)?.copy_from_slice(bytes);
        Some(())
    }

    #[inline]
    fn tail(&mut self, frame: &mut [u8], at: usize) -> Option<[u8; 4]> {
        let tail = unpacked(unzigzag(self.take(schema::ORDER_TAIL)?) as u64)?;
        frame.get_mut(at..at + 4)?.copy_from_slice(&tail);
        Some(tail)
    }

    #[inline]
    fn reference(&mut self, _: &[u8], _: usize, orders: &[[u8; 16]]) -> Option<Option<[u8; 16]>> {
        match usize::try_from(unzigzag(self.take(schema::ORDER_REF)?)).ok()? {
            0 => Some(None),
            age => Some(Some(*orders.get(orders.len().checked_sub(age)?)?)),
        }
    }

    #[inline]
    fn came(&mut self, id: &[u8; 16], orders: &mut Vec<[u8; 16]>) {
        if orders.len() < ORDERS {
            orders.push(*id);
        }
    }
}
