//! The best levels of a side with their parts in a text.

use super::crc32::Piece;
use crate::types::{Level, Price, Side};

/// At most `N` levels of one side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<const N: usize> {
    /// Turns prices into keys: a greater key is nearer the top.
    flip: i64,
    len: usize,
    levels: [Level; N],
    pieces: [Piece; N],
}

impl<const N: usize> Rows<N> {
    pub(super) fn new(side: Side) -> Self {
        let (levels, pieces) = ([Level::default(); N], [Piece::default(); N]);
        Self { flip: -(side as i64), len: 0, levels, pieces }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The rows' parts, in order.
    #[inline]
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces[..self.len]
    }

    /// Whether a message that named no better price of this side than `nearest` may have changed the rows; false when it
    /// named none.
    #[inline]
    pub(super) fn reaches(&self, nearest: Option<Price>) -> bool {
        let worst = self.levels[N - 1].price.0 ^ self.flip;
        nearest.is_some_and(|nearest| self.len < N || nearest.0 ^ self.flip >= worst)
    }

    /// Takes over the best levels, of which those after the `N`th do not count, and puts the piece of each place where
    /// another row stands now; an empty one where none does.
    ///
    /// Rows before the first that differs are left as they are, and behind it a walk down both lists finds the levels that
    /// stay: only others are printed.
    #[inline]
    pub(super) fn set(
        &mut self,
        best: &[Level],
        print: impl Fn(Level) -> Option<Piece>,
        mut put: impl FnMut(usize, Piece),
    ) {
        let best = &best[..best.len().min(N)];
        let same = best.iter().zip(&self.levels[..self.len]).take_while(|(is, was)| is == was).count();
        let (was_levels, was_pieces, was_len) = (self.levels, self.pieces, self.len);
        let mut at = same;
        for (i, &level) in (same..).zip(&best[same..]) {
            let mut stays = at < was_len && was_levels[at] == level;
            if !stays {
                let key = level.price.0 ^ self.flip;
                while at < was_len && was_levels[at].price.0 ^ self.flip > key {
                    at += 1;
                }
                stays = at < was_len && was_levels[at] == level;
            }
            let piece = if stays {
                at += 1;
                if at - 1 == i {
                    continue;
                }
                was_pieces[at - 1]
            } else {
                print(level).unwrap_or(Piece::UNPRINTABLE)
            };
            (self.levels[i], self.pieces[i]) = (level, piece);
            put(i, piece);
        }
        for i in best.len()..was_len {
            put(i, Piece::default());
        }
        self.len = best.len();
    }
}
