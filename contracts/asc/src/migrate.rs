//! Taking over from earlier code.

use cosmwasm_std::{Binary, DepsMut, Env, MigrateInfo, Response, Storage};
use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{DefaultDomains, Digest, Terms, state_key};

use crate::ContractError;
use crate::session::Session;
use crate::version::{CONTRACT_NAME, CONTRACT_VERSION, STATE_VERSION};

/// A change of the state's layout, by one version. It must not loop over data that grows with history.
type Step = fn(&mut dyn Storage, &Env) -> Result<(), ContractError>;

/// The first step leads from layout 1 to 2, the next one from there, and so on.
const STEPS: [Step; 1] = [state_names_its_layout];

/// Brings the state of earlier code to this one's layout and logs who took over from whom. What is pending
/// stays pending, under its price, deadline and epoch.
pub fn migrate(deps: DepsMut, env: Env, info: MigrateInfo) -> Result<Response, ContractError> {
    if info.sender != env.contract.address {
        return Err(ContractError::Unauthorized {
            sender: info.sender.into_string(),
            needed: "the contract itself",
        });
    }
    let from_version = earlier_version(deps.storage)?;
    take_steps(deps.storage, &env)?;
    cw2::set_contract_version(deps.storage, CONTRACT_NAME, CONTRACT_VERSION)?;
    let migration = state_key::MIGRATION.may_load(deps.storage)?;
    let migration = migration.ok_or_else(|| refused("no code is announced".to_owned()))?;
    state_key::MIGRATION.remove(deps.storage);
    let config = deps.storage.get(state_key::CONFIG.as_slice()).unwrap_or_default();

    let mut session = Session::open(deps, env, info.sender)?;
    let body = LogBody::Migrated {
        code_id: migration.code_id,
        checksum: migration.checksum,
        from_version,
        to_version: CONTRACT_VERSION.to_owned(),
        config_hash: Digest::sha256(&config),
        admin: state_key::ADMIN.load(session.deps.storage)?.into_string(),
    };
    session.emit(Event::Config { kind: body.kind().to_owned() });
    session.record(None, body)?;
    session.commit(Binary::default())
}

/// The version that hands over: of this contract, and not newer than this code.
fn earlier_version(storage: &dyn Storage) -> Result<String, ContractError> {
    let stored = cw2::CONTRACT.may_load(storage)?;
    let stored = stored.ok_or_else(|| refused("the state names no contract".to_owned()))?;
    if stored.contract != CONTRACT_NAME {
        return Err(refused(format!("the state is that of {:?}, not of {CONTRACT_NAME:?}", stored.contract)));
    }
    let (Some(from), Some(to)) = (release(&stored.version), release(CONTRACT_VERSION)) else {
        return Err(refused(format!("{:?} is no version of this contract", stored.version)));
    };
    if from > to {
        return Err(refused(format!(
            "the state is of version {}, this is {CONTRACT_VERSION}",
            stored.version
        )));
    }
    Ok(stored.version)
}

/// Major, minor and patch number.
fn release(version: &str) -> Option<[u64; 3]> {
    let numbers: Vec<u64> = version.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    numbers.try_into().ok()
}

fn take_steps(storage: &mut dyn Storage, env: &Env) -> Result<(), ContractError> {
    let stored = state_key::STATE_VERSION.may_load(storage)?.unwrap_or(1);
    if stored == 0 || stored > STATE_VERSION {
        return Err(refused(format!("the state has layout {stored}, this code knows 1 to {STATE_VERSION}")));
    }
    let taken = usize::try_from(stored).map_err(|_| ContractError::Overflow)?.saturating_sub(1);
    STEPS.iter().skip(taken).try_for_each(|step| step(storage, env))
}

/// From 1 to 2. Layout 1 did not say which one it is, and had its terms in JSON alone; all of its records stay as
/// they are, since what came with 2 (grants, reference strings, announced code, a proposed admin, a revoked epoch's
/// time) is absent where there is none. It could not change its parameters, so all of its keys have default domains.
fn state_names_its_layout(storage: &mut dyn Storage, env: &Env) -> Result<(), ContractError> {
    let (config, paused) = (state_key::CONFIG.load(storage)?, state_key::PAUSED.load(storage)?);
    let domains = DefaultDomains::all(&env.block.chain_id);
    storage.set(state_key::TERMS, &Terms { config, paused, revoked: vec![], domains }.encode());
    Ok(state_key::STATE_VERSION.save(storage, &2)?)
}

fn refused(why: String) -> ContractError {
    ContractError::Migration(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_step_from_every_earlier_layout() {
        assert_eq!(u32::try_from(STEPS.len()).unwrap() + 1, STATE_VERSION);
    }

    #[test]
    fn releases_are_compared_by_number_and_not_by_text() {
        assert!(release("0.10.0") > release("0.9.9"));
        assert!(release("1.0.0") > release("0.99.99"));
        for text in ["", "1", "1.0", "1.0.0.0", "1.0.x", "v1.0.0", "1.0.0-rc1", "-1.0.0"] {
            assert_eq!(release(text), None, "{text}");
        }
    }
}
