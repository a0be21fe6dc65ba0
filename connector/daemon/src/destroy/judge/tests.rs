use kms_asc_api::{
    Eip712Domain, EpochMode, EvmAddress, KeyId, KeyParams, KeyRecord, KeyState, Party, PublicKey,
};

use super::*;

const US: Operator = Operator { epoch: EpochId(2), party: PartyId(1) };
/// Secrets of the core's signer and of somebody else's.
const OURS: [u8; 32] = [7; 32];
const THEIRS: [u8; 32] = [8; 32];

/// Key 3 of our epoch, destroyed.
fn key() -> StoredKey {
    let record = KeyRecord {
        id: KeyId(3),
        state: KeyState::Destroyed,
        epoch: US.epoch,
        owner: "wasm1user".into(),
        generation: 1,
        params: KeyParams::Test,
        imported: false,
        digests: Vec::new(),
        domain: Eip712Domain {
            name: "d".into(),
            version: "1".into(),
            chain_id: 1,
            verifying_contract: EvmAddress::new([1; 20]),
            salt: None,
        },
        attesters: Vec::new(),
        attester_threshold: 0,
        crs_ids: Vec::new(),
        offered_to: None,
        height: 5,
        time: 100,
    };
    StoredKey { hash: Digest::sha256(b"record"), record }
}

fn subject(key: &StoredKey) -> Subject<'_> {
    Subject { chain_id: "kms-local", contract: "wasm1asc", key }
}

fn sign(secret: [u8; 32], hash: &Digest) -> Signature {
    signing::sign(&secret.as_slice().try_into().unwrap(), hash).unwrap()
}

fn public_key(secret: [u8; 32]) -> PublicKey {
    let hash = Digest::sha256(b"any");
    signing::recover(&hash, &sign(secret, &hash)).unwrap()
}

/// The record of an epoch whose party 1 is ours, and party 2 is not.
fn epoch(id: EpochId) -> Epoch {
    let party = |party, secret| Party {
        party: PartyId(party),
        name: "operator".into(),
        signer: public_key(secret),
        payout: "wasm1payout".into(),
    };
    let parties = vec![party(1, OURS), party(2, THEIRS)];
    Epoch {
        id,
        mode: EpochMode::Replicated,
        faulty: 0,
        majority: 2,
        reconstruction: 1,
        parties,
        revoked_at: None,
    }
}

/// What the core says when all is well, before it signs.
fn statement() -> KeyDestruction<'static> {
    KeyDestruction {
        chain_id: "kms-local",
        contract: "wasm1asc",
        key_id: KeyId(3),
        record_hash: Digest::sha256(b"record"),
        epoch: US.epoch,
        party: US.party,
        time: 77,
        held: true,
    }
}

fn signed(statement: &KeyDestruction<'_>, secret: [u8; 32]) -> v1::KeyDestruction {
    v1::KeyDestruction {
        key_id: statement.key_id.get(),
        record_hash: statement.record_hash.as_bytes().to_vec(),
        epoch: statement.epoch.get(),
        party: statement.party.get(),
        time: statement.time,
        held: statement.held,
        signature: sign(secret, &statement.signing_hash()).as_bytes().to_vec(),
    }
}

/// Judges a word on the key by the operator that it names, who is on record in epochs 1 and 2.
fn judge(word: v1::KeyDestruction) -> Result<Attestation, ItemError> {
    let key = key();
    let attestation = subject(&key).take_over(word)?;
    let named = Operator { epoch: EpochId(attestation.epoch), party: PartyId(attestation.party) };
    let on_record = [1, 2].contains(&attestation.epoch).then(|| epoch(named.epoch));
    subject(&key).check_signer(&attestation, named, on_record.as_ref())?;
    Ok(attestation)
}

/// The field for which a word is refused.
fn refused(word: v1::KeyDestruction) -> &'static str {
    match judge(word).unwrap_err() {
        ItemError::Foreign { field, .. } | ItemError::Form { field, .. } => field,
    }
}

#[test]
fn a_word_signed_by_the_operator_on_record_is_taken_over_whole() {
    let word = signed(&statement(), OURS);
    let signature = Signature::try_from(word.signature.as_slice()).unwrap();
    let expected = Attestation {
        record_hash: Digest::sha256(b"record"),
        epoch: 2,
        party: 1,
        time: 77,
        held: true,
        signature,
    };
    assert_eq!(judge(word), Ok(expected));
}

#[test]
fn a_word_on_another_key_or_record_is_refused_however_well_it_is_signed() {
    let other_key = KeyDestruction { key_id: KeyId(4), ..statement() };
    assert_eq!(refused(signed(&other_key, OURS)), "key id");
    let other_record = KeyDestruction { record_hash: Digest::sha256(b"other"), ..statement() };
    assert_eq!(refused(signed(&other_record, OURS)), "record hash");
}

#[test]
fn a_core_may_speak_as_what_it_was_in_an_earlier_epoch_and_not_in_a_later_one() {
    let earlier = KeyDestruction { epoch: EpochId(1), ..statement() };
    assert_eq!(judge(signed(&earlier, OURS)).map(|attestation| attestation.epoch), Ok(1));
    let later = KeyDestruction { epoch: EpochId(3), ..statement() };
    assert_eq!(refused(signed(&later, OURS)), "epoch");
    let unknown = KeyDestruction { epoch: EpochId(0), ..statement() };
    assert_eq!(refused(signed(&unknown, OURS)), "party");
}

#[test]
fn what_was_changed_after_it_was_signed_is_refused() {
    let good = signed(&statement(), OURS);
    for changed in [
        v1::KeyDestruction { epoch: 1, ..good.clone() },
        v1::KeyDestruction { time: 78, ..good.clone() },
        v1::KeyDestruction { held: false, ..good.clone() },
        v1::KeyDestruction { party: 2, ..good },
    ] {
        // A signature gives some key for nearly every hash: another one, here or there none.
        assert!(["signer", "signature"].contains(&refused(changed)));
    }
}

#[test]
fn a_signature_with_a_flipped_bit_is_refused_wherever_the_bit_is() {
    let good = signed(&statement(), OURS);
    for at in [0, 31, 32, 63, 64] {
        let mut flipped = good.clone();
        flipped.signature[at] ^= 1;
        assert!(["signer", "signature"].contains(&refused(flipped)), "byte {at}");
    }
    for length in [0, 64, 66] {
        let mut cut = good.clone();
        cut.signature.resize(length, 0);
        assert_eq!(refused(cut), "signature", "{length} bytes");
    }
}

#[test]
fn a_word_for_another_chain_or_contract_is_refused() {
    let other_chain = KeyDestruction { chain_id: "kms-other", ..statement() };
    assert_eq!(refused(signed(&other_chain, OURS)), "signer");
    let other_contract = KeyDestruction { contract: "wasm1other", ..statement() };
    assert_eq!(refused(signed(&other_contract, OURS)), "signer");
}

#[test]
fn a_signer_who_is_not_on_record_for_that_party_is_refused_and_both_are_named() {
    let error = judge(signed(&statement(), THEIRS)).unwrap_err();
    let ItemError::Foreign { field, given, expected } = &error else { panic!("{error}") };
    assert_eq!(*field, "signer");
    assert_eq!([given, expected], [&public_key(THEIRS).to_string(), &public_key(OURS).to_string()]);
}

#[test]
fn a_word_of_another_operator_is_none_of_ours_though_it_is_signed_by_him() {
    let theirs = KeyDestruction { party: PartyId(2), ..statement() };
    let key = key();
    let attestation = judge(signed(&theirs, THEIRS)).unwrap();
    let error = subject(&key).check_signer(&attestation, US, Some(&epoch(US.epoch))).unwrap_err();
    assert!(matches!(error, ItemError::Foreign { field: "signer", .. }), "{error}");
}
