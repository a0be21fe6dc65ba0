//! Money that leaves the contract.

use kms_asc_api::log::{LogBody, LogEntry};

use crate::error::rule;
use crate::ledger::by;
use crate::{Ledger, Violation};

impl Ledger {
    /// Credit, treasury or surplus is paid out.
    pub(crate) fn pay_out(&mut self, entry: &LogEntry) -> Result<(), Violation> {
        match &entry.body {
            LogBody::Withdrawn { address, amount, .. } => {
                by(&entry.actor, address)?;
                rule(!amount.is_zero(), "nothing is withdrawn")?;
                self.take_credit(address, *amount)
            }
            LogBody::TreasuryWithdrawn { amount, .. } => {
                self.by_admin(&entry.actor)?;
                let left = self.totals.treasury.checked_sub(*amount);
                self.totals.treasury = left.map_err(|_| Violation::Rule("the treasury holds less"))?;
                Ok(())
            }
            // How much came but by requests, only the chain's bank knows.
            LogBody::SurplusSwept { amount, .. } => {
                self.by_admin(&entry.actor)?;
                rule(!amount.is_zero(), "nothing is swept")
            }
            _ => Err(Violation::Rule("nothing is paid out")),
        }
    }
}
