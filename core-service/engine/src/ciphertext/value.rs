use tfhe::integer::ciphertext::DataKind;

use crate::{CiphertextError, FheType, Plaintext, plaintext::Number};

/// The type of an element of a list; `None` if it is of none that is supported.
pub(crate) fn type_of(kind: DataKind, message_bits: usize) -> Option<FheType> {
    match kind {
        DataKind::Boolean => Some(FheType::Bool),
        DataKind::Unsigned(blocks) => {
            let bits = blocks.get().checked_mul(message_bits)?;
            FheType::ALL.into_iter().find(|t| *t != FheType::Bool && t.bits() == bits)
        }
        DataKind::Signed(_) | DataKind::String { .. } => None,
    }
}

/// What an element is, as the end of a sentence.
pub(super) fn description(kind: DataKind, message_bits: usize) -> String {
    let bits = |blocks: usize| blocks.saturating_mul(message_bits);
    match kind {
        DataKind::Boolean => "is a bool".to_owned(),
        DataKind::Unsigned(blocks) => format!("is an unsigned integer of {} bits", bits(blocks.get())),
        DataKind::Signed(blocks) => format!("is a signed integer of {} bits", bits(blocks.get())),
        DataKind::String { .. } => "is a string".to_owned(),
    }
}

/// Puts a value together from the messages of its blocks, least significant first.
///
/// A message that is `None` had too much noise.
pub(super) fn compose(
    declared: FheType,
    message_bits: usize,
    messages: impl Iterator<Item = Option<u64>>,
) -> Result<Plaintext, CiphertextError> {
    let greatest = if declared == FheType::Bool { 1 } else { (1 << message_bits) - 1 };
    let mut limbs = [0_u64; 32];
    for (index, message) in messages.enumerate() {
        let message = message.filter(|message| *message <= greatest);
        let message = message.ok_or(CiphertextError::NotAMessage { index })?;
        let bit = index * message_bits;
        // A block never straddles two limbs, as its bits divide 64. What is too many for the widest type does not fit.
        let limb = limbs.get_mut(bit / 64).ok_or(CiphertextError::LibraryFailure)?;
        *limb |= message << (bit % 64);
    }
    // Unreachable, as the number of blocks fits the type; an error all the same.
    Plaintext::new(declared, Number::from_limbs(limbs)).ok_or(CiphertextError::LibraryFailure)
}
