//! A connector killed between every two steps of its work.

use anyhow::{Result, ensure};
use kms_asc_api::{Config, QueryMsg, ResponseView, operators_share};
use kms_e2e::{World, eventually};

/// Kills the connector as it passes a point with a request at work, starts an ordinary one, and looks for
/// exactly one answer and one payment.
pub async fn killed_at(world: &mut World, point: &str) -> Result<()> {
    let reference = world.encrypt("uint8:9").await?;
    let config: Config = world.query(&QueryMsg::Config {}).await?;
    let before = world.earned().await?;

    world.stack.kill("connector").await?;
    let armed = world.programs.program("kms-connector-failpoints")?;
    // Where an earlier scenario left a request at work it may die of that one, and before it listens.
    let started = world.stack.start_connector_as(armed, &[("KMS_CRASH_AT", point)]).await;
    let id = world.ask_for(&[&reference]).await?;
    eventually(&format!("the death of the connector at {point}"), || async {
        Ok((!world.runs("connector")?).then_some(()))
    })
    .await
    .map_err(|error| error.context(format!("it started with {started:?}")))?;

    world.settled().await?;
    world.fulfilled(&[id]).await?;
    let request = world.request(id).await?;
    let share = operators_share(&config, request.body.price, None)?.u128();
    // The connector may still want to post again what it does not know to be on record.
    world.blocks(10).await?;
    let earned = world.earned().await?;
    ensure!(earned == before + share, "it earned {} instead of {share}", earned - before);
    let responses: Vec<ResponseView> = world.query(&QueryMsg::Responses { request_id: id }).await?;
    ensure!(responses.len() == 1, "{responses:?}");
    Ok(())
}
