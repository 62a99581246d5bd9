//! An engine that carries one instrument, its feed and its requests, held against what the venue has told.

use std::collections::VecDeque;
use std::rc::Rc;

use depthwire_core::book::digest;
use depthwire_core::encode::{OrderName, RECORD_HEADER_BYTES, RecordType, Stream};
use depthwire_core::engine::{Engine, EngineConfig, IngestError, SourceId};
use depthwire_core::replica::{Outcome, Replica, ReplicaState};
use depthwire_core::types::{BookState, InstrumentId, Level, NoClock, OrderId, Side, Venue, VenueOrderId};
use depthwire_core::venues::{self, OrderIds, Resync};
use depthwire_sim::dialects::{TrueOrder, TrueOrders, Truth, coinbase_order_id, kraken_order_id};

use crate::feed::{Feed, Heard};
use crate::rooms::Row;

/// Truths that are remembered.
const TRUTHS_MAX: usize = 256;

/// Longest pause between two requests, with something to spare.
const PAUSE_NS: u64 = 64_000_000_000;

/// See the module.
pub struct Rig {
    pub engine: Engine<NoClock>,
    pub source: SourceId,
    pub id: InstrumentId,
    pub replica: Replica,
    /// Ticket and kind of what was asked for last.
    pub asked: Option<(u32, u8)>,
    exponents: (i8, i8),
    is_numbered: bool,
    are_datagrams: bool,
    resync: Resync,
    /// How far the engine's clock is ahead of the market's: pauses that were waited for.
    ahead_ns: u64,
    /// By the venue's numbers, rising: what each message of the book leaves, where that is known.
    truths: VecDeque<(u64, Option<Rc<Truth>>)>,
}

impl Rig {
    pub fn new(row: &Row, feed: &Feed) -> Self {
        let config = EngineConfig { silence_ns: None, ..EngineConfig::default() };
        let mut engine = Engine::new(config, venues::catalogue(), NoClock);
        let id = engine.add_instrument(venues::instrument(row.venue, &row.code).unwrap()).unwrap();
        let source = engine.open_source(row.venue, &[id]).unwrap();
        assert_eq!(engine.open_orders(id).is_ok(), venues::product(row.venue).order_ids != OrderIds::None);
        Self {
            engine,
            source,
            id,
            replica: Replica::default(),
            asked: None,
            exponents: feed.dialect.exponents(),
            is_numbered: row.is_numbered(),
            are_datagrams: row.are_datagrams,
            resync: venues::product(row.venue).resync,
            ahead_ns: 0,
            truths: VecDeque::new(),
        }
    }

    /// Remembers what a frame tells, whether or not it is heard.
    pub fn know(&mut self, heard: &Heard) {
        if heard.is_book() {
            self.truths.push_back((heard.seq, heard.truth.clone()));
            if self.truths.len() > TRUTHS_MAX {
                self.truths.pop_front();
            }
        }
    }

    /// Hands bytes in.
    pub fn ingest(&mut self, bytes: &[u8], now: u64) -> Result<(), IngestError> {
        self.ingest_on(self.source, 0, bytes, now)
    }

    /// Hands bytes of a source or line in.
    pub fn ingest_on(
        &mut self,
        source: SourceId,
        line: u32,
        bytes: &[u8],
        now: u64,
    ) -> Result<(), IngestError> {
        let at = now + self.ahead_ns;
        let read = if self.are_datagrams {
            self.engine.ingest_datagram(source, line, bytes, at)
        } else {
            self.engine.ingest(source, bytes, at)
        };
        self.tick(now);
        read
    }

    /// Hears a frame.
    pub fn hear(&mut self, heard: &Heard) -> Result<(), IngestError> {
        self.know(heard);
        self.ingest(&heard.bytes, heard.now)
    }

    /// Time passes.
    pub fn tick(&mut self, now: u64) {
        self.engine.tick(now + self.ahead_ns);
        self.drain();
    }

    /// So much time passes that everything is asked for again.
    fn pause(&mut self, now: u64) {
        self.ahead_ns += PAUSE_NS;
        self.tick(now);
    }

    /// Answers a request.
    pub fn answer(&mut self, ticket: u32, answer: &[u8], now: u64) -> Result<(), IngestError> {
        let read = self.engine.answer(self.id, ticket, answer, now + self.ahead_ns);
        self.tick(now);
        read
    }

    /// Hears a frame of which nobody reads what becomes of it, requests excepted.
    pub fn ingest_unheard(&mut self, bytes: &[u8], now: u64) {
        if self.are_datagrams {
            self.engine.ingest_datagram(self.source, 0, bytes, now).unwrap();
        } else {
            self.engine.ingest(self.source, bytes, now).unwrap();
        }
        self.engine.tick(now);
        self.pass_over();
    }

    /// Takes out all but requests unread.
    pub fn pass_over(&mut self) {
        while let Some(record) = self.engine.outbox().front() {
            if record[4] == RecordType::Ask as u8 {
                let payload = &record[RECORD_HEADER_BYTES..];
                self.asked = Some((u32::from_le_bytes(*payload.first_chunk().unwrap()), payload[5]));
            }
            self.engine.outbox().take();
        }
    }

    fn drain(&mut self) {
        let outbox = self.engine.outbox();
        while let Some(record) = outbox.front() {
            let payload = &record[RECORD_HEADER_BYTES..];
            if record[4] == RecordType::Frame as u8 {
                let outcome = self.replica.apply(payload).unwrap();
                assert!(!matches!(outcome, Outcome::Gap { .. } | Outcome::CheckFailed), "{outcome:?}");
            } else if record[4] == RecordType::Ask as u8 {
                self.asked = Some((u32::from_le_bytes(*payload.first_chunk().unwrap()), payload[5]));
            }
            outbox.take();
        }
    }

    pub fn state(&self) -> BookState {
        self.engine.book_info(self.id, 0).unwrap().state
    }

    pub fn is_synced(&self) -> bool {
        self.state() == BookState::Synced
    }

    /// Levels, from the best on, that are what the venue has told, of the side where they are fewer; `usize::MAX` for all.
    /// Of a venue with numbers that is the book at the number that the engine states, else that of the last frame.
    /// `None` where nobody knows, as between two messages.
    pub fn right_levels(&self, last: &Heard) -> Option<usize> {
        if !self.is_numbered {
            return Some(self.right_of(last.truth.as_ref()?));
        }
        let number = self.engine.book_info(self.id, 0).unwrap().venue_seq;
        let holds = |told: u64| if self.are_datagrams { told >= number } else { told == number };
        let told = self.truths.iter().filter(|(told, _)| holds(*told)).min_by_key(|(told, _)| *told)?;
        Some(self.right_of(told.1.as_ref()?))
    }

    /// The same against one truth.
    pub fn right_of(&self, truth: &Truth) -> usize {
        self.right_on(Side::Bid, &truth.bids).min(self.right_on(Side::Ask, &truth.asks))
    }

    fn right_on(&self, side: Side, truth: &[(i64, i64)]) -> usize {
        let listed = self.engine.catalogue().get(self.id).unwrap();
        let shift = |of_truth: i8, of_book: i8| {
            let shift = i32::from(of_truth) - i32::from(of_book);
            (10i128.pow(shift.max(0) as u32), 10i128.pow((-shift).max(0) as u32))
        };
        let price = shift(self.exponents.0, listed.price_exponent);
        let qty = shift(self.exponents.1, listed.qty_exponent);
        let is = |own: Level, told: (i64, i64)| {
            i128::from(own.price.0) * price.1 == i128::from(told.0) * price.0
                && i128::from(own.qty.0) * qty.1 == i128::from(told.1) * qty.0
        };
        let known_to = self.engine.book_info(self.id, 0).unwrap().known_to.side(side);
        // Where it is not the side's whole, only what stands up to it must be there.
        let covers = |told: i64| {
            let (told, bound) = (i128::from(told) * price.0, i128::from(known_to.0) * price.1);
            if side == Side::Bid { told >= bound } else { told <= bound }
        };
        let book = self.engine.book(self.id).unwrap();
        let mut own = book.levels(side).peekable();
        let mut right = 0;
        for &told in truth {
            match own.peek() {
                Some(&level) if is(level, told) => {
                    own.next();
                    right += 1;
                }
                _ if covers(told.0) => return right,
                _ => {}
            }
        }
        if own.peek().is_none() { usize::MAX } else { right }
    }

    /// What a reader of the frames alone holds is the engine's book.
    pub fn assert_told(&self) {
        let told = self.replica.book(self.id).unwrap();
        assert_eq!((told.state(), told.checks().1), (ReplicaState::Synced, 0));
        assert_eq!(told.digest(), self.engine.digest(self.id).unwrap());
    }

    /// The orders that a reader of their stream holds are those that one holds who joins it now, in each queue in the same
    /// order, and their sums are the engine's. A reader of orders that are not exact holds none for true. Returns whether they are.
    pub fn assert_orders_told(&mut self) -> bool {
        let mut joined = Replica::default();
        self.engine
            .image(self.id, Stream::ORDERS, 0, |frame| {
                assert!(matches!(joined.apply(frame), Ok(Outcome::Chunk | Outcome::Image)));
            })
            .unwrap();
        self.drain();
        let told = self.replica.orders(self.id);
        let Some(now) = joined.orders(self.id) else {
            assert!(told.is_none_or(|told| told.state() != ReplicaState::Synced));
            return false;
        };
        let told = told.unwrap();
        assert_eq!((told.state(), now.state()), (ReplicaState::Synced, ReplicaState::Synced));
        assert_eq!((told.place(), told.gaps(), told.checks().1), (now.place(), 0, 0));
        for side in [Side::Bid, Side::Ask] {
            assert!(told.list(side).eq(now.list(side)));
        }
        let listed = self.engine.catalogue().get(self.id).unwrap();
        let (bids, asks) = (told.levels(Side::Bid), told.levels(Side::Ask));
        let sums = digest(bids, asks, listed.price_exponent, listed.qty_exponent);
        if told.is_event_whole() {
            assert_eq!(self.engine.orders_digest(self.id).unwrap(), sums);
        }
        true
    }

    /// How many orders have others before them in their queue, where each stands as the venue has it: every so many of them
    /// are compared. `None` where one does not.
    pub fn queued_orders(&self, orders: &TrueOrders, every: usize) -> Option<usize> {
        let listed = self.engine.catalogue().get(self.id).unwrap();
        let finer = |from: i8, to: i8| 10i64.checked_pow((from - to).try_into().ok()?);
        let by_price = finer(self.exponents.0, listed.price_exponent)?;
        let by_qty = finer(self.exponents.1, listed.qty_exponent)?;
        let mut behind = 0;
        let mut compare = |orders: &[TrueOrder]| {
            for (index, order) in orders.iter().enumerate().step_by(every) {
                let name = name(listed.venue, order.id);
                let id = name.as_deref().map_or(VenueOrderId::Number(OrderId(order.id)), VenueOrderId::Text);
                let (found, position) = self.engine.order(self.id, id).unwrap()?;
                if let Some(told) =
                    self.replica.orders(self.id).filter(|told| told.state() == ReplicaState::Synced)
                {
                    let number = OrderName::Number(order.id);
                    let known = name.as_deref().map_or(Some(number), |text| told.named(text)).unwrap();
                    let is = told.order(known).map(|order| (order.side, order.price, order.qty));
                    assert_eq!(is, Some((found.side, found.price, found.qty)));
                    assert_eq!(told.orders_ahead(known), Some(position));
                }
                let before = orders[..index].iter().rev().take_while(|other| other.price == order.price);
                let before = before.count();
                let is_right = (found.price.0, found.qty.0, position.orders_ahead as usize)
                    == (order.price * by_price, order.qty * by_qty, before);
                if !is_right {
                    return None;
                }
                behind += usize::from(before > 0);
            }
            Some(())
        };
        compare(&orders.bids)?;
        compare(&orders.asks)?;
        Some(behind)
    }

    /// Takes the book anew, whatever it is. False where only another beginning of the venue helps.
    pub fn renew(&mut self, feed: &mut Feed) -> bool {
        if self.are_datagrams {
            return false;
        }
        if self.resync == Resync::Snapshot {
            self.engine.reset_source(self.source, feed.now + self.ahead_ns).unwrap();
            self.asked = None;
            return true;
        }
        feed.resubscribe();
        while let Some(heard) = feed.told() {
            self.hear(&heard).unwrap();
        }
        true
    }

    /// Asks, is answered, resubscribes, until the book is synced. False where only another beginning of the venue helps.
    pub fn cure(&mut self, feed: &mut Feed) -> bool {
        for _ in 0..1_000 {
            if self.is_synced() {
                return true;
            }
            match self.resync {
                Resync::Snapshot => {
                    if self.asked.is_none() {
                        self.pause(feed.now);
                    }
                    if let Some((ticket, kind)) = self.asked.take() {
                        assert_eq!(kind, Resync::Snapshot as u8);
                        let mut answer = Vec::new();
                        assert!(feed.dialect.snapshot(&mut answer));
                        let _ = self.answer(ticket, &answer, feed.now);
                    }
                    if !self.is_synced() {
                        let heard = feed.next();
                        self.hear(&heard).unwrap();
                    }
                }
                _ => {
                    feed.resubscribe();
                    while let Some(heard) = feed.told() {
                        self.hear(&heard).unwrap();
                    }
                    if !self.is_synced() {
                        assert_eq!(self.resync, Resync::Wait);
                        return false;
                    }
                }
            }
        }
        panic!("it stays {:?}", self.state());
    }

    /// What the engine asks for once a pause has passed.
    pub fn assert_asks(&mut self, now: u64) {
        self.pause(now);
        if self.resync == Resync::Wait {
            assert_eq!(self.asked, None);
        } else {
            assert_eq!(self.asked.map(|asked| asked.1), Some(self.resync as u8));
        }
    }
}

/// The text that some venues tell of an order instead of its number.
fn name(venue: Venue, id: u64) -> Option<Vec<u8>> {
    let mut name = Vec::new();
    match venue.name() {
        "coinbase-exchange" => coinbase_order_id(id, &mut name),
        "kraken" => kraken_order_id(id, &mut name),
        _ => return None,
    }
    Some(name)
}
