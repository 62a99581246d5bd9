//! The subscriptions of a feed: what is asked of the server for them, and whom an answer or a frame is for.

use std::collections::{HashMap, VecDeque};

use depthwire_core::encode::Stream;
use depthwire_core::replica::FeedFrame;

use crate::Error;
use crate::control::{Granted, Request, Resume, ResumeFrom, StreamName};
use crate::kept::{Kept, follows_book};
use crate::pauses::Resync;
use crate::topic::{Ask, Channel, Mode, Topic};

/// Most subscriptions of a feed.
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

/// A request that the server has yet to answer.
struct Asked {
    op: &'static str,
    waiting: Vec<(String, SubscriptionId)>,
    /// It names one instrument, which the server may know by another name.
    is_single: bool,
}

#[derive(Default)]
pub(crate) struct Roster {
    subscriptions: HashMap<SubscriptionId, Subscription>,
    by_topic: HashMap<Topic, SubscriptionId>,
    routes: HashMap<(u32, Stream), Vec<SubscriptionId>>,
    asked: HashMap<u64, Asked>,
    last_id: u64,
    last_subscription: u64,
    /// Texts that wait for their turn.
    pub outgoing: VecDeque<String>,
}

impl Roster {
    pub fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub fn get(&self, id: SubscriptionId) -> Option<&Subscription> {
        self.subscriptions.get(&id)
    }

    pub fn get_mut(&mut self, id: SubscriptionId) -> Option<&mut Subscription> {
        self.subscriptions.get_mut(&id)
    }

    pub fn all(&mut self) -> impl Iterator<Item = (SubscriptionId, &mut Subscription)> {
        self.subscriptions.iter_mut().map(|(id, subscription)| (*id, subscription))
    }

    pub fn add(&mut self, topic: Topic) -> Result<SubscriptionId, Error> {
        let refuse = |code: &str, what: &str, expected: &str, got: &str, fix: &str| {
            Err(Error::new(code, what, &topic.to_string(), expected, got, fix))
        };
        if topic.instrument.contains(['*', '?']) {
            let fix = "name each instrument; /v1/instruments lists them";
            return refuse("client.pattern", "this names no single instrument", "a name", "a pattern", fix);
        }
        if self.by_topic.contains_key(&topic) {
            let fix = "use the subscription that exists";
            return refuse(
                "client.duplicate_subscription",
                "this is subscribed already",
                "one of each",
                "another",
                fix,
            );
        }
        if self.subscriptions.len() >= SUBSCRIPTIONS_MAX {
            let expected = format!("at most {SUBSCRIPTIONS_MAX}");
            let fix = "close some, or open another feed";
            return refuse(
                "client.subscriptions_limit",
                "too many subscriptions",
                &expected,
                "one more",
                fix,
            );
        }
        self.last_subscription += 1;
        let id = SubscriptionId(self.last_subscription);
        let kept = Kept::of(&topic);
        self.by_topic.insert(topic.clone(), id);
        let subscription =
            Subscription { topic, kept, granted: None, resync: Resync::default(), is_told: false };
        self.subscriptions.insert(id, subscription);
        Ok(id)
    }

    /// Takes a subscription out of everything.
    pub fn remove(&mut self, id: SubscriptionId) -> Option<Subscription> {
        let gone = self.subscriptions.remove(&id)?;
        self.by_topic.remove(&gone.topic);
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

    /// Asks for subscriptions, each where it stands: those that ask the same in as few messages as the server takes.
    pub fn ask(&mut self, op: &'static str, ids: impl IntoIterator<Item = SubscriptionId>, bytes_max: usize) {
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
            let mut from = 0;
            while from < ids.len() {
                let mut to = ids.len();
                // Fewer until it fits; one is said whatever it takes.
                let text = loop {
                    let id = self.last_id + 1;
                    let text = self.request(op, id, &ask, &ids[from..to]);
                    if text.len() <= bytes_max || to == from + 1 {
                        break text;
                    }
                    to = from + (to - from).div_ceil(2).min(to - from - 1);
                };
                let id = self.next_id();
                let waiting: Vec<_> = ids[from..to]
                    .iter()
                    .filter_map(|id| Some((self.subscriptions.get(id)?.topic.instrument.clone(), *id)))
                    .collect();
                let is_single = waiting.len() == 1;
                self.asked.insert(id, Asked { op, waiting, is_single });
                self.outgoing.push_back(text);
                from = to;
            }
        }
    }

    fn request(&self, op: &'static str, id: u64, ask: &Ask, ids: &[SubscriptionId]) -> String {
        let subscriptions: Vec<_> = ids.iter().filter_map(|id| self.subscriptions.get(id)).collect();
        let names: Vec<_> = subscriptions.iter().map(|each| each.topic.instrument.as_str()).collect();
        let is_exact = matches!(ask.channel, Channel::Trades | Channel::Liquidations | Channel::Orders)
            || ask.mode == Some(Mode::Strict);
        let by = if is_exact { "range" } else { "net" };
        let places = subscriptions.iter().filter(|_| op == "subscribe").filter_map(|each| {
            let name = (subscriptions.len() > 1).then_some(each.topic.instrument.as_str());
            Some(ResumeFrom::new(name, each.kept.place()?, by))
        });
        let mut places: Vec<_> = places.collect();
        let (instrument, instruments, resume) = match names[..] {
            [name] => (Some(name), vec![], places.pop().map(Resume::One)),
            _ => (None, names, (!places.is_empty()).then_some(Resume::Several(places))),
        };
        let request = Request { op, id, ask, instrument, instruments, resume };
        // Nothing in it can fail to be written.
        serde_json::to_string(&request).unwrap_or_default()
    }

    /// Tells the server that one is over.
    pub fn say_over(&mut self, topic: &Topic) {
        let (id, ask) = (self.next_id(), &topic.ask);
        let (instrument, instruments) = (Some(topic.instrument.as_str()), vec![]);
        let request = Request { op: "unsubscribe", id, ask, instrument, instruments, resume: None };
        self.outgoing.push_back(serde_json::to_string(&request).unwrap_or_default());
    }

    /// The server has granted one; `None` where it is over meanwhile.
    pub fn granted(&mut self, granted: Granted) -> Option<SubscriptionId> {
        let id =
            self.answered(granted.id, Some(&granted.instrument)).and_then(|(_, ids)| ids.first().copied())?;
        let subscription = self.subscriptions.get_mut(&id)?;
        let (instrument, stream) = (granted.instrument_id, Stream(granted.stream));
        let follows = follows_book(&subscription.topic);
        if let Some(before) = subscription.granted.replace(granted) {
            self.unroute(id, before.instrument_id, before.stream);
        }
        self.routes.entry((instrument, stream)).or_default().push(id);
        if follows && stream != Stream::STATUS {
            self.routes.entry((instrument, Stream::STATUS)).or_default().push(id);
        }
        Some(id)
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

    /// Whom an error is about, and what was asked.
    pub fn refused(
        &mut self,
        id: u64,
        instrument: Option<&str>,
    ) -> Option<(&'static str, Vec<SubscriptionId>)> {
        self.answered(id, instrument)
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
