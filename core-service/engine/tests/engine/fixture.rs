//! Keys shared by all tests of this binary, and what attackers and computing servers do with them.

use std::sync::OnceLock;

use kms_core_engine::{DecryptionKey, Encryptor, FheType, KeyMaterial, ParameterSet, Plaintext, generate};
use serde::{Serialize, de::DeserializeOwned};
use tfhe::{
    ClientKey, CompressedServerKey, ServerKey, Tag, Unversionize, Versionize,
    core_crypto::prelude::LweSecretKeyOwned,
    named::Named,
    safe_serialization::{safe_deserialize, safe_serialize},
    shortint::client_key::atomic_pattern::AtomicPatternClientKey,
};

pub const KEY_ID: u64 = 7;

pub struct Key {
    pub material: KeyMaterial,
    pub decryption: DecryptionKey,
    pub encryptor: Encryptor,
}

impl Key {
    fn new(params: ParameterSet, key_id: u64) -> Self {
        let material = generate(params, key_id).unwrap();
        let decryption = DecryptionKey::load(params, &material.secret).unwrap();
        let [server, public] = material.published.as_slice() else { panic!("two parts are published") };
        let encryptor = Encryptor::load(params, &server.bytes, &public.bytes).unwrap();
        Self { material, decryption, encryptor }
    }

    pub fn encrypt(&self, fhe_type: FheType, value: &str) -> Vec<u8> {
        self.encryptor.encrypt(&Plaintext::parse(fhe_type, value).unwrap()).unwrap()
    }

    pub fn decrypted(&self, stored: &[u8], fhe_type: FheType) -> String {
        self.decryption.decrypt(stored, fhe_type).unwrap().to_string()
    }

    pub fn client(&self) -> ClientKey {
        read(self.material.secret.as_bytes())
    }

    /// The key as a computing server has it.
    pub fn server(&self) -> ServerKey {
        read::<CompressedServerKey>(&self.material.published[0].bytes).decompress()
    }

    /// The true secret, to judge by.
    pub fn lwe(&self) -> LweSecretKeyOwned<u64> {
        match self.client().into_raw_parts().0.into_raw_parts().atomic_pattern {
            AtomicPatternClientKey::Standard(key) => key.into_raw_parts().0.into_lwe_secret_key(),
            AtomicPatternClientKey::KeySwitch32(_) => panic!("keys are of the standard pattern"),
        }
    }
}

macro_rules! shared_key {
    ($(#[$doc:meta] $name:ident: $params:expr, $key_id:expr;)*) => {$(
        #[$doc]
        pub fn $name() -> &'static Key {
            static KEY: OnceLock<Key> = OnceLock::new();
            KEY.get_or_init(|| Key::new($params, $key_id))
        }
    )*};
}

shared_key! {
    /// A key with the parameters of real use.
    real: ParameterSet::Default, KEY_ID;
    /// A quick key.
    small: ParameterSet::Test, KEY_ID;
    /// Another quick key with the same id, as on another chain.
    same_id: ParameterSet::Test, KEY_ID;
    /// A quick key with another id.
    other_id: ParameterSet::Test, KEY_ID + 1;
}

pub fn tag() -> Tag {
    let mut tag = Tag::default();
    tag.set_u64(KEY_ID);
    tag
}

pub fn write<T: Serialize + Versionize + Named>(object: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    safe_serialize(object, &mut bytes, u64::MAX).unwrap();
    bytes
}

pub fn read<T: DeserializeOwned + Unversionize + Named>(bytes: &[u8]) -> T {
    safe_deserialize(bytes, u64::MAX).unwrap()
}

/// Some value of each type.
pub const SAMPLES: [(FheType, &str); 9] = [
    (FheType::Bool, "true"),
    (FheType::Uint4, "9"),
    (FheType::Uint8, "201"),
    (FheType::Uint16, "51966"),
    (FheType::Uint32, "3735928559"),
    (FheType::Uint64, "16045690984503098046"),
    (FheType::Uint128, "295990755076957304691749060218571620030"),
    (FheType::Address, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
    (FheType::Uint256, "100720434726375746010458024839911619878118703404436202866098422983289408962287"),
];
