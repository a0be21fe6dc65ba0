//! Hashes against the standard, spelled out.

use super::*;
use alloy_primitives::keccak256;

use crate::{Ciphertext, CiphertextFormat, FheType, KeyId, Provenance, Signature};

/// What is hashed by hand, as the library reads it.
mod library {
    #![allow(missing_docs, clippy::as_conversions)]
    alloy_sol_types::sol! {
        struct Answer {
            string chainId;
            string contract;
            uint64 requestId;
            bytes32 requestHash;
            uint32 epoch;
            uint32 party;
            uint32 outcome;
            bytes32 payloadDigest;
        }
        struct PublicDecryptVerification {
            bytes32[] ctHandles;
            bytes decryptedResult;
            bytes extraData;
        }
        struct UserDecryptRequestVerification {
            bytes publicKey;
            address[] contractAddresses;
            uint256 startTimestamp;
            uint256 durationDays;
            bytes extraData;
        }
        struct UserDecryptionLinker {
            bytes publicKey;
            bytes32[] handles;
            address userAddress;
        }
        struct UserDecryptResponseVerification {
            bytes publicKey;
            bytes32[] ctHandles;
            bytes userDecryptedShare;
            bytes extraData;
        }
    }
}

fn domain() -> Eip712Domain {
    Eip712Domain {
        name: "Decryption".into(),
        version: "1".into(),
        chain_id: 9000,
        verifying_contract: EvmAddress::new([0x11; 20]),
        salt: None,
    }
}

/// A 32-byte big-endian word.
fn word(value: u64) -> [u8; 32] {
    U256::from(value).to_be_bytes()
}

#[test]
fn type_strings_are_the_fixed_ones() {
    assert_eq!(
        library::Answer::eip712_encode_type(),
        "Answer(string chainId,string contract,uint64 requestId,bytes32 requestHash,uint32 epoch,uint32 party,uint32 outcome,bytes32 payloadDigest)"
    );
    assert_eq!(
        library::PublicDecryptVerification::eip712_encode_type(),
        "PublicDecryptVerification(bytes32[] ctHandles,bytes decryptedResult,bytes extraData)"
    );
    assert_eq!(
        sol::KeygenVerification::eip712_encode_type(),
        "KeygenVerification(uint256 prepKeygenId,uint256 keyId,KeyDigest[] keyDigests,bytes extraData)KeyDigest(uint8 keyType,bytes digest)"
    );
    assert_eq!(
        sol::Attestation::eip712_encode_type(),
        "Attestation(string chainId,string asc,uint64 keyId,bytes32 handle,bytes32 digest,uint64 size,uint8 format,uint16 index,uint8 fheType,address user,address contractAddress,uint64 validUntil)"
    );
    assert_eq!(
        library::UserDecryptRequestVerification::eip712_encode_type(),
        "UserDecryptRequestVerification(bytes publicKey,address[] contractAddresses,uint256 startTimestamp,uint256 durationDays,bytes extraData)"
    );
    assert_eq!(
        library::UserDecryptionLinker::eip712_encode_type(),
        "UserDecryptionLinker(bytes publicKey,bytes32[] handles,address userAddress)"
    );
    assert_eq!(
        library::UserDecryptResponseVerification::eip712_encode_type(),
        "UserDecryptResponseVerification(bytes publicKey,bytes32[] ctHandles,bytes userDecryptedShare,bytes extraData)"
    );
    assert_eq!(
        sol::CiphertextVerification::eip712_encode_type(),
        "CiphertextVerification(bytes32[] ctHandles,address userAddress,address contractAddress,uint256 contractChainId,bytes extraData)"
    );
    assert_eq!(
        sol::CrsgenVerification::eip712_encode_type(),
        "CrsgenVerification(uint256 crsId,uint256 maxBitLength,bytes crsDigest,bytes extraData)"
    );
}

/// The receipt's hash, spelled out from the EIP with nothing but keccak.
#[test]
fn the_receipts_hash_is_the_one_of_the_standard() {
    let receipt = Receipt {
        chain_id: "kms-1",
        contract: "wasm1asc",
        request_id: RequestId(5),
        request_hash: Digest::new([3; 32]),
        epoch: EpochId(1),
        party: PartyId(2),
        outcome: Outcome::Answer,
        payload_digest: Digest::new([4; 32]),
    };
    let message = keccak256(
        [
            keccak256(library::Answer::eip712_encode_type().as_bytes()).as_slice(),
            keccak256("kms-1").as_slice(),
            keccak256("wasm1asc").as_slice(),
            &word(5),
            &[3; 32],
            &word(1),
            &word(2),
            &word(0),
            &[4; 32],
        ]
        .concat(),
    );
    assert_eq!(receipt.signing_hash(), under_receipt_domain(&message.0));
}

/// The hash of a struct under the domain of receipts, spelled out from the EIP.
fn under_receipt_domain(message: &[u8; 32]) -> Digest {
    let separator = keccak256(
        [
            keccak256("EIP712Domain(string name,string version)").as_slice(),
            keccak256("KMS ASC").as_slice(),
            keccak256("1").as_slice(),
        ]
        .concat(),
    );
    Digest::new(keccak256([&[0x19, 0x01], separator.as_slice(), message].concat()).0)
}

#[test]
fn the_hash_of_a_destruction_is_the_one_of_the_standard() {
    let destruction = KeyDestruction {
        chain_id: "kms-1",
        contract: "wasm1asc",
        key_id: KeyId(7),
        record_hash: Digest::new([3; 32]),
        epoch: EpochId(1),
        party: PartyId(2),
        time: 1_800_000_000,
        held: true,
    };
    let message = keccak256(
        [
            keccak256(
                "KeyDestruction(string chainId,string contract,uint64 keyId,bytes32 recordHash,uint32 epoch,uint32 party,uint64 time,bool held)",
            )
            .as_slice(),
            keccak256("kms-1").as_slice(),
            keccak256("wasm1asc").as_slice(),
            &word(7),
            &[3; 32],
            &word(1),
            &word(2),
            &word(1_800_000_000),
            &word(1),
        ]
        .concat(),
    );
    assert_eq!(destruction.signing_hash(), under_receipt_domain(&message.0));
    let not_held = KeyDestruction { held: false, ..destruction.clone() };
    assert_ne!(not_held.signing_hash(), destruction.signing_hash());
}

fn library_hash(statement: &impl SolStruct, domain: &Eip712Domain) -> Digest {
    let domain = alloy_sol_types::Eip712Domain::new(
        Some(domain.name.clone().into()),
        Some(domain.version.clone().into()),
        Some(U256::from(domain.chain_id)),
        Some(address(&domain.verifying_contract)),
        domain.salt.as_ref().map(b256),
    );
    Digest::new(statement.eip712_signing_hash(&domain).0)
}

fn user_decrypt() -> UserDecrypt {
    let ciphertext = |byte: u8| Ciphertext {
        handle: Handle::new([byte; 32]),
        digest: Digest::new([byte; 32]),
        size: 1,
        fhe_type: FheType::Uint8,
        format: CiphertextFormat::Raw,
        index: 0,
        provenance: Provenance::Unproven,
    };
    UserDecrypt {
        key_id: KeyId(7),
        ciphertexts: vec![ciphertext(1), ciphertext(2)],
        enc_key: vec![5; 869].into(),
        user: EvmAddress::new([6; 20]),
        contracts: vec![EvmAddress::new([7; 20]), EvmAddress::new([8; 20])],
        valid_from: u64::MAX,
        valid_days: 3,
        user_signature: Signature::new([27; 65]),
        domain: None,
        extra_data: b"extra".into(),
    }
}

#[test]
fn what_is_hashed_by_hand_is_what_the_library_hashes() {
    let op = user_decrypt();
    let handles =
        || op.ciphertexts.iter().map(|ciphertext| B256::from(*ciphertext.handle.as_bytes())).collect();
    let bytes = |bytes: &[u8]| Bytes::copy_from_slice(bytes);
    let salted = Eip712Domain { salt: Some(Digest::new([9; 32])), ..domain() };
    for domain in [domain(), salted] {
        let request = library::UserDecryptRequestVerification {
            publicKey: bytes(&op.enc_key),
            contractAddresses: op.contracts.iter().map(address).collect(),
            startTimestamp: U256::from(op.valid_from),
            durationDays: U256::from(op.valid_days),
            extraData: bytes(b"extra"),
        };
        assert_eq!(user_request_hash(&domain, &op), library_hash(&request, &domain));
        let (public_key, user) = (bytes(&op.enc_key), address(&op.user));
        let link =
            library::UserDecryptionLinker { publicKey: public_key, handles: handles(), userAddress: user };
        assert_eq!(user_link(&domain, &op), library_hash(&link, &domain));
        let answer = library::UserDecryptResponseVerification {
            publicKey: bytes(&op.enc_key),
            ctHandles: handles(),
            userDecryptedShare: bytes(b"share"),
            extraData: bytes(b"extra"),
        };
        assert_eq!(user_decrypt_hash(&domain, &op, b"share"), library_hash(&answer, &domain));
        let answer = library::PublicDecryptVerification {
            ctHandles: handles(),
            decryptedResult: bytes(&word(7)),
            extraData: bytes(b""),
        };
        let named = op.ciphertexts.iter().map(|ciphertext| &ciphertext.handle);
        assert_eq!(public_decrypt_hash(&domain, named, &word(7), b""), library_hash(&answer, &domain));
    }
}

#[test]
fn the_separator_counts_the_salt_only_if_there_is_one() {
    let typed = |fields: &str, salt: &[u8]| {
        let mut preimage = keccak256(fields).to_vec();
        preimage.extend_from_slice(keccak256("Decryption").as_slice());
        preimage.extend_from_slice(keccak256("1").as_slice());
        preimage.extend_from_slice(&word(9000));
        preimage.extend_from_slice(&[0; 12]);
        preimage.extend_from_slice(&[0x11; 20]);
        preimage.extend_from_slice(salt);
        Digest::new(keccak256(preimage).0)
    };
    let plain = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
    let salted =
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)";
    assert_eq!(domain().separator(), typed(plain, &[]));
    let with_salt = Eip712Domain { salt: Some(Digest::new([9; 32])), ..domain() };
    assert_eq!(with_salt.separator(), typed(salted, &[9; 32]));
}

#[test]
fn every_part_of_a_statement_changes_its_hash() {
    let handle = Handle::new([1; 32]);
    let base = public_decrypt_hash(&domain(), [&handle], &word(7), b"");
    assert_ne!(base, public_decrypt_hash(&domain(), [&Handle::new([2; 32])], &word(7), b""));
    assert_ne!(base, public_decrypt_hash(&domain(), [&handle], &word(8), b""));
    assert_ne!(base, public_decrypt_hash(&domain(), [&handle], &word(7), b"x"));
    let other = Eip712Domain { chain_id: 1, ..domain() };
    assert_ne!(base, public_decrypt_hash(&other, [&handle], &word(7), b""));
}
