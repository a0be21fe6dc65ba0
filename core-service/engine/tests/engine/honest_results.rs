use kms_core_engine::FheType;
use tfhe::{
    FheBool, FheUint8, FheUint64,
    core_crypto::prelude::{LweSecretKeyOwned, decrypt_lwe_ciphertext},
    integer::IntegerCiphertext,
    prelude::{CastFrom, FheEq, FheOrd, FheTrivialEncrypt, IfThenElse},
    shortint::Ciphertext,
    with_server_key_as_context,
};

use crate::fixture::{read, real, sealed, small, tag, write};

#[test]
fn results_of_honest_computation_are_accepted_although_some_blocks_are_trivial() {
    let x: FheUint8 = read(&sealed()[2]);
    let y: FheUint8 = read(&real().encrypt(FheType::Uint8, "22"));

    let (shifted, sum, product, wide, less, chosen) = with_server_key_as_context(real().server(), || {
        let less = x.lt(&y);
        let chosen = less.if_then_else(&x, &y);
        (&x >> 3_u8, &x + &y, &x * &y, FheUint64::cast_from(x.clone()), less, chosen)
    });

    let decrypted = |stored: &[u8], fhe_type| real().decrypted(stored, fhe_type);
    assert_eq!(decrypted(&write(&shifted), FheType::Uint8), "25");
    assert_eq!(decrypted(&write(&sum), FheType::Uint8), "223");
    assert_eq!(decrypted(&write(&product), FheType::Uint8), "70");
    assert_eq!(decrypted(&write(&wide), FheType::Uint64), "201");
    assert_eq!(decrypted(&write(&less), FheType::Bool), "false");
    assert_eq!(decrypted(&write(&chosen), FheType::Uint8), "22");

    let lwe = real().lwe();
    let results = [shifted, sum, product, chosen, x, y].map(|r| r.into_raw_parts().0);
    let noise = results.iter().flat_map(|radix| radix.blocks()).map(|block| noise(&lwe, block)).max();
    // What is refused begins at 2^56: see NOISE_MARGIN_BITS.
    assert!(noise < Some(1 << 52), "noise of 2^{:?}", noise.map(u64::ilog2));
}

fn noise(lwe: &LweSecretKeyOwned<u64>, block: &Ciphertext) -> u64 {
    let phase = decrypt_lwe_ciphertext(lwe, &block.ct).0;
    let nearest = (phase.wrapping_add(1 << 58) >> 59) << 59;
    phase.wrapping_sub(nearest).cast_signed().unsigned_abs()
}

#[test]
fn trivial_ciphertexts_decrypt_to_what_their_bytes_say() {
    let (mut number, mut truth) = with_server_key_as_context(small().server(), || {
        (FheUint8::encrypt_trivial(200_u8), FheUint8::encrypt_trivial(3_u8).eq(3_u8))
    });
    set_tags(&mut number, &mut truth);
    assert_eq!(small().decrypted(&write(&number), FheType::Uint8), "200");
    assert_eq!(small().decrypted(&write(&truth), FheType::Bool), "true");
}

fn set_tags(number: &mut FheUint8, truth: &mut FheBool) {
    use tfhe::prelude::Tagged;
    *number.tag_mut() = tag();
    *truth.tag_mut() = tag();
}
