//! What the venue tells of an instrument besides its book and its trades: statistics, liquidations, whether it trades.
//!
//! None of it follows the book: it goes on while the book is lost.

use super::instrument::{Context, InstrumentState};
use super::streams::{Cursor, Stamp};
use super::tape::Tape;
use crate::encode::{Stream, TradingBody};
use crate::types::{Clock, Events, Span, Ticker, Trade, TradingStatus};

/// What was told last, and how far each of its streams has been written.
#[derive(Debug)]
pub(super) struct Market {
    pub(super) ticker: Option<Ticker>,
    pub(super) ticker_cursor: Cursor,
    pub(super) trading: TradingBody,
    pub(super) trading_cursor: Cursor,
    pub(super) liquidation: Option<Trade>,
    pub(super) liquidations: Tape,
}

impl Market {
    /// `status`: what the venue's list says.
    pub(super) fn new(status: TradingStatus) -> Self {
        let mut market = Self {
            ticker: None,
            ticker_cursor: Cursor::default(),
            trading: TradingBody { status, ts_event: 0 },
            trading_cursor: Cursor::default(),
            liquidation: None,
            liquidations: Tape::new(),
        };
        market.open_epoch();
        market
    }

    /// Every stream begins again: with an image at 1 where there is something to tell.
    pub(super) fn open_epoch(&mut self) {
        self.liquidations.open_epoch();
        self.ticker_cursor.seq = u64::from(self.ticker.is_some());
        self.trading_cursor.seq = u64::from(self.trading.status != TradingStatus::Unknown);
    }
}

impl InstrumentState {
    /// Statistics; what they do not tell stays. Told are those that change something.
    pub(super) fn on_ticker<C: Clock>(&mut self, told: &Ticker, stamp: Stamp, cx: &mut Context<'_, C>) {
        let market = &mut self.market;
        let before = market.ticker;
        let forward = |ticker: &Ticker| (ticker.underlying, ticker.interest_rate_e9);
        let ticker = market.ticker.get_or_insert_default();
        ticker.merge(told);
        if before.unwrap_or_default() == *ticker {
            // Of nothing there is nothing to tell.
            market.ticker = before;
            return;
        }
        market.ticker_cursor = Cursor { seq: market.ticker_cursor.seq + 1, at: stamp };
        if self.signals.is_some() && forward(&before.unwrap_or_default()) != forward(ticker) {
            self.count_forward();
        }
        match before {
            None => self.publish_image(Stream::TICKER, stamp.ts_recv, cx),
            Some(_) => self.publish_ticker(cx),
        }
    }

    /// Whether the instrument trades. Told is what changes.
    pub(super) fn on_trading<C: Clock>(
        &mut self,
        status: TradingStatus,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        let market = &mut self.market;
        if market.trading.status == status {
            return;
        }
        let is_first = market.trading_cursor.seq == 0;
        market.trading = TradingBody { status, ts_event: stamp.ts_event };
        market.trading_cursor = Cursor { seq: market.trading_cursor.seq + 1, at: stamp };
        if is_first {
            self.publish_image(Stream::TRADING, stamp.ts_recv, cx);
        } else {
            self.publish_trading(cx);
        }
    }

    /// Trades that closed positions by force.
    pub(super) fn on_liquidations<C: Clock>(
        &mut self,
        events: &Events,
        span: Span,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        let liquidations = events.trades_of(span);
        let Some(last) = liquidations.last() else { return };
        let market = &mut self.market;
        market.liquidation = Some(*last);
        let at = Stamp { ts_event: last.ts_event, ..stamp };
        let tape = &mut market.liquidations;
        if tape.is_doubted() {
            tape.settle(false);
        }
        tape.cursor = Cursor { seq: tape.cursor.seq + 1, at };
        self.publish_liquidations(liquidations, events, cx);
    }
}
