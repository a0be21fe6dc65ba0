//! The EIP-712 hashes that operators and wallets sign. Struct names and fields are fixed by the outside
//! world, but for the receipt, which is this contract's own.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolStruct, eip712_domain};

use crate::{
    Digest, Eip712Domain, EpochId, EvmAddress, Handle, KeyDigest, KeyId, Outcome, PartyId, RequestId,
};

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

fn b256(digest: &Digest) -> B256 {
    B256::from(*digest.as_bytes())
}

fn address(address: &EvmAddress) -> Address {
    Address::from(*address.as_bytes())
}

impl From<&Eip712Domain> for alloy_sol_types::Eip712Domain {
    fn from(domain: &Eip712Domain) -> Self {
        Self::new(
            Some(domain.name.clone().into()),
            Some(domain.version.clone().into()),
            Some(U256::from(domain.chain_id)),
            Some(address(&domain.verifying_contract)),
            domain.salt.as_ref().map(b256),
        )
    }
}

impl Eip712Domain {
    /// The domain separator.
    pub fn separator(&self) -> Digest {
        Digest::new(alloy_sol_types::Eip712Domain::from(self).separator().0)
    }
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
        let answer = sol::Answer {
            chainId: self.chain_id.to_owned(),
            contract: self.contract.to_owned(),
            requestId: self.request_id.get(),
            requestHash: b256(&self.request_hash),
            epoch: self.epoch.get(),
            party: self.party.get(),
            outcome: self.outcome.number(),
            payloadDigest: b256(&self.payload_digest),
        };
        let domain = eip712_domain! { name: "KMS ASC", version: "1", };
        Digest::new(answer.eip712_signing_hash(&domain).0)
    }
}

/// The hash of `PublicDecryptVerification(bytes32[] ctHandles,bytes decryptedResult,bytes extraData)`.
pub fn public_decrypt_hash<'a>(
    domain: &Eip712Domain,
    handles: impl IntoIterator<Item = &'a Handle>,
    result: &[u8],
    extra_data: &[u8],
) -> Digest {
    let statement = sol::PublicDecryptVerification {
        ctHandles: handles.into_iter().map(|handle| B256::from(*handle.as_bytes())).collect(),
        decryptedResult: Bytes::copy_from_slice(result),
        extraData: Bytes::copy_from_slice(extra_data),
    };
    Digest::new(statement.eip712_signing_hash(&domain.into()).0)
}

/// The hash of `KeygenVerification(uint256 prepKeygenId,uint256 keyId,KeyDigest[] keyDigests,bytes extraData)`
/// with `prepKeygenId = keyId` and no extra data.
pub fn key_gen_hash(domain: &Eip712Domain, key_id: KeyId, digests: &[KeyDigest]) -> Digest {
    let statement = sol::KeygenVerification {
        prepKeygenId: U256::from(key_id.get()),
        keyId: U256::from(key_id.get()),
        keyDigests: digests
            .iter()
            .map(|part| sol::KeyDigest {
                keyType: part.key_type.number(),
                digest: Bytes::copy_from_slice(part.digest.as_bytes()),
            })
            .collect(),
        extraData: Bytes::new(),
    };
    Digest::new(statement.eip712_signing_hash(&domain.into()).0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;
    use alloy_sol_types::SolStruct;

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
            sol::Answer::eip712_encode_type(),
            "Answer(string chainId,string contract,uint64 requestId,bytes32 requestHash,uint32 epoch,uint32 party,uint32 outcome,bytes32 payloadDigest)"
        );
        assert_eq!(
            sol::PublicDecryptVerification::eip712_encode_type(),
            "PublicDecryptVerification(bytes32[] ctHandles,bytes decryptedResult,bytes extraData)"
        );
        assert_eq!(
            sol::KeygenVerification::eip712_encode_type(),
            "KeygenVerification(uint256 prepKeygenId,uint256 keyId,KeyDigest[] keyDigests,bytes extraData)KeyDigest(uint8 keyType,bytes digest)"
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
                keccak256(sol::Answer::eip712_encode_type().as_bytes()).as_slice(),
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
