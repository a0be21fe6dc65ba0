//! A key of [`ParameterSet::Test`] and ciphertexts under it, kept in the repository: written once by the pinned version of the
//! library (`cargo run -p kms-core-engine --example golden`), and read by every build.

use crate::{CiphertextFormat, DecryptionKey, Element, FheType, KeyError, ParameterSet, SecretKey};

/// A stored secret key, as good as public.
pub(crate) const SECRET: &[u8] = include_bytes!("../golden/secret.bin");
/// Its public key.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) const PUBLIC: &[u8] = include_bytes!("../golden/public.bin");

/// Stored ciphertexts and what they hold, in order.
pub(crate) struct Golden {
    pub(crate) format: CiphertextFormat,
    pub(crate) stored: &'static [u8],
    pub(crate) values: &'static [(FheType, &'static str)],
}

impl Golden {
    pub(crate) fn elements(&self) -> Vec<Element> {
        let declared = self.values.iter().map(|(declared, _)| *declared);
        (0..).zip(declared).map(|(index, declared)| Element { index, declared }).collect()
    }
}

/// One of each format. The compressed list fills more than one GLWE ciphertext.
pub(crate) const ALL: [Golden; 3] = [
    Golden {
        format: CiphertextFormat::Raw,
        stored: include_bytes!("../golden/raw.bin"),
        values: &[(FheType::Uint8, "201")],
    },
    Golden {
        format: CiphertextFormat::Compressed,
        stored: include_bytes!("../golden/compressed.bin"),
        values: &[
            (FheType::Bool, "true"),
            (FheType::Uint8, "201"),
            (FheType::Uint64, "16045690984503098046"),
            (FheType::Uint512, "3735928559"),
            (FheType::Address, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
        ],
    },
    Golden {
        format: CiphertextFormat::Compact,
        stored: include_bytes!("../golden/compact.bin"),
        values: &[
            (FheType::Bool, "true"),
            (FheType::Uint8, "201"),
            (FheType::Uint64, "16045690984503098046"),
            (FheType::Bool, "false"),
        ],
    },
];

pub(crate) fn key() -> Result<DecryptionKey, KeyError> {
    DecryptionKey::load(ParameterSet::Test, &SecretKey::from_bytes(SECRET.to_vec()))
}
