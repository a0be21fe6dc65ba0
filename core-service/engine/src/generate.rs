use std::fmt;

use serde::Serialize;
use tfhe::{
    ClientKey, CompactPublicKey, CompressedServerKey, SerializationConfig, Versionize, named::Named,
    prelude::Tagged,
};

use crate::{KeyError, KeyType, ParameterSet, PublishedPart, SecretKey, guard::guard, secret::wipe};

/// A new key.
pub struct KeyMaterial {
    /// The private parts, for the vault.
    pub secret: SecretKey,
    /// The parts for everybody, ascending by type: server, public.
    pub published: Vec<PublishedPart>,
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyMaterial({:?}, {:?})", self.secret, self.published)
    }
}

/// Generates a key from the operating system's randomness and tags all of it with `key_id`.
///
/// For [`ParameterSet::Default`]: some seconds of all cores, 76 MB of published bytes.
pub fn generate(params: ParameterSet, key_id: u64) -> Result<KeyMaterial, KeyError> {
    let failed = KeyError::LibraryFailure { doing: "generating a key" };
    guard(|| generate_unguarded(params, key_id)).unwrap_or(Err(failed))
}

fn generate_unguarded(params: ParameterSet, key_id: u64) -> Result<KeyMaterial, KeyError> {
    let mut client = ClientKey::generate(params.config());
    client.tag_mut().set_u64(key_id);
    let server = CompressedServerKey::new(&client);
    let public = CompactPublicKey::try_new(&client)
        .map_err(|_| KeyError::LibraryFailure { doing: "generating a public key" })?;

    let secret = serialize(&client).map(SecretKey::from_bytes);
    wipe(client);
    Ok(KeyMaterial {
        secret: secret?,
        published: vec![
            PublishedPart { key_type: KeyType::Server, bytes: serialize(&server)? },
            PublishedPart { key_type: KeyType::Public, bytes: serialize(&public)? },
        ],
    })
}

/// Serializes into a buffer of the exact size, so that growing it leaves no copies of a secret behind.
pub(crate) fn serialize<T: Serialize + Versionize + Named>(object: &T) -> Result<Vec<u8>, KeyError> {
    let failed = KeyError::LibraryFailure { doing: "serializing a key" };
    let config = SerializationConfig::new_with_unlimited_size();
    let size = config.serialized_size(object).ok().and_then(|size| usize::try_from(size).ok());
    let mut bytes = Vec::with_capacity(size.ok_or_else(|| failed.clone())?);
    config.serialize_into(object, &mut bytes).map_err(|_| failed)?;
    Ok(bytes)
}
