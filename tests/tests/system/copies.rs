//! Keys and reference strings that another core made, and a key that the next epoch takes over: by real cores, on chains of
//! their own.

use std::{fs, path::Path, process::Stdio};

use anyhow::{Context, Result, ensure};
use kms_asc_api::{CrsRecord, Digest, Epoch, EpochId, ExecuteMsg, KeyRecord, KeyType, QueryMsg};
use kms_e2e::{Deployment, Person, World};
use kms_localnet::{AccountName, Programs, Stack};
use tokio::process::{Child, Command};

/// A chain of its own with core and connector, and somebody who uses it.
struct Place {
    chain: Deployment,
    user: Person,
}

impl Place {
    async fn begin(world: &World, mut chain: Deployment) -> Result<Self> {
        let stack = &mut chain.stack;
        stack.start_core().await?;
        stack.start_connector().await?;
        stack.operator_ready().await?;
        let user = Person {
            program: world.user.program.clone(),
            config: stack.layout().client(),
            wallet: stack.layout().secret(AccountName::User.as_str()),
        };
        Ok(Self { chain, user })
    }

    /// A value comes back that is encrypted under a key.
    async fn works(&self, key: &str) -> Result<()> {
        let encrypt = ["encrypt", "--key", key, "--type", "uint16", "--value", "4711"];
        let reference = self.user.ask(&encrypt).await?;
        let shown = self.user.ask(&["decrypt", &reference]).await?;
        ensure!(shown == "4711", "{shown}");
        Ok(())
    }
}

/// Runs `kms-core` on a stack's own files.
async fn core(stack: &Stack, arguments: &[&str]) -> Result<()> {
    let program = Programs::of_this_build()?.program("kms-core")?;
    let config = stack.layout().folder("core").join("kms-core.toml");
    let output = Command::new(program).arg("--config").arg(config).args(arguments).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "kms-core {}: {said}", arguments.join(" "));
    Ok(())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}

/// Published material travels as any file does.
fn copy_published(from: &Stack, to: &Stack, digests: &[Digest]) -> Result<()> {
    let folder = |stack: &Stack| stack.layout().store().join("public");
    fs::create_dir_all(folder(to))?;
    for digest in digests {
        let name = digest.to_hex().trim_start_matches("0x").to_owned();
        fs::copy(folder(from).join(&name), folder(to).join(&name)).with_context(|| format!("{digest}"))?;
    }
    Ok(())
}

pub async fn a_key_and_a_string_that_another_core_made_are_imported_and_work(
    world: &mut World,
) -> Result<()> {
    let made = world.user.ask(&["keygen", "--insecure-test-parameters"]).await?;
    let key: KeyRecord = world.query(&QueryMsg::Key { id: made.parse()? }).await?;
    let string: CrsRecord = world.query(&QueryMsg::Crs { id: world.reference_string().await? }).await?;
    let mut taker = Place::begin(world, Deployment::begin("taker").await?).await?;
    let folder = tempfile::tempdir()?;
    let certificate = |stack: &Stack| stack.layout().certificates().join("core.pem");
    let (copy, ours, theirs) =
        (folder.path().join("copy"), certificate(&world.stack), certificate(&taker.chain.stack));
    core(&world.stack, &["export", "--key", &made, "--to", text(&theirs)?, text(&copy)?]).await?;

    // On record first, so that the copy is held for this request alone.
    let part = |key_type| key.digests.iter().find(|part| part.key_type == key_type).map(|part| part.digest);
    let (server, public) =
        (part(KeyType::Server).context("server")?, part(KeyType::Public).context("public")?);
    let (server_hex, public_hex) = (server.to_hex(), public.to_hex());
    let import = ["key", "import", "--server", &server_hex, "--public", &public_hex];
    let import = [&import[..], &["--insecure-test-parameters", "--no-wait"]].concat();
    let id = asked(&taker, &import).await?;
    let owner = taker.chain.stack.account(AccountName::User)?.address().to_owned();
    let stage = ["stage", text(&copy)?, "--from", text(&ours)?, "--owner", &owner, "--request", &id];
    core(&taker.chain.stack, &stage).await?;
    finished(&taker, &id).await?;
    copy_published(&world.stack, &taker.chain.stack, &[server, public])?;
    let imported: KeyRecord = taker.chain.query(&QueryMsg::Key { id: id.parse()? }).await?;
    ensure!(imported.imported && imported.digests == key.digests, "{imported:?}");
    taker.works(&id).await?;

    let (digest, bits) = (string.digest.to_hex(), string.max_bits.to_string());
    let import = ["crs", "import", "--max-bits", &bits, "--digest", &digest, "--no-wait"];
    let id = asked(&taker, &import).await?;
    let bytes = world.stack.layout().store().join("public").join(digest.trim_start_matches("0x"));
    let stage = ["stage-crs", text(&bytes)?, "--max-bits", &bits, "--owner", &owner, "--request", &id];
    core(&taker.chain.stack, &stage).await?;
    finished(&taker, &id).await?;
    taker.user.ask(&["crs", "fetch", &id]).await?;
    taker.chain.stack.stop().await
}

/// Puts a request on the chain; its id.
async fn asked(place: &Place, command: &[&str]) -> Result<String> {
    let report = place.user.json(command).await?;
    Ok(report["id"].as_u64().context("no id")?.to_string())
}

/// A request ends fulfilled, and everything about it verifies.
async fn finished(place: &Place, id: &str) -> Result<()> {
    kms_e2e::eventually("the end of the import", || async {
        let report = place.user.json(&["request", "show", id]).await?;
        Ok((report["state"] != "pending").then_some(()))
    })
    .await?;
    let report = place.user.json(&["request", "show", id]).await?;
    ensure!(report["state"] == "fulfilled", "{report}");
    ensure!(report["responses"][0]["verified"] == true, "{report}");
    Ok(())
}

pub async fn a_key_is_taken_over_by_the_next_epoch_and_works_there(world: &mut World) -> Result<()> {
    let chain = Deployment::begin("takeover").await?;
    let second = Epoch { id: EpochId(2), ..chain.epoch().await? };
    chain.agree_to(&second)?;
    let mut place = Place::begin(world, chain).await?;
    let key = place.user.ask(&["keygen", "--insecure-test-parameters"]).await?;
    place.works(&key).await?;

    place.chain.govern(&ExecuteMsg::SetEpoch { epoch: Box::new(second) }).await?;
    // The operator's connector of the first epoch goes, that of the second comes.
    place.chain.stack.kill("connector").await?;
    let _connector = connector_of(&place.chain.stack, 2)?;

    let taken = place.user.ask(&["key", "takeover", &key]).await;
    let log = fs::read_to_string(place.chain.stack.layout().log("second-connector"))?;
    taken.with_context(|| format!("the second connector said:\n{log}"))?;
    let record: KeyRecord = place.chain.query(&QueryMsg::Key { id: key.parse()? }).await?;
    ensure!(record.epoch == EpochId(2), "{record:?}");
    place.works(&key).await?;
    place.chain.stack.stop().await
}

/// A connector for another epoch, from the stack's own file. It ends with the test.
fn connector_of(stack: &Stack, epoch: u32) -> Result<Child> {
    let folder = stack.layout().folder("connector");
    let own = fs::read_to_string(folder.join("kms-connector.toml"))?;
    ensure!(own.contains("epoch = 1\n"), "{own}");
    let path = folder.join("second.toml");
    let own = own.replace("epoch = 1\n", &format!("epoch = {epoch}\n"));
    // What one connector knows of its epoch is of no use to the other.
    fs::write(&path, own.replace("data = \"data\"", "data = \"second\""))?;
    let program = Programs::of_this_build()?.program("kms-connector")?;
    let log = fs::File::create(stack.layout().log("second-connector"))?;
    let connector = Command::new(program)
        .arg("--config")
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()?;
    Ok(connector)
}
