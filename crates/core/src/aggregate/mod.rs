//! Stage 4: what is derived from a book: its top, its first levels, its depth by price, its checksums, its agreement with
//! the venue.
//!
//! A [`View`] is computed from a book as it is; [`Tracked`] keeps its answer and computes it again only after a message
//! that may have changed it. [`DepthTo`], [`Buckets`], [`CostToFill`] and [`WithinBps`] are such views, exact in integers,
//! and each answer says whether the venue has made the book known as deep as it looked. A [`Profile`] is derived from trades:
//! what has traded at each price; [`VolumeView`] is what its readers have of it, as
//! [`CostView`] is of costs.

mod bbo;
mod buckets;
mod checksum;
mod cost_to_fill;
mod cost_view;
mod cross_check;
mod cumulative;
mod depth;
mod profile;
mod tracked;
mod volume_view;
mod within_bps;

pub use bbo::Bbo;
pub use buckets::{BUCKETS_MAX, Bucket, BucketSides, Buckets};
pub use checksum::{TOP_LEVELS, checksums};
pub use cost_to_fill::{CostError, CostToFill, Fill, INVERSE_COST_EXPONENT};
pub use cost_view::{BPS_MAX, COST_UNKNOWN, COSTS_MAX, Cost, CostView};
pub use cross_check::{CrossCheck, TOPS_MAX};
pub use cumulative::{Depth, DepthTo};
pub use depth::{DEPTH_MAX, DepthView};
pub use profile::{PROFILE_PRICES_MAX, Profile, Traded};
pub use tracked::{Reach, Tracked, View};
pub use volume_view::VolumeView;
pub use within_bps::{BandDepth, WithinBps};
