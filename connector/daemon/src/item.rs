//! What the core signed, in the form in which the contract takes it.

use kms_asc_api::{
    Answer, Digest, ExecuteMsg, Failure, FailureCode, PartyId, RequestBody, RequestId, Signature,
    request_hash,
};
use kms_core_proto::v1;
use serde::{Deserialize, Serialize};

use crate::machine::{Facts, Operator};

/// An answer or a failure, ready to be posted. JSON in the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Item {
    /// For `submit_responses`.
    Answer(Answer),
    /// For `submit_failures`.
    Failure(Failure),
}

/// The message of the contract that takes an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// `submit_responses`.
    Answer,
    /// `submit_failures`.
    Failure,
}

/// An answer of the core that is not one to the question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// A field differs from what was asked.
    #[error("the core's answer has {field} {given}, expected {expected}")]
    Foreign {
        /// The field.
        field: &'static str,
        /// Its value.
        given: String,
        /// The value of the question.
        expected: String,
    },
    /// A field has a wrong form.
    #[error("the core's answer has no usable {field}: {reason}")]
    Form {
        /// The field.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl Item {
    /// Takes over the core's answer to the request with these facts, asked on behalf of `operator`.
    ///
    /// # Errors
    /// When it answers something else, or a field has a wrong form.
    pub fn from_core(answer: v1::Answer, facts: &Facts, operator: Operator) -> Result<Self, ItemError> {
        let RequestBody { id, .. } = facts.body;
        same("request id", answer.request_id, id.get())?;
        let hash = Digest::try_from(answer.request_hash.as_slice()).map_err(|e| form("request hash", e))?;
        same("request hash", hash, request_hash(&facts.stored_body))?;
        same("epoch", answer.epoch, operator.epoch.get())?;
        same("party", answer.party, operator.party.get())?;
        let receipt = Signature::try_from(answer.receipt.as_slice()).map_err(|e| form("receipt", e))?;
        let Operator { epoch, party } = operator;
        match answer.outcome {
            Some(v1::answer::Outcome::Success(success)) => {
                let external = success.external_signature.as_slice();
                let external = (!external.is_empty()).then(|| Signature::try_from(external)).transpose();
                let external = external.map_err(|e| form("external signature", e))?;
                Ok(Self::Answer(Answer {
                    request_id: id,
                    epoch,
                    party,
                    payload: success.payload.into(),
                    external_signature: external.map(Into::into),
                    receipt: receipt.into(),
                }))
            }
            Some(v1::answer::Outcome::Failure(failure)) => {
                let code = u8::try_from(failure.code).ok().and_then(|code| FailureCode::try_from(code).ok());
                let code = code.ok_or_else(|| form("failure code", failure.code))?;
                let index = u16::try_from(failure.index).map_err(|e| form("index", e))?;
                Ok(Self::Failure(Failure {
                    request_id: id,
                    epoch,
                    party,
                    code: code.number().into(),
                    index: index.into(),
                    receipt: receipt.into(),
                }))
            }
            None => Err(form("outcome", "there is none")),
        }
    }

    /// The request.
    pub const fn request_id(&self) -> RequestId {
        match self {
            Self::Answer(answer) => answer.request_id,
            Self::Failure(failure) => failure.request_id,
        }
    }

    /// Who signed.
    pub const fn party(&self) -> PartyId {
        match self {
            Self::Answer(answer) => answer.party,
            Self::Failure(failure) => failure.party,
        }
    }

    /// Which message takes it.
    pub const fn kind(&self) -> ItemKind {
        match self {
            Self::Answer(_) => ItemKind::Answer,
            Self::Failure(_) => ItemKind::Failure,
        }
    }

    /// The failure's code, if it is one.
    pub fn failure_code(&self) -> Option<FailureCode> {
        match self {
            Self::Answer(_) => None,
            Self::Failure(failure) => FailureCode::try_from(failure.code).ok(),
        }
    }

    /// Block time from which the contract takes it; 0: at once.
    pub fn not_before(&self, body: &RequestBody) -> u64 {
        match self.failure_code() {
            Some(code) if code.may_mend() => body.half_time().unwrap_or(0),
            _ => 0,
        }
    }
}

/// The one contract call that posts these items, which are all of one kind.
pub fn call(items: &[Item]) -> ExecuteMsg {
    let failures: Vec<_> = items
        .iter()
        .filter_map(|item| if let Item::Failure(failure) = item { Some(failure.clone()) } else { None })
        .collect();
    if !failures.is_empty() {
        return ExecuteMsg::SubmitFailures { failures };
    }
    let answers = items
        .iter()
        .filter_map(|item| if let Item::Answer(answer) = item { Some(answer.clone()) } else { None });
    ExecuteMsg::SubmitResponses { responses: answers.collect() }
}

/// Refuses a field that differs from what was asked.
pub(crate) fn same<T: PartialEq + ToString>(
    field: &'static str,
    given: T,
    expected: T,
) -> Result<(), ItemError> {
    if given == expected {
        return Ok(());
    }
    Err(ItemError::Foreign { field, given: given.to_string(), expected: expected.to_string() })
}

/// A field that has a wrong form.
pub(crate) fn form(field: &'static str, reason: impl ToString) -> ItemError {
    ItemError::Form { field, reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{US, facts};

    fn answer() -> v1::Answer {
        let facts = facts(7);
        v1::Answer {
            request_id: 7,
            request_hash: request_hash(&facts.stored_body).as_bytes().to_vec(),
            epoch: US.epoch.get(),
            party: US.party.get(),
            receipt: vec![1; 65],
            outcome: Some(v1::answer::Outcome::Success(v1::Success {
                payload: vec![5; 32],
                external_signature: vec![2; 65],
            })),
        }
    }

    fn failure(code: u32, index: u32) -> v1::Answer {
        v1::Answer { outcome: Some(v1::answer::Outcome::Failure(v1::Failure { code, index })), ..answer() }
    }

    fn item(answer: v1::Answer) -> Result<Item, ItemError> {
        Item::from_core(answer, &facts(7), US)
    }

    #[test]
    fn an_answer_and_a_failure_are_taken_over_whole() {
        let Ok(Item::Answer(taken)) = item(answer()) else { panic!("no answer") };
        assert_eq!((taken.payload.as_slice(), taken.request_id.get()), (&[5; 32][..], 7));
        assert_eq!(taken.external_signature, Some(Signature::new([2; 65]).into()));
        let Ok(Item::Failure(taken)) = item(failure(3, 65_535)) else { panic!("no failure") };
        assert_eq!((taken.code, taken.index), (3, u32::from(Failure::NO_INDEX)));
    }

    #[test]
    fn an_answer_to_something_else_is_refused_with_the_field_named() {
        for (foreign, field) in [
            (v1::Answer { request_id: 8, ..answer() }, "request id"),
            (v1::Answer { request_hash: vec![0; 32], ..answer() }, "request hash"),
            (v1::Answer { epoch: 9, ..answer() }, "epoch"),
            (v1::Answer { party: 9, ..answer() }, "party"),
            (v1::Answer { receipt: vec![1; 64], ..answer() }, "receipt"),
            (v1::Answer { outcome: None, ..answer() }, "outcome"),
            (failure(13, 0), "failure code"),
            (failure(300, 0), "failure code"),
            (failure(3, 65_536), "index"),
        ] {
            let message = item(foreign).unwrap_err().to_string();
            assert!(message.contains(field), "{message}");
        }
    }

    #[test]
    fn only_what_waiting_may_mend_waits_for_half_time() {
        let body = facts(7).body;
        let half = body.half_time().unwrap();
        assert_eq!(item(answer()).unwrap().not_before(&body), 0);
        for (code, expected) in [(1, half), (5, half), (11, half), (2, 0), (3, 0), (10, 0)] {
            assert_eq!(item(failure(code, 0)).unwrap().not_before(&body), expected, "code {code}");
        }
    }

    #[test]
    fn a_call_carries_its_items_in_order() {
        let items = [item(failure(2, 0)).unwrap(), item(failure(3, 1)).unwrap()];
        let ExecuteMsg::SubmitFailures { failures } = call(&items) else { panic!("another message") };
        assert_eq!(failures.iter().map(|failure| failure.code).collect::<Vec<_>>(), [2, 3]);
        let ExecuteMsg::SubmitResponses { responses } = call(&[item(answer()).unwrap()]) else {
            panic!("another message")
        };
        assert_eq!(responses.len(), 1);
    }
}
