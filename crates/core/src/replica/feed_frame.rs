//! Frames that were checked before they are read.

use crate::aggregate::{Cost, Traded};
use crate::encode::generated::{
    Cost as WireCost, FRAME_IDENTIFIER, Frame, Level as WireLevel, Signal as WireSignal, Trade as WireTrade,
    Volume as WireVolume, size_prefixed_root_as_frame,
};
use crate::encode::{
    COST_OF_BIDS, CheckBody, Flags, GapBody, ImageBody, NAME_GOES_ON, NAME_TEXT_BYTES, SessionBody,
    SignalBody, StatusBody, Stream, TickerBody, TradingBody,
};
use crate::signal::{SignalId, SignalRow};
use crate::types::{
    Aggressor, BookState, InstrumentId, KnownTo, Level, Price, Qty, Side, Ticker, TimeNs, Trade, TradeId,
    TradingStatus,
};

use super::ReplicaError;

/// A frame of the feed. Its bytes have been checked; that its numbers make sense is for who applies it.
#[derive(Clone, Copy, Debug)]
pub struct FeedFrame<'a> {
    pub(super) table: Frame<'a>,
    at: usize,
}

/// The frames of a message, which stand back to back; an error ends them.
///
/// Each is verified before it is handed out, in constant time: its vectors hold structs.
#[must_use]
pub fn feed_frames(message: &[u8]) -> FeedFrames<'_> {
    FeedFrames { message, at: 0 }
}

/// See [`feed_frames`].
#[derive(Clone, Debug)]
pub struct FeedFrames<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Iterator for FeedFrames<'a> {
    type Item = Result<FeedFrame<'a>, ReplicaError>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at;
        let rest = self.message.get(at..).filter(|rest| !rest.is_empty())?;
        let read = read(rest, at);
        self.at = match &read {
            Ok((_, size)) => at + size,
            Err(_) => self.message.len(),
        };
        Some(read.map(|(frame, _)| frame))
    }
}

/// The frame at the start of some bytes, and its size.
fn read(bytes: &[u8], at: usize) -> Result<(FeedFrame<'_>, usize), ReplicaError> {
    let size = bytes.first_chunk::<4>().map(|size| u32::from_le_bytes(*size) as usize);
    let size = size.ok_or(ReplicaError::Truncated { at })?.saturating_add(4);
    let bytes = bytes.get(..size).ok_or(ReplicaError::Truncated { at })?;
    // The identifier names the structs' layout: another one is another protocol.
    if bytes.get(8..12) != Some(FRAME_IDENTIFIER.as_bytes()) {
        return Err(ReplicaError::Invalid { at });
    }
    let table = size_prefixed_root_as_frame(bytes).map_err(|_| ReplicaError::Invalid { at })?;
    Ok((FeedFrame { table, at }, size))
}

impl<'a> FeedFrame<'a> {
    /// Where it starts in its message.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Start id of the server (high 32 bits) and count of the instrument's resets.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.table.header().epoch()
    }

    /// Its sequence within epoch and stream.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.table.header().seq()
    }

    /// The sequence that it follows.
    #[must_use]
    pub fn prev_seq(&self) -> u64 {
        self.table.header().prev_seq()
    }

    /// The venue's own number that its content reaches; 0 = none.
    #[must_use]
    pub fn venue_seq(&self) -> u64 {
        self.table.header().venue_seq()
    }

    /// The venue's time, ns; 0 = not given.
    #[must_use]
    pub fn ts_event(&self) -> TimeNs {
        self.table.header().ts_event()
    }

    /// When the server received the input, ns.
    #[must_use]
    pub fn ts_recv(&self) -> TimeNs {
        self.table.header().ts_recv()
    }

    /// When the server wrote the frame, ns.
    #[must_use]
    pub fn ts_send(&self) -> TimeNs {
        self.table.header().ts_send()
    }

    /// Which instrument it is of.
    #[must_use]
    pub fn instrument(&self) -> InstrumentId {
        InstrumentId(self.table.header().instrument())
    }

    /// The number of its kind, which may be none of [`Kind`](crate::encode::Kind): such a frame is to be passed over.
    #[must_use]
    pub fn kind(&self) -> u8 {
        self.table.header().kind()
    }

    /// Which stream it is of.
    #[must_use]
    pub fn stream(&self) -> Stream {
        Stream(self.table.header().stream())
    }

    /// Its flags, those that nobody knows yet included.
    #[must_use]
    pub fn flags(&self) -> Flags {
        Flags(self.table.header().flags())
    }

    /// What an image says of itself.
    pub(crate) fn image_info(&self) -> Option<ImageBody> {
        let (info, check) = (self.table.info()?, self.table.check().copied().unwrap_or_default());
        Some(ImageBody {
            known_to: KnownTo { bid: Price(info.bid_known_to()), ask: Price(info.ask_known_to()) },
            depth: info.depth(),
            price_exponent: info.price_exponent(),
            qty_exponent: info.qty_exponent(),
            state: info.state(),
            reason: info.reason(),
            check: CheckBody {
                top_crc: check.top_crc(),
                all_crc: check.all_crc(),
                bid_count: check.bid_count(),
                ask_count: check.ask_count(),
            },
        })
    }

    /// Which chunk of an image it is: the first, the last.
    pub(crate) fn chunk(&self) -> Option<(bool, bool)> {
        let info = self.table.info()?;
        Some((info.chunk_index() == 0, info.chunk_index().wrapping_add(1) == info.chunk_count()))
    }

    /// What a status frame says.
    #[must_use]
    pub fn status(&self) -> Option<StatusBody> {
        self.table.status().map(|status| StatusBody {
            expected: status.expected(),
            received: status.received(),
            age_ns: status.age_ns(),
            state: status.state(),
            reason: status.reason(),
        })
    }

    /// Whether it is a status frame that calls the book synced.
    #[must_use]
    pub fn says_synced(&self) -> bool {
        self.table.status().is_some_and(|status| status.state() == BookState::Synced.code())
    }

    /// The latest loss of the book, in status frames of a book that ever lost its truth.
    #[must_use]
    pub fn gap(&self) -> Option<GapBody> {
        self.table.gap().map(|gap| GapBody {
            expected: gap.expected(),
            received: gap.received(),
            lost_from: gap.lost_from(),
            noticed: gap.noticed(),
            mended: gap.mended(),
            epoch_before: gap.epoch_before(),
            seq_before: gap.seq_before(),
            reason: gap.reason(),
        })
    }

    /// Its bids: all of an image, of other kinds what has changed.
    pub fn bids(&self) -> impl Iterator<Item = Level> + use<'a> {
        self.table.bids().into_iter().flatten().map(level)
    }

    /// Its asks likewise.
    pub fn asks(&self) -> impl Iterator<Item = Level> + use<'a> {
        self.table.asks().into_iter().flatten().map(level)
    }

    /// Its trades, or liquidations. The text of one that a text names is that of [`Self::text`].
    pub fn trades(&self) -> impl Iterator<Item = Trade> + use<'a> {
        self.table.trades().into_iter().flatten().map(trade)
    }

    /// The text that an entry of `names` has for a number. Costs a look at each entry.
    #[must_use]
    pub fn text(&self, number: u64) -> Option<Vec<u8>> {
        let mut text: Option<Vec<u8>> = None;
        for name in self.table.names().into_iter().flatten().filter(|name| name.number() == number) {
            let len = usize::from(name.size()).min(NAME_TEXT_BYTES);
            text.get_or_insert_default().extend(name.text().iter().take(len));
            if name.size() != NAME_GOES_ON {
                break;
            }
        }
        text
    }

    /// What has traded at prices: all of an image's chunk, of other frames the rows that have changed; one of 0 trades leaves.
    pub fn volumes(&self) -> impl Iterator<Item = Traded> + use<'a> {
        self.table.volumes().into_iter().flatten().map(traded)
    }

    /// Of when volumes are.
    #[must_use]
    pub fn session(&self) -> Option<SessionBody> {
        let told = self.table.session()?;
        Some(SessionBody { since: told.since(), missed_at: told.missed_at() })
    }

    /// What quantities cost: all rows.
    pub fn costs(&self) -> impl Iterator<Item = Cost> + use<'a> {
        self.table.costs().into_iter().flatten().map(cost)
    }

    /// Signals: a row of each that is known here.
    pub fn signals(&self) -> impl Iterator<Item = SignalRow> + use<'a> {
        self.table.signals().into_iter().flatten().filter_map(signal)
    }

    /// Its statistics.
    #[must_use]
    pub fn ticker(&self) -> Option<TickerBody> {
        let told = self.table.ticker()?;
        let values = [
            told.last(),
            told.mark(),
            told.index(),
            told.volume(),
            told.open_interest(),
            told.funding_rate_e9(),
            told.funding_at() as i64,
            told.underlying(),
            told.interest_rate_e9(),
            told.mark_iv_e9(),
            told.bid_iv_e9(),
            told.ask_iv_e9(),
            told.delta_e9(),
            told.gamma_e9(),
            told.vega_e9(),
            told.theta_e9(),
            told.rho_e9(),
        ];
        let mut at = 0;
        let values = values.map(|value| {
            at += 1;
            (told.mask() >> (at - 1) & 1 == 1).then_some(value)
        });
        Some(TickerBody {
            ticker: Ticker::of_values(values),
            price_exponent: told.price_exponent(),
            qty_exponent: told.qty_exponent(),
        })
    }

    /// Whether the instrument trades; a status that is not known is `Unknown`.
    #[must_use]
    pub fn trading(&self) -> Option<TradingBody> {
        self.table.trading().map(|told| TradingBody {
            status: TradingStatus::ALL
                .into_iter()
                .find(|status| *status as u8 == told.status())
                .unwrap_or_default(),
            ts_event: told.ts_event(),
        })
    }
}

fn traded(told: &WireVolume) -> Traded {
    Traded {
        price: Price(told.price()),
        bought: Qty(told.bought()),
        sold: Qty(told.sold()),
        unknown: Qty(told.unknown()),
        trades: told.trades(),
    }
}

fn cost(told: &WireCost) -> Cost {
    Cost {
        qty: Qty(told.qty()),
        filled: Qty(told.filled()),
        price_average: told.price_average(),
        price_worst: Price(told.price_worst()),
        cost: told.cost(),
        price_exponent: told.price_exponent(),
        cost_exponent: told.cost_exponent(),
        side: if told.side() == COST_OF_BIDS { Side::Bid } else { Side::Ask },
        is_complete: told.is_complete() != 0,
        is_known: told.is_known() != 0,
        bps: told.bps(),
    }
}

fn signal(told: &WireSignal) -> Option<SignalRow> {
    Some(SignalRow {
        id: SignalId::of(told.id())?,
        value: told.value(),
        exponent: told.exponent(),
        window_ns: told.window_ns(),
        at: told.ts_event(),
        is_partial: told.flags() & SignalBody::PARTIAL != 0,
    })
}

fn level(level: &WireLevel) -> Level {
    Level::new(level.price(), level.qty())
}

fn trade(told: &WireTrade) -> Trade {
    Trade {
        id: match told.id_kind() {
            1 => TradeId::Number(told.id()),
            2 => TradeId::Text { hash: told.id(), at: u32::MAX },
            _ => TradeId::None,
        },
        price: Price(told.price()),
        qty: Qty(told.qty()),
        aggressor: Aggressor::ALL
            .into_iter()
            .find(|side| *side as u8 == told.aggressor())
            .unwrap_or(Aggressor::Unknown),
        ts_event: told.ts_event(),
        resting: None,
    }
}
