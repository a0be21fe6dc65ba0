//! Every operation but the user's decryption, through command line, chain, connector and core.

use std::{collections::BTreeSet, fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use kms_asc_api::eip712::KeyDestruction;
use kms_asc_api::{
    Ciphertext, CiphertextFormat, CrsRecord, Digest, Epoch, EpochId, EvmAddress, ExecuteMsg, FheType, Handle,
    KeyId, KeyParams, KeyRecord, KeyState, Operation, PartyId, Provenance, PublicDecrypt, QueryMsg, Quote,
    RequestId, ResponseView, Signature, State, SubmitRequestData, VerifyInput, payload::InputVerdict,
    signing,
};
use kms_chain::{Coin, TxOptions};
use kms_e2e::{Person, World, eventually};
use kms_localnet::AccountName;
use serde::Deserialize;

const WALLET: &str = "0x52908400098527886E0F7030069857D2E4169EE7";
/// What an input is of.
const INPUT: [&str; 2] = ["bool:true", "uint32:4000000000"];

fn person(world: &World, account: AccountName) -> Person {
    Person { wallet: world.stack.layout().secret(account.as_str()), ..world.user.clone() }
}

async fn key_record(world: &World, id: KeyId) -> Result<KeyRecord> {
    world.query(&QueryMsg::Key { id }).await
}

pub async fn a_key_with_test_parameters_is_marked_and_works(world: &mut World) -> Result<()> {
    let id: KeyId = world.user.ask(&["keygen", "--insecure-test-parameters"]).await?.parse()?;
    let record = key_record(world, id).await?;
    ensure!((record.params, record.imported) == (KeyParams::Test, false), "{record:?}");
    let shown = world.user.ask(&["key", "show", &id.to_string()]).await?;
    ensure!(shown.contains("test"), "{shown}");
    let key = id.to_string();
    let reference = world.user.ask(&["encrypt", "--key", &key, "--type", "uint64", "--value", "42"]).await?;
    ensure!(world.user.ask(&["decrypt", &reference]).await? == "42", "another value");
    Ok(())
}

pub async fn values_of_several_types_come_back_from_one_compressed_list(world: &mut World) -> Result<()> {
    let all = [
        ("bool", vec!["true".to_owned(), "false".to_owned()]),
        ("uint8", (0..20).map(|value| (value * 13).to_string()).collect()),
        ("uint64", vec![u64::MAX.to_string(), "0".to_owned()]),
        ("address", vec![WALLET.to_owned()]),
        ("uint512", vec![format!("{}7", "9".repeat(150))]),
    ];
    let typed = all.iter().flat_map(|(of, values)| values.iter().map(move |value| format!("{of}:{value}")));
    let typed: Vec<String> = typed.collect();
    let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
    let references = world.encrypt_all(world.key, &["--compressed"], &typed).await?;
    let mut references = references.iter().map(String::as_str);
    for (fhe_type, values) in all {
        // In another order than they are stored in.
        let mut asked: Vec<&str> = references.by_ref().take(values.len()).collect();
        asked.reverse();
        let shown = world.user.ask(&[&["decrypt"], asked.as_slice()].concat()).await?;
        let mut shown: Vec<&str> = shown.lines().collect();
        shown.reverse();
        ensure!(shown == values, "{fhe_type}: {shown:?}, not {values:?}");
    }
    Ok(())
}

pub async fn a_reference_string_is_made_and_what_is_fetched_has_its_digest(world: &mut World) -> Result<()> {
    let id = world.reference_string().await?;
    let record: CrsRecord = world.query(&QueryMsg::Crs { id }).await?;
    let id = id.to_string();
    ensure!((record.max_bits, record.imported) == (128, false), "{record:?}");
    let fetched = world.user.json(&["crs", "fetch", &id]).await?;
    ensure!(fetched["digest"] == record.digest.to_hex(), "{fetched}");
    let path = PathBuf::from(fetched["path"].as_str().context("no path")?);
    let good = fs::read(&path)?;

    // A damaged copy is fetched anew; damage in the store is found.
    fs::write(&path, b"damaged")?;
    world.user.ask(&["crs", "fetch", &id]).await?;
    ensure!(fs::read(&path)? == good, "the cache gave a damaged string");
    let name = record.digest.to_hex();
    let stored = world.stack.layout().store().join("public").join(name.trim_start_matches("0x"));
    let mut damaged = good.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&stored, &damaged)?;
    fs::remove_file(&path)?;
    let refused = world.user.run(&["crs", "fetch", &id]).await?.expect(6);
    fs::write(&stored, &good)?;
    refused.map(drop)
}

/// An input of `values` for the application of the other account; gives a REF of each element.
async fn input(world: &World, values: &[&str]) -> Result<Vec<String>> {
    let crs = world.reference_string().await?.to_string();
    let app = world.stack.account(AccountName::Other)?.address().to_owned();
    let form = ["--proven", "--crs", &crs, "--contract", &app, "--user", WALLET];
    world.encrypt_all(world.key, &form, values).await
}

pub async fn a_verified_input_is_decrypted_by_its_application_and_by_no_stranger(
    world: &mut World,
) -> Result<()> {
    let claimed = input(world, &INPUT).await?;
    // Anybody may have it verified, from any of its REFs.
    let stranger = person(world, AccountName::Admin);
    let verified = stranger.json(&["verify-input", &claimed[1]]).await?;
    let elements = verified["elements"].as_array().context("no elements")?;
    ensure!(
        elements.len() == 2 && elements[0]["type"] == "bool" && elements[1]["type"] == "uint32",
        "{verified}"
    );
    let references: Vec<&str> = elements.iter().filter_map(|element| element["ref"].as_str()).collect();

    let app = &world.stranger;
    let shown = app.ask(&["decrypt", references[0], references[1]]).await?;
    ensure!(shown == "true\n4000000000", "{shown}");
    let refused = stranger.run(&["decrypt", references[0]]).await?.expect(4)?;
    ensure!(refused.stdout.contains("denied: permission"), "{}", refused.stdout);
    // Before it was verified it was nobody's input.
    let refused = app.run(&["decrypt", &claimed[0]]).await?.expect(4)?;
    ensure!(refused.stdout.contains("denied: permission"), "{}", refused.stdout);

    let id = verified["request"].as_u64().context("no request")?.to_string();
    let report = world.user.json(&["request", "show", &id]).await?;
    ensure!(report["settlement"]["input"]["elements"] == verified["elements"], "{report}");
    Ok(())
}

pub async fn an_input_under_another_binding_is_answered_to_be_none(world: &mut World) -> Result<()> {
    let claimed = input(world, &INPUT).await?;
    let id: RequestId = world.user.ask(&["verify-input", &claimed[0], "--no-wait"]).await?.parse()?;
    world.fulfilled(&[id]).await?;
    let Operation::VerifyInput(right) = world.request(id).await?.body.operation else {
        anyhow::bail!("no verification")
    };
    let other = EvmAddress::new([0x77; 20]);
    for wrong in [
        VerifyInput { user: other, ..right.clone() },
        VerifyInput { contract: other, ..right.clone() },
        VerifyInput { acl: other, ..right.clone() },
        VerifyInput { chain_id: right.chain_id + 1, ..right.clone() },
    ] {
        let id = world.submit(&[Operation::VerifyInput(wrong)], None).await?[0].request_id;
        world.fulfilled(&[id]).await?;
        let answers: Vec<ResponseView> = world.query(&QueryMsg::Responses { request_id: id }).await?;
        let answer = answers.first().context("no answer")?;
        ensure!(answer.payload.as_deref() == Some(InputVerdict::Refused.encode().as_slice()), "{answer:?}");
        ensure!(answer.external_signature.is_none(), "a refusal has a statement for the outside world");
        let shown = world.user.ask(&["request", "show", &id.to_string()]).await?;
        ensure!(shown.contains("not valid") && !shown.contains("SIGNATURES NOT VALID"), "{shown}");
    }
    Ok(())
}

pub async fn an_input_whose_list_is_missing_fails_and_the_price_comes_back(world: &mut World) -> Result<()> {
    // Of its own, so that it can go.
    let claimed = input(world, &["uint8:1"]).await?;
    let id: RequestId = world.user.ask(&["verify-input", &claimed[0], "--no-wait"]).await?.parse()?;
    world.fulfilled(&[id]).await?;
    let operation = world.request(id).await?.body.operation;
    let Operation::VerifyInput(asked) = &operation else { anyhow::bail!("no verification") };
    let name = asked.digest.to_hex();
    let list = world.stack.layout().store().join("ciphertext").join(name.trim_start_matches("0x"));
    fs::remove_file(list)?;
    let before = world.solvency().await?;
    let id = world.submit(&[operation], Some(8)).await?[0].request_id;
    let request = world.finished(id).await?;
    ensure!(request.reason.as_deref() == Some("ciphertext_unavailable"), "{:?}", request.reason);
    let after = world.solvency().await?;
    ensure!((before.balance, before.escrow) == (after.balance, after.escrow), "not all came back");
    Ok(())
}

#[derive(Deserialize)]
struct Attestation {
    key_id: KeyId,
    record_hash: Digest,
    epoch: EpochId,
    party: PartyId,
    time: u64,
    held: bool,
    signature: Signature,
}

pub async fn a_destroyed_key_is_attested_to_be_gone_and_decrypts_nothing_any_more(
    world: &mut World,
) -> Result<()> {
    let id: KeyId = world.user.ask(&["keygen", "--insecure-test-parameters"]).await?.parse()?;
    let key = id.to_string();
    let reference = world.user.ask(&["encrypt", "--key", &key, "--type", "uint8", "--value", "5"]).await?;
    ensure!(world.user.ask(&["decrypt", &reference]).await? == "5", "another value");
    let data = world.stack.layout().folder("core").join("data");
    let file = data.join("vault").join(format!("{:020}.key", id.get()));
    ensure!(file.is_file(), "{} is not there", file.display());

    world.user.ask(&["key", "state", &key, "suspended"]).await?;
    world.user.ask(&["key", "state", &key, "destroyed"]).await?;
    let refused = world.user.run(&["decrypt", &reference]).await?.expect(4)?;
    ensure!(refused.stdout.contains("denied: key_state"), "{}", refused.stdout);

    let attested = data.join("destroyed").join(format!("{:020}.json", id.get()));
    eventually("the destruction of the key", || async {
        Ok((attested.is_file() && !file.exists()).then_some(()))
    })
    .await?;
    let said: Attestation = serde_json::from_slice(&fs::read(&attested)?)?;
    let record = world
        .client()?
        .raw_state(world.contract()?, &kms_asc_api::state_key::KEY.key(id.get()), None)
        .await?;
    let record = Digest::sha256(&record.value.context("no record of the key")?);
    ensure!((said.key_id, said.held, said.record_hash) == (id, true, record), "another attestation");
    let statement = KeyDestruction {
        chain_id: &world.stack.network().chain_id,
        contract: world.contract()?,
        key_id: id,
        record_hash: said.record_hash,
        epoch: said.epoch,
        party: said.party,
        time: said.time,
        held: said.held,
    };
    let epoch: Epoch = world.query(&QueryMsg::Epoch { id: Some(said.epoch) }).await?;
    let signer = epoch.party(said.party).context("no such party")?.signer;
    ensure!(signing::recover(&statement.signing_hash(), &said.signature)? == signer, "somebody else's");
    ensure!(key_record(world, id).await?.state == KeyState::Destroyed, "the record says something else");
    Ok(())
}

/// Submits an operation as this account, for its price.
async fn submit_as(world: &World, name: AccountName, operation: Operation) -> Result<SubmitRequestData> {
    let account = world.stack.account(name)?;
    let operation = Box::new(operation);
    let quote: Quote = world.query(&QueryMsg::Quote { operation: operation.clone(), callback: None }).await?;
    let message = ExecuteMsg::SubmitRequest { operation, ttl: None, callback: None };
    let funds = [Coin::new(quote.price.u128(), quote.denom)];
    let outcome = account.execute(world.contract()?, &message, &funds, &TxOptions::default()).await?;
    Ok(serde_json::from_slice(&outcome.execute_data(0)?)?)
}

/// Ciphertexts that nobody computed: those of a value, each with one bit of its bytes changed, which is how the key is
/// found out. That this finds it is a test of the engine.
async fn chosen_ciphertexts(world: &World) -> Result<Vec<Ciphertext>> {
    let reference = world.encrypt("uint8:9").await?;
    let Operation::PublicDecrypt(honest) = world.decryption_of(&reference).await? else {
        anyhow::bail!("no decryption")
    };
    let honest = honest.ciphertexts.first().context("no ciphertext")?.clone();
    let store = world.stack.layout().store().join("ciphertext");
    let name = |digest: &Digest| digest.to_hex().trim_start_matches("0x").to_owned();
    let bytes = fs::read(store.join(name(&honest.digest)))?;
    let mut chosen = Vec::new();
    for at in [bytes.len() / 2, bytes.len() / 2 + 8] {
        let mut changed = bytes.clone();
        changed[at] ^= 0x01;
        let digest = Digest::sha256(&changed);
        fs::write(store.join(name(&digest)), &changed)?;
        let mut handle = *digest.as_bytes();
        handle[30] = FheType::Uint8.number();
        chosen.push(Ciphertext { handle: Handle::new(handle), digest, ..honest.clone() });
    }
    Ok(chosen)
}

pub async fn the_attack_that_finds_the_key_is_denied_to_everybody_but_its_owner(
    world: &mut World,
) -> Result<()> {
    let chosen = chosen_ciphertexts(world).await?;
    let claimed = input(world, &INPUT).await?;
    let verified = world.user.json(&["verify-input", &claimed[0]]).await?;
    let input_id = RequestId(verified["request"].as_u64().context("no request")?);
    let attested = Provenance::Attested {
        user: None,
        contract: None,
        valid_until: u64::MAX,
        signatures: vec![Signature::new([27; 65])],
    };
    let cited = Provenance::Verified { request_id: input_id };
    let question = |ciphertext: &Ciphertext, provenance: &Provenance| {
        let format = match provenance {
            Provenance::Verified { .. } => CiphertextFormat::Compact,
            _ => ciphertext.format,
        };
        let ciphertexts = vec![Ciphertext { format, provenance: provenance.clone(), ..ciphertext.clone() }];
        let extra_data = Default::default();
        Operation::PublicDecrypt(PublicDecrypt { key_id: world.key, ciphertexts, domain: None, extra_data })
    };

    let mut reasons = BTreeSet::new();
    for name in [AccountName::Other, AccountName::Admin, AccountName::Operator] {
        for ciphertext in &chosen {
            for provenance in [&Provenance::Unproven, &attested, &cited] {
                let denied = submit_as(world, name, question(ciphertext, provenance)).await?;
                ensure!(denied.state == State::Denied, "{name} was not denied: {denied:?}");
                let request = world.request(denied.request_id).await?;
                ensure!((request.state, request.body.epoch) == (State::Denied, None), "{request:?}");
                reasons.insert(request.reason.context("denied for no reason")?);
                let answers: Vec<ResponseView> =
                    world.query(&QueryMsg::Responses { request_id: denied.request_id }).await?;
                ensure!(answers.is_empty(), "somebody answered a denied request");
            }
        }
    }
    ensure!(reasons == ["permission".to_owned(), "provenance".to_owned()].into(), "{reasons:?}");

    // The owner can: it is his key.
    let mine = submit_as(world, AccountName::User, question(&chosen[0], &Provenance::Unproven)).await?;
    let request = world.finished(mine.request_id).await?;
    ensure!(request.body.epoch.is_some() && request.state != State::Denied, "{request:?}");
    Ok(())
}
