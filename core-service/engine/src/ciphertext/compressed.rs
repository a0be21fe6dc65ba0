//! Compressed lists, decrypted as they are: under the compression key, without bootstrapping and so without a server key.
//!
//! Bytes that the library's reader accepts can abort the process when the list is used. Nothing is used before three
//! checks: the packed list conforms to the parameters, the blocks that the elements claim are those that there are, and
//! every GLWE ciphertext has the parameters' storage modulus.

use tfhe::core_crypto::{
    entities::compressed_modulus_switched_glwe_ciphertext::CompressedModulusSwitchedGlweCiphertext,
    prelude::{
        CiphertextModulus, GlweCiphertextOwned, LweCiphertext, MonomialDegree,
        extract_lwe_sample_from_glwe_ciphertext,
    },
};

use super::{Blocks, Decryption, Directory, Element, layout, read_tagged, read_then_decrypt, value::compose};
use crate::{CiphertextError, DecryptionKey, Plaintext, shape::CompressedShape};

/// Bytes of the longest list: some 17,000 values of 64 bits.
const MAX_BYTES: usize = 4 << 20;

pub(super) fn decrypt(key: &DecryptionKey, stored: &[u8], elements: &[Element]) -> Decryption {
    let read = || List::check(read_tagged(stored, key.own_tag(), MAX_BYTES)?, &key.shapes().compressed);
    read_then_decrypt(elements, read, |list, element| list.decrypt(key, element))
}

/// A list that may be used.
struct List<'a> {
    shape: &'a CompressedShape,
    directory: Directory,
    packed: Vec<CompressedModulusSwitchedGlweCiphertext<u64>>,
    /// Each of `packed` once it was needed.
    unpacked: Vec<Option<GlweCiphertextOwned<u64>>>,
}

impl<'a> List<'a> {
    fn check(
        list: tfhe::CompressedCiphertextList,
        shape: &'a CompressedShape,
    ) -> Result<Self, CiphertextError> {
        let (list, _, _) = list.into_raw_parts();
        let (checked, open) = layout::open(&list).ok_or(CiphertextError::LibraryFailure)?;
        if !shape.fits(&checked.packed_list) {
            return Err(CiphertextError::WrongList { found: "does not conform to the key's parameters" });
        }
        let directory = Directory::new(&open.info, shape.message_modulus());
        let directory = directory
            .filter(|directory| directory.total == checked.packed_list.len())
            .ok_or(CiphertextError::WrongList { found: "has other blocks than its elements claim" })?;
        let packed = open.packed_list.glwes;
        if packed.iter().any(|glwe| glwe.packed_integers().log_modulus() != shape.log_modulus) {
            return Err(CiphertextError::WrongList { found: "is stored with another modulus" });
        }
        let unpacked = packed.iter().map(|_| None).collect();
        Ok(Self { shape, directory, packed, unpacked })
    }

    fn decrypt(&mut self, key: &DecryptionKey, element: Element) -> Result<Plaintext, CiphertextError> {
        let message_bits = self.shape.message_bits();
        let Blocks { first, count } = *self.directory.find(element, message_bits)?;
        let mut lwe = LweCiphertext::new(0, self.shape.lwe_size(), CiphertextModulus::<u64>::new_native());
        let messages = (first..first + count).map(|block| {
            let (glwe, position) =
                (block / self.shape.blocks_per_glwe(), block % self.shape.blocks_per_glwe());
            let unpacked = unpack(&self.packed, &mut self.unpacked, glwe)?;
            extract_lwe_sample_from_glwe_ciphertext(unpacked, &mut lwe, MonomialDegree(position));
            key.compression().content(&lwe)
        });
        compose(element.declared, message_bits, messages)
    }
}

fn unpack<'a>(
    packed: &[CompressedModulusSwitchedGlweCiphertext<u64>],
    unpacked: &'a mut [Option<GlweCiphertextOwned<u64>>],
    index: usize,
) -> Option<&'a GlweCiphertextOwned<u64>> {
    let (packed, slot) = (packed.get(index)?, unpacked.get_mut(index)?);
    Some(slot.get_or_insert_with(|| packed.extract()))
}
