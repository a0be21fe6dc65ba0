//! What other chains show, and what whoever governs the contract may do, each on a chain of its own: the core does not follow
//! where its operator did not say so.

use std::fs;

use anyhow::{Context, Result, ensure};
use kms_asc_api::{Digest, Epoch, EpochId, ExecuteMsg, Governance, Party, QueryMsg, RequestId};
use kms_chain::{Message, TxOptions};
use kms_e2e::{Deployment, World, eventually};
use kms_localnet::AccountName;
use serde_json::Value;

use crate::{
    forged::{expect, small_key},
    forger::{Forger, submit},
};

/// A chain of its own with a core, and no connector but the thief.
struct Place {
    chain: Deployment,
    thief: Forger,
}

impl Place {
    async fn begin(mut chain: Deployment) -> Result<Self> {
        chain.stack.start_core().await?;
        let thief = Forger::of(&chain.stack)?;
        thief.lead_core().await?;
        Ok(Self { chain, thief })
    }

    /// A request that stays pending, and its body.
    async fn ask(&self) -> Result<(RequestId, Vec<u8>)> {
        let id = submit(&self.chain.stack, small_key(), Some(600)).await?;
        Ok((id, self.thief.body(id).await?))
    }

    /// How the core refuses an honest proof of what stands in state now.
    async fn refusal(&self, body: &[u8]) -> Result<String> {
        self.thief.refusal(body, self.thief.proof(body).await?).await
    }

    async fn migrate(&self, code_id: u64, checksum: Digest) -> Result<()> {
        self.chain.govern(&ExecuteMsg::ScheduleMigration { code_id, checksum }).await?;
        let client = self.chain.stack.client()?;
        let contract = self.thief.contract.text();
        let announced: Governance = client.smart_query(contract, &QueryMsg::Governance {}).await?;
        let announced = announced.migration.context("nothing is announced")?;
        eventually("the end of the delay", || async {
            Ok((client.status().await?.latest_time.seconds > announced.not_before).then_some(()))
        })
        .await?;
        self.chain.govern(&ExecuteMsg::MigrateNow {}).await
    }
}

pub async fn the_same_request_on_another_chain_is_refused_whatever_that_chain_calls_itself(
    _: &mut World,
) -> Result<()> {
    for (name, case) in [("elsewhere", "another chain"), ("victim", "wrong validators")] {
        // Begun first, so that its heights are not behind those of the chain that the core serves.
        let mut other = Deployment::begin(name).await?;
        let mut place = Place::begin(Deployment::begin("victim").await?).await?;

        let id = submit(&other.stack, small_key(), None).await?;
        let there = Forger::with_channel(&other.stack, place.chain.stack.core_channel()?)?;
        let body = there.body(id).await?;
        let proof = there.proof(&body).await?;
        expect(case, &there.refusal(&body, proof.clone()).await?, "wrong_contract")?;
        // Under the name of the chain and the contract that the core serves.
        expect(case, &place.thief.refusal(&body, proof).await?, "header_invalid")?;
        place.chain.stack.stop().await?;
        other.stack.stop().await?;
    }
    Ok(())
}

/// The contract's code with something in it that changes nothing but its hash: a custom section.
fn other_code(wasm: &[u8]) -> Vec<u8> {
    [wasm, &[0, 4, 3, b'n', b'e', b'w']].concat()
}

pub async fn code_that_was_migrated_is_refused_also_after_it_was_migrated_back(_: &mut World) -> Result<()> {
    let mut place = Place::begin(Deployment::begin("migrated").await?).await?;
    let (_, body) = place.ask().await?;
    let client = place.chain.stack.client()?;
    let before = client.contract_info(place.thief.contract.text()).await?.code_id;
    let checksum = Digest::new(client.code_info(before).await?.checksum);

    let wasm = fs::read(kms_localnet::Programs::of_this_build()?.contract()?)?;
    let admin = place.chain.stack.account(AccountName::Admin)?;
    let store = Message::store_code(admin.address(), &other_code(&wasm))?;
    let (code_id, other) = admin.send(&[store], &TxOptions::default()).await?.stored_code(0)?;
    ensure!(Digest::new(other) != checksum, "the same code");
    place.migrate(code_id, Digest::new(other)).await?;
    let refused = place.refusal(&body).await?;
    ensure!(refused == "code_not_allowed", "migrated: refused as {refused}");

    place.migrate(before, checksum).await?;
    let now = client.contract_info(place.thief.contract.text()).await?.code_id;
    ensure!(now == before, "the contract runs code {now}");
    let refused = place.refusal(&body).await?;
    ensure!(refused == "code_not_allowed", "migrated back: refused as {refused}");
    // A history that is cut short proves nothing either.
    let mut short = place.thief.proof(&body).await?;
    short.entries.retain(|entry| entry.key.first() != Some(&0x05) || entry.key.last() < Some(&2));
    let refused = place.thief.refusal(&body, short).await?;
    ensure!(refused == "proof_incomplete", "cut short: refused as {refused}");

    // Allowed by its operator, the same is served.
    let mut pins = place.chain.stack.pins()?;
    pins.allowed_code.push(Digest::new(other).to_hex().trim_start_matches("0x").to_owned());
    place.chain.stack.pin(&pins)?;
    place.chain.stack.kill("core").await?;
    place.chain.stack.start_core().await?;
    let answer =
        Forger::of(&place.chain.stack)?.execute(&body, place.thief.proof(&body).await?, Vec::new()).await?;
    ensure!(answer.is_ok(), "what is allowed is refused: {answer:?}");
    place.chain.stack.stop().await
}

/// The contract refuses to begin with another admin, and nobody but the chain's validators together can give it one.
pub async fn a_contract_whose_code_somebody_else_may_change_is_refused(_: &mut World) -> Result<()> {
    let mut place = Place::begin(Deployment::begin("admin").await?).await?;
    let (_, body) = place.ask().await?;
    let contract = place.thief.contract.text().to_owned();
    let other = place.chain.stack.account(AccountName::Other)?.address().to_owned();
    place
        .chain
        .stack
        .rewrite_state(|state| {
            let contracts = state.pointer_mut("/app_state/wasm/contracts").and_then(Value::as_array_mut);
            let record = contracts.context("no contracts in the state")?.iter_mut();
            let record = record.into_iter().find(|record| record["contract_address"] == contract.as_str());
            record.context("the contract is not in the state")?["contract_info"]["admin"] = other.into();
            Ok(())
        })
        .await?;
    let refused = place.refusal(&body).await?;
    ensure!(refused == "wasm_admin", "refused as {refused}");
    place.chain.stack.stop().await
}

pub async fn a_replaced_record_of_an_epoch_is_refused_and_so_is_a_revoked_epoch(_: &mut World) -> Result<()> {
    let chain = Deployment::begin("epochs").await?;
    let second = Epoch { id: EpochId(2), ..chain.epoch().await? };
    chain.agree_to(&second)?;
    let mut place = Place::begin(chain).await?;
    let (_, of_first) = place.ask().await?;

    // Agreed to is one set of operators, registered by the admin another one: it is paid to somebody else.
    let mut registered = second;
    let other = place.chain.stack.account(AccountName::Other)?.address().to_owned();
    registered.parties =
        registered.parties.into_iter().map(|party| Party { payout: other.clone(), ..party }).collect();
    place.chain.govern(&ExecuteMsg::SetEpoch { epoch: Box::new(registered) }).await?;
    let (_, of_second) = place.ask().await?;
    let refused = place.refusal(&of_second).await?;
    ensure!(refused == "epoch_not_pinned", "replaced: refused as {refused}");

    let proof = place.thief.proof(&of_first).await?;
    place.chain.govern(&ExecuteMsg::RevokeEpoch { epoch: EpochId(1) }).await?;
    let refused = place.refusal(&of_first).await?;
    ensure!(refused == "epoch_revoked", "revoked: refused as {refused}");
    // The proof from before the revocation is good for as long as the core takes its header.
    ensure!(proof.height > 0 && place.thief.lead_core().await? > proof.height, "the core is behind");
    place.chain.stack.stop().await
}
