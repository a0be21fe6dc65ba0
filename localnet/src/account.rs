//! The accounts of a stack: who pays for what, each with a key of its own.

use std::fmt;

use anyhow::Result;
use kms_chain::Wallet;

use crate::Layout;

/// Prefix of addresses on an unmodified `wasmd`.
pub(crate) const ADDRESS_PREFIX: &str = "wasm";

/// An account that exists, with money, from the first block on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountName {
    /// Deploys the ASC and is its admin.
    Admin,
    /// Submits requests: the account of the command line.
    User,
    /// Pays for what the operator's connector posts.
    Operator,
    /// A second requester, for whatever needs a stranger.
    Other,
}

impl AccountName {
    /// Every account.
    pub const ALL: [Self; 4] = [Self::Admin, Self::User, Self::Operator, Self::Other];

    /// As it is called in file names.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
            Self::Operator => "operator-1",
            Self::Other => "other",
        }
    }

    /// The account's key, from the stack's secrets.
    ///
    /// # Errors
    /// If the file is missing, is not a key or is readable by others.
    pub fn wallet(self, layout: &Layout) -> Result<Wallet> {
        Ok(Wallet::load(&layout.secret(self.as_str()), ADDRESS_PREFIX)?)
    }

    /// Makes a fresh key and writes it to the stack's secrets.
    pub(crate) fn generate(self, layout: &Layout) -> Result<Wallet> {
        let wallet = Wallet::generate(ADDRESS_PREFIX)?;
        wallet.save_new(&layout.secret(self.as_str()))?;
        Ok(wallet)
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
