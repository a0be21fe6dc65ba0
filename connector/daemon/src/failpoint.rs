//! Named points between every two steps of the daemon's work.
//!
//! A test stops or kills the daemon there, to show that nothing is lost and nothing is paid twice. Without the
//! feature `failpoints` a point is nothing at all.

/// A block with requests was read; neither its rows nor the cursor are stored.
pub const BLOCK_READ: &str = "block_read";
/// The rows of a block with requests, and the cursor, are stored.
pub const BLOCK_STORED: &str = "block_stored";
/// The core is about to be asked.
pub const CORE_ASKED: &str = "core_asked";
/// The core has answered; its answer is not stored here.
pub const CORE_ANSWERED: &str = "core_answered";
/// The core's answer is stored.
pub const ANSWER_STORED: &str = "answer_stored";
/// A transaction is signed, and not stored.
pub const TX_SIGNED: &str = "tx_signed";
/// A signed transaction is stored, and not sent.
pub const TX_STORED: &str = "tx_stored";
/// A transaction was sent; nothing is known of its fate.
pub const TX_SENT: &str = "tx_sent";
/// A transaction's effect was read from the contract; the rows do not know.
pub const TX_SETTLED: &str = "tx_settled";
/// The rows know a transaction's effect.
pub const ROWS_SETTLED: &str = "rows_settled";

/// Every point, in the order in which a request passes them.
pub const ALL: [&str; 10] = [
    BLOCK_READ,
    BLOCK_STORED,
    CORE_ASKED,
    CORE_ANSWERED,
    ANSWER_STORED,
    TX_SIGNED,
    TX_STORED,
    TX_SENT,
    TX_SETTLED,
    ROWS_SETTLED,
];

/// Passes a point.
#[cfg(feature = "failpoints")]
pub(crate) fn reach(name: &'static str) {
    fail::fail_point!(name);
}

/// Passes a point: nothing happens.
#[cfg(not(feature = "failpoints"))]
pub(crate) const fn reach(_name: &'static str) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = ALL.into_iter().collect();
        assert_eq!(names.len(), ALL.len());
    }
}
