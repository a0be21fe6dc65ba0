use kms_core_engine::{CiphertextError, FheType};
use tfhe::{
    FheUint8, FheUint8Id,
    core_crypto::prelude::{CiphertextModulus, LweCiphertext},
    integer::{IntegerCiphertext, RadixCiphertext},
    shortint::{
        AtomicPatternKind, Ciphertext,
        ciphertext::Degree,
        parameters::{CarryModulus, MessageModulus, PBSOrder},
    },
};

use crate::fixture::{Random, read, small, tag, write};

#[test]
fn mutated_bytes_give_a_value_of_the_type_or_an_error_and_never_a_panic() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for (fhe_type, value) in [(FheType::Bool, "true"), (FheType::Uint8, "201"), (FheType::Address, ADDRESS)] {
        let original = small().encrypt(fhe_type, value);
        let (mut refused, mut accepted) = (0, 0);
        for _ in 0..4000 {
            let bytes = random.mutated(&original);
            match small().decrypt(&bytes, fhe_type) {
                Ok(plaintext) => {
                    assert_eq!(plaintext.fhe_type(), fhe_type);
                    accepted += 1;
                }
                Err(CiphertextError::LibraryFailure) => {
                    panic!("the library panicked on a mutated {fhe_type}")
                }
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 1000 && accepted > 0, "{fhe_type}: {refused} refused, {accepted} accepted");
    }
}

const ADDRESS: &str = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";

/// An honest ciphertext of 8 bits whose third block was replaced.
fn with_third_block(change: impl FnOnce(&mut Ciphertext)) -> Vec<u8> {
    let honest: FheUint8 = read(&small().encrypt(FheType::Uint8, "201"));
    let mut blocks = honest.into_raw_parts().0.blocks().to_vec();
    change(&mut blocks[2]);
    from_blocks(blocks)
}

fn from_blocks(blocks: Vec<Ciphertext>) -> Vec<u8> {
    let radix = RadixCiphertext::from(blocks);
    write(&FheUint8::from_raw_parts(radix, FheUint8Id, tag(), Default::default()))
}

fn refused_for_shape(name: &str, change: impl FnOnce(&mut Ciphertext)) {
    let error = small().decrypt(&with_third_block(change), FheType::Uint8).unwrap_err();
    assert_eq!(error, CiphertextError::WrongShape { index: 2 }, "{name}");
    assert_eq!(error.failure_code(), 3);
}

fn lwe(size: usize, modulus: CiphertextModulus<u64>) -> LweCiphertext<Vec<u64>> {
    LweCiphertext::from_container(vec![0; size], modulus)
}

#[test]
fn an_untouched_block_is_accepted() {
    let stored = with_third_block(|_| ());
    assert_eq!(small().decrypted(&stored, FheType::Uint8), "201");
}

#[test]
fn blocks_of_another_shape_are_refused_before_the_library_computes_on_them() {
    let native = CiphertextModulus::new_native();
    let size = small().lwe().lwe_dimension().to_lwe_size().0;

    for other in [1, 2, size - 1, size + 1, 2 * size] {
        refused_for_shape("lwe size", |block| block.ct = lwe(other, native));
    }
    for modulus in [
        CiphertextModulus::try_new_power_of_2(32).unwrap(),
        CiphertextModulus::try_new_power_of_2(63).unwrap(),
        CiphertextModulus::try_new((1 << 64) - (1 << 32) + 1).unwrap(),
    ] {
        refused_for_shape("ciphertext modulus", |block| block.ct = lwe(size, modulus));
    }
    for modulus in [0, 1, 2, 8, 1 << 63, u64::MAX] {
        refused_for_shape("message modulus", |block| block.message_modulus = MessageModulus(modulus));
        refused_for_shape("carry modulus", |block| block.carry_modulus = CarryModulus(modulus));
    }
    for degree in [4, 15, u64::MAX] {
        refused_for_shape("degree", |block| block.degree = Degree::new(degree));
    }
    for pattern in [AtomicPatternKind::Standard(PBSOrder::BootstrapKeyswitch), AtomicPatternKind::KeySwitch32]
    {
        refused_for_shape("atomic pattern", |block| block.atomic_pattern = pattern);
    }
}

#[test]
fn a_block_with_a_full_carry_is_refused() {
    let stored = with_third_block(|block| add_to_body(block, 4));
    let error = small().decrypt(&stored, FheType::Uint8).unwrap_err();
    assert_eq!(error, CiphertextError::NotAMessage { index: 2 });
}

#[test]
fn a_block_with_much_noise_is_refused() {
    for noise in [1 << 57, 1 << 58, (1 << 59) - (1 << 57)] {
        let stored = with_third_block(|block| {
            let body = block.ct.as_mut().last_mut().unwrap();
            *body = body.wrapping_add(noise);
        });
        let error = small().decrypt(&stored, FheType::Uint8).unwrap_err();
        assert_eq!(error, CiphertextError::NotAMessage { index: 2 });
    }
}

#[test]
fn no_blocks_at_all_are_refused() {
    let error = small().decrypt(&from_blocks(Vec::new()), FheType::Uint8).unwrap_err();
    assert_eq!(error.code(), "wrong_type");
}

/// Not a promise but a fact to know: only the digest of the bytes guards their value.
#[test]
fn whoever_can_change_the_bytes_can_change_the_value() {
    // 201 = 0b11_00_10_01: the third block is 0; adding 2 to it gives 0b11_10_10_01.
    let stored = with_third_block(|block| add_to_body(block, 2));
    assert_eq!(small().decrypted(&stored, FheType::Uint8), "233");
}

fn add_to_body(block: &mut Ciphertext, message: u64) {
    let body = block.ct.as_mut().last_mut().unwrap();
    *body = body.wrapping_add(message << 59);
}
