//! Books of levels: each message applied, then something read.

use std::rc::Rc;

use depthwire_core::aggregate::{BucketSides, Buckets, Tracked};
use depthwire_core::book::{L2Book, NaiveBook};
use depthwire_core::types::{KnownTo, Level, Levels, Price, Side};

use super::market::{LevelMarket, SPEC};
use super::{Operation, mix};

/// Levels a side that are read.
const TOP: usize = 20;
/// Buckets a side that are read, and how wide they are.
const BUCKETS: usize = 10;
const WIDTH: i64 = SPEC.tick_size * 10;

/// What is read after each message.
#[derive(Clone, Copy)]
pub(super) enum Reads {
    Best,
    Top,
    Buckets,
}

#[inline]
fn mix_level(hash: u64, level: Option<Level>) -> u64 {
    let Level { price, qty } = level.unwrap_or_default();
    mix(mix(hash, price.0 as u64), qty.0 as u64)
}

#[inline]
const fn mix_bucket(hash: u64, price: Price, qty: i128) -> u64 {
    mix(mix(hash, price.0 as u64), qty as u64)
}

/// The plain way: ordered maps, walked.
pub(super) struct Maps {
    market: Rc<LevelMarket>,
    book: NaiveBook,
    reads: Reads,
}

impl Maps {
    pub(super) fn new(market: Rc<LevelMarket>, reads: Reads) -> Self {
        Self { market, book: NaiveBook::new(SPEC), reads }
    }

    fn read(&self) -> u64 {
        let sides = [Side::Bid, Side::Ask];
        match self.reads {
            Reads::Best => mix_level(mix_level(0, self.book.best_bid()), self.book.best_ask()),
            Reads::Top => {
                let levels = sides.into_iter().flat_map(|side| self.book.levels(side).take(TOP));
                levels.map(Some).fold(0, mix_level)
            }
            Reads::Buckets => sides.into_iter().fold(0, |hash, side| self.buckets(hash, side)),
        }
    }

    fn buckets(&self, mut hash: u64, side: Side) -> u64 {
        let end_of = |price: i64| match side {
            Side::Bid => price.div_euclid(WIDTH) * WIDTH,
            Side::Ask => -(-price).div_euclid(WIDTH) * WIDTH,
        };
        let mut levels = self.book.levels(side).peekable();
        for _ in 0..BUCKETS {
            let Some(first) = levels.peek() else { break };
            let end = end_of(first.price.0);
            let mut qty = 0;
            while let Some(level) = levels.next_if(|level| end_of(level.price.0) == end) {
                qty += i128::from(level.qty.0);
            }
            hash = mix_bucket(hash, Price(end), qty);
        }
        hash
    }
}

impl Operation for Maps {
    fn rewind(&mut self) {
        // A book refuses no level that the market of this module has.
        let _ = self.book.load(self.market.snapshot.view(), KnownTo::WHOLE);
    }

    fn run(&mut self, things: usize) -> u64 {
        let market = Rc::clone(&self.market);
        let mut hash = 0;
        for message in market.messages.iter().take(things) {
            let is_applied = self.book.apply(message.view()).is_ok();
            hash = mix(mix(hash, u64::from(is_applied)), self.read());
        }
        hash
    }
}

/// The engine's book and views.
pub(super) struct Ladder {
    market: Rc<LevelMarket>,
    book: L2Book,
    reads: Reads,
    top: Levels,
    buckets: Option<Tracked<Buckets>>,
}

impl Ladder {
    pub(super) fn new(market: Rc<LevelMarket>, reads: Reads) -> Self {
        let buckets = Buckets::new(WIDTH, BUCKETS as u32).map(Tracked::new);
        Self { market, book: L2Book::new(SPEC), reads, top: Levels::default(), buckets }
    }

    #[inline]
    fn read(&mut self) -> u64 {
        match (self.reads, &mut self.buckets) {
            (Reads::Best, _) => mix_level(mix_level(0, self.book.best_bid()), self.book.best_ask()),
            (Reads::Top, _) => {
                self.top.clear();
                for side in [Side::Bid, Side::Ask] {
                    self.book.levels(side).append_to(TOP, self.top.side_mut(side));
                }
                self.top.bids.iter().chain(&self.top.asks).copied().map(Some).fold(0, mix_level)
            }
            (Reads::Buckets, Some(view)) => {
                let BucketSides { bids, asks } = view.read(&self.book);
                bids.iter().chain(asks).fold(0, |hash, bucket| mix_bucket(hash, bucket.price, bucket.qty))
            }
            (Reads::Buckets, None) => 0,
        }
    }
}

impl Operation for Ladder {
    fn rewind(&mut self) {
        let _ = self.book.load(self.market.snapshot.view(), KnownTo::WHOLE);
        if let Some(view) = &mut self.buckets {
            view.invalidate();
        }
    }

    fn run(&mut self, things: usize) -> u64 {
        let market = Rc::clone(&self.market);
        let mut hash = 0;
        for message in market.messages.iter().take(things) {
            let touched = self.book.apply(message.view());
            if let (Ok(touched), Some(view)) = (&touched, &mut self.buckets) {
                view.touch(*touched);
            }
            hash = mix(mix(hash, u64::from(touched.is_ok())), self.read());
        }
        hash
    }
}
