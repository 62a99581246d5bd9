//! The whole way of a text message, and parts of it.

use std::rc::Rc;

use depthwire_core::replica::{Outcome, Replica};
use depthwire_core::types::{Body, Events, Route, Routes, Slot};
use depthwire_core::venues::{self, At, Session};

use super::{Operation, mix};
use crate::fault::Fault;
use crate::frames::FrameMaker;
use crate::updates::{INSTRUMENT, Updates};

/// Levels that a message changes.
const CHANGES: u64 = 4;
/// Messages before those that are measured. The first makes the engine ask for the book, whose image is published then; the others reach
/// every level, so that memory is there.
const LEAD: usize = 64;

/// Messages, and the feed frames that they cause.
pub(super) struct Text {
    messages: Vec<Vec<u8>>,
    frames: Vec<Vec<u8>>,
}

impl Text {
    /// So many, and a few before them.
    ///
    /// # Errors
    /// None that the embedded venue gives cause to.
    pub(super) fn new(things: usize) -> Result<Self, Fault> {
        let mut updates = Updates::new(CHANGES);
        let mut maker = FrameMaker::new()?;
        let (mut messages, mut frames) = (Vec::new(), Vec::new());
        for at in 0..(LEAD + things) as u64 {
            let mut result = Ok(());
            updates.write(at, |bytes| {
                messages.push(bytes.to_vec());
                result = maker.take(bytes, |_, frame| frames.push(frame.to_vec()));
            });
            result?;
        }
        Ok(Self { messages, frames })
    }

    fn measured(of: &[Vec<u8>], things: usize) -> impl Iterator<Item = &Vec<u8>> {
        of.iter().skip(LEAD).take(things)
    }
}

/// The floor: every byte is looked at.
pub(super) struct Added(pub(super) Rc<Text>);

impl Operation for Added {
    fn rewind(&mut self) {}

    fn run(&mut self, things: usize) -> u64 {
        let sum = |bytes: &Vec<u8>| bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>();
        Text::measured(&self.0.messages, things).map(sum).fold(0, mix)
    }
}

/// Bytes to numbers, by the venue's decoder.
pub(super) struct Decoded {
    text: Rc<Text>,
    session: Session,
    routes: Routes,
    events: Events,
}

impl Decoded {
    pub(super) fn new(text: Rc<Text>) -> Result<Self, Fault> {
        let unknown = || Fault::own("the embedded venue is not there", INSTRUMENT);
        let (venue, symbol) = venues::split_name(INSTRUMENT).map_err(|_| unknown())?;
        let catalogue = venues::catalogue();
        let listed = catalogue.find(venue, symbol).and_then(|id| catalogue.get(id));
        let instrument = listed.ok_or_else(unknown)?;
        let mut routes = Routes::new();
        let route = Route {
            slot: Slot(0),
            price_exponent: instrument.price_exponent,
            qty_exponent: instrument.qty_exponent,
        };
        routes.carry([symbol.as_bytes()].into_iter(), route);
        Ok(Self { text, session: venues::session(venue), routes, events: Events::default() })
    }
}

impl Operation for Decoded {
    fn rewind(&mut self) {}

    fn run(&mut self, things: usize) -> u64 {
        let mut hash = 0;
        for message in Text::measured(&self.text.messages, things) {
            self.events.clear();
            let is_read = self.session.frame(message, At::default(), &self.routes, &mut self.events).is_ok();
            hash = mix(hash, u64::from(is_read));
            for event in self.events.list() {
                if let Body::Levels(_, span) = event.body {
                    let levels = self.events.levels(span);
                    let all = levels.bids.iter().chain(levels.asks);
                    hash = all.fold(hash, |hash, level| mix(hash, (level.price.0 ^ level.qty.0) as u64));
                }
            }
        }
        hash
    }
}

/// Bytes to feed frames, by the engine: decoded, sequenced, applied, encoded.
pub(super) struct Published {
    text: Rc<Text>,
    /// None where an engine cannot be made, which then is the answer.
    maker: Option<FrameMaker>,
}

impl Published {
    pub(super) const fn new(text: Rc<Text>) -> Self {
        Self { text, maker: None }
    }
}

impl Operation for Published {
    fn rewind(&mut self) {
        self.maker = FrameMaker::new().ok();
        for message in self.text.messages.iter().take(LEAD) {
            let _ = self.maker.as_mut().map(|maker| maker.take(message, |_, _| {}));
        }
    }

    fn run(&mut self, things: usize) -> u64 {
        let mut hash = 0;
        for message in Text::measured(&self.text.messages, things) {
            let Some(maker) = &mut self.maker else { return hash };
            let taken = maker.take(message, |number, frame| {
                hash = mix(mix(hash, number), frame.len() as u64);
            });
            hash = mix(hash, u64::from(taken.is_ok()));
        }
        hash
    }
}

/// Feed frames to a reader's book.
pub(super) struct Applied {
    text: Rc<Text>,
    replica: Replica,
}

impl Applied {
    pub(super) fn new(text: Rc<Text>) -> Self {
        Self { text, replica: Replica::default() }
    }
}

impl Operation for Applied {
    fn rewind(&mut self) {
        self.replica = Replica::default();
        for frame in self.text.frames.iter().take(LEAD) {
            let _ = self.replica.apply(frame);
        }
    }

    fn run(&mut self, things: usize) -> u64 {
        let mut hash = 0;
        for frame in Text::measured(&self.text.frames, things) {
            let is_applied = matches!(self.replica.apply(frame), Ok(Outcome::Applied | Outcome::Checked));
            hash = mix(hash, u64::from(is_applied));
        }
        hash
    }
}
