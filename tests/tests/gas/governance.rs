//! What the admin says. It comes last: it puts other operators in office and other code to work.

use std::fs;

use anyhow::Result;
use kms_asc_api::{
    Config, Digest, Eip712Domain, Epoch, EpochId, EvmAddress, ExecuteMsg, InstantiateMsg, QueryMsg,
};
use kms_chain::{Message, TxOptions};
use kms_e2e::Bench;
use kms_localnet::Programs;

use crate::scene::{Notes, Stage};

/// Every message of the admin but those about code.
pub async fn acts(stage: &Stage, notes: &mut Notes) -> Result<()> {
    let Stage { bench, key } = stage;
    let config: Config = bench.query(&QueryMsg::Config {}).await?;
    let epoch: Epoch = bench.query(&QueryMsg::Epoch { id: None }).await?;
    let denom = config.denom.clone();
    bench.transfer(&bench.owner, &bench.operators.contract, 1).await?;
    let domain = Eip712Domain {
        name: "Decryption".to_owned(),
        version: "1".to_owned(),
        chain_id: 1,
        verifying_contract: EvmAddress::new([0x11; 20]),
        salt: None,
    };
    for message in [
        ExecuteMsg::UpdateConfig { config: Box::new(config) },
        ExecuteMsg::RegisterDomain { key_id: *key, domain },
        ExecuteMsg::Pause {},
        ExecuteMsg::Unpause {},
        ExecuteMsg::WithdrawTreasury { to: None, amount: 1u128.into() },
        ExecuteMsg::SweepSurplus { denom, to: None },
        ExecuteMsg::ProposeAdmin { admin: bench.admin.address().to_owned() },
        ExecuteMsg::AcceptAdmin {},
        ExecuteMsg::SetEpoch { epoch: Box::new(Epoch { id: EpochId(2), ..epoch }) },
        ExecuteMsg::RevokeEpoch { epoch: EpochId(1) },
    ] {
        notes.note(message.name(), bench.execute(&bench.admin, &message, 0).await?.gas);
    }
    Ok(())
}

/// The same code once more: stored, announced and run; then another contract of it.
pub async fn code(stage: &Stage, notes: &mut Notes) -> Result<()> {
    let bench = &stage.bench;
    let wasm = fs::read(Programs::of_this_build()?.contract()?)?;
    let store = Message::store_code(bench.admin.address(), &wasm)?;
    let stored = bench.admin.send(&[store], &TxOptions::default()).await?;
    let (code_id, checksum) = stored.stored_code(0)?;
    instantiate(bench, code_id, &checksum, notes).await?;
    let checksum = Digest::new(checksum);
    for message in [ExecuteMsg::ScheduleMigration { code_id, checksum }, ExecuteMsg::MigrateNow {}] {
        notes.note(message.name(), bench.execute(&bench.admin, &message, 0).await?.gas);
    }
    Ok(())
}

async fn instantiate(bench: &Bench, code_id: u64, checksum: &[u8; 32], notes: &mut Notes) -> Result<()> {
    const SALT: &[u8] = b"another";
    let creator = bench.admin.address();
    let message = InstantiateMsg {
        admin: creator.to_owned(),
        config: bench.query(&QueryMsg::Config {}).await?,
        epoch: bench.operators.epoch.clone(),
    };
    let contract = bench.client()?.build_address(checksum, creator, SALT).await?;
    let message = Message::instantiate2(creator, code_id, SALT, "another", &contract, &message, &[])?;
    notes.note("instantiate", bench.send(&bench.admin, &[message]).await?.gas);
    Ok(())
}
