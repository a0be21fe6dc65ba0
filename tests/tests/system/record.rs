//! What is on record, read as an auditor reads it.

use anyhow::{Context, Result, ensure};
use kms_asc_api::eip712::Receipt;
use kms_asc_api::log::{LogHead, LogReader};
use kms_asc_api::{
    Digest, Epoch, LogPage, Outcome, QueryMsg, RequestId, ResponseView, State, request_hash, signing,
    state_key,
};
use kms_e2e::World;

pub async fn the_log_that_a_client_reads_leads_to_the_head_in_state(world: &mut World) -> Result<()> {
    // Nothing may be added while it is read.
    world.stack.kill("connector").await?;
    let mut reader = LogReader::after(LogHead::EMPTY);
    let mut from = Some(1);
    while let Some(next) = from {
        let page: LogPage = world.query(&QueryMsg::Log { from: next, limit: None }).await?;
        for entry in &page.entries {
            reader.push(entry)?;
        }
        from = page.next;
    }
    let raw = world.client()?.raw_state(world.contract()?, state_key::LOG_HEAD, None).await?;
    reader.finish(LogHead::decode(&raw.value.context("there is no log head in state")?)?)?;
    ensure!(reader.head().count > 5, "a log of {} entries", reader.head().count);
    let shown = world.user.run(&["log"]).await?.expect(0)?;
    ensure!(shown.stdout.contains("key activated"), "{}", shown.stdout);
    Ok(())
}

pub async fn a_strangers_request_is_denied_and_the_denial_is_on_record(world: &mut World) -> Result<()> {
    let reference = world.encrypt("uint8:9").await?;
    let refused = world.stranger.run(&["decrypt", &reference]).await?.expect(4)?;
    ensure!(refused.stderr.contains("permission"), "{}", refused.stderr);
    ensure!(refused.stdout.contains("denied: permission"), "{}", refused.stdout);

    let stranger = world.stack.account(kms_localnet::AccountName::Other)?.address().to_owned();
    let denied = world.user.json(&["request", "list", "--state", "denied", "--requester", &stranger]).await?;
    let newest = denied.as_array().or(denied["requests"].as_array()).and_then(|list| list.last());
    let id = newest.context("no denial is listed")?["id"].as_u64().context("no id")?;
    let request = world.request(RequestId(id)).await?;
    ensure!(request.state == State::Denied && request.reason.as_deref() == Some("permission"), "{request:?}");
    let responses: Vec<ResponseView> =
        world.query(&QueryMsg::Responses { request_id: RequestId(id) }).await?;
    ensure!(responses.is_empty(), "somebody answered a denied request");
    Ok(())
}

pub async fn a_stored_body_hashes_to_what_receipts_sign(world: &mut World) -> Result<()> {
    let reference = world.encrypt("uint8:9").await?;
    let id = world.ask_for(&[&reference]).await?;
    world.fulfilled(&[id]).await?;
    let key = state_key::REQUEST.key(id.get());
    let raw = world.client()?.raw_state(world.contract()?, &key, None).await?;
    let body = raw.value.context("the body is not in state")?;
    let responses: Vec<ResponseView> = world.query(&QueryMsg::Responses { request_id: id }).await?;
    let epoch: Epoch = world.query(&QueryMsg::Epoch { id: None }).await?;
    let response = responses.first().context("no answer")?;
    let receipt = Receipt {
        chain_id: &world.stack.network().chain_id,
        contract: world.contract()?,
        request_id: id,
        request_hash: request_hash(&body),
        epoch: response.epoch,
        party: response.party,
        outcome: Outcome::Answer,
        payload_digest: response.payload_digest,
    };
    let signer = signing::recover(&receipt.signing_hash(), &response.receipt)?;
    ensure!(signer == epoch.parties[0].signer, "the receipt is {signer}'s");
    Ok(())
}

pub async fn what_a_core_is_told_to_trust_is_what_the_command_line_shows(world: &mut World) -> Result<()> {
    let pins = world.stack.pins()?;
    let epoch = pins.epochs.first().context("no epoch is pinned")?;
    let shown = world.user.ask(&["epoch", "show", &epoch.id.to_string()]).await?;
    ensure!(shown.contains(&epoch.record), "{shown} without {}", epoch.record);

    let status = world.user.json(&["status"]).await?;
    let (height, hash) =
        status["header"].as_str().and_then(|header| header.split_once(':')).context("no header")?;
    let block = world.client()?.light_block(height.parse()?).await?.context("no such block")?;
    ensure!(Digest::new(block.hash).to_hex() == format!("0x{hash}"), "{status}: block {height} is another");
    Ok(())
}
