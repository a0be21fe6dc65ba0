//! The immutable record of what was asked.

use cosmwasm_schema::cw_serde;
use cosmwasm_std::Uint128;
use kms_callback::Callback;

use crate::{DecodeError, Digest, EpochId, Operation, RequestId};

/// A request's body: compact JSON in this order of fields, written once under `request`.
/// Everybody hashes the stored bytes; nobody serializes anew.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct RequestBody {
    /// Version of this record: 1.
    pub v: u8,
    /// The id.
    pub id: RequestId,
    /// Who paid.
    pub requester: String,
    /// What is asked.
    pub operation: Operation,
    /// Who has to answer; absent if denied.
    pub epoch: Option<EpochId>,
    /// What it costs; what was charged, if denied.
    pub price: Uint128,
    /// Block time in seconds from which an answer no longer counts; absent if denied.
    pub deadline: Option<u64>,
    /// Block height of the submission.
    pub height: u64,
    /// Block time of the submission, seconds.
    pub time: u64,
    /// How the requester wants to be told.
    pub callback: Option<Callback>,
}

impl RequestBody {
    /// The version that this code writes.
    pub const VERSION: u8 = 1;

    /// Parses stored bytes.
    ///
    /// # Errors
    /// When the bytes are no body, or of another version.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let body: Self = serde_json::from_slice(bytes)
            .map_err(|e| DecodeError::Json { record: "request", reason: e.to_string() })?;
        if body.v != Self::VERSION {
            return Err(DecodeError::Value { record: "request", field: "v", given: u64::from(body.v) });
        }
        Ok(body)
    }

    /// Block time from which codes that waiting may mend are accepted: half way to the deadline.
    /// `None` for a denied request.
    pub fn half_time(&self) -> Option<u64> {
        let ttl = self.deadline?.checked_sub(self.time)?;
        self.time.checked_add(ttl.div_ceil(2))
    }
}

/// The hash that receipts carry: SHA-256 of the body's stored bytes.
pub fn request_hash(stored_body: &[u8]) -> Digest {
    Digest::sha256(stored_body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyGen, KeyParams, KeySource};

    fn body() -> RequestBody {
        RequestBody {
            v: 1,
            id: RequestId(1),
            requester: "wasm1user".into(),
            operation: Operation::KeyGen(KeyGen { params: KeyParams::Default, source: KeySource::Generate }),
            epoch: Some(EpochId(1)),
            price: Uint128::new(100),
            deadline: Some(161),
            height: 9,
            time: 100,
            callback: None,
        }
    }

    #[test]
    fn the_stored_form_is_compact_json_in_a_fixed_order() {
        assert_eq!(
            serde_json::to_string(&body()).unwrap(),
            r#"{"v":1,"id":1,"requester":"wasm1user","operation":{"key_gen":{"params":"default","source":"generate"}},"epoch":1,"price":"100","deadline":161,"height":9,"time":100,"callback":null}"#
        );
    }

    #[test]
    fn another_version_or_an_unknown_field_is_refused() {
        let json = serde_json::to_string(&body()).unwrap();
        assert_eq!(RequestBody::parse(json.as_bytes()).unwrap(), body());
        assert!(RequestBody::parse(json.replace("\"v\":1", "\"v\":2").as_bytes()).is_err());
        assert!(RequestBody::parse(json.replace("\"v\":1", "\"v\":1,\"w\":1").as_bytes()).is_err());
    }

    #[test]
    fn nothing_counts_as_half_time_before_half_of_it_has_passed() {
        assert_eq!(body().half_time(), Some(131));
        assert_eq!(RequestBody { deadline: None, ..body() }.half_time(), None);
    }
}
