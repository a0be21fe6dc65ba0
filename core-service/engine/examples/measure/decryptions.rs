//! What one decryption costs, bytes to value, in each format.

use std::{fs, path::Path, thread, time::Instant};

use kms_core_engine::{
    CiphertextFormat, DecryptionKey, Element, Encryptor, FheType, ParameterSet, Plaintext, Prover,
    ReferenceString,
};
use serde_json::{Map, Value, json};

use crate::{
    Result, keys,
    stage::{median, rounded, times},
};

const TYPES: [FheType; 5] =
    [FheType::Bool, FheType::Uint8, FheType::Uint64, FheType::Uint256, FheType::Uint2048];

/// The published parts, loaded.
pub fn encryptor(folder: &Path) -> Result<Encryptor> {
    let (server, public) = (fs::read(folder.join("server"))?, fs::read(folder.join("public"))?);
    Ok(Encryptor::load(ParameterSet::Default, &server, &public)?)
}

pub fn measure(folder: &Path) -> Result<Value> {
    let key = keys::decryption_key(folder)?;
    let encryptor = encryptor(folder)?;
    let crs = fs::read(folder.join("crs2048"))?;
    let string = ReferenceString::load(ParameterSet::Default, &crs)?;
    let prover = Prover::load(&fs::read(folder.join("public"))?, &string)?;

    let mut found = Map::new();
    for fhe_type in TYPES {
        let text = if fhe_type == FheType::Bool { "true" } else { "201" };
        let value = Plaintext::parse(fhe_type, text)?;
        let formats = [
            ("raw", CiphertextFormat::Raw, encryptor.encrypt_raw(&value)?),
            ("compressed list of one", CiphertextFormat::Compressed, encryptor.encrypt_compressed(&[value])?),
            ("proven list of one", CiphertextFormat::Compact, prover.encrypt_proven(&[value], b"metadata")?),
        ];
        for (name, format, stored) in &formats {
            let decrypt = || decrypt(&key, stored, *format, value);
            let one = median(times(101, decrypt)?);
            let two = on_two_threads(&decrypt)?;
            found.insert(
                format!("{fhe_type}, {name}"),
                json!({ "bytes": stored.len(), "ms": one, "per second on two threads": two }),
            );
        }
    }
    Ok(Value::Object(found))
}

fn decrypt(key: &DecryptionKey, stored: &[u8], format: CiphertextFormat, value: Plaintext) -> Result<()> {
    let element = Element { index: 0, declared: value.fhe_type() };
    let found = key.decrypt(stored, format, &[element]);
    if found == [Ok(value)] { Ok(()) } else { Err(format!("decrypted to {found:?}").into()) }
}

/// Runs for half a second.
fn on_two_threads(decrypt: &(impl Fn() -> Result<()> + Sync)) -> Result<f64> {
    let start = Instant::now();
    let run = || {
        let mut count = 0_u32;
        while start.elapsed().as_millis() < 500 {
            decrypt().map_err(|error| error.to_string())?;
            count += 1;
        }
        Ok::<u32, String>(count)
    };
    let count = thread::scope(|scope| {
        let other = scope.spawn(run);
        let own = run()?;
        let other = other.join().unwrap_or_else(|_| Err("a thread panicked".to_owned()))?;
        Ok::<u32, String>(own + other)
    })?;
    Ok(rounded(f64::from(count) / start.elapsed().as_secs_f64()))
}
