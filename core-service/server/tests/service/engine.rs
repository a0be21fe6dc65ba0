//! The real engine, which tests can hold back, count and break.

use std::sync::{
    Arc, Condvar, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use kms_core_engine::{
    CentralizedEngine, CiphertextFormat, CrsError, Decryption, DecryptionKey, Element, Engine, FheType,
    InputError, InputVerifier, KeyError, KeyMaterial, ParameterSet, ReferenceString, SecretKey,
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
    type ReferenceString = ReferenceString;
    type InputVerifier = InputVerifier;

    fn generate(&self, params: ParameterSet, key_id: u64) -> Result<KeyMaterial, KeyError> {
        self.controls.generated.fetch_add(1, Ordering::SeqCst);
        self.inner.generate(params, key_id)
    }

    fn load(&self, params: ParameterSet, secret: &SecretKey) -> Result<DecryptionKey, KeyError> {
        self.inner.load(params, secret)
    }

    fn decrypt(
        &self,
        key: &DecryptionKey,
        stored: &[u8],
        format: CiphertextFormat,
        elements: &[Element],
    ) -> Decryption {
        self.controls.decrypted.fetch_add(1, Ordering::SeqCst);
        self.controls.pass();
        if self.controls.panic_at_next_decryption.swap(false, Ordering::SeqCst) {
            panic!("on purpose");
        }
        self.inner.decrypt(key, stored, format, elements)
    }

    fn generate_crs(&self, params: ParameterSet, max_bits: u32) -> Result<Vec<u8>, CrsError> {
        self.inner.generate_crs(params, max_bits)
    }

    fn load_crs(&self, params: ParameterSet, stored: &[u8]) -> Result<ReferenceString, CrsError> {
        self.inner.load_crs(params, stored)
    }

    fn input_verifier(&self, public_key: &[u8], crs: &ReferenceString) -> Result<InputVerifier, KeyError> {
        self.inner.input_verifier(public_key, crs)
    }

    fn verify_input(
        &self,
        verifier: &InputVerifier,
        list: &[u8],
        metadata: &[u8],
    ) -> Result<Vec<FheType>, InputError> {
        self.inner.verify_input(verifier, list, metadata)
    }
}
