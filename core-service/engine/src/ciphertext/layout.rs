//! Mirrors of library types whose fields are private, filled from their bincode. The library's version is pinned, and
//! [`crate::self_test`] finds out whether they still fit.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tfhe::{
    ProvenCompactCiphertextList, Tag,
    core_crypto::{
        entities::compressed_modulus_switched_glwe_ciphertext::CompressedModulusSwitchedGlweCiphertext,
        prelude::{CiphertextModulus, LweCiphertextCount},
    },
    integer::{
        self,
        ciphertext::{CompressedCiphertextList, DataKind},
    },
    shortint::{self, AtomicPatternKind, CarryModulus, MessageModulus, ciphertext::CompactCiphertextList},
};

/// `integer::ciphertext::CompressedCiphertextList`, with the part that has a conformance check.
#[derive(Deserialize)]
pub(super) struct CheckedList {
    pub(super) packed_list: shortint::ciphertext::CompressedCiphertextList,
    #[allow(dead_code)]
    info: Vec<DataKind>,
}

/// The same, down to what is decrypted.
#[derive(Deserialize)]
pub(super) struct OpenList {
    pub(super) packed_list: OpenPackedList,
    pub(super) info: Vec<DataKind>,
}

#[derive(Deserialize)]
pub(super) struct OpenPackedList {
    pub(super) glwes: Vec<CompressedModulusSwitchedGlweCiphertext<u64>>,
    #[allow(dead_code)]
    meta: Option<Meta>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Meta {
    ciphertext_modulus: CiphertextModulus<u64>,
    message_modulus: MessageModulus,
    carry_modulus: CarryModulus,
    atomic_pattern: AtomicPatternKind,
    lwe_per_glwe: LweCiphertextCount,
}

/// Both views of a compressed list.
pub(super) fn open(list: &CompressedCiphertextList) -> Option<(CheckedList, OpenList)> {
    let bytes = bincode::serialize(list).ok()?;
    Some((whole(&bytes)?, whole(&bytes)?))
}

/// `ProvenCompactCiphertextList`.
#[derive(Deserialize)]
struct OpenProven {
    inner: integer::ProvenCompactCiphertextList,
    #[allow(dead_code)]
    tag: Tag,
}

/// A proven list without its proofs.
pub(crate) struct ProvenParts {
    /// As many as there are proofs.
    pub(crate) lists: Vec<CompactCiphertextList>,
    /// What its elements are.
    pub(crate) info: Vec<DataKind>,
}

/// Takes a proven list apart.
pub(crate) fn proven_parts(list: &ProvenCompactCiphertextList) -> Option<ProvenParts> {
    let open: OpenProven = mirrored(list)?;
    let (proved, info) = open.inner.into_raw_parts();
    let lists = proved.into_raw_parts().into_iter().map(|(list, _)| list).collect();
    Some(ProvenParts { lists, info })
}

fn mirrored<T: DeserializeOwned>(object: &impl Serialize) -> Option<T> {
    whole(&bincode::serialize(object).ok()?)
}

fn whole<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let mut rest = bytes;
    let object = bincode::deserialize_from(&mut rest).ok()?;
    rest.is_empty().then_some(object)
}
