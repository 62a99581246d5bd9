//! All signals of one instrument: what each event of the venue does to them, and their values after it.

use super::row::{FINE_DECIMALS, Over, RATIO_DECIMALS, Rows};
use super::trade_signals::TradeSignals;
use super::{
    BUCKETS_MAX, HeldPrice, MicroPrice, OrderFlow, Panes, Rate, RealisedVolatility, SignalId, SignalRow,
    Sums, Touch, TouchChanges, depth_imbalance,
};
use crate::aggregate::{Bbo, View, WithinBps};
use crate::book::L2Book;
use crate::types::{Level, Qty, Side, TimeNs, Trade};

/// Shortest and longest window, ns.
pub const SIGNAL_WINDOW_NS: core::ops::RangeInclusive<u64> = 1_000_000_000..=3_600_000_000_000;

/// A rate is as long until it is warm as the window.
const RATE_MEANS: u64 = 3;
/// Levels a side of which the order flow is.
const FLOW_LEVELS: usize = 5;
/// Levels a side of which the deepest imbalance is.
const IMBALANCE_LEVELS: usize = 10;
/// Bands of the depth around the mid.
const BANDS: [(u32, SignalId, SignalId); 4] = [
    (5, SignalId::BidDepth5, SignalId::AskDepth5),
    (10, SignalId::BidDepth10, SignalId::AskDepth10),
    (25, SignalId::BidDepth25, SignalId::AskDepth25),
    (50, SignalId::BidDepth50, SignalId::AskDepth50),
];
const FLOWS: [SignalId; FLOW_LEVELS] = [
    SignalId::OrderFlow1,
    SignalId::OrderFlow2,
    SignalId::OrderFlow3,
    SignalId::OrderFlow4,
    SignalId::OrderFlow5,
];
/// Changes of the touch before the first fit of the micro-price; the next is at twice as many.
const FIRST_FIT: u64 = 256;

/// What VPIN is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VpinParams {
    /// Volume of a bucket, above 0.
    pub volume: Qty,
    /// Buckets, 1 to [`BUCKETS_MAX`].
    pub buckets: u16,
}

/// What signals are computed of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalParams {
    /// The window of those that have one, within [`SIGNAL_WINDOW_NS`].
    pub window_ns: u64,
    /// None: VPIN is not told.
    pub vpin: Option<VpinParams>,
}

impl SignalParams {
    /// Whether they are within what is stated.
    #[must_use]
    pub fn are_possible(&self) -> bool {
        let is_vpin =
            |vpin: VpinParams| vpin.volume.0 > 0 && (1..=BUCKETS_MAX).contains(&usize::from(vpin.buckets));
        SIGNAL_WINDOW_NS.contains(&self.window_ns) && self.vpin.is_none_or(is_vpin)
    }

    pub(super) const fn rate_mean_ns(&self) -> u64 {
        self.window_ns / RATE_MEANS
    }
}

/// The scale of an instrument's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalScale {
    /// Power of ten of prices.
    pub price_exponent: i8,
    /// Power of ten of quantities.
    pub qty_exponent: i8,
    /// Step of its prices, in mantissa units; 0 = not known.
    pub tick_size: i64,
}

/// What has flowed at some levels.
#[derive(Clone, Copy, Debug)]
struct Flow<const LEVELS: usize>([i128; LEVELS]);

impl<const LEVELS: usize> Default for Flow<LEVELS> {
    fn default() -> Self {
        Self([0; LEVELS])
    }
}

impl<const LEVELS: usize> Sums for Flow<LEVELS> {
    fn add(&mut self, more: &Self) {
        // Each step is within ±2^65.
        self.0.iter_mut().zip(more.0).for_each(|(sum, more)| *sum = sum.saturating_add(more));
    }
}

/// The signals of one book and its trades, from a moment on at which both are whole. None of them holds anything of before.
///
/// Every event of the venue is told once, behind its last change, with its time; times are those at which the events were
/// received, and one that is earlier than one before counts as that. Values are those after the last event: time alone
/// changes none, so that who tells the same events reads the same bits, however often and when.
///
/// Allocates when it is made. Cost of an event: the five best levels a side are read, and what has changed is added.
#[derive(Clone, Debug)]
pub struct Signals {
    params: SignalParams,
    scale: SignalScale,
    now: TimeNs,
    begun: TimeNs,
    touch: Option<Touch>,
    flow: OrderFlow<FLOW_LEVELS>,
    /// Of the best level, and of those behind it; begun anew where the levels before or after an event are not known.
    flow_best: Panes<Flow<1>>,
    flow_deep: Panes<Flow<{ FLOW_LEVELS - 1 }>>,
    rate: Rate,
    twap: HeldPrice,
    volatility: RealisedVolatility,
    changes: Option<TouchChanges>,
    changes_counted: u64,
    micro_price: Option<MicroPrice>,
    trades: TradeSignals,
    /// Whether trades come whole since those were begun.
    has_trades: bool,
    /// Reused.
    levels: [Vec<Level>; 2],
}

impl Signals {
    /// Begins with a book; `is_doubted`: its top lies beyond what the venue has made known. `has_trades`: they come whole
    /// from now on. None of parameters that are not possible.
    #[must_use]
    pub fn new(
        params: SignalParams,
        scale: SignalScale,
        (book, is_doubted): (&L2Book, bool),
        has_trades: bool,
        now: TimeNs,
    ) -> Option<Self> {
        if !params.are_possible() {
            return None;
        }
        let window_ns = params.window_ns;
        let mut begun = Self {
            params,
            scale,
            now,
            begun: now,
            touch: None,
            flow: OrderFlow::default(),
            flow_best: Panes::new(window_ns)?,
            flow_deep: Panes::new(window_ns)?,
            rate: Rate::new(params.rate_mean_ns(), now)?,
            twap: HeldPrice::new(window_ns)?,
            volatility: RealisedVolatility::new(window_ns)?,
            changes: TouchChanges::new(scale.tick_size),
            changes_counted: 0,
            micro_price: None,
            trades: TradeSignals::new(&params, None, now)?,
            has_trades: false,
            levels: [(); 2].map(|()| Vec::with_capacity(IMBALANCE_LEVELS)),
        };
        begun.begin((book, is_doubted), has_trades, now);
        Some(begun)
    }

    /// What they are computed of.
    #[must_use]
    pub const fn params(&self) -> &SignalParams {
        &self.params
    }

    /// The time of the last event.
    #[must_use]
    pub const fn now(&self) -> TimeNs {
        self.now
    }

    /// Another scale from now on: `volume` is that of a bucket at it. [`Self::begin`] has to follow.
    pub fn rescale(&mut self, scale: SignalScale, volume: impl Fn(i64) -> i64) {
        if let Some(vpin) = &mut self.params.vpin {
            vpin.volume = Qty(volume(vpin.volume.0).max(1));
        }
        self.scale = scale;
        self.set_tick_size(scale.tick_size);
        if let Some(trades) = TradeSignals::new(&self.params, None, self.now) {
            self.trades = trades;
        }
    }

    /// Another step of prices from now on, to which the micro-price is fitted anew.
    pub fn set_tick_size(&mut self, tick_size: i64) {
        if self.changes.as_ref().is_some_and(|changes| changes.tick_size() == i128::from(tick_size)) {
            return;
        }
        self.scale.tick_size = tick_size;
        self.changes = TouchChanges::new(tick_size);
        (self.changes_counted, self.micro_price) = (0, None);
    }

    /// Everything begins anew, with a book; see [`Self::new`].
    pub fn begin(&mut self, (book, is_doubted): (&L2Book, bool), has_trades: bool, now: TimeNs) {
        (self.now, self.begun) = (now, now);
        self.touch = touch_of(book, is_doubted);
        self.flow.forget();
        self.flow_best.clear();
        self.flow_deep.clear();
        self.flow_event(book, now);
        self.rate.begin(now);
        self.twap.clear();
        self.twap.set(self.touch, now);
        self.volatility.clear();
        self.volatility.set(self.touch, now);
        if let Some(changes) = &mut self.changes {
            changes.clear();
            changes.set(self.touch);
        }
        (self.changes_counted, self.micro_price) = (0, None);
        self.trades.begin(self.touch, now);
        self.has_trades = has_trades;
    }

    /// Trades may be missing from now on: those that come next begin anew what is made of them.
    pub fn lose_trades(&mut self) {
        self.has_trades = false;
    }

    /// A trade.
    pub fn trade(&mut self, trade: &Trade, now: TimeNs) {
        self.now = self.now.max(now);
        if !self.has_trades {
            self.has_trades = true;
            self.trades.begin(self.touch, self.now);
        }
        self.trades.trade(trade, self.now);
    }

    /// The book behind an event; see [`Self::new`].
    pub fn event(&mut self, (book, is_doubted): (&L2Book, bool), now: TimeNs) {
        self.now = self.now.max(now);
        let now = self.now;
        let after = touch_of(book, is_doubted);
        let before = std::mem::replace(&mut self.touch, after);
        self.rate.add(1, now);
        if before != after {
            self.twap.set(after, now);
            self.volatility.set(after, now);
            self.touch_changed();
        }
        if self.has_trades {
            self.trades.event(before, after, now);
        }
        self.flow_event(book, now);
    }

    fn touch_changed(&mut self) {
        let Some(changes) = &mut self.changes else { return };
        changes.set(self.touch);
        self.changes_counted += 1;
        if self.changes_counted >= FIRST_FIT && self.changes_counted.is_power_of_two() {
            self.micro_price = changes.fit();
        }
    }

    fn flow_event(&mut self, book: &L2Book, now: TimeNs) {
        let [bids, asks] = &mut self.levels;
        let [bids_known, asks_known] = [(Side::Bid, bids), (Side::Ask, asks)].map(|(side, levels)| {
            levels.clear();
            book.levels(side).append_to(FLOW_LEVELS, levels);
            known_levels(book, side, levels)
        });
        let known = if self.touch.is_some() { bids_known.min(asks_known) } else { 0 };
        let [bids, asks] = &self.levels;
        let step = if known > 0 {
            self.flow.step(bids, asks)
        } else {
            self.flow.forget();
            None
        };
        let [best, deep @ ..] = step.unwrap_or_default();
        let is_deep = known >= FLOW_LEVELS;
        take_flow(&mut self.flow_best, step.map(|_| Flow([best])), known > 0, now);
        take_flow(&mut self.flow_deep, step.map(|_| Flow(deep)), is_deep, now);
    }

    /// Writes a row of each signal that has a value after the last event, whose book this is.
    ///
    /// Cost: the ten best levels a side, sums of four bands, and sixteen panes of each window. Allocates nothing where
    /// `rows` has room.
    pub fn write(&mut self, book: &L2Book, rows: &mut Vec<SignalRow>) {
        let now = self.now;
        let SignalScale { price_exponent, qty_exponent, .. } = self.scale;
        rows.clear();
        let mut out = Rows { rows, price_exponent, qty_exponent, at: now };
        self.write_touch(&mut out);
        self.write_depth(book, &mut out);
        self.write_windows(&mut out);
        if self.has_trades {
            self.trades.write(now, &mut out);
        }
    }

    fn write_touch(&self, out: &mut Rows<'_>) {
        let Some(touch) = self.touch else { return };
        let of = Over::MOMENT;
        // Half of a sum is five tenths of it.
        let exponent = out.price_exponent.saturating_sub(1);
        out.exact(SignalId::Mid, touch.mid_doubled().checked_mul(5), exponent, of);
        out.exact(SignalId::Spread, Some(touch.spread()), out.price_exponent, of);
        out.number(SignalId::SpreadBps, touch.spread_bps(), FINE_DECIMALS, of);
        out.price(SignalId::WeightedMid, Some(touch.weighted_mid()), of);
        let micro_price = self.micro_price.as_ref().and_then(|fit| fit.of(touch));
        out.price(SignalId::MicroPrice, micro_price, of);
    }

    fn write_depth(&mut self, book: &L2Book, out: &mut Rows<'_>) {
        if self.touch.is_none() {
            return;
        }
        let [bids, asks] = &mut self.levels;
        let known = [(Side::Bid, bids), (Side::Ask, asks)].map(|(side, levels)| {
            levels.clear();
            book.levels(side).append_to(IMBALANCE_LEVELS, levels);
            known_levels(book, side, levels)
        });
        let known = known[0].min(known[1]);
        let [bids, asks] = &self.levels;
        for (depth, id) in [(1, SignalId::Imbalance1), (5, SignalId::Imbalance5), (10, SignalId::Imbalance10)]
        {
            let imbalance = depth_imbalance(bids, asks, depth, known >= depth);
            out.number(id, imbalance, RATIO_DECIMALS, Over::MOMENT);
        }
        let mut band = None;
        for (bps, bid, ask) in BANDS {
            WithinBps { bps }.compute(book, &mut band);
            let Some(band) = band else { return };
            for (id, depth) in [(bid, band.bid), (ask, band.ask)] {
                out.qty(id, depth.is_known.then_some(depth.qty), Over::MOMENT);
            }
        }
    }

    fn write_windows(&mut self, out: &mut Rows<'_>) {
        let (now, window_ns) = (self.now, self.params.window_ns);
        let over = |is_warm: bool| Over { window_ns, is_partial: !is_warm };
        if self.flow_best.covered() > 0 {
            self.flow_best.advance(now);
            let Flow([best]) = self.flow_best.sum();
            out.qty(FLOWS[0], Some(best), over(self.flow_best.is_warm()));
        }
        if self.flow_deep.covered() > 0 {
            self.flow_deep.advance(now);
            let Flow(deep) = self.flow_deep.sum();
            let of = over(self.flow_deep.is_warm());
            FLOWS[1..].iter().zip(deep).for_each(|(id, flow)| out.qty(*id, Some(flow), of));
        }
        self.twap.pass(now);
        out.price(SignalId::HeldPrice, self.twap.average(), over(self.twap.is_warm()));
        if now > self.begun {
            let of = over(self.rate.is_warm(now));
            out.number(SignalId::BookRate, Some(self.rate.per_second(now)), FINE_DECIMALS, of);
        }
        self.volatility.pass(now);
        let of = over(self.volatility.is_warm());
        out.number(SignalId::Volatility, self.volatility.value(), RATIO_DECIMALS, of);
    }
}

/// Adds a step, or forgets what was where its levels are not known.
#[inline]
fn take_flow<S: Sums>(panes: &mut Panes<S>, step: Option<S>, is_known: bool, now: TimeNs) {
    if !is_known {
        return panes.clear();
    }
    // What led from levels that were not known to known ones is not known either.
    let follows = panes.has_begun();
    panes.advance(now);
    if let Some(step) = step.filter(|_| follows) {
        panes.add(&step);
    }
}

fn touch_of(book: &L2Book, is_doubted: bool) -> Option<Touch> {
    let top = Bbo { bid: book.best_bid(), ask: book.best_ask() };
    if is_doubted { None } else { Touch::of(top) }
}

/// How many of a side's best levels are known: of those that are there up to the first that the venue has not made known,
/// and beyond the last one all, where the whole side is.
fn known_levels(book: &L2Book, side: Side, levels: &[Level]) -> usize {
    let known_to = book.known_to();
    let known = levels.iter().take_while(|level| known_to.covers(side, level.price)).count();
    let is_whole = known_to.side(side) == crate::types::KnownTo::WHOLE.side(side);
    if is_whole { IMBALANCE_LEVELS } else { known }
}
