//! Rules that operators and parameters keep, as INTERFACES 1.1 and 1.2 put them.

use std::collections::BTreeSet;

use cosmwasm_std::Uint128;
use kms_asc_api::{Config, Epoch, EpochMode, OperationKind, operators_share};

use crate::Violation;
use crate::error::rule;

/// `n/2 < majority <= n - faulty`, `reconstruction <= n - faulty`, and what each mode asks for.
pub fn epoch(epoch: &Epoch) -> Result<(), Violation> {
    let n = u32::try_from(epoch.parties.len()).map_err(|_| Violation::Amount)?;
    let (faulty, majority, reconstruction) = (epoch.faulty, epoch.majority, epoch.reconstruction);
    let correct = n.saturating_sub(faulty);
    rule(epoch.revoked_at.is_none(), "a new epoch is not revoked")?;
    rule(majority > n / 2 && majority <= correct, "the majority does not fit the parties")?;
    rule((1..=correct).contains(&reconstruction), "the reconstruction does not fit the parties")?;
    match epoch.mode {
        EpochMode::Centralized => rule((n, faulty) == (1, 0), "one party is centralized")?,
        EpochMode::Replicated => rule(n <= 31, "at most 31 parties are replicated")?,
        EpochMode::Threshold => {
            let quorum = faulty.saturating_mul(2).saturating_add(1);
            rule(n <= 15 && n > faulty.saturating_mul(3), "the faulty do not fit the parties")?;
            rule(majority >= quorum && reconstruction >= quorum, "the faulty could decide")?;
        }
    }
    let numbers = epoch.parties.iter().map(|party| party.party.get());
    rule(numbers.eq(1..=n), "parties are numbered from 1")?;
    let signers: BTreeSet<_> = epoch.parties.iter().map(|party| party.signer).collect();
    rule(signers.len() == epoch.parties.len(), "parties have signers of their own")
}

/// Times that protect requesters, and fees that every price can pay.
pub fn config(config: &Config, epoch: &Epoch) -> Result<(), Violation> {
    let ttl = config.ttl_min >= 5
        && config.ttl_min <= config.ttl_default
        && config.ttl_default <= config.ttl_max
        && config.cancel_delay >= 10;
    rule(ttl, "times are shorter than allowed")?;
    rule(config.operator_share_bps <= 10_000, "the operators' share is over the price")?;
    let parties = u128::try_from(epoch.parties.len()).map_err(|_| Violation::Amount)?;
    for (kind, fees) in config.fees.all() {
        let lowest = match kind {
            OperationKind::KeyGen | OperationKind::CrsGen => fees.base,
            OperationKind::VerifyInput => fees.base.checked_add(fees.per_kib)?,
            OperationKind::PublicDecrypt | OperationKind::UserDecrypt => {
                fees.base.checked_add(fees.per_kib)?.checked_add(fees.per_ciphertext)?
            }
        };
        let share = operators_share(config, lowest, None).map_err(|_| Violation::Amount)?;
        let share = share.checked_div(Uint128::new(parties)).map_err(|_| Violation::Amount)?;
        let all = config.failure_fee.checked_mul(Uint128::new(parties))?;
        rule(config.failure_fee.checked_mul(Uint128::new(2))? <= share, "failure_fee is over half a share")?;
        rule(all <= lowest, "failure_fee is over the price")?;
        rule(config.denial_fee <= lowest, "denial_fee is over the price")?;
    }
    Ok(())
}
