//! What several unit tests build on.

use kms_asc_api::{
    EpochId, KeyGen, KeyParams, KeySource, Operation, PartyId, RequestBody, RequestId, State, Status,
};

use crate::machine::{Facts, Operator};

/// Whom the tests serve.
pub const US: Operator = Operator { epoch: EpochId(1), party: PartyId(1) };

/// An open key generation of our epoch: made at 100, half time 130, deadline 160, now 105.
pub fn facts(id: u64) -> Facts {
    let body = RequestBody {
        v: 1,
        id: RequestId(id),
        requester: "wasm1user".into(),
        operation: Operation::KeyGen(KeyGen { params: KeyParams::Test, source: KeySource::Generate }),
        epoch: Some(US.epoch),
        price: 5u128.into(),
        deadline: Some(160),
        height: 9,
        time: 100,
        callback: None,
    };
    let stored_body = serde_json::to_vec(&body).unwrap();
    Facts { stored_body, body, status: Status::new(State::Pending, 0, 9, 100), responded: false, now: 105 }
}
