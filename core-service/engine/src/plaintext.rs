use std::fmt;

use alloy_primitives::{Address, Uint, hex};

use crate::{FheType, ValueError};

/// Wide enough for every type.
pub(crate) type Number = Uint<2048, 32>;

/// A value of an FHE type, always within its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Plaintext {
    fhe_type: FheType,
    value: Number,
}

impl Plaintext {
    /// Reads a value as people write it: `true` or `false` for `bool`; 40 hexadecimal digits after `0x` for `address`, in
    /// one case or with the checksum of EIP-55; else decimal digits, or hexadecimal ones after `0x`.
    pub fn parse(fhe_type: FheType, text: &str) -> Result<Self, ValueError> {
        match fhe_type {
            FheType::Bool => parse_bool(text),
            FheType::Address => parse_address(text),
            _ => parse_integer(fhe_type, text),
        }
    }

    /// Reads the big-endian words of a payload: [`FheType::words`] of 32 bytes each.
    pub fn from_words(fhe_type: FheType, words: &[u8]) -> Result<Self, ValueError> {
        let expected = fhe_type.words() * 32;
        let value = (words.len() == expected).then(|| Number::try_from_be_slice(words)).flatten();
        let value = value.ok_or(ValueError::PayloadLength { given: words.len(), expected })?;
        in_range(fhe_type, value).ok_or_else(|| out_of_range(fhe_type, format!("0x{}", hex::encode(words))))
    }

    /// Reads what [`Plaintext::little_endian`] writes: [`FheType::bytes`] bytes.
    pub fn from_little_endian(fhe_type: FheType, bytes: &[u8]) -> Result<Self, ValueError> {
        let expected = fhe_type.bytes();
        let value = (bytes.len() == expected).then(|| Number::try_from_le_slice(bytes)).flatten();
        let value = value.ok_or(ValueError::PayloadLength { given: bytes.len(), expected })?;
        in_range(fhe_type, value).ok_or_else(|| out_of_range(fhe_type, value.to_string()))
    }

    /// Reads a payload made by [`payload`], whose types are known.
    pub fn from_payload(types: &[FheType], payload: &[u8]) -> Result<Vec<Self>, ValueError> {
        let expected = types.iter().map(|fhe_type| fhe_type.words() * 32).sum();
        if payload.len() != expected {
            return Err(ValueError::PayloadLength { given: payload.len(), expected });
        }
        let mut rest = payload;
        let read = |fhe_type: &FheType| {
            let (words, behind) = rest.split_at(fhe_type.words() * 32);
            rest = behind;
            Self::from_words(*fhe_type, words)
        };
        types.iter().map(read).collect()
    }

    /// A decrypted value; `None` if it is out of the type's range.
    pub(crate) fn new(fhe_type: FheType, value: Number) -> Option<Self> {
        in_range(fhe_type, value)
    }

    /// Its type.
    pub const fn fhe_type(&self) -> FheType {
        self.fhe_type
    }

    /// The big-endian words that stand for it in the payload of a public decryption: [`FheType::words`] of 32 bytes each;
    /// bool is 0 or 1.
    pub fn words(&self) -> Vec<u8> {
        let bytes: [u8; 256] = self.value.to_be_bytes();
        bytes.into_iter().skip(256 - self.fhe_type.words() * 32).collect()
    }

    /// The bytes that stand for it in a user decryption: [`FheType::bytes`], least significant first; bool is 0 or 1.
    pub fn little_endian(&self) -> Vec<u8> {
        let bytes: [u8; 256] = self.value.to_le_bytes();
        bytes.into_iter().take(self.fhe_type.bytes()).collect()
    }

    pub(crate) fn value(&self) -> Number {
        self.value
    }
}

/// The payload of a public decryption: the words of `plaintexts`, in order.
pub fn payload(plaintexts: &[Plaintext]) -> Vec<u8> {
    plaintexts.iter().flat_map(Plaintext::words).collect()
}

impl fmt::Display for Plaintext {
    /// Writes what [`Plaintext::parse`] reads: integers in decimal, addresses with their checksum.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fhe_type {
            FheType::Bool => write!(f, "{}", !self.value.is_zero()),
            FheType::Address => write!(f, "{}", self.address()),
            _ => write!(f, "{}", self.value),
        }
    }
}

impl Plaintext {
    fn address(&self) -> Address {
        let mut bytes = [0; 20];
        for (to, from) in bytes.iter_mut().rev().zip(self.little_endian()) {
            *to = from;
        }
        Address::from(bytes)
    }
}

fn parse_bool(text: &str) -> Result<Plaintext, ValueError> {
    let value = match text {
        "true" => Number::ONE,
        "false" => Number::ZERO,
        _ => return Err(syntax(FheType::Bool, text)),
    };
    Ok(Plaintext { fhe_type: FheType::Bool, value })
}

fn parse_address(text: &str) -> Result<Plaintext, ValueError> {
    let digits = text.strip_prefix("0x").ok_or_else(|| syntax(FheType::Address, text))?;
    let bytes: [u8; 20] = hex::decode_to_array(digits).map_err(|_| syntax(FheType::Address, text))?;

    let address = Address::from(bytes);
    let expected = address.to_checksum(None);
    let mixed = digits.contains(|c: char| c.is_ascii_lowercase())
        && digits.contains(|c: char| c.is_ascii_uppercase());
    if mixed && text != expected {
        return Err(ValueError::Checksum { given: text.to_owned(), expected });
    }
    Ok(Plaintext { fhe_type: FheType::Address, value: Number::from_be_slice(address.as_slice()) })
}

fn parse_integer(fhe_type: FheType, text: &str) -> Result<Plaintext, ValueError> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(syntax(fhe_type, text));
    }
    // Only digits are left, so what fails is too great for any type.
    Number::from_str_radix(digits, u64::from(radix))
        .ok()
        .and_then(|value| in_range(fhe_type, value))
        .ok_or_else(|| out_of_range(fhe_type, text.to_owned()))
}

fn in_range(fhe_type: FheType, value: Number) -> Option<Plaintext> {
    (value.bit_len() <= fhe_type.bits()).then_some(Plaintext { fhe_type, value })
}

fn out_of_range(fhe_type: FheType, given: String) -> ValueError {
    let max = Plaintext { fhe_type, value: Number::MAX >> (2048 - fhe_type.bits()) }.to_string();
    ValueError::OutOfRange { given, fhe_type, max }
}

fn syntax(fhe_type: FheType, given: &str) -> ValueError {
    let expected = match fhe_type {
        FheType::Bool => "`true` or `false`",
        FheType::Address => "`0x` and 40 hexadecimal digits",
        _ => "decimal digits, or `0x` and hexadecimal digits",
    };
    ValueError::Syntax { given: given.to_owned(), fhe_type, expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(fhe_type: FheType, text: &str) -> String {
        Plaintext::parse(fhe_type, text).unwrap().to_string()
    }

    fn refused(fhe_type: FheType, text: &str) -> &'static str {
        Plaintext::parse(fhe_type, text).unwrap_err().code()
    }

    #[test]
    fn values_are_shown_as_they_are_typed() {
        assert_eq!(shown(FheType::Bool, "true"), "true");
        assert_eq!(shown(FheType::Bool, "false"), "false");
        assert_eq!(shown(FheType::Uint8, "255"), "255");
        assert_eq!(shown(FheType::Uint64, "0xfF"), "255");
        assert_eq!(shown(FheType::Uint2048, &Number::MAX.to_string()), Number::MAX.to_string());
    }

    #[test]
    fn the_greatest_value_of_each_type_is_read_and_the_next_is_refused() {
        for t in FheType::ALL.into_iter().filter(|t| !matches!(t, FheType::Bool | FheType::Address)) {
            let max = Number::MAX >> (2048 - t.bits());
            assert_eq!(shown(t, &max.to_string()), max.to_string());
            let next =
                if t == FheType::Uint2048 { format!("{max}0") } else { (max + Number::ONE).to_string() };
            let error = Plaintext::parse(t, &next).unwrap_err();
            assert_eq!(error.code(), "value_out_of_range");
            assert!(error.to_string().contains(&max.to_string()), "{error}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-1", "+1", "1_000", "1.0", "0x", "0xg", " 1", "1 ", "true", "ten"] {
            assert_eq!(refused(FheType::Uint32, text), "value_syntax", "{text}");
        }
        for text in ["", "1", "0", "True", "yes"] {
            assert_eq!(refused(FheType::Bool, text), "value_syntax", "{text}");
        }
    }

    #[test]
    fn an_address_is_shown_with_its_checksum_and_a_wrong_one_is_refused() {
        // The first example of EIP-55.
        let address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        assert_eq!(shown(FheType::Address, address), address);
        assert_eq!(shown(FheType::Address, &address.to_lowercase()), address);
        assert_eq!(refused(FheType::Address, &address.replace("aA", "Aa")), "address_checksum");
        for text in ["", "0x", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aAe", "12"] {
            assert_eq!(refused(FheType::Address, text), "value_syntax", "{text}");
        }
        assert_eq!(refused(FheType::Address, &format!("{address}00")), "value_syntax");
    }

    #[test]
    fn a_payload_is_one_word_per_plaintext_and_read_back() {
        let types = [FheType::Bool, FheType::Uint16, FheType::Address];
        let texts = ["true", "513", "0x00000000000000000000000000000000000000fF"];
        let values: Vec<_> = types
            .iter()
            .zip(texts)
            .map(|(t, text)| Plaintext::parse(*t, &text.to_lowercase()).unwrap())
            .collect();
        let bytes = payload(&values);
        let mut expected = [0; 96];
        (expected[31], expected[62], expected[63], expected[95]) = (1, 2, 1, 255);
        assert_eq!(bytes, expected);
        assert_eq!(Plaintext::from_payload(&types, &bytes).unwrap(), values);
    }

    #[test]
    fn wide_values_take_as_many_words_as_they_need() {
        let types = [FheType::Uint512, FheType::Bool, FheType::Uint2048];
        let texts = [format!("0x01{}", "00".repeat(32)), "true".to_owned(), "7".to_owned()];
        let values: Vec<_> =
            types.iter().zip(&texts).map(|(t, text)| Plaintext::parse(*t, text).unwrap()).collect();
        let bytes = payload(&values);
        let mut expected = [0; 32 * (2 + 1 + 8)];
        (expected[31], expected[95], expected[351]) = (1, 1, 7);
        assert_eq!(bytes, expected);
        assert_eq!(Plaintext::from_payload(&types, &bytes).unwrap(), values);
        assert_eq!(
            Plaintext::from_words(FheType::Uint512, &bytes[..32]).unwrap_err().code(),
            "payload_length"
        );
    }

    #[test]
    fn little_endian_bytes_have_the_width_of_the_type_and_are_read_back() {
        let little = |t, text: &str| Plaintext::parse(t, text).unwrap().little_endian();
        assert_eq!(little(FheType::Bool, "true"), [1]);
        assert_eq!(little(FheType::Uint4, "15"), [15]);
        assert_eq!(little(FheType::Uint16, "513"), [1, 2]);
        let address = little(FheType::Address, "0x00000000000000000000000000000000000000ff");
        assert_eq!((address.len(), address[0]), (20, 255));
        for t in FheType::ALL {
            let greatest = Plaintext::new(t, Number::MAX >> (2048 - t.bits())).unwrap();
            let bytes = greatest.little_endian();
            assert_eq!(bytes.len(), t.bytes());
            assert_eq!(Plaintext::from_little_endian(t, &bytes), Ok(greatest));
            assert_eq!(Plaintext::from_words(t, &greatest.words()), Ok(greatest));
        }
        let code = |t, bytes: &[u8]| Plaintext::from_little_endian(t, bytes).unwrap_err().code();
        assert_eq!(code(FheType::Uint16, &[1]), "payload_length");
        assert_eq!(code(FheType::Bool, &[2]), "value_out_of_range");
        assert_eq!(code(FheType::Uint4, &[16]), "value_out_of_range");
    }

    #[test]
    fn a_payload_of_another_length_or_with_values_out_of_range_is_refused() {
        let code =
            |types: &[FheType], bytes: &[u8]| Plaintext::from_payload(types, bytes).unwrap_err().code();
        assert_eq!(code(&[FheType::Bool], &[0; 31]), "payload_length");
        assert_eq!(code(&[FheType::Bool], &[0; 33]), "payload_length");
        assert_eq!(code(&[FheType::Bool], &[0; 64]), "payload_length");
        let mut two = [0; 32];
        two[31] = 2;
        assert_eq!(code(&[FheType::Bool], &two), "value_out_of_range");
    }
}
