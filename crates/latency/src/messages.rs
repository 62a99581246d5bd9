//! What is sent to a server that is measured.

use serde::Deserialize;

use crate::fault::Fault;
use crate::frames::{FrameMaker, renumber};
use crate::updates::{FIRST, Updates};

/// What the server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sends {
    /// The venue's updates.
    Updates,
    /// The frames that they cause, which it publishes as they are.
    Frames,
}

/// What is sent.
#[derive(Debug)]
pub(crate) enum Messages {
    Updates(Updates),
    /// Frames by their place, which is told in a circle.
    Frames(Vec<Vec<u8>>),
}

impl Messages {
    pub(crate) fn new(sends: Sends, changes: u64) -> Result<Self, Fault> {
        /// Frames that a control tells in a circle, each with its own number.
        const FRAMES: u64 = 257;
        let mut updates = Updates::new(changes);
        if sends == Sends::Updates {
            return Ok(Self::Updates(updates));
        }
        let mut maker = FrameMaker::new()?;
        let mut frames = Vec::new();
        for at in 0..=FRAMES {
            let mut made = Ok(());
            updates.write(at, |update| {
                made = maker.take(update, |_, frame| {
                    // The first is an image.
                    if at > 0 {
                        frames.push(frame.to_vec());
                    }
                });
            });
            made?;
        }
        Ok(Self::Frames(frames))
    }

    pub(crate) fn write(&mut self, at: u64, mut to: impl FnMut(&[u8])) {
        match self {
            Self::Updates(updates) => updates.write(at, to),
            Self::Frames(frames) => {
                let place = at as usize % frames.len().max(1);
                if let Some(frame) = frames.get_mut(place) {
                    renumber(frame, FIRST + at);
                    to(frame);
                }
            }
        }
    }
}
