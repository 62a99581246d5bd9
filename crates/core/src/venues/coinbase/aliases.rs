//! Products that say what another one does (rule 7).

use crate::types::{Instrument, Venue};

/// Products in USDC that are none of them.
const OWN: [&str; 5] = ["AUDD-USDC", "EURC-USDC", "TGBP-USDC", "USDT-USDC", "XSGD-USDC"];

/// The product that messages name, by its own name or an alias.
fn symbol(name: &str) -> String {
    match name.strip_suffix("-USDC") {
        Some(base) if !OWN.contains(&name) => format!("{base}-USD"),
        _ => name.to_owned(),
    }
}

/// The product of any of its names.
pub(in crate::venues) fn instrument(venue: Venue, name: &str) -> Instrument {
    super::ADVANCED.scale.instrument(venue, &symbol(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_in_usdc_is_the_product_in_usd() {
        for (name, is) in [
            ("BTC-USDC", "BTC-USD"),
            ("BTC-USD", "BTC-USD"),
            ("BTC-EUR", "BTC-EUR"),
            ("USDT-USDC", "USDT-USDC"),
            ("EURC-USDC", "EURC-USDC"),
            ("USDC-EUR", "USDC-EUR"),
        ] {
            assert_eq!(symbol(name), is);
        }
    }
}
