//! The caller's proof, as types of the verifier.

use kms_core_proto::v1;
use kms_proofs::{LightBlock, StateEntry, StateProof};

use super::{MAX_ENTRIES, MAX_LIGHT_BLOCKS, Refusal};

pub(super) fn state_proof(proof: Option<v1::Proof>) -> Result<StateProof, Refusal> {
    let proof = proof.ok_or_else(|| malformed("no proof given".to_owned()))?;
    if proof.height == 0 || proof.height >= u64::MAX / 2 {
        return Err(malformed(format!("height {} given, no block has it", proof.height)));
    }
    let entries = proof.entries.len();
    if entries > MAX_ENTRIES {
        return Err(malformed(format!("{entries} entries given, {MAX_ENTRIES} allowed")));
    }
    Ok(StateProof {
        height: proof.height,
        light_blocks: light_blocks(proof.light_blocks)?,
        store_proof: proof.store_proof,
        entries: proof.entries.into_iter().map(entry).collect(),
    })
}

pub(super) fn light_blocks(blocks: Vec<v1::LightBlock>) -> Result<Vec<LightBlock>, Refusal> {
    let given = blocks.len();
    if given > MAX_LIGHT_BLOCKS {
        return Err(malformed(format!("{given} light blocks given, {MAX_LIGHT_BLOCKS} allowed")));
    }
    Ok(blocks.into_iter().map(light_block).collect())
}

fn light_block(block: v1::LightBlock) -> LightBlock {
    let v1::LightBlock { signed_header, validators, next_validators } = block;
    LightBlock { signed_header, validators, next_validators }
}

fn entry(entry: v1::StateEntry) -> StateEntry {
    let v1::StateEntry { key, value, proof } = entry;
    StateEntry { key, value, proof }
}

fn malformed(reason: String) -> Refusal {
    Refusal::Malformed { reason }
}
