use kms_asc_api::RequestId;
use kms_chain::SignedTx;
use redb::TableDefinition;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::InboxError;

/// `cursor`: the height up to which blocks were read; `probe`: how often the disk was tried.
pub(super) const NUMBER: TableDefinition<&str, u64> = TableDefinition::new("number");
/// `serves`: whom the file belongs to; `format`: the layout of the file.
pub(super) const TEXT: TableDefinition<&str, &str> = TableDefinition::new("text");
/// Rows by request: JSON of [`Row`](crate::machine::Row).
pub(super) const ROW: TableDefinition<u64, &[u8]> = TableDefinition::new("row");
/// Every row once, as (stage, not before, request): the order in which it is worked on.
pub(super) const QUEUE: TableDefinition<(u8, u64, u64), ()> = TableDefinition::new("queue");
/// What the core signed, by request: JSON of [`Item`](crate::item::Item).
pub(super) const ANSWER: TableDefinition<u64, &[u8]> = TableDefinition::new("answer");
/// Transactions under way, by hash: JSON of [`StoredTx`].
pub(super) const TX: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("tx");
/// Keys to be destroyed, by id: nothing until the core attests it, then JSON of
/// [`Attestation`](super::Attestation).
pub(super) const DESTRUCTION: TableDefinition<u64, Option<&[u8]>> = TableDefinition::new("destruction");

pub(super) const CURSOR: &str = "cursor";
pub(super) const PROBE: &str = "probe";
pub(super) const SERVES: &str = "serves";
pub(super) const FORMAT: &str = "format";
pub(super) const FORMAT_VERSION: &str = "1";

/// A signed transaction and the requests that it answers, in the order of its items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredTx {
    /// The transaction.
    pub tx: SignedTx,
    /// The requests.
    pub requests: Vec<RequestId>,
}

pub(super) fn encode<T: Serialize>(record: &'static str, value: &T) -> Result<Vec<u8>, InboxError> {
    serde_json::to_vec(value).map_err(|error| InboxError::damaged(record, &error))
}

pub(super) fn decode<T: DeserializeOwned>(record: &'static str, bytes: &[u8]) -> Result<T, InboxError> {
    serde_json::from_slice(bytes).map_err(|error| InboxError::damaged(record, &error))
}
