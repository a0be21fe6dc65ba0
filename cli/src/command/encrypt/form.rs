//! The forms in which values are encrypted, and the references to what comes out.

use std::sync::Arc;

use kms_asc_api::{
    Ciphertext, CiphertextFormat, CrsRecord, Digest, Handle, KeyId, KeyRecord, KeyType, Provenance,
};
use kms_core_engine::{EncryptError, Encryptor, FheType, Plaintext, Prover, ReferenceString};

use crate::{
    context::Context,
    error::{Error, Result},
    published,
    reference::{InputClaim, Reference},
};

/// How values are encrypted, with all that it takes.
pub struct Form {
    key_id: KeyId,
    /// Chain and access-control contract that handles name.
    chain_id: u64,
    acl: [u8; 20],
    tool: Tool,
}

#[derive(Clone)]
enum Tool {
    Raw(Arc<Encryptor>),
    Compressed(Arc<Encryptor>),
    Proven(Arc<Prover>, InputClaim),
}

/// Stored bytes and what is in them.
pub struct Blob {
    pub bytes: Vec<u8>,
    types: Vec<FheType>,
    key_id: KeyId,
    format: CiphertextFormat,
    chain_id: u64,
    acl: [u8; 20],
    claim: Option<InputClaim>,
}

impl Form {
    /// Raw ciphertexts, or one compressed list: both need the server key.
    pub async fn under_server_key(context: &Context, key: &KeyRecord, compressed: bool) -> Result<Self> {
        let published = published::load(context, key).await?;
        let _step = context.progress.begin(format_args!("loading key {}", key.id));
        let params = published::params(key.params);
        let load = move || Encryptor::load(params, &published.server, &published.public);
        let encryptor = Arc::new(on_a_thread(load).await??);
        let tool = if compressed { Tool::Compressed(encryptor) } else { Tool::Raw(encryptor) };
        // Handles of what is nobody's input name the chain of the key's domain.
        Ok(Self { key_id: key.id, chain_id: key.domain.chain_id, acl: [0; 20], tool })
    }

    /// One proven list.
    pub async fn proven(
        context: &Context,
        key: &KeyRecord,
        crs: &CrsRecord,
        claim: InputClaim,
    ) -> Result<Self> {
        let public = published::part(context, key, KeyType::Public).await?.bytes;
        let crs = published::crs(context, crs).await?.bytes;
        let params = published::params(key.params);
        let string = {
            let _step = context.progress.begin("checking the reference string");
            on_a_thread(move || ReferenceString::load(params, &crs)).await??
        };
        let prover = Prover::load(&public, &string)?;
        let tool = Tool::Proven(Arc::new(prover), claim);
        let (chain_id, acl) = (claim.binding.chain_id, *claim.binding.acl.as_bytes());
        Ok(Self { key_id: key.id, chain_id, acl, tool })
    }

    /// One blob for each value, or one for all of them.
    pub async fn encrypt(&self, context: &Context, values: &[Plaintext]) -> Result<Vec<Blob>> {
        let step = context.progress.begin("encrypting");
        if !matches!(self.tool, Tool::Raw(_)) {
            step.update(self.doing(values.len()));
            return Ok(vec![self.blob(values.to_vec()).await?]);
        }
        let mut blobs = Vec::with_capacity(values.len());
        for (position, value) in (1..).zip(values) {
            step.update(format_args!("encrypting value {position} of {}", values.len()));
            blobs.push(self.blob(vec![*value]).await?);
        }
        Ok(blobs)
    }

    fn doing(&self, count: usize) -> String {
        match self.tool {
            Tool::Proven(..) => format!("encrypting {count} values and proving that they are an input"),
            _ => format!("encrypting {count} values"),
        }
    }

    async fn blob(&self, values: Vec<Plaintext>) -> Result<Blob> {
        let (tool, types) = (self.tool.clone(), values.iter().map(Plaintext::fhe_type).collect());
        let (format, claim) = match &tool {
            Tool::Raw(_) => (CiphertextFormat::Raw, None),
            Tool::Compressed(_) => (CiphertextFormat::Compressed, None),
            Tool::Proven(_, claim) => (CiphertextFormat::Compact, Some(*claim)),
        };
        let bytes = on_a_thread(move || tool.encrypt(&values)).await??;
        let &Self { key_id, chain_id, acl, .. } = self;
        Ok(Blob { bytes, types, key_id, format, chain_id, acl, claim })
    }
}

impl Tool {
    fn encrypt(&self, values: &[Plaintext]) -> Result<Vec<u8>, EncryptError> {
        match self {
            Self::Raw(encryptor) => match values {
                [value] => encryptor.encrypt_raw(value),
                _ => Err(EncryptError::ValueCount { count: values.len(), max: 1 }),
            },
            Self::Compressed(encryptor) => encryptor.encrypt_compressed(values),
            Self::Proven(prover, claim) => prover.encrypt_proven(values, &claim.binding.metadata()),
        }
    }
}

impl Blob {
    /// A reference to each element, in order.
    pub fn references(&self) -> Result<Vec<Reference>> {
        let internal = |error: &dyn std::fmt::Display| Error::Internal(error.to_string());
        let digest = Digest::sha256(&self.bytes);
        let size = u64::try_from(self.bytes.len()).map_err(|error| internal(&error))?;
        let reference = |(index, fhe_type): (usize, &FheType)| {
            let position = u8::try_from(index).map_err(|error| internal(&error))?;
            let handle =
                kms_core_engine::Handle::derive(&self.bytes, position, self.acl, self.chain_id, *fhe_type);
            Ok(Reference {
                key_id: self.key_id,
                ciphertext: Ciphertext {
                    handle: Handle::new(handle.to_bytes()),
                    digest,
                    size,
                    fhe_type: kms_asc_api::FheType::try_from(fhe_type.number())
                        .map_err(|error| internal(&error))?,
                    format: self.format,
                    index: u16::from(position),
                    provenance: Provenance::Unproven,
                },
                claim: self.claim,
            })
        };
        self.types.iter().enumerate().map(reference).collect()
    }
}

/// Work that would keep a spinner from turning.
async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(types: Vec<FheType>, format: CiphertextFormat) -> Blob {
        let bytes = b"bytes".to_vec();
        Blob { bytes, types, key_id: KeyId(3), format, chain_id: 31337, acl: [9; 20], claim: None }
    }

    #[test]
    fn a_reference_says_what_the_contract_and_the_core_will_check() {
        for fhe_type in FheType::ALL {
            let references = blob(vec![fhe_type], CiphertextFormat::Raw).references().unwrap();
            let [Reference { key_id, ciphertext, claim: None }] = references.as_slice() else {
                panic!("{references:?}")
            };
            assert_eq!((*key_id, ciphertext.size, ciphertext.index), (KeyId(3), 5, 0));
            assert_eq!(ciphertext.digest, Digest::sha256(b"bytes"));
            assert_eq!(ciphertext.handle.fhe_type_number(), fhe_type.number());
            assert_eq!(ciphertext.fhe_type.number(), fhe_type.number());
            assert_eq!(ciphertext.handle.as_bytes()[22..30], 31337u64.to_be_bytes());
        }
    }

    #[test]
    fn the_elements_of_a_list_differ_in_position_type_and_handle() {
        let list = blob(vec![FheType::Bool, FheType::Uint8], CiphertextFormat::Compressed);
        let references = list.references().unwrap();
        let ciphertexts: Vec<_> = references.iter().map(|reference| &reference.ciphertext).collect();
        assert_eq!(ciphertexts.iter().map(|one| one.index).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(ciphertexts[0].digest, ciphertexts[1].digest);
        assert_eq!(ciphertexts[1].handle.as_bytes()[21], 1);
        assert_ne!(ciphertexts[0].handle.as_bytes()[..21], ciphertexts[1].handle.as_bytes()[..21]);
    }
}
