//! The EIP-712 hashes that operators and wallets sign. Struct names and fields are fixed by the outside
//! world, but for the receipt, which is this contract's own.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolStruct, eip712_domain};

use crate::{
    Ciphertext, CrsId, Digest, Eip712Domain, EpochId, EvmAddress, Handle, KeyDigest, KeyId, Outcome, PartyId,
    RequestId, UserDecrypt, VerifyInput,
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
        struct Attestation {
            string chainId;
            string asc;
            uint64 keyId;
            bytes32 handle;
            bytes32 digest;
            uint64 size;
            uint8 format;
            uint16 index;
            uint8 fheType;
            address user;
            address contractAddress;
            uint64 validUntil;
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
        struct CiphertextVerification {
            bytes32[] ctHandles;
            address userAddress;
            address contractAddress;
            uint256 contractChainId;
            bytes extraData;
        }
        struct KeyDestruction {
            string chainId;
            string contract;
            uint64 keyId;
            bytes32 recordHash;
            uint32 epoch;
            uint32 party;
            uint64 time;
            bool held;
        }
        struct CrsgenVerification {
            uint256 crsId;
            uint256 maxBitLength;
            bytes crsDigest;
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
        signing_hash(&answer, &receipt_domain())
    }
}

/// The domain of receipts and attestations: they name chain and contract themselves.
fn receipt_domain() -> alloy_sol_types::Eip712Domain {
    eip712_domain! { name: "KMS ASC", version: "1", }
}

fn signing_hash(statement: &impl SolStruct, domain: &alloy_sol_types::Eip712Domain) -> Digest {
    Digest::new(statement.eip712_signing_hash(domain).0)
}

/// What a key's attester signs, under the receipt's domain: that a ciphertext comes from a computation, and who
/// may see it. `Attestation(string chainId,string asc,uint64 keyId,bytes32 handle,bytes32 digest,uint64
/// size,uint8 format,uint16 index,uint8 fheType,address user,address contractAddress,uint64 validUntil)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation<'a> {
    /// Id of the chain.
    pub chain_id: &'a str,
    /// Address of the contract.
    pub contract: &'a str,
    /// The key.
    pub key_id: KeyId,
    /// The ciphertext; its own provenance is not part of what is signed.
    pub ciphertext: &'a Ciphertext,
    /// The one user who may see it; zero for everybody.
    pub user: EvmAddress,
    /// The application it belongs to; zero for none.
    pub app: EvmAddress,
    /// Last second at which the attestation holds.
    pub valid_until: u64,
}

impl Attestation<'_> {
    /// The hash to sign.
    pub fn signing_hash(&self) -> Digest {
        let ciphertext = self.ciphertext;
        let attestation = sol::Attestation {
            chainId: self.chain_id.to_owned(),
            asc: self.contract.to_owned(),
            keyId: self.key_id.get(),
            handle: B256::from(*ciphertext.handle.as_bytes()),
            digest: b256(&ciphertext.digest),
            size: ciphertext.size,
            format: ciphertext.format.number(),
            index: ciphertext.index,
            fheType: ciphertext.fhe_type.number(),
            user: address(&self.user),
            contractAddress: address(&self.app),
            validUntil: self.valid_until,
        };
        signing_hash(&attestation, &receipt_domain())
    }
}

/// What an operator signs of a key that it destroyed, under the receipt's domain: `KeyDestruction(string
/// chainId,string contract,uint64 keyId,bytes32 recordHash,uint32 epoch,uint32 party,uint64 time,bool held)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDestruction<'a> {
    /// Id of the chain.
    pub chain_id: &'a str,
    /// Address of the contract.
    pub contract: &'a str,
    /// The key.
    pub key_id: KeyId,
    /// SHA-256 of the key's record, in state `destroyed`, as stored.
    pub record_hash: Digest,
    /// The epoch that held the key.
    pub epoch: EpochId,
    /// The operator.
    pub party: PartyId,
    /// Seconds since 1970, by the operator's clock.
    pub time: u64,
    /// Whether the operator held the key at all.
    pub held: bool,
}

impl KeyDestruction<'_> {
    /// The hash to sign.
    pub fn signing_hash(&self) -> Digest {
        let destruction = sol::KeyDestruction {
            chainId: self.chain_id.to_owned(),
            contract: self.contract.to_owned(),
            keyId: self.key_id.get(),
            recordHash: b256(&self.record_hash),
            epoch: self.epoch.get(),
            party: self.party.get(),
            time: self.time,
            held: self.held,
        };
        signing_hash(&destruction, &receipt_domain())
    }
}

/// What a user's wallet signs to have ciphertexts re-encrypted to `enc_key`, under the domain of the answer:
/// `UserDecryptRequestVerification(bytes publicKey,address[] contractAddresses,uint256 startTimestamp,uint256
/// durationDays,bytes extraData)`.
pub fn user_request_hash(domain: &Eip712Domain, request: &UserDecrypt) -> Digest {
    let statement = sol::UserDecryptRequestVerification {
        publicKey: Bytes::copy_from_slice(&request.enc_key),
        contractAddresses: request.contracts.iter().map(address).collect(),
        startTimestamp: U256::from(request.valid_from),
        durationDays: U256::from(request.valid_days),
        extraData: Bytes::copy_from_slice(&request.extra_data),
    };
    signing_hash(&statement, &domain.into())
}

/// What ties a user's answer to his key, his ciphertexts and himself:
/// `UserDecryptionLinker(bytes publicKey,bytes32[] handles,address userAddress)`.
pub fn user_link(domain: &Eip712Domain, request: &UserDecrypt) -> Digest {
    let statement = sol::UserDecryptionLinker {
        publicKey: Bytes::copy_from_slice(&request.enc_key),
        handles: b256_handles(request.ciphertexts.iter().map(|ciphertext| &ciphertext.handle)),
        userAddress: address(&request.user),
    };
    signing_hash(&statement, &domain.into())
}

/// The hash of `UserDecryptResponseVerification(bytes publicKey,bytes32[] ctHandles,bytes
/// userDecryptedShare,bytes extraData)`; the share is the answer's payload.
pub fn user_decrypt_hash(domain: &Eip712Domain, request: &UserDecrypt, share: &[u8]) -> Digest {
    let statement = sol::UserDecryptResponseVerification {
        publicKey: Bytes::copy_from_slice(&request.enc_key),
        ctHandles: b256_handles(request.ciphertexts.iter().map(|ciphertext| &ciphertext.handle)),
        userDecryptedShare: Bytes::copy_from_slice(share),
        extraData: Bytes::copy_from_slice(&request.extra_data),
    };
    signing_hash(&statement, &domain.into())
}

/// The hash of `CiphertextVerification(bytes32[] ctHandles,address userAddress,address contractAddress,uint256
/// contractChainId,bytes extraData)`.
pub fn verify_input_hash(domain: &Eip712Domain, request: &VerifyInput, handles: &[Handle]) -> Digest {
    let statement = sol::CiphertextVerification {
        ctHandles: b256_handles(handles),
        userAddress: address(&request.user),
        contractAddress: address(&request.contract),
        contractChainId: U256::from(request.chain_id),
        extraData: Bytes::copy_from_slice(&request.extra_data),
    };
    signing_hash(&statement, &domain.into())
}

/// The hash of `CrsgenVerification(uint256 crsId,uint256 maxBitLength,bytes crsDigest,bytes extraData)` with no
/// extra data.
pub fn crs_gen_hash(domain: &Eip712Domain, crs_id: CrsId, max_bits: u32, digest: &Digest) -> Digest {
    let statement = sol::CrsgenVerification {
        crsId: U256::from(crs_id.get()),
        maxBitLength: U256::from(max_bits),
        crsDigest: Bytes::copy_from_slice(digest.as_bytes()),
        extraData: Bytes::new(),
    };
    signing_hash(&statement, &domain.into())
}

fn b256_handles<'a>(handles: impl IntoIterator<Item = &'a Handle>) -> Vec<B256> {
    handles.into_iter().map(|handle| B256::from(*handle.as_bytes())).collect()
}

/// The hash of `PublicDecryptVerification(bytes32[] ctHandles,bytes decryptedResult,bytes extraData)`.
pub fn public_decrypt_hash<'a>(
    domain: &Eip712Domain,
    handles: impl IntoIterator<Item = &'a Handle>,
    result: &[u8],
    extra_data: &[u8],
) -> Digest {
    let statement = sol::PublicDecryptVerification {
        ctHandles: b256_handles(handles),
        decryptedResult: Bytes::copy_from_slice(result),
        extraData: Bytes::copy_from_slice(extra_data),
    };
    signing_hash(&statement, &domain.into())
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
    signing_hash(&statement, &domain.into())
}

#[cfg(test)]
mod tests;
