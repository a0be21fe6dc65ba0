//! The layout against one written by hand, and what is not it.

use cosmwasm_std::Binary;

use super::*;
use crate::{CiphertextFormat, EpochId, EvmAddress, KeyId, Party, Provenance, Signature};

fn wire(plaintext: usize) -> Vec<u8> {
    let body = plaintext + 164;
    let len = u64::try_from(body).unwrap().to_le_bytes();
    [&[1; 12][..], &768u64.to_le_bytes(), &[2; 768], &len, &vec![3; body]].concat()
}

fn handle(number: u8) -> Handle {
    Handle::new([number; 32])
}

fn payload<'a>(wires: &'a [Vec<u8>; 2]) -> UserPayload<'a> {
    UserPayload {
        verification_key: PublicKey::new([2; 33]),
        link: Digest::new([4; 32]),
        items: vec![
            UserItem { fhe_type: FheType::Uint64, wire: &wires[0], handle: handle(5), packing_factor: 1 },
            UserItem { fhe_type: FheType::Bool, wire: &wires[1], handle: handle(6), packing_factor: 1 },
        ],
        party_id: 1,
        degree: 0,
    }
}

fn request() -> UserDecrypt {
    let ciphertext = |number, fhe_type| Ciphertext {
        handle: handle(number),
        digest: Digest::new([number; 32]),
        size: 1,
        fhe_type,
        format: CiphertextFormat::Raw,
        index: 0,
        provenance: Provenance::Unproven,
    };
    UserDecrypt {
        key_id: KeyId(1),
        ciphertexts: vec![ciphertext(5, FheType::Uint64), ciphertext(6, FheType::Bool)],
        enc_key: Binary::default(),
        user: EvmAddress::ZERO,
        contracts: vec![],
        valid_from: 0,
        valid_days: 1,
        user_signature: Signature::new([0; 65]),
        domain: None,
        extra_data: Binary::default(),
    }
}

fn epoch(mode: EpochMode) -> Epoch {
    let party = |number: u32| Party {
        party: PartyId(number),
        name: number.to_string(),
        signer: PublicKey::new([u8::try_from(number).unwrap() + 1; 33]),
        payout: String::new(),
    };
    let parties = (1..=4).map(party).collect();
    Epoch { id: EpochId(1), mode, faulty: 1, majority: 3, reconstruction: 3, parties, revoked_at: None }
}

#[test]
fn the_layout_is_the_one_that_clients_read() {
    let wires = [wire(8), wire(1)];
    let bytes = payload(&wires).encode();
    let u64 = |value: u64| value.to_le_bytes().to_vec();
    let u32 = |value: u32| value.to_le_bytes().to_vec();
    let expected = [
        [u64(41), u64(33), vec![2; 33], u64(32), vec![4; 32], u64(2)].concat(),
        [u32(5), u64(968), wires[0].clone(), u64(32), vec![5; 32], u32(1)].concat(),
        [u32(0), u64(961), wires[1].clone(), u64(32), vec![6; 32], u32(1)].concat(),
        [u32(1), u32(0)].concat(),
    ];
    assert_eq!(bytes, expected.concat());
    assert_eq!(UserPayload::decode(&bytes).unwrap(), payload(&wires));
    assert_eq!(bytes.len(), user_decrypt_len(&request().ciphertexts, EpochMode::Centralized));
}

/// Nothing is tolerated: bytes that decode are the bytes that their value encodes to.
#[test]
fn no_two_payloads_mean_the_same_and_no_length_may_lie() {
    let wires = [wire(8), wire(1)];
    let bytes = payload(&wires).encode();
    for cut in 0..bytes.len() {
        assert!(UserPayload::decode(&bytes[..cut]).is_err(), "{cut} bytes");
    }
    assert!(UserPayload::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
    for at in 0..bytes.len() {
        for bit in [0x01, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            if let Ok(decoded) = UserPayload::decode(&changed) {
                assert_eq!(decoded.encode(), changed, "byte {at}");
                assert_ne!(decoded, payload(&wires), "byte {at}");
            }
        }
    }
    let huge = [&bytes[..89], &u64::MAX.to_le_bytes(), &bytes[97..]].concat();
    assert!(UserPayload::decode(&huge).is_err());
}

#[test]
fn a_signcryption_of_nothing_or_with_other_lengths_is_none() {
    assert!(wire_is_framed(&wire(1)));
    assert!(!wire_is_framed(&wire(0)));
    assert!(!wire_is_framed(&[]));
    for at in [12, 788] {
        let mut changed = wire(8);
        changed[at] ^= 1;
        assert!(!wire_is_framed(&changed), "byte {at}");
    }
}

#[test]
fn a_whole_answer_is_checked_in_every_field() {
    let (wires, link) = ([wire(8), wire(1)], Digest::new([4; 32]));
    let central = epoch(EpochMode::Centralized);
    let check = |payload: &UserPayload<'_>| payload.check(&request(), &link, &central, PartyId(1));
    assert_eq!(check(&payload(&wires)), Ok(()));
    let (longer, one) = (wire(9), payload(&wires).items[0]);
    let mut changes: Vec<UserPayload<'_>> = vec![
        UserPayload { verification_key: PublicKey::new([3; 33]), ..payload(&wires) },
        UserPayload { link: Digest::new([5; 32]), ..payload(&wires) },
        UserPayload { party_id: 2, ..payload(&wires) },
        UserPayload { degree: 1, ..payload(&wires) },
        UserPayload { items: vec![one], ..payload(&wires) },
        UserPayload { items: vec![], ..payload(&wires) },
    ];
    for item in [
        UserItem { fhe_type: FheType::Uint32, ..one },
        UserItem { handle: handle(6), ..one },
        UserItem { packing_factor: 0, ..one },
        UserItem { packing_factor: 2, ..one },
        UserItem { wire: &longer, ..one },
    ] {
        changes.push(UserPayload { items: vec![item, payload(&wires).items[1]], ..payload(&wires) });
    }
    let swapped = payload(&wires).items.into_iter().rev().collect();
    changes.push(UserPayload { items: swapped, ..payload(&wires) });
    for changed in changes {
        assert!(check(&changed).is_err(), "{changed:?}");
    }
    assert!(payload(&wires).check(&request(), &link, &central, PartyId(9)).is_err());
}

#[test]
fn a_share_names_its_party_and_degree_and_may_be_packed() {
    let (wires, link, threshold) = ([wire(520), wire(72)], Digest::new([4; 32]), epoch(EpochMode::Threshold));
    let mut share =
        UserPayload { verification_key: PublicKey::new([4; 33]), party_id: 3, degree: 1, ..payload(&wires) };
    assert_eq!(share.encode().len(), user_decrypt_len(&request().ciphertexts, EpochMode::Threshold));
    for (packing_factor, good) in [(1, true), (2, true), (0, false), (3, false)] {
        share.items[1].packing_factor = packing_factor;
        assert_eq!(share.check(&request(), &link, &threshold, PartyId(3)).is_ok(), good);
    }
    share.items[1].packing_factor = 1;
    for (party_id, degree) in [(1, 0), (1, 1), (3, 0), (3, 2)] {
        let other = UserPayload { party_id, degree, ..share.clone() };
        assert!(other.check(&request(), &link, &threshold, PartyId(3)).is_err());
    }
    assert!(share.check(&request(), &link, &threshold, PartyId(2)).is_err());
    assert!(share.check(&request(), &link, &epoch(EpochMode::Replicated), PartyId(3)).is_err());
}
