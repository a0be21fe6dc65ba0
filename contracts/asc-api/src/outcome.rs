//! Stable numbers and names of what can come of a request.

use std::fmt;

use cosmwasm_schema::cw_serde;

/// A code that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} {given}, allowed are {allowed}")]
pub struct UnknownCode {
    /// What the number should be.
    pub kind: &'static str,
    /// The number.
    pub given: u64,
    /// The numbers that exist.
    pub allowed: &'static str,
}

/// Why a request could not be answered.
#[cw_serde]
#[derive(Copy, Eq, PartialOrd, Ord, Hash)]
pub enum FailureCode {
    /// 1: the bytes are not in the store.
    CiphertextUnavailable,
    /// 2: the bytes do not match digest or size.
    CiphertextMismatch,
    /// 3: the bytes do not parse or conform, carry another tag, or do not decode strictly.
    CiphertextMalformed,
    /// 4: another type or number of blocks than declared.
    WrongType,
    /// 5: the operator does not hold the key, or its epoch was revoked.
    KeyUnavailable,
    /// 6: the user's signature is not valid.
    UserSignature,
    /// 7: not permitted.
    NotPermitted,
    /// 8: reserved.
    ProofInvalid,
    /// 9: over the operator's limits.
    TooLarge,
    /// 10: the operator's version cannot do this.
    Unsupported,
    /// 11: a fault on the operator's side.
    Internal,
    /// 12: given by the contract when operators do not agree.
    Disagreement,
}

impl FailureCode {
    /// Every code, in order; code n is at n - 1.
    pub const ALL: [Self; 12] = [
        Self::CiphertextUnavailable,
        Self::CiphertextMismatch,
        Self::CiphertextMalformed,
        Self::WrongType,
        Self::KeyUnavailable,
        Self::UserSignature,
        Self::NotPermitted,
        Self::ProofInvalid,
        Self::TooLarge,
        Self::Unsupported,
        Self::Internal,
        Self::Disagreement,
    ];

    /// The number in state and receipts, 1 to 12.
    pub const fn number(self) -> u8 {
        match self {
            Self::CiphertextUnavailable => 1,
            Self::CiphertextMismatch => 2,
            Self::CiphertextMalformed => 3,
            Self::WrongType => 4,
            Self::KeyUnavailable => 5,
            Self::UserSignature => 6,
            Self::NotPermitted => 7,
            Self::ProofInvalid => 8,
            Self::TooLarge => 9,
            Self::Unsupported => 10,
            Self::Internal => 11,
            Self::Disagreement => 12,
        }
    }

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CiphertextUnavailable => "ciphertext_unavailable",
            Self::CiphertextMismatch => "ciphertext_mismatch",
            Self::CiphertextMalformed => "ciphertext_malformed",
            Self::WrongType => "wrong_type",
            Self::KeyUnavailable => "key_unavailable",
            Self::UserSignature => "user_signature",
            Self::NotPermitted => "not_permitted",
            Self::ProofInvalid => "proof_invalid",
            Self::TooLarge => "too_large",
            Self::Unsupported => "unsupported",
            Self::Internal => "internal",
            Self::Disagreement => "disagreement",
        }
    }

    /// Whether an operator may sign this code.
    pub const fn is_operators(self) -> bool {
        !matches!(self, Self::ProofInvalid | Self::Disagreement)
    }

    /// Whether the fault lies in what the requester sent, so that finding it is paid.
    pub const fn is_requesters_fault(self) -> bool {
        matches!(
            self,
            Self::CiphertextMismatch
                | Self::CiphertextMalformed
                | Self::WrongType
                | Self::UserSignature
                | Self::NotPermitted
                | Self::TooLarge
        )
    }

    /// Whether waiting may mend it, so that the contract refuses it before half the time has passed.
    pub const fn may_mend(self) -> bool {
        matches!(self, Self::CiphertextUnavailable | Self::KeyUnavailable | Self::Internal)
    }
}

impl TryFrom<u8> for FailureCode {
    type Error = UnknownCode;
    fn try_from(number: u8) -> Result<Self, UnknownCode> {
        number.checked_sub(1).and_then(|i| Self::ALL.get(usize::from(i)).copied()).ok_or(UnknownCode {
            kind: "failure code",
            given: u64::from(number),
            allowed: "1 to 12",
        })
    }
}

impl TryFrom<u32> for FailureCode {
    type Error = UnknownCode;
    fn try_from(number: u32) -> Result<Self, UnknownCode> {
        let unknown = UnknownCode { kind: "failure code", given: u64::from(number), allowed: "1 to 12" };
        u8::try_from(number).ok().and_then(|number| Self::try_from(number).ok()).ok_or(unknown)
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a request was denied at submission, on record.
#[cw_serde]
#[derive(Copy, Eq)]
pub enum DenialReason {
    /// 1: the sender may not have these ciphertexts decrypted.
    Permission,
    /// 2: the key's state forbids the operation.
    KeyState,
    /// 3: the key's owner did not allow this reference string.
    CrsNotAllowed,
    /// 4: a digest is registered already.
    DigestRegistered,
    /// 5: the domain is not registered for this key.
    Domain,
    /// 6: the user's signature is not valid.
    UserSignature,
    /// 7: the time is outside the window that the user signed.
    Window,
    /// 8: the key's epoch was revoked.
    EpochRevoked,
    /// 9: what a ciphertext says of its origin does not hold.
    Provenance,
}

impl DenialReason {
    /// Every reason, in order; reason n is at n - 1.
    pub const ALL: [Self; 9] = [
        Self::Permission,
        Self::KeyState,
        Self::CrsNotAllowed,
        Self::DigestRegistered,
        Self::Domain,
        Self::UserSignature,
        Self::Window,
        Self::EpochRevoked,
        Self::Provenance,
    ];

    /// The number in the request's status, 1 to 9.
    pub const fn number(self) -> u8 {
        match self {
            Self::Permission => 1,
            Self::KeyState => 2,
            Self::CrsNotAllowed => 3,
            Self::DigestRegistered => 4,
            Self::Domain => 5,
            Self::UserSignature => 6,
            Self::Window => 7,
            Self::EpochRevoked => 8,
            Self::Provenance => 9,
        }
    }

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Permission => "permission",
            Self::KeyState => "key_state",
            Self::CrsNotAllowed => "crs_not_allowed",
            Self::DigestRegistered => "digest_registered",
            Self::Domain => "domain",
            Self::UserSignature => "user_signature",
            Self::Window => "window",
            Self::EpochRevoked => "epoch_revoked",
            Self::Provenance => "provenance",
        }
    }
}

impl TryFrom<u8> for DenialReason {
    type Error = UnknownCode;
    fn try_from(number: u8) -> Result<Self, UnknownCode> {
        number.checked_sub(1).and_then(|i| Self::ALL.get(usize::from(i)).copied()).ok_or(UnknownCode {
            kind: "denial reason",
            given: u64::from(number),
            allowed: "1 to 9",
        })
    }
}

impl fmt::Display for DenialReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a receipt says: an answer, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Number 0.
    Answer,
    /// The failure code's number.
    Failure(FailureCode),
}

impl Outcome {
    /// The number in receipts and stored responses.
    pub fn number(self) -> u32 {
        match self {
            Self::Answer => 0,
            Self::Failure(code) => u32::from(code.number()),
        }
    }
}

impl TryFrom<u32> for Outcome {
    type Error = UnknownCode;
    fn try_from(number: u32) -> Result<Self, UnknownCode> {
        let unknown = UnknownCode { kind: "outcome", given: u64::from(number), allowed: "0 to 12" };
        match number {
            0 => Ok(Self::Answer),
            code => FailureCode::try_from(code).map(Self::Failure).map_err(|_| unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_one_to_one() {
        for (i, code) in (1u8..).zip(FailureCode::ALL) {
            assert_eq!((code.number(), FailureCode::try_from(i).unwrap()), (i, code));
            assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{code}\""));
            assert_eq!(Outcome::try_from(u32::from(i)).unwrap(), Outcome::Failure(code));
        }
        for (i, reason) in (1u8..).zip(DenialReason::ALL) {
            assert_eq!((reason.number(), DenialReason::try_from(i).unwrap()), (i, reason));
            assert_eq!(serde_json::to_string(&reason).unwrap(), format!("\"{reason}\""));
        }
        assert!(FailureCode::try_from(0u32).is_err() && FailureCode::try_from(13u32).is_err());
        assert!(Outcome::try_from(13).is_err() && Outcome::try_from(257).is_err());
    }

    #[test]
    fn the_classes_of_codes_are_those_of_the_ledger() {
        let numbers = |f: fn(FailureCode) -> bool| -> Vec<u8> {
            FailureCode::ALL.into_iter().filter(|c| f(*c)).map(FailureCode::number).collect()
        };
        assert_eq!(numbers(FailureCode::is_requesters_fault), [2, 3, 4, 6, 7, 9]);
        assert_eq!(numbers(FailureCode::may_mend), [1, 5, 11]);
        assert_eq!(numbers(|c| !c.is_operators()), [8, 12]);
    }
}
