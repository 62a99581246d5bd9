//! Bringing a reader that was away to the present of a stream.

use super::instrument::InstrumentState;
use super::streams::Cursor;
use super::{Engine, EngineConfig, EngineError};
use crate::book::QtyAt;
use crate::encode::{DeltaFrame, Flags, History, Kind, Stream, write_levels, write_ticker, write_trading};
use crate::types::{BookState, Clock, InstrumentId, Level, Place, Price, Qty, Side, TimeNs};

/// What a reader that was away wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Every frame that it missed.
    Range,
    /// The net change.
    Net,
}

/// What brings a reader to the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    /// It is there already, and of levels a check frame says what is doubted of them now; where the book is not synced, it has the
    /// last that was known, and is told so by the status frame.
    Nothing,
    /// Every frame that it missed, as they were published.
    Range,
    /// One frame with the net change.
    Net,
    /// An image; without one where there is none yet, and the next one is to be waited for. Where the book is not synced, the status
    /// frame says so.
    Image,
}

impl Brought {
    /// Its word in the addon's contract with TypeScript.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Range => "range",
            Self::Net => "net",
            Self::Image => "image",
        }
    }
}

/// Frames on their way into memory that may be too small for them.
struct Writer<'a> {
    out: &'a mut [u8],
    /// Bytes that the frames take, whether or not there is room.
    bytes: usize,
}

impl Writer<'_> {
    fn write(&mut self, part: &[u8]) {
        if let Some(room) = self.out.get_mut(self.bytes..self.bytes + part.len()) {
            room.copy_from_slice(part);
        }
        self.bytes += part.len();
    }
}

/// What every step needs besides the instrument's own state.
struct Means<'a, C> {
    config: &'a EngineConfig,
    clock: &'a C,
    history: Option<&'a mut History>,
    writer: Writer<'a>,
}

impl<C: Clock> Engine<C> {
    /// Where a stream stands; zeros where it has published nothing yet.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`].
    pub fn place(&self, instrument: InstrumentId, stream: Stream) -> Result<Place, EngineError> {
        let slot = self.slot_of(instrument)?;
        Ok(self.instruments[slot.0 as usize].place(stream, &self.config).unwrap_or_default())
    }

    /// Writes the frames that bring a reader from a place of a stream to its present. Returns what they are, and their bytes:
    /// where these are more than `out` has room for, its content is of no use, and the call is to be made again.
    ///
    /// Trades are never thinned: of them the net change is the range, too. A place of another epoch, or one from which nothing
    /// is kept any more, is answered by an image; so is a net change that would be larger. A book that is not synced brings
    /// nobody to its present: of it, and of what follows it, only the status frame is told, and what a reader missed before is not
    /// told any more. Cost: linear in what is written,
    /// and for a net change of levels in what was missed.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`].
    pub fn bring(
        &mut self,
        instrument: InstrumentId,
        stream: Stream,
        from: Place,
        by: By,
        now: TimeNs,
        out: &mut [u8],
    ) -> Result<(Brought, usize), EngineError> {
        let slot = self.slot_of(instrument)?;
        let Self { instruments, config, clock, outbox, .. } = self;
        let writer = Writer { out: &mut *out, bytes: 0 };
        let mut means = Means { config, clock, history: outbox.history(), writer };
        let brought = instruments[slot.0 as usize].bring(stream, from, by, now, &mut means);
        let mut writer = Writer { bytes: means.writer.bytes, out };
        let has_present = instruments[slot.0 as usize].has_present(stream);
        if brought == Brought::Image && stream == Stream::ORDERS && has_present {
            self.image_of_orders(slot, now, |frame| writer.write(frame));
        }
        let Writer { out, bytes } = writer;
        let stats = &mut self.stats;
        if bytes <= out.len() {
            *match brought {
                Brought::Nothing => &mut stats.brought.nothing,
                Brought::Range => &mut stats.brought.range,
                Brought::Net => &mut stats.brought.net,
                Brought::Image => &mut stats.brought.image,
            } += 1;
        }
        Ok((brought, bytes))
    }
}

/// Whether a stream is told of the state of the book.
pub(super) fn follows_book(stream: Stream) -> bool {
    matches!(stream, Stream::BOOK | Stream::BBO | Stream::ORDERS)
        || stream.is_depth()
        || stream.is_costs()
        || stream.is_signals()
}

/// What the net change of a stream is made of.
#[derive(PartialEq, Eq)]
enum Net {
    /// The levels that the frames name, as they are now.
    Levels,
    /// The last frame, which is the whole state.
    Last,
    /// The rows of volumes that have changed, as they are now.
    Volumes,
    /// Every frame counts.
    None,
}

impl Net {
    fn of(stream: Stream) -> Self {
        match stream {
            Stream::BOOK => Self::Levels,
            Stream::BBO | Stream::VENUE_BBO | Stream::TICKER | Stream::TRADING => Self::Last,
            _ if stream.is_depth() => Self::Levels,
            _ if stream.is_volumes() => Self::Volumes,
            _ if stream.is_costs() || stream.is_signals() => Self::Last,
            _ => Self::None,
        }
    }
}

impl InstrumentState {
    /// Where a stream stands. `None` where it has published nothing yet.
    fn place(&self, stream: Stream, config: &EngineConfig) -> Option<Place> {
        let seq = match stream {
            Stream::BOOK | Stream::STATUS => self.book_cursor.seq,
            Stream::BBO => self.bbo_cursor.seq,
            Stream::TRADES => self.trades.cursor.seq,
            Stream::VENUE_BBO => self.venue_top.told.and(Some(self.venue_top.cursor.seq))?,
            Stream::LIQUIDATIONS => self.market.liquidations.cursor.seq,
            Stream::TICKER => self.market.ticker_cursor.seq,
            Stream::TRADING => self.market.trading_cursor.seq,
            // Orders that are not told have no present.
            Stream::ORDERS => self.tells_orders.then_some(self.order_stream.cursor.seq)?,
            _ if stream.is_volumes() => self.volumes.as_deref()?.seq(stream)?,
            _ if stream.is_costs() => self.costs.as_deref()?.seq(stream)?,
            _ if stream.is_signals() => self.signals.as_deref()?.seq(stream)?,
            _ => self.views.find(stream)?.cursor.seq,
        };
        let is_there = self.has_epoch() || !follows_book(stream) && stream != Stream::STATUS;
        (is_there && seq != 0).then(|| Place { epoch: self.epoch(config), seq })
    }

    /// Whether readers of a stream can be brought to its present.
    fn has_present(&self, stream: Stream) -> bool {
        !self.is_held && (!follows_book(stream) || self.state() == BookState::Synced)
    }

    fn bring<C: Clock>(
        &mut self,
        stream: Stream,
        from: Place,
        by: By,
        now: TimeNs,
        means: &mut Means<'_, C>,
    ) -> Brought {
        let place = self.place(stream, means.config).filter(|_| stream != Stream::STATUS);
        if !self.has_present(stream) {
            self.bring_image(Stream::STATUS, now, means);
            return if place == Some(from) { Brought::Nothing } else { Brought::Image };
        }
        if place == Some(from) {
            // It was told the doubts of its time.
            if Net::of(stream) == Net::Levels || matches!(stream, Stream::BBO | Stream::VENUE_BBO) {
                let Means { config, clock, writer, .. } = means;
                self.check_frame(stream, config, *clock).into_iter().for_each(|frame| writer.write(frame));
            }
            return Brought::Nothing;
        }
        // Within an epoch a book that is synced has been so all the time.
        if let Some(place) = place.filter(|place| place.epoch == from.epoch && place.seq > from.seq) {
            let net = if by == By::Net { Net::of(stream) } else { Net::None };
            let brought = match net {
                Net::Levels => self.bring_net(stream, from, place, means),
                Net::Last => self.bring_last(stream, from, place, means),
                Net::Volumes => self.bring_volumes(stream, from, means),
                Net::None => self.bring_range(stream, from, place, means),
            };
            if let Some(brought) = brought {
                return brought;
            }
        }
        self.bring_image(stream, now, means);
        Brought::Image
    }

    fn bring_image<C: Clock>(&mut self, stream: Stream, now: TimeNs, means: &mut Means<'_, C>) {
        let Means { config, clock, writer, .. } = means;
        self.image(stream, now, config, *clock, |frame| writer.write(frame));
    }

    fn bring_range<C: Clock>(
        &self,
        stream: Stream,
        from: Place,
        place: Place,
        means: &mut Means<'_, C>,
    ) -> Option<Brought> {
        let Means { clock, history, writer, .. } = means;
        let kept =
            history.as_mut()?.since(self.id, stream, (from.epoch, from.seq), place.seq, clock.now())?;
        kept.pieces(|piece| writer.write(piece));
        Some(Brought::Range)
    }

    /// The levels that the kept frames name, with the quantities that they have now.
    fn bring_net<C: Clock>(
        &mut self,
        stream: Stream,
        from: Place,
        place: Place,
        means: &mut Means<'_, C>,
    ) -> Option<Brought> {
        let Means { config, clock, history, writer } = means;
        let mut kept =
            history.as_mut()?.since(self.id, stream, (from.epoch, from.seq), place.seq, clock.now())?;
        self.levels.clear();
        let mut is_last = true;
        while kept.next_into(&mut self.bytes) {
            if let Some(frame) = DeltaFrame::new(&self.bytes) {
                is_last = frame.flags().with(Flags::LAST) == frame.flags();
                self.levels.bids.extend(frame.levels(Side::Bid));
                self.levels.asks.extend(frame.levels(Side::Ask));
            }
        }
        let view = self.views.find(stream);
        for side in [Side::Bid, Side::Ask] {
            let levels = self.levels.side_mut(side);
            levels.sort_unstable_by_key(|level| rank(side, level.price));
            levels.dedup_by_key(|level| level.price);
            for level in levels {
                level.qty = match view {
                    Some(slot) => qty_in(slot.view.published().side(side), side, level.price),
                    None => match self.book.qty_at(side, level.price) {
                        QtyAt::Known(qty) => qty,
                        QtyAt::Unknown => Qty(0),
                    },
                };
            }
        }
        let (image, at) = match view {
            Some(slot) => (slot.view.published().len(), slot.place(self.book_cursor.at)),
            None => (self.book.len(Side::Bid) + self.book.len(Side::Ask), self.book_cursor.at),
        };
        if self.levels.len() > image {
            return None;
        }
        let mut header = self.stamp(Kind::Delta, stream, (place.seq, from.seq), at, config, *clock);
        header.flags = header.flags.with(Flags::CONFLATED).without(Flags::LAST.when(!is_last));
        self.bytes.clear();
        write_levels(&mut self.bytes, &header, &self.levels.bids, &self.levels.asks);
        writer.write(&self.bytes);
        Some(Brought::Net)
    }

    /// The rows that were published since.
    fn bring_volumes<C: Clock>(
        &mut self,
        stream: Stream,
        from: Place,
        means: &mut Means<'_, C>,
    ) -> Option<Brought> {
        let Means { config, clock, writer, .. } = means;
        let has_rows = self.volumes_since(stream, from.seq, config, *clock);
        has_rows.then(|| {
            writer.write(&self.bytes);
            Brought::Net
        })
    }

    /// The state as it is now, which needs nothing that is kept.
    fn bring_last<C: Clock>(
        &mut self,
        stream: Stream,
        from: Place,
        place: Place,
        means: &mut Means<'_, C>,
    ) -> Option<Brought> {
        let Means { config, clock, writer, .. } = means;
        if stream.is_costs() || stream.is_signals() {
            let has_rows = if stream.is_costs() {
                self.write_costs_of(stream, Some(from.seq), config, *clock)
            } else {
                self.write_signals_of(stream, Some(from.seq), config, *clock)
            };
            return has_rows.then(|| {
                writer.write(&self.bytes);
                Brought::Net
            });
        }
        let (Cursor { at, .. }, ..) = self.collect(stream)?;
        let kind = match stream {
            Stream::TICKER => Kind::Ticker,
            Stream::TRADING => Kind::Trading,
            _ => Kind::Bbo,
        };
        let mut header = self.stamp(kind, stream, (place.seq, from.seq), at, config, *clock);
        header.flags = header.flags.with(Flags::CONFLATED);
        self.bytes.clear();
        match kind {
            Kind::Ticker => {
                let ticker = self.ticker_body()?;
                write_ticker(&mut self.bytes, &header, None, &ticker);
            }
            Kind::Trading => write_trading(&mut self.bytes, &header, None, &self.market.trading),
            _ => write_levels(&mut self.bytes, &header, &self.levels.bids, &self.levels.asks),
        }
        writer.write(&self.bytes);
        Some(Brought::Net)
    }
}

/// Rises from a side's best price to its worst.
const fn rank(side: Side, price: Price) -> i64 {
    match side {
        Side::Bid => !price.0,
        Side::Ask => price.0,
    }
}

/// What stands at a price of levels that begin at the best one.
fn qty_in(levels: &[Level], side: Side, price: Price) -> Qty {
    let found = levels.binary_search_by_key(&rank(side, price), |level| rank(side, level.price));
    found.map_or(Qty(0), |at| levels[at].qty)
}
