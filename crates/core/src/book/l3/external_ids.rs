//! Order names to order numbers, for venues that name orders by text or UUID.

use core::fmt;

use super::id_chains::{fold, split_mix};
use super::{BookIndex, NONE};
use crate::types::{Account, ORDER_TEXT_BYTES_MAX, OrderId};

/// Longest name in bytes. A UUID is 16 as bytes and 36 as text.
pub const EXTERNAL_ID_BYTES_MAX: usize = ORDER_TEXT_BYTES_MAX;

/// Slots of the first table.
const SLOTS_MIN: usize = 64;

/// A longer walk than an even hash can make at this load: the names were chosen against the seed.
const PROBES_MAX: u32 = 256;

/// Why a name gets no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalIdError {
    /// An empty name, or one longer than [`EXTERNAL_ID_BYTES_MAX`].
    Length {
        /// Its bytes.
        len: usize,
    },
    /// As many names have numbers as may.
    Full {
        /// The limit.
        ids_max: u32,
    },
}

impl ExternalIdError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Length { .. } => "l3.external_id_length",
            Self::Full { .. } => "l3.external_ids_full",
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::Length { .. } => "check which field of the message names the order",
            Self::Full { .. } => "raise ids_max above the venue's greatest number of resting orders",
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match *self {
            Self::Length { len } => Account::new(
                "wrong length of an order's name",
                format_args!("1 to {EXTERNAL_ID_BYTES_MAX} bytes"),
                len,
            ),
            Self::Full { ids_max } => {
                Account::new("too many order names", format_args!("at most {ids_max}"), "one more")
            }
        }
    }
}

impl fmt::Display for ExternalIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

/// A name, at the place that is its number.
#[derive(Clone, Copy, Debug)]
struct Name {
    bytes: [u8; EXTERNAL_ID_BYTES_MAX],
    /// Bytes of it; 0 = the number is free.
    len: u8,
    /// Whose it is: a book, or of a free number the next free one.
    of: u32,
    /// How often the number has been given.
    given: u32,
}

impl Name {
    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// A slot of the table: the low half of the name's hash, and its number; [`NONE`] = free.
#[derive(Clone, Copy, Debug)]
struct Slot {
    tag: u32,
    number: u32,
}

const FREE: Slot = Slot { tag: 0, number: NONE };

/// Numbers for names, of which each book has its own. A number is small, belongs to one name of one book until it is released,
/// and is then used again, so books take these as [`IdOrder::Ascending`](super::IdOrder::Ascending).
///
/// Open addressing at a load of at most one half, no tombstones; a name costs 68 to 136 bytes. The hash has a seed that
/// nobody outside knows; should a walk still become longer than an even hash makes, the table is rebuilt with the
/// next seed, at most once for each half of its names inserted with such a walk. Doubles when it fills and never
/// shrinks, so once warm nothing is allocated.
#[derive(Clone, Debug)]
pub struct ExternalIds {
    slots: Vec<Slot>,
    names: Vec<Name>,
    free: u32,
    len: usize,
    ids_max: u32,
    seed: u64,
    /// Long walks that are borne before the next rebuild.
    patience: usize,
}

impl ExternalIds {
    /// No name yet. `ids_max` is the most names at one time; `hash_seed` as in [`L3Spec`](super::L3Spec).
    #[must_use]
    pub fn new(ids_max: u32, hash_seed: u64) -> Self {
        Self {
            slots: Vec::new(),
            names: Vec::new(),
            free: NONE,
            len: 0,
            ids_max: ids_max.min(NONE - 1),
            seed: hash_seed,
            patience: 0,
        }
    }

    /// Names that have numbers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no name has a number.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of a name.
    #[must_use]
    pub fn find(&self, book: BookIndex, name: &[u8]) -> Option<OrderId> {
        let (at, _) = self.search(book.0, name, self.hash(book.0, name))?;
        self.slots.get(at).map(|slot| OrderId(u64::from(slot.number)))
    }

    /// The name of a number.
    #[must_use]
    pub fn name(&self, id: OrderId) -> Option<&[u8]> {
        let name = self.names.get(usize::try_from(id.0).ok()?)?;
        (name.len > 0).then(|| name.as_bytes())
    }

    /// A number for the name of a number that no other name has had, but for one of 2^32 names under the same number before.
    #[must_use]
    pub fn serial(&self, id: OrderId) -> u64 {
        let given = usize::try_from(id.0).ok().and_then(|at| self.names.get(at)).map_or(0, |name| name.given);
        u64::from(given) << 32 | id.0
    }

    /// The name of such a number, while it has one.
    #[must_use]
    pub fn name_of_serial(&self, serial: u64) -> Option<&[u8]> {
        let id = OrderId(serial & u64::from(u32::MAX));
        self.name(id).filter(|_| self.serial(id) == serial)
    }

    /// The number of a name, a new one if it has none.
    ///
    /// # Errors
    /// See [`ExternalIdError`]; nothing has changed.
    pub fn assign(&mut self, book: BookIndex, name: &[u8]) -> Result<OrderId, ExternalIdError> {
        if name.is_empty() || name.len() > EXTERNAL_ID_BYTES_MAX {
            return Err(ExternalIdError::Length { len: name.len() });
        }
        let mut hash = self.hash(book.0, name);
        if let Some((at, _)) = self.search(book.0, name, hash) {
            return Ok(OrderId(u64::from(self.slots[at].number)));
        }
        if self.len >= self.ids_max as usize {
            return Err(ExternalIdError::Full { ids_max: self.ids_max });
        }
        if (self.len + 1) * 2 > self.slots.len() {
            self.rebuild((self.slots.len() * 2).max(SLOTS_MIN));
        }
        let mut entry =
            Name { bytes: [0; EXTERNAL_ID_BYTES_MAX], len: name.len() as u8, of: book.0, given: 0 };
        entry.bytes[..name.len()].copy_from_slice(name);
        let number = self.free;
        let number = match self.names.get_mut(number as usize) {
            Some(free) => {
                self.free = free.of;
                entry.given = free.given.wrapping_add(1);
                *free = entry;
                number
            }
            None => {
                self.names.push(entry);
                self.names.len() as u32 - 1
            }
        };
        self.len += 1;
        if self.put(Slot { tag: hash, number }) > PROBES_MAX {
            if self.patience == 0 {
                split_mix(&mut self.seed);
                self.rebuild(self.slots.len());
                self.patience = self.len / 2;
                hash = self.hash(book.0, name);
            } else {
                self.patience -= 1;
            }
        }
        debug_assert!(self.search(book.0, name, hash).is_some());
        Ok(OrderId(u64::from(number)))
    }

    /// Takes the name of an order that has left; false when the number has none.
    pub fn release(&mut self, id: OrderId) -> bool {
        let Some(name) = usize::try_from(id.0).ok().and_then(|at| self.names.get(at)).copied() else {
            return false;
        };
        let hash = self.hash(name.of, name.as_bytes());
        let Some((mut hole, mask)) = self.search(name.of, name.as_bytes(), hash) else { return false };
        // The hole is closed by the later entries of its run that may stand there.
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let slot = self.slots[at];
            if slot.number == NONE {
                break;
            }
            let from_home = at.wrapping_sub(slot.tag as usize) & mask;
            if from_home >= at.wrapping_sub(hole) & mask {
                self.slots[hole] = slot;
                hole = at;
            }
        }
        self.slots[hole] = FREE;
        let number = id.0 as usize;
        self.names[number].len = 0;
        self.names[number].of = self.free;
        self.free = number as u32;
        self.len -= 1;
        true
    }

    /// Forgets all names and keeps the memory.
    pub fn clear(&mut self) {
        self.slots.fill(FREE);
        self.names.clear();
        self.free = NONE;
        self.len = 0;
    }

    /// Memory in use, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>() + self.names.capacity() * size_of::<Name>()
    }

    /// The slot of a name, and the table's mask.
    fn search(&self, book: u32, name: &[u8], hash: u32) -> Option<(usize, usize)> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        // Ends: at least half of the slots are free.
        while let Some(slot) = self.slots.get(at).filter(|slot| slot.number != NONE) {
            let is_named = |there: &Name| there.of == book && there.as_bytes() == name;
            let is_it = slot.tag == hash && self.names.get(slot.number as usize).is_some_and(is_named);
            if is_it {
                return Some((at, mask));
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// Puts an entry into the first free slot from its home and returns the length of the walk.
    fn put(&mut self, entry: Slot) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = entry.tag as usize & mask;
        let mut probes = 0;
        while self.slots[at].number != NONE {
            at = (at + 1) & mask;
            probes += 1;
        }
        self.slots[at] = entry;
        probes
    }

    fn rebuild(&mut self, slots: usize) {
        self.slots.clear();
        self.slots.resize(slots, FREE);
        for number in 0..self.names.len() {
            let name = self.names[number];
            if name.len > 0 {
                let tag = self.hash(name.of, name.as_bytes());
                self.put(Slot { tag, number: number as u32 });
            }
        }
    }

    /// Eight bytes at a time by folded products of what is there and the seed.
    fn hash(&self, book: u32, name: &[u8]) -> u32 {
        let mut state = self.seed;
        let factor = split_mix(&mut state) | 1;
        let mut hash = split_mix(&mut state) ^ (u64::from(book) << 32 | name.len() as u64);
        for piece in name.chunks(8) {
            let mut word = [0; 8];
            word[..piece.len()].copy_from_slice(piece);
            hash = fold(hash ^ u64::from_le_bytes(word), factor).wrapping_add(state);
        }
        hash as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const BOOK: BookIndex = BookIndex(0);

    #[test]
    fn agrees_with_a_hash_map() {
        let mut ids = ExternalIds::new(2_000, 3);
        let mut oracle: HashMap<(BookIndex, Vec<u8>), OrderId> = HashMap::new();
        let mut state = 11;
        let (mut full, mut serials) = (0, HashMap::new());
        for _ in 0..200_000 {
            let pick = split_mix(&mut state) % 4_000;
            // Names of every length, many of which differ in their last byte alone.
            let mut name = vec![b'x'; (pick % 40) as usize];
            name.extend_from_slice(pick.to_string().as_bytes());
            name.truncate(EXTERNAL_ID_BYTES_MAX);
            // Books have names in common.
            let book = BookIndex((state >> 40) as u32 % 3);
            let key = (book, name.clone());
            assert_eq!(ids.find(book, &name), oracle.get(&key).copied());
            if state % 3 == 0 {
                if let Some(id) = oracle.remove(&key) {
                    assert_eq!(ids.name(id), Some(&name[..]));
                    assert!(ids.release(id) && !ids.release(id));
                    assert_eq!(ids.name(id), None);
                    assert_eq!(ids.name_of_serial(serials[&id]), None);
                }
                continue;
            }
            let is_new = !oracle.contains_key(&key);
            match ids.assign(book, &name) {
                Ok(id) => {
                    assert_eq!(*oracle.entry(key).or_insert(id), id);
                    assert!(id.0 < 2_000, "numbers stay small");
                    let serial = ids.serial(id);
                    assert_eq!(ids.name_of_serial(serial), Some(&name[..]));
                    if is_new {
                        assert!(serials.insert(id, serial).is_none_or(|before| before < serial));
                    }
                }
                Err(error) => {
                    assert_eq!(error, ExternalIdError::Full { ids_max: 2_000 });
                    assert_eq!(oracle.len(), 2_000);
                    full += 1;
                }
            }
            assert_eq!(ids.len(), oracle.len());
        }
        assert!(full > 100 && oracle.iter().all(|((book, name), id)| ids.find(*book, name) == Some(*id)));
        ids.clear();
        assert!(ids.is_empty() && oracle.keys().all(|(book, name)| ids.find(*book, name).is_none()));
        assert!(!ids.release(OrderId(0)) && !ids.release(OrderId(u64::MAX)));
    }

    #[test]
    fn refuses_names_that_no_venue_gives() {
        let mut ids = ExternalIds::new(1, 1);
        for name in [&b""[..], &[b'x'; EXTERNAL_ID_BYTES_MAX + 1]] {
            let error = ids.assign(BOOK, name).unwrap_err();
            let text = error.to_string();
            assert!(text.contains("expected ") && text.contains(", got "), "{text}");
            assert_eq!(error.code(), "l3.external_id_length");
        }
        assert!(ids.assign(BOOK, &[0; EXTERNAL_ID_BYTES_MAX]).is_ok());
        let error = ids.assign(BOOK, b"two").unwrap_err();
        assert!(error.code() == "l3.external_ids_full" && !error.fix().is_empty());
    }

    #[test]
    fn names_chosen_against_the_seed_cost_one_rebuild() {
        let mut ids = ExternalIds::new(10_000, 9);
        ids.rebuild(1 << 12);
        let home = |ids: &ExternalIds, name: &[u8]| ids.hash(0, name) & ((1 << 12) - 1);
        let names = (0u64..).map(u64::to_le_bytes).filter(|name| home(&ids, name) == 5);
        let chosen: Vec<_> = names.take(600).collect();
        for name in &chosen {
            ids.assign(BOOK, name).unwrap();
        }
        assert!(ids.seed != 9 && ids.slots.len() == 1 << 12);
        assert!(chosen.iter().all(|name| ids.find(BOOK, name).is_some()));
        let walks = chosen.iter().map(|name| {
            let (at, mask) = ids.search(0, name, ids.hash(0, name)).unwrap();
            at.wrapping_sub(ids.hash(0, name) as usize) & mask
        });
        assert!(walks.max() < Some(32), "the walks are short again");
    }
}
