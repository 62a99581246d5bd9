//! What waits to be said to the server: as few messages as it takes.

use std::collections::VecDeque;
use std::ops::Range;

use depthwire_core::types::Place;

use crate::control::{Request, Resume, ResumeFrom};
use crate::topic::Ask;

/// An instrument, or a pattern, of a message, and where its reader stands.
pub(crate) struct Entry {
    pub instrument: String,
    pub place: Option<Place>,
}

impl Entry {
    pub fn named(instrument: &str) -> Self {
        Self { instrument: instrument.to_owned(), place: None }
    }
}

/// Texts that wait for their turn, and the number of the last one.
#[derive(Default)]
pub(crate) struct Outgoing {
    texts: VecDeque<String>,
    last_id: u64,
}

impl Outgoing {
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    pub fn pop(&mut self) -> Option<String> {
        self.texts.pop_front()
    }

    /// The connection is gone, and with it those who were to hear it.
    pub fn clear(&mut self) {
        self.texts.clear();
    }

    pub fn ping(&mut self) {
        self.last_id += 1;
        self.texts.push_back(format!(r#"{{"op":"ping","id":{}}}"#, self.last_id));
    }

    /// Asks the same of some instruments, in messages of at most so many bytes (one instrument is said whatever it takes). Of each
    /// message its number, and which of them it names.
    pub fn say(
        &mut self,
        op: &'static str,
        ask: &Ask,
        entries: &[Entry],
        bytes_max: usize,
    ) -> Vec<(u64, Range<usize>)> {
        let mut said = Vec::new();
        let mut from = 0;
        while from < entries.len() {
            let id = self.last_id + 1;
            let mut to = entries.len();
            // Fewer until it fits.
            let text = loop {
                let text = message(op, id, ask, &entries[from..to]);
                if text.len() <= bytes_max || to == from + 1 {
                    break text;
                }
                to = from + (to - from).div_ceil(2).min(to - from - 1);
            };
            self.last_id = id;
            self.texts.push_back(text);
            said.push((id, from..to));
            from = to;
        }
        said
    }

    #[cfg(test)]
    pub fn last_id(&self) -> u64 {
        self.last_id
    }
}

fn message(op: &'static str, id: u64, ask: &Ask, entries: &[Entry]) -> String {
    let by = if ask.is_exact() { "range" } else { "net" };
    let mut places: Vec<_> = entries
        .iter()
        .filter_map(|entry| {
            let instrument = (entries.len() > 1).then_some(entry.instrument.as_str());
            Some(ResumeFrom::new(instrument, entry.place?, by))
        })
        .collect();
    let (instrument, instruments, resume) = match entries {
        [only] => (Some(only.instrument.as_str()), vec![], places.pop().map(Resume::One)),
        _ => {
            let resume = (!places.is_empty()).then_some(Resume::Several(places));
            (None, entries.iter().map(|entry| entry.instrument.as_str()).collect(), resume)
        }
    };
    let request = Request { op, id, ask, instrument, instruments, resume };
    // Nothing in it can fail to be written.
    serde_json::to_string(&request).unwrap_or_default()
}
