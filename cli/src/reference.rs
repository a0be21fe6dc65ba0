//! REF: one printable string that says all there is to say of a ciphertext.
//!
//! `kms1_` and the base64url text (no padding) of
//! `key id u64 || handle 32 || digest 32 || size u64 || type u8 || format u8 || index u16 || provenance || check 4`,
//! integers big-endian. `provenance` is a kind and its fields: `0` unproven; `1 || request id u64` verified;
//! `2 || flags u8 || user 20 (flag 1) || contract 20 (flag 2) || valid until u64 || count u8 || count * 65`
//! attested; `3 || crs id u64 || contract 20 || user 20 || acl 20 || chain id u64` an input that was not verified yet,
//! with what its proof binds. `check` is the first 4 bytes of SHA-256(`"kms-ref-v1" || all before it`): a typing error is found.
//! Another layout will have another prefix.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kms_asc_api::{
    Ciphertext, CiphertextFormat, CrsId, Digest, EvmAddress, FheType, Handle, KeyId, Provenance, RequestId,
    Signature, payload::InputBinding,
};

const PREFIX: &str = "kms1_";
const CHECK_PREFIX: &[u8] = b"kms-ref-v1";
const CHECK_LEN: usize = 4;

const UNPROVEN: u8 = 0;
const VERIFIED: u8 = 1;
const ATTESTED: u8 = 2;
const CLAIMED: u8 = 3;
const HAS_USER: u8 = 1;
const HAS_CONTRACT: u8 = 2;

/// A ciphertext and the key that it is encrypted under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The key.
    pub key_id: KeyId,
    /// What a request says of it.
    pub ciphertext: Ciphertext,
    /// What the proof binds, if the ciphertext is of an input that was not verified yet; its provenance is `unproven`
    /// then.
    pub claim: Option<InputClaim>,
}

/// What `verify-input` has the operators check of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputClaim {
    /// The reference string of the proof.
    pub crs_id: CrsId,
    /// What the proof binds.
    pub binding: InputBinding,
}

/// A text that is no REF.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It begins otherwise.
    #[error("not a REF: a REF begins with {PREFIX}")]
    Prefix,
    /// It is cut off or mistyped.
    #[error("the REF is mistyped or cut off: its check sum does not fit")]
    Check,
    /// It is whole but says what no REF can.
    #[error("the REF has {0}")]
    Content(&'static str),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.encode();
        let check = check_sum(&bytes);
        bytes.extend_from_slice(&check);
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let digits = text.trim().strip_prefix(PREFIX).ok_or(ReferenceError::Prefix)?;
        let bytes = URL_SAFE_NO_PAD.decode(digits).map_err(|_| ReferenceError::Check)?;
        let (content, check) = bytes.split_last_chunk::<CHECK_LEN>().ok_or(ReferenceError::Check)?;
        if check_sum(content) != *check {
            return Err(ReferenceError::Check);
        }
        Self::decode(content)
    }
}

impl Reference {
    fn encode(&self) -> Vec<u8> {
        let Ciphertext { handle, digest, size, fhe_type, format, index, provenance } = &self.ciphertext;
        let mut out = self.key_id.get().to_be_bytes().to_vec();
        out.extend_from_slice(handle.as_bytes());
        out.extend_from_slice(digest.as_bytes());
        out.extend_from_slice(&size.to_be_bytes());
        out.extend_from_slice(&[fhe_type.number(), format.number()]);
        out.extend_from_slice(&index.to_be_bytes());
        match &self.claim {
            Some(claim) => encode_claim(claim, &mut out),
            None => encode_provenance(provenance, &mut out),
        }
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, ReferenceError> {
        let mut rest = Reader(bytes);
        let mut reference = Self {
            key_id: KeyId(rest.u64()?),
            claim: None,
            ciphertext: Ciphertext {
                handle: Handle::new(rest.take()?),
                digest: Digest::new(rest.take()?),
                size: rest.u64()?,
                fhe_type: FheType::try_from(rest.u8()?)
                    .map_err(|_| ReferenceError::Content("an unknown type"))?,
                format: format(rest.u8()?)?,
                index: u16::from_be_bytes(rest.take()?),
                provenance: Provenance::Unproven,
            },
        };
        (reference.ciphertext.provenance, reference.claim) = decode_provenance(&mut rest)?;
        if reference.ciphertext.handle.fhe_type_number() != reference.ciphertext.fhe_type.number() {
            return Err(ReferenceError::Content("a handle of another type"));
        }
        if rest.0.is_empty() { Ok(reference) } else { Err(ReferenceError::Content("bytes left over")) }
    }
}

fn check_sum(content: &[u8]) -> [u8; CHECK_LEN] {
    let [a, b, c, d, ..] = *Digest::sha256(&[CHECK_PREFIX, content].concat()).as_bytes();
    [a, b, c, d]
}

fn format(number: u8) -> Result<CiphertextFormat, ReferenceError> {
    [CiphertextFormat::Raw, CiphertextFormat::Compressed, CiphertextFormat::Compact]
        .into_iter()
        .find(|format| format.number() == number)
        .ok_or(ReferenceError::Content("an unknown format"))
}

fn encode_provenance(provenance: &Provenance, out: &mut Vec<u8>) {
    match provenance {
        Provenance::Unproven => out.push(UNPROVEN),
        Provenance::Verified { request_id } => {
            out.push(VERIFIED);
            out.extend_from_slice(&request_id.get().to_be_bytes());
        }
        Provenance::Attested { user, contract, valid_until, signatures } => {
            let flag = |there: bool, bit| if there { bit } else { 0 };
            out.push(ATTESTED);
            out.push(flag(user.is_some(), HAS_USER) | flag(contract.is_some(), HAS_CONTRACT));
            for address in [user, contract].into_iter().flatten() {
                out.extend_from_slice(address.as_bytes());
            }
            out.extend_from_slice(&valid_until.to_be_bytes());
            // No contract takes as many attesters as would not fit.
            let count = u8::try_from(signatures.len()).unwrap_or(u8::MAX);
            out.push(count);
            for signature in signatures.iter().take(usize::from(count)) {
                out.extend_from_slice(signature.as_bytes());
            }
        }
    }
}

fn encode_claim(claim: &InputClaim, out: &mut Vec<u8>) {
    let InputBinding { contract, user, acl, chain_id } = claim.binding;
    out.push(CLAIMED);
    out.extend_from_slice(&claim.crs_id.get().to_be_bytes());
    for address in [contract, user, acl] {
        out.extend_from_slice(address.as_bytes());
    }
    out.extend_from_slice(&chain_id.to_be_bytes());
}

fn decode_claim(rest: &mut Reader<'_>) -> Result<InputClaim, ReferenceError> {
    Ok(InputClaim {
        crs_id: CrsId(rest.u64()?),
        binding: InputBinding {
            contract: EvmAddress::new(rest.take()?),
            user: EvmAddress::new(rest.take()?),
            acl: EvmAddress::new(rest.take()?),
            chain_id: rest.u64()?,
        },
    })
}

fn decode_provenance(rest: &mut Reader<'_>) -> Result<(Provenance, Option<InputClaim>), ReferenceError> {
    let provenance = match rest.u8()? {
        UNPROVEN => Provenance::Unproven,
        VERIFIED => Provenance::Verified { request_id: RequestId(rest.u64()?) },
        ATTESTED => decode_attestation(rest)?,
        CLAIMED => return Ok((Provenance::Unproven, Some(decode_claim(rest)?))),
        _ => return Err(ReferenceError::Content("an unknown provenance")),
    };
    Ok((provenance, None))
}

fn decode_attestation(rest: &mut Reader<'_>) -> Result<Provenance, ReferenceError> {
    let flags = rest.u8()?;
    if flags & !(HAS_USER | HAS_CONTRACT) != 0 {
        return Err(ReferenceError::Content("unknown flags"));
    }
    let mut address = |bit| -> Result<Option<EvmAddress>, ReferenceError> {
        if flags & bit == 0 { Ok(None) } else { Ok(Some(EvmAddress::new(rest.take()?))) }
    };
    let (user, contract) = (address(HAS_USER)?, address(HAS_CONTRACT)?);
    let valid_until = rest.u64()?;
    let count = rest.u8()?;
    let signatures =
        (0..count).map(|_| rest.take().map(Signature::new)).collect::<Result<_, ReferenceError>>()?;
    Ok(Provenance::Attested { user, contract, valid_until, signatures })
}

/// Bytes not read yet.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ReferenceError> {
        let (taken, rest) =
            self.0.split_first_chunk::<N>().ok_or(ReferenceError::Content("bytes missing"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, ReferenceError> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn u64(&mut self) -> Result<u64, ReferenceError> {
        self.take().map(u64::from_be_bytes)
    }
}

#[cfg(test)]
pub mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A REF as `kms encrypt` makes it.
    pub fn example(key_id: u64) -> Reference {
        let mut handle = [3; 32];
        handle[30] = FheType::Uint64.number();
        Reference {
            key_id: KeyId(key_id),
            ciphertext: Ciphertext {
                handle: Handle::new(handle),
                digest: Digest::sha256(b"bytes"),
                size: 528_101,
                fhe_type: FheType::Uint64,
                format: CiphertextFormat::Raw,
                index: 0,
                provenance: Provenance::Unproven,
            },
            claim: None,
        }
    }

    /// A REF as `kms encrypt --proven` makes it.
    pub fn claimed(key_id: u64) -> Reference {
        let mut reference = example(key_id);
        reference.ciphertext.format = CiphertextFormat::Compact;
        reference.claim = Some(InputClaim {
            crs_id: CrsId(2),
            binding: InputBinding {
                contract: EvmAddress::new([0xaa; 20]),
                user: EvmAddress::new([0xbb; 20]),
                acl: EvmAddress::new([0xcc; 20]),
                chain_id: 9000,
            },
        });
        reference
    }

    fn claim() -> impl Strategy<Value = Option<InputClaim>> {
        let fields = (any::<u64>(), any::<[u8; 20]>(), any::<[u8; 20]>(), any::<[u8; 20]>(), any::<u64>());
        proptest::option::of(fields.prop_map(|(crs_id, contract, user, acl, chain_id)| InputClaim {
            crs_id: CrsId(crs_id),
            binding: InputBinding {
                contract: EvmAddress::new(contract),
                user: EvmAddress::new(user),
                acl: EvmAddress::new(acl),
                chain_id,
            },
        }))
    }

    fn provenance() -> impl Strategy<Value = Provenance> {
        let address = || proptest::option::of(any::<[u8; 20]>().prop_map(EvmAddress::new));
        let signature = any::<u64>().prop_map(|seed| {
            let mut bytes = [7; 65];
            bytes[..8].copy_from_slice(&seed.to_be_bytes());
            Signature::new(bytes)
        });
        let attested = (address(), address(), any::<u64>(), proptest::collection::vec(signature, 0..5));
        prop_oneof![
            Just(Provenance::Unproven),
            any::<u64>().prop_map(|id| Provenance::Verified { request_id: RequestId(id) }),
            attested.prop_map(|(user, contract, valid_until, signatures)| Provenance::Attested {
                user,
                contract,
                valid_until,
                signatures
            }),
        ]
    }

    fn reference() -> impl Strategy<Value = Reference> {
        let fields = (any::<u64>(), any::<[u8; 32]>(), any::<[u8; 32]>(), any::<u64>(), 0u8..12, 0u8..3);
        (fields, any::<u16>(), provenance(), claim()).prop_map(|(fields, index, provenance, claim)| {
            let (key_id, mut handle, digest, size, number, form) = fields;
            handle[30] = number;
            Reference {
                key_id: KeyId(key_id),
                ciphertext: Ciphertext {
                    handle: Handle::new(handle),
                    digest: Digest::new(digest),
                    size,
                    fhe_type: FheType::try_from(number).unwrap(),
                    format: format(form).unwrap(),
                    index,
                    provenance: if claim.is_some() { Provenance::Unproven } else { provenance },
                },
                claim,
            }
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(reference in reference()) {
            let text = reference.to_string();
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
            prop_assert_eq!(text.parse::<Reference>(), Ok(reference));
        }

        #[test]
        fn one_wrong_character_is_found(reference in reference(), at in any::<proptest::sample::Index>(), to in "[A-Za-z0-9_-]") {
            let mut text = reference.to_string();
            let at = at.index(text.len());
            prop_assume!(text[at..=at] != to);
            text.replace_range(at..=at, &to);
            prop_assert!(text.parse::<Reference>().is_err());
        }

        #[test]
        fn a_part_of_a_ref_is_no_ref(reference in reference(), len in any::<proptest::sample::Index>()) {
            let text = reference.to_string();
            prop_assert!(text[..len.index(text.len())].parse::<Reference>().is_err());
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            let _ = text.parse::<Reference>();
            let _ = format!("{PREFIX}{text}").parse::<Reference>();
        }
    }

    /// The text is a promise: REFs are kept in files and handed on. Computed by an independent program.
    #[test]
    fn the_text_of_a_ref_stays_the_same() {
        assert_eq!(
            example(7).to_string(),
            "kms1_AAAAAAAAAAcDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMFAydwidkcC99PLmhiun5KB2BRGUMfXRP3Jt01KwbxsgapAAAAAAAIDuUFAAAAABG4-OA"
        );
    }

    /// The fields of an input follow in their order.
    #[test]
    fn a_ref_of_an_input_ends_with_what_its_proof_binds() {
        let bytes = claimed(7).encode();
        let expected =
            format!("03{:016x}{}{}{}{:016x}", 2, "aa".repeat(20), "bb".repeat(20), "cc".repeat(20), 9000);
        assert!(hex::encode(bytes).ends_with(&expected));
        let text = claimed(7).to_string();
        assert_eq!(text.parse::<Reference>(), Ok(claimed(7)));
    }

    #[test]
    fn a_handle_of_another_type_is_refused() {
        let mut reference = example(7);
        reference.ciphertext.fhe_type = FheType::Uint8;
        let refused = reference.to_string().parse::<Reference>();
        assert_eq!(refused, Err(ReferenceError::Content("a handle of another type")));
    }

    #[test]
    fn something_else_is_called_something_else() {
        assert_eq!("wasm1abc".parse::<Reference>(), Err(ReferenceError::Prefix));
        assert_eq!("kms1_".parse::<Reference>(), Err(ReferenceError::Check));
    }
}
