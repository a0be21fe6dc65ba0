use std::{fmt, time::Duration};

use prost::Message;
use tendermint::Hash;
use tendermint_light_client_verifier::types::ValidatorSet;
use tendermint_proto::v0_38::types::ValidatorSet as RawValidatorSet;
use thiserror::Error;

use crate::block::Decoded;

/// A moment, as headers tell it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Since 1970.
    pub seconds: u64,
    /// Below 1,000,000,000.
    pub nanos: u32,
}

impl Time {
    /// A whole second since 1970.
    pub const fn of_seconds(seconds: u64) -> Self {
        Self { seconds, nanos: 0 }
    }

    /// The time since 1970.
    pub const fn since_epoch(self) -> Duration {
        Duration::new(self.seconds, self.nanos)
    }

    /// From the time since 1970.
    pub const fn of(since_epoch: Duration) -> Self {
        Self { seconds: since_epoch.as_secs(), nanos: since_epoch.subsec_nanos() }
    }

    /// How long ago this was at `now`; zero if it lies in the future.
    pub const fn age(self, now: Self) -> Duration {
        now.since_epoch().saturating_sub(self.since_epoch())
    }

    pub(crate) fn to_tendermint(self) -> Result<tendermint::Time, String> {
        let seconds = i64::try_from(self.seconds).map_err(|error| error.to_string())?;
        tendermint::Time::from_unix_timestamp(seconds, self.nanos).map_err(|error| error.to_string())
    }

    pub(crate) fn of_tendermint(time: tendermint::Time) -> Result<Self, String> {
        let raw = tendermint_proto::google::protobuf::Timestamp::from(time);
        let seconds = u64::try_from(raw.seconds).map_err(|_| "its time lies before 1970".to_owned())?;
        Ok(Self { seconds, nanos: u32::try_from(raw.nanos).unwrap_or(0) })
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.seconds, self.nanos)
    }
}

/// A header that was verified, or that a person vouched for, with what it takes to verify the next one from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedHeader {
    pub(crate) height: u64,
    pub(crate) time: Time,
    pub(crate) hash: [u8; 32],
    pub(crate) previous: Option<[u8; 32]>,
    pub(crate) app_hash: Vec<u8>,
    pub(crate) next_validators_hash: [u8; 32],
    pub(crate) next_validators: ValidatorSet,
}

/// The stored form of a header is not what [`VerifiedHeader::encode`] writes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a stored header is damaged: {reason}")]
pub struct DamagedHeader {
    /// What is wrong with it.
    pub reason: String,
}

impl VerifiedHeader {
    /// Height of its block.
    pub const fn height(&self) -> u64 {
        self.height
    }

    /// Its time: what the block calls now.
    pub const fn time(&self) -> Time {
        self.time
    }

    /// Its hash.
    pub const fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// The hash of the header before it, which it names; none in the first block.
    pub const fn previous(&self) -> Option<[u8; 32]> {
        self.previous
    }

    /// The height whose state its app hash commits to: the one before its own.
    pub const fn state_height(&self) -> u64 {
        self.height.saturating_sub(1)
    }

    /// The stored form.
    pub fn encode(&self) -> Vec<u8> {
        let set: RawValidatorSet = self.next_validators.clone().into();
        Stored {
            height: self.height,
            seconds: self.time.seconds,
            nanos: self.time.nanos,
            hash: self.hash.to_vec(),
            previous: self.previous.map(Vec::from).unwrap_or_default(),
            app_hash: self.app_hash.clone(),
            next_validators_hash: self.next_validators_hash.to_vec(),
            next_validators: set.encode_to_vec(),
        }
        .encode_to_vec()
    }

    /// Reads the stored form. It is taken for verified: only what [`VerifiedHeader::encode`] gave belongs here.
    ///
    /// # Errors
    /// If the bytes are something else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DamagedHeader> {
        let damaged = |reason: String| DamagedHeader { reason };
        let stored = Stored::decode(bytes).map_err(|error| damaged(error.to_string()))?;
        let hash = |bytes: &[u8]| -> Result<[u8; 32], DamagedHeader> {
            bytes.try_into().map_err(|_| damaged(format!("a hash of {} bytes", bytes.len())))
        };
        let next_validators = <ValidatorSet as tendermint_proto::Protobuf<RawValidatorSet>>::decode_vec(
            &stored.next_validators,
        )
        .map_err(|error| damaged(error.to_string()))?;
        let next_validators_hash = hash(&stored.next_validators_hash)?;
        if next_validators.hash() != Hash::Sha256(next_validators_hash) {
            return Err(damaged("the validators are not those of their hash".to_owned()));
        }
        Ok(Self {
            height: stored.height,
            time: Time { seconds: stored.seconds, nanos: stored.nanos },
            hash: hash(&stored.hash)?,
            previous: match stored.previous.as_slice() {
                [] => None,
                bytes => Some(hash(bytes)?),
            },
            app_hash: stored.app_hash,
            next_validators_hash,
            next_validators,
        })
    }

    /// What a light block says, once somebody has verified it.
    pub(crate) fn of(decoded: Decoded) -> Result<Self, String> {
        let header = decoded.signed_header.header;
        let hash_of = |hash: Hash| -> Result<[u8; 32], String> {
            hash.as_bytes().try_into().map_err(|_| "it names an empty hash".to_owned())
        };
        Ok(Self {
            height: header.height.value(),
            time: Time::of_tendermint(header.time)?,
            hash: hash_of(header.hash())?,
            previous: header.last_block_id.map(|id| hash_of(id.hash)).transpose()?,
            app_hash: header.app_hash.as_bytes().to_vec(),
            next_validators_hash: hash_of(header.next_validators_hash)?,
            next_validators: decoded.next_validators,
        })
    }
}

#[derive(Clone, PartialEq, Message)]
struct Stored {
    #[prost(uint64, tag = "1")]
    height: u64,
    #[prost(uint64, tag = "2")]
    seconds: u64,
    #[prost(uint32, tag = "3")]
    nanos: u32,
    #[prost(bytes = "vec", tag = "4")]
    hash: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    previous: Vec<u8>,
    #[prost(bytes = "vec", tag = "6")]
    app_hash: Vec<u8>,
    #[prost(bytes = "vec", tag = "7")]
    next_validators_hash: Vec<u8>,
    #[prost(bytes = "vec", tag = "8")]
    next_validators: Vec<u8>,
}
