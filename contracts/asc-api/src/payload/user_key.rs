//! The user's public encryption key, in the one form that clients send: tfhe's safe-serialize header and the
//! ML-KEM-512 public key.

use super::PayloadError;

/// Bytes of the header: `u64 3 "0.5" | u32 0 | u64 3 "0.1" | u64 19 "UnifiedPublicEncKey" | u32 0 | u32 0 |
/// u64 800`, integers little-endian.
const HEADER: &[u8; 69] =
    b"\x03\0\0\0\0\0\0\x000.5\0\0\0\0\x03\0\0\0\0\0\0\x000.1\x13\0\0\0\0\0\0\0UnifiedPublicEncKey\
\0\0\0\0\0\0\0\0\x20\x03\0\0\0\0\0\0";

/// Length of a user's key with its header.
pub const USER_KEY_LEN: usize = 869;

/// The ML-KEM-512 public key within `enc_key`.
///
/// # Errors
/// When the length is not 869 or the header is another.
pub fn decode_user_key(enc_key: &[u8]) -> Result<&[u8; 800], PayloadError> {
    let key = enc_key.strip_prefix(HEADER.as_slice()).ok_or(PayloadError("enc_key has another header"))?;
    key.try_into().map_err(|_| PayloadError("enc_key is not 869 bytes"))
}

/// The form of a public key in requests.
pub fn encode_user_key(ml_kem_key: &[u8; 800]) -> Vec<u8> {
    [HEADER.as_slice(), ml_kem_key].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_the_serialized_one() {
        let text = |text: &str| [&u64::try_from(text.len()).unwrap().to_le_bytes(), text.as_bytes()].concat();
        let header = [
            text("0.5"),
            vec![0; 4],
            text("0.1"),
            text("UnifiedPublicEncKey"),
            vec![0; 8],
            800u64.to_le_bytes().to_vec(),
        ];
        assert_eq!(header.concat(), HEADER);
        assert_eq!(encode_user_key(&[7; 800]).len(), USER_KEY_LEN);
    }

    #[test]
    fn a_key_comes_back_and_any_other_form_is_refused() {
        let key = encode_user_key(&[7; 800]);
        assert_eq!(decode_user_key(&key), Ok(&[7; 800]));
        let longer = [key.as_slice(), &[0]].concat();
        for bad in [&key[..868], &key[1..], &longer, &[], &[7; 869][..]] {
            assert!(decode_user_key(bad).is_err());
        }
        for at in 0..69 {
            let mut changed = key.clone();
            changed[at] ^= 1;
            assert!(decode_user_key(&changed).is_err(), "byte {at}");
        }
    }
}
