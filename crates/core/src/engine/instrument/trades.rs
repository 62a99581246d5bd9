//! Trades: each is told once, whatever the state of the book.

use super::{Context, InstrumentState};
use crate::engine::streams::Stamp;
use crate::types::{Clock, Trade, TradeId};
use crate::venues::TradeIds;

impl InstrumentState {
    /// A trade, with the venue's text of it where that names it.
    pub(in crate::engine) fn on_trade<C: Clock>(
        &mut self,
        trade: &Trade,
        text: Option<&[u8]>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        cx.stats.trades += 1;
        if let (TradeIds::Ascending, TradeId::Number(number)) = (self.product.trade_ids, trade.id) {
            // A lower number at a later time is of another numbering.
            if self.last_trade.is_some_and(|(last, at)| number <= last && trade.ts_event <= at) {
                cx.stats.ignored += 1;
                return;
            }
            self.last_trade = Some((number, trade.ts_event));
        }
        self.trades_cursor.seq += 1;
        self.trades_cursor.at = Stamp { venue_seq: trade.id.value(), ts_event: trade.ts_event, ..stamp };
        self.publish_trade(trade, text, cx);
    }
}
