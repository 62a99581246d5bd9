//! Subscriptions of all instruments that fit some names and patterns, those that come while they live included.

use std::collections::{BTreeMap, HashMap};

use crate::outgoing::Entry;
use crate::roster::SubscriptionId;
use crate::topic::{Ask, Topic};

/// What is asked for of all instruments that fit names and patterns: `*` stands for any text, `?` for one character.
///
/// ```
/// use depthwire_client::{Group, Topic};
/// let group = Group::of(Topic::depth("deribit:BTC-*", 10)).and("kraken:BTC/USD");
/// assert_eq!(group.instruments(), ["deribit:BTC-*", "kraken:BTC/USD"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub(crate) ask: Ask,
    instruments: Vec<String>,
}

impl Group {
    /// What a topic asks for, of all that its name or pattern fits.
    #[must_use]
    pub fn of(topic: Topic) -> Self {
        Self { ask: topic.ask, instruments: vec![topic.instrument] }
    }

    /// And of what this name or pattern fits.
    #[must_use]
    pub fn and(mut self, instrument: &str) -> Self {
        if self.instruments.iter().all(|other| other != instrument) {
            self.instruments.push(instrument.to_owned());
        }
        self
    }

    /// Its names and patterns.
    #[must_use]
    pub fn instruments(&self) -> &[String] {
        &self.instruments
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.instruments.iter().map(|name| Entry::named(name)).collect()
    }
}

/// Names a group of a feed; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(u64);

/// A subscription of a group; `is_owned`: the group has made it, and its end ends it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub id: SubscriptionId,
    pub is_owned: bool,
}

pub(crate) struct StandingGroup {
    pub group: Group,
    pub members: BTreeMap<String, Member>,
    /// The server has found instruments for it: what it refuses from now on are single ones.
    pub is_matched: bool,
}

/// The groups of a feed, and which message asks for which.
#[derive(Default)]
pub(crate) struct Groups {
    groups: BTreeMap<GroupId, StandingGroup>,
    requests: HashMap<u64, GroupId>,
    /// What other messages of a group asked that was over by a refusal of one: the server may yet grant it.
    disowned: HashMap<u64, Ask>,
    last: u64,
}

impl Groups {
    pub fn add(&mut self, group: Group) -> GroupId {
        self.last += 1;
        let id = GroupId(self.last);
        self.groups.insert(id, StandingGroup { group, members: BTreeMap::new(), is_matched: false });
        id
    }

    pub fn get(&self, id: GroupId) -> Option<&StandingGroup> {
        self.groups.get(&id)
    }

    pub fn all(&self) -> Vec<GroupId> {
        self.groups.keys().copied().collect()
    }

    /// A message asks for it.
    pub fn asked(&mut self, message: u64, id: GroupId) {
        self.requests.insert(message, id);
    }

    /// Which group a message asks for.
    pub fn of_message(&self, message: u64) -> Option<GroupId> {
        self.requests.get(&message).copied().filter(|id| self.groups.contains_key(id))
    }

    /// A message of a group is refused, and the group is about to end for it.
    pub fn disown(&mut self, id: GroupId, refused: Option<u64>) {
        let Some(standing) = self.groups.get(&id) else { return };
        let others = self.requests.iter().filter(|(message, of)| **of == id && Some(**message) != refused);
        self.disowned.extend(others.map(|(message, _)| (*message, standing.group.ask.clone())));
    }

    /// What a message asked for a group that a refusal has ended.
    pub fn disowned(&self, message: u64) -> Option<&Ask> {
        self.disowned.get(&message)
    }

    /// The connection is gone.
    pub fn lost(&mut self) {
        self.requests.clear();
        self.disowned.clear();
    }

    /// The server has found instruments.
    pub fn matched(&mut self, id: GroupId) {
        if let Some(standing) = self.groups.get_mut(&id) {
            standing.is_matched = true;
        }
    }

    /// A subscription is granted. Whether it is new to the group.
    pub fn take(&mut self, id: GroupId, instrument: &str, member: Member) -> bool {
        let Some(standing) = self.groups.get_mut(&id) else { return false };
        if standing.members.contains_key(instrument) {
            return false;
        }
        standing.members.insert(instrument.to_owned(), member);
        true
    }

    /// A subscription is over: the groups that had it, and whether each has made it.
    pub fn drop_member(&mut self, instrument: &str, id: SubscriptionId) -> Vec<(GroupId, bool)> {
        let mut had = Vec::new();
        for (group, standing) in &mut self.groups {
            if standing.members.get(instrument).is_some_and(|member| member.id == id) {
                let gone = standing.members.remove(instrument);
                had.push((*group, gone.is_some_and(|member| member.is_owned)));
            }
        }
        had
    }

    /// Ends a group.
    pub fn remove(&mut self, id: GroupId) -> Option<StandingGroup> {
        self.requests.retain(|_, other| *other != id);
        self.groups.remove(&id)
    }

    /// Another group takes over a subscription of one that ends. False where none has it.
    pub fn adopt(&mut self, instrument: &str, id: SubscriptionId) -> bool {
        let members = self.groups.values_mut().filter_map(|standing| standing.members.get_mut(instrument));
        let member = members.into_iter().find(|member| member.id == id);
        member.map(|member| member.is_owned = true).is_some()
    }
}
