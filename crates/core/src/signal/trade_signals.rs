//! Signals of trades, and of trades and the mid together. They hold while trades come whole.

use super::row::{FINE_DECIMALS, Over, RATIO_DECIMALS, Rows};
use super::{
    Illiquidity, Panes, PriceImpact, Rate, Recoveries, SignalId, SignalParams, Sums, Touch, TradeFlow,
    ValueArea, ValueProfile, Vpin,
};
use crate::types::{TimeNs, Trade};

/// What has to be back after a trade, in 1/1,000 of the quantity before.
const RECOVERED_PER_MILLE: u32 = 900;
/// Bars of the illiquidity in a window.
const BARS: u64 = super::BARS as u64;

/// Counts from a time on from which trades come whole.
#[derive(Clone, Debug)]
pub(super) struct TradeSignals {
    window_ns: u64,
    begun: TimeNs,
    window: Panes<TradeFlow>,
    all: TradeFlow,
    /// Since the last event of the book.
    since_event: TradeFlow,
    has_traded: bool,
    rate: Rate,
    vpin: Option<Vpin>,
    impact: Panes<PriceImpact>,
    illiquidity: Illiquidity,
    recoveries: Recoveries,
    profile: ValueProfile,
}

impl TradeSignals {
    /// Of a book that has this touch.
    pub(super) fn new(params: &SignalParams, touch: Option<Touch>, now: TimeNs) -> Option<Self> {
        let window_ns = params.window_ns;
        let mut begun = Self {
            window_ns,
            begun: now,
            window: Panes::new(window_ns)?,
            all: TradeFlow::default(),
            since_event: TradeFlow::default(),
            has_traded: false,
            rate: Rate::new(params.rate_mean_ns(), now)?,
            vpin: match params.vpin {
                Some(vpin) => Some(Vpin::new(vpin.volume, usize::from(vpin.buckets))?),
                None => None,
            },
            impact: Panes::new(window_ns)?,
            illiquidity: Illiquidity::new(window_ns / BARS)?,
            recoveries: Recoveries::new(RECOVERED_PER_MILLE)?,
            profile: ValueProfile::default(),
        };
        begun.begin(touch, now);
        Some(begun)
    }

    /// Begins anew, in the memory that it has.
    pub(super) fn begin(&mut self, touch: Option<Touch>, now: TimeNs) {
        self.begun = now;
        self.window.clear();
        self.window.advance(now);
        (self.all, self.since_event, self.has_traded) = Default::default();
        self.rate.begin(now);
        if let Some(vpin) = &mut self.vpin {
            vpin.clear();
        }
        self.impact.clear();
        self.impact.advance(now);
        self.illiquidity.clear();
        self.illiquidity.set(touch, now);
        self.recoveries.clear();
        self.profile.clear();
        self.recoveries.set(touch, false, now);
    }

    #[inline]
    pub(super) fn trade(&mut self, trade: &Trade, now: TimeNs) {
        let flow = TradeFlow::of(trade);
        self.window.advance(now);
        self.window.add(&flow);
        self.all.add(&flow);
        self.since_event.add(&flow);
        self.has_traded = true;
        self.rate.add(1, now);
        if let Some(vpin) = &mut self.vpin {
            vpin.trade(trade.qty, trade.aggressor);
        }
        self.illiquidity.trade(trade, now);
        self.profile.trade(trade);
    }

    /// The book after an event, and before it.
    #[inline]
    pub(super) fn event(&mut self, before: Option<Touch>, after: Option<Touch>, now: TimeNs) {
        if before != after {
            self.illiquidity.set(after, now);
            self.recoveries.set(after, self.has_traded, now);
        }
        if !std::mem::take(&mut self.has_traded) {
            return;
        }
        let flow = std::mem::take(&mut self.since_event);
        let (Some(before), Some(after)) = (before, after) else { return };
        if let (Some(_), Some(volume)) = (flow.imbalance(), flow.delta()) {
            self.impact.advance(now);
            self.impact.add(&PriceImpact::of(volume, after.mid_doubled() - before.mid_doubled()));
        }
    }

    /// The values as of a time that is not before any event.
    pub(super) fn write(&mut self, now: TimeNs, out: &mut Rows<'_>) {
        self.window.advance(now);
        self.impact.advance(now);
        self.illiquidity.pass(now);
        let passed_ns = now.saturating_sub(self.begun);
        let window_ns = self.window_ns;
        let over = Over { window_ns, is_partial: !self.window.is_warm() };
        let flow = self.window.sum();
        let since = Over { window_ns: passed_ns, is_partial: false };
        out.number(SignalId::TradeImbalance, flow.imbalance(), RATIO_DECIMALS, over);
        out.qty(SignalId::VolumeDelta, self.all.delta().filter(|_| passed_ns > 0), since);
        out.price(SignalId::TradedPrice, flow.vwap(), over);
        let rate = (passed_ns > 0).then(|| self.rate.per_second(now));
        let of_rate = Over { window_ns, is_partial: !self.rate.is_warm(now) };
        out.number(SignalId::TradeRate, rate, FINE_DECIMALS, of_rate);
        let vpin = self.vpin.as_ref().and_then(Vpin::value);
        out.number(SignalId::Vpin, vpin, RATIO_DECIMALS, Over::MOMENT);
        let (price, qty) = (i32::from(out.price_exponent), i32::from(out.qty_exponent));
        out.digits(SignalId::PriceImpact, self.impact.sum().lambda(), price - qty, over);
        out.digits(SignalId::Illiquidity, self.illiquidity.value(), -price - qty, over);
        let recoveries = self.recoveries.value();
        let updates = recoveries.and_then(|of| of.updates).map(i128::from);
        out.exact(SignalId::RecoveryUpdates, updates, 0, since);
        let ns = recoveries.and_then(|of| of.ns).map(i128::from);
        out.exact(SignalId::RecoveryTime, ns, -9, since);
        let unrecovered = recoveries.map(|of| of.unrecovered);
        out.number(SignalId::Unrecovered, unrecovered, RATIO_DECIMALS, since);
        if let Some(ValueArea { poc, low, high }) = self.profile.area().filter(|_| passed_ns > 0) {
            for (id, price) in
                [(SignalId::PointOfControl, poc), (SignalId::ValueLow, low), (SignalId::ValueHigh, high)]
            {
                out.exact(id, Some(price.0.into()), out.price_exponent, since);
            }
        }
    }
}
