//! What a key's owner does with it, and keys that are not generated.

use clap::{Subcommand, ValueEnum};
use kms_asc_api::{
    CrsId, Digest, EvmAddress, ExecuteMsg, KeyDigest, KeyGen, KeyId, KeyParams, KeySource, KeyState, KeyType,
    Operation,
};

use crate::{
    act::act,
    context::Context,
    error::Result,
    submit::{SubmitArgs, submit_and_show},
};

/// Where a key comes from that the operators do not make.
#[derive(Debug, Subcommand)]
pub enum Origin {
    /// Make a key that the operators hold already, staged for this request, a key on record
    #[command(after_help = "Example:\n  kms key import --server \
        0x1111111111111111111111111111111111111111111111111111111111111111 --public \
        0x2222222222222222222222222222222222222222222222222222222222222222")]
    Import {
        /// Digest of the published server key
        #[arg(long, value_name = "DIGEST")]
        server: Digest,
        /// Digest of the published public key
        #[arg(long, value_name = "DIGEST")]
        public: Digest,
        /// The key has parameters that are small and insecure
        #[arg(long)]
        insecure_test_parameters: bool,
        #[command(flatten)]
        submit: SubmitArgs,
    },
    /// Have the operators of the newest epoch take over a key of yours
    #[command(after_help = "Example:\n  kms key takeover 1")]
    Takeover {
        /// The key
        #[arg(value_name = "ID")]
        id: KeyId,
        #[command(flatten)]
        submit: SubmitArgs,
    },
}

impl Origin {
    pub async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Import { server, public, insecure_test_parameters, submit } => {
                let params = if insecure_test_parameters { KeyParams::Test } else { KeyParams::Default };
                let digests = vec![
                    KeyDigest { key_type: KeyType::Server, digest: server },
                    KeyDigest { key_type: KeyType::Public, digest: public },
                ];
                let operation = Operation::KeyGen(KeyGen { params, source: KeySource::Import { digests } });
                submit_and_show(context, operation, submit).await
            }
            Self::Takeover { id, submit } => {
                let params = context.ledger().await?.key(id).await?.params;
                let source = KeySource::Takeover { key_id: id };
                submit_and_show(context, Operation::KeyGen(KeyGen { params, source }), submit).await
            }
        }
    }
}

/// The state of a key.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum StateName {
    /// For every use
    Active,
    /// For none, until its owner says otherwise
    Suspended,
    /// For decryption only
    Deactivated,
    /// For none, for good
    Destroyed,
}

impl From<StateName> for KeyState {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Active => Self::Active,
            StateName::Suspended => Self::Suspended,
            StateName::Deactivated => Self::Deactivated,
            StateName::Destroyed => Self::Destroyed,
        }
    }
}

/// What a key's owner says.
#[derive(Debug, Subcommand)]
pub enum Manage {
    /// Trust somebody with a key: a grantee can compute its secret part
    #[command(after_help = "Examples:\n  kms key grant 1 wasm1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc547at0h\n  \
        kms key grant 1 wasm1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc547at0h --until 1900000000")]
    Grant {
        /// The key
        #[arg(value_name = "ID")]
        id: KeyId,
        /// Whom
        #[arg(value_name = "ADDRESS")]
        grantee: String,
        /// Last second at which the grant holds, as seconds since 1970 [default: open end]
        #[arg(long, value_name = "SECONDS")]
        until: Option<u64>,
    },
    /// Take a grant back
    #[command(after_help = "Example:\n  kms key revoke 1 wasm1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc547at0h")]
    Revoke {
        /// The key
        #[arg(value_name = "ID")]
        id: KeyId,
        /// Whose
        #[arg(value_name = "ADDRESS")]
        grantee: String,
    },
    /// Name those who vouch for ciphertexts under a key, all anew; none clears them
    #[command(after_help = "Examples:\n  kms key attesters 1 --threshold 1 \
        0x1111111111111111111111111111111111111111\n  kms key attesters 1")]
    Attesters {
        /// The key
        #[arg(value_name = "ID")]
        id: KeyId,
        /// Their signing addresses
        #[arg(value_name = "SIGNER")]
        attesters: Vec<EvmAddress>,
        /// How many of them must sign [default: all]
        #[arg(long, value_name = "COUNT")]
        threshold: Option<u32>,
    },
    /// Name the reference strings that prove inputs under a key, all anew; none forbids inputs
    #[command(after_help = "Who knows a string's trapdoor forges proofs: allow only strings you trust.\n\n\
        Examples:\n  kms key crs 1 2\n  kms key crs 1")]
    Crs {
        /// The key
        #[arg(value_name = "ID")]
        id: KeyId,
        /// The strings, at most 8
        #[arg(value_name = "STRING")]
        crs_ids: Vec<CrsId>,
    },
    /// Change what a key may be used for
    #[command(after_help = "Example:\n  kms key state 1 suspended")]
    State {
        /// The key
        #[arg(value_name = "ID")]
        id: KeyId,
        /// The new state
        state: StateName,
    },
    /// Offer a key to somebody, who becomes its owner by `kms key accept`
    #[command(after_help = "All grants end then, and attesters and reference strings are cleared.\n\n\
        Example:\n  kms key transfer 1 wasm1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc547at0h")]
    Transfer {
        /// The key
        #[arg(value_name = "ID")]
        id: KeyId,
        /// To whom
        #[arg(value_name = "ADDRESS")]
        to: String,
    },
    /// Become the owner of a key that was offered to you
    #[command(after_help = "Example:\n  kms key accept 1")]
    Accept {
        /// The key
        #[arg(value_name = "ID")]
        id: KeyId,
    },
}

impl Manage {
    pub async fn run(self, context: &Context) -> Result<()> {
        let (doing, message) = self.message();
        act(context, &context.ledger().await?, doing, &message).await
    }

    fn message(self) -> (&'static str, ExecuteMsg) {
        match self {
            Self::Grant { id, grantee, until } => {
                ("granting", ExecuteMsg::Grant { key_id: id, grantee, until })
            }
            Self::Revoke { id, grantee } => ("revoking", ExecuteMsg::Revoke { key_id: id, grantee }),
            Self::Attesters { id, attesters, threshold } => {
                let all = u32::try_from(attesters.len()).unwrap_or(u32::MAX);
                let threshold = threshold.unwrap_or(all);
                ("naming attesters", ExecuteMsg::SetAttesters { key_id: id, attesters, threshold })
            }
            Self::Crs { id, crs_ids } => {
                ("naming reference strings", ExecuteMsg::SetCrs { key_id: id, crs_ids })
            }
            Self::State { id, state } => {
                ("setting the state", ExecuteMsg::SetKeyState { key_id: id, state: state.into() })
            }
            Self::Transfer { id, to } => ("offering the key", ExecuteMsg::OfferKey { key_id: id, to }),
            Self::Accept { id } => ("accepting the key", ExecuteMsg::AcceptKey { key_id: id }),
        }
    }
}
