//! Rules that parameters and operators must keep.

use std::collections::BTreeSet;

use cosmwasm_std::{Addr, Api, Uint128};
use kms_asc_api::{Config, Eip712Domain, Epoch, EpochMode, OperationKind, operators_share};

use crate::ContractError;

/// Most items on a page that any configuration may allow.
const MAX_PAGE: u32 = 100;
/// Longest delay of a migration. It can never be lowered, so a slip of the pen must not end all migrations.
const MAX_MIGRATION_DELAY: u64 = 366 * 86_400;
/// Most bytes of an answer that contract state can hold beside the rest of the record.
const MAX_PAYLOAD: u32 = 100_000;
/// Most bytes of a domain's name or version.
const MAX_DOMAIN_TEXT: usize = 64;

/// The rules of INTERFACES 1.2: who decides can neither be a minority nor need the faulty.
pub fn epoch(api: &dyn Api, epoch: &Epoch) -> Result<(), ContractError> {
    let invalid = |why: String| Err(ContractError::InvalidEpoch(why));
    let n = u32::try_from(epoch.parties.len()).map_err(|_| ContractError::Overflow)?;
    if epoch.revoked_at.is_some() {
        return invalid("revoked_at given: only revoke_epoch revokes".to_owned());
    }
    let (faulty, majority, reconstruction) = (epoch.faulty, epoch.majority, epoch.reconstruction);
    let most = match epoch.mode {
        EpochMode::Centralized => 1,
        EpochMode::Replicated => 31,
        EpochMode::Threshold => 15,
    };
    if n == 0 || n > most {
        return invalid(format!("{n} parties given, 1 to {most} allowed in mode {:?}", epoch.mode));
    }
    let honest = n.saturating_sub(faulty);
    if majority <= n / 2 || majority > honest {
        return invalid(format!(
            "majority {majority} of {n} with {faulty} faulty: n/2 < majority <= n - faulty"
        ));
    }
    if reconstruction == 0 || reconstruction > honest {
        return invalid(format!(
            "reconstruction {reconstruction} of {n} with {faulty} faulty: 0 < reconstruction <= n - faulty"
        ));
    }
    if epoch.mode == EpochMode::Centralized && faulty != 0 {
        return invalid("a centralized epoch has one party, and none faulty".to_owned());
    }
    if epoch.mode == EpochMode::Threshold {
        let quorum = faulty.saturating_mul(2).saturating_add(1);
        if faulty.saturating_mul(3) >= n || majority < quorum || reconstruction < quorum {
            return invalid(format!(
                "threshold with {n} parties and {faulty} faulty needs n >= 3 faulty + 1, majority and \
                 reconstruction >= {quorum}"
            ));
        }
    }
    parties(api, epoch)
}

fn parties(api: &dyn Api, epoch: &Epoch) -> Result<(), ContractError> {
    let mut signers = BTreeSet::new();
    for (expected, party) in (1u32..).zip(&epoch.parties) {
        let invalid = |why: String| Err(ContractError::InvalidEpoch(format!("party {expected}: {why}")));
        if party.party.get() != expected {
            return invalid(format!("number {} given, {expected} expected", party.party));
        }
        if party.name.is_empty() || party.name.len() > 64 {
            return invalid(format!("name of {} bytes given, 1 to 64 allowed", party.name.len()));
        }
        if !matches!(party.signer.as_bytes()[0], 2 | 3) {
            return invalid("signer is no compressed public key".to_owned());
        }
        if !signers.insert(party.signer) {
            return invalid("signer is another party's too".to_owned());
        }
        address(api, &party.payout)?;
    }
    Ok(())
}

/// The texts of an EIP-712 domain that is to be a key's.
pub fn domain(domain: &Eip712Domain) -> Result<(), ContractError> {
    if domain.name.is_empty() || domain.name.len() > MAX_DOMAIN_TEXT || domain.version.len() > MAX_DOMAIN_TEXT
    {
        return Err(ContractError::Malformed(format!(
            "domain: name of {} and version of {} bytes given, 1 to {MAX_DOMAIN_TEXT} and at most \
             {MAX_DOMAIN_TEXT} allowed",
            domain.name.len(),
            domain.version.len()
        )));
    }
    Ok(())
}

/// An address of this chain.
pub fn address(api: &dyn Api, text: &str) -> Result<Addr, ContractError> {
    api.addr_validate(text).map_err(|_| ContractError::InvalidAddress(text.to_owned()))
}

/// Parameters on their own, and with the operators that are to be paid.
pub fn config(config: &Config, epoch: &Epoch) -> Result<(), ContractError> {
    let invalid = |why: &str| Err(ContractError::InvalidConfig(why.to_owned()));
    let limits = &config.limits;
    if config.denom.is_empty() {
        return invalid("denom is empty");
    }
    if config.operator_share_bps > 10_000 {
        return invalid("operator_share_bps is over 10000");
    }
    if config.ttl_min < 5 || config.ttl_min > config.ttl_default || config.ttl_default > config.ttl_max {
        return invalid("ttl: 5 <= ttl_min <= ttl_default <= ttl_max does not hold");
    }
    if config.cancel_delay < 10 {
        return invalid("cancel_delay is under 10");
    }
    if config.migration_delay > MAX_MIGRATION_DELAY {
        return invalid("migration_delay is over 31622400, which is 366 days");
    }
    if limits.page == 0 || limits.page > MAX_PAGE {
        return invalid("limits.page is not 1 to 100");
    }
    if limits.payload < 128 || limits.payload > MAX_PAYLOAD {
        return invalid("limits.payload is not 128 to 100000");
    }
    if limits.ciphertexts == 0 || limits.ciphertexts > 1000 {
        return invalid("limits.ciphertexts is not 1 to 1000");
    }
    if limits.bytes == 0 || limits.pending_per_requester == 0 {
        return invalid("limits.bytes or limits.pending_per_requester is 0");
    }
    let domain = &config.key_domain;
    if domain.name.is_empty() || domain.name.len() > MAX_DOMAIN_TEXT || domain.version.len() > MAX_DOMAIN_TEXT
    {
        return invalid("key_domain: name of 1 to 64 bytes and version of at most 64 needed");
    }
    fees(config, epoch)
}

/// Parameters that follow others: what people rely on stays.
pub fn next_config(next: &Config, present: &Config, newest: &Epoch) -> Result<(), ContractError> {
    let invalid = |why: String| Err(ContractError::InvalidConfig(why));
    if next.denom != present.denom {
        return invalid(format!("denom is {} for good, {} given", present.denom, next.denom));
    }
    if next.migration_delay < present.migration_delay {
        return invalid(format!(
            "migration_delay of {} given, it is {} and can only rise",
            next.migration_delay, present.migration_delay
        ));
    }
    config(next, newest)
}

/// Nobody may earn more by calling an input wrong than by answering, and every fee fits every price.
pub fn fees(config: &Config, epoch: &Epoch) -> Result<(), ContractError> {
    let parties = u128::try_from(epoch.parties.len()).map_err(|_| ContractError::Overflow)?;
    let invalid = |kind: OperationKind, why: &str| {
        Err(ContractError::InvalidConfig(format!("at the lowest price of {kind}, {why}")))
    };
    for (kind, schedule) in config.fees.all() {
        let lowest = match kind {
            OperationKind::KeyGen | OperationKind::CrsGen => schedule.base,
            OperationKind::VerifyInput => schedule.base.checked_add(schedule.per_kib)?,
            OperationKind::PublicDecrypt | OperationKind::UserDecrypt => {
                schedule.base.checked_add(schedule.per_kib)?.checked_add(schedule.per_ciphertext)?
            }
        };
        let share = operators_share(config, lowest, None)?;
        let share = share.checked_div(Uint128::new(parties)).map_err(|_| ContractError::Overflow)?;
        if config.failure_fee.checked_mul(Uint128::new(2))? > share {
            return invalid(kind, "failure_fee is over half of a party's share");
        }
        if config.failure_fee.checked_mul(Uint128::new(parties))? > lowest {
            return invalid(kind, "failure_fee of all parties is over the price");
        }
        if config.denial_fee > lowest {
            return invalid(kind, "denial_fee is over the price");
        }
    }
    Ok(())
}
