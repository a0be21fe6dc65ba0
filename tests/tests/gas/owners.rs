//! What owners of keys, and requesters, say of what is theirs.

use anyhow::Result;
use kms_asc_api::{EvmAddress, ExecuteMsg, KeyState};

use crate::scene::{Notes, Stage, public_decrypt};

/// Every message of a key's owner, on a key that nothing else uses.
pub async fn keys(stage: &Stage, notes: &mut Notes) -> Result<()> {
    let bench = &stage.bench;
    let (key_id, grantee) = (bench.key().await?, bench.stranger.address().to_owned());
    let attesters = (1..=3).map(|number| EvmAddress::new([number; 20])).collect();
    for message in [
        ExecuteMsg::Grant { key_id, grantee: grantee.clone(), until: None },
        ExecuteMsg::Revoke { key_id, grantee: grantee.clone() },
        ExecuteMsg::SetAttesters { key_id, attesters, threshold: 2 },
        ExecuteMsg::SetKeyState { key_id, state: KeyState::Suspended },
        ExecuteMsg::OfferKey { key_id, to: grantee },
    ] {
        notes.note(message.name(), bench.execute(&bench.owner, &message, 0).await?.gas);
    }
    let accept = ExecuteMsg::AcceptKey { key_id };
    notes.note(accept.name(), bench.execute(&bench.stranger, &accept, 0).await?.gas);
    Ok(())
}

/// A request taken back.
pub async fn cancelled(stage: &Stage, notes: &mut Notes) -> Result<()> {
    let Stage { bench, key } = stage;
    let (request_id, _) = bench.submit(&bench.owner, public_decrypt(*key, 1), None).await?;
    let cancel = ExecuteMsg::Cancel { request_id };
    notes.note(cancel.name(), bench.execute(&bench.owner, &cancel, 0).await?.gas);
    Ok(())
}
