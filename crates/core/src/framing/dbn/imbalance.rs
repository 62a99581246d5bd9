//! Imbalance of an auction.

use super::side_of;
use super::view::{Fields, view};
use crate::types::{Side, TimeNs};

view! {
    /// What an auction would give, 112 bytes. Prices are at 10⁻⁹; undefined or 0 where the venue has none.
    Imbalance 112 {
        /// The capture server's receive time.
        ts_recv: TimeNs = 16,
        /// At which imbalance and paired quantity are reckoned.
        ref_price: i64 = 24,
        /// When the auction is to be.
        auction_time: TimeNs = 32,
        /// At which the auction and the continuous book together clear.
        cont_book_clr_price: i64 = 40,
        /// At which the auction alone clears.
        auct_interest_clr_price: i64 = 48,
        /// At which sells under a short-sale restriction fill.
        ssr_filling_price: i64 = 56,
        /// At which most would match.
        ind_match_price: i64 = 64,
        /// Highest price allowed.
        upper_collar: i64 = 72,
        /// Lowest price allowed.
        lower_collar: i64 = 80,
        /// Quantity that matches.
        paired_qty: u32 = 88,
        /// Quantity that does not.
        total_imbalance_qty: u32 = 92,
        /// Of market orders, what does not.
        market_imbalance_qty: u32 = 96,
        /// Quantity that is not paired.
        unpaired_qty: u32 = 100,
        /// The venue's letter of the auction.
        auction_type: u8 = 104,
        /// The venue's code.
        auction_status: u8 = 106,
        /// The venue's code.
        freeze_status: u8 = 107,
        /// How often the halt was extended.
        num_extensions: u8 = 108,
        /// The venue's letter.
        significant_imbalance: u8 = 110,
    }
}

impl Imbalance<'_> {
    /// The side of the imbalance.
    #[must_use]
    pub fn side(self) -> Option<Side> {
        side_of(self.0.number::<u8, 105>())
    }

    /// The side of [`Imbalance::unpaired_qty`].
    #[must_use]
    pub fn unpaired_side(self) -> Option<Side> {
        side_of(self.0.number::<u8, 109>())
    }
}
