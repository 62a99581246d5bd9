//! How the connections of a recording are taken at the moment: each segment begins with it, so that it can be read by itself.

use std::collections::BTreeMap;

use depthwire_core::journal::{Input, SetupKind};

/// What one connection was told.
#[derive(Clone, Debug, Default)]
struct Connection {
    venue: String,
    address: Vec<u8>,
    /// Instruments, and whether it brings their books.
    carries: BTreeMap<String, bool>,
}

/// All connections, by their numbers, and the listings of what they carry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setups {
    connections: BTreeMap<u32, Connection>,
    listings: BTreeMap<String, String>,
}

impl Setups {
    /// Takes note of what a record says.
    pub(crate) fn note(&mut self, line: u32, input: &Input<'_>) {
        match input {
            Input::Named(address) => {
                self.connections.entry(line).or_default().address = address.to_vec();
            }
            Input::Setup { kind, text } => self.note_setup(line, *kind, &String::from_utf8_lossy(text)),
            _ => {}
        }
    }

    fn note_setup(&mut self, line: u32, kind: SetupKind, text: &str) {
        let connection = self.connections.entry(line).or_default();
        match kind {
            SetupKind::Venue => *connection = Connection { venue: text.to_owned(), ..Connection::default() },
            SetupKind::Carries | SetupKind::CarriesBesideBooks => {
                let is_book = kind == SetupKind::Carries;
                for name in text.lines() {
                    *connection.carries.entry(name.to_owned()).or_default() |= is_book;
                }
            }
            SetupKind::Drops => drop(connection.carries.remove(text)),
            // Whose place it takes matters while both are there, which a segment that begins within it does not tell: until the
            // one has gone both are lines of their books.
            SetupKind::Succeeds => {}
            // The next checkpoint says them anew.
            SetupKind::Session | SetupKind::Book | SetupKind::Note => {}
            SetupKind::Instrument | SetupKind::Defined => {
                let name = text.split('\t').next().unwrap_or_default();
                self.listings.insert(name.to_owned(), text.to_owned());
            }
        }
    }

    /// Hands out what a reader needs to know first.
    pub(crate) fn tell(&self, mut tell: impl FnMut(u32, &Input<'_>)) {
        for listing in self.listings.values() {
            tell(0, &Input::Setup { kind: SetupKind::Instrument, text: listing.as_bytes() });
        }
        for (line, Connection { venue, address, carries }) in &self.connections {
            let mut say = |kind, text: &str| {
                if !text.is_empty() {
                    tell(*line, &Input::Setup { kind, text: text.as_bytes() });
                }
            };
            say(SetupKind::Venue, venue);
            for (kind, is_book) in [(SetupKind::Carries, true), (SetupKind::CarriesBesideBooks, false)] {
                let names: Vec<_> = carries
                    .iter()
                    .filter(|(_, brings)| **brings == is_book)
                    .map(|(name, _)| name.as_str())
                    .collect();
                say(kind, &names.join("\n"));
            }
            if !address.is_empty() {
                tell(*line, &Input::Named(address));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(setups: &Setups) -> Vec<String> {
        let mut told = Vec::new();
        setups.tell(|line, input| {
            told.push(match input {
                Input::Setup { kind, text } => format!("{line} {kind:?} {}", String::from_utf8_lossy(text)),
                other => format!("{line} {other:?}"),
            });
        });
        told
    }

    #[test]
    fn what_holds_is_told_and_what_held_is_not() {
        let mut setups = Setups::default();
        let mut note = |line, kind, text: &str| {
            setups.note(line, &Input::Setup { kind, text: text.as_bytes() });
        };
        note(1, SetupKind::Venue, "a");
        note(1, SetupKind::Carries, "a:X\na:Y");
        note(1, SetupKind::CarriesBesideBooks, "a:X\na:Z");
        note(1, SetupKind::Drops, "a:Y");
        note(0, SetupKind::Venue, "b");
        note(0, SetupKind::Instrument, "a:X\t1");
        note(0, SetupKind::Instrument, "a:X\t2");
        note(2, SetupKind::Venue, "b");
        note(2, SetupKind::Succeeds, "0");
        setups.note(2, &Input::Named(b"wss://c"));
        setups.note(2, &Input::Received(b"{}"));
        let expected = [
            "0 Instrument a:X\t2",
            "0 Venue b",
            "1 Venue a",
            "1 Carries a:X",
            "1 CarriesBesideBooks a:Z",
            "2 Venue b",
        ];
        let told = told(&setups);
        assert_eq!(told[..6], expected);
        assert!(told[6].starts_with("2 Named("), "{told:?}");
    }
}
