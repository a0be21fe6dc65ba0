//! Records of contract state: operators, keys, money.

use cosmwasm_schema::cw_serde;
use cosmwasm_std::{OverflowError, Uint128};

use crate::{CrsId, Digest, Eip712Domain, EpochId, EvmAddress, KeyId, KeyParams, PartyId, PublicKey};

/// A set of operators and how many of them decide.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct Epoch {
    /// Dense, from 1.
    pub id: EpochId,
    /// How the operators hold keys.
    pub mode: EpochMode,
    /// How many may be faulty.
    pub faulty: u32,
    /// How many equal answers decide.
    pub majority: u32,
    /// How many answers a user needs.
    pub reconstruction: u32,
    /// The operators, by ascending number from 1.
    pub parties: Vec<Party>,
    /// Block time in seconds from which the epoch's answers are late; left out unless it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<u64>,
}

impl Epoch {
    /// The record of a party.
    pub fn party(&self, id: PartyId) -> Option<&Party> {
        self.parties.iter().find(|party| party.party == id)
    }
}

/// How the operators of an epoch hold keys.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Copy, Eq)]
pub enum EpochMode {
    /// One operator holds all.
    Centralized,
    /// Each operator holds all.
    Replicated,
    /// Each operator holds a share.
    Threshold,
}

/// An operator.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct Party {
    /// 1 to n.
    pub party: PartyId,
    /// For people.
    pub name: String,
    /// The key that signs its answers.
    pub signer: PublicKey,
    /// Whom its earnings are credited to.
    pub payout: String,
}

/// The state of a key, after NIST SP 800-57.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Copy, Eq)]
pub enum KeyState {
    /// For every use.
    Active,
    /// For none, until its owner says otherwise.
    Suspended,
    /// For decryption only.
    Deactivated,
    /// For none, for good.
    Destroyed,
}

impl KeyState {
    /// The name in JSON and events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deactivated => "deactivated",
            Self::Destroyed => "destroyed",
        }
    }

    /// Every state.
    pub const ALL: [Self; 4] = [Self::Active, Self::Suspended, Self::Deactivated, Self::Destroyed];

    /// Whether ciphertexts may be decrypted.
    pub const fn allows_decryption(self) -> bool {
        matches!(self, Self::Active | Self::Deactivated)
    }

    /// Whether new inputs may be verified under the key.
    pub const fn allows_inputs(self) -> bool {
        matches!(self, Self::Active)
    }

    /// Whether the owner may set this state after `from`: the transitions of NIST SP 800-57, with a way from
    /// `suspended` to `destroyed` that does not pass through a state in which the key decrypts.
    pub const fn may_follow(self, from: Self) -> bool {
        matches!(
            (from, self),
            (Self::Active, Self::Suspended | Self::Deactivated)
                | (Self::Suspended, Self::Active | Self::Deactivated | Self::Destroyed)
                | (Self::Deactivated, Self::Destroyed)
        )
    }
}

/// The kind of a key's published part; its number stands in the payload of `key_gen`.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Copy, Eq, PartialOrd, Ord)]
pub enum KeyType {
    /// 0: the compressed server key.
    Server,
    /// 1: the compact public key.
    Public,
}

impl KeyType {
    /// The number in signatures and payloads.
    pub const fn number(self) -> u8 {
        match self {
            Self::Server => 0,
            Self::Public => 1,
        }
    }
}

/// The digest of a key's published part: SHAKE256 (32 bytes) of `"PDAT_KEY"` and the stored bytes.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Copy, Eq)]
pub struct KeyDigest {
    /// Which part.
    pub key_type: KeyType,
    /// Its digest.
    pub digest: Digest,
}

/// A key that exists.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct KeyRecord {
    /// The id of the request that made it; also its tfhe tag if it was generated.
    pub id: KeyId,
    /// What it may be used for.
    pub state: KeyState,
    /// Who holds it.
    pub epoch: EpochId,
    /// Who paid for it, or whom it was handed to.
    pub owner: String,
    /// Raised by one with each change of owner, which ends all grants.
    pub generation: u32,
    /// Its parameters.
    pub params: KeyParams,
    /// Whether its material was made elsewhere.
    pub imported: bool,
    /// Its published parts, ascending by type.
    pub digests: Vec<KeyDigest>,
    /// The domain of its answers, fixed for good.
    pub domain: Eip712Domain,
    /// Those who vouch for its ciphertexts.
    pub attesters: Vec<EvmAddress>,
    /// How many of them must sign; 0 without attesters.
    pub attester_threshold: u32,
    /// Reference strings that prove its inputs.
    pub crs_ids: Vec<CrsId>,
    /// To whom it is offered.
    pub offered_to: Option<String>,
    /// Block height at which it became active.
    pub height: u64,
    /// Block time at which it became active, seconds.
    pub time: u64,
}

/// A common reference string that exists.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct CrsRecord {
    /// The id of the request that made it.
    pub id: CrsId,
    /// Who holds it.
    pub epoch: EpochId,
    /// Who paid for it.
    pub owner: String,
    /// The largest input that it can prove, in bits.
    pub max_bits: u32,
    /// Whether it was made elsewhere.
    pub imported: bool,
    /// SHAKE256 (32 bytes) of `"PDAT_CRS"` and its stored bytes.
    pub digest: Digest,
    /// Block height at which it became active.
    pub height: u64,
    /// Block time at which it became active, seconds.
    pub time: u64,
}

/// Trust in somebody with a key: a grantee can compute its secret part.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct GrantRecord {
    /// The key.
    pub key_id: KeyId,
    /// Whom.
    pub grantee: String,
    /// The key's generation when it was given; under a later one it is void.
    pub generation: u32,
    /// Last second at which it holds; open end if absent.
    pub until: Option<u64>,
    /// Block height of the grant.
    pub height: u64,
    /// Block time of the grant, seconds.
    pub time: u64,
}

impl GrantRecord {
    /// Whether it holds for a key of this generation at `now`.
    pub const fn holds(&self, generation: u32, now: u64) -> bool {
        self.generation == generation && !matches!(self.until, Some(until) if now > until)
    }
}

/// New code that was announced.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Copy, Eq)]
pub struct MigrationRecord {
    /// Id of the code on the chain.
    pub code_id: u64,
    /// SHA-256 of the code.
    pub checksum: Digest,
    /// Block time in seconds from which it may run.
    pub not_before: u64,
}

/// What the contract owes and owns, in the configured denomination.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Copy, Eq, Default)]
pub struct Totals {
    /// Prices of pending requests.
    pub escrow: Uint128,
    /// What can be withdrawn by those who earned it or could not be refunded.
    pub credits: Uint128,
    /// What the admin can withdraw.
    pub treasury: Uint128,
}

impl Totals {
    /// All of it together: what the contract must hold at least.
    ///
    /// # Errors
    /// When it does not fit 128 bits.
    pub fn owed(&self) -> Result<Uint128, OverflowError> {
        self.escrow.checked_add(self.credits)?.checked_add(self.treasury)
    }
}
