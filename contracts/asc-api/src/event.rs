//! Typed events: hints for speed, with ids and states only. State is the truth.

use cosmwasm_std::Event as CosmosEvent;

use crate::{
    CrsId, EpochId, FailureCode, ItemOutcome, KeyId, KeyState, OperationKind, PartyId, RequestId, State,
};

/// What the chain puts before the type of a contract's event.
const CHAIN_PREFIX: &str = "wasm-";

/// An event of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// `kms_request`: a request came to be, pending or denied.
    Request {
        /// The request.
        request_id: RequestId,
        /// What is asked.
        operation: OperationKind,
        /// `pending` or `denied`.
        state: State,
        /// Who has to answer; none if denied.
        epoch: Option<EpochId>,
    },
    /// `kms_response`: an answer was taken in.
    Response {
        /// The request.
        request_id: RequestId,
        /// Whose answer.
        party: PartyId,
        /// `recorded`, `late` or `equivocation`.
        outcome: ItemOutcome,
    },
    /// `kms_failure`: a failure was taken in.
    Failure {
        /// The request.
        request_id: RequestId,
        /// Whose failure.
        party: PartyId,
        /// `recorded`, `late` or `equivocation`.
        outcome: ItemOutcome,
        /// What it says.
        code: FailureCode,
    },
    /// `kms_finished`: a request became terminal.
    Finished {
        /// The request.
        request_id: RequestId,
        /// Its last state.
        state: State,
    },
    /// `kms_key`: a key came to be or changed its state.
    Key {
        /// The key.
        key_id: KeyId,
        /// Its state.
        state: KeyState,
    },
    /// `kms_crs`: a common reference string came to be.
    Crs {
        /// The string.
        crs_id: CrsId,
    },
    /// `kms_grant`: a grant was given or taken back.
    Grant {
        /// The key.
        key_id: KeyId,
        /// Whose.
        grantee: String,
        /// `granted` or `revoked`.
        what: GrantEvent,
    },
    /// `kms_epoch`: a set of operators came to be or was revoked.
    Epoch {
        /// The epoch.
        epoch: EpochId,
    },
    /// `kms_config`: parameters, office, domains or announced code changed; the log says what.
    Config {
        /// The kind of the log entry that says it.
        kind: String,
    },
    /// `kms_money`: money left the contract or became credit.
    Money {
        /// What happened to it.
        what: MoneyEvent,
        /// Whose money.
        address: String,
    },
}

/// What happened to money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyEvent {
    /// Credit was paid out.
    Withdrawn,
    /// A refund that the bank refused is credit now.
    RefundCredited,
    /// The admin paid out of the treasury.
    TreasuryWithdrawn,
    /// The admin paid out what no request had brought.
    SurplusSwept,
}

impl MoneyEvent {
    const ALL: [Self; 4] =
        [Self::Withdrawn, Self::RefundCredited, Self::TreasuryWithdrawn, Self::SurplusSwept];

    const fn name(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::RefundCredited => "refund_credited",
            Self::TreasuryWithdrawn => "treasury_withdrawn",
            Self::SurplusSwept => "surplus_swept",
        }
    }
}

/// What happened to a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantEvent {
    /// It was given.
    Granted,
    /// It was taken back.
    Revoked,
}

impl GrantEvent {
    const ALL: [Self; 2] = [Self::Granted, Self::Revoked];

    const fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Revoked => "revoked",
        }
    }
}

/// An event of the contract that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The type is not one of the contract's.
    #[error("unknown event type {0}")]
    UnknownType(String),
    /// An attribute is missing.
    #[error("event {event} has no attribute {attribute}")]
    Missing {
        /// The event's type.
        event: String,
        /// The attribute.
        attribute: &'static str,
    },
    /// An attribute has no meaning.
    #[error("event {event}: attribute {attribute} is {given}, which has no meaning")]
    Value {
        /// The event's type.
        event: String,
        /// The attribute.
        attribute: &'static str,
        /// Its value.
        given: String,
    },
}

impl From<&Event> for CosmosEvent {
    fn from(event: &Event) -> Self {
        match event {
            Event::Request { request_id, operation, state, epoch } => {
                let event = Self::new("kms_request")
                    .add_attribute("request_id", request_id.to_string())
                    .add_attribute("operation", operation.name())
                    .add_attribute("state", state.name());
                match epoch {
                    Some(epoch) => event.add_attribute("epoch", epoch.to_string()),
                    None => event,
                }
            }
            Event::Response { request_id, party, outcome } => Self::new("kms_response")
                .add_attribute("request_id", request_id.to_string())
                .add_attribute("party", party.to_string())
                .add_attribute("outcome", outcome.to_string()),
            Event::Failure { request_id, party, outcome, code } => Self::new("kms_failure")
                .add_attribute("request_id", request_id.to_string())
                .add_attribute("party", party.to_string())
                .add_attribute("outcome", outcome.to_string())
                .add_attribute("code", code.number().to_string()),
            Event::Finished { request_id, state } => Self::new("kms_finished")
                .add_attribute("request_id", request_id.to_string())
                .add_attribute("state", state.name()),
            Event::Key { key_id, state } => Self::new("kms_key")
                .add_attribute("key_id", key_id.to_string())
                .add_attribute("state", state.name()),
            Event::Crs { crs_id } => Self::new("kms_crs").add_attribute("crs_id", crs_id.to_string()),
            Event::Grant { key_id, grantee, what } => Self::new("kms_grant")
                .add_attribute("key_id", key_id.to_string())
                .add_attribute("grantee", grantee.as_str())
                .add_attribute("what", what.name()),
            Event::Config { kind } => Self::new("kms_config").add_attribute("kind", kind.as_str()),
            Event::Epoch { epoch } => Self::new("kms_epoch").add_attribute("epoch", epoch.to_string()),
            Event::Money { what, address } => Self::new("kms_money")
                .add_attribute("what", what.name())
                .add_attribute("address", address.as_str()),
        }
    }
}

impl From<Event> for CosmosEvent {
    fn from(event: Event) -> Self {
        Self::from(&event)
    }
}

/// The attributes of an event as the chain gives it.
struct Attributes<'a> {
    event: &'a str,
    pairs: &'a [(String, String)],
}

impl Attributes<'_> {
    fn find(&self, attribute: &'static str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == attribute).map(|(_, value)| value.as_str())
    }

    fn get(&self, attribute: &'static str) -> Result<&str, EventError> {
        self.find(attribute).ok_or_else(|| EventError::Missing { event: self.event.to_owned(), attribute })
    }

    fn parse<T>(
        &self,
        attribute: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, EventError> {
        let given = self.get(attribute)?;
        parse(given).ok_or_else(|| EventError::Value {
            event: self.event.to_owned(),
            attribute,
            given: given.to_owned(),
        })
    }

    fn number<T: std::str::FromStr>(&self, attribute: &'static str) -> Result<T, EventError> {
        self.parse(attribute, |text| text.parse().ok())
    }
}

impl Event {
    /// Reads an event from the chain: its type with the chain's prefix `wasm-`, its attributes in any order.
    /// The caller has checked `_contract_address`: nothing else says whose event it is.
    ///
    /// # Errors
    /// When the type is unknown, or an attribute is missing or without meaning. Others are passed over.
    pub fn parse(kind: &str, attributes: &[(String, String)]) -> Result<Self, EventError> {
        let name = kind.strip_prefix(CHAIN_PREFIX).ok_or_else(|| EventError::UnknownType(kind.to_owned()))?;
        let get = Attributes { event: kind, pairs: attributes };
        let state = || get.number::<State>("state");
        match name {
            "kms_request" => Ok(Self::Request {
                request_id: get.number("request_id")?,
                operation: get.number("operation")?,
                state: state()?,
                epoch: get.find("epoch").map(|_| get.number("epoch")).transpose()?,
            }),
            "kms_response" => Ok(Self::Response {
                request_id: get.number("request_id")?,
                party: get.number("party")?,
                outcome: get.number("outcome")?,
            }),
            "kms_failure" => Ok(Self::Failure {
                request_id: get.number("request_id")?,
                party: get.number("party")?,
                outcome: get.number("outcome")?,
                code: get.parse("code", |text| FailureCode::try_from(text.parse::<u8>().ok()?).ok())?,
            }),
            "kms_finished" => Ok(Self::Finished { request_id: get.number("request_id")?, state: state()? }),
            "kms_key" => Ok(Self::Key {
                key_id: get.number("key_id")?,
                state: get
                    .parse("state", |text| KeyState::ALL.into_iter().find(|state| state.name() == text))?,
            }),
            "kms_crs" => Ok(Self::Crs { crs_id: get.number("crs_id")? }),
            "kms_grant" => Ok(Self::Grant {
                key_id: get.number("key_id")?,
                grantee: get.get("grantee")?.to_owned(),
                what: get
                    .parse("what", |text| GrantEvent::ALL.into_iter().find(|what| what.name() == text))?,
            }),
            "kms_config" => Ok(Self::Config { kind: get.get("kind")?.to_owned() }),
            "kms_epoch" => Ok(Self::Epoch { epoch: get.number("epoch")? }),
            "kms_money" => Ok(Self::Money {
                what: get
                    .parse("what", |text| MoneyEvent::ALL.into_iter().find(|what| what.name() == text))?,
                address: get.get("address")?.to_owned(),
            }),
            _ => Err(EventError::UnknownType(kind.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RejectReason;

    fn examples() -> Vec<Event> {
        let (request_id, party) = (RequestId(7), PartyId(2));
        vec![
            Event::Request {
                request_id,
                operation: OperationKind::PublicDecrypt,
                state: State::Pending,
                epoch: Some(EpochId(1)),
            },
            Event::Request {
                request_id,
                operation: OperationKind::KeyGen,
                state: State::Denied,
                epoch: None,
            },
            Event::Response { request_id, party, outcome: ItemOutcome::Recorded },
            Event::Failure {
                request_id,
                party,
                outcome: ItemOutcome::Rejected(RejectReason::Receipt),
                code: FailureCode::TooLarge,
            },
            Event::Finished { request_id, state: State::Expired },
            Event::Key { key_id: KeyId(7), state: KeyState::Active },
            Event::Crs { crs_id: CrsId(8) },
            Event::Grant { key_id: KeyId(7), grantee: "wasm1friend".into(), what: GrantEvent::Revoked },
            Event::Epoch { epoch: EpochId(3) },
            Event::Config { kind: "paused".into() },
            Event::Money { what: MoneyEvent::RefundCredited, address: "wasm1user".into() },
        ]
    }

    /// As the node gives it: prefix, contract address first, message index last.
    fn as_from_the_chain(event: &Event) -> (String, Vec<(String, String)>) {
        let event = CosmosEvent::from(event);
        let own = event.attributes.into_iter().map(|a| (a.key, a.value));
        let first = ("_contract_address".to_owned(), "wasm1asc".to_owned());
        let last = ("msg_index".to_owned(), "0".to_owned());
        (format!("wasm-{}", event.ty), std::iter::once(first).chain(own).chain([last]).collect())
    }

    #[test]
    fn every_event_comes_back_from_what_the_chain_makes_of_it() {
        for event in examples() {
            let (kind, attributes) = as_from_the_chain(&event);
            assert_eq!(Event::parse(&kind, &attributes).unwrap(), event);
        }
    }

    #[test]
    fn a_missing_or_senseless_attribute_is_an_error_that_names_it() {
        for event in examples() {
            let (kind, attributes) = as_from_the_chain(&event);
            for at in 1..attributes.len() - 1 {
                let mut without = attributes.clone();
                let (removed, _) = without.remove(at);
                if removed == "epoch" && kind == "wasm-kms_request" {
                    continue;
                }
                let error = Event::parse(&kind, &without).unwrap_err();
                assert!(error.to_string().contains(&removed), "{error}");
            }
        }
        let pairs = [("request_id".to_owned(), "-1".to_owned()), ("state".to_owned(), "pending".to_owned())];
        assert!(matches!(Event::parse("wasm-kms_finished", &pairs), Err(EventError::Value { .. })));
        assert!(matches!(Event::parse("kms_finished", &pairs), Err(EventError::UnknownType(_))));
        assert!(matches!(Event::parse("wasm-transfer", &pairs), Err(EventError::UnknownType(_))));
    }
}
