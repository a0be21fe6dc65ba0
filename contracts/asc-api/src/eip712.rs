//! The EIP-712 hashes that operators and wallets sign. Struct names and fields are fixed by the outside
//! world, but for the receipt, which is this contract's own.

mod encode;

use crate::{Digest, Eip712Domain, EpochId, Handle, KeyDigest, KeyId, Outcome, PartyId, RequestId};

pub use encode::Encoder;

const ANSWER: &str = "Answer(string chainId,string contract,uint64 requestId,bytes32 requestHash,uint32 epoch,uint32 party,uint32 outcome,bytes32 payloadDigest)";
const PUBLIC_DECRYPT: &str =
    "PublicDecryptVerification(bytes32[] ctHandles,bytes decryptedResult,bytes extraData)";
const KEY_GEN: &str = "KeygenVerification(uint256 prepKeygenId,uint256 keyId,KeyDigest[] keyDigests,bytes extraData)KeyDigest(uint8 keyType,bytes digest)";
const KEY_DIGEST: &str = "KeyDigest(uint8 keyType,bytes digest)";
const DOMAIN: &str = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
const SALTED_DOMAIN: &str =
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)";
const RECEIPT_DOMAIN: &str = "EIP712Domain(string name,string version)";

impl Eip712Domain {
    /// The domain separator.
    pub fn separator(&self) -> Digest {
        let domain = Encoder::new(if self.salt.is_some() { SALTED_DOMAIN } else { DOMAIN })
            .bytes(&self.name)
            .bytes(&self.version)
            .uint(self.chain_id)
            .address(&self.verifying_contract);
        match &self.salt {
            Some(salt) => domain.word(salt.as_bytes()).hash(),
            None => domain.hash(),
        }
    }
}

/// The separator of the domain `EIP712Domain(string name,string version)` with `"KMS ASC"`, `"1"`.
pub fn receipt_separator() -> Digest {
    Encoder::new(RECEIPT_DOMAIN).bytes("KMS ASC").bytes("1").hash()
}

/// What an operator signs for the contract, under the domain `EIP712Domain(string name,string version)` with
/// `"KMS ASC"`, `"1"`: `Answer(string chainId,string contract,uint64 requestId,bytes32 requestHash,uint32
/// epoch,uint32 party,uint32 outcome,bytes32 payloadDigest)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt<'a> {
    /// Id of the chain.
    pub chain_id: &'a str,
    /// Address of the contract.
    pub contract: &'a str,
    /// The request.
    pub request_id: RequestId,
    /// SHA-256 of the body's stored bytes.
    pub request_hash: Digest,
    /// The epoch.
    pub epoch: EpochId,
    /// The operator.
    pub party: PartyId,
    /// Answer or failure.
    pub outcome: Outcome,
    /// SHA-256 of the payload; of a failure, of the ciphertext's index (u16, big-endian).
    pub payload_digest: Digest,
}

impl Receipt<'_> {
    /// The hash to sign.
    pub fn signing_hash(&self) -> Digest {
        Encoder::new(ANSWER)
            .bytes(self.chain_id)
            .bytes(self.contract)
            .uint(self.request_id.get())
            .word(self.request_hash.as_bytes())
            .uint(self.epoch.get().into())
            .uint(self.party.get().into())
            .uint(self.outcome.number().into())
            .word(self.payload_digest.as_bytes())
            .signing_hash(&receipt_separator())
    }
}

/// The hash of `PublicDecryptVerification(bytes32[] ctHandles,bytes decryptedResult,bytes extraData)`.
pub fn public_decrypt_hash<'a>(
    domain: &Eip712Domain,
    handles: impl IntoIterator<Item = &'a Handle>,
    result: &[u8],
    extra_data: &[u8],
) -> Digest {
    Encoder::new(PUBLIC_DECRYPT)
        .array(handles.into_iter().map(Handle::as_bytes))
        .bytes(result)
        .bytes(extra_data)
        .signing_hash(&domain.separator())
}

/// The hash of `KeygenVerification(uint256 prepKeygenId,uint256 keyId,KeyDigest[] keyDigests,bytes extraData)`
/// with `prepKeygenId = keyId` and no extra data.
pub fn key_gen_hash(domain: &Eip712Domain, key_id: KeyId, digests: &[KeyDigest]) -> Digest {
    let parts: Vec<Digest> = digests
        .iter()
        .map(|part| {
            let encoder = Encoder::new(KEY_DIGEST).uint(part.key_type.number().into());
            encoder.bytes(part.digest.as_bytes()).hash()
        })
        .collect();
    Encoder::new(KEY_GEN)
        .uint(key_id.get())
        .uint(key_id.get())
        .array(parts.iter().map(Digest::as_bytes))
        .bytes([])
        .signing_hash(&domain.separator())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
    use alloy_sol_types::SolStruct;

    use crate::{EvmAddress, KeyType};

    /// The same structs, as a library of the outside world knows them.
    mod sol {
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
            struct KeyDigest {
                uint8 keyType;
                bytes digest;
            }
            struct KeygenVerification {
                uint256 prepKeygenId;
                uint256 keyId;
                KeyDigest[] keyDigests;
                bytes extraData;
            }
        }
    }

    fn library_domain(domain: &Eip712Domain) -> alloy_sol_types::Eip712Domain {
        alloy_sol_types::Eip712Domain::new(
            Some(domain.name.clone().into()),
            Some(domain.version.clone().into()),
            Some(U256::from(domain.chain_id)),
            Some(Address::from(*domain.verifying_contract.as_bytes())),
            domain.salt.map(|salt| B256::from(*salt.as_bytes())),
        )
    }

    fn library_hash(statement: &impl SolStruct, domain: &Eip712Domain) -> Digest {
        Digest::new(statement.eip712_signing_hash(&library_domain(domain)).0)
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
        assert_eq!(sol::Answer::eip712_encode_type(), ANSWER);
        assert_eq!(sol::PublicDecryptVerification::eip712_encode_type(), PUBLIC_DECRYPT);
        assert_eq!(sol::KeygenVerification::eip712_encode_type(), KEY_GEN);
        assert_eq!(sol::KeyDigest::eip712_encode_type(), KEY_DIGEST);
    }

    #[test]
    fn statements_hash_as_a_library_of_the_outside_world_hashes_them() {
        let salted = Eip712Domain { salt: Some(Digest::new([9; 32])), ..domain() };
        for domain in [domain(), salted] {
            assert_eq!(domain.separator().as_bytes(), &library_domain(&domain).separator().0);
            for (handles, result, extra) in
                [(0u8, vec![], &b""[..]), (1, vec![7; 32], b"x"), (3, vec![8; 96], &[5; 40])]
            {
                let handles: Vec<Handle> = (0..handles).map(|n| Handle::new([n; 32])).collect();
                let statement = sol::PublicDecryptVerification {
                    ctHandles: handles.iter().map(|handle| B256::from(*handle.as_bytes())).collect(),
                    decryptedResult: Bytes::copy_from_slice(&result),
                    extraData: Bytes::copy_from_slice(extra),
                };
                let ours = public_decrypt_hash(&domain, &handles, &result, extra);
                assert_eq!(ours, library_hash(&statement, &domain));
            }
            let digests = [(KeyType::Server, 1u8), (KeyType::Public, 2)]
                .map(|(key_type, byte)| KeyDigest { key_type, digest: Digest::new([byte; 32]) });
            let statement = sol::KeygenVerification {
                prepKeygenId: U256::from(u64::MAX),
                keyId: U256::from(u64::MAX),
                keyDigests: digests
                    .iter()
                    .map(|part| sol::KeyDigest {
                        keyType: part.key_type.number(),
                        digest: Bytes::copy_from_slice(part.digest.as_bytes()),
                    })
                    .collect(),
                extraData: Bytes::new(),
            };
            assert_eq!(key_gen_hash(&domain, KeyId(u64::MAX), &digests), library_hash(&statement, &domain));
        }
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
        let separator = keccak256(
            [
                keccak256("EIP712Domain(string name,string version)").as_slice(),
                keccak256("KMS ASC").as_slice(),
                keccak256("1").as_slice(),
            ]
            .concat(),
        );
        let message = keccak256(
            [
                keccak256(ANSWER.as_bytes()).as_slice(),
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
        let expected = keccak256([&[0x19, 0x01], separator.as_slice(), message.as_slice()].concat());
        assert_eq!(receipt.signing_hash().as_bytes(), &expected.0);
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
}
