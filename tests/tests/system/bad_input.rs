//! Bad input gets a stable code; nothing is lost and nothing changes that should not.

use std::fs;

use anyhow::{Context, Result, ensure};
use kms_asc_api::log::LogHead;
use kms_asc_api::{
    Answer, EpochId, ExecuteMsg, Failure, FailureCode, FheType, Handle, ItemOutcome, KeyId, Operation,
    PartyId, PublicDecrypt, QueryMsg, RejectReason, RequestId, RequestView, Signature, State,
};
use kms_chain::{Coin, TxOptions};
use kms_e2e::World;
use kms_localnet::AccountName;

/// Seconds to answer: codes that waiting may mend count from half of it on.
const SHORT: Option<u64> = Some(8);

fn decryption(operation: Operation) -> Result<PublicDecrypt> {
    match operation {
        Operation::PublicDecrypt(operation) => Ok(operation),
        other => anyhow::bail!("{:?} is no decryption", other.kind()),
    }
}

/// The contract's refusal of a message, with its code.
async fn refusal(world: &World, message: &ExecuteMsg, funds: &[Coin]) -> Result<String> {
    let account = world.stack.account(AccountName::User)?;
    let before: LogHead = world.query(&QueryMsg::LogHead {}).await?;
    let error = account
        .execute(world.contract()?, message, funds, &TxOptions::default())
        .await
        .err()
        .context("the contract accepted it")?;
    let after: LogHead = world.query(&QueryMsg::LogHead {}).await?;
    ensure!(before == after, "something was logged");
    Ok(error.contract_message().context("not the contract's refusal")?.to_owned())
}

pub async fn too_little_money_is_refused_and_nothing_changes(world: &mut World) -> Result<()> {
    let reference = world.encrypt("uint8:9").await?;
    let operation = world.decryption_of(&reference).await?;
    let message = ExecuteMsg::SubmitRequest { operation: Box::new(operation), ttl: None, callback: None };
    let denom = world.stack.network().denom.clone();
    let text = refusal(world, &message, &[Coin::new(1, denom)]).await?;
    ensure!(text.starts_with("[insufficient_fee]"), "{text}");
    let text = refusal(world, &message, &[]).await?;
    ensure!(text.starts_with("[insufficient_fee]"), "{text}");
    Ok(())
}

pub async fn a_key_or_request_that_does_not_exist_is_not_found(world: &mut World) -> Result<()> {
    world.user.run(&["request", "show", "999999"]).await?.expect(3)?;
    world.user.run(&["key", "show", "999999"]).await?.expect(3)?;
    world.user.run(&["encrypt", "--key", "999999", "--type", "bool", "--value", "true"]).await?.expect(3)?;
    let reference = world.encrypt("uint8:9").await?;
    let operation = decryption(world.decryption_of(&reference).await?)?;
    let operation = Operation::PublicDecrypt(PublicDecrypt { key_id: KeyId(999_999), ..operation });
    let message = ExecuteMsg::SubmitRequest { operation: Box::new(operation), ttl: None, callback: None };
    let denom = world.stack.network().denom.clone();
    let text = refusal(world, &message, &[Coin::new(1_000_000, denom)]).await?;
    ensure!(text.starts_with("[unknown_key]"), "{text}");
    Ok(())
}

/// Submits the one operation and expects its failure with this code; gives how it ended.
async fn fails_with(world: &World, operation: PublicDecrypt, code: FailureCode) -> Result<RequestView> {
    let (earned, before) = (world.earned().await?, world.solvency().await?);
    let submitted = world.submit(&[Operation::PublicDecrypt(operation)], SHORT).await?;
    let id = submitted.first().context("nothing submitted")?.request_id;
    let request = world.finished(id).await?;
    ensure!(request.state == State::Failed, "{:?} {:?}", request.state, request.reason);
    ensure!(request.reason.as_deref() == Some(code.name()), "failed with {:?}", request.reason);
    let config: kms_asc_api::Config = world.query(&QueryMsg::Config {}).await?;
    let fee = if code.is_requesters_fault() { config.failure_fee.u128() } else { 0 };
    ensure!(world.earned().await? == earned + fee, "the operator earned something else than {fee}");
    let after = world.solvency().await?;
    ensure!(
        (after.escrow, after.treasury) == (before.escrow, before.treasury),
        "{before:?} became {after:?}"
    );
    ensure!(after.balance.u128() == before.balance.u128() + fee, "not all of the rest went back");
    Ok(request)
}

/// The stored bytes of a request's only ciphertext.
fn stored(world: &World, operation: &PublicDecrypt) -> Result<std::path::PathBuf> {
    let digest = operation.ciphertexts.first().context("no ciphertext")?.digest.to_hex();
    let path = world.stack.layout().store().join("ciphertext").join(digest.trim_start_matches("0x"));
    ensure!(path.is_file(), "{} is not there", path.display());
    Ok(path)
}

/// The decryption of a ciphertext that nobody else asks for, so that it can be harmed.
async fn fresh(world: &World, value: &str) -> Result<PublicDecrypt> {
    let key = world.quick_key().await?.to_string();
    let encrypt = ["encrypt", "--key", &key, "--type", "uint8", "--value", value];
    let reference = world.user.ask(&encrypt).await?;
    let id = world.ask_for(&[&reference]).await?;
    world.fulfilled(&[id]).await?;
    decryption(world.request(id).await?.body.operation)
}

pub async fn a_missing_ciphertext_fails_the_request_and_the_price_comes_back(
    world: &mut World,
) -> Result<()> {
    let operation = fresh(world, "11").await?;
    fs::remove_file(stored(world, &operation)?)?;
    fails_with(world, operation, FailureCode::CiphertextUnavailable).await.map(drop)
}

pub async fn a_truncated_ciphertext_is_a_mismatch(world: &mut World) -> Result<()> {
    let operation = fresh(world, "12").await?;
    let path = stored(world, &operation)?;
    let bytes = fs::read(&path)?;
    fs::write(&path, &bytes[..bytes.len() / 2])?;
    fails_with(world, operation, FailureCode::CiphertextMismatch).await.map(drop)
}

pub async fn damaged_bytes_are_a_mismatch(world: &mut World) -> Result<()> {
    let operation = fresh(world, "13").await?;
    let path = stored(world, &operation)?;
    let mut bytes = fs::read(&path)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes)?;
    fails_with(world, operation, FailureCode::CiphertextMismatch).await.map(drop)
}

pub async fn a_ciphertext_of_another_type_is_refused_by_the_core(world: &mut World) -> Result<()> {
    let mut operation = fresh(world, "14").await?;
    for ciphertext in &mut operation.ciphertexts {
        let mut handle = *ciphertext.handle.as_bytes();
        handle[30] = FheType::Uint16.number();
        (ciphertext.handle, ciphertext.fhe_type) = (Handle::new(handle), FheType::Uint16);
    }
    let request = fails_with(world, operation, FailureCode::WrongType).await?;
    let responses: Vec<kms_asc_api::ResponseView> =
        world.query(&QueryMsg::Responses { request_id: request.body.id }).await?;
    ensure!(responses.first().and_then(|response| response.index) == Some(0), "{responses:?}");
    Ok(())
}

pub async fn a_ciphertext_of_another_key_is_refused_by_the_core(world: &mut World) -> Result<()> {
    let operation = fresh(world, "15").await?;
    let other: KeyId = world.user.ask(&["keygen", "--insecure-test-parameters"]).await?.parse()?;
    ensure!(other != operation.key_id, "the same key again");
    let operation = PublicDecrypt { key_id: other, ..operation };
    fails_with(world, operation, FailureCode::CiphertextMalformed).await.map(drop)
}

pub async fn items_without_a_valid_receipt_change_nothing(world: &mut World) -> Result<()> {
    let reference = world.encrypt("uint8:9").await?;
    world.stack.kill("core").await?;
    let pending = world.ask_for(&[&reference]).await?;
    let answer = |request_id, party| Answer {
        request_id,
        epoch: EpochId(1),
        party: PartyId(party),
        payload: vec![0; 32].into(),
        external_signature: Some(Signature::new([27; 65]).into()),
        receipt: Signature::new([27; 65]).into(),
    };
    let before: LogHead = world.query(&QueryMsg::LogHead {}).await?;
    let responses = vec![answer(pending, 1), answer(pending, 2), answer(RequestId(999_999), 1)];
    let outcomes: Vec<ItemOutcome> = world.outcomes(&ExecuteMsg::SubmitResponses { responses }).await?;
    let reasons = [RejectReason::Receipt, RejectReason::UnknownParty, RejectReason::UnknownRequest];
    ensure!(outcomes == reasons.map(ItemOutcome::Rejected), "{outcomes:?}");
    let failure = |code| Failure {
        request_id: pending,
        epoch: EpochId(1),
        party: PartyId(1),
        code,
        index: Failure::NO_INDEX.into(),
        receipt: Signature::new([28; 65]).into(),
    };
    let failures = vec![failure(2), failure(12)];
    let outcomes: Vec<ItemOutcome> = world.outcomes(&ExecuteMsg::SubmitFailures { failures }).await?;
    let reasons = [RejectReason::Receipt, RejectReason::UnknownCode];
    ensure!(outcomes == reasons.map(ItemOutcome::Rejected), "{outcomes:?}");
    let after: LogHead = world.query(&QueryMsg::LogHead {}).await?;
    ensure!(before == after, "something was logged");
    world.settled().await?;
    world.fulfilled(&[pending]).await?;
    // Bytes that the operator never signed come as little after the end as before it.
    let responses = vec![answer(pending, 1)];
    let outcomes: Vec<ItemOutcome> = world.outcomes(&ExecuteMsg::SubmitResponses { responses }).await?;
    ensure!(outcomes == [ItemOutcome::Rejected(RejectReason::Receipt)], "{outcomes:?}");
    Ok(())
}

pub async fn messages_of_the_admin_are_nobody_elses(world: &mut World) -> Result<()> {
    for message in [
        ExecuteMsg::Pause {},
        ExecuteMsg::RevokeEpoch { epoch: EpochId(1) },
        ExecuteMsg::WithdrawTreasury { to: None, amount: 1u128.into() },
    ] {
        let text = refusal(world, &message, &[]).await?;
        ensure!(text.starts_with("[unauthorized]"), "{}: {text}", message.name());
    }
    Ok(())
}
