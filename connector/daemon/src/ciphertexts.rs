//! The bytes that a request's ciphertexts are stored as.

use std::collections::{HashMap, hash_map::Entry};

use bytes::Bytes;
use kms_asc_api::{Failure, Operation, RequestBody};
use kms_store::{Digest, Store, StoreError};

use crate::core::position;

/// What was found in the store.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// One entry for each ciphertext, in the body's order.
    All(Vec<Bytes>),
    /// There is nothing under the digest of the ciphertext at this position.
    Missing(u16),
}

/// Reads the ciphertexts of a request, or the list that it wants verified.
///
/// Bytes that do not match size or digest are handed on all the same, at most one byte more than the declared
/// size: the core is the one to sign what is wrong with them.
///
/// # Errors
/// When the store cannot be read now.
pub async fn read(store: &Store, body: &RequestBody) -> Result<Found, StoreError> {
    let wanted = body.operation.blobs();
    let mut known = HashMap::<_, Bytes>::new();
    let mut all = Vec::with_capacity(wanted.len());
    for (at, (digest, size)) in wanted.into_iter().enumerate() {
        let bytes = match known.entry((digest, size)) {
            Entry::Occupied(read) => read.get().clone(),
            Entry::Vacant(unread) => {
                match read_one(store, Digest::from_bytes(*digest.as_bytes()), size).await {
                    Ok(bytes) => unread.insert(bytes).clone(),
                    Err(StoreError::NotFound { .. }) => {
                        return Ok(Found::Missing(named(&body.operation, at)));
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        all.push(bytes);
    }
    Ok(Found::All(all))
}

/// How a failure names what is at this position. An input is none of the body's ciphertexts, so no position names it.
fn named(operation: &Operation, at: usize) -> u16 {
    match operation {
        Operation::VerifyInput(_) => Failure::NO_INDEX,
        _ => position(at),
    }
}

async fn read_one(store: &Store, digest: Digest, size: u64) -> Result<Bytes, StoreError> {
    match store.get_ciphertext(digest, size).await {
        Err(error @ (StoreError::SizeMismatch { .. } | StoreError::DigestMismatch { .. })) => {
            tracing::warn!(%digest, code = error.code(), %error, "handing over a ciphertext that does not match");
            store.get_ciphertext_unchecked(digest, size.saturating_add(1)).await
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use kms_asc_api::{
        Ciphertext, CiphertextFormat, CrsId, EvmAddress, FheType, Handle, KeyId, Operation, Provenance,
        PublicDecrypt, VerifyInput,
    };
    use tempfile::TempDir;
    use url::Url;

    use super::*;
    use crate::fixture::facts;

    fn store() -> (TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Url::from_directory_path(folder.path()).unwrap()).unwrap();
        (folder, store)
    }

    fn body(declared: &[(&[u8], u64)]) -> RequestBody {
        let ciphertext = |(bytes, size): &(&[u8], u64)| Ciphertext {
            handle: Handle::new([0; 32]),
            digest: kms_asc_api::Digest::sha256(bytes),
            size: *size,
            fhe_type: FheType::Uint8,
            format: CiphertextFormat::Raw,
            index: 0,
            provenance: Provenance::Unproven,
        };
        let operation = Operation::PublicDecrypt(PublicDecrypt {
            key_id: KeyId(1),
            ciphertexts: declared.iter().map(ciphertext).collect(),
            domain: None,
            extra_data: Vec::new().into(),
        });
        RequestBody { operation, ..facts(7).body }
    }

    #[tokio::test]
    async fn ciphertexts_come_in_the_order_of_the_body_also_when_one_is_named_twice() {
        let (_folder, store) = store();
        for bytes in [b"one", b"two"] {
            store.put_ciphertext(bytes.to_vec()).await.unwrap();
        }
        let found = read(&store, &body(&[(b"two", 3), (b"one", 3), (b"two", 3)])).await.unwrap();
        assert_eq!(found, Found::All(["two", "one", "two"].map(Bytes::from).to_vec()));
        assert_eq!(read(&store, &facts(7).body).await.unwrap(), Found::All(vec![]));
    }

    #[tokio::test]
    async fn a_missing_one_is_named_by_its_position() {
        let (_folder, store) = store();
        store.put_ciphertext(b"one".to_vec()).await.unwrap();
        assert_eq!(read(&store, &body(&[(b"one", 3), (b"two", 3)])).await.unwrap(), Found::Missing(1));
    }

    #[tokio::test]
    async fn the_list_of_an_input_is_read_and_named_by_no_position_where_it_is_missing() {
        let (_folder, store) = store();
        let input = VerifyInput {
            key_id: KeyId(1),
            crs_id: CrsId(2),
            digest: kms_asc_api::Digest::sha256(b"list"),
            size: 4,
            user: EvmAddress::new([1; 20]),
            contract: EvmAddress::new([2; 20]),
            acl: EvmAddress::ZERO,
            chain_id: 9000,
            domain: None,
            extra_data: Vec::new().into(),
        };
        let body = RequestBody { operation: Operation::VerifyInput(input), ..facts(7).body };
        assert_eq!(read(&store, &body).await.unwrap(), Found::Missing(Failure::NO_INDEX));
        store.put_ciphertext(b"list".to_vec()).await.unwrap();
        assert_eq!(read(&store, &body).await.unwrap(), Found::All(vec![Bytes::from("list")]));
    }

    #[tokio::test]
    async fn bytes_that_do_not_match_are_handed_on_for_the_core_to_judge() {
        let (folder, store) = store();
        let digest = store.put_ciphertext(b"12345678".to_vec()).await.unwrap();
        let declared_small = read(&store, &body(&[(b"12345678", 4)])).await.unwrap();
        assert_eq!(declared_small, Found::All(vec![Bytes::from("12345")]), "one byte more than declared");
        let declared_large = read(&store, &body(&[(b"12345678", 9)])).await.unwrap();
        assert_eq!(declared_large, Found::All(vec![Bytes::from("12345678")]));

        let name = digest.to_string();
        let object = folder.path().join("ciphertext").join(name.trim_start_matches("0x"));
        std::fs::write(object, b"damaged!").unwrap();
        let damaged = read(&store, &body(&[(b"12345678", 8)])).await.unwrap();
        assert_eq!(damaged, Found::All(vec![Bytes::from("damaged!")]));
    }
}
