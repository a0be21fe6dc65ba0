//! Encryption, by whoever has the published parts of a key.

mod prover;

use std::fmt;

pub use prover::Prover;
use tfhe::{
    CompactCiphertextList, CompactCiphertextListBuilder, CompactCiphertextListExpander, CompactPublicKey,
    CompressedCiphertextListBuilder, CompressedServerKey, DeserializationConfig, FheBool, FheUint4, FheUint8,
    FheUint16, FheUint32, FheUint64, FheUint128, FheUint160, FheUint256, FheUint512, FheUint1024,
    FheUint2048, HlCompressible, HlExpandable, ServerKey, Versionize,
    conformance::ParameterSetConformant,
    integer::bigint::StaticUnsignedBigInt,
    named::Named,
    prelude::{CiphertextList, Tagged},
    with_server_key_as_context,
};

use crate::{EncryptError, FheType, KeyError, ParameterSet, Plaintext, generate::serialize, guard::guard};

/// Encrypts values under the published parts of a key. Loading takes seconds and, for the default parameters, 450 MB; load
/// once for many values. For proven lists see [`Prover`], which needs no server key.
pub struct Encryptor {
    public: CompactPublicKey,
    server: ServerKey,
}

/// Does the same for ciphertexts of each type.
macro_rules! by_type {
    ($fhe_type:expr, $work:ident($($argument:expr),*)) => {
        match $fhe_type {
            FheType::Bool => $work::<FheBool>($($argument),*),
            FheType::Uint4 => $work::<FheUint4>($($argument),*),
            FheType::Uint8 => $work::<FheUint8>($($argument),*),
            FheType::Uint16 => $work::<FheUint16>($($argument),*),
            FheType::Uint32 => $work::<FheUint32>($($argument),*),
            FheType::Uint64 => $work::<FheUint64>($($argument),*),
            FheType::Uint128 => $work::<FheUint128>($($argument),*),
            FheType::Address => $work::<FheUint160>($($argument),*),
            FheType::Uint256 => $work::<FheUint256>($($argument),*),
            FheType::Uint512 => $work::<FheUint512>($($argument),*),
            FheType::Uint1024 => $work::<FheUint1024>($($argument),*),
            FheType::Uint2048 => $work::<FheUint2048>($($argument),*),
        }
    };
}

impl Encryptor {
    /// Loads published parts, checking that they fit `params` and belong together. Whether they are the parts of the key that is
    /// meant is for the caller to check, by [`crate::key_digest`].
    pub fn load(params: ParameterSet, server: &[u8], public: &[u8]) -> Result<Self, KeyError> {
        let invalid = |part| KeyError::Invalid { part, params: params.name() };
        guard(|| {
            let public = read_public_key(params, public).ok_or_else(|| invalid("public key"))?;
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
    pub fn encrypt_raw(&self, value: &Plaintext) -> Result<Vec<u8>, EncryptError> {
        let failed = EncryptError::LibraryFailure { doing: "encrypting a value" };
        let encrypt = || {
            let expanded = self.fresh(std::slice::from_ref(value))?;
            by_type!(value.fhe_type(), raw(&expanded))
        };
        guard(encrypt).flatten().ok_or(failed)
    }

    /// Encrypts values to one compressed list, in order: the safe serialization of a `CompressedCiphertextList`.
    ///
    /// Any number of values but none; the elements after the 65,536th cannot be named, and a core refuses more than 4 MiB.
    pub fn encrypt_compressed(&self, values: &[Plaintext]) -> Result<Vec<u8>, EncryptError> {
        if values.is_empty() {
            return Err(EncryptError::ValueCount { count: 0, max: usize::from(u16::MAX) + 1 });
        }
        let failed = EncryptError::LibraryFailure { doing: "encrypting a compressed list" };
        guard(|| self.compress(values)).flatten().ok_or(failed)
    }

    fn compress(&self, values: &[Plaintext]) -> Option<Vec<u8>> {
        let expanded = self.fresh(values)?;
        let mut list = CompressedCiphertextListBuilder::new();
        for (index, value) in values.iter().enumerate() {
            by_type!(value.fhe_type(), compress(&mut list, &expanded, index))?;
        }
        let list = with_server_key_as_context(self.server.clone(), || list.build()).ok()?;
        serialize(&list).ok()
    }

    /// Fresh ciphertexts of `values`, as the server computes on them.
    fn fresh(&self, values: &[Plaintext]) -> Option<CompactCiphertextListExpander> {
        let mut list = CompactCiphertextList::builder(&self.public);
        push(&mut list, values)?;
        list.build_packed().expand_with_key(&self.server).ok()
    }
}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encryptor(tag {:?})", self.tag())
    }
}

fn push(list: &mut CompactCiphertextListBuilder, values: &[Plaintext]) -> Option<()> {
    for value in values {
        match value.fhe_type() {
            FheType::Bool => list.push(!value.value().is_zero()),
            integer => {
                let number = StaticUnsignedBigInt::<32>::from(*value.value().as_limbs());
                list.push_with_num_bits(number, integer.bits()).ok()?
            }
        };
    }
    Some(())
}

fn raw<T>(expanded: &CompactCiphertextListExpander) -> Option<Vec<u8>>
where
    T: HlExpandable + Tagged + serde::Serialize + Versionize + Named,
{
    let ciphertext: T = expanded.get(0).ok()??;
    serialize(&ciphertext).ok()
}

fn compress<T: HlExpandable + Tagged + HlCompressible>(
    list: &mut CompressedCiphertextListBuilder,
    expanded: &CompactCiphertextListExpander,
    index: usize,
) -> Option<()> {
    let ciphertext: T = expanded.get(index).ok()??;
    list.push(ciphertext);
    Some(())
}

/// Reads a published public key of `params`.
pub(crate) fn read_public_key(params: ParameterSet, stored: &[u8]) -> Option<CompactPublicKey> {
    read(stored, &params.encryption())
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
