//! A request and all that came of it, in the form that is promised to programs.

use kms_asc_api::{
    Ciphertext, CiphertextFormat, Digest, EpochMode, Handle, Operation, Outcome, Provenance, RequestBody,
    RequestId, RequestView, ResponseView, State,
    log::{LogBody, LogEntry},
    payload::InputVerdict,
};
use kms_chain::TxHash;
use kms_core_engine::{FheType, Plaintext};
use serde::Serialize;

use crate::{
    error::{Error, Result},
    reference::Reference,
    verify::{Judge, UserAnswer},
};

/// The fields of a request in JSON. Those before `settlement` are fixed; `settlement` may grow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestReport {
    pub id: RequestId,
    pub state: State,
    pub operation: String,
    pub requester: String,
    /// Decimal, in the denomination of `settlement`.
    pub price: String,
    pub submitted: Moment,
    /// Block time in seconds from which an answer no longer counts.
    pub deadline: Option<u64>,
    /// Block time in seconds of the terminal state.
    pub finished: Option<u64>,
    pub responses: Vec<ResponseReport>,
    pub values: Vec<Value>,
    pub settlement: Settlement,
    /// What was encrypted to a user.
    #[serde(skip)]
    pub sealed: Option<Sealed>,
}

/// Answers to a user that verify, as far as anybody but he can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub mode: EpochMode,
    /// What each answer must be tied to.
    pub link: Digest,
    /// How many parties must have encrypted the same values, where each answer is whole.
    pub needed: usize,
    pub answers: Vec<UserAnswer>,
}

/// When and where something was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    pub height: u64,
    pub time: u64,
    /// Unknown if the node no longer has the block.
    pub tx: Option<TxHash>,
}

/// One party's answer or failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResponseReport {
    pub party: u32,
    /// `answer`, or the name of the failure code.
    pub outcome: String,
    /// Whether every signature on record is the party's.
    pub verified: bool,
}

/// A decrypted value, as `kms encrypt` takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Value {
    #[serde(rename = "type")]
    pub fhe_type: String,
    pub value: String,
}

/// How a request ended, who was paid, and where each step is recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Settlement {
    pub denom: String,
    /// The key that was used or made.
    pub key_id: Option<u64>,
    pub epoch: Option<u32>,
    /// SHA-256 of the body's stored bytes.
    pub request_hash: String,
    /// Whether the request is past its end, and only has to be closed.
    pub due: bool,
    /// Why it failed or was denied.
    pub reason: Option<String>,
    /// Where its terminal state is recorded.
    pub ended: Option<Moment>,
    pub answers: Vec<AnswerMoment>,
    pub credits: Vec<Credit>,
    pub treasury: Option<String>,
    pub refund: Option<String>,
    /// What of the refund the bank refused, so that it became credit of the requester.
    pub refund_credited: Option<String>,
    /// What came of an input that was to be verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<InputReport>,
}

/// The verdict on an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InputReport {
    /// Whether the bytes are an input with the binding that was asked about.
    pub valid: bool,
    /// The input's elements, in order; none if it is not valid.
    pub elements: Vec<InputElement>,
}

/// An element of a verified input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InputElement {
    pub handle: String,
    #[serde(rename = "type")]
    pub fhe_type: String,
    /// For `kms decrypt`: the contract finds the input's application and user by it.
    #[serde(rename = "ref")]
    pub reference: String,
}

/// Where one party's answer or failure is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AnswerMoment {
    pub party: u32,
    pub late: bool,
    #[serde(flatten)]
    pub at: Moment,
}

/// What one party earned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Credit {
    pub party: u32,
    pub name: Option<String>,
    pub address: String,
    pub amount: String,
}

impl RequestReport {
    /// What is known from the request alone.
    pub fn new(view: &RequestView, denom: &str, submission: Option<TxHash>) -> Self {
        let body = &view.body;
        let ended = (view.state.is_terminal() && !view.due).then_some(Moment {
            height: view.height,
            time: view.time,
            tx: None,
        });
        let key = if view.state == State::Fulfilled && matches!(body.operation, Operation::KeyGen(_)) {
            Some(body.id.get())
        } else {
            body.operation.key_id().map(|key| key.get())
        };
        Self {
            id: body.id,
            state: view.state,
            operation: body.operation.kind().name().to_owned(),
            requester: body.requester.clone(),
            price: body.price.to_string(),
            submitted: Moment { height: body.height, time: body.time, tx: submission },
            deadline: body.deadline,
            finished: ended.map(|moment| moment.time),
            responses: Vec::new(),
            values: Vec::new(),
            settlement: Settlement {
                denom: denom.to_owned(),
                key_id: key,
                epoch: body.epoch.map(|epoch| epoch.get()),
                request_hash: view.request_hash.to_hex(),
                due: view.due,
                reason: view.reason.clone(),
                ended,
                ..Settlement::default()
            },
            sealed: None,
        }
    }

    /// Adds the answers, each with a verdict, and the values on which they agree.
    ///
    /// # Errors
    /// [`Error::Unverified`] if a fulfilled request lacks the agreement that fulfils it, with the report as far as it
    /// could be made left in place.
    pub fn judge(&mut self, judge: &Judge<'_>, responses: &[ResponseView]) -> Result<()> {
        let mut faults = Vec::new();
        for response in responses {
            let verdict = judge.response(response);
            if let Err(fault) = &verdict {
                faults.push(format!("the answer of party {} does not verify: {fault}", response.party));
            }
            self.responses.push(ResponseReport {
                party: response.party.get(),
                outcome: outcome_name(response.outcome),
                verified: verdict.is_ok(),
            });
        }
        if let (State::Fulfilled, Some(link)) = (self.state, judge.user_link()) {
            let (answers, needed) = (judge.user_answers(responses), judge.needed());
            if answers.len() < needed {
                faults.push(format!(
                    "request {} is fulfilled, but fewer than {needed} parties gave answers with valid signatures",
                    self.id
                ));
            }
            self.sealed = Some(Sealed { mode: judge.epoch.mode, link, needed, answers });
        } else if self.state == State::Fulfilled {
            match judge.decided(responses) {
                Some(payload) => {
                    self.values = values(&judge.stored.body, payload)?;
                    self.settlement.input = input(&judge.stored.body, payload)?;
                }
                None => faults.push(format!(
                    "request {} is fulfilled, but fewer than {} parties gave an answer that decides, with valid signatures",
                    self.id,
                    judge.needed()
                )),
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::Unverified(faults.join("; "))) }
    }

    /// Adds what the log says of the money, and where each step is recorded. `operator` gives a party's name and
    /// the address of its earnings.
    pub fn settle(&mut self, entries: &[LogEntry], operator: impl Fn(u32) -> Option<(String, String)>) {
        let settlement = &mut self.settlement;
        for entry in entries.iter().filter(|entry| entry.request_id == Some(self.id)) {
            let at = Moment { height: entry.height, time: entry.time, tx: None };
            if let Some(party) = crate::history::responder(&entry.body) {
                let late = matches!(entry.body, LogBody::ResponseLate { .. });
                settlement.answers.push(AnswerMoment { party: party.get(), late, at });
            }
            match &entry.body {
                LogBody::RequestFulfilled { refund, credits, treasury, .. }
                | LogBody::RequestFailed { refund, credits, treasury, .. }
                | LogBody::RequestExpired { refund, credits, treasury }
                | LogBody::RequestCancelled { refund, credits, treasury } => {
                    settlement.refund = Some(refund.to_string());
                    settlement.treasury = Some(treasury.to_string());
                    settlement.credits = credits
                        .iter()
                        .map(|credit| {
                            let (name, address) = operator(credit.party.get()).unzip();
                            let amount = credit.amount.to_string();
                            Credit {
                                party: credit.party.get(),
                                name,
                                address: address.unwrap_or_default(),
                                amount,
                            }
                        })
                        .collect();
                }
                LogBody::RefundCredited { amount, .. } => {
                    settlement.refund_credited = Some(amount.to_string());
                }
                _ => {}
            }
        }
    }

    /// The refund with its denomination.
    pub fn refund(&self) -> String {
        let amount = self.settlement.refund.as_deref().unwrap_or("0");
        format!("{amount}{}", self.settlement.denom)
    }
}

/// `answer`, the name of a failure code, or the bare number.
fn outcome_name(number: u32) -> String {
    match Outcome::try_from(number) {
        Ok(Outcome::Answer) => "answer".to_owned(),
        Ok(Outcome::Failure(code)) => code.name().to_owned(),
        Err(_) => number.to_string(),
    }
}

/// The values of a public decryption; none for other operations.
fn values(body: &RequestBody, payload: &[u8]) -> Result<Vec<Value>> {
    let Operation::PublicDecrypt(op) = &body.operation else { return Ok(Vec::new()) };
    let wrong = || Error::Unverified(format!("the answer to request {} has another length", body.id));
    let mut rest = payload;
    let mut values = Vec::with_capacity(op.ciphertexts.len());
    for ciphertext in &op.ciphertexts {
        let (words, behind) =
            rest.split_at_checked(ciphertext.fhe_type.words().saturating_mul(32)).ok_or_else(wrong)?;
        values.push(value(ciphertext, words)?);
        rest = behind;
    }
    if rest.is_empty() { Ok(values) } else { Err(wrong()) }
}

/// The verdict of an input's verification; none for other operations.
fn input(body: &RequestBody, payload: &[u8]) -> Result<Option<InputReport>> {
    let Operation::VerifyInput(op) = &body.operation else { return Ok(None) };
    let unreadable = |error: &dyn std::fmt::Display| {
        Error::Unverified(format!("the answer to request {} cannot be read: {error}", body.id))
    };
    let verdict = InputVerdict::decode(payload, op.chain_id).map_err(|error| unreadable(&error))?;
    let InputVerdict::Accepted(handles) = verdict else {
        return Ok(Some(InputReport { valid: false, elements: Vec::new() }));
    };
    let element = |(index, handle): (u16, &Handle)| {
        let fhe_type =
            kms_asc_api::FheType::try_from(handle.fhe_type_number()).map_err(|error| unreadable(&error))?;
        let ciphertext = Ciphertext {
            handle: *handle,
            digest: op.digest,
            size: op.size,
            fhe_type,
            format: CiphertextFormat::Compact,
            index,
            provenance: Provenance::Verified { request_id: body.id },
        };
        Ok(InputElement {
            handle: handle.to_hex(),
            fhe_type: fhe_type.name().to_owned(),
            reference: Reference { key_id: op.key_id, ciphertext, claim: None }.to_string(),
        })
    };
    let elements = (0..).zip(&handles).map(element).collect::<Result<_>>()?;
    Ok(Some(InputReport { valid: true, elements }))
}

fn value(ciphertext: &Ciphertext, words: &[u8]) -> Result<Value> {
    let Some(fhe_type) = FheType::from_number(ciphertext.fhe_type.number()) else {
        // A type that this version has no arithmetic for.
        return Ok(Value {
            fhe_type: ciphertext.fhe_type.name().to_owned(),
            value: format!("0x{}", hex::encode(words)),
        });
    };
    let value = Plaintext::from_words(fhe_type, words)
        .map_err(|error| Error::Unverified(format!("an answer that is signed is no value: {error}")))?;
    Ok(Value { fhe_type: fhe_type.name().to_owned(), value: value.to_string() })
}

/// A request in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestSummary {
    pub id: RequestId,
    pub state: State,
    pub operation: String,
    pub requester: String,
    pub price: String,
    pub submitted: Moment,
    pub deadline: Option<u64>,
    pub finished: Option<u64>,
}

impl From<&RequestView> for RequestSummary {
    fn from(view: &RequestView) -> Self {
        let RequestReport { id, state, operation, requester, price, submitted, deadline, finished, .. } =
            RequestReport::new(view, "", None);
        Self { id, state, operation, requester, price, submitted, deadline, finished }
    }
}

#[cfg(test)]
mod tests;
