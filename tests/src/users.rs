//! A user with a wallet, an application, and what they have verified and decrypted.

use anyhow::Result;
use cosmwasm_std::Binary;
use kms_asc_api::{
    Ciphertext, CrsId, Digest, EvmAddress, FheType, Handle, KeyId, Signature, UserDecrypt, VerifyInput,
    payload::encode_user_key,
};

use crate::{Bench, operators::user};

/// Chain on which inputs and answers are checked.
const CHAIN: u64 = 9000;
/// The application.
const APP: EvmAddress = EvmAddress::new([0xaa; 20]);
/// Seconds between the user's signature and the request, at most.
const SIGNED_BEFORE: u64 = 60;

/// An input of the user for the application; its bytes are nowhere.
///
/// # Errors
/// Never.
pub fn input(key_id: KeyId, crs_id: CrsId) -> Result<VerifyInput> {
    Ok(VerifyInput {
        key_id,
        crs_id,
        digest: Digest::sha256(b"input"),
        size: 20_000,
        user: user()?,
        contract: APP,
        acl: APP,
        chain_id: CHAIN,
        domain: None,
        extra_data: Binary::default(),
    })
}

/// The handle of the input's element at a position, of 8 bits.
pub fn element(position: u8) -> Handle {
    let mut handle = [0x77; 32];
    handle[21] = position;
    handle[22..30].copy_from_slice(&CHAIN.to_be_bytes());
    (handle[30], handle[31]) = (FheType::Uint8.number(), 0);
    Handle::new(handle)
}

/// A decryption for the user and the application, with the user's consent.
///
/// # Errors
/// If the chain does not tell the time.
pub async fn user_decrypt(bench: &Bench, key_id: KeyId, ciphertexts: Vec<Ciphertext>) -> Result<UserDecrypt> {
    let mut op = UserDecrypt {
        key_id,
        ciphertexts,
        enc_key: encode_user_key(&[0x42; 800]).into(),
        user: user()?,
        contracts: vec![APP],
        valid_from: bench.client()?.status().await?.latest_time.seconds.saturating_sub(SIGNED_BEFORE),
        valid_days: 1,
        user_signature: Signature::new([0; 65]),
        domain: None,
        extra_data: Binary::default(),
    };
    bench.operators.consent(&mut op)?;
    Ok(op)
}
