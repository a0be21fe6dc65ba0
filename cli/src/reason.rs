//! Why a request was denied or failed, in words.

/// A sentence for the stable name of a denial reason or failure code; nothing for a name of a later version.
pub fn explained(name: &str) -> Option<&'static str> {
    Some(match name {
        "permission" => "only whom the key's owner trusts with the key may have such ciphertexts decrypted",
        "key_state" => "the key is suspended or destroyed",
        "crs_not_allowed" => "the key's owner did not allow this reference string",
        "digest_registered" => "this material belongs to another key already",
        "domain" => "the domain is not registered for this key",
        "window" => "the time is outside the window that the user signed",
        "epoch_revoked" => "the operators that hold the key were revoked",
        "provenance" => "what a ciphertext says of its origin does not hold",
        "ciphertext_unavailable" => "the operators did not find the ciphertext in the store",
        "ciphertext_mismatch" => "the stored bytes do not have the digest or size of the REF",
        "ciphertext_malformed" => "the stored bytes are no ciphertext under this key",
        "wrong_type" => "the stored ciphertext is of another type than the REF says",
        "key_unavailable" => "the operators do not hold the key",
        "user_signature" => "the user's signature is not valid",
        "not_permitted" => "the operators do not permit it",
        "too_large" => "the ciphertext is over the operators' limits",
        "unsupported" => "the operators' version cannot do this",
        "internal" => "a fault on the operators' side",
        "disagreement" => "the operators did not agree",
        _ => return None,
    })
}

/// The name, and the sentence if there is one.
pub fn in_words(name: &str) -> String {
    explained(name).map_or_else(|| name.to_owned(), |sentence| format!("{name} ({sentence})"))
}

#[cfg(test)]
mod tests {
    use kms_asc_api::{DenialReason, FailureCode};

    use super::*;

    #[test]
    fn every_reason_has_its_words() {
        let names = DenialReason::ALL.map(DenialReason::name).into_iter();
        // Reserved, and given by nobody.
        let codes = FailureCode::ALL.into_iter().filter(|code| *code != FailureCode::ProofInvalid);
        for name in names.chain(codes.map(FailureCode::name)) {
            assert!(explained(name).is_some(), "{name}");
        }
        assert_eq!(in_words("of_a_later_version"), "of_a_later_version");
    }
}
