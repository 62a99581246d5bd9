//! The venue's checksums: each is compared with the book as it stands, which is stale where they differ.

use super::{Context, InstrumentState};
use crate::types::{Clock, TimeNs};

impl InstrumentState {
    /// The venue's checksum of the levels as they stand.
    pub(in crate::engine) fn on_check<C: Clock>(&mut self, check: u32, now: TimeNs, cx: &mut Context<'_, C>) {
        if self.recovery.is_synced() {
            self.agrees(Some(check), now, cx);
        }
    }

    /// Whether the book is no deeper than the venue says, and its checksum, where one came, is the book's. A book that is
    /// contradicted is stale.
    #[inline]
    pub(in crate::engine) fn agrees<C: Clock>(
        &mut self,
        check: Option<u32>,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) -> bool {
        if self.is_depth_exact && !self.cut.is_empty() {
            self.contradicted(now, cx);
            return false;
        }
        let Some(check) = check else { return true };
        let Some(proof) = &mut self.proof else { return true };
        let is_agreed = proof.agrees(check, &self.book);
        self.count_checksum(is_agreed, cx);
        if !is_agreed {
            self.contradicted(now, cx);
        }
        is_agreed
    }

    /// A checksum of the venue was compared.
    #[inline]
    pub(in crate::engine) fn count_checksum<C>(&mut self, is_agreed: bool, cx: &mut Context<'_, C>) {
        cx.stats.checksums_checked += 1;
        cx.stats.checksums_matched += u64::from(is_agreed);
        self.checksums = (self.checksums.0 + 1, self.checksums.1 + u64::from(is_agreed));
    }
}
