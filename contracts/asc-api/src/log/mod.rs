//! The audit log: dense entries, chained by hash, whose head is one state key.
//!
//! `hash(seq) = SHA-256("kms-asc-log-v1" || hash(seq-1) || entry bytes)`, `hash(0)` = 32 zero bytes.
//! An entry's bytes are compact JSON, hashed and stored as they are.

mod body;
mod party;

use cosmwasm_schema::cw_serde;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use body::LogBody;
pub use party::{PartyCredit, SignedReceipt};

use crate::{DecodeError, Digest, RequestId};

/// Domain separation of the chain of hashes.
pub const HASH_PREFIX: &[u8] = b"kms-asc-log-v1";

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Dense, from 1.
    pub seq: u64,
    /// Block height.
    pub height: u64,
    /// Block time, seconds.
    pub time: u64,
    /// The sender of the message; the contract itself in a reply.
    pub actor: String,
    /// The request that it is about.
    pub request_id: Option<RequestId>,
    /// What happened.
    pub body: LogBody,
}

#[derive(Serialize)]
struct EntryOut<'a> {
    v: u8,
    seq: u64,
    height: u64,
    time: u64,
    actor: &'a str,
    kind: &'static str,
    request_id: Option<RequestId>,
    body: &'a LogBody,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryIn {
    v: u8,
    seq: u64,
    height: u64,
    time: u64,
    actor: String,
    kind: String,
    request_id: Option<RequestId>,
    body: serde_json::Value,
}

impl LogEntry {
    /// The version that this code writes.
    pub const VERSION: u8 = 1;

    /// The entry's bytes: compact JSON `{"v","seq","height","time","actor","kind","request_id","body"}`.
    ///
    /// # Errors
    /// Never for values that this crate can express; the JSON library decides.
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        let out = EntryOut {
            v: Self::VERSION,
            seq: self.seq,
            height: self.height,
            time: self.time,
            actor: &self.actor,
            kind: self.body.kind(),
            request_id: self.request_id,
            body: &self.body,
        };
        serde_json::to_vec(&out).map_err(json_error)
    }

    /// Reads an entry's bytes.
    ///
    /// # Errors
    /// When the bytes are no entry, of another version, or of a kind that this version does not know.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let entry: EntryIn = serde_json::from_slice(bytes).map_err(json_error)?;
        if entry.v != Self::VERSION {
            return Err(DecodeError::Value { record: "log entry", field: "v", given: u64::from(entry.v) });
        }
        Ok(Self {
            seq: entry.seq,
            height: entry.height,
            time: entry.time,
            actor: entry.actor,
            request_id: entry.request_id,
            body: LogBody::parse(&entry.kind, entry.body)?,
        })
    }
}

fn json_error(error: serde_json::Error) -> DecodeError {
    DecodeError::Json { record: "log entry", reason: error.to_string() }
}

/// How long the log is and the hash that covers all of it.
#[cw_serde]
#[derive(Copy, Eq)]
pub struct LogHead {
    /// Number of entries; the newest one's `seq`.
    pub count: u64,
    /// Hash of the newest entry; zero if there is none.
    pub hash: Digest,
}

impl LogHead {
    /// The head of an empty log.
    pub const EMPTY: Self = Self { count: 0, hash: Digest::new([0; 32]) };
    /// Length of the stored form.
    pub const LEN: usize = 40;

    /// The head after one more entry; `None` if the count would overflow.
    #[must_use]
    pub fn extend(&self, entry: &[u8]) -> Option<Self> {
        let hash = Sha256::new()
            .chain_update(HASH_PREFIX)
            .chain_update(self.hash.as_bytes())
            .chain_update(entry)
            .finalize();
        Some(Self { count: self.count.checked_add(1)?, hash: Digest::new(hash.into()) })
    }

    /// The stored form under `log_head`: count (u64, big-endian) and hash.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut out = [0u8; Self::LEN];
        out[..8].copy_from_slice(&self.count.to_be_bytes());
        out[8..].copy_from_slice(self.hash.as_bytes());
        out
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the bytes have another length.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let wrong = || DecodeError::Length { record: "log_head", given: bytes.len(), allowed: "40" };
        let (count, hash) = bytes.split_first_chunk::<8>().ok_or_else(wrong)?;
        let hash = Digest::try_from(hash).map_err(|_| wrong())?;
        Ok(Self { count: u64::from_be_bytes(*count), hash })
    }
}

/// What is wrong with a run of log entries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// An entry is not where its number says.
    #[error("entry {given} stands at position {expected}")]
    Order {
        /// The number that belongs here.
        expected: u64,
        /// The number found.
        given: u64,
    },
    /// The entries lead to another head.
    #[error("the entries lead to {computed:?}, the contract's head is {given:?}")]
    Head {
        /// What the entries give.
        computed: LogHead,
        /// What the contract says.
        given: LogHead,
    },
    /// An entry cannot be read.
    #[error(transparent)]
    Entry(#[from] DecodeError),
}

/// Reads entries in order from an already verified head and checks numbers and hashes as they come.
#[derive(Debug, Clone)]
pub struct LogReader {
    head: LogHead,
}

impl LogReader {
    /// Starts behind `head`; with [`LogHead::EMPTY`] at the first entry.
    pub const fn after(head: LogHead) -> Self {
        Self { head }
    }

    /// The head of what was read so far.
    pub const fn head(&self) -> LogHead {
        self.head
    }

    /// Takes the next entry's bytes.
    ///
    /// # Errors
    /// When it cannot be read or is not the next one.
    pub fn push(&mut self, bytes: &[u8]) -> Result<LogEntry, LogError> {
        let entry = LogEntry::parse(bytes)?;
        let next = self.head.extend(bytes).ok_or(LogError::Order { expected: u64::MAX, given: entry.seq })?;
        if entry.seq != next.count {
            return Err(LogError::Order { expected: next.count, given: entry.seq });
        }
        self.head = next;
        Ok(entry)
    }

    /// Ends the reading: everything up to `head` must have been read.
    ///
    /// # Errors
    /// When the entries lead to another head.
    pub fn finish(&self, head: LogHead) -> Result<(), LogError> {
        if self.head == head {
            return Ok(());
        }
        Err(LogError::Head { computed: self.head, given: head })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64) -> LogEntry {
        LogEntry {
            seq,
            height: 12,
            time: 1_700_000_000,
            actor: "wasm1operator".into(),
            request_id: None,
            body: LogBody::Withdrawn {
                address: "wasm1operator".into(),
                to: "wasm1cold".into(),
                amount: 5u128.into(),
            },
        }
    }

    /// The worked example of docs/contract.md.
    #[test]
    fn the_worked_hash_of_the_documentation_holds() {
        let bytes = entry(1).encode().unwrap();
        assert_eq!(
            String::from_utf8(bytes.clone()).unwrap(),
            r#"{"v":1,"seq":1,"height":12,"time":1700000000,"actor":"wasm1operator","kind":"withdrawn","request_id":null,"body":{"address":"wasm1operator","to":"wasm1cold","amount":"5"}}"#
        );
        let head = LogHead::EMPTY.extend(&bytes).unwrap();
        let preimage = [HASH_PREFIX, &[0; 32], &bytes].concat();
        assert_eq!(head, LogHead { count: 1, hash: Digest::sha256(&preimage) });
        assert_eq!(head.hash.to_hex(), "0x11bcf93715ea2091afd8fa23152ed42da7da64c8becad2ba654ea19c680ba467");
        assert_eq!(LogHead::decode(&head.encode()).unwrap(), head);
        assert_eq!(head.encode()[..8], [0, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn a_changed_missing_or_moved_entry_is_found() {
        let entries: Vec<_> = (1..=3).map(|seq| entry(seq).encode().unwrap()).collect();
        let head = entries.iter().fold(LogHead::EMPTY, |head, bytes| head.extend(bytes).unwrap());
        let read = |entries: &[Vec<u8>]| -> Result<(), LogError> {
            let mut reader = LogReader::after(LogHead::EMPTY);
            entries.iter().try_for_each(|bytes| reader.push(bytes).map(drop))?;
            reader.finish(head)
        };
        read(&entries).unwrap();
        let mut changed = entry(2);
        changed.time += 1;
        let changed = [entries[0].clone(), changed.encode().unwrap(), entries[2].clone()];
        assert!(matches!(read(&changed), Err(LogError::Head { .. })));
        assert!(matches!(read(&entries[..2]), Err(LogError::Head { .. })));
        let moved = [entries[1].clone(), entries[0].clone(), entries[2].clone()];
        assert_eq!(read(&moved), Err(LogError::Order { expected: 1, given: 2 }));
    }

    #[test]
    fn an_entry_of_an_unknown_kind_or_version_is_refused() {
        let json = String::from_utf8(entry(1).encode().unwrap()).unwrap();
        assert_eq!(LogEntry::parse(json.as_bytes()).unwrap(), entry(1));
        assert!(LogEntry::parse(json.replace("\"withdrawn\"", "\"minted\"").as_bytes()).is_err());
        assert!(LogEntry::parse(json.replace("\"v\":1", "\"v\":2").as_bytes()).is_err());
    }
}
