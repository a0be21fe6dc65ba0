//! What can be asked for.

use std::fmt;
use std::str::FromStr;

use cosmwasm_schema::cw_serde;
use cosmwasm_std::Binary;

use crate::{
    CrsId, Digest, Eip712Domain, EvmAddress, FheType, Handle, KeyDigest, KeyId, RequestId, Signature,
};

/// An operation with all that it needs.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub enum Operation {
    /// Makes a key.
    KeyGen(KeyGen),
    /// Makes a common reference string for zero-knowledge proofs.
    CrsGen(CrsGen),
    /// Decrypts for everybody.
    PublicDecrypt(PublicDecrypt),
    /// Re-encrypts to one user's key.
    UserDecrypt(UserDecrypt),
    /// Checks the proof of an encrypted input and names its elements.
    VerifyInput(VerifyInput),
}

/// The name of an operation.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Copy, Eq, PartialOrd, Ord, Hash)]
pub enum OperationKind {
    /// `key_gen`
    KeyGen,
    /// `crs_gen`
    CrsGen,
    /// `public_decrypt`
    PublicDecrypt,
    /// `user_decrypt`
    UserDecrypt,
    /// `verify_input`
    VerifyInput,
}

impl OperationKind {
    /// Every operation.
    pub const ALL: [Self; 5] =
        [Self::KeyGen, Self::CrsGen, Self::PublicDecrypt, Self::UserDecrypt, Self::VerifyInput];

    /// The name in JSON, events and the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeyGen => "key_gen",
            Self::CrsGen => "crs_gen",
            Self::PublicDecrypt => "public_decrypt",
            Self::UserDecrypt => "user_decrypt",
            Self::VerifyInput => "verify_input",
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for OperationKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| format!("unknown operation {text}"))
    }
}

impl Operation {
    /// The operation's name.
    pub const fn kind(&self) -> OperationKind {
        match self {
            Self::KeyGen(_) => OperationKind::KeyGen,
            Self::CrsGen(_) => OperationKind::CrsGen,
            Self::PublicDecrypt(_) => OperationKind::PublicDecrypt,
            Self::UserDecrypt(_) => OperationKind::UserDecrypt,
            Self::VerifyInput(_) => OperationKind::VerifyInput,
        }
    }

    /// The key that the operation uses; none where it makes one or needs none.
    pub const fn key_id(&self) -> Option<KeyId> {
        match self {
            Self::PublicDecrypt(op) => Some(op.key_id),
            Self::UserDecrypt(op) => Some(op.key_id),
            Self::VerifyInput(op) => Some(op.key_id),
            Self::KeyGen(KeyGen { source: KeySource::Takeover { key_id }, .. }) => Some(*key_id),
            Self::KeyGen(_) | Self::CrsGen(_) => None,
        }
    }

    /// The ciphertexts to decrypt, in order; empty for operations without.
    pub fn ciphertexts(&self) -> &[Ciphertext] {
        match self {
            Self::PublicDecrypt(op) => &op.ciphertexts,
            Self::UserDecrypt(op) => &op.ciphertexts,
            Self::KeyGen(_) | Self::CrsGen(_) | Self::VerifyInput(_) => &[],
        }
    }

    /// The stored bytes that the work needs, as digest and size: one entry for each ciphertext, in order, or the
    /// one proven list of an input. The same bytes may be named several times.
    pub fn blobs(&self) -> Vec<(Digest, u64)> {
        match self {
            Self::VerifyInput(op) => vec![(op.digest, op.size)],
            _ => self.ciphertexts().iter().map(|ciphertext| (ciphertext.digest, ciphertext.size)).collect(),
        }
    }
}

/// Parameters and origin of a new key.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct KeyGen {
    /// The parameter set.
    pub params: KeyParams,
    /// Where the key comes from.
    pub source: KeySource,
}

/// A named set of TFHE parameters.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Copy, Eq)]
pub enum KeyParams {
    /// For production.
    Default,
    /// Small and insecure, for tests of a network that allows it.
    Test,
}

/// Where a key comes from.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub enum KeySource {
    /// The operators make it.
    Generate,
    /// The operators hold it already, staged for this request.
    Import {
        /// What the published parts must hash to.
        digests: Vec<KeyDigest>,
    },
    /// The newest epoch takes over an existing key.
    Takeover {
        /// The key.
        key_id: KeyId,
    },
}

/// Size and origin of a new common reference string.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct CrsGen {
    /// The largest input that can be proven, in bits.
    pub max_bits: u32,
    /// Where the string comes from.
    pub source: CrsSource,
}

/// Where a common reference string comes from.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub enum CrsSource {
    /// The operators make it.
    Generate,
    /// The operators hold it already, staged for this request.
    Import {
        /// What it must hash to.
        digest: Digest,
    },
}

/// A decryption whose answer everybody sees.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct PublicDecrypt {
    /// The key.
    pub key_id: KeyId,
    /// What to decrypt; all are answered or none.
    pub ciphertexts: Vec<Ciphertext>,
    /// The domain of the external signature; the key's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Eip712Domain>,
    /// Signed as it is; nothing if absent.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub extra_data: Binary,
}

/// A decryption for the holder of `enc_key` alone.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct UserDecrypt {
    /// The key.
    pub key_id: KeyId,
    /// What to decrypt; all are answered or none.
    pub ciphertexts: Vec<Ciphertext>,
    /// The user's public encryption key, 869 bytes.
    pub enc_key: Binary,
    /// The user's wallet.
    pub user: EvmAddress,
    /// Applications whose ciphertexts the user wants to see.
    pub contracts: Vec<EvmAddress>,
    /// Start of the window in which the user's signature holds, seconds.
    pub valid_from: u64,
    /// Length of that window, days.
    pub valid_days: u64,
    /// The wallet's EIP-712 signature.
    pub user_signature: Signature,
    /// The domain of both signatures; the key's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Eip712Domain>,
    /// Signed as it is; nothing if absent.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub extra_data: Binary,
}

impl UserDecrypt {
    /// The first second after the window that the user signed; none if it does not fit a `u64`.
    pub fn valid_until(&self) -> Option<u64> {
        self.valid_from.checked_add(self.valid_days.checked_mul(86_400)?)
    }
}

/// A check of an input's zero-knowledge proof.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct VerifyInput {
    /// The key under which the input is encrypted.
    pub key_id: KeyId,
    /// The reference string of its proof.
    pub crs_id: CrsId,
    /// SHA-256 of the proven list's bytes.
    pub digest: Digest,
    /// Length of those bytes.
    pub size: u64,
    /// Whose input it is; not zero.
    pub user: EvmAddress,
    /// The application it is meant for.
    pub contract: EvmAddress,
    /// The access-control contract bound by the proof.
    pub acl: EvmAddress,
    /// The chain bound by the proof.
    pub chain_id: u64,
    /// The domain of the external signature; the key's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Eip712Domain>,
    /// Signed as it is; nothing if absent.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub extra_data: Binary,
}

/// A ciphertext by reference: its bytes are in the store, under their digest.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct Ciphertext {
    /// The name under which applications know it; byte 30 is the type's number.
    pub handle: Handle,
    /// SHA-256 of the stored bytes.
    pub digest: Digest,
    /// Length of the stored bytes.
    pub size: u64,
    /// Type of the value.
    pub fhe_type: FheType,
    /// Form of the stored bytes.
    pub format: CiphertextFormat,
    /// Position in a list; 0 for `raw`, and if absent.
    #[serde(default, skip_serializing_if = "is_first")]
    pub index: u16,
    /// Why the requester may have it decrypted; unproven if absent, of which least comes.
    #[serde(default, skip_serializing_if = "Provenance::is_unproven")]
    pub provenance: Provenance,
}

/// What is usual is left out of a request's body: the chain charges for every byte that it keeps.
fn is_nothing(extra_data: &Binary) -> bool {
    extra_data.is_empty()
}

const fn is_first(index: &u16) -> bool {
    *index == 0
}

/// The form of stored ciphertext bytes.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Copy, Eq)]
pub enum CiphertextFormat {
    /// One ciphertext as computed; number 0.
    Raw,
    /// A compressed list; number 1.
    Compressed,
    /// A compact list with proof, as a user sends it; number 2.
    Compact,
}

impl CiphertextFormat {
    /// The number in signatures.
    pub const fn number(self) -> u8 {
        match self {
            Self::Raw => 0,
            Self::Compressed => 1,
            Self::Compact => 2,
        }
    }
}

/// Where a ciphertext comes from. A decryption oracle for chosen ciphertexts gives the secret key
/// away, so the contract checks this before anything is decrypted.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq, Default)]
pub enum Provenance {
    /// An element of an input that was verified.
    Verified {
        /// The `verify_input` request.
        request_id: RequestId,
    },
    /// The key's attesters vouch for it.
    Attested {
        /// The one user who may see it; nobody in particular if absent.
        user: Option<EvmAddress>,
        /// The application it belongs to.
        contract: Option<EvmAddress>,
        /// Last second at which the attestation holds.
        valid_until: u64,
        /// Signatures, ascending by signer.
        signatures: Vec<Signature>,
    },
    /// No evidence: only those whom the key's owner trusts with the key itself may ask.
    #[default]
    Unproven,
}

impl Provenance {
    const fn is_unproven(&self) -> bool {
        matches!(self, Self::Unproven)
    }
}
