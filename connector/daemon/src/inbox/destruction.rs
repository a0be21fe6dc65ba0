//! Keys that the core has to destroy, and its word that it did.

use kms_asc_api::{Digest, KeyId, Signature};
use redb::{ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::{
    Inbox, InboxError,
    tables::{DESTRUCTION, decode, encode},
};

/// The core's signed word that it destroyed a key; what it signs is in the core's interface. JSON in the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// SHA-256 of the key's record as it stood in the contract's state.
    pub record_hash: Digest,
    /// The epoch that held the key.
    pub epoch: u32,
    /// The core's party in it.
    pub party: u32,
    /// When, in seconds by the core's clock.
    pub time: u64,
    /// Whether the core held the key at all.
    pub held: bool,
    /// Of the core's signer.
    pub signature: Signature,
}

impl Inbox {
    /// Notes that these keys have to be destroyed, each once.
    pub async fn want_destruction(&self, keys: Vec<KeyId>) -> Result<(), InboxError> {
        let note = move |transaction: &WriteTransaction| {
            let mut table = transaction.open_table(DESTRUCTION)?;
            let mut new = false;
            for key in keys {
                if table.get(key.get())?.is_none() {
                    table.insert(key.get(), None)?;
                    new = true;
                }
            }
            Ok(new)
        };
        if self.writing_unnoticed(note).await? {
            self.shared.destructions.notify_one();
        }
        Ok(())
    }

    /// Returns when there may be keys to destroy.
    pub async fn destructions_came(&self) {
        self.shared.destructions.notified().await;
    }

    /// Keys whose destruction is not attested, ascending.
    pub fn destructions(&self) -> Result<Vec<KeyId>, InboxError> {
        let table = self.reading()?.open_table(DESTRUCTION)?;
        let mut wanted = Vec::new();
        for entry in table.iter()? {
            let (key, attestation) = entry?;
            if attestation.value().is_none() {
                wanted.push(KeyId(key.value()));
            }
        }
        Ok(wanted)
    }

    /// Keeps the core's word.
    pub async fn attested(&self, key: KeyId, attestation: &Attestation) -> Result<(), InboxError> {
        let bytes = encode("attestation", attestation)?;
        self.writing_unnoticed(move |transaction| {
            transaction.open_table(DESTRUCTION)?.insert(key.get(), Some(bytes.as_slice()))?;
            Ok(())
        })
        .await
    }

    /// The core's word, if it gave it.
    pub fn attestation(&self, key: KeyId) -> Result<Option<Attestation>, InboxError> {
        let found = self.reading()?.open_table(DESTRUCTION)?.get(key.get())?;
        let bytes = found.as_ref().and_then(|found| found.value());
        bytes.map(|bytes| decode("attestation", bytes)).transpose()
    }
}
