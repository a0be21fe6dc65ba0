//! A store returns the bytes that were put, or says why not; never others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use futures::future::join_all;
use kms_store::{Digest, Store, StoreError};
use tempfile::TempDir;
use url::Url;

struct Fixture {
    store: Store,
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store = Store::open(&Url::from_directory_path(folder.path()).unwrap()).unwrap();
        Self { store, folder }
    }

    fn file(&self, kind: &str, digest: Digest) -> PathBuf {
        self.folder.path().join(kind).join(digest.to_string().trim_start_matches("0x"))
    }
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

/// Some digest that is not SHA-256, to see that published material is named by the caller's.
fn reversed_sha256(bytes: &[u8]) -> [u8; 32] {
    let mut digest = Digest::of_ciphertext(bytes).to_bytes();
    digest.reverse();
    digest
}

#[tokio::test]
async fn what_was_put_is_read_back_and_put_again_without_harm() {
    let f = Fixture::new();
    let digest = f.store.put_ciphertext(vec![1, 2, 3]).await.unwrap();
    assert_eq!(f.store.put_ciphertext(vec![1, 2, 3]).await.unwrap(), digest);
    assert_eq!(digest, Digest::of_ciphertext(&[1, 2, 3]));
    assert_eq!(f.store.get_ciphertext(digest, 3).await.unwrap(), vec![1, 2, 3]);
    assert_eq!(names(&f.folder.path().join("ciphertext")).len(), 1);
}

#[tokio::test]
async fn published_material_is_named_and_checked_by_its_own_digest() {
    let f = Fixture::new();
    let digest = f.store.put_public(vec![7; 1000], reversed_sha256).await.unwrap();
    assert_eq!(digest.to_bytes(), reversed_sha256(&[7; 1000]));
    assert_eq!(f.store.get_public(digest, 1000, reversed_sha256).await.unwrap(), vec![7; 1000]);

    let error = f.store.get_ciphertext(digest, 1000).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    fs::write(f.file("public", digest), [8; 1000]).unwrap();
    let error = f.store.get_public(digest, 1000, reversed_sha256).await.unwrap_err();
    assert!(matches!(error, StoreError::DigestMismatch { .. }), "{error}");
}

#[tokio::test]
async fn a_missing_object_is_an_error_worth_a_retry() {
    let f = Fixture::new();
    let error = f.store.get_ciphertext(Digest::of_ciphertext(b"x"), 1).await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), ("store_not_found", true));
}

#[tokio::test]
async fn a_changed_object_is_refused_and_mended_by_putting_it_again() {
    let f = Fixture::new();
    let digest = f.store.put_ciphertext(vec![5; 100]).await.unwrap();
    let mut bytes = vec![5; 100];
    bytes[50] ^= 1;
    fs::write(f.file("ciphertext", digest), bytes).unwrap();

    let error = f.store.get_ciphertext(digest, 100).await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), ("store_digest_mismatch", false));
    f.store.put_ciphertext(vec![5; 100]).await.unwrap();
    assert_eq!(f.store.get_ciphertext(digest, 100).await.unwrap(), vec![5; 100]);
}

#[tokio::test]
async fn an_object_of_another_size_is_refused_with_both_sizes() {
    let f = Fixture::new();
    let digest = f.store.put_ciphertext(vec![5; 100]).await.unwrap();
    fs::write(f.file("ciphertext", digest), [5; 99]).unwrap();

    let error = f.store.get_ciphertext(digest, 100).await.unwrap_err();
    assert!(matches!(error, StoreError::SizeMismatch { expected: 100, found: 99, .. }), "{error}");
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn published_material_over_the_limit_is_not_read() {
    let f = Fixture::new();
    let digest = f.store.put_public(vec![7; 1000], reversed_sha256).await.unwrap();
    let error = f.store.get_public(digest, 999, reversed_sha256).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { size: 1000, max: 999, .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_of_one_object_leave_one_whole_object_and_no_rests() {
    let f = Fixture::new();
    let bytes = bytes::Bytes::from(vec![9; 1 << 20]);
    let digest = Digest::of_ciphertext(&bytes);
    let writers = (0..16).map(|_| f.store.put_ciphertext(bytes.clone()));
    let readers = (0..16).map(|_| f.store.get_ciphertext(digest, 1 << 20));
    let (written, read) = futures::join!(join_all(writers), join_all(readers));

    for result in written {
        assert_eq!(result.unwrap(), digest);
    }
    for result in read {
        assert!(
            matches!(&result, Ok(b) if *b == bytes) || matches!(&result, Err(StoreError::NotFound { .. }))
        );
    }
    assert_eq!(f.store.get_ciphertext(digest, 1 << 20).await.unwrap(), bytes);
    assert_eq!(names(&f.folder.path().join("ciphertext")), [digest.to_string().trim_start_matches("0x")]);
}

#[tokio::test]
async fn a_second_opening_sees_what_the_first_put() {
    let f = Fixture::new();
    let digest = f.store.put_ciphertext(vec![1]).await.unwrap();
    let again = Store::open(f.store.url()).unwrap();
    assert_eq!(again.get_ciphertext(digest, 1).await.unwrap(), vec![1]);
}

#[tokio::test]
async fn a_store_whose_folder_cannot_be_written_is_unavailable() {
    let f = Fixture::new();
    // A file where a folder should be: true for every user, also for root.
    fs::write(f.folder.path().join("ciphertext"), []).unwrap();
    let error = f.store.put_ciphertext(vec![1]).await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), ("store_unavailable", true));
}

#[test]
fn urls_of_other_stores_are_refused_by_name() {
    let code = |url: &str| Store::open(&Url::parse(url).unwrap()).unwrap_err();
    let error = code("gs://bucket/folder");
    assert_eq!(error.code(), "store_unknown_scheme");
    assert!(error.to_string().contains("`gs`"), "{error}");
    assert_eq!(code("file://host/folder").code(), "store_not_a_folder");
}

#[test]
fn urls_of_buckets_that_name_none_or_say_too_much_are_refused() {
    for (url, reason) in [
        ("s3:///folder", "name is missing"),
        ("s3:folder", "name is missing"),
        ("s3://bucket/folder?secret=hidden", "\"secret\", allowed are endpoint and region"),
        ("s3://bucket/folder?region=eu-1&bucket=other", "\"bucket\", allowed are endpoint and region"),
        ("s3://key:hidden@bucket/folder", "credentials"),
    ] {
        let error = Store::open(&Url::parse(url).unwrap()).unwrap_err();
        assert_eq!(error.code(), "store_bad_bucket", "{url}");
        let text = error.to_string();
        assert!(text.contains(reason) && !text.contains("hidden"), "{url}: {text}");
    }
}
