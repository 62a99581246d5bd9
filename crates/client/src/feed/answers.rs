//! What the server says in control messages.

use std::time::Instant;

use depthwire_core::replica::{ReplicaReason, ReplicaState};
use depthwire_core::types::Place;

use super::{Feed, tell};
use crate::Error;
use crate::control::{Brought, Granted, Message, Resumed, StreamName, parse};
use crate::error::ErrorParts;
use crate::event::Event;
use crate::groups::GroupId;
use crate::roster::{Joined, Refused, SubscriptionId};

impl Feed {
    pub(super) fn take_text(&mut self, text: &str, now: Instant) -> Result<(), Error> {
        self.counters.messages += 1;
        match parse(text, &self.url)? {
            Message::Hello { version, heartbeat_ms, limits } => {
                self.roster.control_bytes_max = limits.control_bytes_max.unwrap_or(4_096);
                self.link.greeted(heartbeat_ms, limits.control_per_second, now);
                self.roster.ask_for_all();
                self.events.push_back(Event::Connected { version });
            }
            Message::Subscribed(granted) => self.take_grant(*granted, now),
            Message::Matched { id, instruments } => {
                if let Some(group) = self.roster.groups.of_message(id) {
                    self.roster.groups.matched(group);
                    self.events.push_back(Event::Matched { group, instruments });
                }
            }
            Message::Removed { stream, reason } => {
                let what = "the server does not have this instrument any more";
                let expected = "an instrument that it serves";
                let fix = "subscribe to a group by a pattern, which also takes instruments that come back";
                let code = "feed.instrument_removed";
                for id in self.roster.named(&stream) {
                    let error = Error::new(code, what, &stream.instrument, expected, &reason, fix);
                    self.end(id, &reason, error);
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
                match self.roster.refused(id, instrument.as_deref()) {
                    Refused::Subscriptions("subscribe", ids) => {
                        for id in ids {
                            self.end(id, &error.code, error.clone());
                        }
                    }
                    Refused::Group(group) => self.refuse_group(group, id, error),
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
        let id = match self.roster.granted(granted) {
            Joined::Alone(id) | Joined::Again(id) => id,
            Joined::Added(group, id) => {
                self.events.push_back(Event::Added { group, id });
                id
            }
            Joined::NoRoom(group, error) => return self.events.push_back(Event::GroupRefused(group, error)),
            Joined::Nobody => return,
        };
        self.events.push_back(Event::Granted(id));
        if let Some(resumed) = resume {
            self.bring(id, resumed, Some(epoch), state);
        }
        let Some(subscription) = self.roster.get_mut(id) else { return };
        // Views change their numbers, and a sequence counts within its stream: what comes is no sequel of what is kept.
        if resume.is_some() && subscription.kept.place().is_some() && !subscription.is_same_stream() {
            subscription.kept.lose(ReplicaReason::Disconnected);
            subscription.resync.request(now, self.options.resync);
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

    /// A subscription is over, by an error. Of one that a group has made, the group says so.
    fn end(&mut self, id: SubscriptionId, reason: &str, error: Error) {
        if let Some((_, false)) = self.forget(id, reason) {
            self.events.push_back(Event::Ended(id, error));
        }
    }

    /// The server refuses something of a group: all of it, as long as it has matched nothing.
    fn refuse_group(&mut self, group: GroupId, message: Option<u64>, error: Error) {
        if self.roster.groups.get(group).is_some_and(|standing| standing.is_matched) {
            self.events.push_back(Event::GroupRefused(group, error));
        } else {
            self.roster.groups.disown(group, message);
            self.end_members(group);
            self.events.push_back(Event::GroupEnded(group, error));
        }
    }
}
