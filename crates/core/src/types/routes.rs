//! Where a connection's messages go: from what a venue calls an instrument to its place in the engine.

/// Place of an instrument in its engine, dense from 0. A room gets it from [`Routes`].
///
/// As data it is `{"slot": 3}`, so that whoever keeps it can name the instrument in its place.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(from = "SlotData", into = "SlotData")]
#[repr(transparent)]
pub struct Slot(pub u32);

#[derive(serde::Serialize, serde::Deserialize)]
struct SlotData {
    slot: u32,
}

impl From<Slot> for SlotData {
    fn from(Slot(slot): Slot) -> Self {
        Self { slot }
    }
}

impl From<SlotData> for Slot {
    fn from(SlotData { slot }: SlotData) -> Self {
        Self(slot)
    }
}

/// What a room must know of an instrument: its place and the scale of its mantissas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its place in the engine.
    pub slot: Slot,
    /// Power of ten of its price mantissas, −18 to 18.
    pub price_exponent: i8,
    /// Power of ten of its quantity mantissas, −18 to 18.
    pub qty_exponent: i8,
}

/// The instruments that a connection carries, by the venue's own codes.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// Sorted by code.
    by_code: Vec<Coded>,
    carried: usize,
    likely: Option<Likely>,
}

/// An instrument under one of its codes.
#[derive(Clone, Debug)]
struct Coded {
    head: u128,
    code: Box<[u8]>,
    route: Route,
}

/// The first sixteen bytes of a code as a number that is ordered as they are, zeros behind a shorter one: so a search among
/// codes compares numbers that lie beside each other.
#[inline]
fn head(code: &[u8]) -> u128 {
    if let Some(head) = code.first_chunk() {
        return u128::from_be_bytes(*head);
    }
    // The two halves of a shorter one overlap: what the first has already is shifted out of the second.
    let len = code.len() as u32;
    if let (Some(first), Some(last)) = (code.first_chunk(), code.last_chunk()) {
        let rest = u64::from_be_bytes(*last).unbounded_shl(8 * (16 - len));
        return u128::from(u64::from_be_bytes(*first)) << 64 | u128::from(rest);
    }
    if let (Some(first), Some(last)) = (code.first_chunk(), code.last_chunk()) {
        let rest = u32::from_be_bytes(*last).unbounded_shl(8 * (8 - len));
        return u128::from(u32::from_be_bytes(*first)) << 96 | u128::from(rest) << 64;
    }
    code.iter().rev().fold(0, |head, byte| head >> 8 | u128::from(*byte) << 120)
}

/// A code of at most 15 bytes as one word, with the quote that ends it in a message of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Likely {
    word: u128,
    mask: u128,
    /// The code in lower case, without the quote.
    lower: u128,
    len: u32,
    route: Route,
}

impl Likely {
    fn new(code: &[u8], route: Route) -> Option<Self> {
        let mut bytes = [0; 16];
        bytes.get_mut(..code.len())?.copy_from_slice(code);
        *bytes.get_mut(code.len())? = b'"';
        let len = code.len() as u32 + 1;
        let is_plain = !code.is_empty() && !code.iter().any(|byte| matches!(byte, b'"' | b'\\'));
        let mut lower = [0; 16];
        lower.get_mut(..code.len())?.copy_from_slice(&code.to_ascii_lowercase());
        is_plain.then(|| Self {
            word: u128::from_le_bytes(bytes),
            mask: u128::MAX >> (128 - 8 * len),
            lower: u128::from_le_bytes(lower),
            len,
            route,
        })
    }

    /// How many of these sixteen bytes are the code and its quote, and whose it is.
    #[inline]
    #[must_use]
    pub const fn starts(&self, bytes: u128) -> Option<(u32, Route)> {
        if bytes & self.mask == self.word { Some((self.len, self.route)) } else { None }
    }

    /// How many of these sixteen bytes are the code in lower case.
    #[inline]
    #[must_use]
    pub const fn starts_lower(&self, bytes: u128) -> Option<u32> {
        if bytes & (self.mask >> 8) == self.lower { Some(self.len - 1) } else { None }
    }
}

impl Routes {
    /// No route.
    #[must_use]
    pub const fn new() -> Self {
        Self { by_code: Vec::new(), carried: 0, likely: None }
    }

    /// The instrument of a code as it stands in a message. Called once or more a frame; costs a binary search.
    #[inline]
    #[must_use]
    pub fn find(&self, code: &[u8]) -> Option<Route> {
        let at = self.place_of(code).ok()?;
        self.by_code.get(at).map(|known| known.route)
    }

    /// Where a code stands, or would.
    #[inline]
    fn place_of(&self, code: &[u8]) -> Result<usize, usize> {
        let head = head(code);
        let mut at = self.by_code.partition_point(|known| known.head < head);
        while let Some(known) = self.by_code.get(at).filter(|known| known.head == head) {
            // Of two short ones of one length the head is all.
            if known.code.len() == code.len() && (code.len() <= size_of_val(&head) || *known.code == *code) {
                return Ok(at);
            }
            if *known.code > *code {
                break;
            }
            at += 1;
        }
        Err(at)
    }

    /// The instruments whose codes begin so. Costs a binary search.
    pub fn starting_with<'a>(&'a self, prefix: &'a [u8]) -> impl Iterator<Item = (&'a [u8], Route)> {
        let from = self.by_code.partition_point(|known| *known.code < *prefix);
        let behind = self.by_code.get(from..).unwrap_or_default().iter();
        let known = behind.take_while(move |known| known.code.starts_with(prefix));
        known.map(|known| (&*known.code, known.route))
    }

    /// What a reader may look for before it searches: one carried code, which is the only one on most connections.
    #[inline]
    #[must_use]
    pub const fn likely(&self) -> Option<&Likely> {
        self.likely.as_ref()
    }

    fn find_likely(&mut self) {
        self.likely = self.by_code.first().and_then(|known| Likely::new(&known.code, known.route));
    }

    /// The only instrument of the connection, if there is just one.
    #[must_use]
    pub fn sole(&self) -> Option<Route> {
        self.by_code.first().filter(|_| self.carried == 1).map(|known| known.route)
    }

    /// Instruments carried.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.carried
    }

    /// Whether none is carried.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.carried == 0
    }

    /// Carries an instrument under all its codes. False where one of them is another's: then nothing has changed.
    pub fn carry<'a>(&mut self, codes: impl Iterator<Item = &'a [u8]> + Clone, route: Route) -> bool {
        let is_others = |code: &[u8]| self.find(code).is_some_and(|known| known.slot != route.slot);
        if codes.clone().any(is_others) {
            return false;
        }
        self.carried += usize::from(self.by_code.iter().all(|known| known.route.slot != route.slot));
        for code in codes {
            match self.place_of(code) {
                Ok(at) => self.by_code[at].route = route,
                Err(at) => self.by_code.insert(at, Coded { head: head(code), code: code.into(), route }),
            }
        }
        self.find_likely();
        true
    }

    /// The codes of an instrument. Costs a pass over all.
    pub fn codes(&self, slot: Slot) -> impl Iterator<Item = &[u8]> {
        self.by_code.iter().filter(move |known| known.route.slot == slot).map(|known| &*known.code)
    }

    /// Carries an instrument no more. False where it was not carried.
    pub fn drop(&mut self, slot: Slot) -> bool {
        let before = self.by_code.len();
        self.by_code.retain(|known| known.route.slot != slot);
        let was_carried = self.by_code.len() < before;
        self.carried -= usize::from(was_carried);
        self.find_likely();
        was_carried
    }

    /// Notes a new scale.
    pub fn rescale(&mut self, route: Route) {
        for known in self.by_code.iter_mut().filter(|known| known.route.slot == route.slot) {
            known.route = route;
        }
        self.find_likely();
    }

    /// Every carried instrument, once a code.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.by_code.iter().map(|known| known.route.slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn route(slot: u32) -> Route {
        Route { slot: Slot(slot), price_exponent: -2, qty_exponent: -3 }
    }

    fn codes<'a>(list: &'a [&'a str]) -> impl Iterator<Item = &'a [u8]> + Clone {
        list.iter().map(|code| code.as_bytes())
    }

    #[test]
    fn every_code_of_an_instrument_finds_it() {
        let mut routes = Routes::new();
        assert!(routes.carry(codes(&["XBT/USD", "BTC/USD"]), route(1)));
        assert_eq!(routes.sole(), Some(route(1)));
        assert!(routes.carry(codes(&["ETH/USD"]), route(2)));
        assert_eq!((routes.find(b"BTC/USD"), routes.find(b"XBT/USD")), (Some(route(1)), Some(route(1))));
        assert_eq!((routes.find(b"BTC"), routes.sole(), routes.len()), (None, None, 2));
    }

    #[test]
    fn a_code_belongs_to_one_instrument() {
        let mut routes = Routes::new();
        assert!(routes.carry(codes(&["A"]), route(1)));
        assert!(!routes.carry(codes(&["B", "A"]), route(2)));
        assert_eq!((routes.len(), routes.find(b"B")), (1, None));
    }

    #[test]
    fn a_head_is_the_first_sixteen_bytes() {
        let code: Vec<u8> = (1..=20).collect();
        for len in 0..=code.len() {
            let mut bytes = [0; 16];
            bytes[..len.min(16)].copy_from_slice(&code[..len.min(16)]);
            assert_eq!(head(&code[..len]), u128::from_be_bytes(bytes), "{len}");
        }
    }

    proptest! {
        #[test]
        fn codes_are_found_as_in_a_map(
            carried in proptest::collection::vec(proptest::collection::vec(0u8..4, 0..20), 0..40),
            asked in proptest::collection::vec(proptest::collection::vec(0u8..4, 0..20), 0..40),
        ) {
            let mut routes = Routes::new();
            let mut map = std::collections::BTreeMap::new();
            for (slot, code) in (0..).zip(&carried) {
                if !map.contains_key(code) {
                    prop_assert!(routes.carry(std::iter::once(&code[..]), route(slot)));
                    map.insert(code.clone(), route(slot));
                }
            }
            for code in carried.iter().chain(&asked) {
                prop_assert_eq!(routes.find(code), map.get(code).copied());
                let starting: Vec<_> = routes.starting_with(code).map(|(_, route)| route).collect();
                let expected: Vec<_> =
                    map.iter().filter(|(known, _)| known.starts_with(code)).map(|(_, route)| *route).collect();
                prop_assert_eq!(starting, expected);
            }
        }
    }

    #[test]
    fn what_is_dropped_is_found_no_more_and_may_be_carried_again() {
        let mut routes = Routes::new();
        assert!(routes.carry(codes(&["A", "B"]), route(1)));
        assert!(routes.drop(Slot(1)) && !routes.drop(Slot(1)));
        assert!(routes.is_empty() && routes.find(b"A").is_none());
        assert!(routes.carry(codes(&["A"]), route(3)));
        routes.rescale(Route { price_exponent: -4, ..route(3) });
        assert_eq!(routes.find(b"A").map(|found| found.price_exponent), Some(-4));
    }
}
