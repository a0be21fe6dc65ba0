//! The real engine, which tests can hold back, count and break.

use std::sync::{
    Arc, Condvar, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use kms_core_engine::{
    CentralizedEngine, CiphertextError, DecryptionKey, Engine, FheType, KeyError, KeyMaterial, ParameterSet,
    Plaintext, SecretKey,
};

#[derive(Clone, Default)]
pub struct TestEngine {
    inner: CentralizedEngine,
    pub controls: Arc<Controls>,
}

#[derive(Default)]
pub struct Controls {
    pub generated: AtomicUsize,
    pub decrypted: AtomicUsize,
    pub panic_at_next_decryption: AtomicBool,
    held: Mutex<bool>,
    changed: Condvar,
}

impl Controls {
    /// Decryptions wait until the hold is dropped.
    pub fn hold(self: &Arc<Self>) -> Hold {
        *self.held.lock().unwrap() = true;
        Hold(self.clone())
    }

    fn pass(&self) {
        let held = self.held.lock().unwrap();
        drop(self.changed.wait_while(held, |held| *held).unwrap());
    }
}

pub struct Hold(Arc<Controls>);

impl Drop for Hold {
    fn drop(&mut self) {
        *self.0.held.lock().unwrap() = false;
        self.0.changed.notify_all();
    }
}

impl Engine for TestEngine {
    type Key = DecryptionKey;

    fn generate(&self, params: ParameterSet, key_id: u64) -> Result<KeyMaterial, KeyError> {
        self.controls.generated.fetch_add(1, Ordering::SeqCst);
        self.inner.generate(params, key_id)
    }

    fn load(&self, params: ParameterSet, secret: &SecretKey) -> Result<DecryptionKey, KeyError> {
        self.inner.load(params, secret)
    }

    fn public_decrypt(
        &self,
        key: &DecryptionKey,
        stored: &[u8],
        declared: FheType,
    ) -> Result<Plaintext, CiphertextError> {
        self.controls.decrypted.fetch_add(1, Ordering::SeqCst);
        self.controls.pass();
        if self.controls.panic_at_next_decryption.swap(false, Ordering::SeqCst) {
            panic!("on purpose");
        }
        self.inner.public_decrypt(key, stored, declared)
    }
}
