//! What a room remembers of each instrument.

use super::Slot;

/// A value an instrument, by its place; the default until something is noted. Grows to the highest place.
///
/// As data it is a list of places with their values under `by_slot`, so that whoever keeps it can name the instruments in the
/// place of their slots: those are of one engine.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct BySlot<T> {
    #[serde(
        rename = "by_slot",
        with = "listed",
        bound = "T: Default + serde::Serialize + serde::de::DeserializeOwned"
    )]
    values: Vec<T>,
}

impl<T: Default> BySlot<T> {
    /// The value of an instrument, to be changed.
    #[inline]
    pub fn at(&mut self, slot: Slot) -> &mut T {
        let index = slot.0 as usize;
        if self.values.len() <= index {
            self.values.resize_with(index + 1, T::default);
        }
        &mut self.values[index]
    }
}

impl<T> BySlot<T> {
    /// The value of an instrument; none where nothing was noted of it, nor of a later one.
    #[inline]
    #[must_use]
    pub fn get(&self, slot: Slot) -> Option<&T> {
        self.values.get(slot.0 as usize)
    }

    /// Forgets all, and keeps the memory.
    pub fn clear(&mut self) {
        self.values.clear();
    }

    /// All values with their places.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &T)> {
        self.values.iter().enumerate().map(|(slot, value)| (Slot(slot as u32), value))
    }

    /// The same, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Slot, &mut T)> {
        self.values.iter_mut().enumerate().map(|(slot, value)| (Slot(slot as u32), value))
    }
}

/// A list of pairs in the place of the row.
mod listed {
    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Places beyond it are of no engine: a list that names one is refused, whatever memory it would take.
    const SLOTS_MAX: u32 = 1 << 20;

    pub(super) fn serialize<T: Serialize, S: Serializer>(values: &[T], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().enumerate())
    }

    pub(super) fn deserialize<'de, T: Default + DeserializeOwned, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<T>, D::Error> {
        let pairs = Vec::<(u32, T)>::deserialize(from)?;
        let mut values = Vec::new();
        for (slot, value) in pairs {
            if slot >= SLOTS_MAX {
                return Err(serde::de::Error::custom("a place of no engine"));
            }
            if values.len() <= slot as usize {
                values.resize_with(slot as usize + 1, T::default);
            }
            values[slot as usize] = value;
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_at_their_places() {
        let mut values = BySlot::<u8>::default();
        *values.at(Slot(2)) = 7;
        assert_eq!(
            (values.get(Slot(0)), values.get(Slot(2)), values.get(Slot(3))),
            (Some(&0), Some(&7), None)
        );
        let data = serde_json::to_value(&values).unwrap();
        assert_eq!(data, serde_json::json!({ "by_slot": [[0, 0], [1, 0], [2, 7]] }));
        let back: BySlot<u8> = serde_json::from_value(data).unwrap();
        assert!(back.iter().eq(values.iter()));
        let far = serde_json::json!({ "by_slot": [[u32::MAX, 1]] });
        assert!(serde_json::from_value::<BySlot<u8>>(far).is_err());
    }
}
