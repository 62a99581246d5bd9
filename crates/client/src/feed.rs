//! A connection to a server that is kept up by itself, and its subscriptions.

mod link;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use depthwire_core::encode::{Flags, Stream, TickerBody, TradingBody};
use depthwire_core::replica::{
    FeedFrame, Outcome, ReplicaError, ReplicaOrders, ReplicaReason, ReplicaState, TapeGap, feed_frames,
};
use depthwire_core::types::{Decimal, Place, TradeId};

use crate::address::Address;
use crate::control::{Brought, Granted, Message, Resumed, StreamName, parse};
use crate::error::ErrorParts;
use crate::kept::Kept;
use crate::options::Options;
use crate::roster::{Roster, Subscription, SubscriptionId};
use crate::topic::Topic;
use crate::{Book, Error, Status};
use link::Link;

/// What happened. Those of one message come in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The server has greeted: what was subscribed is asked for, each from where it stands.
    Connected {
        /// The server's version.
        version: String,
    },
    /// The connection was lost or could not be opened; another attempt follows after a pause.
    Disconnected {
        /// Why.
        error: Error,
        /// How long until then.
        pause: Duration,
    },
    /// The server has granted a subscription; [`Feed::granted`] says what.
    Granted(SubscriptionId),
    /// What a subscription holds, or its state, is another. Told once for all changes of a message.
    Changed(SubscriptionId),
    /// A trade or a liquidation.
    Trade(SubscriptionId, Trade),
    /// Trades or liquidations are missing before the next one.
    Missing(SubscriptionId, TapeGap),
    /// Frames are missing: stale until they, or an image, are there.
    Gap(SubscriptionId),
    /// The checksums of a book differ, or a change does not fit: stale until an image is there.
    CheckFailed(SubscriptionId),
    /// The server brings a subscription that was away, or slow, to the present; what lies between is seen one by one only if `by` is
    /// `Range`.
    Brought {
        /// Which.
        id: SubscriptionId,
        /// By what.
        by: Brought,
        /// From this sequence.
        from: u64,
        /// To this one.
        to: u64,
    },
    /// The server holds back changes until this reader, which is slow, has taken what waits for it.
    Behind(SubscriptionId),
    /// A subscription is over: the server refused or removed it, or it cannot be held.
    Ended(SubscriptionId, Error),
    /// The server refused something else.
    Refused(Error),
    /// The server is about to stop.
    Shutdown {
        /// Why.
        reason: String,
    },
}

/// A trade, or a liquidation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    /// As it stands in the frame: mantissas, at the exponents beside it.
    pub trade: depthwire_core::types::Trade,
    /// Powers of ten of price and quantity.
    pub exponents: (i8, i8),
    /// The venue's text, where it names trades by one.
    pub name: Option<String>,
    /// Sequence of the frame that brought it.
    pub seq: u64,
}

impl Trade {
    /// The price as the shortest exact decimal.
    #[must_use]
    pub const fn price_text(&self) -> Decimal {
        Decimal { mantissa: self.trade.price.0, exponent: self.exponents.0 }
    }

    /// The quantity likewise.
    #[must_use]
    pub const fn qty_text(&self) -> Decimal {
        Decimal { mantissa: self.trade.qty.0, exponent: self.exponents.1 }
    }
}

/// Counts since the feed was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages of the server.
    pub messages: u64,
    /// Frames in them.
    pub frames: u64,
    /// Gaps seen.
    pub gaps: u64,
    /// Checksums compared.
    pub checks: u64,
    /// And that differed, changes that did not fit included.
    pub check_failures: u64,
    /// Images asked for.
    pub resyncs: u64,
    /// Attempts after the first.
    pub reconnects: u64,
}

/// A feed: one connection, kept up by itself while [`Feed::next`] is called.
pub struct Feed {
    options: Options,
    url: String,
    link: Link,
    roster: Roster,
    events: VecDeque<Event>,
    counters: Counters,
    /// Those that may ask for an image.
    mending: BTreeSet<SubscriptionId>,
    /// The longest control message that the server takes; known once it has greeted.
    control_bytes_max: usize,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed")
            .field("url", &self.url)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl Feed {
    /// Begins to connect to an address: `ws` or `wss` (`http`, `https` and none are understood), with the path of the feed or
    /// without. Where no server answers it is tried again without end.
    ///
    /// # Errors
    /// `client.bad_url`.
    pub fn open(address: &str, options: Options) -> Result<Self, Error> {
        let address = Address::parse(address)?;
        let url = address.url.clone();
        Ok(Self {
            link: Link::new(address, &options),
            options,
            url,
            roster: Roster::default(),
            events: VecDeque::new(),
            counters: Counters::default(),
            mending: BTreeSet::new(),
            control_bytes_max: 0,
        })
    }

    /// Subscribes. May be called at any time; what was subscribed lives through lost connections.
    ///
    /// # Errors
    /// `client.pattern`, `client.duplicate_subscription` and `client.subscriptions_limit`.
    pub fn subscribe(&mut self, topic: Topic) -> Result<SubscriptionId, Error> {
        let id = self.roster.add(topic)?;
        if self.link.is_greeted() {
            self.roster.ask("subscribe", [id], self.control_bytes_max);
        }
        Ok(id)
    }

    /// Ends a subscription. Of one that is over already this does nothing.
    pub fn unsubscribe(&mut self, id: SubscriptionId) {
        let Some(gone) = self.roster.remove(id) else { return };
        if self.link.is_greeted() {
            self.roster.say_over(&gone.topic);
        }
    }

    /// Waits for the next event, for so long at most (a millisecond at least); `None` when there is none. It connects, answers,
    /// repairs and keeps alive meanwhile, so it is to be called again and again: a server closes a client that does not read.
    ///
    /// # Errors
    /// Why the feed is over: the server does not accept this client (`feed.auth`, `feed.not_entitled`, `feed.bad_request`, …), or
    /// there is no token that could be offered (`client.bad_token`, `client.token_refused`). Each further call says it again.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Event>, Error> {
        let until = Instant::now().checked_add(wait);
        loop {
            if let Some(event) = self.events.pop_front() {
                if let Event::Changed(id) = event
                    && let Some(subscription) = self.roster.get_mut(id)
                {
                    subscription.is_told = false;
                }
                return Ok(Some(event));
            }
            let now = Instant::now();
            let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(now));
            self.turn(now, left)?;
            if self.events.is_empty() && until.is_some_and(|until| Instant::now() >= until) {
                return Ok(None);
            }
        }
    }

    /// The levels of a `book`, `depth` or `bbo`. `None` of others, and of one that is over.
    #[must_use]
    pub fn book(&self, id: SubscriptionId) -> Option<Book<'_>> {
        match &self.roster.get(id)?.kept {
            Kept::Book(book) => Some(Book(book)),
            _ => None,
        }
    }

    /// The orders of an `orders`.
    #[must_use]
    pub fn orders(&self, id: SubscriptionId) -> Option<&ReplicaOrders> {
        match &self.roster.get(id)?.kept {
            Kept::Orders(orders) => Some(orders),
            _ => None,
        }
    }

    /// The last statistics of a `ticker`.
    #[must_use]
    pub fn ticker(&self, id: SubscriptionId) -> Option<TickerBody> {
        match &self.roster.get(id)?.kept {
            Kept::Ticker(facts) => facts.facts(),
            _ => None,
        }
    }

    /// Whether the instrument of a `trading` trades.
    #[must_use]
    pub fn trading(&self, id: SubscriptionId) -> Option<TradingBody> {
        match &self.roster.get(id)?.kept {
            Kept::Trading(facts) => facts.facts(),
            _ => None,
        }
    }

    /// What the server said last of its book, of a `status`.
    #[must_use]
    pub fn status(&self, id: SubscriptionId) -> Option<Status> {
        match &self.roster.get(id)?.kept {
            Kept::Status { last, .. } => *last,
            _ => None,
        }
    }

    /// Whether what a subscription holds may be trusted, and why not. `None` of one that is over.
    #[must_use]
    pub fn state(&self, id: SubscriptionId) -> Option<ReplicaState> {
        Some(self.roster.get(id)?.kept.state())
    }

    /// What the server granted; `None` while it has not, and while there is no connection.
    #[must_use]
    pub fn granted(&self, id: SubscriptionId) -> Option<&Granted> {
        self.roster.get(id)?.granted.as_ref()
    }

    /// Counts since the feed was opened.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Says goodbye to the server and ends, after 1 s at most. A feed that is dropped ends without a word.
    pub fn close(self) {
        self.link.close();
    }

    /// The connection is gone: all that it brought is no longer the present.
    fn lost(&mut self) {
        self.roster.lost();
        self.mending.clear();
        for (id, subscription) in self.roster.all() {
            subscription.kept.doubt(ReplicaReason::Disconnected);
            tell(&mut self.events, id, subscription);
        }
    }

    fn take_text(&mut self, text: &str, now: Instant) -> Result<(), Error> {
        self.counters.messages += 1;
        match parse(text, &self.url)? {
            Message::Hello { version, heartbeat_ms, limits } => {
                self.control_bytes_max = limits.control_bytes_max.unwrap_or(4_096);
                self.link.greeted(heartbeat_ms, limits.control_per_second, now);
                let mut ids: Vec<_> = self.roster.all().map(|(id, _)| id).collect();
                ids.sort_unstable();
                self.roster.ask("subscribe", ids, self.control_bytes_max);
                self.events.push_back(Event::Connected { version });
            }
            Message::Subscribed(granted) => self.take_grant(*granted, now),
            Message::Removed { stream, reason } => {
                for id in self.roster.named(&stream) {
                    let (what, fix) = (
                        "the server does not have this instrument any more",
                        "subscribe again when it is back",
                    );
                    let expected = "an instrument that it serves";
                    let error = Error::new(
                        "feed.instrument_removed",
                        what,
                        &stream.instrument,
                        expected,
                        &reason,
                        fix,
                    );
                    self.end(id, error);
                }
            }
            Message::Slow { state, streams, channel, instrument, stream, resumed } => {
                if state == "behind" {
                    for id in streams.iter().flat_map(|stream| self.roster.named(stream)).collect::<Vec<_>>()
                    {
                        self.behind(id);
                    }
                } else if let (Some(channel), Some(instrument), Some(resumed)) =
                    (channel, instrument, resumed)
                {
                    for id in self.roster.named(&StreamName { channel, instrument, stream }) {
                        // Of the book's state status frames have told, which are never held back.
                        self.bring(id, resumed, None, ReplicaState::Synced);
                    }
                }
            }
            Message::Error { id, instrument, code, what, r#where, expected, got, fix } => {
                let error = Error::from(ErrorParts { code, what, place: r#where, expected, got, fix });
                let about = id.and_then(|id| self.roster.refused(id, instrument.as_deref()));
                match about {
                    Some(("subscribe", ids)) => ids.into_iter().for_each(|id| self.end(id, error.clone())),
                    // The server may have ended it by itself at the same time.
                    _ if error.code == "feed.not_subscribed" => {}
                    _ => self.events.push_back(Event::Refused(error)),
                }
            }
            Message::Shutdown { reason, reconnect_ms } => {
                self.link.spread_over(reconnect_ms);
                self.events.push_back(Event::Shutdown { reason });
            }
            Message::Other => {}
        }
        Ok(())
    }

    fn take_grant(&mut self, granted: Granted, now: Instant) {
        let (epoch, resume, state) = (granted.epoch, granted.resume, granted.server_state());
        let Some(id) = self.roster.granted(granted) else { return };
        self.events.push_back(Event::Granted(id));
        if let Some(resumed) = resume {
            self.bring(id, resumed, Some(epoch), state);
        }
        let Some(Subscription { kept: Kept::Book(book), granted: Some(granted), resync, .. }) =
            self.roster.get_mut(id)
        else {
            return;
        };
        // Views change their numbers, and a sequence counts within its stream: what comes is no sequel of what is kept.
        if resume.is_some() && book.place().is_some() && book.stream() != Stream(granted.stream) {
            book.lose(ReplicaReason::Disconnected);
            resync.request(now, self.options.resync);
            self.mending.insert(id);
        }
    }

    /// The server brings what a subscription holds up to a sequence, by what follows.
    fn bring(&mut self, id: SubscriptionId, resumed: Resumed, epoch: Option<u64>, server: ReplicaState) {
        let Resumed { by, from, to } = resumed;
        let Some(subscription) = self.roster.get_mut(id) else { return };
        if by != Brought::Image
            && let Some(place) = subscription.kept.place()
            && subscription.is_same_stream()
        {
            subscription.kept.bring_to(Place { epoch: epoch.unwrap_or(place.epoch), seq: to }, server);
        }
        self.events.push_back(Event::Brought { id, by, from, to });
        tell(&mut self.events, id, subscription);
    }

    fn behind(&mut self, id: SubscriptionId) {
        let Some(subscription) = self.roster.get_mut(id) else { return };
        subscription.kept.doubt(ReplicaReason::Behind);
        subscription.resync.done();
        self.events.push_back(Event::Behind(id));
        tell(&mut self.events, id, subscription);
    }

    /// A subscription is over, by an error.
    fn end(&mut self, id: SubscriptionId, error: Error) {
        if self.roster.remove(id).is_some() {
            self.events.push_back(Event::Ended(id, error));
        }
    }

    fn take_bytes(&mut self, message: &[u8], now: Instant) -> Result<(), Error> {
        self.counters.messages += 1;
        for frame in feed_frames(message) {
            let frame = frame.map_err(|error| Error::of_frame(error, &self.url))?;
            self.counters.frames += 1;
            // Most streams have one taker.
            let mut at = 0;
            while let Some(&id) = self.roster.takers(&frame).get(at) {
                at += 1;
                match self.take_frame(id, &frame, now) {
                    Ok(()) => {}
                    Err(error @ ReplicaError::Full { .. }) => {
                        at -= 1;
                        self.full(id, error);
                    }
                    Err(error) => return Err(Error::of_frame(error, &self.url)),
                }
            }
        }
        Ok(())
    }

    /// What comes is more than is held, or below zero: the subscription is over.
    fn full(&mut self, id: SubscriptionId, error: ReplicaError) {
        let Some(gone) = self.roster.remove(id) else { return };
        self.roster.say_over(&gone.topic);
        self.events.push_back(Event::Ended(id, Error::of_frame(error, &gone.topic.to_string())));
    }

    fn take_frame(
        &mut self,
        id: SubscriptionId,
        frame: &FeedFrame<'_>,
        now: Instant,
    ) -> Result<(), ReplicaError> {
        let Self { roster, events, counters, options, mending, .. } = self;
        let Some(subscription) = roster.get_mut(id) else { return Ok(()) };
        let before = subscription.kept.state();
        if let Kept::Tape(tape) = &mut subscription.kept {
            let was_followed = tape.place().is_some();
            let told = tape.apply(frame);
            if let Some(gap) = told.gap {
                counters.gaps += 1;
                events.push_back(Event::Missing(id, gap));
            }
            match (was_followed, tape.place().is_some()) {
                (true, false) => subscription.resync.request(now, options.resync),
                (false, true) => subscription.resync.done(),
                _ => {}
            }
            if told.takes {
                let fallback =
                    subscription.granted.as_ref().map_or((0, 0), |it| (it.price_exponent, it.qty_exponent));
                let exponents = tape.exponents().unwrap_or(fallback);
                events.extend(
                    frame.trades().map(|trade| Event::Trade(id, told_trade(frame, trade, exponents))),
                );
            }
            if subscription.kept.state() != before {
                tell(events, id, subscription);
            }
            if subscription.resync.due.is_some() {
                mending.insert(id);
            }
            return Ok(());
        }
        let doubts = subscription.doubts();
        let applied = subscription.kept.apply(frame);
        let state = subscription.kept.state();
        let mut is_changed = state != before;
        match applied {
            Err(error) => {
                tell(events, id, subscription);
                return Err(error);
            }
            Ok(Outcome::Image) => {
                counters.checks += 1;
                subscription.resync.done();
                is_changed = true;
            }
            Ok(Outcome::Applied) => {
                if state == ReplicaState::Synced {
                    subscription.resync.done();
                }
                is_changed = true;
            }
            Ok(Outcome::Gap { .. }) => {
                counters.gaps += 1;
                events.push_back(Event::Gap(id));
                subscription.resync.request(now, options.resync);
            }
            Ok(Outcome::CheckFailed) => {
                counters.check_failures += 1;
                events.push_back(Event::CheckFailed(id));
                subscription.resync.request(now, options.resync);
            }
            Ok(Outcome::Discarded) if state != ReplicaState::Synced => {
                subscription.resync.request(now, options.resync);
            }
            // The image comes when the server's own book is whole again.
            Ok(Outcome::Status) if state != ReplicaState::Synced && !frame.says_synced() => {
                subscription.resync.done()
            }
            Ok(Outcome::Checked) => {
                counters.checks += 1;
                is_changed |= subscription.doubts() != doubts;
            }
            Ok(Outcome::Status | Outcome::Discarded | Outcome::Chunk | Outcome::Old | Outcome::Ignored) => {}
        }
        if is_changed {
            tell(events, id, subscription);
        }
        if subscription.resync.due.is_some() {
            mending.insert(id);
        }
        Ok(())
    }
}

impl Subscription {
    /// What the server doubts of a book that it calls synced.
    fn doubts(&self) -> Flags {
        match &self.kept {
            Kept::Book(book) => book.flags().doubts(),
            _ => Flags::NONE,
        }
    }

    /// Whether what is kept of a book is of the stream that is granted.
    fn is_same_stream(&self) -> bool {
        match (&self.kept, &self.granted) {
            (Kept::Book(book), Some(granted)) => book.stream() == Stream(granted.stream),
            _ => true,
        }
    }
}

/// Says once that something is another.
fn tell(events: &mut VecDeque<Event>, id: SubscriptionId, subscription: &mut Subscription) {
    if !subscription.is_told {
        subscription.is_told = true;
        events.push_back(Event::Changed(id));
    }
}

fn told_trade(frame: &FeedFrame<'_>, trade: depthwire_core::types::Trade, exponents: (i8, i8)) -> Trade {
    let name = match trade.id {
        TradeId::Text { hash, .. } => {
            frame.text(hash).map(|text| String::from_utf8_lossy(&text).into_owned())
        }
        _ => None,
    };
    Trade { trade, exponents, name, seq: frame.seq() }
}
