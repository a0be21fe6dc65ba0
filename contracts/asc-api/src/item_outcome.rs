//! What becomes of the items of a message: stable texts, one for each item, in order.

use std::fmt;
use std::str::FromStr;

use cosmwasm_schema::cw_serde;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::State;

/// What a message with items returns: an outcome for each, in order.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct OutcomesData<T> {
    /// The outcomes.
    pub outcomes: Vec<T>,
}

/// What became of one answer or failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemOutcome {
    /// It counts.
    Recorded,
    /// The same receipt was recorded before; nothing changed.
    Duplicate,
    /// It came too late to count; digest and receipt are recorded.
    Late,
    /// The party signed something else before; both receipts are recorded, the first stands.
    Equivocation,
    /// It is not a valid item; nothing changed.
    Rejected(RejectReason),
}

/// Why an item was not accepted. A closed set of stable names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectReason {
    /// There is no such request.
    UnknownRequest,
    /// The request was denied: nothing was asked of anybody.
    Denied,
    /// The request is bound to another epoch.
    WrongEpoch,
    /// The epoch has no such party.
    UnknownParty,
    /// The receipt is not the party's signature over this item.
    Receipt,
    /// The external signature is missing, superfluous or not the party's over this answer.
    ExternalSignature,
    /// The payload has not the operation's form.
    Payload,
    /// The payload is longer than the limit.
    PayloadTooLarge,
    /// A digest in the payload is registered already.
    DigestRegistered,
    /// The default domain of the new key was registered for another one.
    DomainRegistered,
    /// The code is none that an operator may sign.
    UnknownCode,
    /// The index is no position in the request.
    Index,
    /// Codes that waiting may mend count only from half the time on.
    TooEarly,
}

impl RejectReason {
    /// Every reason.
    pub const ALL: [Self; 13] = [
        Self::UnknownRequest,
        Self::Denied,
        Self::WrongEpoch,
        Self::UnknownParty,
        Self::Receipt,
        Self::ExternalSignature,
        Self::Payload,
        Self::PayloadTooLarge,
        Self::DigestRegistered,
        Self::DomainRegistered,
        Self::UnknownCode,
        Self::Index,
        Self::TooEarly,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownRequest => "unknown_request",
            Self::Denied => "denied",
            Self::WrongEpoch => "wrong_epoch",
            Self::UnknownParty => "unknown_party",
            Self::Receipt => "receipt",
            Self::ExternalSignature => "external_signature",
            Self::Payload => "payload",
            Self::PayloadTooLarge => "payload_too_large",
            Self::DigestRegistered => "digest_registered",
            Self::DomainRegistered => "domain_registered",
            Self::UnknownCode => "unknown_code",
            Self::Index => "index",
            Self::TooEarly => "too_early",
        }
    }
}

impl fmt::Display for ItemOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recorded => f.write_str("recorded"),
            Self::Duplicate => f.write_str("duplicate"),
            Self::Late => f.write_str("late"),
            Self::Equivocation => f.write_str("equivocation"),
            Self::Rejected(reason) => write!(f, "rejected:{}", reason.name()),
        }
    }
}

impl FromStr for ItemOutcome {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "recorded" => Ok(Self::Recorded),
            "duplicate" => Ok(Self::Duplicate),
            "late" => Ok(Self::Late),
            "equivocation" => Ok(Self::Equivocation),
            other => other
                .strip_prefix("rejected:")
                .and_then(|name| RejectReason::ALL.into_iter().find(|reason| reason.name() == name))
                .map(Self::Rejected)
                .ok_or_else(|| format!("unknown outcome {other}")),
        }
    }
}

impl ItemOutcome {
    /// Every outcome.
    fn every() -> impl Iterator<Item = Self> {
        let plain = [Self::Recorded, Self::Duplicate, Self::Late, Self::Equivocation];
        plain.into_iter().chain(RejectReason::ALL.map(Self::Rejected))
    }
}

/// What became of one request that `close` named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseOutcome {
    /// It is terminal now, in this state.
    Closed(State),
    /// It was terminal before, in this state.
    Already(State),
    /// Its end has not come.
    NotDue,
    /// There is no such request.
    UnknownRequest,
}

impl fmt::Display for CloseOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(state) => write!(f, "closed:{state}"),
            Self::Already(state) => write!(f, "already:{state}"),
            Self::NotDue => f.write_str("not_due"),
            Self::UnknownRequest => f.write_str("unknown_request"),
        }
    }
}

impl FromStr for CloseOutcome {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.split_once(':')) {
            ("not_due", _) => Ok(Self::NotDue),
            ("unknown_request", _) => Ok(Self::UnknownRequest),
            (_, Some(("closed", state))) => state.parse().map(Self::Closed),
            (_, Some(("already", state))) => state.parse().map(Self::Already),
            _ => Err(format!("unknown outcome {text}")),
        }
    }
}

impl CloseOutcome {
    /// Every outcome that can be: nothing is closed into a fulfilment or a denial.
    fn every() -> impl Iterator<Item = Self> {
        let closed = [State::Failed, State::Expired, State::Cancelled].map(Self::Closed);
        let already = State::ALL.into_iter().filter(|state| state.is_terminal()).map(Self::Already);
        closed.into_iter().chain(already).chain([Self::NotDue, Self::UnknownRequest])
    }
}

macro_rules! serde_as_text {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
        impl schemars::JsonSchema for $name {
            fn schema_name() -> String {
                stringify!($name).to_owned()
            }
            fn json_schema(generator: &mut schemars::r#gen::SchemaGenerator) -> schemars::schema::Schema {
                let mut schema = String::json_schema(generator).into_object();
                schema.enum_values = Some(Self::every().map(|outcome| outcome.to_string().into()).collect());
                schema.into()
            }
        }
        impl cw_schema::Schemaifier for $name {
            fn visit_schema(visitor: &mut cw_schema::SchemaVisitor) -> cw_schema::DefinitionReference {
                <String as cw_schema::Schemaifier>::visit_schema(visitor)
            }
        }
    )*};
}
serde_as_text!(ItemOutcome, CloseOutcome);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_text_and_come_back() {
        let rejected = RejectReason::ALL.map(ItemOutcome::Rejected);
        let plain =
            [ItemOutcome::Recorded, ItemOutcome::Duplicate, ItemOutcome::Late, ItemOutcome::Equivocation];
        for outcome in plain.into_iter().chain(rejected) {
            let json = serde_json::to_string(&outcome).unwrap();
            assert_eq!(json, format!("\"{outcome}\""));
            assert_eq!(serde_json::from_str::<ItemOutcome>(&json).unwrap(), outcome);
        }
        for outcome in [
            CloseOutcome::Closed(State::Expired),
            CloseOutcome::Already(State::Fulfilled),
            CloseOutcome::NotDue,
            CloseOutcome::UnknownRequest,
        ] {
            assert_eq!(outcome.to_string().parse::<CloseOutcome>().unwrap(), outcome);
        }
        assert!("rejected:whatever".parse::<ItemOutcome>().is_err());
    }
}
