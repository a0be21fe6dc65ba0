//! Requests as the contract stores them.

use std::time::{SystemTime, UNIX_EPOCH};

use kms_asc_api::{
    Ciphertext, CiphertextFormat, CrsGen, CrsSource, Digest, EpochId, FheType, Handle, KeyGen, KeyId,
    KeyParams, KeySource, Operation, Provenance, PublicDecrypt, RequestBody, RequestId,
};

use crate::seed::KEY_ID;

/// Far enough that no test meets it.
pub const DEADLINE: u64 = 1 << 40;

pub fn body(id: u64, operation: Operation) -> RequestBody {
    RequestBody {
        v: 1,
        id: RequestId(id),
        requester: "wasm1user".into(),
        operation,
        epoch: Some(EpochId(1)),
        price: 100u64.into(),
        deadline: Some(DEADLINE),
        height: 9,
        time: 100,
        callback: None,
    }
}

/// The same request in the second half of its time.
pub fn in_second_half(body: RequestBody) -> RequestBody {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    RequestBody { time: now - 10_000, deadline: Some(now + 5_000), ..body }
}

pub fn stored(body: &RequestBody) -> Vec<u8> {
    serde_json::to_vec(body).unwrap()
}

pub fn key_gen() -> Operation {
    Operation::KeyGen(KeyGen { params: KeyParams::Default, source: KeySource::Generate })
}

pub fn crs_gen() -> Operation {
    Operation::CrsGen(CrsGen { max_bits: 64, source: CrsSource::Generate })
}

pub fn public_decrypt(ciphertexts: Vec<Ciphertext>) -> Operation {
    Operation::PublicDecrypt(PublicDecrypt {
        key_id: KeyId(KEY_ID),
        ciphertexts,
        domain: None,
        extra_data: Vec::new().into(),
    })
}

/// A reference to `bytes`, with a handle that says the same type.
pub fn reference(bytes: &[u8], fhe_type: FheType) -> Ciphertext {
    let mut handle = *Digest::sha256(bytes).as_bytes();
    handle[30] = fhe_type.number();
    Ciphertext {
        handle: Handle::new(handle),
        digest: Digest::sha256(bytes),
        size: bytes.len().try_into().unwrap(),
        fhe_type,
        format: CiphertextFormat::Raw,
        index: 0,
        provenance: Provenance::Unproven,
    }
}
