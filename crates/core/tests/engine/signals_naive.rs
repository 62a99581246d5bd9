//! Signals from their definitions, over whole histories that are kept: nothing is carried from one event to the next.

#![allow(clippy::float_arithmetic, reason = "values are compared with real numbers")]

use std::collections::BTreeMap;

use depthwire_core::aggregate::Bbo;
use depthwire_core::signal::{SignalId, SignalParams, Touch, TouchChanges};
use depthwire_core::types::{Aggressor, KnownTo, Level, Side, Trade};

/// A book behind an event.
pub struct Book {
    pub at: u64,
    pub sides: [Vec<Level>; 2],
    pub known_to: KnownTo,
    pub is_doubted: bool,
}

/// A trade, and how many books there were before it.
pub struct Traded {
    pub at: u64,
    pub trade: Trade,
    pub books: usize,
}

/// All that happened in one epoch, its first book with it.
#[derive(Default)]
pub struct History {
    pub books: Vec<Book>,
    pub trades: Vec<Traded>,
    /// When trades began to come whole, and how many books there were.
    pub trades_from: Option<(u64, usize)>,
}

/// A value in the instrument's units, what it is computed over, and whether that is less than the window.
#[derive(Debug)]
pub struct Expected {
    pub value: f64,
    pub window_ns: u64,
    pub is_partial: bool,
}

const BARS: u64 = 16;
const PANES: u64 = 16;
const YEAR_NS: f64 = 365.25 * 86_400e9;

pub fn touch(book: &Book) -> Option<Touch> {
    let [bids, asks] = &book.sides;
    let top = Bbo { bid: bids.first().copied(), ask: asks.first().copied() };
    if book.is_doubted { None } else { Touch::of(top) }
}

fn known(book: &Book) -> usize {
    let sides = [Side::Bid, Side::Ask].into_iter().zip(&book.sides);
    let known = sides.map(|(side, levels)| {
        levels.iter().position(|level| !book.known_to.covers(side, level.price)).unwrap_or(levels.len())
    });
    known.min().unwrap()
}

/// Cont, Kukanov and Stoikov's e at one level: what is missing is beyond all prices, and holds nothing.
fn flow(before: &Book, after: &Book, at: usize) -> i128 {
    let bid = |book: &Book| {
        book.sides[0].get(at).map_or((i64::MIN, 0), |level| (level.price.0, i128::from(level.qty.0)))
    };
    let ask = |book: &Book| {
        book.sides[1].get(at).map_or((i64::MAX, 0), |level| (level.price.0, i128::from(level.qty.0)))
    };
    let ((b, bq), (b0, bq0)) = (bid(after), bid(before));
    let ((a, aq), (a0, aq0)) = (ask(after), ask(before));
    let is = |condition: bool| i128::from(condition);
    is(b >= b0) * bq - is(b <= b0) * bq0 - is(a <= a0) * aq + is(a >= a0) * aq0
}

impl History {
    /// Every signal behind the last event, at `now`.
    pub fn signals(
        &self,
        params: &SignalParams,
        tick: i64,
        (price, qty): (f64, f64),
        now: u64,
    ) -> BTreeMap<SignalId, Expected> {
        let mut all = BTreeMap::new();
        let mut put = |id, value: Option<f64>, window_ns, is_partial| {
            value.map(|value| all.insert(id, Expected { value, window_ns, is_partial }));
        };
        let begun = self.books[0].at;
        let window_ns = params.window_ns;
        let pane = window_ns / PANES;
        let from = (now / pane).saturating_sub(PANES - 1) * pane;
        let is_cold = |begun: u64| now / pane - begun / pane < PANES;
        let last = self.books.last().unwrap();
        let top = touch(last);

        // Of the moment.
        if let Some(touch) = top {
            let (bid, ask) = (touch.bid().0 as f64, touch.ask().0 as f64);
            let (bids, asks) = (touch.bid_qty().0 as f64, touch.ask_qty().0 as f64);
            let mid = f64::midpoint(bid, ask);
            put(SignalId::Mid, Some(mid * price), 0, false);
            put(SignalId::Spread, Some((ask - bid) * price), 0, false);
            put(SignalId::SpreadBps, (mid > 0.0).then(|| (ask - bid) / mid * 1e4), 0, false);
            let weighted = (bid * asks + ask * bids) / (bids + asks);
            put(SignalId::WeightedMid, Some(weighted * price), 0, false);
            put(SignalId::MicroPrice, self.micro_price(tick, touch).map(|value| value * price), 0, false);
            for (depth, id) in
                [(1, SignalId::Imbalance1), (5, SignalId::Imbalance5), (10, SignalId::Imbalance10)]
            {
                let [bids, asks] = [0, 1].map(|side| {
                    last.sides[side].iter().take(depth).map(|level| level.qty.0 as f64).sum::<f64>()
                });
                let value = (known(last) >= depth).then(|| (bids - asks) / (bids + asks));
                put(id, value, 0, false);
            }
            for (bps, ids) in [
                (5, [SignalId::BidDepth5, SignalId::AskDepth5]),
                (10, [SignalId::BidDepth10, SignalId::AskDepth10]),
                (25, [SignalId::BidDepth25, SignalId::AskDepth25]),
                (50, [SignalId::BidDepth50, SignalId::AskDepth50]),
            ] {
                let mid2 = touch.mid_doubled();
                for (side, id) in [Side::Bid, Side::Ask].into_iter().zip(ids) {
                    let away = |price: i64| match side {
                        Side::Bid => mid2 - 2 * i128::from(price),
                        Side::Ask => 2 * i128::from(price) - mid2,
                    };
                    let is_within = |price: i64| away(price) * 10_000 <= mid2 * bps;
                    let levels = last.sides[side as usize].iter().filter(|level| is_within(level.price.0));
                    let sum = levels.map(|level| level.qty.0 as f64).sum::<f64>();
                    // The first price that is not known lies outside.
                    let bound = last.known_to.side(side).0;
                    let beyond = if side == Side::Bid { bound - 1 } else { bound + 1 };
                    put(id, (!is_within(beyond)).then_some(sum * qty), 0, false);
                }
            }
        }

        // Order flow: of the events behind the last one whose levels were not known.
        for (levels, ids) in [
            (1, &[SignalId::OrderFlow1][..]),
            (
                5,
                &[SignalId::OrderFlow2, SignalId::OrderFlow3, SignalId::OrderFlow4, SignalId::OrderFlow5][..],
            ),
        ] {
            let is_known = |book: &Book| touch(book).is_some() && known(book) >= levels;
            let first = self.books.iter().rposition(|book| !is_known(book)).map_or(0, |at| at + 1);
            let Some(begun) = self.books.get(first).map(|book| book.at) else { continue };
            for (at, id) in ids.iter().enumerate() {
                let level = if levels == 1 { 0 } else { at + 1 };
                let steps = self.books[first..].windows(2).filter(|pair| pair[1].at >= from);
                let sum: i128 = steps.map(|pair| flow(&pair[0], &pair[1], level)).sum();
                put(*id, (last.at > begun).then_some(sum as f64 * qty), window_ns, is_cold(begun));
            }
        }

        // The mid over time.
        let (mut held, mut held_ns) = (0.0, 0.0);
        for (at, book) in self.books.iter().enumerate() {
            let end = self.books.get(at + 1).map_or(now, |next| next.at);
            let ns = end.saturating_sub(book.at.max(from)) as f64;
            if let Some(touch) = touch(book) {
                held += touch.mid() * ns;
                held_ns += ns;
            }
        }
        let twap = (held_ns > 0.0).then(|| held / held_ns * price);
        put(SignalId::HeldPrice, twap, window_ns, is_cold(begun));
        let mut squares = 0.0;
        for pair in self.books.windows(2).filter(|pair| pair[1].at >= from) {
            if let (Some(before), Some(after)) = (touch(&pair[0]), touch(&pair[1])) {
                squares += (after.mid() / before.mid()).ln().powi(2);
            }
        }
        let covered = now - begun.max(from);
        let volatility = (covered > 0).then(|| (squares * YEAR_NS / covered as f64).sqrt());
        put(SignalId::Volatility, volatility, window_ns, is_cold(begun));
        let mean_ns = window_ns / 3;
        let rate = |times: &mut dyn Iterator<Item = u64>| {
            times.map(|at| 1e9 / mean_ns as f64 * (-((now - at) as f64) / mean_ns as f64).exp()).sum::<f64>()
        };
        let events = rate(&mut self.books[1..].iter().map(|book| book.at));
        let is_cold_rate = |begun: u64| (now - begun) / mean_ns < 3;
        put(SignalId::BookRate, (now > begun).then_some(events), window_ns, is_cold_rate(begun));

        // Trades.
        let Some((begun, begun_books)) = self.trades_from else { return all };
        let since = now - begun;
        let trades = || self.trades.iter();
        let signed = |trade: &Trade| match trade.aggressor {
            Aggressor::Buy => trade.qty.0 as f64,
            Aggressor::Sell => -(trade.qty.0 as f64),
            Aggressor::Unknown => 0.0,
        };
        let (mut net, mut taken, mut all_qty, mut value) = (0.0, 0.0, 0.0, 0.0);
        for Traded { trade, .. } in trades().filter(|traded| traded.at >= from) {
            net += signed(trade);
            taken += signed(trade).abs();
            all_qty += trade.qty.0 as f64;
            value += trade.price.0 as f64 * trade.qty.0 as f64;
        }
        put(SignalId::TradeImbalance, (taken > 0.0).then(|| net / taken), window_ns, is_cold(begun));
        let average = (all_qty > 0.0).then(|| value / all_qty * price);
        put(SignalId::TradedPrice, average, window_ns, is_cold(begun));
        let delta = trades().map(|traded| signed(&traded.trade)).sum::<f64>();
        put(SignalId::VolumeDelta, (since > 0).then_some(delta * qty), since, false);
        let of_trades = rate(&mut trades().map(|traded| traded.at));
        put(SignalId::TradeRate, (since > 0).then_some(of_trades), window_ns, is_cold_rate(begun));
        put(SignalId::Vpin, self.vpin(params), 0, false);
        let lambda = self.lambda(from, begun_books).map(|slope| slope * price / qty);
        put(SignalId::PriceImpact, lambda, window_ns, is_cold(begun));
        let amihud = self.illiquidity(begun, window_ns / BARS, now).map(|value| value / price / qty);
        put(SignalId::Illiquidity, amihud, window_ns, is_cold(begun));
        let (mut recovered, unrecovered) = self.recoveries(begun_books);
        let count = recovered.len() + unrecovered;
        let share = (count > 0).then(|| unrecovered as f64 / count as f64);
        put(SignalId::Unrecovered, share, since, false);
        let middle = recovered.len() / 2;
        recovered.sort_by_key(|(updates, _)| *updates);
        let updates = recovered.get(middle).map(|(updates, _)| *updates as f64);
        put(SignalId::RecoveryUpdates, updates, since, false);
        recovered.sort_by_key(|(_, ns)| *ns);
        if let Some(prices) = self.value_area().filter(|_| since > 0) {
            let ids = [SignalId::PointOfControl, SignalId::ValueLow, SignalId::ValueHigh];
            ids.iter().zip(prices).for_each(|(id, at)| put(*id, Some(at as f64 * price), since, false));
        }
        put(SignalId::RecoveryTime, recovered.get(middle).map(|(_, ns)| *ns as f64 / 1e9), since, false);
        all
    }

    /// The point of control and the ends of the value area, of all trades laid out by their prices.
    fn value_area(&self) -> Option<[i64; 3]> {
        let mut volumes: BTreeMap<i64, i64> = BTreeMap::new();
        for Traded { trade, .. } in &self.trades {
            *volumes.entry(trade.price.0).or_default() += trade.qty.0;
        }
        let total: i64 = volumes.values().sum();
        let poc = *volumes.iter().max_by_key(|(price, volume)| (**volume, **price))?.0;
        let mut area = BTreeMap::from([(poc, volumes.remove(&poc)?)]);
        while (area.values().sum::<i64>() as f64) < total as f64 * 0.7 {
            let below = volumes.range(..poc).next_back();
            let above = volumes.range(poc..).next();
            let (price, volume) = match (below, above) {
                (Some(below), Some(above)) => {
                    if below.1 > above.1 {
                        below
                    } else {
                        above
                    }
                }
                (one, other) => one.or(other)?,
            };
            let (price, volume) = (*price, *volume);
            volumes.remove(&price);
            area.insert(price, volume);
        }
        Some([poc, *area.first_key_value()?.0, *area.last_key_value()?.0])
    }

    /// By a fit to all changes of the touch up to the last power of two of them, from 256 on.
    fn micro_price(&self, tick: i64, of: Touch) -> Option<f64> {
        let mut touches: Vec<_> = self.books.iter().map(touch).collect();
        touches.dedup();
        // The first is none.
        let changes = touches.len() - 1;
        let counted = if changes < 256 { return None } else { 1 << changes.ilog2() };
        let mut fit = TouchChanges::new(tick)?;
        touches[..=counted].iter().for_each(|touch| fit.set(*touch));
        fit.fit()?.of(of)
    }

    /// Σ |bought − sold| / (n·V) of the last buckets, of the volume that each trade lays between two places.
    fn vpin(&self, params: &SignalParams) -> Option<f64> {
        let vpin = params.vpin?;
        let volume = vpin.volume.0;
        let mut place = 0;
        let mut buckets: BTreeMap<i64, i64> = BTreeMap::new();
        for Traded { trade, .. } in &self.trades {
            let sign = match trade.aggressor {
                Aggressor::Buy => 1,
                Aggressor::Sell => -1,
                Aggressor::Unknown => continue,
            };
            let end = place + trade.qty.0;
            for bucket in place / volume..=end / volume {
                let part = end.min((bucket + 1) * volume) - place.max(bucket * volume);
                *buckets.entry(bucket).or_default() += sign * part;
            }
            place = end;
        }
        let (full, count) = (place / volume, i64::from(vpin.buckets));
        let sum: i64 = (full - count..full).map(|at| buckets.get(&at).map_or(0, |sum| sum.abs())).sum();
        (full >= count).then(|| sum as f64 / (volume * count) as f64)
    }

    /// The slope of the mid's change on the signed volume between two books, by least squares.
    fn lambda(&self, from: u64, begun_books: usize) -> Option<f64> {
        let mut pairs = Vec::new();
        for at in begun_books.max(1)..self.books.len() {
            let (mut signed, mut is_taken) = (0, false);
            for traded in self.trades.iter().filter(|traded| traded.books == at) {
                let qty = traded.trade.qty.0;
                signed += if traded.trade.aggressor == Aggressor::Buy { qty } else { -qty };
                is_taken = true;
            }
            let [before, after] = [at - 1, at].map(|at| touch(&self.books[at]));
            if let (true, Some(before), Some(after)) = (is_taken && self.books[at].at >= from, before, after)
            {
                pairs.push((signed as f64, after.mid() - before.mid()));
            }
        }
        if pairs.len() < 2 || pairs.iter().all(|pair| pair.0 == pairs[0].0) {
            return None;
        }
        let count = pairs.len() as f64;
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / count;
        let (x, y) = (mean(&|pair| pair.0), mean(&|pair| pair.1));
        let covariance = mean(&|pair| (pair.0 - x) * (pair.1 - y));
        Some(covariance / mean(&|pair| (pair.0 - x).powi(2)))
    }

    /// The mean of |return| / notional over the last bars that are over.
    fn illiquidity(&self, begun: u64, bar_ns: u64, now: u64) -> Option<f64> {
        let (first, open) = (begun / bar_ns, now / bar_ns);
        let mid_at_end = |bar: u64| {
            let book = self.books.iter().rfind(|book| book.at / bar_ns <= bar)?;
            touch(book).map(Touch::mid).filter(|mid| *mid > 0.0)
        };
        let mut values = Vec::new();
        // The first began in its middle.
        for bar in (first + 1).max(open.saturating_sub(BARS))..open {
            let trades = self.trades.iter().filter(|traded| traded.at / bar_ns == bar);
            let notional: f64 =
                trades.map(|traded| traded.trade.price.0 as f64 * traded.trade.qty.0 as f64).sum();
            if let (Some(opened), Some(closed), true) = (mid_at_end(bar - 1), mid_at_end(bar), notional > 0.0)
            {
                values.push((closed - opened).abs() / opened / notional);
            }
        }
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// Of the last 64: updates and time of those that recovered, and the number of those that did not.
    fn recoveries(&self, begun_books: usize) -> (Vec<(usize, u64)>, usize) {
        let mut all = Vec::new();
        let mut at = begun_books.max(1);
        while at < self.books.len() {
            let [before, after] = [at - 1, at].map(|at| touch(&self.books[at]));
            let has_traded = self.trades.iter().any(|traded| traded.books == at);
            let began = self.books[at].at;
            at += 1;
            let (Some(before), Some(after), true) = (before, after, has_traded) else { continue };
            let is_of_bids = after.bid() < before.bid();
            if !is_of_bids && after.ask() <= before.ask() {
                continue;
            }
            let mut updates = 0;
            // Until it is back, lost, or twenty changes have passed.
            while at < self.books.len() {
                let [was, is] = [at - 1, at].map(|at| touch(&self.books[at]));
                at += 1;
                if was == is {
                    continue;
                }
                let ns = self.books[at - 1].at - began;
                let Some(is) = is else {
                    all.push(None);
                    break;
                };
                updates += 1;
                let qty = |touch: Touch| if is_of_bids { touch.bid_qty().0 } else { touch.ask_qty().0 };
                let is_enough = i128::from(qty(is)) * 10 >= i128::from(qty(before)) * 9;
                if is_enough && is.spread() <= before.spread() {
                    all.push(Some((updates, ns)));
                    break;
                }
                if updates >= 20 {
                    all.push(None);
                    break;
                }
            }
        }
        let last = &all[all.len().saturating_sub(64)..];
        (last.iter().flatten().copied().collect(), last.iter().filter(|one| one.is_none()).count())
    }
}
