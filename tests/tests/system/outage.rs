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
    // An answer that comes now is recorded, and not paid.
    world.settled().await?;
    ensure!(world.earned().await? == before.credits.u128(), "a late answer was paid");
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
