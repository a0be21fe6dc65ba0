//! Compressed lists decrypted directly, against what the library makes of the same bytes: decompressed by bootstrapping
//! under the server key, then decrypted.

use std::{fs, path::Path, time::Instant};

use kms_core_engine::{CiphertextFormat, DecryptionKey, Element, Encryptor, FheType, Plaintext};
use serde_json::{Value, json};
use tfhe::{
    ClientKey, CompressedCiphertextList, CompressedServerKey, FheUint8, FheUint64, HlExpandable,
    prelude::{CiphertextList, FheDecrypt, Tagged},
    safe_serialization::safe_deserialize,
    set_server_key,
};

use crate::{
    Result, decryptions, keys,
    stage::{milliseconds, rounded},
};

pub fn measure(folder: &Path) -> Result<Value> {
    let scene = Scene {
        key: keys::decryption_key(folder)?,
        encryptor: decryptions::encryptor(folder)?,
        client: safe_deserialize(fs::read(folder.join("secret"))?.as_slice(), u64::MAX)?,
    };
    let server: CompressedServerKey =
        safe_deserialize(fs::read(folder.join("server"))?.as_slice(), u64::MAX)?;
    set_server_key(server.decompress());
    Ok(json!({
        "uint8": scene.compare::<FheUint8, u8>(FheType::Uint8, 20, 100, |value| value.to_le_bytes().to_vec())?,
        "uint64": scene.compare::<FheUint64, u64>(FheType::Uint64, 5, 10, |value| value.to_le_bytes().to_vec())?,
    }))
}

struct Scene {
    key: DecryptionKey,
    encryptor: Encryptor,
    client: ClientKey,
}

impl Scene {
    /// `lists` lists of `length` values each, every value decrypted in both ways.
    fn compare<T, P>(
        &self,
        fhe_type: FheType,
        lists: usize,
        length: u16,
        bytes: impl Fn(P) -> Vec<u8>,
    ) -> Result<Value>
    where
        T: HlExpandable + Tagged + FheDecrypt<P>,
    {
        let (mut direct_ms, mut official_ms, mut equal, mut stored_bytes) = (0.0, 0.0, 0_u32, 0);
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..lists {
            let values = (0..length).map(|_| value(fhe_type, &mut random)).collect::<Result<Vec<_>>>()?;
            let stored = self.encryptor.encrypt_compressed(&values)?;
            stored_bytes += stored.len();

            // From the stored bytes on.
            let start = Instant::now();
            let elements: Vec<_> = (0..length).map(|index| Element { index, declared: fhe_type }).collect();
            let direct = self.key.decrypt(&stored, CiphertextFormat::Compressed, &elements);
            direct_ms += milliseconds(start);

            // Without reading the bytes, which favours it.
            let list: CompressedCiphertextList = safe_deserialize(stored.as_slice(), u64::MAX)?;
            let start = Instant::now();
            let mut official = Vec::new();
            for index in 0..usize::from(length) {
                let ciphertext: T = list.get(index)?.ok_or("an element is missing")?;
                official.push(bytes(ciphertext.decrypt(&self.client)));
            }
            official_ms += milliseconds(start);

            let all = direct.iter().zip(&official).zip(&values);
            let same = |((direct, official), value): &(
                (&std::result::Result<Plaintext, _>, &Vec<u8>),
                &Plaintext,
            )| {
                direct.as_ref().is_ok_and(|direct| direct == *value && direct.little_endian() == **official)
            };
            equal += u32::try_from(all.filter(same).count())?;
        }
        let count = u32::try_from(lists)? * u32::from(length);
        let (direct, official) = (direct_ms / f64::from(count), official_ms / f64::from(count));
        Ok(json!({
            "values": count,
            "values in a list": length,
            "bytes of all lists": stored_bytes,
            "equal": equal,
            "direct, ms a value": rounded(direct),
            "decompressed first, ms a value": rounded(official),
            "times faster": rounded(official / direct),
        }))
    }
}

fn value(fhe_type: FheType, random: &mut u64) -> Result<Plaintext> {
    *random ^= *random >> 12;
    *random ^= *random << 25;
    *random ^= *random >> 27;
    let bytes = random.wrapping_mul(0x2545_F491_4F6C_DD1D).to_be_bytes();
    Ok(Plaintext::from_little_endian(fhe_type, bytes.get(..fhe_type.bytes()).ok_or("a wide type")?)?)
}
