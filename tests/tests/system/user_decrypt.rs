//! User decryption: through command line, chain, connector and core, and before the public client that did not come from here.

use std::{fs, path::PathBuf, process::Stdio};

use alloy_primitives::{Address, hex};
use anyhow::{Context, Result, ensure};
use k256::ecdsa::VerifyingKey;
use kms_asc_api::{
    Epoch, KeyRecord, Operation, QueryMsg, RequestId, ResponseView, State, UserDecrypt, signing,
};
use kms_e2e::{Person, World};
use kms_signcrypt::UserKey;
use serde_json::{Value, json};
use tokio::process::Command;

/// A value of each type that the public client knows, as people write it and as the client reads it: hex digits, the most
/// significant first.
const VALUES: [(&str, &str, &str); 9] = [
    ("bool", "true", "01"),
    ("uint4", "9", "09"),
    ("uint8", "201", "c9"),
    ("uint16", "0xcafe", "cafe"),
    ("uint32", "0xdeadbeef", "deadbeef"),
    ("uint64", "0x0123456789abcdef", "0123456789abcdef"),
    ("uint128", "0xdeadbeef00000000000000000000cafe", "deadbeef00000000000000000000cafe"),
    ("address", "0x52908400098527886e0f7030069857d2e4169ee7", "52908400098527886e0f7030069857d2e4169ee7"),
    (
        "uint256",
        "0xfeedface00000000000000000000000000000000000000000000000000000001",
        "feedface00000000000000000000000000000000000000000000000000000001",
    ),
];

pub async fn the_public_npm_client_accepts_raw_values_of_every_type_and_no_forgery(
    world: &mut World,
) -> Result<()> {
    judged_by_the_public_client(world, &[]).await
}

pub async fn the_public_npm_client_accepts_values_from_compressed_lists(world: &mut World) -> Result<()> {
    judged_by_the_public_client(world, &["--compressed"]).await
}

async fn judged_by_the_public_client(world: &World, form: &[&str]) -> Result<()> {
    let values = VALUES.map(|(fhe_type, value, _)| format!("{fhe_type}:{value}"));
    let key = world.quick_key().await?;
    let references = world.encrypt_all(key, form, &values.each_ref().map(String::as_str)).await?;
    let id = unread(world, &references).await?;
    let (asked, seed) = kept_key(world, id).await?;
    let case = case(world, id, &asked, &UserKey::from_seed(&seed)).await?;
    let verdict = public_client(world, &case).await?;
    ensure!(verdict["accepted"] == VALUES.len(), "{verdict}");
    for forgery in ["flipped bit", "another user", "another key", "another domain"] {
        ensure!(verdict["refused"][forgery].as_u64().is_some_and(|tried| tried > 0), "{forgery}: {verdict}");
    }

    // The command line reads the same answer, once.
    let resume = ["user-decrypt", "--resume", &id.to_string()];
    let report = world.user.json(&resume).await?;
    ensure!(report["responses"][0]["verified"] == true, "{report}");
    let shown = report["values"].as_array().context("no values")?;
    ensure!(shown.len() == VALUES.len() && shown[3]["value"] == "51966", "{report}");
    world.user.run(&resume).await?.expect(3).map(drop)
}

/// A request whose answer is on the chain and was read by nobody.
async fn unread(world: &World, references: &[String]) -> Result<RequestId> {
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    let id = world.user.ask(&[&["user-decrypt"], references.as_slice(), &["--no-wait"]].concat()).await?;
    let id = RequestId(id.parse()?);
    let view = world.finished(id).await?;
    ensure!(view.state == State::Fulfilled, "{view:?}");
    Ok(id)
}

/// What a request asked for, and the secret that the command line keeps until the answer is read.
async fn kept_key(world: &World, id: RequestId) -> Result<(UserDecrypt, [u8; 64])> {
    let view = world.request(id).await?;
    let Operation::UserDecrypt(asked) = view.body.operation else { anyhow::bail!("{view:?}") };
    for entry in fs::read_dir(key_folder(world))? {
        let content: Value = serde_json::from_slice(&fs::read(entry?.path())?)?;
        if content["request"] == serde_json::to_value(&asked)? {
            let seed = hex::decode(content["seed"].as_str().context("no seed")?)?;
            return Ok((asked, seed.try_into().ok().context("no seed of 64 bytes")?));
        }
    }
    anyhow::bail!("no key is kept for request {id}")
}

fn key_folder(world: &World) -> PathBuf {
    world.user.wallet.with_file_name("user-keys")
}

fn checksummed(address: &kms_asc_api::EvmAddress) -> String {
    Address::from(*address.as_bytes()).to_checksum(None)
}

/// The request and the answer that is in contract state, in the form of `tests/node-tkms/vector.json`.
async fn case(world: &World, id: RequestId, asked: &UserDecrypt, key: &UserKey) -> Result<Value> {
    let record: KeyRecord = world.query(&QueryMsg::Key { id: asked.key_id }).await?;
    let epoch: Epoch = world.query(&QueryMsg::Epoch { id: None }).await?;
    let responses: Vec<ResponseView> = world.query(&QueryMsg::Responses { request_id: id }).await?;
    let [response] = responses.as_slice() else { anyhow::bail!("{responses:?}") };
    let signer = epoch.party(response.party).context("no such party")?.signer;
    let signer = signing::address(&VerifyingKey::from_sec1_bytes(signer.as_bytes())?);
    let domain = &record.domain;
    let handles = asked.ciphertexts.iter().map(|ciphertext| hex::encode(ciphertext.handle.as_bytes()));
    let values = VALUES.iter().zip(&asked.ciphertexts);
    let values = values
        .map(|((.., value), ciphertext)| json!({"fhe_type": ciphertext.fhe_type.number(), "value": value}));
    Ok(json!({
        "signer": checksummed(&signer),
        "user": checksummed(&asked.user),
        "enc_key": hex::encode(&asked.enc_key),
        "secret_key": hex::encode(key.expanded().as_slice()),
        "handles": handles.collect::<Vec<_>>(),
        "domain": {
            "name": domain.name,
            "version": domain.version,
            "chain_id": domain.chain_id.to_string(),
            "verifying_contract": checksummed(&domain.verifying_contract),
            "salt": null,
        },
        "response": {
            "signature": hex::encode(response.external_signature.context("no external signature")?.as_bytes()),
            "payload": hex::encode(response.payload.as_ref().context("no payload")?),
            "extra_data": hex::encode(&asked.extra_data),
        },
        "values": values.collect::<Vec<_>>(),
    }))
}

/// Has `node-tkms` judge a case; gives what it tried.
async fn public_client(world: &World, case: &Value) -> Result<Value> {
    let file = world.stack.layout().secret("node-tkms-case");
    fs::write(&file, serde_json::to_vec(case)?)?;
    let check: PathBuf = [env!("CARGO_MANIFEST_DIR"), "node-tkms", "check.js"].iter().collect();
    let command = Command::new("node").arg(check).arg(&file).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = command.await.context("cannot run node")?;
    fs::remove_file(&file)?;
    ensure!(
        output.status.success(),
        "the public client refused, or scripts/build-node-tkms.sh has not installed it: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

pub async fn a_value_of_any_width_is_shown_to_its_user_and_to_nobody_else(world: &mut World) -> Result<()> {
    let greatest =
        "179769313486231590772930519078902473361797697894230657273430081157732675805500963132708477322";
    let values = [format!("uint512:{greatest}"), format!("uint1024:{greatest}"), "uint2048:7".to_owned()];
    let key = world.quick_key().await?;
    let values = values.each_ref().map(String::as_str);
    let references = world.encrypt_all(key, &["--compressed"], &values).await?;
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    // The wallet that pays has the grant; the user is another, who has no account here at all.
    let user = world.stack.layout().secret("ethereum");
    let wallet = user.to_str().context("no text")?;
    if !user.exists() {
        world.user.ask(&["wallet", "new", wallet]).await?;
    }
    let shown =
        world.user.ask(&[&["user-decrypt"], references.as_slice(), &["--user", wallet]].concat()).await?;
    ensure!(shown.lines().collect::<Vec<_>>() == [greatest, greatest, "7"], "{shown}");
    ensure!(fs::read_dir(key_folder(world))?.count() == 0, "a key is kept though its answer was read");
    // To everybody, where the key's owner asks for that.
    let shown = world.user.ask(&[&["decrypt"], references.as_slice()].concat()).await?;
    ensure!(shown.lines().collect::<Vec<_>>() == [greatest, greatest, "7"], "{shown}");

    let id = unread(world, &[references[2].to_owned()]).await?.to_string();
    // Whose machine has not the key reads nothing, and a request for everybody has no user.
    let elsewhere = tempfile::tempdir()?;
    let wallet = elsewhere.path().join("stranger.key");
    fs::copy(&world.stranger.wallet, &wallet)?;
    let stranger = Person { wallet, ..world.stranger.clone() };
    stranger.run(&["user-decrypt", "--resume", &id]).await?.expect(3)?;
    world.user.ask(&["user-decrypt", "--resume", &id]).await.map(drop)
}

pub async fn a_stranger_gets_no_unproven_value_encrypted_to_himself(world: &mut World) -> Result<()> {
    let reference = world.encrypt("uint8:9").await?;
    let refused = world.stranger.run(&["user-decrypt", &reference]).await?.expect(4)?;
    ensure!(refused.stdout.contains("denied: permission"), "{refused:?}");
    Ok(())
}
