use std::{future::Future, io, sync::Arc, sync::mpsc};

use futures::TryStreamExt;
use kms_store::Objects;
use object_store::{Error as ObjectError, ObjectStore, ObjectStoreExt, PutMode, PutPayload, path::Path};
use tokio::runtime::{Builder, Runtime};
use url::Url;

use super::{VaultError, error::unusable, shelf::Shelf};

/// More than any file of a vault has.
const MOST_BYTES: u64 = 64 << 20;

/// Objects of a store behind a URL.
pub(super) struct Bucket {
    objects: Arc<dyn ObjectStore>,
    url: Url,
    /// Of its own: callers may or may not be in one, and wait.
    runtime: Option<Runtime>,
}

impl Bucket {
    pub(super) fn open(url: &Url) -> Result<Self, VaultError> {
        let objects = Objects::open(url)?.into_inner();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("vault")
            .enable_all()
            .build()
            .map_err(|error| unusable("reach", url.to_string(), error))?;
        Ok(Self { objects, url: url.clone(), runtime: Some(runtime) })
    }

    /// Runs a call and waits for it.
    fn wait<T, F>(
        &self,
        doing: &'static str,
        name: &str,
        call: F,
    ) -> Result<Result<T, ObjectError>, VaultError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ObjectError>> + Send + 'static,
    {
        let (report, result) = mpsc::channel();
        let failed = |text: &str| unusable(doing, self.place(name), io::Error::other(text.to_owned()));
        let runtime = self.runtime.as_ref().ok_or_else(|| failed("it is closed"))?;
        runtime.spawn(async move { report.send(call.await).ok() });
        result.recv().map_err(|_| failed("the call was cut off"))
    }

    fn failed(&self, doing: &'static str, name: &str) -> impl FnOnce(ObjectError) -> VaultError {
        let file = self.place(name);
        move |error| unusable(doing, file, io::Error::other(error))
    }

    fn put(&self, name: &str, bytes: &[u8], mode: PutMode) -> Result<(), VaultError> {
        let (objects, path) = (self.objects.clone(), Path::from(name));
        let payload = PutPayload::from(bytes.to_vec());
        let call = async move { objects.put_opts(&path, payload, mode.into()).await };
        match self.wait("write", name, call)? {
            Err(ObjectError::AlreadyExists { .. } | ObjectError::Precondition { .. }) => {
                Err(VaultError::Exists { file: self.place(name) })
            }
            result => result.map(drop).map_err(self.failed("write", name)),
        }
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        // Dropping it as it is would wait, which is forbidden where others must go on.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shelf for Bucket {
    fn place(&self, name: &str) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        format!("{}/{name}", url.as_str().trim_end_matches('/'))
    }

    fn list(&self) -> Result<Vec<String>, VaultError> {
        let objects = self.objects.clone();
        let call = async move { objects.list(None).try_collect::<Vec<_>>().await };
        let found = self.wait("list", "", call)?.map_err(self.failed("list", ""))?;
        let mut names: Vec<_> = found.into_iter().map(|meta| meta.location.to_string()).collect();
        names.sort();
        Ok(names)
    }

    /// An object is there whole or not at all.
    fn sweep(&self) -> Result<(), VaultError> {
        Ok(())
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        let (objects, path) = (self.objects.clone(), Path::from(name));
        let call = async move {
            let found = objects.get(&path).await?;
            match found.meta.size {
                0..=MOST_BYTES => found.bytes().await.map(Some),
                _ => Ok(None),
            }
        };
        match self.wait("read", name, call)? {
            Err(ObjectError::NotFound { .. }) => Ok(None),
            Ok(Some(bytes)) => Ok(Some(bytes.into())),
            Ok(None) => {
                let reason = format!("it has more than {MOST_BYTES} bytes");
                Err(VaultError::Damaged { file: self.place(name), reason })
            }
            Err(error) => Err(self.failed("read", name)(error)),
        }
    }

    fn create(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
        self.put(name, bytes, PutMode::Create)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
        self.put(name, bytes, PutMode::Overwrite)
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        let (objects, path) = (self.objects.clone(), Path::from(name));
        match self.wait("remove", name, async move { objects.delete(&path).await })? {
            Ok(()) | Err(ObjectError::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("remove", name)(error)),
        }
    }
}
