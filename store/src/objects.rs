use std::{collections::HashMap, fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use object_store::{
    ClientOptions, ObjectStore, aws::AmazonS3Builder, local::LocalFileSystem, prefix::PrefixStore,
};
use url::Url;

use crate::StoreError;

/// Names a file of credentials, as the tools of Amazon do.
const CREDENTIALS_FILE: &str = "AWS_SHARED_CREDENTIALS_FILE";
/// Which of its sections is read, `default` if it is not set.
const PROFILE: &str = "AWS_PROFILE";

/// Objects behind a URL, by their names below it.
///
/// ```text
/// file:///absolute/path                                               a folder, which is made if it is missing
/// s3://bucket/folder?endpoint=https://s3.example.org&region=eu-1      a bucket; what the query leaves out is Amazon's own
/// ```
///
/// Credentials of a bucket are in the file that `AWS_SHARED_CREDENTIALS_FILE` names (mode 0600), or else in the variables
/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`; never in the URL.
pub struct Objects(Arc<dyn ObjectStore>);

impl Objects {
    /// Opens what the URL names. A bucket is not asked anything yet.
    ///
    /// # Errors
    /// If the URL has another scheme or names nothing, or credentials cannot be read.
    pub fn open(url: &Url) -> Result<Self, StoreError> {
        match url.scheme() {
            "file" => folder(url).map(Self),
            "s3" => bucket(url).map(Self),
            other => Err(StoreError::UnknownScheme { given: other.to_owned() }),
        }
    }

    /// The objects, for calls of `object_store`.
    pub fn into_inner(self) -> Arc<dyn ObjectStore> {
        self.0
    }
}

fn folder(url: &Url) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let folder = url.to_file_path().map_err(|()| StoreError::NotAFolder { given: url.to_string() })?;
    fs::create_dir_all(&folder).map_err(|error| StoreError::unavailable("opening it", error))?;
    let objects = LocalFileSystem::new_with_prefix(&folder)
        .map_err(|error| StoreError::unavailable("opening it", error))?;
    Ok(Arc::new(objects.with_fsync(true)))
}

fn bucket(url: &Url) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let bad = |reason: &str| StoreError::BadBucket { given: without_query(url), reason: reason.to_owned() };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("it must not contain credentials"));
    }
    let name = url.host_str().ok_or_else(|| bad("the bucket's name is missing"))?;
    // Unless the program has chosen another one.
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut builder = credentials(AmazonS3Builder::from_env())?.with_bucket_name(name);
    for (field, value) in url.query_pairs() {
        builder = match &*field {
            "endpoint" => {
                let plain = ClientOptions::new().with_allow_http(value.starts_with("http://"));
                builder.with_endpoint(value).with_client_options(plain)
            }
            "region" => builder.with_region(value),
            other => {
                return Err(bad(&format!("it has the field {other:?}, allowed are endpoint and region")));
            }
        };
    }
    let objects = builder.build().map_err(|error| StoreError::unavailable("opening it", error))?;
    let prefix = url.path().trim_matches('/').to_owned();
    Ok(match prefix.is_empty() {
        true => Arc::new(objects),
        false => Arc::new(PrefixStore::new(objects, prefix)),
    })
}

fn without_query(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    format!("{}://{host}{}", url.scheme(), url.path())
}

/// The credentials of the file that the environment names, in the place of those in the environment itself.
fn credentials(builder: AmazonS3Builder) -> Result<AmazonS3Builder, StoreError> {
    let Some(file) = std::env::var_os(CREDENTIALS_FILE) else { return Ok(builder) };
    let profile = std::env::var(PROFILE).unwrap_or_else(|_| "default".to_owned());
    let found = read_credentials(Path::new(&file), &profile)?;
    let builder =
        builder.with_access_key_id(&found.access_key_id).with_secret_access_key(&found.secret_access_key);
    Ok(match &found.session_token {
        Some(token) => builder.with_token(token),
        None => builder,
    })
}

struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

/// Reads a section of a file as Amazon's tools write it: `[section]`, then `name = value` lines. Nothing of it is in an error.
fn read_credentials(file: &Path, profile: &str) -> Result<Credentials, StoreError> {
    let bad = |reason: String| StoreError::BadCredentials { file: file.display().to_string(), reason };
    let metadata = fs::metadata(file).map_err(|error| bad(error.to_string()))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(bad(format!("it has mode {mode:04o}, a secret must be its owner's alone: chmod 600")));
    }
    let text = fs::read_to_string(file).map_err(|error| bad(error.to_string()))?;
    let mut fields = section(&text, profile);
    let mut take =
        |name: &str| fields.remove(name).ok_or_else(|| bad(format!("section [{profile}] has no {name}")));
    Ok(Credentials {
        access_key_id: take("aws_access_key_id")?,
        secret_access_key: take("aws_secret_access_key")?,
        session_token: take("aws_session_token").ok(),
    })
}

fn section(text: &str, name: &str) -> HashMap<String, String> {
    let header = format!("[{name}]");
    text.lines()
        .map(str::trim)
        .skip_while(|line| *line != header)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        .map(|(field, value)| (field.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("credentials");
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        (folder, file)
    }

    const FILE: &str = "[other]\naws_access_key_id = x\n[default]\naws_access_key_id = AKIA1\n\
                        aws_secret_access_key=se/cret+1=\n";

    #[test]
    fn the_named_section_of_a_private_file_is_read() {
        let (_folder, file) = written(FILE, 0o600);
        let found = read_credentials(&file, "default").unwrap();
        assert_eq!((found.access_key_id.as_str(), found.secret_access_key.as_str()), ("AKIA1", "se/cret+1="));
        let error = read_credentials(&file, "other").map(|_| ()).unwrap_err().to_string();
        assert!(
            error.contains("[other] has no aws_secret_access_key") && !error.contains("se/cret"),
            "{error}"
        );
    }

    #[test]
    fn credentials_that_others_may_read_are_refused() {
        let (_folder, file) = written(FILE, 0o644);
        let error = read_credentials(&file, "default").map(|_| ()).unwrap_err();
        assert_eq!(error.code(), "store_bad_credentials");
        assert!(error.to_string().contains("chmod 600") && !error.to_string().contains("se/cret"), "{error}");
    }

    #[test]
    fn a_bucket_is_named_by_its_url_and_credentials_have_no_place_there() {
        let code =
            |url: &str| Objects::open(&Url::parse(url).unwrap()).map(|_| ()).map_err(|error| error.code());
        assert_eq!(code("s3://bucket/folder?endpoint=http://127.0.0.1:9000&region=eu-1"), Ok(()));
        assert_eq!(code("s3://key:secret@bucket"), Err("store_bad_bucket"));
        assert_eq!(code("s3://bucket?secret=1"), Err("store_bad_bucket"));
        assert_eq!(code("ftp://host/x"), Err("store_unknown_scheme"));
    }
}
