//! What can be asked: images, views, books, orders, statistics.

use super::instrument::InstrumentState;
use super::orders::OrderBooks;
use super::source::Source;
use super::{BookInfo, Engine, EngineError, VIEW_INTERVAL_NS_MAX};
use crate::aggregate::{BPS_MAX, CostView, DEPTH_MAX};
use crate::book::l3::{Order, QueuePosition};
use crate::book::{L2Book, digest};
use crate::encode::Stream;
use crate::signal::{BUCKETS_MAX, SIGNAL_WINDOW_NS, SignalParams, VpinParams};
use crate::types::{Clock, InstrumentId, Qty, Side, Ticker, TimeNs, Trade, TradingStatus, VenueOrderId};

impl<C: Clock> Engine<C> {
    /// Hands the current image of a stream to `emit`, frame by frame (the status frame for [`Stream::STATUS`]).
    /// Nothing is handed out when there is none: of orders, while nobody has opened their stream or they are not exact.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`].
    pub fn image(
        &mut self,
        instrument: InstrumentId,
        stream: Stream,
        now: TimeNs,
        emit: impl FnMut(&[u8]),
    ) -> Result<(), EngineError> {
        let slot = self.slot_of(instrument)?;
        if stream == Stream::ORDERS {
            self.image_of_orders(slot, now, emit);
            return Ok(());
        }
        self.instruments[slot.0 as usize].image(stream, now, &self.config, &self.clock, emit);
        Ok(())
    }

    /// Opens a view of `depth` levels a side that publishes at most every `interval_ns`; one that is alike is shared.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`], [`EngineError::ViewRange`] or [`EngineError::ViewsFull`].
    pub fn open_depth(
        &mut self,
        instrument: InstrumentId,
        depth: u32,
        interval_ns: u64,
        now: TimeNs,
    ) -> Result<Stream, EngineError> {
        self.open_grouped_depth(instrument, depth, interval_ns, 0, now)
    }

    /// The same of price buckets that are `grouping` mantissa units wide at the instrument's exponent, a multiple of its
    /// tick; 0 = levels as they are. At another scale a width that is not whole is the next above.
    ///
    /// # Errors
    /// The same, and [`EngineError::ViewGrouping`].
    pub fn open_grouped_depth(
        &mut self,
        instrument: InstrumentId,
        depth: u32,
        interval_ns: u64,
        grouping: i64,
        now: TimeNs,
    ) -> Result<Stream, EngineError> {
        let slot = self.slot_of(instrument)?;
        if !(1..=DEPTH_MAX).contains(&depth) || interval_ns > VIEW_INTERVAL_NS_MAX {
            return Err(EngineError::ViewRange);
        }
        let state = &mut self.instruments[slot.0 as usize];
        state.check_grouping(grouping)?;
        state.open_view((depth, interval_ns, grouping), now).ok_or(EngineError::ViewsFull)
    }

    /// Opens a view of what has traded at prices, which publishes at most every `interval_ns`; one that is alike is shared.
    /// `grouping`: the width of its buckets in mantissa units, 0 = prices as they are. It is wider where the profile is: see
    /// [`Profile`](crate::aggregate::Profile). The first view of an instrument begins its profile.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`], [`EngineError::ViewRange`], [`EngineError::ViewGrouping`] or
    /// [`EngineError::ViewsFull`].
    pub fn open_volumes(
        &mut self,
        instrument: InstrumentId,
        interval_ns: u64,
        grouping: i64,
        now: TimeNs,
    ) -> Result<Stream, EngineError> {
        let slot = self.slot_of(instrument)?;
        if interval_ns > VIEW_INTERVAL_NS_MAX {
            return Err(EngineError::ViewRange);
        }
        let state = &mut self.instruments[slot.0 as usize];
        state.check_grouping(grouping)?;
        state.open_volumes(interval_ns, grouping, now).ok_or(EngineError::ViewsFull)
    }

    /// Begins the profile of an instrument's volumes, where nobody has asked for it yet.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`].
    pub fn keep_volumes(&mut self, instrument: InstrumentId, now: TimeNs) -> Result<(), EngineError> {
        let slot = self.slot_of(instrument)?;
        self.instruments[slot.0 as usize].keep_volumes(now);
        Ok(())
    }

    /// Opens a view of what quantities cost on each side, and of what stands within some basis points of the mid, which publishes at
    /// most every `interval_ns` and only what has changed; one that is alike is shared. At another scale a quantity that is
    /// not whole is the next above.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`], [`EngineError::ViewRange`], [`EngineError::CostRows`],
    /// [`EngineError::CostQuantity`], [`EngineError::CostBand`] or [`EngineError::ViewsFull`].
    pub fn open_costs(
        &mut self,
        instrument: InstrumentId,
        interval_ns: u64,
        quantities: &[Qty],
        bps: &[u16],
        now: TimeNs,
    ) -> Result<Stream, EngineError> {
        let slot = self.slot_of(instrument)?;
        if interval_ns > VIEW_INTERVAL_NS_MAX {
            return Err(EngineError::ViewRange);
        }
        let listed = self.catalogue.get(instrument).ok_or(EngineError::UnknownInstrument(instrument.0))?;
        if let Some(qty) = quantities.iter().find(|qty| qty.0 <= 0) {
            return Err(EngineError::CostQuantity(qty.0.into()));
        }
        if let Some(band) = bps.iter().find(|bps| !(1..=BPS_MAX).contains(*bps)) {
            return Err(EngineError::CostBand((*band).into()));
        }
        let rows = EngineError::CostRows(quantities.len() + bps.len());
        let view = CostView::new(listed.clone(), quantities, bps, interval_ns).ok_or(rows)?;
        let is_alike = |other: &CostView| other.is_of(quantities, bps, interval_ns);
        let state = &mut self.instruments[slot.0 as usize];
        state.open_costs(is_alike, view, now).ok_or(EngineError::ViewsFull)
    }

    /// Opens a view of the signals of an instrument, which publishes at most every `interval_ns`; one that is alike is shared.
    /// They are of what comes from now on. At another scale a volume that is not whole is the next above.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`], [`EngineError::ViewRange`], [`EngineError::SignalWindow`],
    /// [`EngineError::VpinVolume`], [`EngineError::VpinBuckets`] or [`EngineError::ViewsFull`].
    pub fn open_signals(
        &mut self,
        instrument: InstrumentId,
        interval_ns: u64,
        params: SignalParams,
        now: TimeNs,
    ) -> Result<Stream, EngineError> {
        let slot = self.slot_of(instrument)?;
        if interval_ns > VIEW_INTERVAL_NS_MAX {
            return Err(EngineError::ViewRange);
        }
        if !SIGNAL_WINDOW_NS.contains(&params.window_ns) {
            return Err(EngineError::SignalWindow(params.window_ns));
        }
        if let Some(VpinParams { volume, buckets }) = params.vpin {
            if volume.0 <= 0 {
                return Err(EngineError::VpinVolume(volume.0.into()));
            }
            if !(1..=BUCKETS_MAX).contains(&usize::from(buckets)) {
                return Err(EngineError::VpinBuckets(buckets.into()));
            }
        }
        let state = &mut self.instruments[slot.0 as usize];
        state.open_signals(interval_ns, params, now).ok_or(EngineError::ViewsFull)
    }

    /// Leaves a view; the last one to leave closes it. An unknown stream is left alone.
    pub fn close_view(&mut self, instrument: InstrumentId, stream: Stream) {
        if let Ok(slot) = self.slot_of(instrument) {
            let state = &mut self.instruments[slot.0 as usize];
            let is_closed = match stream {
                _ if stream.is_volumes() => state.close_volumes(stream),
                _ if stream.is_costs() => state.close_costs(stream),
                _ if stream.is_signals() => state.close_signals(stream),
                _ => state.close_depth(stream),
            };
            if let Some(history) = self.outbox.history().filter(|_| is_closed) {
                history.forget(instrument, stream);
            }
        }
    }

    /// State, sequence and size of a book.
    #[must_use]
    pub fn book_info(&self, instrument: InstrumentId, now: TimeNs) -> Option<BookInfo> {
        Some(self.state_of(instrument)?.info(now, &self.config))
    }

    /// The book itself, whatever its state.
    #[must_use]
    pub fn book(&self, instrument: InstrumentId) -> Option<&L2Book> {
        Some(&self.state_of(instrument)?.book)
    }

    /// The last statistics that the venue told of an instrument.
    #[must_use]
    pub fn ticker(&self, instrument: InstrumentId) -> Option<Ticker> {
        self.state_of(instrument)?.market.ticker
    }

    /// Whether an instrument trades, as far as the venue has said.
    #[must_use]
    pub fn trading(&self, instrument: InstrumentId) -> Option<TradingStatus> {
        Some(self.state_of(instrument)?.market.trading.status)
    }

    /// The last trade by which a position was closed by force.
    #[must_use]
    pub fn liquidation(&self, instrument: InstrumentId) -> Option<Trade> {
        self.state_of(instrument)?.market.liquidation
    }

    /// SHA-256 of a book's text form; see [`digest`].
    #[must_use]
    pub fn digest(&self, instrument: InstrumentId) -> Option<String> {
        let state = self.state_of(instrument)?;
        let (bids, asks) = (state.book.levels(Side::Bid), state.book.levels(Side::Ask));
        Some(digest(bids, asks, state.price_exponent, state.qty_exponent))
    }

    /// An order that rests in a book of orders, and what stands before it in its queue. `None` when there is no such
    /// order, or when the book is not known. Cost: the orders before it at its price.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`], [`EngineError::NoOrders`].
    pub fn order<'a>(
        &self,
        instrument: InstrumentId,
        id: impl Into<VenueOrderId<'a>>,
    ) -> Result<Option<(Order, QueuePosition)>, EngineError> {
        let (state, orders) = self.orders_of(instrument)?;
        let order = orders.filter(|_| state.orders.is_placed()).and_then(|orders| {
            let (order, id) = orders.order(state.slot, id.into())?;
            Some((order, orders.queue_position(id)?))
        });
        Ok(order)
    }

    /// SHA-256 of the text form of what a book's own orders add up to: [`Engine::digest`], taken from the orders.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`], [`EngineError::NoOrders`].
    pub fn orders_digest(&self, instrument: InstrumentId) -> Result<String, EngineError> {
        let slot = self.slot_of(instrument)?;
        if let Some(digest) = self.instruments[slot.0 as usize].followed_orders_digest() {
            return digest.ok_or(EngineError::NoOrders(instrument.0));
        }
        let (state, orders) = self.orders_of(instrument)?;
        let known = orders.filter(|_| state.orders.is_placed());
        let levels = |side| known.into_iter().flat_map(move |orders| orders.levels(state.slot, side));
        Ok(digest(levels(Side::Bid), levels(Side::Ask), state.price_exponent, state.qty_exponent))
    }

    /// An instrument whose venue has named orders, and the orders themselves.
    fn orders_of(
        &self,
        instrument: InstrumentId,
    ) -> Result<(&InstrumentState, Option<&OrderBooks>), EngineError> {
        let slot = self.slot_of(instrument)?;
        let state = &self.instruments[slot.0 as usize];
        if !state.uses_orders && !state.product.is_by_order {
            return Err(EngineError::NoOrders(instrument.0));
        }
        let counts =
            |(at, source): &(usize, &Source)| source.carries(slot) && source.brings(slot) && state.heeds(*at);
        let mut counting = self.sources.iter().enumerate().filter(counts);
        Ok((state, counting.find_map(|(_, source)| source.orders.as_deref())))
    }
}
