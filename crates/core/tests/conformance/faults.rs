//! Point 4: what is lost, repeated, exchanged, damaged, cut, late, old or refused never makes a book that is called synced and
//! is wrong in what the venue's rules let a reader know.

use std::fmt;

use depthwire_core::venues::{self, Detection, Resync};

use depthwire_sim::dialects::TrueOrders;

use crate::feed::{Feed, Heard};
use crate::rig::Rig;
use crate::rooms::{Row, rows};

/// What happens to a frame of a book, or to the answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Drop,
    Duplicate,
    Swap,
    Digit,
    Cut,
    /// The snapshot is late: more frames come first.
    LateAnswer,
    /// It was taken before the loss.
    OldAnswer,
    /// There is none.
    RefusedAnswer,
    /// It ends in the middle.
    CutAnswer,
}

use Fault::{Cut, CutAnswer, Digit, Drop, Duplicate, LateAnswer, OldAnswer, RefusedAnswer, Swap};

const OF_FRAMES: [Fault; 5] = [Drop, Duplicate, Swap, Digit, Cut];
const OF_ANSWERS: [Fault; 4] = [LateAnswer, OldAnswer, RefusedAnswer, CutAnswer];

/// Frames of the book that are followed behind a fault.
const FOLLOWED: usize = 40;
/// The same where numbers show a loss with the next one, and a packet that waits for another line.
const FOLLOWED_BY_NUMBER: usize = 8;

const FAULTS: usize = if cfg!(debug_assertions) { 27 } else { 360 };

/// Best levels a side that a room answers for after a fault; what is wrong behind them the venue's rules leave open:
///
/// * A checksum covers the best ten levels (Kraken, "Book checksum") or 25 (OKX, "Order book channel"), whatever the fault;
///   nothing else shows a loss where nothing is numbered. What is lost behind them shows when it comes among them, or never.
/// * Numbers show every loss, repetition and exchange (Binance, "How to manage a local order book correctly"; MoldUDP64),
///   but cover no digit: a price or quantity that was damaged on its way is a price like any other.
/// * A checksum that is a message of its own (Bitfinex, "WebSocket Checksum") says nothing until it comes: see `judge_checked`.
/// * Records without numbers of their own and without a checksum (Databento, "Market by order": `sequence` is the channel's,
///   with holes for what other instruments said) show a loss only where a later one does not fit its order.
fn answers_for(row: &Row, fault: Fault) -> usize {
    match row.detects() {
        Detection::Next if fault != Digit => usize::MAX,
        _ => row.checked_levels,
    }
}

/// What became of faults.
#[derive(Clone, Copy, Debug, Default)]
struct Campaign {
    injected: u64,
    /// The book was stale before a level of it was wrong.
    at_once: u64,
    /// It was stale after a level was wrong that the venue's rules leave open.
    late: u64,
    /// A level that the venue's rules leave open was wrong, and nothing showed it.
    undetectable: u64,
    /// No level was ever wrong.
    harmless: u64,
    /// A level that the room answers for was wrong in a book that was called synced.
    wrong: u64,
}

impl Campaign {
    fn add(&mut self, other: &Self) {
        self.injected += other.injected;
        self.at_once += other.at_once;
        self.late += other.late;
        self.undetectable += other.undetectable;
        self.harmless += other.harmless;
        self.wrong += other.wrong;
    }
}

impl fmt::Display for Campaign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { injected, at_once, late, undetectable, harmless, wrong } = self;
        write!(f, "{injected:>8} {at_once:>8} {late:>6} {undetectable:>12} {harmless:>8} {wrong:>5}")
    }
}

fn random(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    ((u128::from(*state ^ (*state >> 31)) * below as u128) >> 64) as usize
}

/// One fault, from a synced book to a synced book.
struct Trial<'a> {
    row: &'a Row,
    rig: &'a mut Rig,
    feed: &'a mut Feed,
    state: &'a mut u64,
    /// Fewest right levels while the book was called synced.
    least: usize,
    compared: u64,
}

impl Trial<'_> {
    /// The next frame of the book. All before it are heard.
    fn next_book(&mut self) -> Heard {
        loop {
            let heard = self.feed.next();
            self.rig.know(&heard);
            if heard.is_book() {
                return heard;
            }
            let _ = self.rig.ingest(&heard.bytes, heard.now);
        }
    }

    /// Compares the book with what the venue told last, or with any of what it told in the wrong order.
    fn judge(&mut self, last: &[&Heard]) -> bool {
        let right = last.iter().filter_map(|last| self.rig.right_levels(last)).max();
        let Some(right) = right.filter(|_| self.rig.is_synced()) else { return false };
        self.compared += 1;
        self.least = self.least.min(right);
        right == usize::MAX
    }

    /// A book that a checksum of its own has been compared with has the levels that it covers, where it is of levels: of orders
    /// it covers no price.
    fn judge_checked(&self, heard: &Heard) {
        let is_check = memchr::memmem::find(&heard.bytes, b"\"cs\"").is_some();
        if is_check && !self.row.has_orders && self.rig.is_synced() {
            let right = self.rig.right_levels(heard);
            assert!(
                right.is_none_or(|right| right >= self.row.checked_apart),
                "{}: {right:?}",
                self.row.name
            );
        }
    }

    fn hear(&mut self, bytes: &[u8], now: u64, last: &[&Heard]) -> bool {
        let _ = self.rig.ingest(bytes, now);
        self.judge(last)
    }

    /// A digit of a text, or a bit of anything else.
    fn damage(&mut self, heard: &Heard) -> Vec<u8> {
        let mut bytes = heard.bytes.clone();
        // A channel or an instrument of another name is a frame that was dropped.
        let named = memchr::memmem::find(&bytes, b"\"data\":").unwrap_or(b"{\"channel\":\"level3\"".len());
        if !matches!(bytes.first(), Some(b'{' | b'[')) {
            let at = random(self.state, bytes.len());
            bytes[at] ^= 1 << random(self.state, 8);
            return bytes;
        }
        loop {
            let at = named + random(self.state, bytes.len() - named);
            if bytes[at].is_ascii_digit() {
                bytes[at] = b'0' + (bytes[at] - b'0' + 1 + random(self.state, 9) as u8) % 10;
                return bytes;
            }
        }
    }

    fn plant(&mut self, fault: Fault) {
        let victim = self.next_book();
        match fault {
            Duplicate => {
                self.hear(&victim.bytes, victim.now, &[&victim]);
                self.hear(&victim.bytes, victim.now, &[&victim]);
            }
            Swap => {
                let other = self.next_book();
                self.hear(&other.bytes, other.now, &[&victim, &other]);
                self.hear(&victim.bytes, other.now, &[&victim, &other]);
            }
            Digit => {
                let damaged = self.damage(&victim);
                self.hear(&damaged, victim.now, &[&victim]);
            }
            Cut => {
                let at = random(self.state, victim.bytes.len());
                self.hear(&victim.bytes[..at], victim.now, &[&victim]);
                assert!(
                    self.row.is_numbered() || !self.rig.is_synced(),
                    "{}: what cannot be read may have changed the book",
                    self.row.name
                );
            }
            _ => {}
        }
    }

    /// Whether the book turned stale behind the fault.
    fn follow(&mut self) -> bool {
        let is_numbered = self.row.is_numbered();
        let followed = if is_numbered { FOLLOWED_BY_NUMBER } else { FOLLOWED };
        for turn in 0..followed {
            if !self.rig.is_synced() {
                return true;
            }
            let heard = self.next_book();
            let is_right = self.hear(&heard.bytes, heard.now, &[&heard]);
            self.judge_checked(&heard);
            if !is_numbered && is_right && turn > 0 {
                return false;
            }
            if turn + 1 == followed {
                // What waits for another line waits no longer.
                self.rig.tick(heard.now + 100_000_000);
                self.judge(&[&heard]);
            }
        }
        !self.rig.is_synced()
    }

    /// What comes instead of an answer, or before it.
    fn answer(&mut self, fault: Fault, old: &[u8]) {
        self.rig.asked = None;
        self.rig.assert_asks(self.feed.now);
        let (ticket, _) = self.rig.asked.unwrap();
        let mut answer = Vec::new();
        match fault {
            LateAnswer => {
                let late = random(self.state, 8);
                for step in 0..=late {
                    if step == late / 2 {
                        self.feed.dialect.snapshot(&mut answer);
                    }
                    let heard = self.next_book();
                    self.hear(&heard.bytes, heard.now, &[&heard]);
                }
            }
            OldAnswer => answer.extend_from_slice(old),
            RefusedAnswer => answer.extend_from_slice(b"{\"code\":-1003,\"msg\":\"Too many requests.\"}"),
            _ => {
                self.feed.dialect.snapshot(&mut answer);
                answer.truncate(random(self.state, answer.len()));
            }
        }
        assert!(!self.rig.is_synced());
        let read = self.rig.answer(ticket, &answer, self.feed.now);
        self.rig.asked = None;
        match fault {
            LateAnswer => assert_eq!(read, Ok(()), "{}", self.row.name),
            OldAnswer => assert!(read.is_ok() && !self.rig.is_synced(), "{}", self.row.name),
            _ => assert!(read.is_err() && !self.rig.is_synced(), "{}", self.row.name),
        }
        let heard = self.next_book();
        self.hear(&heard.bytes, heard.now, &[&heard]);
        if fault == LateAnswer && !self.row.has_placed_answers() && !self.rig.is_synced() {
            self.rig.cure(self.feed);
            self.judge(&[&heard]);
        }
        if fault == LateAnswer {
            assert!(self.rig.is_synced(), "{}: {:?}", self.row.name, self.rig.state());
        }
    }
}

/// A feed that has a book worth damaging.
fn begin(row: &Row, seed: u64) -> (Feed, Rig) {
    let mut feed = Feed::open(row, seed);
    let mut rig = Rig::new(row, &feed);
    for _ in 0..3_000 {
        let heard = feed.next();
        rig.hear(&heard).unwrap();
        let info = rig.engine.book_info(rig.id, 0).unwrap();
        if heard.truth.is_some() && info.bid_count.min(info.ask_count) >= 10 || rig.asked.is_some() {
            break;
        }
    }
    rig.cure(&mut feed);
    (feed, rig)
}

/// Whether an order does not stand as the venue has it, though its level is right.
fn has_wrong_order(row: &Row, rig: &mut Rig, feed: &Feed) -> bool {
    if row.has_orders {
        rig.assert_orders_told();
    }
    let mut orders = TrueOrders::default();
    row.has_orders
        && feed.is_heard()
        && feed.dialect.orders(&mut orders)
        && rig.queued_orders(&orders, 1).is_none()
}

fn campaign(row: &Row) -> Campaign {
    let product = venues::product(row.venue);
    let mut campaign = Campaign::default();
    let mut state = 5;
    let (mut feed, mut rig) = begin(row, 77);
    let faults: Vec<_> = match product.resync {
        // What nothing shows asks for nothing.
        Resync::Snapshot if product.detects == Detection::Next => {
            OF_FRAMES.iter().chain(&OF_ANSWERS).copied().collect()
        }
        _ => OF_FRAMES.to_vec(),
    };
    let is_all_covered = feed.dialect.depth().is_some_and(|depth| depth <= row.checked_levels);
    let (mut compared, mut is_wrong) = (0, false);
    for turn in 0..FAULTS {
        let fault = faults[turn % faults.len()];
        if is_wrong && !rig.renew(&mut feed) || !rig.cure(&mut feed) {
            (feed, rig) = begin(row, 1_000 + turn as u64);
        }
        // Something happens before it, and the event that is under way ends.
        let mut since = 0;
        while since < 3 {
            let heard = feed.next();
            rig.hear(&heard).unwrap();
            since += usize::from(heard.truth.is_some());
        }
        // An answer that does not say what it holds may turn out to have been joined at a doubtful place.
        if !row.has_placed_answers() && !rig.is_synced() && !rig.cure(&mut feed) {
            (feed, rig) = begin(row, 1_000 + turn as u64);
        }
        assert!(rig.is_synced(), "{}: {:?}", row.name, rig.state());
        let mut old = Vec::new();
        feed.dialect.snapshot(&mut old);
        let mut trial =
            Trial { row, rig: &mut rig, feed: &mut feed, state: &mut state, least: usize::MAX, compared: 0 };
        trial.plant(fault);
        let is_found = trial.follow();
        let is_answer = OF_ANSWERS.contains(&fault);
        if is_answer {
            assert!(is_found, "{}: a frame was lost", row.name);
            trial.answer(fault, &old);
        }
        let least = trial.least;
        compared += trial.compared;
        let has_wrong_order = !is_found && has_wrong_order(row, &mut rig, &feed);
        // What nothing showed is not carried into the next trial.
        is_wrong = !is_found && (least != usize::MAX || has_wrong_order || !row.is_numbered());
        if is_found && !is_answer {
            rig.asked = None;
            rig.assert_asks(feed.now);
        }
        if is_found && fault != Digit && row.detects() == Detection::Next {
            assert_eq!(least, usize::MAX, "{}: {fault:?}", row.name);
        }
        let answers = answers_for(row, fault);
        campaign.injected += 1;
        if is_all_covered {
            // The checksum covers all but the names of orders.
            assert_eq!(least, usize::MAX, "{}: {fault:?}", row.name);
            assert!(!has_wrong_order || fault == Digit, "{}: {fault:?}", row.name);
        }
        *match (is_found, least) {
            (_, least) if least < answers => &mut campaign.wrong,
            _ if has_wrong_order && answers == usize::MAX => &mut campaign.wrong,
            _ if has_wrong_order => &mut campaign.undetectable,
            (true, usize::MAX) => &mut campaign.at_once,
            (true, _) => &mut campaign.late,
            (false, usize::MAX) => &mut campaign.harmless,
            (false, _) => &mut campaign.undetectable,
        } += 1;
    }
    assert!(compared > FAULTS as u64 / 3, "{}: {compared}", row.name);
    campaign
}

#[test]
fn no_fault_makes_a_wrong_book() {
    let mut total = Campaign::default();
    println!(
        "{:<32} {:>8} {:>8} {:>6} {:>12} {:>8} {:>5}",
        "faults", "injected", "at once", "late", "undetectable", "harmless", "wrong"
    );
    for row in rows() {
        let of_row = campaign(&row);
        println!("{:<32} {of_row}", row.name);
        total.add(&of_row);
        assert_eq!(of_row.injected, FAULTS as u64);
        assert_eq!(of_row.wrong, 0, "{}", row.name);
        assert!(of_row.at_once > 0, "{}", row.name);
    }
    println!("{:<32} {total}", "all");
    let found = total.at_once + total.late + total.undetectable + total.harmless;
    assert_eq!((found, total.wrong), (total.injected, 0));
}
