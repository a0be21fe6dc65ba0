//! Writes the golden files of the engine's self-test anew. To be run only when the pinned version of tfhe changes its formats:
//! `cargo run -p kms-core-engine --example golden`.

use std::{error::Error, fs, path::Path};

use kms_core_engine::{
    Encryptor, FheType, KeyType, ParameterSet, Plaintext, Prover, ReferenceString, generate, generate_crs,
};

const KEY_ID: u64 = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let material = generate(ParameterSet::Test, KEY_ID)?;
    let part = |key_type| {
        let part = material.published.iter().find(|part| part.key_type == key_type);
        part.map(|part| part.bytes.as_slice()).ok_or("a part is missing")
    };
    let (server, public) = (part(KeyType::Server)?, part(KeyType::Public)?);
    let encryptor = Encryptor::load(ParameterSet::Test, server, public)?;
    let crs = generate_crs(ParameterSet::Test, 128)?;
    let prover = Prover::load(public, &ReferenceString::load(ParameterSet::Test, &crs)?)?;

    let value = Plaintext::parse;
    let (yes, no) = (value(FheType::Bool, "true")?, value(FheType::Bool, "false")?);
    let small = value(FheType::Uint8, "201")?;
    let large = value(FheType::Uint64, "16045690984503098046")?;
    let wide = value(FheType::Uint512, "3735928559")?;
    let address = value(FheType::Address, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")?;

    fs::create_dir_all(&folder)?;
    fs::write(folder.join("secret.bin"), material.secret.as_bytes())?;
    fs::write(folder.join("public.bin"), public)?;
    fs::write(folder.join("raw.bin"), encryptor.encrypt_raw(&small)?)?;
    let list = encryptor.encrypt_compressed(&[yes, small, large, wide, address])?;
    fs::write(folder.join("compressed.bin"), list)?;
    fs::write(folder.join("compact.bin"), prover.encrypt_proven(&[yes, small, large, no], b"metadata")?)?;
    Ok(())
}
