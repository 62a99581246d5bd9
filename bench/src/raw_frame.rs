//! Raw venue frames to exact books: parse, sequence, apply, and the best bid and ask after each applied update, with
//! tickers and trades parsed as they come. No feed is encoded and no line is looked for, which leaves what a strategy
//! that reads frames in its own process would run. A regression here is paid by every frame of every venue that speaks JSON.

use std::ops::Range;

use depthwire_core::book::{L2Book, NaiveBook};
use depthwire_core::decode::{LineFramer, decode};
use depthwire_core::sequence::{Chain, Rule, SeqOutcome};
use depthwire_core::types::{Event, Level, Levels, Ticker, Trade};

use crate::answer::{Book, mix, mix_top};
use crate::timing::{Contender, Run, timed};
use crate::workload::{LevelBook, Recording, Workload};

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
    /// Hash over tickers and trades.
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

    /// A ticker came.
    #[inline]
    pub fn ticker(&mut self, ticker: &Ticker) {
        let Ticker { last_id, bid, ask, ts_event, .. } = *ticker;
        let values =
            [last_id, bid.price.0 as u64, bid.qty.0 as u64, ask.price.0 as u64, ask.qty.0 as u64, ts_event];
        self.messages = values.into_iter().fold(self.messages, mix);
    }

    /// A trade came.
    #[inline]
    pub fn trade(&mut self, trade: &Trade) {
        let Trade { id, price, qty, aggressor, ts_event, .. } = *trade;
        let values = [id, price.0 as u64, qty.0 as u64, aggressor as u64, ts_event];
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
    levels: Levels,
    chain: Chain,
    book: B,
}

impl<B: Book> Path for Stages<'_, B> {
    fn load(&mut self, from: &LevelBook, chain: Chain) -> Result<(), String> {
        self.chain = chain;
        self.book.load(&from.snapshot, from.known_to).map_err(|error| error.code().to_owned())
    }

    #[inline]
    fn take(&mut self, frame: &mut [u8], said: &mut Said) {
        match decode(frame, self.recording, &mut self.levels) {
            Ok(Event::Depth(update)) => match self.chain.check(&update) {
                SeqOutcome::Old => {}
                SeqOutcome::Next if self.book.apply(&self.levels) => {
                    self.chain.advance(&update);
                    said.top(self.book.top());
                }
                _ => said.failed(),
            },
            Ok(Event::Ticker(ticker)) => said.ticker(&ticker),
            Ok(Event::Trade(trade)) => said.trade(&trade),
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
        levels: Levels::default(),
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
        let rule = Rule::of(recording.venue).ok_or("its venue sends no snapshots")?;
        let text = recording.text.as_slice();
        let at = recording.lead_frames.checked_sub(1).and_then(|index| recording.book_frames.get(index));
        let snapshot_at = at.ok_or("no snapshot")?.clone();
        let mut levels = Levels::default();
        let chain = match decode(&text[snapshot_at.clone()], recording, &mut levels) {
            Ok(Event::Snapshot(snapshot)) => Chain::new(rule, snapshot.last_id),
            other => return Err(format!("expected the snapshot, got {other:?}")),
        };
        let mut frames = Vec::with_capacity(recording.lines as usize);
        for line in LineFramer::default().finish(text) {
            let (_, frame) = line.frame.map_err(|error| error.to_string())?;
            let start = frame.as_ptr().addr() - text.as_ptr().addr();
            if start != snapshot_at.start {
                frames.push(start..start + frame.len());
            }
        }
        Ok(Self { recording, frames, book, chain, tops: stream.tops })
    }
}

/// What must come out: the oracle's tops, and tickers and trades as the engine's decoder reads them.
fn expected(input: &Input<'_>) -> Result<String, String> {
    let mut said = Said { tops: input.tops, ..Said::default() };
    let mut levels = Levels::default();
    for frame in &input.frames {
        match decode(&input.recording.text[frame.clone()], input.recording, &mut levels) {
            Ok(Event::Ticker(ticker)) => said.ticker(&ticker),
            Ok(Event::Trade(trade)) => said.trade(&trade),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
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
