//! Wallets, attesters and verified inputs: what people show to have ciphertexts decrypted.

use cosmwasm_std::Binary;
use kms_asc_api::eip712::{Attestation, user_request_hash};
use kms_asc_api::payload::{InputVerdict, encode_user_key};
use kms_asc_api::{
    Ciphertext, CiphertextFormat, CrsId, Digest, EvmAddress, FheType, Handle, KeyId, Operation, Provenance,
    RequestId, Signature, UserDecrypt, VerifyInput,
};

use super::terms::{CHAIN_ID, START, account, signing_key};
use super::{Suite, sign, typed_ciphertext};

/// Seeds of a user's wallet and of somebody else's.
pub const USER: u32 = 1001;
pub const OTHER_USER: u32 = 1002;
/// Seeds of a key's attesters.
pub const ATTESTERS: [u32; 3] = [2001, 2002, 2003];

/// The wallet of a seed.
pub fn wallet(seed: u32) -> EvmAddress {
    let key = signing_key(seed);
    let point = key.verifying_key().to_encoded_point(false);
    EvmAddress::of_point(point.as_bytes()[1..].try_into().unwrap())
}

/// The application of the account `app`, as inputs and wallets name it.
pub fn app() -> EvmAddress {
    EvmAddress::of_app(account("app").as_str())
}

/// An application that has nothing to do with it.
pub fn other_app() -> EvmAddress {
    EvmAddress::new([0xee; 20])
}

/// An input of [`USER`] for [`app`].
pub fn verify_input(key_id: KeyId, crs_id: CrsId) -> VerifyInput {
    VerifyInput {
        key_id,
        crs_id,
        digest: Digest::sha256(b"input"),
        size: 2000,
        user: wallet(USER),
        contract: app(),
        acl: EvmAddress::new([7; 20]),
        chain_id: 9000,
        domain: None,
        extra_data: Binary::default(),
    }
}

/// The handle of an input's element of type `uint8`.
pub fn element_handle(chain_id: u64, position: u8) -> Handle {
    let mut bytes = [0x77; 32];
    bytes[21] = position;
    bytes[22..30].copy_from_slice(&chain_id.to_be_bytes());
    (bytes[30], bytes[31]) = (FheType::Uint8.number(), 0);
    Handle::new(bytes)
}

/// The payload that accepts an input of `count` elements.
pub fn accepted(chain_id: u64, count: u8) -> Vec<u8> {
    InputVerdict::Accepted((0..count).map(|position| element_handle(chain_id, position)).collect()).encode()
}

/// An element of [`verify_input`], as the request `id` verified it.
pub fn element(id: RequestId, position: u8) -> Ciphertext {
    Ciphertext {
        handle: element_handle(9000, position),
        digest: Digest::sha256(b"input"),
        size: 2000,
        fhe_type: FheType::Uint8,
        format: CiphertextFormat::Compact,
        index: position.into(),
        provenance: Provenance::Verified { request_id: id },
    }
}

/// What attesters say of a ciphertext.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub user: Option<EvmAddress>,
    pub contract: Option<EvmAddress>,
    pub valid_until: u64,
}

impl Terms {
    /// For nobody in particular, of [`app`], for a while.
    pub const fn open(app: EvmAddress) -> Self {
        Self { user: None, contract: Some(app), valid_until: START + 1000 }
    }

    /// For one user.
    pub const fn of(user: EvmAddress, app: EvmAddress) -> Self {
        Self { user: Some(user), contract: Some(app), valid_until: START + 1000 }
    }
}

impl Suite {
    /// What an honest attester signs.
    pub fn attestation<'a>(
        &'a self,
        key_id: KeyId,
        ciphertext: &'a Ciphertext,
        terms: Terms,
    ) -> Attestation<'a> {
        Attestation {
            chain_id: CHAIN_ID,
            contract: self.contract.as_str(),
            key_id,
            ciphertext,
            user: terms.user.unwrap_or(EvmAddress::ZERO),
            app: terms.contract.unwrap_or(EvmAddress::ZERO),
            valid_until: terms.valid_until,
        }
    }

    /// A compressed ciphertext with the attestation of some attesters, in the order that is asked for.
    pub fn attested(&self, key_id: KeyId, number: u8, terms: Terms, seeds: &[u32]) -> Ciphertext {
        let ciphertext = Ciphertext {
            format: CiphertextFormat::Compressed,
            index: 3,
            ..typed_ciphertext(number, FheType::Uint8)
        };
        let hash = self.attestation(key_id, &ciphertext, terms).signing_hash();
        let signatures = by_address(seeds).into_iter().map(|seed| sign(seed, &hash)).collect();
        with_signatures(ciphertext, terms, signatures)
    }

    /// A decryption for [`USER`] and [`app`], signed under the key's own domain.
    pub fn user_decrypt(&self, key_id: KeyId, ciphertexts: Vec<Ciphertext>) -> UserDecrypt {
        let mut op = UserDecrypt {
            key_id,
            ciphertexts,
            enc_key: encode_user_key(&[0x42; 800]).into(),
            user: wallet(USER),
            contracts: vec![app()],
            valid_from: START - 10,
            valid_days: 1,
            user_signature: Signature::new([0; 65]),
            domain: None,
            extra_data: Binary::default(),
        };
        self.consent(&mut op, USER);
        op
    }

    /// The wallet of a seed signs what the request says now.
    pub fn consent(&self, op: &mut UserDecrypt, seed: u32) {
        let domain = op.domain.clone().unwrap_or_else(|| self.default_domain(op.key_id));
        op.user_signature = sign(seed, &user_request_hash(&domain, op));
    }

    /// A fulfilled `verify_input` of two elements.
    pub fn verified_input(&mut self, op: VerifyInput) -> RequestId {
        let payload = accepted(op.chain_id, 2);
        let id = self.request(&self.stranger(), Operation::VerifyInput(op));
        self.fulfil(id, &payload);
        id
    }
}

/// Seeds, ascending by their addresses.
pub fn by_address(seeds: &[u32]) -> Vec<u32> {
    let mut seeds = seeds.to_vec();
    seeds.sort_by_key(|seed| wallet(*seed));
    seeds
}

/// A ciphertext with these signatures under these terms.
pub fn with_signatures(ciphertext: Ciphertext, terms: Terms, signatures: Vec<Signature>) -> Ciphertext {
    let Terms { user, contract, valid_until } = terms;
    Ciphertext { provenance: Provenance::Attested { user, contract, valid_until, signatures }, ..ciphertext }
}
