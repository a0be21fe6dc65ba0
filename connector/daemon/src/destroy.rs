//! Having the core destroy keys whose record says so: an event is a hint, the record is the truth. A key counts as
//! destroyed when the core attests it under the key that the contract has on record for it.

mod judge;

use std::{sync::Arc, time::Duration};

use kms_asc_api::{EpochId, KeyId, KeyState, PartyId};
use kms_core_proto::v1;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    core::Core,
    evidence::{Evidence, EvidenceError},
    inbox::{Attestation, Inbox, InboxError},
    item::ItemError,
    ledger::{Ledger, LedgerError, StoredKey},
    machine::Operator,
};

use judge::Subject;

/// The task that has keys destroyed, each until the core attests it.
#[derive(Debug)]
pub struct Destroyer<L> {
    /// Id of the contract's chain.
    pub chain_id: String,
    /// The contract's address.
    pub contract: String,
    /// The contract.
    pub ledger: Arc<L>,
    /// The core.
    pub core: Core,
    /// What shows the core that it must.
    pub evidence: Arc<Evidence<L>>,
    /// What is to be done, and what was.
    pub inbox: Inbox,
    /// Whom the daemon serves.
    pub operator: Operator,
    /// How often records are read, whatever the events said, and what failed is tried again.
    pub every: Duration,
}

/// Why the destruction of a key is not attested yet.
#[derive(Debug, thiserror::Error)]
enum NotYet {
    #[error(transparent)]
    Inbox(#[from] InboxError),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

impl<L: Ledger> Destroyer<L> {
    /// Works until it is told to stop.
    ///
    /// # Errors
    /// When the inbox fails.
    pub async fn run(self, stop: CancellationToken) -> Result<(), InboxError> {
        let mut all_were_read = false;
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                done = self.round(&mut all_were_read) => done?,
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.inbox.destructions_came() => {}
                () = sleep(self.every) => {}
            }
        }
        Ok(())
    }

    /// Reads what is to be done from state, and does it.
    async fn round(&self, all_were_read: &mut bool) -> Result<(), InboxError> {
        match self.read(*all_were_read).await {
            Ok(()) => *all_were_read = true,
            Err(NotYet::Inbox(error)) => return Err(error),
            Err(NotYet::Evidence(error)) => {
                tracing::debug!(code = error.code(), %error, "records of keys cannot be read now");
            }
        }
        for key in self.inbox.destructions()? {
            match self.destroy(key).await {
                Ok(()) => {}
                Err(NotYet::Inbox(error)) => return Err(error),
                Err(NotYet::Evidence(error)) => {
                    tracing::error!(%key, code = error.code(), %error, "a destruction is not attested yet");
                }
            }
        }
        Ok(())
    }

    /// Notes keys that are to be destroyed: at the start of all that this operator's epoch holds, afterwards of those
    /// that its core still holds.
    async fn read(&self, all_were_read: bool) -> Result<(), NotYet> {
        let destroyed = if all_were_read { self.among_the_held().await? } else { self.among_all().await? };
        if !destroyed.is_empty() {
            self.inbox.want_destruction(destroyed).await?;
        }
        Ok(())
    }

    async fn among_all(&self) -> Result<Vec<KeyId>, EvidenceError> {
        let (mut destroyed, mut after) = (Vec::new(), None);
        loop {
            let page = self.ledger.keys(after).await?;
            let ours = page
                .items
                .iter()
                .filter(|record| record.state == KeyState::Destroyed && record.epoch == self.operator.epoch);
            destroyed.extend(ours.map(|record| record.id));
            match page.next {
                Some(next) if after.is_none_or(|after| next > after) => after = Some(next),
                _ => return Ok(destroyed),
            }
        }
    }

    async fn among_the_held(&self) -> Result<Vec<KeyId>, EvidenceError> {
        let mut destroyed = Vec::new();
        for key in self.core.keys().await? {
            if self.destroyed(key).await?.is_some() {
                destroyed.push(key);
            }
        }
        Ok(destroyed)
    }

    /// The record of a key, if it says that the key is destroyed.
    async fn destroyed(&self, key: KeyId) -> Result<Option<StoredKey>, LedgerError> {
        let stored = self.ledger.key(key).await?;
        Ok(stored.filter(|stored| stored.record.state == KeyState::Destroyed))
    }

    async fn destroy(&self, key: KeyId) -> Result<(), NotYet> {
        let Some(stored) = self.destroyed(key).await.map_err(EvidenceError::from)? else {
            tracing::warn!(%key, "an event says that the key is destroyed, its record does not");
            return Ok(());
        };
        // Read after the record: its state is not newer than this.
        let height = self.ledger.head().await.map_err(EvidenceError::from)?.height;
        let ask = |proof| self.core.destroy_key(key, proof);
        let word = self.evidence.for_destruction((key, stored.record.epoch), height, ask).await?;
        let attestation = self.judged(&stored, word).await?;
        let (time, held, signature) = (attestation.time, attestation.held, attestation.signature);
        tracing::info!(%key, time, held, %signature, "the core has destroyed the key and attests it");
        self.inbox.attested(key, &attestation).await?;
        Ok(())
    }

    /// The core's word, if it is one on this key and by this operator's core.
    ///
    /// Judged after the core was asked: a node that does not show who should sign keeps no key alive.
    async fn judged(&self, key: &StoredKey, word: v1::KeyDestruction) -> Result<Attestation, EvidenceError> {
        let refused = |error: ItemError| EvidenceError::Core(error.into());
        let subject = Subject { chain_id: &self.chain_id, contract: &self.contract, key };
        let attestation = subject.take_over(word).map_err(refused)?;
        let named = Operator { epoch: EpochId(attestation.epoch), party: PartyId(attestation.party) };
        // The word may be that of an earlier epoch, but of no other core.
        for operator in [named, self.operator] {
            let epoch = self.ledger.epoch(operator.epoch).await?;
            subject.check_signer(&attestation, operator, epoch.as_ref()).map_err(refused)?;
        }
        Ok(attestation)
    }
}
