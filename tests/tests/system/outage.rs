//! Parts that go away and come back.

use anyhow::{Context, Result, ensure};
use kms_asc_api::{QueryMsg, ResponseView, State};
use kms_e2e::{World, eventually};

pub async fn a_request_made_while_the_core_is_away_is_answered_when_it_is_back(
    world: &mut World,
) -> Result<()> {
    let reference = world.encrypt("uint8:9").await?;
    world.stack.kill("core").await?;
    let id = world.ask_for(&[&reference]).await?;
    world.blocks(15).await?;
    ensure!(world.request(id).await?.state == State::Pending, "answered without a core");
    ensure!(world.runs("connector")?, "the connector did not outlive its core");
    world.settled().await?;
    world.fulfilled(&[id]).await
}

pub async fn a_request_is_closed_and_refunded_with_every_operator_stopped(world: &mut World) -> Result<()> {
    let reference = world.encrypt("uint8:9").await?;
    world.stack.kill("connector").await?;
    world.stack.kill("core").await?;
    let before = world.solvency().await?;
    let id = world.user.ask(&["decrypt", "--no-wait", "--ttl", "5", &reference]).await?;
    let early = world.user.run(&["request", "close", &id]).await?;
    ensure!(early.status == 4, "a request that was not due was closed: {early:?}");
    let request_id = id.parse()?;
    eventually("the deadline", || async { Ok(world.request(request_id).await?.due.then_some(())) }).await?;
    world.user.ask(&["request", "close", &id]).await?;
    let request = world.request(request_id).await?;
    ensure!(request.state == State::Expired && !request.due, "{request:?}");
    ensure!(world.solvency().await? == before, "the price did not go back");
    let report = world.user.json(&["request", "show", &id]).await?;
    ensure!(report["settlement"]["refund"] == report["price"], "{report}");
    // Operators that are back leave alone what has ended.
    world.settled().await?;
    world.blocks(10).await?;
    ensure!(world.solvency().await? == before, "somebody was paid for what had ended");
    let responses: Vec<ResponseView> = world.query(&QueryMsg::Responses { request_id }).await?;
    ensure!(responses.is_empty(), "{responses:?}");
    Ok(())
}

pub async fn a_chain_that_died_under_its_operators_is_started_again_and_serves(
    world: &mut World,
) -> Result<()> {
    let reference = world.encrypt("uint8:9").await?;
    let network = world.stack.network().clone();
    world.stack.kill("chain").await?;
    ensure!(world.runs("core")? && world.runs("connector")?, "an operator's program ended with the chain");
    world.settled().await?;
    ensure!(*world.stack.network() == network, "the network moved though its ports were its own");
    ensure!(world.user.ask(&["decrypt", &reference]).await? == "9", "another value");
    Ok(())
}

pub async fn a_pending_request_survives_a_restart_of_everything(world: &mut World) -> Result<()> {
    let reference = world.encrypt("uint8:9").await?;
    world.stack.kill("core").await?;
    let id = world.ask_for(&[&reference]).await?;
    let first = world.user.json(&["decrypt", "--no-wait", &reference]).await?;
    ensure!(first["state"] == "pending", "{first}");
    world.stack.stop().await?;
    world.settled().await?;
    world.fulfilled(&[id]).await?;
    let responses: Vec<ResponseView> = world.query(&QueryMsg::Responses { request_id: id }).await?;
    let payload = responses.first().and_then(|response| response.payload.clone()).context("no payload")?;
    ensure!(payload.as_slice().last() == Some(&9), "{payload:?}");
    Ok(())
}
