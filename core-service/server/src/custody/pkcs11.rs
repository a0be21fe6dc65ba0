//! An AES key in a PKCS#11 token, which encrypts the data key with AES-256-GCM inside the token.

use std::fs;

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11 as Module},
    error::{Error as TokenError, RvError},
    mechanism::{Mechanism, aead::GcmParams},
    object::{Attribute, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    types::AuthPin,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{KeyWrapper, WrapError, Wrapped};
use crate::{
    DataKey, Pkcs11,
    vault::{hex_bytes, random},
};

const TAG_BITS: u64 = 128;

/// A key of a token. It is asked for anew each time, which is at the start only.
pub(super) struct Token {
    settings: Pkcs11,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    #[serde(with = "hex_bytes")]
    nonce: [u8; 12],
}

impl Token {
    pub(super) fn new(settings: &Pkcs11) -> Self {
        Self { settings: settings.clone() }
    }

    /// Makes the key where there is none; it never leaves the token. Whether it was made.
    pub(super) fn make_key(&self) -> Result<bool, WrapError> {
        let session = self.session()?;
        if self.find(&session)?.is_some() {
            return Ok(false);
        }
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Label(self.settings.key.clone().into_bytes()),
            Attribute::ValueLen(32.into()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
        ];
        session
            .generate_key(&Mechanism::AesKeyGen, &template)
            .map_err(|error| failed("make a key in the token", error))?;
        Ok(true)
    }

    /// A session of the user, which ends when it is dropped.
    fn session(&self) -> Result<Session, WrapError> {
        // Named before it is loaded: the loader's error may not say what is wrong with it.
        fs::metadata(&self.settings.module).map_err(|error| WrapError::Failed {
            doing: "find the PKCS#11 module",
            cause: format!("{}: {error}", self.settings.module.display()),
        })?;
        let module =
            Module::new(&self.settings.module).map_err(|error| failed("load the PKCS#11 module", error))?;
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(TokenError::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(failed("start the PKCS#11 module", error)),
        }
        let unreadable = |error| failed("look for the token", error);
        for slot in module.get_slots_with_token().map_err(unreadable)? {
            if module.get_token_info(slot).map_err(unreadable)?.label() == self.settings.token {
                let pin = kms_config::read_secret(&self.settings.pin_file)?;
                let session = module.open_rw_session(slot).map_err(unreadable)?;
                let pin = AuthPin::new(pin.as_str().into());
                session
                    .login(UserType::User, Some(&pin))
                    .map_err(|error| failed("log in to the token", error))?;
                return Ok(session);
            }
        }
        let cause = format!("the module knows no token {:?}", self.settings.token);
        Err(WrapError::Failed { doing: "find the token", cause })
    }

    fn find(&self, session: &Session) -> Result<Option<ObjectHandle>, WrapError> {
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Label(self.settings.key.clone().into_bytes()),
        ];
        let found = session
            .find_objects(&template)
            .map_err(|error| failed("look for the key in the token", error))?;
        match found.as_slice() {
            [] => Ok(None),
            [key] => Ok(Some(*key)),
            more => {
                let cause = format!("{} keys are called {:?}", more.len(), self.settings.key);
                Err(WrapError::Failed { doing: "choose the key of the token", cause })
            }
        }
    }

    fn key(&self, session: &Session) -> Result<ObjectHandle, WrapError> {
        let Pkcs11 { key, token, .. } = &self.settings;
        self.find(session)?.ok_or_else(|| WrapError::NoKey { key: key.clone(), token: token.clone() })
    }
}

impl KeyWrapper for Token {
    fn kind(&self) -> &'static str {
        "pkcs11"
    }

    fn wrap(&self, key: &DataKey, context: &[u8]) -> Result<Wrapped, WrapError> {
        let doing = "wrap the vault's key";
        let nonce = *random().map_err(|error| WrapError::Failed { doing, cause: error.to_string() })?;
        let session = self.session()?;
        let wrapping = self.key(&session)?;
        let mut given = nonce;
        let mechanism = aes_gcm(&mut given, context)?;
        let bytes =
            session.encrypt(&mechanism, wrapping, key.as_bytes()).map_err(|error| failed(doing, error))?;
        let parameters = serde_json::to_value(Parameters { nonce })
            .map_err(|error| WrapError::Failed { doing, cause: error.to_string() })?;
        Ok(Wrapped { parameters, bytes })
    }

    fn unwrap(&self, wrapped: &Wrapped, context: &[u8]) -> Result<DataKey, WrapError> {
        let mut parameters = Parameters::deserialize(&wrapped.parameters)
            .map_err(|error| WrapError::BadParameters { reason: error.to_string() })?;
        let session = self.session()?;
        let wrapping = self.key(&session)?;
        let mechanism = aes_gcm(&mut parameters.nonce, context)?;
        let Pkcs11 { key, token, .. } = &self.settings;
        let wrong = || WrapError::WrongKey { key: key.clone(), token: token.clone() };
        // Tokens answer a wrong tag in various ways, and nothing else can be wrong with a key that was found.
        let bytes = session.decrypt(&mechanism, wrapping, &wrapped.bytes).map_err(|_| wrong())?;
        let bytes = Zeroizing::new(bytes);
        let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| wrong())?;
        Ok(DataKey::from_bytes(Zeroizing::new(bytes)))
    }
}

fn aes_gcm<'a>(nonce: &'a mut [u8; 12], context: &'a [u8]) -> Result<Mechanism<'a>, WrapError> {
    GcmParams::new(nonce, context, TAG_BITS.into())
        .map(Mechanism::AesGcm)
        .map_err(|error| failed("set up the token's cipher", error))
}

fn failed(doing: &'static str, error: TokenError) -> WrapError {
    WrapError::Failed { doing, cause: error.to_string() }
}
