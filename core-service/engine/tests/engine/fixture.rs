//! Keys shared by all tests of this binary, and what attackers and computing servers do with them.

use std::sync::OnceLock;

use kms_core_engine::{
    CiphertextError, CiphertextFormat, DecryptionKey, Element, Encryptor, FheType, InputVerifier,
    KeyMaterial, ParameterSet, Plaintext, Prover, ReferenceString, generate, generate_crs,
};
use serde::{Serialize, de::DeserializeOwned};
use tfhe::{
    ClientKey, CompressedServerKey, FheUint, FheUint512Id, FheUint1024Id, FheUint2048Id, FheUintId,
    ServerKey, Tag, Unversionize, Versionize,
    core_crypto::prelude::LweSecretKeyOwned,
    integer::bigint::StaticUnsignedBigInt,
    named::Named,
    prelude::FheTryEncrypt,
    safe_serialization::{safe_deserialize, safe_serialize},
    shortint::client_key::atomic_pattern::AtomicPatternClientKey,
};

pub const KEY_ID: u64 = 7;

pub struct Key {
    pub params: ParameterSet,
    pub material: KeyMaterial,
    pub decryption: DecryptionKey,
    pub encryptor: Encryptor,
    server: OnceLock<ServerKey>,
}

/// A ciphertext read back, or why not.
pub type Read = Result<Plaintext, CiphertextError>;

impl Key {
    fn new(params: ParameterSet, key_id: u64) -> Self {
        let material = generate(params, key_id).unwrap();
        let decryption = DecryptionKey::load(params, &material.secret).unwrap();
        let [server, public] = material.published.as_slice() else { panic!("two parts are published") };
        let encryptor = Encryptor::load(params, &server.bytes, &public.bytes).unwrap();
        Self { params, material, decryption, encryptor, server: OnceLock::new() }
    }

    pub fn encrypt(&self, fhe_type: FheType, value: &str) -> Vec<u8> {
        self.encryptor.encrypt_raw(&Plaintext::parse(fhe_type, value).unwrap()).unwrap()
    }

    /// Reads a raw ciphertext.
    pub fn decrypt(&self, stored: &[u8], declared: FheType) -> Read {
        self.element(stored, CiphertextFormat::Raw, 0, declared)
    }

    pub fn decrypted(&self, stored: &[u8], fhe_type: FheType) -> String {
        self.decrypt(stored, fhe_type).unwrap().to_string()
    }

    pub fn element(&self, stored: &[u8], format: CiphertextFormat, index: u16, declared: FheType) -> Read {
        self.decryption.decrypt(stored, format, &[Element { index, declared }]).pop().unwrap()
    }

    /// Reads a whole list whose types are known.
    pub fn list(&self, stored: &[u8], format: CiphertextFormat, types: &[FheType]) -> Vec<Read> {
        let elements = (0..).zip(types).map(|(index, declared)| Element { index, declared: *declared });
        self.decryption.decrypt(stored, format, &elements.collect::<Vec<_>>())
    }

    pub fn public(&self) -> &[u8] {
        &self.material.published[1].bytes
    }

    pub fn prover(&self, string: &ReferenceString) -> Prover {
        Prover::load(self.public(), string).unwrap()
    }

    pub fn verifier(&self, string: &ReferenceString) -> InputVerifier {
        InputVerifier::load(self.public(), string).unwrap()
    }

    pub fn client(&self) -> ClientKey {
        read(self.material.secret.as_bytes())
    }

    /// The key as a computing server has it.
    pub fn server(&self) -> ServerKey {
        let read = || read::<CompressedServerKey>(&self.material.published[0].bytes).decompress();
        self.server.get_or_init(read).clone()
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

/// A reference string.
pub struct Crs {
    pub bytes: Vec<u8>,
    pub string: ReferenceString,
}

/// Reference strings for the quick keys, made and checked once: that is what takes time in these tests.
macro_rules! shared_crs {
    ($($name:ident: $bits:expr;)*) => {$(
        pub fn $name() -> &'static Crs {
            static CRS: OnceLock<Crs> = OnceLock::new();
            CRS.get_or_init(|| {
                let bytes = generate_crs(ParameterSet::Test, $bits).unwrap();
                let string = ReferenceString::load(ParameterSet::Test, &bytes).unwrap();
                Crs { bytes, string }
            })
        }
    )*};
}

shared_crs! {
    tiny_crs: 15;
    small_crs: 126;
    long_crs: 2048;
}

/// A raw ciphertext of each of [`SAMPLES`] under the key of real use, made once. Whoever has no secret encrypts by a bootstrap
/// for every two bits, so the widest are encrypted by the key's owner.
pub fn sealed() -> &'static [Vec<u8>] {
    static SEALED: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let seal = |(fhe_type, value)| match fhe_type {
        FheType::Uint512 => owners::<FheUint512Id>(fhe_type, value),
        FheType::Uint1024 => owners::<FheUint1024Id>(fhe_type, value),
        FheType::Uint2048 => owners::<FheUint2048Id>(fhe_type, value),
        _ => real().encrypt(fhe_type, value),
    };
    SEALED.get_or_init(|| SAMPLES.map(seal).into())
}

fn owners<Id: FheUintId>(fhe_type: FheType, value: &str) -> Vec<u8>
where
    FheUint<Id>: Serialize + Versionize + Named,
{
    let mut bytes = Plaintext::parse(fhe_type, value).unwrap().little_endian();
    bytes.resize(256, 0);
    let mut value = StaticUnsignedBigInt::<32>::ZERO;
    value.copy_from_le_byte_slice(&bytes);
    write(&FheUint::<Id>::try_encrypt(value, &real().client()).unwrap())
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
pub const SAMPLES: [(FheType, &str); 12] = [
    (FheType::Bool, "true"),
    (FheType::Uint4, "9"),
    (FheType::Uint8, "201"),
    (FheType::Uint16, "51966"),
    (FheType::Uint32, "3735928559"),
    (FheType::Uint64, "16045690984503098046"),
    (FheType::Uint128, "295990755076957304691749060218571620030"),
    (FheType::Address, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
    (FheType::Uint256, "100720434726375746010458024839911619878118703404436202866098422983289408962287"),
    (
        FheType::Uint512,
        "13407807929942597099574024998205846127479365820592393377723561443721764030073546976801874298166903427690031858186486050853753882811946569946433649006084095",
    ),
    (
        FheType::Uint1024,
        "170000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
    ),
    (
        FheType::Uint2048,
        "32317006071311007300714876688669951960444102669715484032130345427524655138867890893197201411522913463688717960921898019494119559150490921095088152386448283120630877367300996091750197750389652106796057638384067568276792218642619756161838094338476170470581645852036305042887575891541065808607552399123930385521",
    ),
];

/// The samples as values.
pub fn samples() -> Vec<Plaintext> {
    SAMPLES.map(|(fhe_type, value)| Plaintext::parse(fhe_type, value).unwrap()).into()
}

/// xorshift64*: the same choices in every run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound
    }

    pub fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn value(&mut self, fhe_type: FheType) -> Plaintext {
        let mut bytes: Vec<u8> = (0..fhe_type.bytes()).map(|_| self.byte()).collect();
        match fhe_type {
            FheType::Bool => bytes[0] &= 1,
            FheType::Uint4 => bytes[0] &= 15,
            _ => {}
        }
        Plaintext::from_little_endian(fhe_type, &bytes).unwrap()
    }

    /// The same bytes with one fault.
    pub fn mutated(&mut self, original: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        // Structure is in the first bytes, in the last, and between blocks; the rest is noise.
        let at = match self.below(3) {
            0 => self.below(bytes.len().min(400)),
            1 => bytes.len() - 1 - self.below(bytes.len().min(200)),
            _ => self.below(bytes.len()),
        };
        match self.below(6) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = self.byte(),
            2 => bytes.truncate(at),
            3 => drop(bytes.remove(at)),
            4 => bytes.insert(at, self.byte()),
            _ => {
                // A length of which nobody has that much memory.
                let end = bytes.len().min(at + 8);
                bytes[at..end].fill(0xFF);
            }
        }
        bytes
    }
}
