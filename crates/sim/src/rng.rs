//! The only source of chance: xoshiro256**, seeded through splitmix64 (Blackman and Vigna).

/// A seeded generator with integer draws. Equal seeds give equal draws everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// A generator for one purpose: `stream` keeps those of one seed apart.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut counter = seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95);
        Self { state: std::array::from_fn(|_| splitmix64(&mut counter)) }
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let (mut a, mut b, mut c, mut d) = (a, b, c, d);
        let drawn = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = b << 17;
        c ^= a;
        d ^= b;
        b ^= c;
        a ^= d;
        c ^= shifted;
        d = d.rotate_left(45);
        self.state = [a, b, c, d];
        drawn
    }

    /// A number in `0..bound`; 0 where `bound` is 0. Multiplies and shifts: the bias is below 2^-32 for the
    /// bounds in use, and no draw is ever repeated.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// True in `permille` of 1,000 draws.
    pub(crate) fn chance(&mut self, permille: u64) -> bool {
        self.below(1_000) < permille
    }

    /// A bell-shaped number around 0: the sum of four uniform ones in -256..=256, standard deviation 297.
    pub(crate) fn bell(&mut self) -> i64 {
        (0..4).map(|_| self.below(513) as i64 - 256).sum()
    }
}

fn splitmix64(counter: &mut u64) -> u64 {
    *counter = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *counter;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_the_published_sequence() {
        let mut counter = 1_234_567;
        let drawn: Vec<u64> = (0..3).map(|_| splitmix64(&mut counter)).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn xoshiro_gives_the_published_sequence() {
        let mut rng = Rng { state: [1, 2, 3, 4] };
        let drawn: Vec<u64> = (0..4).map(|_| rng.bits()).collect();
        assert_eq!(drawn, [11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240]);
    }

    #[test]
    fn draws_stay_in_bounds_and_streams_differ() {
        let (mut one, mut two) = (Rng::new(7, 0), Rng::new(7, 1));
        assert_ne!(one.bits(), two.bits());
        assert!((0..1_000).all(|_| one.below(10) < 10));
        assert_eq!(one.below(0), 0);
        assert!((0..1_000).all(|_| one.bell().abs() <= 1_024));
    }
}
