//! Keys, reference strings and proofs.

use std::{fs, path::Path, time::Instant};

use kms_core_engine::{
    DecryptionKey, FheType, InputVerifier, KeyType, ParameterSet, Plaintext, Prover, ReferenceString,
    SecretKey, generate, generate_crs,
};
use serde_json::{Value, json};

use crate::{
    Result,
    stage::{median, memory, milliseconds, rounded, times},
};

const PARAMS: ParameterSet = ParameterSet::Default;
const KEY_ID: u64 = 1;
const METADATA: &[u8] = b"metadata";

pub fn generation(folder: &Path) -> Result<Value> {
    let start = Instant::now();
    let material = generate(PARAMS, KEY_ID)?;
    let took = milliseconds(start);
    fs::write(folder.join("secret"), material.secret.as_bytes())?;
    let mut sizes = Vec::new();
    for part in &material.published {
        let name = if part.key_type == KeyType::Server { "server" } else { "public" };
        fs::write(folder.join(name), &part.bytes)?;
        sizes.push(part.bytes.len());
    }
    Ok(json!({
        "ms": rounded(took),
        "secret key, bytes": material.secret.as_bytes().len(),
        "server key, bytes": sizes.first(),
        "public key, bytes": sizes.get(1),
    }))
}

pub fn decryption_key(folder: &Path) -> Result<DecryptionKey> {
    Ok(DecryptionKey::load(PARAMS, &SecretKey::from_bytes(fs::read(folder.join("secret"))?))?)
}

pub fn load(folder: &Path) -> Result<Value> {
    let before = memory("VmRSS")?;
    let start = Instant::now();
    let key = decryption_key(folder)?;
    let first = milliseconds(start);
    let after = memory("VmRSS")?;
    let again = times(101, || decryption_key(folder))?;
    drop(key);
    Ok(json!({
        "first, ms": rounded(first),
        "median of 101, ms": median(again),
        "memory for the first, MB": rounded(after - before),
    }))
}

pub fn reference_string(folder: &Path, bits: u32) -> Result<Value> {
    let start = Instant::now();
    let crs = generate_crs(PARAMS, bits)?;
    let took = milliseconds(start);
    fs::write(folder.join(format!("crs{bits}")), &crs)?;
    Ok(json!({ "ms": rounded(took), "bytes": crs.len() }))
}

/// One `uint64` for 64 bits, one of the widest type for 2048.
fn value(bits: u32) -> Result<Plaintext> {
    let fhe_type = if bits == 64 { FheType::Uint64 } else { FheType::Uint2048 };
    Ok(Plaintext::parse(fhe_type, "16045690984503098046")?)
}

pub fn proofs(folder: &Path, bits: u32) -> Result<Value> {
    let (public, crs) = (fs::read(folder.join("public"))?, fs::read(folder.join(format!("crs{bits}")))?);
    let load = || Ok(Prover::load(&public, &ReferenceString::load(PARAMS, &crs)?)?);
    let loads = times(11, load)?;
    let prover = load()?;
    let value = value(bits)?;
    let mut list = Vec::new();
    let proofs = times(3, || {
        list = prover.encrypt_proven(&[value], METADATA)?;
        Ok(())
    })?;
    fs::write(folder.join(format!("list{bits}")), &list)?;
    Ok(json!({ "load, ms": median(loads), "median of 3, ms": median(proofs), "list, bytes": list.len() }))
}

pub fn verification(folder: &Path, bits: u32) -> Result<Value> {
    let (public, crs) = (fs::read(folder.join("public"))?, fs::read(folder.join(format!("crs{bits}")))?);
    let before = memory("VmRSS")?;
    let load = || Ok(InputVerifier::load(&public, &ReferenceString::load(PARAMS, &crs)?)?);
    let verifier = load()?;
    let after = memory("VmRSS")?;
    let loads = times(11, load)?;
    let list = fs::read(folder.join(format!("list{bits}")))?;
    let valid = times(11, || Ok(verifier.verify(&list, METADATA)?))?;
    let invalid = times(11, || match verifier.verify(&list, b"other") {
        Ok(_) => Err("a proof for other metadata was valid".into()),
        Err(_) => Ok(()),
    })?;
    Ok(json!({
        "load, ms": median(loads),
        "valid, median of 11, ms": median(valid),
        "invalid, median of 11, ms": median(invalid),
        "memory for the verifier, MB": rounded(after - before),
    }))
}
