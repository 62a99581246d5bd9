//! The subscriptions of a feed: what is asked of the server for them, and whom an answer or a frame is for.

use std::collections::HashMap;

use depthwire_core::encode::Stream;
use depthwire_core::replica::FeedFrame;

use crate::Error;
use crate::control::{Granted, StreamName};
use crate::groups::{GroupId, Groups, Member, StandingGroup};
use crate::kept::{Kept, follows_book};
use crate::outgoing::{Entry, Outgoing};
use crate::pauses::Resync;
use crate::topic::{Ask, Topic};

/// Most subscriptions of a feed, those that its groups make included.
pub const SUBSCRIPTIONS_MAX: usize = 16_384;

/// Names a subscription of a feed; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionId(pub(crate) u64);

pub(crate) struct Subscription {
    pub topic: Topic,
    pub kept: Kept,
    pub granted: Option<Granted>,
    pub resync: Resync,
    /// `Changed` of it waits to be taken.
    pub is_told: bool,
}

impl Subscription {
    /// Whether what is kept of a view is of the stream that is granted.
    pub fn is_same_stream(&self) -> bool {
        match (self.kept.stream(), &self.granted) {
            (Some(stream), Some(granted)) => stream == Stream(granted.stream),
            _ => true,
        }
    }
}

/// A request that the server has yet to answer.
struct Asked {
    op: &'static str,
    waiting: Vec<(String, SubscriptionId)>,
    /// It names one instrument, which the server may know by another name.
    is_single: bool,
}

/// Whom the server has granted a subscription.
pub(crate) enum Joined {
    /// One that asked for itself.
    Alone(SubscriptionId),
    /// One that fits a group, which has it from now on.
    Added(GroupId, SubscriptionId),
    /// One that its group had already.
    Again(SubscriptionId),
    /// It fits a group, and the feed has no room for it.
    NoRoom(GroupId, Error),
    /// Who asked is gone.
    Nobody,
}

/// Whom an error is about.
pub(crate) enum Refused {
    /// Those that asked for something.
    Subscriptions(&'static str, Vec<SubscriptionId>),
    Group(GroupId),
    Nobody,
}

#[derive(Default)]
pub(crate) struct Roster {
    subscriptions: HashMap<SubscriptionId, Subscription>,
    /// By [`Topic::key`].
    by_topic: HashMap<Topic, SubscriptionId>,
    routes: HashMap<(u32, Stream), Vec<SubscriptionId>>,
    asked: HashMap<u64, Asked>,
    last_subscription: u64,
    pub groups: Groups,
    /// Texts that wait for their turn.
    pub outgoing: Outgoing,
    /// The longest control message that the server takes; known once it has greeted.
    pub control_bytes_max: usize,
}

impl Roster {
    pub fn get(&self, id: SubscriptionId) -> Option<&Subscription> {
        self.subscriptions.get(&id)
    }

    pub fn get_mut(&mut self, id: SubscriptionId) -> Option<&mut Subscription> {
        self.subscriptions.get_mut(&id)
    }

    pub fn all(&mut self) -> impl Iterator<Item = (SubscriptionId, &mut Subscription)> {
        self.subscriptions.iter_mut().map(|(id, subscription)| (*id, subscription))
    }

    /// Adds what a user asks for.
    pub fn add(&mut self, topic: Topic) -> Result<SubscriptionId, Error> {
        if topic.instrument.contains(['*', '?']) {
            let what = "this names no single instrument";
            let fix = "name each instrument, or subscribe to a group by its pattern";
            return Err(Error::new("client.pattern", what, &topic.to_string(), "a name", "a pattern", fix));
        }
        if self.by_topic.contains_key(&topic.key()) {
            let (code, what) = ("client.duplicate_subscription", "this is subscribed already");
            let fix = "use the subscription that exists";
            return Err(Error::new(code, what, &topic.to_string(), "one of each", "another", fix));
        }
        self.make(topic)
    }

    fn make(&mut self, topic: Topic) -> Result<SubscriptionId, Error> {
        if self.subscriptions.len() >= SUBSCRIPTIONS_MAX {
            let (code, what) = ("client.subscriptions_limit", "too many subscriptions");
            let expected = format!("at most {SUBSCRIPTIONS_MAX}");
            let fix = "close some, or open another feed";
            return Err(Error::new(code, what, &topic.to_string(), &expected, "one more", fix));
        }
        self.last_subscription += 1;
        let id = SubscriptionId(self.last_subscription);
        let kept = Kept::of(&topic);
        self.by_topic.insert(topic.key(), id);
        let subscription =
            Subscription { topic, kept, granted: None, resync: Resync::default(), is_told: false };
        self.subscriptions.insert(id, subscription);
        Ok(id)
    }

    /// Takes a subscription out of everything but its groups.
    pub fn remove(&mut self, id: SubscriptionId) -> Option<Subscription> {
        let gone = self.subscriptions.remove(&id)?;
        self.by_topic.remove(&gone.topic.key());
        if let Some(granted) = &gone.granted {
            self.unroute(id, granted.instrument_id, granted.stream);
        }
        self.forget_asked(id);
        Some(gone)
    }

    fn forget_asked(&mut self, id: SubscriptionId) {
        self.asked.retain(|_, asked| {
            asked.waiting.retain(|(_, other)| *other != id);
            !asked.waiting.is_empty()
        });
    }

    /// The connection is gone: what the server knew of all this is, too.
    pub fn lost(&mut self) {
        self.routes.clear();
        self.asked.clear();
        self.groups.lost();
        self.outgoing.clear();
        for subscription in self.subscriptions.values_mut() {
            subscription.granted = None;
            subscription.resync.done();
        }
    }

    /// Whom a frame is for: those of its stream, and of status frames all that follow the book.
    pub fn takers(&self, frame: &FeedFrame<'_>) -> &[SubscriptionId] {
        let route = (frame.instrument().0, frame.stream());
        self.routes.get(&route).map_or(&[], Vec::as_slice)
    }

    /// The server has greeted: everything is asked for.
    pub fn ask_for_all(&mut self) {
        let mut ids: Vec<_> = self.subscriptions.keys().copied().collect();
        ids.sort_unstable();
        self.ask("subscribe", ids);
        // Behind what is known by name, so that what there is of it goes on where it stands.
        for group in self.groups.all() {
            self.ask_for_group(group);
        }
    }

    /// Asks for subscriptions, each where it stands: those that ask the same in as few messages as the server takes.
    pub fn ask(&mut self, op: &'static str, ids: impl IntoIterator<Item = SubscriptionId>) {
        let mut lists: Vec<(Ask, Vec<SubscriptionId>)> = Vec::new();
        for id in ids {
            if op == "resync" {
                // Only an error answers one: those before it must not pile up.
                self.forget_asked(id);
            }
            let Some(Subscription { topic, .. }) = self.subscriptions.get(&id) else { continue };
            match lists.iter_mut().find(|(ask, _)| *ask == topic.ask) {
                Some((_, list)) => list.push(id),
                None => lists.push((topic.ask.clone(), vec![id])),
            }
        }
        for (ask, ids) in lists {
            let place = |each: &Subscription| if op == "subscribe" { each.kept.place() } else { None };
            let entries = ids.iter().filter_map(|id| {
                let each = self.subscriptions.get(id)?;
                Some(Entry { instrument: each.topic.instrument.clone(), place: place(each) })
            });
            let entries: Vec<_> = entries.collect();
            for (id, named) in self.outgoing.say(op, &ask, &entries, self.control_bytes_max) {
                let is_single = named.len() == 1;
                let waiting = named.map(|at| (entries[at].instrument.clone(), ids[at])).collect();
                self.asked.insert(id, Asked { op, waiting, is_single });
            }
        }
    }

    /// Asks for all that fits a group.
    pub fn ask_for_group(&mut self, id: GroupId) {
        let Some(StandingGroup { group, .. }) = self.groups.get(id) else { return };
        let said = self.outgoing.say("subscribe", &group.ask, &group.entries(), self.control_bytes_max);
        for (message, _) in said {
            self.groups.asked(message, id);
        }
    }

    /// Tells the server that something is over.
    pub fn say_over(&mut self, ask: &Ask, entries: &[Entry]) {
        self.outgoing.say("unsubscribe", ask, entries, self.control_bytes_max);
    }

    /// The server has granted a subscription.
    pub fn granted(&mut self, granted: Granted) -> Joined {
        let Some(group) = self.groups.of_message(granted.id) else {
            if let Some(ask) = self.groups.disowned(granted.id) {
                let topic = Topic { ask: ask.clone(), instrument: granted.instrument };
                // Whoever has asked for it alone keeps it.
                if !self.by_topic.contains_key(&topic.key()) {
                    self.say_over(&topic.ask, &[Entry::named(&topic.instrument)]);
                }
                return Joined::Nobody;
            }
            let id = self.answered(granted.id, Some(&granted.instrument));
            return match id.and_then(|(_, ids)| ids.first().copied()) {
                Some(id) if self.join(id, granted) => Joined::Alone(id),
                _ => Joined::Nobody,
            };
        };
        let Some(StandingGroup { group: asked, .. }) = self.groups.get(group) else { return Joined::Nobody };
        let instrument = granted.instrument.clone();
        let topic = Topic { ask: asked.ask.clone(), instrument: instrument.clone() };
        let known = self.by_topic.get(&topic.key()).copied();
        let id = match known.map_or_else(|| self.make(topic.clone()), Ok) {
            Ok(id) => id,
            Err(error) => {
                self.say_over(&topic.ask, &[Entry::named(&instrument)]);
                return Joined::NoRoom(group, error);
            }
        };
        self.join(id, granted);
        let member = Member { id, is_owned: known.is_none() };
        if self.groups.take(group, &instrument, member) {
            Joined::Added(group, id)
        } else {
            Joined::Again(id)
        }
    }

    fn join(&mut self, id: SubscriptionId, granted: Granted) -> bool {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return false };
        let (instrument, stream) = (granted.instrument_id, Stream(granted.stream));
        let follows = follows_book(&subscription.topic);
        if let Some(before) = subscription.granted.replace(granted) {
            self.unroute(id, before.instrument_id, before.stream);
        }
        self.routes.entry((instrument, stream)).or_default().push(id);
        if follows && stream != Stream::STATUS {
            self.routes.entry((instrument, Stream::STATUS)).or_default().push(id);
        }
        true
    }

    fn unroute(&mut self, id: SubscriptionId, instrument: u32, stream: u8) {
        for route in [(instrument, Stream(stream)), (instrument, Stream::STATUS)] {
            if let Some(ids) = self.routes.get_mut(&route) {
                ids.retain(|other| *other != id);
                if ids.is_empty() {
                    self.routes.remove(&route);
                }
            }
        }
    }

    /// Whom an error is about.
    pub fn refused(&mut self, id: Option<u64>, instrument: Option<&str>) -> Refused {
        let Some(id) = id else { return Refused::Nobody };
        match (self.groups.of_message(id), self.answered(id, instrument)) {
            (Some(group), _) => Refused::Group(group),
            (None, Some((op, ids))) => Refused::Subscriptions(op, ids),
            (None, None) => Refused::Nobody,
        }
    }

    fn answered(&mut self, id: u64, instrument: Option<&str>) -> Option<(&'static str, Vec<SubscriptionId>)> {
        let asked = self.asked.get_mut(&id)?;
        let named = |(name, _): &(String, SubscriptionId)| Some(name.as_str()) == instrument;
        let ids: Vec<_> = match asked.waiting.iter().position(named) {
            Some(at) => vec![asked.waiting.swap_remove(at).1],
            None if asked.is_single || instrument.is_none() => {
                asked.waiting.drain(..).map(|(_, id)| id).collect()
            }
            None => return None,
        };
        let op = asked.op;
        if asked.waiting.is_empty() {
            self.asked.remove(&id);
        }
        Some((op, ids))
    }

    /// Whom the server means by a channel, an instrument and a stream.
    pub fn named(&self, stream: &StreamName) -> Vec<SubscriptionId> {
        let is_meant = |subscription: &Subscription| {
            let granted = subscription.granted.as_ref();
            subscription.topic.ask.channel.name() == stream.channel
                && granted.is_some_and(|granted| granted.instrument == stream.instrument)
                && (stream.stream.is_none() || granted.map(|granted| granted.stream) == stream.stream)
        };
        self.subscriptions.iter().filter(|(_, each)| is_meant(each)).map(|(id, _)| *id).collect()
    }
}
