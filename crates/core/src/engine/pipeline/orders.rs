//! The levels of a book whose orders an order feed keeps. The feed says when the book is whole and when its truth is lost;
//! from there on its levels go the way of every other book's.

use super::publish::Place;
use super::{Context, Pipeline};
use crate::types::{BookState, Clock, KnownTo, Levels, StaleReason, TimeNs, Trade};

impl Pipeline {
    /// The book is exactly what `levels` say: a new epoch opens.
    pub(in crate::engine) fn on_orders_whole<C: Clock>(
        &mut self,
        levels: &Levels,
        at: Place,
        cx: &mut Context<'_, C>,
    ) {
        if self.book.load(levels.view(), KnownTo::WHOLE).is_err() {
            return self.on_orders_lost(StaleReason::LevelsLimit, (0, 0), at.ts_recv, cx);
        }
        self.book_tape.at = at;
        self.applied_at = at.ts_recv;
        self.become_synced(at.ts_recv, cx);
    }

    /// What one event left at the levels that it touched, or a part of a long one. Nothing happens to a book that is not
    /// synced.
    #[inline]
    pub(in crate::engine) fn on_order_levels<C: Clock>(
        &mut self,
        levels: &Levels,
        at: Place,
        is_last: bool,
        cx: &mut Context<'_, C>,
    ) {
        cx.stats.book_messages += 1;
        cx.stats.level_changes += levels.len() as u64;
        if self.state != BookState::Synced {
            return;
        }
        let bbo = self.bbo;
        if self.take(levels, at, cx) {
            self.publish(levels, self.bbo != bbo, is_last, at.ts_recv, cx);
        } else {
            self.on_orders_lost(StaleReason::LevelsLimit, (0, 0), at.ts_recv, cx);
        }
    }

    /// A trade of an order feed. Its id need not ascend: the feed's own sequence lets no message in twice.
    pub(in crate::engine) fn on_order_trade<C: Clock>(
        &mut self,
        trade: &Trade,
        ts_recv: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        cx.stats.trades += 1;
        self.trades_tape.seq += 1;
        self.trades_tape.at = Place { venue_seq: trade.id, ts_event: trade.ts_event, ts_recv };
        self.publish_trade(trade, cx);
    }

    /// The venue itself doubts the book.
    pub(in crate::engine) const fn on_orders_suspect(&mut self) {
        self.is_suspect = true;
    }

    /// The book's truth is lost. The feed cannot be asked for it: only its next whole book mends it.
    #[cold]
    pub(in crate::engine) fn on_orders_lost<C: Clock>(
        &mut self,
        reason: StaleReason,
        gap: (u64, u64),
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        self.set_state(BookState::Stale(reason), gap, now, cx);
    }

    /// The book begins anew, or is sent again: it is not whole until the feed says so.
    pub(in crate::engine) fn on_orders_begin<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        self.is_suspect = false;
        if self.state != BookState::Syncing {
            self.set_state(BookState::Syncing, (0, 0), now, cx);
        }
    }

    /// Whether the book may be trusted.
    pub(in crate::engine) fn is_synced(&self) -> bool {
        self.state == BookState::Synced
    }

    /// Whether the book's truth is lost.
    pub(in crate::engine) fn is_stale(&self) -> bool {
        matches!(self.state, BookState::Stale(_))
    }

    /// Whether the book is stale only because nothing arrived.
    pub(in crate::engine) fn is_silent(&self) -> bool {
        self.state == BookState::Stale(StaleReason::Silence)
    }
}
