//! What is cut from the recordings, where they are at hand: short connections, answers, and pieces of binary files, as venues
//! send them and dialects do not. It is there to be changed, and stays out of the corpus.

use std::collections::HashMap;
use std::sync::OnceLock;

use depthwire_core::engine::detect;
use depthwire_core::recording::{Entry, Format, Heard, Transcript};
use depthwire_core::types::{Events, Route, Routes, ScaleSource, Slot, Venue};
use depthwire_core::venues::{self, Asked, At};

use crate::connection::is_alike;
use crate::expected::expected;
use crate::files;
use crate::run::{cut_down, writes};

/// The longest frame that is one of several.
pub const FRAME_BYTES: usize = 1_200;
/// Connections or pieces that are cut from one file, evenly spread over it, and answers.
const PLACES: usize = 32;
/// Frames of each, in a row, behind what of the file's first ones they need to be understood.
const FRAMES: usize = 4;
const FIRST_FRAMES: usize = 64;
/// Bytes of such a connection.
const CONNECTION_BYTES: usize = 1_400;
/// Bytes of a piece of a binary file, what the file begins with among them.
const PIECE_BYTES: usize = 2_000;
/// Exponents of prices and quantities of instruments whose digits nobody has said.
const FINE: (i8, i8) = (-12, -8);

/// What is cut from all of them.
#[derive(Default)]
pub struct Recordings {
    /// Those of several files are named several times.
    instruments: Vec<(Venue, String)>,
    connections: Vec<(Venue, Vec<Vec<u8>>)>,
    /// With the addresses that were asked.
    answers: Vec<(Venue, Vec<u8>, Vec<u8>)>,
    pieces: Vec<(Format, Vec<u8>)>,
}

/// Where a connection begins, and the frames of it.
struct Place {
    line: u32,
    /// Short frames that were heard on its line before, as far as they are kept.
    first: usize,
    frames: Vec<Vec<u8>>,
}

/// The recordings, read once, whoever asks; `None` where there are none, and while the corpus is made.
pub fn recordings() -> Option<&'static Recordings> {
    static RECORDINGS: OnceLock<Option<Recordings>> = OnceLock::new();
    let read = || {
        let root = files::found().filter(|_| !writes())?;
        let (expected, mut recordings) = (expected(), Recordings::default());
        let transcripts = expected.transcripts.iter().flat_map(|set| &set.files);
        for file in transcripts.chain(expected.archives.iter().flat_map(|set| &set.files)) {
            if let Some(bytes) = files::read(&root.join(file)) {
                recordings.cut(&bytes);
            }
        }
        for samples in &expected.samples {
            for bytes in files::all_in(&root.join(&samples.folder), &samples.ends) {
                recordings.cut(&bytes);
            }
        }
        Some(recordings)
    };
    RECORDINGS.get_or_init(read).as_ref()
}

impl Recordings {
    /// Connections of some products, each behind a line that names its own.
    pub fn connections(&self, products: &[Venue]) -> Vec<Vec<u8>> {
        let of = self.connections.iter().filter(|(product, _)| products.contains(product));
        of.map(|(product, frames)| {
            let lines = [product.name().as_bytes()].into_iter().chain(frames.iter().map(Vec::as_slice));
            lines.flat_map(|line| [line, b"\n"]).collect::<Vec<_>>().concat()
        })
        .collect()
    }

    /// Answers, each behind a line that names its product and the address.
    pub fn answers(&self) -> Vec<Vec<u8>> {
        let input = |(product, url, answer): &(Venue, Vec<u8>, Vec<u8>)| {
            [product.name().as_bytes(), b" ", url, b"\n", answer].concat()
        };
        self.answers.iter().map(input).collect()
    }

    /// Pieces of binary files of some forms.
    pub fn pieces(&self, is_form: impl Fn(Format) -> bool) -> Vec<Vec<u8>> {
        self.pieces.iter().filter(|(form, _)| is_form(*form)).map(|(_, piece)| piece.clone()).collect()
    }

    /// Carries the instruments of a product that are recorded.
    pub fn carry(&self, product: Venue, routes: &mut Routes) {
        carry(product, self.instruments.iter(), routes);
    }

    /// Takes what there is of a file; nothing of one of other venues.
    fn cut(&mut self, bytes: &[u8]) {
        match Format::detect(bytes) {
            Some(form @ (Format::BinaryFile(_) | Format::Packets | Format::Dbn)) => {
                self.cut_pieces(form, bytes)
            }
            _ => self.cut_connections(bytes),
        }
    }

    /// Messages, records or packets in a row, behind what the file begins with.
    fn cut_pieces(&mut self, form: Format, bytes: &[u8]) {
        let mut transcript = Transcript::default();
        let (mut at, mut head, mut places, mut piece_end) = (0, None, 0, None);
        while let Ok(Entry { start, end, heard, .. }) = transcript.next(bytes, at, true) {
            at = end;
            if !matches!(heard, Ok(Heard::Received { .. })) {
                continue;
            }
            let head = &bytes[..*head.get_or_insert(start)];
            let entry = &bytes[start..end];
            let last = self
                .pieces
                .last_mut()
                .filter(|(_, piece)| piece_end == Some(start) && piece.len() + entry.len() <= PIECE_BYTES);
            if let Some((_, piece)) = last {
                piece.extend_from_slice(entry);
                piece_end = Some(end);
            } else if places < PLACES
                && start >= bytes.len() / PLACES * places
                && head.len() + entry.len() <= PIECE_BYTES
            {
                self.pieces.push((form, [head, entry].concat()));
                (places, piece_end) = (places + 1, Some(end));
            }
        }
    }

    fn cut_connections(&mut self, bytes: &[u8]) {
        let Ok(found) = detect(bytes) else { return };
        let mut routes: Vec<(Venue, Routes)> = Vec::new();
        for (product, _) in &found {
            if routes.iter().all(|(known, _)| known != product) {
                routes.push((*product, Routes::new()));
                carry(*product, found.iter(), &mut routes.last_mut().unwrap().1);
            }
        }
        let (places, first) = self.places(bytes, &routes);
        for Place { line, first: count, frames } in places {
            let first = &first[&line][..count];
            // Several products may print alike: that to which it says the most.
            let said = |(product, routes): &&(Venue, Routes)| {
                hear(*product, routes, first, &frames).iter().map(|events| events.list().len()).sum::<usize>()
            };
            let Some((product, routes)) = routes.iter().max_by_key(said).filter(|of| said(of) > 0) else {
                continue;
            };
            let whole = hear(*product, routes, first, &frames);
            let is_still = |first: &[Vec<u8>]| {
                let told = hear(*product, routes, first, &frames);
                told.iter().zip(&whole).all(|(told, whole)| is_alike(told, whole))
            };
            let mut lines = if is_still(&[]) { Vec::new() } else { cut_down(first, is_still) };
            lines.extend(frames);
            while lines.iter().map(|line| line.len() + 1).sum::<usize>() > CONNECTION_BYTES {
                lines.pop();
            }
            self.connections.push((*product, lines));
        }
        self.instruments.extend(found);
    }

    /// Places of a file, and by line the first frames; answers are kept at once.
    fn places(
        &mut self,
        bytes: &[u8],
        routes: &[(Venue, Routes)],
    ) -> (Vec<Place>, HashMap<u32, Vec<Vec<u8>>>) {
        let mut transcript = Transcript::default();
        let mut places: Vec<Place> = Vec::new();
        let mut first: HashMap<u32, Vec<Vec<u8>>> = HashMap::new();
        let (mut at, mut answers) = (0, 0);
        while let Ok(Entry { start, end, heard, .. }) = transcript.next(bytes, at, true) {
            at = end;
            match heard {
                Ok(Heard::Received { line, bytes: frame }) => {
                    let first = first.entry(line).or_default();
                    let is_due = start >= bytes.len() / PLACES * places.len() && places.len() < PLACES;
                    let is_next =
                        places.last().is_some_and(|last| last.line == line && last.frames.len() < FRAMES);
                    if first.len() == FIRST_FRAMES && !is_due && !is_next {
                        continue;
                    }
                    let Some(frame) = shortened(frame).filter(|frame| frame.len() <= FRAME_BYTES) else {
                        continue;
                    };
                    if is_due {
                        places.push(Place { line, first: first.len(), frames: vec![frame.clone()] });
                    } else if let Some(last) = places.last_mut().filter(|_| is_next) {
                        last.frames.push(frame.clone());
                    }
                    if first.len() < FIRST_FRAMES {
                        first.push(frame);
                    }
                }
                Ok(Heard::Answered { url, bytes: answer }) if answers < PLACES => {
                    let Some(answer) = shortened(answer).filter(|answer| answer.len() <= FRAME_BYTES) else {
                        continue;
                    };
                    let is_read = |(product, routes): &&(Venue, Routes)| {
                        let (asked, mut events) = (Asked { routes, url }, Events::default());
                        let read =
                            venues::session(*product).answer(&asked, &answer, At::default(), &mut events);
                        read.is_ok() && !events.list().is_empty()
                    };
                    if let Some((product, _)) = routes.iter().find(is_read) {
                        self.answers.push((*product, url.to_vec(), answer));
                        answers += 1;
                    }
                }
                _ => {}
            }
        }
        (places, first)
    }
}

fn carry<'a>(product: Venue, found: impl Iterator<Item = &'a (Venue, String)>, routes: &mut Routes) {
    // Places are dense.
    let mut slots = routes.len() as u32..;
    for (_, symbol) in found.filter(|(of, _)| *of == product) {
        let Ok(instrument) = venues::instrument(product, symbol) else { continue };
        let own = (instrument.price_exponent, instrument.qty_exponent);
        let (price_exponent, qty_exponent) =
            if instrument.scale_source == ScaleSource::Inferred { FINE } else { own };
        if instrument.wire_codes().all(|code| routes.find(code).is_none()) {
            let route = Route { slot: Slot(slots.next().unwrap()), price_exponent, qty_exponent };
            routes.carry(instrument.wire_codes(), route);
        }
    }
}

/// What each of some frames says behind others.
fn hear(product: Venue, routes: &Routes, first: &[Vec<u8>], frames: &[Vec<u8>]) -> Vec<Events> {
    let mut session = venues::session(product);
    let mut read = |frame: &Vec<u8>| {
        let mut events = Events::default();
        // One that is refused says nothing.
        let _ = session.frame(frame, At::default(), routes, &mut events);
        events
    };
    first.iter().for_each(|frame| drop(read(frame)));
    frames.iter().map(read).collect()
}

/// A frame in one line, with lists of which most rows are left out, so that what follows a snapshot can be tried behind it.
/// `None` of what is no text.
pub fn shortened(frame: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(frame).ok()?.lines().map(str::trim).collect::<String>();
    let shorter = |list: &str| {
        let step = list.matches("],[").count() / 6 + 1;
        list.split("],[").step_by(step).collect::<Vec<_>>().join("],[")
    };
    let mut parts = text.split("[[");
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (rows, behind) = part.split_once("]]").unwrap_or((part, ""));
        short += &format!("[[{}]]{behind}", shorter(rows));
    }
    Some(short.into_bytes())
}
