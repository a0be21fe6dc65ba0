//! What an entry of the log says, for people.

use kms_asc_api::KeyRecord;
use kms_asc_api::log::{LogBody, PartyCredit};

/// What an entry says beside its kind; empty if the kind says all.
pub fn detail(body: &LogBody) -> String {
    match body {
        LogBody::RequestSubmitted { operation, key_id, price, epoch, .. } => {
            let key = key_id.map(|key| format!(" under key {key}")).unwrap_or_default();
            format!("{operation}{key}, price {price}, epoch {epoch}")
        }
        LogBody::RequestDenied { operation, reason, price, .. } => {
            format!("{operation}, {reason}, charged {price}")
        }
        LogBody::ResponseRecorded { party, .. } => format!("party {party}"),
        LogBody::ResponseLate { party, outcome, .. } | LogBody::FailureRecorded { party, outcome, .. } => {
            format!("party {party}, outcome {outcome}")
        }
        LogBody::Equivocation { party, .. } => format!("party {party} signed two different receipts"),
        LogBody::CancelRequested { cancel_at } => format!("takes effect at {cancel_at}"),
        LogBody::CancelLapsed { cancel_at } => format!("would have taken effect at {cancel_at}"),
        LogBody::RequestFulfilled { refund, credits, treasury, .. }
        | LogBody::RequestExpired { refund, credits, treasury }
        | LogBody::RequestCancelled { refund, credits, treasury } => {
            money(credits, &treasury.to_string(), &refund.to_string())
        }
        LogBody::RequestFailed { code, refund, credits, treasury } => {
            format!("{code}, {}", money(credits, &treasury.to_string(), &refund.to_string()))
        }
        LogBody::CallbackFailed { error } => error.clone(),
        LogBody::RefundCredited { address, amount } => format!("{amount} to {address}"),
        LogBody::Withdrawn { address, to, amount } => format!("{amount} of {address} to {to}"),
        LogBody::TreasuryWithdrawn { to, amount } => format!("{amount} to {to}"),
        LogBody::SurplusSwept { to, denom, amount } => format!("{amount}{denom} to {to}"),
        key => detail_of_key(key),
    }
}

fn detail_of_key(body: &LogBody) -> String {
    let key_text = |key: &KeyRecord| format!("key {} of {}", key.id, key.owner);
    match body {
        LogBody::KeyActivated { key } => key_text(key),
        LogBody::KeyTakenOver { key } => format!("{}, held by epoch {}", key_text(key), key.epoch),
        LogBody::KeyStateSet { key } => format!("{}, {}", key_text(key), key.state.name()),
        LogBody::KeyOffered { key } => {
            format!("{} to {}", key_text(key), key.offered_to.as_deref().unwrap_or("nobody"))
        }
        LogBody::KeyAccepted { key } => format!("{}, generation {}", key_text(key), key.generation),
        LogBody::AttestersSet { key } => {
            format!("{}: {} of {}", key_text(key), key.attester_threshold, key.attesters.len())
        }
        LogBody::CrsAllowed { key } => {
            let ids: Vec<_> = key.crs_ids.iter().map(ToString::to_string).collect();
            format!("{}: {}", key_text(key), if ids.is_empty() { "none".to_owned() } else { ids.join(", ") })
        }
        LogBody::Granted { grant } => match grant.until {
            Some(until) => format!("key {} to {} until {until}", grant.key_id, grant.grantee),
            None => format!("key {} to {}", grant.key_id, grant.grantee),
        },
        LogBody::Revoked { grant } => format!("key {} of {}", grant.key_id, grant.grantee),
        LogBody::DomainRegistered { key_id, separator, .. } => format!("{separator} of key {key_id}"),
        LogBody::CrsActivated { crs } => format!("string {} of {} bits", crs.id, crs.max_bits),
        governance => detail_of_governance(governance),
    }
}

fn detail_of_governance(body: &LogBody) -> String {
    match body {
        LogBody::Instantiated { code_id, version, checksum, .. } => {
            format!("version {version}, code {code_id} {checksum}")
        }
        LogBody::ConfigSet { config } => format!("denomination {}", config.denom),
        LogBody::EpochSet { epoch } => {
            format!("epoch {}, {}, majority {}", epoch.id, parties(epoch.parties.len()), epoch.majority)
        }
        LogBody::EpochRevoked { epoch } => format!("epoch {}", epoch.id),
        LogBody::AdminProposed { admin } | LogBody::AdminAccepted { admin } => admin.clone(),
        LogBody::MigrationScheduled { migration } => {
            format!("code {} {} from {}", migration.code_id, migration.checksum, migration.not_before)
        }
        LogBody::MigrationStarted { migration, version } => {
            format!("from version {version} to code {}", migration.code_id)
        }
        LogBody::Migrated { code_id, from_version, to_version, .. } => {
            format!("version {from_version} to {to_version}, code {code_id}")
        }
        _ => String::new(),
    }
}

fn parties(count: usize) -> String {
    if count == 1 { "1 party".to_owned() } else { format!("{count} parties") }
}

fn money(credits: &[PartyCredit], treasury: &str, refund: &str) -> String {
    let mut parts: Vec<_> =
        credits.iter().map(|credit| format!("{} to party {}", credit.amount, credit.party)).collect();
    parts.push(format!("{treasury} to the treasury"));
    parts.push(format!("{refund} back"));
    parts.join(", ")
}
