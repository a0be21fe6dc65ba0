//! What the admin does, on the real chain: new code, new operators.

use std::fs;

use anyhow::{Context, Result, ensure};
use kms_asc_api::log::{LogBody, LogEntry, LogHead};
use kms_asc_api::{
    CloseOutcome, Digest, Epoch, EpochId, ExecuteMsg, Governance, KeyGen, KeyParams, KeySource, LogPage,
    MigrateMsg, Operation, OutcomesData, QueryMsg, Quote, RequestView, Solvency, State, SubmitRequestData,
};
use kms_chain::{Account, Coin, Message, TxOptions};
use kms_e2e::{Deployment, World, eventually};
use kms_localnet::AccountName;
use serde::de::DeserializeOwned;

/// The contract's refusal of one transaction.
async fn refusal(account: &Account, messages: &[Message]) -> Result<String> {
    let sent = account.send(messages, &TxOptions::default()).await;
    let error = sent.err().context("the chain accepted it")?;
    Ok(error.contract_message().map_or_else(|| error.to_string(), str::to_owned))
}

async fn newest_entries(world: &World, count: u64) -> Result<Vec<LogBody>> {
    let head: LogHead = world.query(&QueryMsg::LogHead {}).await?;
    let from = head.count + 1 - count;
    let page: LogPage = world.query(&QueryMsg::Log { from, limit: None }).await?;
    page.entries.iter().map(|bytes| Ok(LogEntry::parse(bytes.as_slice())?.body)).collect()
}

pub async fn the_contract_takes_over_itself_with_requests_pending_and_nobody_else_can_do_it(
    world: &mut World,
) -> Result<()> {
    let reference = world.encrypt("uint8:9").await?;
    world.stack.kill("core").await?;
    let pending = world.ask_for(&[&reference]).await?;

    let admin = world.stack.account(AccountName::Admin)?;
    let contract = world.contract()?.to_owned();
    let wasm = fs::read(world.programs.contract()?)?;
    let store = Message::store_code(admin.address(), &wasm)?;
    let (code_id, checksum) = admin.send(&[store], &TxOptions::default()).await?.stored_code(0)?;
    let checksum = Digest::new(checksum);
    let before = world.client()?.contract_info(&contract).await?;
    ensure!(before.code_id != code_id, "stored once more, it has a number of its own");

    let say = |account: &Account, message: &ExecuteMsg| {
        Message::execute(account.address(), &contract, message, &[])
    };
    let schedule = ExecuteMsg::ScheduleMigration { code_id, checksum };
    let now = ExecuteMsg::MigrateNow {};
    let stranger = world.stack.account(AccountName::Other)?;
    for message in [&schedule, &now] {
        let text = refusal(&stranger, &[say(&stranger, message)?]).await?;
        ensure!(text.starts_with("[unauthorized]"), "{text}");
    }
    let wrong = ExecuteMsg::ScheduleMigration { code_id, checksum: Digest::new([7; 32]) };
    let text = refusal(&admin, &[say(&admin, &wrong)?]).await?;
    ensure!(text.starts_with("[migration]"), "{text}");
    // Both in one block: no delay can have passed.
    let text = refusal(&admin, &[say(&admin, &schedule)?, say(&admin, &now)?]).await?;
    ensure!(text.starts_with("[migration]"), "{text}");

    admin.send(&[say(&admin, &schedule)?], &TxOptions::default()).await?;
    let announced: Governance = world.query(&QueryMsg::Governance {}).await?;
    let announced = announced.migration.context("nothing is announced")?;
    eventually("the end of the delay", || async {
        let time = world.client()?.status().await?.latest_time.seconds;
        Ok((time > announced.not_before).then_some(()))
    })
    .await?;
    for account in [&admin, &stranger] {
        let directly = Message::migrate(account.address(), &contract, code_id, &MigrateMsg {})?;
        let text = refusal(account, &[directly]).await?;
        ensure!(text.contains("unauthorized"), "{text}");
    }
    admin.send(&[say(&admin, &now)?], &TxOptions::default()).await?;

    let after = world.client()?.contract_info(&contract).await?;
    ensure!((after.code_id, after.admin.as_ref()) == (code_id, Some(&contract)), "{after:?}");
    let entries = newest_entries(world, 2).await?;
    let [LogBody::MigrationStarted { migration, .. }, LogBody::Migrated { code_id: id, checksum: sum, .. }] =
        entries.as_slice()
    else {
        anyhow::bail!("{entries:?}")
    };
    ensure!((*migration, *id, *sum) == (announced, code_id, checksum), "{entries:?}");
    let governance: Governance = world.query(&QueryMsg::Governance {}).await?;
    ensure!(governance.migration.is_none(), "{governance:?}");

    ensure!(world.request(pending).await?.state == State::Pending, "the migration ended a request");
    world.settled().await?;
    world.fulfilled(&[pending]).await
}

/// A chain of its own without an operator at work: for what would take the operators of the others away.
struct Deserted(Deployment);

impl Deserted {
    async fn query<R: DeserializeOwned>(&self, query: &QueryMsg) -> Result<R> {
        self.0.query(query).await
    }

    async fn tell<R: DeserializeOwned>(&self, name: AccountName, message: &ExecuteMsg) -> Result<R> {
        let account = self.0.stack.account(name)?;
        let outcome = account.execute(self.0.contract()?, message, &[], &TxOptions::default()).await?;
        Ok(serde_json::from_slice(&outcome.execute_data(0)?)?)
    }

    /// Asks for a key, with the exact price.
    async fn ask_for_key(&self) -> Result<SubmitRequestData> {
        let operation = KeyGen { params: KeyParams::Default, source: KeySource::Generate };
        let operation = Box::new(Operation::KeyGen(operation));
        let quote: Quote =
            self.query(&QueryMsg::Quote { operation: operation.clone(), callback: None }).await?;
        let funds = [Coin::new(quote.price.u128(), quote.denom)];
        let message = ExecuteMsg::SubmitRequest { operation, ttl: None, callback: None };
        let account = self.0.stack.account(AccountName::User)?;
        let outcome = account.execute(self.0.contract()?, &message, &funds, &TxOptions::default()).await?;
        Ok(serde_json::from_slice(&outcome.execute_data(0)?)?)
    }

    async fn close(&self, asked: &SubmitRequestData) -> Result<Vec<CloseOutcome>> {
        let message = ExecuteMsg::Close { request_ids: vec![asked.request_id] };
        Ok(self.tell::<OutcomesData<CloseOutcome>>(AccountName::Other, &message).await?.outcomes)
    }
}

pub async fn requests_of_a_revoked_epoch_are_closed_at_once_and_given_back(_: &mut World) -> Result<()> {
    let mut chain = Deserted(Deployment::begin("deserted").await?);
    let first = chain.0.epoch().await?;
    let asked = chain.ask_for_key().await?;
    let next = Box::new(Epoch { id: EpochId(2), ..first });
    chain.0.govern(&ExecuteMsg::SetEpoch { epoch: next }).await?;
    ensure!(chain.close(&asked).await? == [CloseOutcome::NotDue], "a new epoch ends nothing");
    chain.0.govern(&ExecuteMsg::RevokeEpoch { epoch: EpochId(1) }).await?;
    let outcome = chain.close(&asked).await?;
    ensure!(outcome == [CloseOutcome::Closed(State::Failed)], "{outcome:?}");

    let view: RequestView = chain.query(&QueryMsg::Request { id: asked.request_id }).await?;
    ensure!((view.state, view.code, view.due) == (State::Failed, Some(5), false), "{view:?}");
    let money: Solvency = chain.query(&QueryMsg::Solvency {}).await?;
    ensure!(money.balance.is_zero(), "all came back: {money:?}");

    let asked = chain.ask_for_key().await?;
    let view: RequestView = chain.query(&QueryMsg::Request { id: asked.request_id }).await?;
    ensure!((view.state, view.body.epoch) == (State::Pending, Some(EpochId(2))), "{view:?}");
    chain.0.govern(&ExecuteMsg::RevokeEpoch { epoch: EpochId(2) }).await?;
    let denied = chain.ask_for_key().await?;
    let view: RequestView = chain.query(&QueryMsg::Request { id: denied.request_id }).await?;
    ensure!((view.state, view.reason.as_deref()) == (State::Denied, Some("epoch_revoked")), "{view:?}");
    chain.0.stack.stop().await
}
