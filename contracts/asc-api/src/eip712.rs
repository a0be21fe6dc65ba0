//! The EIP-712 hashes that operators and wallets sign. Struct names and fields are fixed by the outside
//! world, but for the receipt, which is this contract's own.

mod words;

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolStruct;

use crate::{
    Ciphertext, CrsId, Digest, Eip712Domain, EpochId, EvmAddress, Handle, KeyDigest, KeyId, Outcome, PartyId,
    RequestId, UserDecrypt, VerifyInput,
};
use words::Words;

mod sol {
    #![allow(missing_docs, clippy::as_conversions)]
    alloy_sol_types::sol! {
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

/// Types of what is hashed with every answer, as the standard writes them.
const ANSWER: &str = "Answer(string chainId,string contract,uint64 requestId,bytes32 requestHash,uint32 epoch,\
    uint32 party,uint32 outcome,bytes32 payloadDigest)";
const PUBLIC_DECRYPT: &str =
    "PublicDecryptVerification(bytes32[] ctHandles,bytes decryptedResult,bytes extraData)";
const USER_DECRYPT_REQUEST: &str = "UserDecryptRequestVerification(bytes publicKey,address[] contractAddresses,\
    uint256 startTimestamp,uint256 durationDays,bytes extraData)";
const USER_LINK: &str = "UserDecryptionLinker(bytes publicKey,bytes32[] handles,address userAddress)";
const USER_DECRYPT: &str = "UserDecryptResponseVerification(bytes publicKey,bytes32[] ctHandles,\
    bytes userDecryptedShare,bytes extraData)";

fn b256(digest: &Digest) -> B256 {
    B256::from(*digest.as_bytes())
}

fn address(address: &EvmAddress) -> Address {
    Address::from(*address.as_bytes())
}

impl Eip712Domain {
    /// The domain separator.
    pub fn separator(&self) -> Digest {
        words::separator(self)
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
        let answer = Words::of(ANSWER)
            .bytes(self.chain_id)
            .bytes(self.contract)
            .number(self.request_id.get())
            .word(self.request_hash.as_bytes())
            .number(self.epoch.get().into())
            .number(self.party.get().into())
            .number(self.outcome.number().into())
            .word(self.payload_digest.as_bytes());
        words::to_sign(&receipt_domain(), &answer.hash())
    }
}

/// The domain of receipts and attestations: they name chain and contract themselves.
fn receipt_domain() -> Digest {
    let words = Words::of("EIP712Domain(string name,string version)").bytes("KMS ASC").bytes("1");
    Digest::new(words.hash().0)
}

/// What is hashed seldom is hashed by the library.
fn signing_hash(statement: &impl SolStruct, separator: &Digest) -> Digest {
    words::to_sign(separator, &statement.eip712_hash_struct())
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
    let statement = Words::of(USER_DECRYPT_REQUEST)
        .bytes(&request.enc_key)
        .array(|words| request.contracts.iter().fold(words, Words::address))
        .number(request.valid_from)
        .number(request.valid_days)
        .bytes(&request.extra_data);
    words::to_sign(&domain.separator(), &statement.hash())
}

/// What ties a user's answer to his key, his ciphertexts and himself:
/// `UserDecryptionLinker(bytes publicKey,bytes32[] handles,address userAddress)`.
pub fn user_link(domain: &Eip712Domain, request: &UserDecrypt) -> Digest {
    let statement = Words::of(USER_LINK)
        .bytes(&request.enc_key)
        .array(handles(request.ciphertexts.iter().map(|ciphertext| &ciphertext.handle)))
        .address(&request.user);
    words::to_sign(&domain.separator(), &statement.hash())
}

/// The hash of `UserDecryptResponseVerification(bytes publicKey,bytes32[] ctHandles,bytes
/// userDecryptedShare,bytes extraData)`; the share is the answer's payload.
pub fn user_decrypt_hash(domain: &Eip712Domain, request: &UserDecrypt, share: &[u8]) -> Digest {
    let statement = Words::of(USER_DECRYPT)
        .bytes(&request.enc_key)
        .array(handles(request.ciphertexts.iter().map(|ciphertext| &ciphertext.handle)))
        .bytes(share)
        .bytes(&request.extra_data);
    words::to_sign(&domain.separator(), &statement.hash())
}

/// The hash of `CiphertextVerification(bytes32[] ctHandles,address userAddress,address contractAddress,uint256
/// contractChainId,bytes extraData)`.
pub fn verify_input_hash(domain: &Eip712Domain, request: &VerifyInput, handles: &[Handle]) -> Digest {
    let statement = sol::CiphertextVerification {
        ctHandles: handles.iter().map(|handle| B256::from(*handle.as_bytes())).collect(),
        userAddress: address(&request.user),
        contractAddress: address(&request.contract),
        contractChainId: U256::from(request.chain_id),
        extraData: Bytes::copy_from_slice(&request.extra_data),
    };
    signing_hash(&statement, &domain.separator())
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
    signing_hash(&statement, &domain.separator())
}

/// The elements of an array of handles.
fn handles<'a>(handles: impl IntoIterator<Item = &'a Handle>) -> impl FnOnce(Words) -> Words {
    |words| handles.into_iter().fold(words, |words, handle| words.word(handle.as_bytes()))
}

/// The hash of `PublicDecryptVerification(bytes32[] ctHandles,bytes decryptedResult,bytes extraData)`.
pub fn public_decrypt_hash<'a>(
    domain: &Eip712Domain,
    handles: impl IntoIterator<Item = &'a Handle>,
    result: &[u8],
    extra_data: &[u8],
) -> Digest {
    let statement = Words::of(PUBLIC_DECRYPT).array(self::handles(handles)).bytes(result).bytes(extra_data);
    words::to_sign(&domain.separator(), &statement.hash())
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
    signing_hash(&statement, &domain.separator())
}

#[cfg(test)]
mod tests;
