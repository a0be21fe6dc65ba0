//! What a stolen connector, a lying node or a stranger may show the core, on the chain that all scenarios share: it works for
//! nothing that is not recorded and pending in its own contract.

use std::fs;

use anyhow::{Context, Result, ensure};
use kms_asc_api::{
    Config, Digest, Epoch, ExecuteMsg, InstantiateMsg, KeyGen, KeyId, KeyParams, KeySource, Operation,
    QueryMsg, RequestBody, RequestId,
};
use kms_chain::{Message, TxOptions};
use kms_core_proto::v1;
use kms_e2e::{World, eventually};
use kms_localnet::AccountName;
use kms_proofs::{ContractAddress, store_key};

use crate::forger::{Forger, submit};

/// A key with small parameters: a request that needs nothing to exist.
pub fn small_key() -> Operation {
    Operation::KeyGen(KeyGen { params: KeyParams::Test, source: KeySource::Generate })
}

/// A thief who speaks to the core in the connector's place.
async fn thief(world: &mut World) -> Result<Forger> {
    world.stack.kill("connector").await?;
    let forger = Forger::of(&world.stack)?;
    forger.lead_core().await?;
    Ok(forger)
}

/// The decryption of a value that is asked for and not answered, its body, and its ciphertext.
async fn pending_decryption(world: &World, forger: &Forger, value: &str) -> Result<(Vec<u8>, Vec<Vec<u8>>)> {
    let key = world.quick_key().await?;
    let reference = world.encrypt_all(key, &[], &[&format!("uint8:{value}")]).await?;
    let id = world.ask_for(&[&reference[0]]).await?;
    let body = forger.body(id).await?;
    let parsed = RequestBody::parse(&body)?;
    let mut bytes = Vec::new();
    for ciphertext in parsed.operation.ciphertexts() {
        bytes.push(stored(world, &ciphertext.digest)?);
    }
    Ok((body, bytes))
}

/// The bytes of a ciphertext, which anybody can read.
fn stored(world: &World, digest: &Digest) -> Result<Vec<u8>> {
    let name = digest.to_hex().trim_start_matches("0x").to_owned();
    Ok(fs::read(world.stack.layout().store().join("ciphertext").join(name))?)
}

/// A body as the contract would have stored it, with something else in it.
fn altered(body: &[u8], change: impl Fn(&mut RequestBody)) -> Result<Vec<u8>> {
    let mut parsed = RequestBody::parse(body)?;
    change(&mut parsed);
    Ok(serde_json::to_vec(&parsed)?)
}

pub fn expect(case: &str, reason: &str, expected: &str) -> Result<()> {
    ensure!(reason == expected, "{case}: refused as {reason}, not as {expected}");
    Ok(())
}

pub async fn a_stolen_connector_has_nothing_decrypted_that_is_not_recorded(world: &mut World) -> Result<()> {
    let thief = thief(world).await?;
    let (body, ciphertexts) = pending_decryption(world, &thief, "171").await?;
    let refusal = async |body: &[u8], proof: v1::Proof| -> Result<String> {
        let answer = thief.execute(body, proof, ciphertexts.clone()).await?;
        answer.err().context("the core decrypted for a thief")
    };

    // A request that nobody made, with the proof that it is not there, and with somebody else's proof.
    let unmade = altered(&body, |body| body.id = RequestId(body.id.get() + 1_000))?;
    expect("never recorded", &refusal(&unmade, thief.proof(&unmade).await?).await?, "not_recorded")?;
    expect("another's proof", &refusal(&unmade, thief.proof(&body).await?).await?, "proof_incomplete")?;
    // The same request with another deadline, and for somebody else.
    let longer = altered(&body, |body| body.deadline = body.deadline.map(|deadline| deadline + 3_600))?;
    expect("longer", &refusal(&longer, thief.proof(&body).await?).await?, "body_mismatch")?;
    let other = altered(&body, |body| body.requester.push('x'))?;
    expect("another requester", &refusal(&other, thief.proof(&body).await?).await?, "body_mismatch")?;
    // A value that the store never held: bytes of a lying node.
    let mut lying = thief.proof(&body).await?;
    let entry = lying.entries.iter_mut().find(|entry| entry.value.as_ref() == Some(&body));
    entry.context("no entry of the body")?.value = Some(longer.clone());
    expect("a made-up entry", &refusal(&longer, lying).await?, "proof_invalid")?;
    // Nothing at all.
    expect("no proof", &refusal(&body, v1::Proof::default()).await?, "malformed_proof")?;

    // The very same words are answered once they are proven: it was not for anything else that they were refused.
    let answer = thief.execute(&body, thief.proof(&body).await?, ciphertexts.clone()).await?;
    let answer = answer.map_err(|reason| anyhow::anyhow!("what is recorded is refused as {reason}"))?;
    let Some(v1::answer::Outcome::Success(success)) = answer.outcome else { anyhow::bail!("{answer:?}") };
    ensure!(success.payload.last() == Some(&171), "{success:?}");
    Ok(())
}

pub async fn a_finished_request_is_refused(world: &mut World) -> Result<()> {
    let thief = thief(world).await?;
    let id = submit(&world.stack, small_key(), Some(5)).await?;
    let body = thief.body(id).await?;
    eventually("the request's end", || async { Ok(world.request(id).await?.due.then_some(())) }).await?;
    expect("past its end", &thief.refusal(&body, thief.proof(&body).await?).await?, "deadline_passed")?;
    let close = ExecuteMsg::Close { request_ids: vec![id] };
    let stranger = world.stack.account(AccountName::Other)?;
    stranger.execute(world.contract()?, &close, &[], &TxOptions::default()).await?;
    expect("expired", &thief.refusal(&body, thief.proof(&body).await?).await?, "not_pending")
}

pub async fn a_proof_that_was_good_is_refused_when_its_header_is_old(world: &mut World) -> Result<()> {
    let thief = thief(world).await?;
    let id = submit(&world.stack, small_key(), Some(600)).await?;
    let body = thief.body(id).await?;
    let old = thief.proof(&body).await?;
    world.blocks(60).await?;
    // A core that has seen nothing newer judges by the header's time, one that has by its height.
    thief.lead_core().await?;
    expect("replayed", &thief.refusal(&body, old).await?, "header_stale")
}

pub async fn another_contract_with_the_same_state_is_refused(world: &mut World) -> Result<()> {
    let thief = thief(world).await?;
    let id = submit(&world.stack, small_key(), None).await?;
    let body = thief.body(id).await?;
    let twin = Forger { contract: twin(world, id).await?, ..Forger::of(&world.stack)? };
    let twin_body = twin.body(id).await?;
    ensure!(RequestBody::parse(&twin_body)?.id == id, "the twin has no such request");

    expect(
        "the twin's name",
        &twin.refusal(&twin_body, twin.proof(&twin_body).await?).await?,
        "wrong_contract",
    )?;
    let elsewhere = thief.refusal(&twin_body, twin.proof(&twin_body).await?).await?;
    expect("the twin's state", &elsewhere, "wrong_contract")?;
    // Its entries under the keys of the contract that the core serves.
    let mut renamed = twin.proof(&twin_body).await?;
    let (from, to) = (*twin.contract.bytes(), *thief.contract.bytes());
    for entry in &mut renamed.entries {
        if store_key::contract_of(&entry.key) == Some(from) {
            entry.key[1..33].copy_from_slice(&to);
        }
    }
    expect("renamed", &thief.refusal(&twin_body, renamed).await?, "proof_invalid")?;
    ensure!(thief.execute(&body, thief.proof(&body).await?, Vec::new()).await?.is_ok(), "the right one");
    Ok(())
}

/// A second contract of the same code, operators and terms, with requests up to this one.
async fn twin(world: &World, last: RequestId) -> Result<ContractAddress> {
    let (client, admin) = (world.client()?, world.stack.account(AccountName::Admin)?);
    let info = client.contract_info(world.contract()?).await?;
    let checksum = client.code_info(info.code_id).await?.checksum;
    let config: Config = world.query(&QueryMsg::Config {}).await?;
    let epoch: Epoch = world.query(&QueryMsg::Epoch { id: None }).await?;
    let message = InstantiateMsg { admin: admin.address().to_owned(), config, epoch };
    let address = client.build_address(&checksum, admin.address(), b"twin").await?;
    let made =
        Message::instantiate2(admin.address(), info.code_id, b"twin", "twin", &address, &message, &[])?;
    admin.send(&[made], &TxOptions::default()).await?;

    let user = world.stack.account(AccountName::User)?;
    let operation = Box::new(small_key());
    let query = QueryMsg::Quote { operation: operation.clone(), callback: None };
    let quote: kms_asc_api::Quote = client.smart_query(&address, &query).await?;
    let funds = [kms_chain::Coin::new(quote.price.u128(), quote.denom)];
    let submit = ExecuteMsg::SubmitRequest { operation, ttl: Some(600), callback: None };
    let message = Message::execute(user.address(), &address, &submit, &funds)?;
    let mut left = usize::try_from(last.get())?;
    while left > 0 {
        let some = left.min(20);
        user.send(&vec![message.clone(); some], &TxOptions::default()).await?;
        left -= some;
    }
    Ok(ContractAddress::parse(&address)?)
}

pub async fn a_key_that_is_suspended_or_destroyed_is_not_used(world: &mut World) -> Result<()> {
    let key = world.user.ask(&["keygen", "--insecure-test-parameters"]).await?;
    let encrypt = ["encrypt", "--key", &key, "--type", "uint8", "--value", "9"];
    let reference = world.user.ask(&encrypt).await?;
    let thief = thief(world).await?;
    let mut bodies = Vec::new();
    for ttl in ["600", "601"] {
        let id = world.user.ask(&["decrypt", "--no-wait", "--ttl", ttl, &reference]).await?;
        bodies.push(thief.body(id.parse()?).await?);
    }
    let id: KeyId = key.parse()?;
    let ciphertext = RequestBody::parse(&bodies[0])?.operation.ciphertexts()[0].digest;
    let ciphertext = vec![stored(world, &ciphertext)?];
    for state in ["suspended", "destroyed"] {
        world.user.ask(&["key", "state", &key, state]).await?;
        for body in &bodies {
            let answer = thief.execute(body, thief.proof(body).await?, ciphertext.clone()).await?;
            let refused = answer.err().with_context(|| format!("a key that is {state} was used"))?;
            expect(state, &refused, "key_state")?;
        }
    }
    // The connector finds it in state, and has the core destroy the key.
    let vault = world.stack.layout().folder("core").join("data/vault");
    let file = vault.join(format!("{:020}.key", id.get()));
    ensure!(file.is_file(), "{} is not there", file.display());
    world.settled().await?;
    eventually("the destruction of the key", || async { Ok((!file.exists()).then_some(())) }).await
}
