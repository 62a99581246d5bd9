//! What is true of books that are made of several venues' books: no connection brings them, so they stand in no table.

use super::room::{Checksum, Detection, Life, OrderIds, Product, Resync, Scale, TradeIds};
use crate::sequence::Rule;

/// A book that an engine makes of others: each of its levels is a queue of orders, the parts that venues have of it.
pub(super) const BOOKS: Product = Product {
    rule: Rule::Unnumbered,
    resync: Resync::Wait,
    is_by_order: false,
    order_ids: OrderIds::Arbitrary,
    trade_ids: TradeIds::Unordered,
    top_proof: false,
    checksum: Checksum::None,
    // Its members are silent, not it.
    silence_ns: 0,
    life: Life::Book,
    detects: Detection::Never,
    scale: Scale::INFERRED,
};
