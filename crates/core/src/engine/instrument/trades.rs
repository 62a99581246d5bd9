//! Trades: each is told once, whatever the state of the book.

use super::{Context, InstrumentState};
use crate::engine::streams::Stamp;
use crate::types::{Clock, Trade, TradeId};
use crate::venues::TradeIds;

impl InstrumentState {
    /// A trade from a source, with the venue's text of it where that names it.
    pub(in crate::engine) fn on_trade<C: Clock>(
        &mut self,
        trade: &Trade,
        text: Option<&[u8]>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        cx.stats.trades += 1;
        let mut is_next = false;
        if let (TradeIds::Ascending, TradeId::Number(number)) = (self.product.trade_ids, trade.id) {
            // A lower number at a later time is of another numbering.
            if self.last_trade.is_some_and(|(last, at)| number <= last && trade.ts_event <= at) {
                cx.stats.ignored += 1;
                return;
            }
            // Each has a number of its own: between this one and the one before there is none.
            is_next = self.last_trade.is_some_and(|(last, _)| number.checked_sub(1) == Some(last));
            self.last_trade = Some((number, trade.ts_event));
        }
        if self.trades.is_doubted() && self.trades.settle(is_next) {
            self.miss_volumes(stamp.ts_recv, cx);
            self.lose_signal_trades();
        }
        self.trades.cursor.seq += 1;
        self.trades.cursor.at = Stamp { venue_seq: trade.id.value(), ts_event: trade.ts_event, ..stamp };
        self.publish_trade(trade, text, cx);
        self.count_volume(trade, is_next, stamp.ts_recv, cx);
        if let Some(signals) = self.signals.as_deref_mut() {
            signals.trade(trade, stamp.ts_recv);
        }
    }
}
