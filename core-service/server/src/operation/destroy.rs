//! Destruction of a key that its owner has destroyed on record.
//!
//! The attestation is on disk before the key goes, and leaves when the key is gone: a crash in between is finished at the
//! next start or call. Asked again, the same attestation is given.

use kms_asc_api::{Digest, KeyRecord, KeyType, eip712::KeyDestruction};
use kms_core_engine::Engine;

use super::Workshop;
use crate::{
    Error, Identity, Membership, Signer, destroyed::Tombstone, request::seconds_now, vault::HeldKey,
};

/// Destroys the secret parts of a key whose record says `destroyed`. Waits for the disk.
pub(crate) fn destroy<E: Engine>(
    shop: &Workshop<E>,
    signer: &Signer,
    key: &KeyRecord,
    record_hash: Digest,
) -> Result<Tombstone, Error> {
    let _one_at_a_time = shop.destroyed.lock();
    let key_id = key.id.get();
    let tombstone = match shop.destroyed.get(key_id) {
        Some(known) => known,
        None => {
            let held = shop.vault.get(key_id);
            let attested = attest(&shop.identity, signer, key, record_hash, held.as_deref());
            // That nothing can be said of a key is no reason to keep it.
            let tombstone = attested.or_else(|error| erase(shop, key).and(Err(error)))?;
            let kept = shop.destroyed.keep(tombstone.clone());
            kept.map_err(|error| Error::internal("recording a destruction", &error))?;
            tombstone
        }
    };
    erase(shop, key)?;
    tracing::warn!(key_id, held = tombstone.held, "the secret parts of a key are destroyed");
    Ok(tombstone)
}

/// Removes whatever there is of a key.
fn erase<E: Engine>(shop: &Workshop<E>, key: &KeyRecord) -> Result<(), Error> {
    let removed = shop.vault.remove(key.id.get()).and_then(|_| shop.vault.unstage(key.id.get()));
    removed.map_err(|error| Error::internal("removing a key", &error))?;
    for part in key.digests.iter().filter(|part| part.key_type == KeyType::Public) {
        shop.verifiers.forget(|parts| parts.public_key == part.digest);
    }
    Ok(())
}

fn attest<K>(
    identity: &Identity,
    signer: &Signer,
    key: &KeyRecord,
    record_hash: Digest,
    held: Option<&HeldKey<K>>,
) -> Result<Tombstone, Error> {
    let Membership { epoch, party, .. } = *membership(identity, key, held)?;
    let destruction = KeyDestruction {
        chain_id: &identity.chain_id,
        contract: &identity.contract,
        key_id: key.id,
        record_hash,
        epoch,
        party,
        time: seconds_now(),
        held: held.is_some(),
    };
    let signature = signer
        .sign(&destruction.signing_hash())
        .map_err(|error| Error::internal("signing a destruction", &error))?;
    let time = destruction.time;
    let held = destruction.held;
    Ok(Tombstone { key_id: key.id, record_hash, epoch, party, time, held, signature })
}

/// What this core is in the epoch that held the key; if it is nothing there and has the key from an earlier one, what it
/// is in that.
fn membership<'a, K>(
    identity: &'a Identity,
    key: &KeyRecord,
    held: Option<&HeldKey<K>>,
) -> Result<&'a Membership, Error> {
    let made_in = held.map(|held| kms_asc_api::EpochId(held.record.epoch));
    let epochs = [Some(key.epoch), made_in];
    epochs.into_iter().flatten().find_map(|epoch| identity.membership(epoch)).ok_or_else(|| {
        Error::WrongEpoch {
            given: Some(key.epoch.get()),
            served: identity.memberships.iter().map(|own| own.epoch.get()).collect(),
        }
    })
}
