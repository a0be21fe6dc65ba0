use thiserror::Error;

/// Bytes that are no user's public encryption key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct InvalidUserKey(pub(crate) &'static str);

/// The system gives no random bytes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the system gives no random bytes")]
pub struct RandomnessUnavailable;

/// Why nothing was sealed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    /// With negligible probability: the key gives no signature for this message.
    #[error("no signature could be made")]
    Signature,
    /// No plaintext of this system is so long.
    #[error("a plaintext of {0} bytes is too long to encrypt")]
    TooLong(usize),
}

/// Why an envelope is not the one that was expected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Its lengths do not add up.
    #[error("the envelope's lengths do not add up")]
    Framing,
    /// It was sealed for another key, or changed on its way.
    #[error("the envelope does not open with this key: it is another user's or was changed")]
    Decryption,
    /// What is inside has not the form of a signed message.
    #[error("the envelope holds no signed message")]
    Message,
    /// The type inside is none.
    #[error("the envelope names type {0}, which there is not")]
    Type(i32),
    /// It answers another request.
    #[error("the envelope belongs to another request")]
    Link,
    /// It names another signer than the one expected.
    #[error("the envelope names another signer")]
    Signer,
    /// The signer's key is no public key.
    #[error("the expected signer's key is no public key")]
    SignerKey,
    /// The signer did not sign this for this user and key.
    #[error("the envelope's signature is not the signer's for this user and key")]
    Signature,
}
