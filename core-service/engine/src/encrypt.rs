use std::fmt;

use tfhe::{
    CompactCiphertextList, CompactCiphertextListExpander, CompactPublicKey, CompressedServerKey,
    DeserializationConfig, FheBool, FheUint4, FheUint8, FheUint16, FheUint32, FheUint64, FheUint128,
    FheUint160, FheUint256, HlExpandable, SerializationConfig, ServerKey, Versionize,
    conformance::ParameterSetConformant,
    integer::U256,
    named::Named,
    prelude::{CiphertextList, Tagged},
};

use crate::{EncryptError, FheType, KeyError, ParameterSet, Plaintext, guard::guard};

/// Encrypts values under the published parts of a key. Loading takes seconds and, for the default parameters, 450 MB; load
/// once for many values.
pub struct Encryptor {
    public: CompactPublicKey,
    server: ServerKey,
}

impl Encryptor {
    /// Loads published parts, checking that they fit `params` and belong together. Whether they are the parts of the key that is
    /// meant is for the caller to check, by [`crate::key_digest`].
    pub fn load(params: ParameterSet, server: &[u8], public: &[u8]) -> Result<Self, KeyError> {
        let invalid = |part| KeyError::Invalid { part, params: params.name() };
        guard(|| {
            let public: CompactPublicKey =
                read(public, &params.encryption()).ok_or_else(|| invalid("public key"))?;
            let server: CompressedServerKey =
                read(server, &params.config().into()).ok_or_else(|| invalid("server key"))?;
            if public.tag() != server.tag() {
                return Err(KeyError::PartsDiffer);
            }
            Ok(Self { public, server: server.decompress() })
        })
        .unwrap_or(Err(KeyError::LibraryFailure { doing: "loading a server key" }))
    }

    /// The tag that ciphertexts made here carry.
    pub fn tag(&self) -> &[u8] {
        self.public.tag().data()
    }

    /// Encrypts a value to a raw ciphertext: the safe serialization of a `FheBool` or `FheUint` of its type.
    pub fn encrypt(&self, value: &Plaintext) -> Result<Vec<u8>, EncryptError> {
        let failed = EncryptError::LibraryFailure { doing: "encrypting a value" };
        guard(|| self.encrypt_unguarded(value)).flatten().ok_or(failed)
    }

    fn encrypt_unguarded(&self, value: &Plaintext) -> Option<Vec<u8>> {
        let mut list = CompactCiphertextList::builder(&self.public);
        let number = number(value);
        match value.fhe_type() {
            FheType::Bool => list.push(number != U256::ZERO),
            integer => list.push_with_num_bits(number, integer.bits()).ok()?,
        };
        let expanded = list.build_packed().expand_with_key(&self.server).ok()?;
        match value.fhe_type() {
            FheType::Bool => first::<FheBool>(&expanded),
            FheType::Uint4 => first::<FheUint4>(&expanded),
            FheType::Uint8 => first::<FheUint8>(&expanded),
            FheType::Uint16 => first::<FheUint16>(&expanded),
            FheType::Uint32 => first::<FheUint32>(&expanded),
            FheType::Uint64 => first::<FheUint64>(&expanded),
            FheType::Uint128 => first::<FheUint128>(&expanded),
            FheType::Address => first::<FheUint160>(&expanded),
            FheType::Uint256 => first::<FheUint256>(&expanded),
        }
    }
}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encryptor(tag {:?})", self.tag())
    }
}

fn number(value: &Plaintext) -> U256 {
    let [a, b, c, d] = *value.value().as_limbs();
    U256::from((u128::from(a) | u128::from(b) << 64, u128::from(c) | u128::from(d) << 64))
}

fn first<T>(expanded: &CompactCiphertextListExpander) -> Option<Vec<u8>>
where
    T: HlExpandable + Tagged + serde::Serialize + Versionize + Named,
{
    let ciphertext: T = expanded.get(0).ok()??;
    let mut bytes = Vec::new();
    SerializationConfig::new_with_unlimited_size().serialize_into(&ciphertext, &mut bytes).ok()?;
    Some(bytes)
}

/// Reads a published part, which must be conformant and end where the bytes end.
fn read<T>(stored: &[u8], params: &T::ParameterSet) -> Option<T>
where
    T: serde::de::DeserializeOwned + tfhe::Unversionize + Named + ParameterSetConformant,
{
    let limit = stored.len().try_into().ok()?;
    let mut rest = stored;
    let part = DeserializationConfig::new(limit).deserialize_from(&mut rest, params).ok()?;
    rest.is_empty().then_some(part)
}
