//! Requests that tests make.

use cosmwasm_std::{Addr, Binary};
use kms_asc_api::{
    Callback, Ciphertext, CiphertextFormat, CrsGen, CrsId, CrsSource, Digest, FheType, Handle, KeyDigest,
    KeyGen, KeyId, KeyParams, KeySource, KeyType, Operation, Provenance, PublicDecrypt, QueryMsg, Quote,
    RequestId, State, payload,
};

use super::Suite;

/// A key to be generated.
pub fn key_gen() -> Operation {
    Operation::KeyGen(KeyGen { params: KeyParams::Default, source: KeySource::Generate })
}

/// A key from elsewhere.
pub fn key_gen_from(source: KeySource) -> Operation {
    Operation::KeyGen(KeyGen { params: KeyParams::Default, source })
}

/// A key whose parts hash to these digests.
pub fn import_key(server: &str, public: &str) -> Operation {
    let part = |key_type, text: &str| KeyDigest { key_type, digest: Digest::sha256(text.as_bytes()) };
    let digests = vec![part(KeyType::Server, server), part(KeyType::Public, public)];
    key_gen_from(KeySource::Import { digests })
}

/// A reference string to be generated.
pub fn crs_gen() -> Operation {
    Operation::CrsGen(CrsGen { max_bits: 2048, source: CrsSource::Generate })
}

/// A reference string that hashes to a digest.
pub fn import_crs(digest: Digest) -> Operation {
    Operation::CrsGen(CrsGen { max_bits: 2048, source: CrsSource::Import { digest } })
}

/// An encrypted byte; another for each number.
pub fn ciphertext(number: u8) -> Ciphertext {
    typed_ciphertext(number, FheType::Uint8)
}

/// A ciphertext of 1500 bytes; another for each number.
pub fn typed_ciphertext(number: u8, fhe_type: FheType) -> Ciphertext {
    let mut handle = [number; 32];
    handle[30] = fhe_type.number();
    Ciphertext {
        handle: Handle::new(handle),
        digest: Digest::sha256(&[number]),
        size: 1500,
        fhe_type,
        format: CiphertextFormat::Raw,
        index: 0,
        provenance: Provenance::Unproven,
    }
}

/// A decryption under the key's own domain.
pub fn public_decrypt(key_id: KeyId, ciphertexts: Vec<Ciphertext>) -> Operation {
    Operation::PublicDecrypt(PublicDecrypt {
        key_id,
        ciphertexts,
        domain: None,
        extra_data: Binary::default(),
    })
}

/// A 32-byte big-endian word.
pub fn word(value: u8) -> Vec<u8> {
    let mut word = vec![0; 32];
    word[31] = value;
    word
}

impl Suite {
    pub fn price(&self, operation: &Operation) -> u128 {
        let quote = QueryMsg::Quote { operation: Box::new(operation.clone()), callback: None };
        self.query::<Quote>(&quote).unwrap().price.u128()
    }

    pub fn price_with(&self, operation: &Operation, gas_limit: u64) -> u128 {
        let callback = Some(Callback { gas_limit });
        let quote = QueryMsg::Quote { operation: Box::new(operation.clone()), callback };
        self.query::<Quote>(&quote).unwrap().price.u128()
    }

    /// Asks and pays exactly the price; the request is accepted.
    pub fn request(&mut self, sender: &Addr, operation: Operation) -> RequestId {
        let price = self.price(&operation);
        let data = self.submit(sender, operation, price).unwrap();
        assert_eq!((data.state, data.charged.u128()), (State::Pending, price));
        data.request_id
    }

    /// A decryption of one byte, asked for by the key's owner.
    pub fn decryption(&mut self, key_id: KeyId) -> RequestId {
        self.request(&self.owner(), public_decrypt(key_id, vec![ciphertext(1)]))
    }

    /// The payload with which operators answer the `key_gen` request `id`.
    pub fn key_payload(&self, id: RequestId) -> Vec<u8> {
        let part = |key_type, text: &str| KeyDigest {
            key_type,
            digest: Digest::sha256(format!("{text} of {id}").as_bytes()),
        };
        payload::encode_key_digests(&[part(KeyType::Server, "server"), part(KeyType::Public, "public")])
    }

    /// A key of `owner`, made by a majority.
    pub fn key(&mut self) -> KeyId {
        let id = self.request(&self.owner(), key_gen());
        let payload = self.key_payload(id);
        self.fulfil(id, &payload);
        KeyId::from(id)
    }

    /// A key of `owner` from elsewhere: operators who each hold the whole key generate none.
    pub fn imported_key(&mut self, name: &str) -> KeyId {
        let operation = import_key(&format!("server {name}"), &format!("public {name}"));
        let Operation::KeyGen(KeyGen { source: KeySource::Import { digests }, .. }) = &operation else {
            panic!("an import")
        };
        let payload = payload::encode_key_digests(digests);
        let id = self.request(&self.owner(), operation);
        self.fulfil(id, &payload);
        KeyId::from(id)
    }

    /// A reference string of `stranger`, made by a majority.
    pub fn crs(&mut self) -> CrsId {
        let id = self.request(&self.stranger(), crs_gen());
        self.fulfil(id, Digest::sha256(format!("crs of {id}").as_bytes()).as_bytes());
        CrsId::from(id)
    }

    /// A majority of the request's operators answers the same.
    pub fn fulfil(&mut self, id: RequestId, payload: &[u8]) {
        let majority = self.epoch_of(id).majority;
        let answers = (1..=majority).map(|party| self.answer(id, party, payload)).collect();
        self.respond(answers);
        assert_eq!(self.view(id).state, State::Fulfilled);
    }
}
