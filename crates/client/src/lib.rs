//! A client of a depthwire feed: keeps exact copies of books, orders and whatever else is subscribed, by the rules of
//! `docs/protocol.md`, or says that they are stale.
//!
//! A [`Feed`] lives in the thread that calls [`Feed::next`]: it waits for the next event, and between two calls nothing
//! changes, so a [`Book`] is read without a lock and without a copy. Lost connections come back by themselves, within 1 s of
//! the server, and what was missed meanwhile is brought; books that lack frames, or whose checksums differ, are stale until
//! they are mended.
//!
//! ```no_run
//! use std::time::Duration;
//! use depthwire_client::{Event, Feed, Options, Topic};
//!
//! let mut feed = Feed::open("ws://127.0.0.1:8642", Options::default())?;
//! let id = feed.subscribe(Topic::book("sim:BTCUSDT"))?;
//! loop {
//!     match feed.next(Duration::from_secs(1))? {
//!         Some(Event::Changed(_)) => {
//!             let Some(book) = feed.book(id) else { continue };
//!             println!("{} {:?} {:?}", book.state().name(), book.best_bid(), book.best_ask());
//!         }
//!         Some(event) => println!("{event:?}"),
//!         None => {}
//!     }
//! }
//! # #[allow(unreachable_code)]
//! # Ok::<(), depthwire_client::Error>(())
//! ```
//!
//! A [`Group`] is of all instruments that fit names and patterns, those that are served later included:
//!
//! ```no_run
//! use std::time::Duration;
//! use depthwire_client::{Event, Feed, Group, Options, Topic};
//!
//! let mut feed = Feed::open("ws://127.0.0.1:8642", Options::default())?;
//! feed.subscribe_all(Group::of(Topic::volumes("sim:*").grouped_by("10")));
//! loop {
//!     let Some(Event::Changed(id)) = feed.next(Duration::from_secs(1))? else { continue };
//!     let (Some(topic), Some(volumes)) = (feed.topic(id), feed.volumes(id)) else { continue };
//!     let since = volumes.session().since;
//!     println!("{} {} since {since}: {} prices", topic.instrument(), volumes.state().name(), volumes.rows().count());
//! }
//! # #[allow(unreachable_code)]
//! # Ok::<(), depthwire_client::Error>(())
//! ```
//!
//! Limits: 16,384 subscriptions of a feed, those of its groups included, messages of 64 MiB, books of 2^20 levels or orders. The events of one message wait
//! until they are taken; the next message is read when there are none.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![deny(unsafe_code)]

mod address;
mod book;
mod closing;
mod control;
mod error;
mod event;
mod feed;
mod groups;
mod kept;
mod options;
mod outgoing;
mod pauses;
mod roster;
mod socket;
mod token;
mod topic;
#[cfg(feature = "tls")]
mod trust;

pub use book::Book;
pub use control::{Brought, Granted};
pub use depthwire_core::aggregate::{Cost, Traded};
pub use depthwire_core::book::QtyAt;
pub use depthwire_core::encode::SessionBody as Session;
pub use depthwire_core::replica::{
    ReplicaCosts as Costs, ReplicaOrders as Orders, ReplicaReason as Reason, ReplicaSignals as Signals,
    ReplicaState as State, ReplicaVolumes as Volumes, TapeGap,
};
pub use depthwire_core::signal::{SignalId, SignalRow as Signal, SignalUnit};
pub use depthwire_core::types::{Decimal, Level, Place, Price, Qty, Side};
pub use error::{Error, ErrorParts};
pub use event::{Counters, Event, Trade};
pub use feed::Feed;
pub use groups::{Group, GroupId};
pub use kept::Status;
pub use options::Options;
pub use pauses::Pauses;
pub use roster::{SUBSCRIPTIONS_MAX, SubscriptionId};
pub use token::Token;
pub use topic::{BboSource, Mode, Topic};

/// The core's own types, as this crate hands them out.
pub use depthwire_core as core;
