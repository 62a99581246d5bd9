//! Which level an `id` names: rule 2.

use std::collections::HashMap;

use crate::types::{POW10, Price, Route, Side};

/// Levels of a book that are remembered at most: more than one message may bring.
const LEVELS_MAX: usize = 200_000;

/// A price with the power of ten at which it was read: an instrument's scale becomes finer.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Named {
    price: i64,
    exponent: i8,
}

impl Named {
    fn at(self, exponent: i8) -> Option<Price> {
        let finer = POW10.get(usize::try_from(self.exponent - exponent).ok()?)?;
        self.price.checked_mul(*finer).map(Price)
    }
}

/// A list of pairs in the place of the table.
mod listed {
    use std::collections::HashMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{LEVELS_MAX, Named};
    use crate::types::Side;

    pub(super) fn serialize<S: Serializer>(
        levels: &HashMap<(Side, u64), Named>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(levels)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<HashMap<(Side, u64), Named>, D::Error> {
        let pairs = Vec::<((Side, u64), Named)>::deserialize(from)?;
        if pairs.len() > LEVELS_MAX {
            return Err(serde::de::Error::custom("more levels than are remembered"));
        }
        Ok(pairs.into_iter().collect())
    }
}

/// The levels of a book by their names.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Known {
    #[serde(with = "listed")]
    levels: HashMap<(Side, u64), Named>,
    /// Of each side.
    counts: [usize; 2],
}

impl Known {
    /// Forgets all, and has room for a book that begins with so many levels.
    pub(super) fn begin(&mut self, levels: usize) {
        self.levels.clear();
        self.counts = [0; 2];
        // A table that is at most half full is put in order where it stands.
        self.levels.reserve(2 * levels);
    }

    /// Whether no more are remembered.
    pub(super) fn is_full(&self) -> bool {
        self.levels.len() >= LEVELS_MAX
    }

    /// Levels of a side.
    pub(super) const fn count(&self, side: Side) -> usize {
        self.counts[side as usize]
    }

    /// A level comes. False where it is there, or where too many are.
    pub(super) fn insert(&mut self, (side, id): (Side, u64), price: Price, route: Route) -> bool {
        let named = Named { price: price.0, exponent: route.price_exponent };
        let is_new = !self.is_full() && self.levels.insert((side, id), named).is_none();
        self.counts[side as usize] += usize::from(is_new);
        is_new
    }

    /// The price of a level that is there, unless the venue says that it has another.
    pub(super) fn price(&self, name: (Side, u64), said: Option<Price>, route: Route) -> Option<Price> {
        let price = self.levels.get(&name)?.at(route.price_exponent)?;
        Some(price).filter(|price| said.is_none_or(|said| said == *price))
    }

    /// The same of a level that goes.
    pub(super) fn remove(&mut self, name: (Side, u64), said: Option<Price>, route: Route) -> Option<Price> {
        let price = self.price(name, said, route)?;
        self.levels.remove(&name);
        self.counts[name.0 as usize] -= 1;
        Some(price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Slot;

    #[test]
    fn a_name_has_its_price_at_every_scale_until_it_goes() {
        let at = |price_exponent| Route { slot: Slot(0), price_exponent, qty_exponent: 0 };
        let (mut known, name) = (Known::default(), (Side::Bid, 8_797_309_800));
        known.begin(1);
        assert!(known.insert(name, Price(269_020), at(-1)));
        assert!(!known.insert(name, Price(269_020), at(-1)), "it is there");
        assert_eq!((known.count(Side::Bid), known.count(Side::Ask)), (1, 0));
        for (said, exponent, price) in [
            (None, -1, Some(269_020)),
            (None, -3, Some(26_902_000)),
            (Some(Price(26_902_000)), -3, Some(26_902_000)),
            (Some(Price(26_902_001)), -3, None),
            (None, 0, None),
            (None, -18, None),
        ] {
            assert_eq!(known.price(name, said, at(exponent)), price.map(Price), "{said:?} {exponent}");
        }
        assert_eq!(known.remove((Side::Ask, name.1), None, at(-1)), None, "a side has names of its own");
        assert_eq!(known.remove(name, None, at(-2)), Some(Price(2_690_200)));
        assert_eq!((known.remove(name, None, at(-1)), known.count(Side::Bid)), (None, 0));
        known.insert(name, Price(1), at(0));
        known.begin(0);
        assert_eq!((known.price(name, None, at(0)), known.count(Side::Bid)), (None, 0));
        let taken = (0..=LEVELS_MAX as u64).filter(|&id| known.insert((Side::Ask, id), Price(1), at(0)));
        assert_eq!(taken.count(), LEVELS_MAX);
        assert!(known.is_full());
    }
}
