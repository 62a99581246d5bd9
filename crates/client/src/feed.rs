//! A connection to a server that is kept up by itself, and its subscriptions.

mod answers;
mod frames;
mod link;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use depthwire_core::encode::{TickerBody, TradingBody};
use depthwire_core::replica::{
    ReplicaCosts, ReplicaOrders, ReplicaReason, ReplicaSignals, ReplicaState, ReplicaVolumes,
};

use crate::address::Address;
use crate::control::Granted;
use crate::event::{Counters, Event};
use crate::groups::{Group, GroupId, StandingGroup};
use crate::kept::Kept;
use crate::options::Options;
use crate::outgoing::Entry;
use crate::roster::{Roster, Subscription, SubscriptionId};
use crate::topic::Topic;
use crate::{Book, Error, Status};
use link::Link;

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
        })
    }

    /// Subscribes. May be called at any time; what was subscribed lives through lost connections.
    ///
    /// # Errors
    /// `client.pattern` (which is for [`Self::subscribe_all`]), `client.duplicate_subscription` and `client.subscriptions_limit`.
    pub fn subscribe(&mut self, topic: Topic) -> Result<SubscriptionId, Error> {
        let id = self.roster.add(topic)?;
        if self.link.is_greeted() {
            self.roster.ask("subscribe", [id]);
        }
        Ok(id)
    }

    /// Subscribes to all instruments that fit a group, those that are served later included. What it finds is told by
    /// [`Event::Added`], and kept as any other subscription.
    pub fn subscribe_all(&mut self, group: Group) -> GroupId {
        let id = self.roster.groups.add(group);
        if self.link.is_greeted() {
            self.roster.ask_for_group(id);
        }
        id
    }

    /// Ends a subscription. Of one that is over already this does nothing.
    pub fn unsubscribe(&mut self, id: SubscriptionId) {
        let Some((gone, _)) = self.forget(id, "closed") else { return };
        if self.link.is_greeted() {
            self.roster.say_over(&gone.topic.ask, &[Entry::named(&gone.topic.instrument)]);
        }
    }

    /// Ends a group, and the subscriptions that it has made unless another group has them.
    pub fn unsubscribe_all(&mut self, id: GroupId) {
        let Some(StandingGroup { group, .. }) = self.roster.groups.get(id) else { return };
        if self.link.is_greeted() {
            let (ask, entries) = (group.ask.clone(), group.entries());
            self.roster.say_over(&ask, &entries);
        }
        let kept = self.end_members(id);
        if self.link.is_greeted() {
            // The server takes away all that a pattern means, whoever asked for it.
            self.roster.ask("subscribe", kept);
        }
    }

    /// Takes a group away with what it has made; returns what stays of its subscriptions.
    fn end_members(&mut self, id: GroupId) -> Vec<SubscriptionId> {
        let members = self.roster.groups.remove(id).map(|standing| standing.members).unwrap_or_default();
        let mut kept = Vec::new();
        for (instrument, member) in members {
            if !member.is_owned || self.roster.groups.adopt(&instrument, member.id) {
                kept.push(member.id);
            } else {
                self.roster.remove(member.id);
            }
        }
        kept
    }

    /// A subscription is over. Groups that had it are told; whether one of them had made it.
    fn forget(&mut self, id: SubscriptionId, reason: &str) -> Option<(Subscription, bool)> {
        let gone = self.roster.remove(id)?;
        let mut is_owned = false;
        for (group, has_made) in self.roster.groups.drop_member(&gone.topic.instrument, id) {
            is_owned |= has_made;
            let (instrument, reason) = (gone.topic.instrument.clone(), reason.to_owned());
            self.events.push_back(Event::Removed { group, id, instrument, reason });
        }
        Some((gone, is_owned))
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

    /// What a subscription asks for, and of which instrument. `None` of one that is over.
    #[must_use]
    pub fn topic(&self, id: SubscriptionId) -> Option<&Topic> {
        Some(&self.roster.get(id)?.topic)
    }

    /// The subscriptions of a group by instrument; none of one that is over.
    pub fn members(&self, group: GroupId) -> impl Iterator<Item = (&str, SubscriptionId)> {
        let members = self.roster.groups.get(group).into_iter().flat_map(|standing| &standing.members);
        members.map(|(instrument, member)| (instrument.as_str(), member.id))
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

    /// What has traded at prices, of a `volumes`.
    #[must_use]
    pub fn volumes(&self, id: SubscriptionId) -> Option<&ReplicaVolumes> {
        match &self.roster.get(id)?.kept {
            Kept::Volumes(volumes) => Some(volumes),
            _ => None,
        }
    }

    /// What quantities cost, of a `costs`.
    #[must_use]
    pub fn costs(&self, id: SubscriptionId) -> Option<&ReplicaCosts> {
        match &self.roster.get(id)?.kept {
            Kept::Costs(costs) => Some(costs),
            _ => None,
        }
    }

    /// The last signals, of a `signals`.
    #[must_use]
    pub fn signals(&self, id: SubscriptionId) -> Option<&ReplicaSignals> {
        match &self.roster.get(id)?.kept {
            Kept::Signals(signals) => Some(signals),
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
}

/// Says once that something is another.
fn tell(events: &mut VecDeque<Event>, id: SubscriptionId, subscription: &mut Subscription) {
    if !subscription.is_told {
        subscription.is_told = true;
        events.push_back(Event::Changed(id));
    }
}
