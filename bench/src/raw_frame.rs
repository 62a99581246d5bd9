//! Raw venue frames to exact books: parse, sequence, apply, and the best bid and ask after each applied update, with
//! tickers and trades parsed as they come. No feed is encoded and no line is looked for, which leaves what a strategy
//! that reads frames in its own process would run. A regression here is paid by every frame of every venue that speaks JSON.

use std::ops::Range;

use depthwire_core::book::{L2Book, NaiveBook};
use depthwire_core::sequence::{Chain, SeqOutcome};
use depthwire_core::types::{Body, Level, Trade, VenueBbo};
use depthwire_core::venues;

use crate::answer::{Book, mix, mix_top};
use crate::timing::{Contender, Run, timed};
use crate::workload::{FrameReader, LevelBook, Recording, Workload, frames};

/// A way from bytes to a book.
pub trait Path {
    /// Takes the snapshot, of which the chain knows.
    ///
    /// # Errors
    /// The code of a refusal.
    fn load(&mut self, from: &LevelBook, chain: Chain) -> Result<(), String>;

    /// Takes one frame, whose bytes it may change, and adds what it says to the answer.
    fn take(&mut self, frame: &mut [u8], said: &mut Said);
}

/// What frames say, by which contenders are compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said {
    /// Hash over the top after each applied update.
    tops: u64,
    /// Hash over tops of the venue and trades.
    messages: u64,
    /// Frames that could not be read, did not follow or were refused.
    failed: u64,
}

impl Said {
    /// An update was applied.
    #[inline]
    pub fn top(&mut self, top: (Option<Level>, Option<Level>)) {
        self.tops = mix_top(self.tops, top, true);
    }

    /// A top of book of the venue came.
    #[inline]
    pub fn venue_bbo(&mut self, top: &VenueBbo) {
        let VenueBbo { venue_seq, bid, ask, ts_event } = *top;
        let values =
            [venue_seq, bid.price.0 as u64, bid.qty.0 as u64, ask.price.0 as u64, ask.qty.0 as u64, ts_event];
        self.messages = values.into_iter().fold(self.messages, mix);
    }

    /// A trade came.
    #[inline]
    pub fn trade(&mut self, trade: &Trade) {
        let Trade { id, price, qty, aggressor, ts_event, .. } = *trade;
        let values = [id.value(), price.0 as u64, qty.0 as u64, aggressor as u64, ts_event];
        self.messages = values.into_iter().fold(self.messages, mix);
    }

    /// A frame was of no use.
    #[inline]
    pub const fn failed(&mut self) {
        self.failed += 1;
    }

    fn answer(&self) -> String {
        format!("tops {:016x}, messages {:016x}, failed {}", self.tops, self.messages, self.failed)
    }
}

/// The engine's own stages.
struct Stages<'a, B> {
    recording: &'a Recording,
    reader: FrameReader,
    chain: Chain,
    book: B,
}

impl<B: Book> Path for Stages<'_, B> {
    fn load(&mut self, from: &LevelBook, chain: Chain) -> Result<(), String> {
        self.chain = chain;
        self.book.load(from.snapshot.view(), from.known_to).map_err(|error| error.code().to_owned())
    }

    #[inline]
    fn take(&mut self, frame: &mut [u8], said: &mut Said) {
        if self.reader.hear(frame, &self.recording.routes).is_err() {
            return said.failed();
        }
        let events = &self.reader.events;
        let Some(event) = events.list().first() else { return said.failed() };
        match event.body {
            Body::Levels(seq, span) => match self.chain.check(&seq) {
                SeqOutcome::Old => {}
                SeqOutcome::Next if self.book.apply(events.levels(span)) => {
                    self.chain.advance(&seq);
                    said.top(self.book.top());
                }
                _ => said.failed(),
            },
            Body::Bbo(top) => said.venue_bbo(&top),
            Body::Trades(span) => events.trades_of(span).iter().for_each(|trade| said.trade(trade)),
            _ => said.failed(),
        }
    }
}

/// Our decoder with ordered maps, the baseline, and the engine's own path. None without a recording.
#[must_use]
pub fn contenders(workload: &Workload) -> Option<Result<Vec<Contender<'_>>, String>> {
    workload.recording.as_ref()?;
    Some(Input::of(workload).and_then(|input| {
        Ok(vec![
            passes("depthwire + ordered map", &input, stages::<NaiveBook>(&input))?,
            passes("depthwire", &input, stages::<L2Book>(&input))?,
        ])
    }))
}

fn stages<'a, B: Book>(input: &Input<'a>) -> Stages<'a, B> {
    Stages {
        recording: input.recording,
        reader: FrameReader::new(input.recording.venue),
        chain: input.chain,
        book: B::new(input.book.spec),
    }
}

/// All frames of a recording but the snapshot, which is loaded outside the time.
#[derive(Clone)]
pub struct Input<'a> {
    /// The recording.
    pub recording: &'a Recording,
    frames: Vec<Range<usize>>,
    /// The book that the snapshot makes.
    pub book: &'a LevelBook,
    /// Its place in the venue's sequence.
    pub chain: Chain,
    /// The oracle's hash over tops.
    tops: u64,
}

impl<'a> Input<'a> {
    /// The frames of a workload's recording.
    ///
    /// # Errors
    /// What is missing.
    pub fn of(workload: &'a Workload) -> Result<Self, String> {
        let recording = workload.recording.as_ref().ok_or("no recording")?;
        let stream = workload.levels.as_ref().ok_or("no updates")?;
        let book = stream.books.first().ok_or("no snapshot")?;
        let rule = venues::product(recording.venue).rule;
        let text = recording.text.as_slice();
        let at = recording.lead_frames.checked_sub(1).and_then(|index| recording.book_frames.get(index));
        let snapshot_at = at.ok_or("no snapshot")?.clone();
        let snapshot = FrameReader::new(recording.venue).read(&text[snapshot_at.clone()], &recording.routes);
        let chain = match snapshot.map(|event| event.map(|event| event.body)) {
            Ok(Some(Body::Book(seq, ..))) => Chain::new(rule, seq.last),
            other => return Err(format!("expected the snapshot, got {other:?}")),
        };
        let mut frames = frames(text)?;
        frames.retain(|frame| frame.start != snapshot_at.start);
        Ok(Self { recording, frames, book, chain, tops: stream.tops })
    }
}

/// What must come out: the oracle's tops, and the venue's tops and trades as its room reads them.
fn expected(input: &Input<'_>) -> Result<String, String> {
    let mut said = Said { tops: input.tops, ..Said::default() };
    let mut reader = FrameReader::new(input.recording.venue);
    for frame in &input.frames {
        let read = reader.read(&input.recording.text[frame.clone()], &input.recording.routes);
        match read.map_err(|error| error.to_string())?.map(|event| event.body) {
            Some(Body::Bbo(top)) => said.venue_bbo(&top),
            Some(Body::Trades(span)) => {
                reader.events.trades_of(span).iter().for_each(|trade| said.trade(trade))
            }
            _ => {}
        }
    }
    Ok(said.answer())
}

/// A contender that takes every frame once a run. The bytes are copied before each run, outside the time, since a parser
/// may write in them.
///
/// # Errors
/// What the engine's decoder cannot read.
pub fn passes<'a, P: Path + 'a>(
    name: &'static str,
    input: &Input<'a>,
    mut path: P,
) -> Result<Contender<'a>, String> {
    let expected = expected(input)?;
    let Input { recording, frames, book, chain, .. } = input.clone();
    let mut bytes = Vec::new();
    let count = frames.len() as u64;
    let run = move || {
        bytes.clear();
        bytes.extend_from_slice(&recording.text);
        if let Err(code) = path.load(book, chain) {
            return Run::failed(code);
        }
        let (elapsed, said) = timed(|| replay(&mut path, &mut bytes, &frames));
        Run { elapsed, answer: said.answer() }
    };
    Ok(Contender::new(name, count, expected, run))
}

#[inline(never)]
fn replay<P: Path>(path: &mut P, bytes: &mut [u8], frames: &[Range<usize>]) -> Said {
    let mut said = Said::default();
    for frame in frames {
        match bytes.get_mut(frame.clone()) {
            Some(frame) => path.take(frame, &mut said),
            None => said.failed(),
        }
    }
    said
}
