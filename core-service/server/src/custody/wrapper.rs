use kms_config::ConfigError;
use thiserror::Error;

use super::{passphrase::Passphrase, pkcs11::Token};
use crate::{DataKey, Keeper};

/// Wraps a vault's data key with a key that does not lie beside the vault. A cloud's key management service fills this, too: it
/// is asked at the start only.
pub trait KeyWrapper: Send + Sync {
    /// The name in the vault's header.
    fn kind(&self) -> &'static str;

    /// Encrypts a data key so that only this wrapper decrypts it. `context` is authenticated with it.
    ///
    /// # Errors
    /// If the key that wraps cannot be had.
    fn wrap(&self, key: &DataKey, context: &[u8]) -> Result<Wrapped, WrapError>;

    /// Decrypts what [`KeyWrapper::wrap`] made, under the same context.
    ///
    /// # Errors
    /// If the key that wraps cannot be had, or it is another one.
    fn unwrap(&self, wrapped: &Wrapped, context: &[u8]) -> Result<DataKey, WrapError>;
}

/// A data key in the form in which it lies beside the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// What the wrapper needs to know, beside its secret, to unwrap it.
    pub parameters: serde_json::Value,
    /// The encrypted key.
    pub bytes: Vec<u8>,
}

/// Why a data key was not wrapped or unwrapped. No variant carries a secret.
#[derive(Debug, Error)]
pub enum WrapError {
    /// A secret's file cannot be read, or is open to others.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// An empty passphrase protects nothing.
    #[error("{file} is empty, a passphrase is needed")]
    EmptyPassphrase {
        /// The file.
        file: String,
    },
    /// The vault was made with another passphrase.
    #[error("the passphrase in {file} is not the vault's")]
    WrongPassphrase {
        /// The file.
        file: String,
    },
    /// The token has another key under the label, or the header was changed.
    #[error("key {key} of token {token} is not the one that wrapped the vault's key")]
    WrongKey {
        /// The key's label.
        key: String,
        /// The token's label.
        token: String,
    },
    /// The token has no such key.
    #[error("token {token} has no key {key}; `kms-core init` makes it")]
    NoKey {
        /// The key's label.
        key: String,
        /// The token's label.
        token: String,
    },
    /// The vault's key is wrapped in another way than is configured.
    #[error("the vault's key is wrapped by {found}, the configuration says {configured}")]
    OtherKind {
        /// In the header.
        found: String,
        /// In the configuration.
        configured: &'static str,
    },
    /// What stands in the header cannot be.
    #[error("the parameters of the wrapped key are not usable: {reason}")]
    BadParameters {
        /// What is wrong.
        reason: String,
    },
    /// Whoever wraps cannot do it now.
    #[error("cannot {doing}: {cause}")]
    Failed {
        /// What was tried.
        doing: &'static str,
        /// What was said about it.
        cause: String,
    },
}

impl WrapError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::EmptyPassphrase { .. } => "empty_passphrase",
            Self::WrongPassphrase { .. } => "wrong_passphrase",
            Self::WrongKey { .. } => "wrong_wrapping_key",
            Self::NoKey { .. } => "no_wrapping_key",
            Self::OtherKind { .. } => "other_wrapper",
            Self::BadParameters { .. } => "bad_wrapping_parameters",
            Self::Failed { .. } => "wrapping_failed",
        }
    }
}

/// What wraps, as the configuration says.
pub(crate) fn wrapper_of(keeper: &Keeper) -> Box<dyn KeyWrapper> {
    match keeper {
        Keeper::Passphrase { file, cost } => Box::new(Passphrase::new(file, *cost)),
        Keeper::Pkcs11(pkcs11) => Box::new(Token::new(pkcs11)),
    }
}
