//! Numbers that do not fit the scale of their instrument: the scale is made finer, or coarser, exactly or not at all.
//!
//! A scale comes from the venue's definition, from the committed table, or from the digits that occur. Where a value has
//! more decimals than it holds, it is refined and all goes on in a new epoch, whose images carry the new exponents.
//! Where one does not fit 64 bits, it is coarsened as far as every value that is held stays exact. A scale that the venue's
//! format fixes is never changed.

use super::Engine;
use super::instrument::{Context, InstrumentState};
use crate::book::{BookSpec, L2Book};
use crate::decode::{DecodeError, Scaled, decimal_digits};
use crate::types::{
    Body, Clock, DecimalError, Definition, KnownTo, Level, Levels, OrderChange, POW10, Price, Qty,
    ScaleSource, Side, Slot, TimeNs,
};
use crate::venues::FrameError;

/// Times that one frame may change a scale: a frame shows the digits of one number after the other.
pub(super) const ROUNDS_MAX: usize = 40;

/// Finest exponent of an instrument.
const EXPONENT_MIN: i8 = -18;

/// The scale that fits the number of a frame that was refused: exponents of prices and quantities. `None` where it cannot be
/// changed so, or where the number was refused for something else.
pub(super) fn fitting(
    bytes: &[u8],
    error: &FrameError,
    source: ScaleSource,
    is: (i8, i8),
) -> Option<(i8, i8)> {
    all_fitting(bytes, error, source, is).next()
}

/// Every such scale, the coarsest first.
fn all_fitting(
    bytes: &[u8],
    error: &FrameError,
    source: ScaleSource,
    (price, qty): (i8, i8),
) -> impl Iterator<Item = (i8, i8)> + use<> {
    let found = match *error {
        FrameError::Decode(DecodeError::BadNumber { at, cause, scaled, .. })
            if source != ScaleSource::Format && scaled != Scaled::No =>
        {
            let is = if scaled == Scaled::Price { price } else { qty };
            wanted(bytes, at, cause, is).map(|wanted| (wanted, scaled))
        }
        _ => None,
    };
    found.into_iter().flat_map(move |((coarsest, finest), scaled)| {
        let fits = (finest..=coarsest).rev();
        fits.map(move |to| if scaled == Scaled::Price { (to, qty) } else { (price, to) })
    })
}

/// The coarsest and the finest exponent that hold a number which another does not.
fn wanted(bytes: &[u8], at: u32, cause: DecimalError, is: i8) -> Option<(i8, i8)> {
    let (whole, places) = decimal_digits(bytes.get(at as usize..)?)?;
    let coarsest = i8::try_from(places).ok().map(|places| -places).filter(|to| *to >= EXPONENT_MIN)?;
    match cause {
        DecimalError::Inexact if coarsest < is => Some((coarsest, coarsest)),
        // Beside it what is held must fit, which may have more digits than this one.
        DecimalError::Overflow if whole + places <= 18 && coarsest > is => {
            Some((coarsest, (whole as i8 + EXPONENT_MIN).max(is + 1)))
        }
        _ => None,
    }
}

impl<C: Clock> Engine<C> {
    /// Changes the scale of the instrument of which a frame spoke so that the number fits that was refused. False when it
    /// cannot, or when the number was refused for something else.
    #[cold]
    pub(super) fn rescale(&mut self, bytes: &[u8], error: &FrameError, now: TimeNs) -> bool {
        let Some(slot) = self.events.subject() else { return false };
        let Some(state) = self.instruments.get(slot.0 as usize) else { return false };
        let is = (state.price_exponent, state.qty_exponent);
        all_fitting(bytes, error, state.scale_source, is).any(|to| self.rescale_to(slot, to, now))
    }

    /// Takes the scales that the venue has just defined, where they are finer than what the digits have shown so far.
    #[cold]
    pub(super) fn refine(&mut self, now: TimeNs) {
        for index in 0..self.events.list().len() {
            let event = self.events.list()[index];
            let Body::Definition(Definition { price_digits, qty_digits, tick_size, lot_size }) = event.body
            else {
                continue;
            };
            let Some(state) = self.instruments.get(event.slot.0 as usize) else { continue };
            if state.scale_source == ScaleSource::Format || tick_size == 0 || lot_size == 0 {
                continue;
            }
            let finer = |digits: u8, is: i8| is.min(-(digits.min(EXPONENT_MIN.unsigned_abs()) as i8));
            let is = (state.price_exponent, state.qty_exponent);
            let to = (finer(price_digits, is.0), finer(qty_digits, is.1));
            if to != is && self.rescale_to(event.slot, to, now) {
                let Some(state) = self.instruments.get_mut(event.slot.0 as usize) else { continue };
                let Body::Definition(definition) = &event.body else { continue };
                state.on_increments(definition);
            }
        }
    }

    pub(super) fn rescale_to(&mut self, slot: Slot, (price, qty): (i8, i8), now: TimeNs) -> bool {
        let Self { sources, instruments, catalogue, config, clock, outbox, stats, scratch, .. } = self;
        let cx = &mut Context { config, clock, out: outbox, stats, scratch };
        let Some(state) = instruments.get_mut(slot.0 as usize) else { return false };
        let (Some(by_price), Some(by_qty)) =
            (Factor::new(state.price_exponent, price), Factor::new(state.qty_exponent, qty))
        else {
            return false;
        };
        let rewritten: Option<Vec<_>> = sources
            .iter()
            .map(|source| match &source.orders {
                Some(orders) => orders.rewritten(slot, |level| scaled(level, by_price, by_qty)),
                None => Some(Default::default()),
            })
            .collect();
        let Some(rewritten) = rewritten else { return false };
        if !state.rescale(price, qty, now, cx) {
            return false;
        }
        for (source, rewritten) in sources.iter_mut().zip(rewritten) {
            source.routes.rescale(state.route());
            if let Some(orders) = &mut source.orders {
                orders.rewrite(slot, rewritten);
            }
        }
        if let Some(listed) = catalogue.get(state.id).cloned() {
            let (tick_size, lot_size) = (state.tick_size, state.lot_size);
            let changed = crate::types::Instrument {
                price_exponent: price,
                qty_exponent: qty,
                tick_size,
                lot_size,
                ..listed
            };
            let added = catalogue.add(changed);
            debug_assert!(added.is_ok());
        }
        true
    }
}

/// A change of exponent: multiply by a power of ten, or divide by one without a rest.
#[derive(Clone, Copy)]
struct Factor {
    by: i64,
    is_finer: bool,
}

impl Factor {
    fn new(from: i8, to: i8) -> Option<Self> {
        let by = *POW10.get(usize::from(from.abs_diff(to)))?;
        Some(Self { by, is_finer: to < from })
    }

    const fn of(self, mantissa: i64) -> Option<i64> {
        if self.is_finer {
            mantissa.checked_mul(self.by)
        } else if mantissa % self.by == 0 {
            Some(mantissa / self.by)
        } else {
            None
        }
    }

    /// A bound, which may be that of a whole side.
    const fn of_bound(self, price: Price) -> Option<Price> {
        match price.0 {
            i64::MIN | i64::MAX => Some(price),
            mantissa => match self.of(mantissa) {
                Some(mantissa) => Some(Price(mantissa)),
                None => None,
            },
        }
    }

    /// An increment: one that has no whole mantissa any more is not known.
    fn of_step(self, step: i64) -> i64 {
        self.of(step).unwrap_or(0)
    }

    /// A width: one that is not whole is the next above.
    const fn of_width(self, width: i64) -> i64 {
        if self.is_finer {
            width.saturating_mul(self.by)
        } else {
            width / self.by + (width % self.by != 0) as i64
        }
    }
}

fn scaled(level: Level, price: Factor, qty: Factor) -> Option<Level> {
    Some(Level { price: Price(price.of(level.price.0)?), qty: Qty(qty.of(level.qty.0)?) })
}

impl InstrumentState {
    /// Takes another scale. False, and nothing has changed, where a value that is held would not be exact. Every stream goes
    /// on in a new epoch, whatever the book's state: readers have the exponents from images alone, and trades, images of
    /// a stale book and depth views are told while no book is synced.
    fn rescale<C: Clock>(
        &mut self,
        price_exponent: i8,
        qty_exponent: i8,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let is_taken = self.take_scale(price_exponent, qty_exponent, now, cx);
        if is_taken {
            self.open_epoch(now, cx);
        }
        is_taken
    }

    /// The same without the epoch, which its caller opens.
    pub(super) fn take_scale<C: Clock>(
        &mut self,
        price_exponent: i8,
        qty_exponent: i8,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let (Some(price), Some(qty)) =
            (Factor::new(self.price_exponent, price_exponent), Factor::new(self.qty_exponent, qty_exponent))
        else {
            return false;
        };
        let mut book = Levels::default();
        for side in [Side::Bid, Side::Ask] {
            for level in self.book.levels(side) {
                let Some(level) = scaled(level, price, qty) else { return false };
                book.side_mut(side).push(level);
            }
        }
        let known_to = self.book.known_to();
        let (Some(bid), Some(ask)) = (price.of_bound(known_to.bid), price.of_bound(known_to.ask)) else {
            return false;
        };
        let fits = |level: &Level| scaled(*level, price, qty).is_some();
        let order_fits = |change: &OrderChange| change.rescaled(|level| scaled(level, price, qty)).is_some();
        if !self.pending.levels().all(fits)
            || !self.spare_levels().all(fits)
            || !self.waiting_orders.changes().all(order_fits)
        {
            return false;
        }
        let tick_size = price.of_step(self.tick_size);
        let mut fresh = L2Book::new(BookSpec { tick_size, levels_max: cx.config.levels_max });
        if fresh.load(book.view(), KnownTo { bid, ask }).is_err() {
            return false;
        }
        self.book = fresh;
        (self.price_exponent, self.qty_exponent) = (price_exponent, qty_exponent);
        if let Some(proof) = &mut self.proof {
            proof.rescaled(price_exponent, qty_exponent);
        }
        (self.tick_size, self.lot_size) = (tick_size, qty.of_step(self.lot_size));
        self.views.regroup(|width| price.of_width(width));
        if let Some(costs) = &mut self.costs {
            costs.rescale(price_exponent, qty_exponent, |of| qty.of_width(of));
        }
        self.rescale_signals(|of| qty.of_width(of));
        self.rescale_volumes(|of| price.of(of), |of| qty.of(of), |width| price.of_width(width));
        let change = |level: &mut Level| *level = scaled(*level, price, qty).unwrap_or(*level);
        self.pending.levels_mut().for_each(change);
        self.spare_levels_mut().for_each(change);
        for change in self.waiting_orders.changes_mut() {
            *change = change.rescaled(|level| scaled(level, price, qty)).unwrap_or(*change);
        }
        // What else is held is told again soon, and would be compared with numbers of another scale.
        self.cross_check.reset();
        self.doubt_venue_top(now, cx);
        self.venue_top.told = None;
        self.market.ticker = self
            .market
            .ticker
            .map(|ticker| ticker.rescaled(|of| Some(Price(price.of(of.0)?)), |of| Some(Qty(qty.of(of.0)?))));
        self.market.liquidation = None;
        true
    }

    /// What the venue says of its numbers, while it prints all of them with these digits.
    pub(super) fn on_definition(&mut self, definition: &Definition) {
        if definition.price_digits > 0 || definition.qty_digits > 0 {
            self.on_digits(definition.price_digits, definition.qty_digits);
        }
        self.on_increments(definition);
    }

    /// How many decimals the venue prints.
    pub(super) fn on_digits(&mut self, price: u8, qty: u8) {
        if let Some(proof) = &mut self.proof {
            proof.defined(price, qty);
        }
    }

    /// The venue's increments, which are taken at the instrument's own scale.
    pub(super) fn on_increments(&mut self, definition: &Definition) {
        let step = |step: i64, digits: u8, exponent: i8| {
            let from = -(digits as i8);
            Factor::new(from, exponent).map_or(0, |factor| factor.of_step(step))
        };
        if definition.tick_size > 0 {
            self.tick_size = step(definition.tick_size, definition.price_digits, self.price_exponent);
        }
        self.step_signals();
        if definition.lot_size > 0 {
            self.lot_size = step(definition.lot_size, definition.qty_digits, self.qty_exponent);
        }
    }
}
