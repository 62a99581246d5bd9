//! Whether the trades of an instrument, or its liquidations, come whole: who tells them, and what may be missing.
//!
//! A connection that is lost takes those with it that the venue tells meanwhile. A frame without trades says so at once: it is
//! stale, and the next trade ends that, or the epoch in which the book is whole again that the same connection brings. Where
//! numbers of trades may still prove that none is missing, the next trade decides; else the frame itself leaves out a sequence, which
//! is a gap to its readers. While another connection is known to tell the same, nothing is missing. What costs the book its truth
//! may have cost trades of the same connection, too: of that they are told likewise, but for the staleness.

use super::instrument::{Context, InstrumentState};
use super::streams::{Cursor, Stamp};
use crate::encode::{Kind, Stream, write_trades};
use crate::types::{Clock, TimeNs};
use crate::venues::TradeIds;

/// Whether trades are missing before the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Doubt {
    /// None is.
    #[default]
    None,
    /// The next one decides.
    Open,
    /// Some may be, and readers were told.
    Told,
}

/// How a source stops to tell trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It tells nothing more for now.
    Silent,
    /// Something of what it told is missing; it goes on.
    Missing,
}

/// One of the two streams.
#[derive(Debug)]
pub(super) struct Tape {
    pub(super) cursor: Cursor,
    /// Whether readers were told that nobody is known to tell it.
    pub(super) is_lost: bool,
    doubt: Doubt,
    /// Sources that tell it, the one that did so last first; of more than two the last two.
    tellers: [Option<u32>; 2],
    /// Whether each of these brings the book.
    are_of_book: [bool; 2],
    /// The source with which it was lost, where that was the only one that brought the book and still is.
    lost_with_book: Option<u32>,
}

impl Tape {
    pub(super) fn new() -> Self {
        Self {
            cursor: Cursor { seq: 1, ..Cursor::default() },
            is_lost: false,
            doubt: Doubt::None,
            tellers: [None; 2],
            are_of_book: [false; 2],
            lost_with_book: None,
        }
    }

    /// The stream begins again, with an image: to its readers all between the two epochs is unknown.
    pub(super) fn open_epoch(&mut self) {
        self.cursor.seq = 1;
        if self.doubt == Doubt::Open {
            self.doubt = Doubt::Told;
        }
    }

    /// The book is whole again: where the connection with which both were lost brings it, that tells all that it told before.
    pub(super) fn mended(&mut self) {
        if self.lost_with_book.take().is_some() {
            self.is_lost = false;
        }
    }

    /// A source has told of it, whether anything new or not. `brings`: whether it brings the book.
    #[inline]
    pub(super) fn heard(&mut self, source: u32, brings: impl FnOnce() -> bool) {
        if self.tellers[0] != Some(source) {
            self.tellers = [Some(source), self.tellers[0]];
            self.are_of_book = [brings(), self.are_of_book[0]];
        }
    }

    /// A source brings the book from now on. That another one than was lost makes it whole says nothing of what that one told.
    pub(super) fn brings_book(&mut self, source: u32) {
        if self.lost_with_book != Some(source) {
            self.lost_with_book = None;
        }
        for (teller, is_of_book) in self.tellers.iter().zip(&mut self.are_of_book) {
            *is_of_book |= *teller == Some(source);
        }
    }

    #[inline]
    pub(super) fn is_doubted(&self) -> bool {
        self.doubt != Doubt::None
    }

    /// Whether somebody is known to tell it whole.
    pub(super) const fn is_told(&self) -> bool {
        self.tellers[0].is_some() && !self.is_lost
    }

    /// The next trade has come. `is_next`: its number proves that none is missing before it. True where some are, of which readers
    /// were not told yet.
    #[cold]
    pub(super) fn settle(&mut self, is_next: bool) -> bool {
        let is_gap = self.doubt == Doubt::Open && !is_next;
        self.cursor.seq += u64::from(is_gap);
        (self.doubt, self.is_lost, self.lost_with_book) = (Doubt::None, false, None);
        is_gap
    }

    /// Its teller is succeeded by a source that tells the same. `brings`: whether that brings the book.
    fn hand_over(&mut self, source: u32, (heir, brings): (u32, bool)) {
        if self.tellers.contains(&Some(source)) && !self.tellers.contains(&Some(heir)) {
            (self.tellers[1], self.are_of_book[1]) = (Some(heir), brings);
        }
    }

    fn forget(&mut self, source: u32) {
        if self.tellers[0] == Some(source) {
            self.tellers.swap(0, 1);
            self.are_of_book.swap(0, 1);
        }
        if self.tellers[1] == Some(source) {
            (self.tellers[1], self.are_of_book[1]) = (None, false);
        }
    }

    /// A source stops. `is_lost_with`: no other one brings the book. `may_tell`: it may tell the stream, although it has
    /// not yet. `can_prove`: the number of the next trade may prove that none is missing. True where readers are to be told.
    fn stops(
        &mut self,
        (source, is_lost_with): (u32, bool),
        stop: Stop,
        may_tell: bool,
        can_prove: bool,
        now: TimeNs,
    ) -> bool {
        let is_own = self.tellers.contains(&Some(source)) || may_tell && self.tellers == [None; 2];
        let has_other = self.tellers.iter().flatten().any(|teller| *teller != source);
        if stop == Stop::Silent {
            self.forget(source);
        }
        if !is_own || has_other {
            return false;
        }
        if is_lost_with && stop == Stop::Silent && !self.is_lost {
            self.lost_with_book = Some(source);
        }
        self.misses(stop, can_prove, now)
    }

    /// Some of it may be missing. True where readers are to be told.
    fn misses(&mut self, stop: Stop, can_prove: bool, now: TimeNs) -> bool {
        let is_gap = !can_prove && self.doubt != Doubt::Told;
        let is_news = stop == Stop::Silent && !self.is_lost;
        self.is_lost |= is_news;
        match self.doubt {
            Doubt::None if can_prove => self.doubt = Doubt::Open,
            _ if is_gap => self.doubt = Doubt::Told,
            _ => {}
        }
        if is_gap || is_news {
            let seq = self.cursor.seq + 1 + u64::from(is_gap);
            self.cursor = Cursor { seq, at: Stamp { ts_recv: now, ..self.cursor.at } };
        }
        is_gap || is_news
    }
}

impl InstrumentState {
    /// A source stops to tell trades and liquidations. `brings`: it is one that brings the book.
    #[cold]
    pub(super) fn stop_tapes<C: Clock>(
        &mut self,
        source: (usize, bool),
        stop: Stop,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        // One that fails or goes is no line any more.
        let is_only = self.recovery.lines() == 0;
        self.stop_tapes_of(source, is_only, stop, now, cx);
    }

    /// `is_only`: no other source brings the book.
    fn stop_tapes_of<C: Clock>(
        &mut self,
        (source, brings): (usize, bool),
        is_only: bool,
        stop: Stop,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        let source = (source as u32, brings && is_only);
        // One that brings the book may tell nothing else; what shows it is that the book is lost with it.
        let may_tell = stop == Stop::Silent && (!brings || !self.lead().is_synced());
        let can_prove = self.can_prove_trades();
        if self.trades.stops(source, stop, may_tell, can_prove, now) {
            self.tell_no_trades(now, cx);
        }
        if self.market.liquidations.stops(source, stop, may_tell, false, now) {
            self.tell_no_liquidations(cx);
        }
    }

    /// The book has lost its truth, and what the same connection tells may be missing.
    #[cold]
    pub(super) fn doubt_tapes<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        let is_doubtful = |tape: &Tape| tape.are_of_book[0];
        let can_prove = self.can_prove_trades();
        if is_doubtful(&self.trades) && self.trades.misses(Stop::Missing, can_prove, now) {
            self.tell_no_trades(now, cx);
        }
        let liquidations = &mut self.market.liquidations;
        if is_doubtful(liquidations) && liquidations.misses(Stop::Missing, false, now) {
            self.tell_no_liquidations(cx);
        }
    }

    fn can_prove_trades(&self) -> bool {
        self.product.trade_ids == TradeIds::Ascending && self.last_trade.is_some()
    }

    fn tell_no_trades<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        self.publish_no_trades(Kind::Trade, Stream::TRADES, self.trades.cursor, cx);
        self.lose_signal_trades();
        if self.trades.doubt == Doubt::Told {
            self.miss_volumes(now, cx);
        } else {
            self.note_volumes(now, cx);
        }
    }

    fn tell_no_liquidations<C: Clock>(&self, cx: &mut Context<'_, C>) {
        let cursor = self.market.liquidations.cursor;
        self.publish_no_trades(Kind::Liquidation, Stream::LIQUIDATIONS, cursor, cx);
    }

    /// A source takes the place of one that is dropped, and tells the same.
    pub(super) fn hand_tapes_over(&mut self, source: usize, (heir, brings): (usize, bool)) {
        let heir = (heir as u32, brings);
        self.trades.hand_over(source as u32, heir);
        self.market.liquidations.hand_over(source as u32, heir);
    }

    /// A source brings the book from now on, again or for the first time.
    pub(super) fn tapes_beside_book(&mut self, source: u32) {
        self.trades.brings_book(source);
        self.market.liquidations.brings_book(source);
    }

    /// The venue behind a source begins anew: numbers of trades say nothing of the next one.
    pub(super) fn restart_tapes<C: Clock>(
        &mut self,
        (source, brings): (usize, bool),
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        if self.trades.tellers.contains(&Some(source as u32)) {
            self.last_trade = None;
        }
        // It is a line still.
        let is_only = self.recovery.lines() <= 1;
        self.stop_tapes_of((source, brings), is_only, Stop::Silent, now, cx);
    }

    fn publish_no_trades<C: Clock>(
        &self,
        kind: Kind,
        stream: Stream,
        cursor: Cursor,
        cx: &mut Context<'_, C>,
    ) {
        let header = self.header(kind, stream, cursor, cx);
        cx.out.frame(self.id, stream, |out| write_trades(out, &header, &[], std::iter::empty()));
    }
}
