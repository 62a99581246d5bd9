//! What a venue lists while its books run: new instruments, other increments, other terms.

use super::streams::Stamp;
use super::{Engine, EngineError};
use crate::signal::OptionContract;
use crate::types::{Body, Clock, Definition, Instrument, InstrumentId, TimeNs};

/// What became of an instrument of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// It was not known.
    New,
    /// It was, with other increments or terms.
    Changed,
    /// It was, as it is.
    Same,
}

impl<C: Clock> Engine<C> {
    /// Takes over what a venue's list says of an instrument. One that is not known is added; one that has a book keeps its
    /// scale, which is refined where the list is finer, and takes over increments, digits and terms.
    ///
    /// # Errors
    /// [`EngineError::Instrument`] for one that the catalogue does not take.
    pub fn define(
        &mut self,
        instrument: Instrument,
        now: TimeNs,
    ) -> Result<(InstrumentId, Listed), EngineError> {
        let known = self.catalogue.find(instrument.venue, &instrument.symbol);
        let Some((id, held)) = known.and_then(|id| Some((id, self.catalogue.get(id)?.clone()))) else {
            crate::venues::check_scale(&instrument).map_err(EngineError::Instrument)?;
            let id = self.catalogue.add(instrument).map_err(EngineError::Instrument)?;
            return Ok((id, Listed::New));
        };
        let Some(&slot) = self.by_id.get(&id) else {
            if held == instrument {
                return Ok((id, Listed::Same));
            }
            crate::venues::check_scale(&instrument).map_err(EngineError::Instrument)?;
            let id = self.catalogue.add(instrument).map_err(EngineError::Instrument)?;
            return Ok((id, Listed::Changed));
        };
        let definition = Definition {
            price_digits: instrument.price_exponent.unsigned_abs(),
            qty_digits: instrument.qty_exponent.unsigned_abs(),
            tick_size: instrument.tick_size,
            lot_size: instrument.lot_size,
        };
        self.events.clear();
        self.events.push(slot, now, Body::Definition(definition));
        let (instruments, mut cx) = self.parts();
        let Some(state) = instruments.get_mut(slot.0 as usize) else {
            return Err(EngineError::UnknownInstrument(id.0));
        };
        let stamp = Stamp { ts_recv: now, ..Stamp::default() };
        state.on_trading(instrument.terms.status, stamp, &mut cx);
        if let Some((price, qty)) = instrument.digits {
            state.on_digits(price, qty);
        }
        state.on_increments(&definition);
        state.option = OptionContract::of(&instrument);
        self.refine(now);
        let Some(state) = self.instruments.get(slot.0 as usize) else {
            return Err(EngineError::UnknownInstrument(id.0));
        };
        let running = Instrument {
            codes: held.codes.clone(),
            price_exponent: state.price_exponent,
            qty_exponent: state.qty_exponent,
            scale_source: state.scale_source,
            tick_size: state.tick_size,
            lot_size: state.lot_size,
            digits: instrument.digits.or(held.digits),
            ..instrument
        };
        let listed = if running == held { Listed::Same } else { Listed::Changed };
        let is_of_same_unit = running.is_of_same_unit(&held);
        self.catalogue.add(running).map_err(EngineError::Instrument)?;
        if !is_of_same_unit {
            let (instruments, mut cx) = self.parts();
            instruments[slot.0 as usize].feed_anew(now, &mut cx);
        }
        Ok((id, listed))
    }
}
