//! Proven compact lists, decrypted as they are: under the private key that belongs to the compact public key.

use tfhe::{
    ProvenCompactCiphertextList,
    conformance::ParameterSetConformant,
    core_crypto::prelude::{
        CiphertextModulus, ContiguousEntityContainer, LweCiphertext, MonomialDegree, Polynomial,
        polynomial_algorithms::polynomial_wrapping_monic_monomial_mul,
    },
    shortint::ciphertext::CompactCiphertextList,
};

use super::{
    Blocks, Decryption, Directory, Element, ProvenParts, proven_parts, read_tagged, read_then_decrypt,
    value::compose,
};
use crate::{CiphertextError, DecryptionKey, FheType, Plaintext, input::MAX_LIST_BYTES};

pub(super) fn decrypt(key: &DecryptionKey, stored: &[u8], elements: &[Element]) -> Decryption {
    let read = || read(key, stored);
    read_then_decrypt(elements, read, |(list, directory), element| decrypt_one(key, list, directory, element))
}

/// A list that may be used, and where its elements lie.
fn read(key: &DecryptionKey, stored: &[u8]) -> Result<(CompactCiphertextList, Directory), CiphertextError> {
    let shape = &key.shapes().compact;
    let proven: ProvenCompactCiphertextList = read_tagged(stored, key.own_tag(), MAX_LIST_BYTES)?;
    if proven.is_empty() || !proven.is_conformant(&shape.conformance) {
        return Err(CiphertextError::WrongList { found: "does not conform to the key's parameters" });
    }
    let ProvenParts { lists, info } = proven_parts(&proven).ok_or(CiphertextError::LibraryFailure)?;
    // A list that does not fit one proof is refused as an input, too.
    let Ok([list]) = <[CompactCiphertextList; 1]>::try_from(lists) else {
        return Err(CiphertextError::WrongList { found: "has more than one proof" });
    };
    let directory = Directory::new(&info, shape.message_modulus()).ok_or(CiphertextError::LibraryFailure)?;
    Ok((list, directory))
}

fn decrypt_one(
    key: &DecryptionKey,
    list: &CompactCiphertextList,
    directory: &Directory,
    element: Element,
) -> Result<Plaintext, CiphertextError> {
    let bits = key.shapes().compact.message_bits();
    let Blocks { first, count } = *directory.find(element, bits)?;
    let messages = (first..first + count).map(|block| {
        let message = message(key, list, block, bits)?;
        // The proof leaves a bool any message. The library makes it whether the message is not zero, for everybody who computes
        // on it, and so must who decrypts it.
        Some(if element.declared == FheType::Bool { message.min(1) } else { message })
    });
    compose(element.declared, bits, messages)
}

/// One message of a list whose ciphertexts each hold one, or two end to end.
fn message(key: &DecryptionKey, list: &CompactCiphertextList, block: usize, bits: usize) -> Option<u64> {
    let packed = list.is_packed();
    let content = content(key, list, if packed { block / 2 } else { block })?;
    let greatest = (1 << bits) - 1;
    match (packed, block % 2) {
        (true, _) if content > (1 << (2 * bits)) - 1 => None,
        (true, 0) => Some(content & greatest),
        (true, _) => Some(content >> bits),
        (false, _) => Some(content),
    }
}

/// The content of ciphertext `index` of a list, which stores one mask for as many bodies as the key has coefficients: the
/// mask of the `n`th of them is that of the first, as a polynomial, times `X^n`.
fn content(key: &DecryptionKey, list: &CompactCiphertextList, index: usize) -> Option<u64> {
    let (masks, bodies) = list.ct_list.get_mask_and_body_list();
    let dimension = masks.lwe_dimension().0;
    let shared = masks.iter().nth(index / dimension)?;
    let body = *bodies.as_ref().get(index)?;

    let size = key.shapes().compact.lwe_size();
    let mut lwe = LweCiphertext::new(0, size, CiphertextModulus::<u64>::new_native());
    let (mut mask, own_body) = lwe.get_mut_mask_and_body();
    *own_body.data = body;
    polynomial_wrapping_monic_monomial_mul(
        &mut Polynomial::from_container(mask.as_mut()),
        &Polynomial::from_container(shared.as_ref()),
        MonomialDegree(index % dimension),
    );
    key.encryption().content(&lwe)
}
