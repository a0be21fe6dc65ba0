//! One party's answer or failure, as it is stored.

use crate::{DecodeError, Digest, EpochId, Outcome, Signature};

/// The stored form under `response`, written once: `v u8, epoch u32, outcome u32, late u8, receipt 65,
/// ext_len u8, ext, payload`, integers big-endian. `payload` is the answer's payload, or the ciphertext's
/// index (u16) of a failure; of a late item only its digest is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResponse {
    /// The epoch that the party spoke for.
    pub epoch: EpochId,
    /// Answer or failure.
    pub outcome: Outcome,
    /// Whether it came too late to count.
    pub late: bool,
    /// The party's receipt.
    pub receipt: Signature,
    /// The statement for the outside world; none for late items and failures.
    pub external_signature: Option<Signature>,
    /// As described above.
    pub payload: Vec<u8>,
}

impl StoredResponse {
    /// The version that this code writes.
    pub const VERSION: u8 = 1;
    /// Bytes before the external signature.
    const HEAD: usize = 76;

    /// The stored form.
    pub fn encode(&self) -> Vec<u8> {
        let external = self.external_signature.as_ref().map_or(&[][..], |s| s.as_bytes());
        let mut out = Vec::with_capacity(Self::HEAD + external.len() + self.payload.len());
        out.push(Self::VERSION);
        out.extend_from_slice(&self.epoch.get().to_be_bytes());
        out.extend_from_slice(&self.outcome.number().to_be_bytes());
        out.push(u8::from(self.late));
        out.extend_from_slice(self.receipt.as_bytes());
        out.push(if external.is_empty() { 0 } else { 65 });
        out.extend_from_slice(external);
        out.extend_from_slice(&self.payload);
        out
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the bytes are no response of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let length = || DecodeError::Length { record: "response", given: bytes.len(), allowed: "76 or more" };
        let value = |field, given: u64| DecodeError::Value { record: "response", field, given };
        let (head, rest) = bytes.split_first_chunk::<{ Self::HEAD }>().ok_or_else(length)?;
        if head[0] != Self::VERSION {
            return Err(value("v", u64::from(head[0])));
        }
        let outcome = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let late = match head[9] {
            0 => false,
            1 => true,
            other => return Err(value("late", u64::from(other))),
        };
        let (external_signature, payload) = match head[75] {
            0 => (None, rest),
            65 => {
                let (external, payload) = rest.split_first_chunk::<65>().ok_or_else(length)?;
                (Some(Signature::new(*external)), payload)
            }
            other => return Err(value("ext_len", u64::from(other))),
        };
        let receipt = Signature::try_from(&head[10..75]).map_err(|_| length())?;
        Ok(Self {
            epoch: EpochId(u32::from_be_bytes([head[1], head[2], head[3], head[4]])),
            outcome: Outcome::try_from(outcome).map_err(|_| value("outcome", u64::from(outcome)))?,
            late,
            receipt,
            external_signature,
            payload: payload.to_vec(),
        })
    }

    /// The digest that the receipt signs: SHA-256 of the payload.
    pub fn payload_digest(&self) -> Digest {
        match (self.late, Digest::try_from(self.payload.as_slice())) {
            (true, Ok(digest)) => digest,
            _ => Digest::sha256(&self.payload),
        }
    }

    /// Position of the ciphertext at fault, of a failure that was in time.
    pub fn failure_index(&self) -> Option<u16> {
        match (self.outcome, self.late, self.payload.as_slice()) {
            (Outcome::Failure(_), false, [high, low]) => Some(u16::from_be_bytes([*high, *low])),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureCode;

    fn response() -> StoredResponse {
        StoredResponse {
            epoch: EpochId(2),
            outcome: Outcome::Answer,
            late: false,
            receipt: Signature::new([7; 65]),
            external_signature: Some(Signature::new([8; 65])),
            payload: vec![1, 2, 3],
        }
    }

    #[test]
    fn the_stored_form_has_its_documented_layout() {
        let bytes = response().encode();
        assert_eq!(bytes[..10], [1, 0, 0, 0, 2, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[10..75], [7; 65]);
        assert_eq!(bytes[75], 65);
        assert_eq!(bytes[76..141], [8; 65]);
        assert_eq!(bytes[141..], [1, 2, 3]);
        assert_eq!(StoredResponse::decode(&bytes).unwrap(), response());
    }

    #[test]
    fn a_failure_keeps_its_index_and_a_late_item_only_its_digest() {
        let failure = StoredResponse {
            outcome: Outcome::Failure(FailureCode::WrongType),
            external_signature: None,
            payload: vec![1, 4],
            ..response()
        };
        let back = StoredResponse::decode(&failure.encode()).unwrap();
        assert_eq!((back.failure_index(), back.payload_digest()), (Some(260), Digest::sha256(&[1, 4])));
        let digest = Digest::sha256(b"payload");
        let late = StoredResponse {
            late: true,
            external_signature: None,
            payload: digest.as_bytes().to_vec(),
            ..response()
        };
        assert_eq!(StoredResponse::decode(&late.encode()).unwrap().payload_digest(), digest);
    }

    #[test]
    fn foreign_bytes_are_refused() {
        let bytes = response().encode();
        assert!(StoredResponse::decode(&bytes[..75]).is_err());
        assert!(StoredResponse::decode(&bytes[..100]).is_err());
        for (at, value) in [(0, 2), (8, 13), (9, 2), (75, 64)] {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            assert!(StoredResponse::decode(&damaged).is_err(), "byte {at}");
        }
    }
}
