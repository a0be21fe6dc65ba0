//! Every message and query of the contract as people type it, on a real chain of its own. Its four operators are
//! played by the scenario: what no core answers yet is answered here.

use std::fs;

use anyhow::{Context, Result, ensure};
use cosmwasm_std::Binary;
use kms_asc_api::{
    Ciphertext, CiphertextFormat, CrsId, Digest, FheType, ItemOutcome, KeyDigest, KeyId, KeyType, Operation,
    PartyId, Provenance, PublicDecrypt, RequestId, UserDecrypt,
    payload::{InputVerdict, encode_key_digests},
};
use kms_chain::{Message, TxOptions};
use kms_e2e::{Bench, Person, World, element, eventually, input, user_decrypt};
use kms_localnet::AccountName;
use serde_json::{Value, json};

const OPERATORS: u32 = 4;
const BLOCK_MAX_GAS: u64 = 60_000_000;

/// A chain whose operators are played here, and people.
struct Play {
    bench: Bench,
    owner: Person,
    stranger: Person,
    admin: Person,
    folder: tempfile::TempDir,
}

impl Play {
    async fn begin(world: &World) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let bench = Box::pin(Bench::begin(&folder.path().join("stack"), OPERATORS, BLOCK_MAX_GAS)).await?;
        let layout = bench.stack.layout();
        let person = |account: AccountName| Person {
            program: world.user.program.clone(),
            config: layout.client(),
            wallet: layout.secret(account.as_str()),
        };
        let (owner, stranger, admin) =
            (person(AccountName::User), person(AccountName::Other), person(AccountName::Admin));
        Ok(Self { bench, owner, stranger, admin, folder })
    }

    /// Has a request made by a command, and answers it.
    async fn answered(&self, person: &Person, command: &[&str], payload: &[u8]) -> Result<RequestId> {
        let report = person.json(&[command, &["--no-wait"]].concat()).await?;
        let id = RequestId(report["id"].as_u64().context("no id")?);
        ensure!(report["state"] == "pending", "{report}");
        self.bench.fulfil(id, payload).await?;
        self.verified(id, "fulfilled").await?;
        Ok(id)
    }

    /// Whether a request is in a state and every answer on record verifies.
    async fn verified(&self, id: RequestId, state: &str) -> Result<Value> {
        let report = self.stranger.json(&["request", "show", &id.to_string()]).await?;
        ensure!(report["state"] == state, "{report}");
        let answers = report["responses"].as_array().context("no list of responses")?;
        ensure!(answers.iter().all(|answer| answer["verified"] == true), "{report}");
        Ok(report)
    }

    /// A key of the owner.
    async fn key(&self) -> Result<String> {
        let report = self.owner.json(&["keygen", "--no-wait"]).await?;
        let id = RequestId(report["id"].as_u64().context("no id")?);
        self.bench.fulfil(id, &Bench::key_payload(id)).await?;
        self.verified(id, "fulfilled").await?;
        Ok(id.to_string())
    }

    async fn end(mut self) -> Result<()> {
        self.bench.stack.stop().await
    }
}

/// Sends a message by a command; the log must then have this entry of the sender.
async fn acts(person: &Person, command: &[&str], kind: &str) -> Result<()> {
    let report = person.json(command).await?;
    let kinds: Vec<&Value> =
        report["entries"].as_array().into_iter().flatten().map(|entry| &entry["kind"]).collect();
    ensure!(kinds.contains(&&json!(kind)), "{command:?}: {report}");
    Ok(())
}

pub async fn a_keys_owner_does_everything_by_the_command_line(world: &mut World) -> Result<()> {
    let play = Play::begin(world).await?;
    let (owner, stranger) = (&play.owner, &play.stranger);
    let id = play.key().await?;
    let id = id.as_str();
    let friend = play.bench.stranger.address();

    acts(owner, &["key", "grant", id, friend, "--until", "4000000000"], "granted").await?;
    let grants = stranger.json(&["key", "grants", id]).await?;
    ensure!(grants["grants"][0]["grantee"] == friend && grants["grants"][0]["holds"] == true, "{grants}");
    acts(owner, &["key", "revoke", id, friend], "revoked").await?;
    let grants = stranger.json(&["key", "grants", id]).await?;
    ensure!(grants["grants"] == json!([]), "{grants}");

    let attesters =
        ["0x1111111111111111111111111111111111111111", "0x2222222222222222222222222222222222222222"];
    let command = [&["key", "attesters", id, "--threshold", "1"][..], &attesters].concat();
    acts(owner, &command, "attesters_set").await?;
    let string = ["crs", "generate", "--max-bits", "2048"];
    let string = play.answered(stranger, &string, Digest::sha256(b"string").as_bytes()).await?.to_string();
    acts(owner, &["key", "crs", id, &string], "crs_allowed").await?;
    acts(owner, &["key", "state", id, "suspended"], "key_state_set").await?;
    acts(owner, &["key", "state", id, "active"], "key_state_set").await?;
    let shown = stranger.json(&["key", "show", id]).await?;
    ensure!(shown["state"] == "active" && shown["attesters"] == json!(attesters), "{shown}");
    ensure!(
        shown["attester_threshold"] == 1 && shown["crs_ids"] == json!([string.parse::<u64>()?]),
        "{shown}"
    );
    let separator = shown["domain"]["separator"].as_str().context("no separator")?;
    let found = stranger.json(&["key", "domain", separator]).await?;
    ensure!(found["id"] == shown["id"], "{found}");

    for command in
        [&["key", "state", id, "suspended"][..], &["key", "grant", id, friend], &["key", "accept", id]]
    {
        stranger.run(command).await?.expect(4)?;
    }
    acts(owner, &["key", "transfer", id, friend], "key_offered").await?;
    acts(stranger, &["key", "accept", id], "key_accepted").await?;
    let shown = owner.json(&["key", "show", id]).await?;
    ensure!(shown["owner"] == friend && shown["generation"] == 2, "{shown}");
    ensure!(shown["attesters"] == json!([]) && shown["crs_ids"] == json!([]), "{shown}");
    owner.run(&["key", "state", id, "suspended"]).await?.expect(4)?;
    play.end().await
}

pub async fn material_from_elsewhere_and_reference_strings_are_put_on_record(
    world: &mut World,
) -> Result<()> {
    let play = Play::begin(world).await?;
    let part = |key_type, text: &str| KeyDigest { key_type, digest: Digest::sha256(text.as_bytes()) };
    let parts = [part(KeyType::Server, "server"), part(KeyType::Public, "public")];
    let [server, public] = parts.map(|part| part.digest.to_hex());
    let import = ["key", "import", "--server", &server, "--public", &public];
    let id = play.answered(&play.owner, &import, &encode_key_digests(&parts)).await?;
    let shown = play.stranger.json(&["key", "show", &id.to_string()]).await?;
    ensure!(shown["imported"] == true && shown["digests"][0]["digest"] == server, "{shown}");
    let listed = play.stranger.json(&["key", "list"]).await?;
    ensure!(listed["keys"][0]["id"] == id.get(), "{listed}");
    // The same material again belongs to nobody else.
    play.stranger.run(&import).await?.expect(4)?;

    let digest = Digest::sha256(b"string");
    let import = ["crs", "import", "--max-bits", "64", "--digest", &digest.to_hex()];
    let id = play.answered(&play.stranger, &import, digest.as_bytes()).await?;
    let shown = play.owner.json(&["crs", "show", &id.to_string()]).await?;
    ensure!(shown["imported"] == true && shown["max_bits"] == 64, "{shown}");
    ensure!(shown["digest"] == digest.to_hex(), "{shown}");
    play.end().await
}

pub async fn a_pending_request_is_explained_and_taken_back(world: &mut World) -> Result<()> {
    let play = Play::begin(world).await?;
    let report = play.owner.json(&["keygen", "--no-wait", "--ttl", "600"]).await?;
    let id = report["id"].as_u64().context("no id")?.to_string();
    let request = RequestId(id.parse()?);
    let body = play.bench.body(request).await?;
    let answer = play.bench.operators.answer(&body, PartyId(2), &Bench::key_payload(request))?;
    play.bench.respond(vec![answer], ItemOutcome::Recorded).await?;
    let why = play.stranger.json(&["request", "why", &id]).await?;
    ensure!(why["state"] == "pending" && why["needed"] == 3, "{why}");
    let standing = |party: usize| why["parties"][party]["standing"].clone();
    ensure!(standing(1) == "answered" && standing(0) == "silent", "{why}");
    ensure!(why["seconds_left"].as_u64().is_some_and(|left| left > 300), "{why}");

    play.stranger.run(&["request", "cancel", &id]).await?.expect(4)?;
    acts(&play.owner, &["request", "cancel", &id], "cancel_requested").await?;
    play.owner.run(&["request", "close", &id]).await?.expect(4)?;
    eventually("the end of the cancelled request", || async {
        let why = play.stranger.json(&["request", "why", &id]).await?;
        Ok((why["due"] == true).then_some(()))
    })
    .await?;
    play.stranger.ask(&["request", "close", &id]).await?;
    let shown = play.verified(request, "cancelled").await?;
    ensure!(shown["settlement"]["refund"] == shown["price"], "{shown}");
    let listed = play.owner.json(&["request", "list", "--state", "cancelled", "--mine"]).await?;
    ensure!(listed.to_string().contains(&format!("\"id\":{id}")), "{listed}");
    play.end().await
}

pub async fn an_operators_record_is_read_from_the_log(world: &mut World) -> Result<()> {
    let play = Play::begin(world).await?;
    play.key().await?;
    let late = RequestId(play.owner.json(&["keygen", "--no-wait"]).await?["id"].as_u64().context("no id")?);
    play.bench.fulfil(late, &Bench::key_payload(late)).await?;
    let body = play.bench.body(late).await?;
    let answer = play.bench.operators.answer(&body, PartyId(4), &Bench::key_payload(late))?;
    play.bench.respond(vec![answer], ItemOutcome::Late).await?;

    let told = play.stranger.json(&["operator"]).await?;
    let record = |party: usize| {
        let record = &told["operators"][party - 1];
        ["answered", "late", "failed", "missed"].map(|count| record[count].as_u64())
    };
    ensure!(record(1) == [Some(2), Some(0), Some(0), Some(0)], "{told}");
    ensure!(record(4) == [Some(0), Some(1), Some(0), Some(1)], "{told}");
    let one = play.stranger.json(&["operator", "--epoch", "1", "--party", "4"]).await?;
    ensure!(one["operators"].as_array().is_some_and(|all| all.len() == 1), "{one}");
    play.stranger.run(&["operator", "--epoch", "9"]).await?.expect(3)?;
    play.end().await
}

pub async fn the_admin_governs_by_the_command_line(world: &mut World) -> Result<()> {
    let play = Play::begin(world).await?;
    let admin = &play.admin;
    let key = play.key().await?;
    let file = |name: &str| play.folder.path().join(name).to_string_lossy().into_owned();

    let mut config = admin.json(&["admin", "config"]).await?;
    config["ttl_default"] = json!(61);
    fs::write(file("config.json"), config.to_string())?;
    acts(admin, &["admin", "set-config", &file("config.json")], "config_set").await?;
    ensure!(admin.json(&["admin", "config"]).await? == config, "other parameters than were set");

    let contract = "0x1111111111111111111111111111111111111111";
    let domain = ["--name", "Decryption", "--chain-id", "1", "--verifying-contract", contract];
    let command = [&["admin", "register-domain", &key][..], &domain].concat();
    acts(admin, &command, "domain_registered").await?;
    acts(admin, &["admin", "pause"], "paused").await?;
    let refused = play.owner.run(&["keygen"]).await?.expect(4)?;
    ensure!(refused.stderr.contains("[paused]"), "{refused:?}");
    acts(admin, &["admin", "unpause"], "unpaused").await?;
    acts(admin, &["admin", "withdraw-treasury", "1"], "treasury_withdrawn").await?;
    play.bench.transfer(&play.bench.owner, &play.bench.operators.contract, 5).await?;
    let denom = play.bench.stack.network().denom.clone();
    acts(admin, &["admin", "sweep-surplus", &denom], "surplus_swept").await?;

    let mut epoch = admin.json(&["epoch", "show"]).await?;
    epoch["id"] = json!(2);
    fs::write(file("epoch.json"), epoch.to_string())?;
    acts(admin, &["admin", "set-epoch", &file("epoch.json")], "epoch_set").await?;
    acts(admin, &["admin", "revoke-epoch", "1"], "epoch_revoked").await?;
    let epochs = play.stranger.json(&["epoch", "list"]).await?;
    ensure!(epochs["epochs"][0]["revoked_at"].is_u64() && epochs["epochs"][1]["id"] == 2, "{epochs}");

    let wasm = fs::read(world.programs.contract()?)?;
    let store = Message::store_code(play.bench.admin.address(), &wasm)?;
    let stored = play.bench.admin.send(&[store], &TxOptions::default()).await?;
    let (code_id, checksum) = stored.stored_code(0)?;
    let (code_id, checksum) = (code_id.to_string(), Digest::new(checksum).to_hex());
    let command = ["admin", "schedule-migration", &code_id, &checksum];
    acts(admin, &command, "migration_scheduled").await?;
    ensure!(play.stranger.json(&["admin", "show"]).await?["migration"].is_object(), "nothing is announced");
    acts(admin, &["admin", "migrate-now"], "migration_started").await?;

    let heir = play.bench.stranger.address();
    acts(admin, &["admin", "propose", heir], "admin_proposed").await?;
    acts(&play.stranger, &["admin", "accept"], "admin_accepted").await?;
    ensure!(admin.json(&["admin", "show"]).await?["admin"] == heir, "the office did not pass");
    for command in
        [&["admin", "pause"][..], &["admin", "withdraw-treasury", "1"], &["admin", "revoke-epoch", "2"]]
    {
        admin.run(command).await?.expect(4)?;
    }
    play.end().await
}

pub async fn inputs_and_decryptions_for_users_are_answered_and_verify(world: &mut World) -> Result<()> {
    let play = Play::begin(world).await?;
    let bench = &play.bench;
    let key_id: KeyId = play.key().await?.parse()?;
    let string = ["crs", "generate", "--max-bits", "2048"];
    let string = play.answered(&play.owner, &string, Digest::sha256(b"string").as_bytes()).await?;
    acts(&play.owner, &["key", "crs", &key_id.to_string(), &string.to_string()], "crs_allowed").await?;

    let input = input(key_id, CrsId::from(string))?;
    let (refused, _) = bench.submit(&bench.stranger, Operation::VerifyInput(input.clone()), None).await?;
    bench.fulfil(refused, &InputVerdict::Refused.encode()).await?;
    play.verified(refused, "fulfilled").await?;
    let (input_id, _) = bench.submit(&bench.stranger, Operation::VerifyInput(input), None).await?;
    bench.fulfil(input_id, &InputVerdict::Accepted(vec![element(0)]).encode()).await?;
    play.verified(input_id, "fulfilled").await?;

    let of = |request_id| vec![element_of(request_id)];
    let op = user_decrypt(bench, key_id, of(input_id)).await?;
    // Whoever sends it: the user's own input needs no grant.
    let (id, _) = bench.submit(&bench.stranger, Operation::UserDecrypt(op.clone()), None).await?;
    let body = bench.body(id).await?;
    for party in (1..=bench.majority()).map(PartyId) {
        let payload = bench.operators.user_payload(&body, party)?;
        let answer = bench.operators.answer(&body, party, &payload)?;
        bench.respond(vec![answer], ItemOutcome::Recorded).await?;
    }
    play.verified(id, "fulfilled").await?;

    let denied = [
        (Operation::UserDecrypt(UserDecrypt { ciphertexts: of(refused), ..op.clone() }), "provenance"),
        (Operation::UserDecrypt(UserDecrypt { valid_days: 2, ..op }), "user_signature"),
        (public(key_id, of(input_id)), "permission"),
        (public(key_id, of(refused)), "provenance"),
    ];
    for (operation, reason) in denied {
        let (id, _) = bench.submit(&bench.stranger, operation, None).await?;
        let shown = play.verified(id, "denied").await?;
        ensure!(shown["settlement"]["reason"] == reason, "{shown}");
    }
    play.end().await
}

fn public(key_id: KeyId, ciphertexts: Vec<Ciphertext>) -> Operation {
    Operation::PublicDecrypt(PublicDecrypt {
        key_id,
        ciphertexts,
        domain: None,
        extra_data: Binary::default(),
    })
}

fn element_of(request_id: RequestId) -> Ciphertext {
    Ciphertext {
        handle: element(0),
        digest: Digest::sha256(b"input"),
        size: 20_000,
        fhe_type: FheType::Uint8,
        format: CiphertextFormat::Compact,
        index: 0,
        provenance: Provenance::Verified { request_id },
    }
}
