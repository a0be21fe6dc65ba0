use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{Strongbox, VaultError, cipher::Kind, file::RESTORED};

/// How far the chain's clock may be ahead of this machine's.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// That the vault and its answers come from a backup. What the core signed between backup and restore is not known any more, so
/// requests that were submitted before the restore get nothing but what is recorded. See ADR 0051.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Restored {
    /// Seconds since 1970, by the chain's time: what was submitted before is not answered anew.
    pub(crate) submitted_before: u64,
}

impl Restored {
    /// As of now.
    fn now() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { submitted_before: now.saturating_add(CLOCKS_DIFFER).as_secs() }
    }

    /// Whether a request that was submitted at this time may have been answered without a trace here.
    pub(crate) fn covers(&self, submitted: u64) -> bool {
        submitted < self.submitted_before
    }

    pub(super) fn read(strongbox: &Strongbox) -> Result<Option<Self>, VaultError> {
        Ok(strongbox.get(RESTORED, Kind::Restored)?.map(|(found, _)| found))
    }
}

impl Strongbox {
    /// Writes into the vault that it comes from a backup: from the next start on the core does no work on a request that was submitted
    /// before now.
    ///
    /// # Errors
    /// If it cannot be written, or says so already.
    pub fn mark_restored(&self) -> Result<(), VaultError> {
        self.put(RESTORED, Kind::Restored, &Restored::now(), &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::test_strongbox;

    #[test]
    fn what_was_asked_before_a_restore_is_covered_and_what_comes_later_is_not() {
        let (_folder, strongbox) = test_strongbox();
        assert_eq!(Restored::read(&strongbox).unwrap(), None);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        strongbox.mark_restored().unwrap();
        let restored = Restored::read(&strongbox).unwrap().unwrap();
        assert!(restored.covers(now) && restored.covers(now + 59), "the chain's clock may be ahead");
        assert!(!restored.covers(now + 3600));
        assert_eq!(strongbox.mark_restored().unwrap_err().code(), "vault_file_exists");
    }
}
