//! The README's commands: the demonstration, and a stack that stays.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, ensure};
use kms_e2e::{World, eventually};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::process::{Child, Command};

pub async fn the_deployed_code_is_pinned_by_the_chains_governance(world: &mut World) -> Result<()> {
    let client = world.client()?;
    // The first code of the chain; the contract may have migrated since.
    let deployed = client.code_info(1).await?;
    let pinned = world.stack.pins()?.allowed_code;
    ensure!(
        pinned.first() == Some(&cosmwasm_std::HexBinary::from(deployed.checksum).to_hex()),
        "code 1 is not what was deployed: {pinned:?}"
    );
    ensure!(client.is_pinned(deployed.code_id).await?, "code 1 is not pinned");
    ensure!(!client.is_pinned(1_000_000).await?, "a code that there is not is pinned");
    Ok(())
}

pub async fn the_demo_ends_well_and_leaves_nothing_running(world: &mut World) -> Result<()> {
    let child = demo(world)?;
    let folder = folder_of(&child)?;
    let output = child.wait_with_output().await?;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "the demo failed\n{stdout}\n{stderr}");
    for line in ["encrypted  123456789", "decrypted  123456789", "All of it held"] {
        ensure!(stdout.contains(line), "the demo does not say {line:?}\n{stdout}");
    }
    ensure!(!folder.exists(), "{} is still there", folder.display());
    ensure!(processes_in(&folder)?.is_empty(), "something is still running: {:?}", processes_in(&folder)?);
    Ok(())
}

/// By Ctrl-C while it makes its chain, and by whoever ends programs while that runs.
pub async fn an_interrupted_demo_leaves_nothing_running(world: &mut World) -> Result<()> {
    for (signal, at) in [(Signal::SIGINT, " --home "), (Signal::SIGTERM, " start --home ")] {
        let child = demo(world)?;
        let folder = folder_of(&child)?;
        eventually(at, || async {
            Ok(processes_in(&folder)?.iter().any(|words| words.contains(at)).then_some(()))
        })
        .await?;
        let pid = child.id().context("the demo has ended")?;
        kill(Pid::from_raw(pid.try_into()?), signal)?;
        let output = child.wait_with_output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(!output.status.success() && said.contains("interrupted"), "{signal}: {said}");
        eventually("the end of what it started", || async {
            Ok(processes_in(&folder)?.is_empty().then_some(()))
        })
        .await?;
        // For whoever wants to know why; not this test.
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// The demonstration at work.
fn demo(world: &World) -> Result<Child> {
    let mut command = Command::new(world.programs.program("xtask")?);
    command.args(["demo", "--value", "123456789", "--type", "uint64"]);
    Ok(command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?)
}

/// Where its stack lies.
fn folder_of(demo: &Child) -> Result<PathBuf> {
    Ok(stacks().join(format!("demo-{}", demo.id().context("the demo has ended")?)))
}

/// Where stacks lie that are begun by hand.
fn stacks() -> PathBuf {
    repository().join(".localnet")
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The command lines of all processes that were told of a stack's folder.
fn processes_in(folder: &Path) -> Result<Vec<String>> {
    let name = folder.file_name().and_then(|name| name.to_str()).context("no name")?;
    let part = format!("/.localnet/{name}/");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        // A process may end while it is looked at.
        let Ok(words) = fs::read(entry?.path().join("cmdline")) else { continue };
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        if words.contains(&part) {
            found.push(words);
        }
    }
    Ok(found)
}

/// `make up STACK=name` and what belongs to it, as `make` runs them.
pub async fn a_second_stack_stays_until_it_is_taken_down_and_is_found_again(world: &mut World) -> Result<()> {
    let name = format!("test-{}", std::process::id());
    let folder = stacks().join(&name);
    let xtask = world.programs.program("xtask")?;
    let stack = async |command: &str| -> Result<String> {
        let output = Command::new(&xtask).args([command, &name]).output().await?;
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "{command}: {said}");
        Ok(said)
    };
    let kms = async |arguments: &[&str]| -> Result<std::process::Output> {
        let mut command = Command::new(repository().join("bin/kms"));
        command.args(arguments).env("STACK", &name).env_remove("KMS_CONFIG").env_remove("KMS_WALLET");
        Ok(command.output().await?)
    };
    let played = async {
        let said = stack("up").await?;
        ensure!(said.contains(&format!("ready: STACK={name} bin/kms")), "{said}");
        let contract = contract_in(&said)?;
        ensure!(contract != world.contract()?, "it has the contract of another stack");
        ensure!(processes_in(&folder)?.len() == 3, "{:?} run", processes_in(&folder)?);
        let status = kms(&["--output", "json", "status"]).await?;
        let status = String::from_utf8(status.stdout)?;
        ensure!(status.contains(&format!("kms-local-{name}")), "{status}");
        // Up again does nothing.
        ensure!(contract_in(&stack("up").await?)? == contract, "another contract");

        stack("down").await?;
        ensure!(processes_in(&folder)?.is_empty(), "{:?} still run", processes_in(&folder)?);
        ensure!(stack("status").await?.contains("nothing of it runs"), "down, and something runs");
        ensure!(contract_in(&stack("up").await?)? == contract, "it forgot its contract");
        ensure!(kms(&["status"]).await?.status.success(), "it does not serve any more");
        Ok(())
    };
    let played = played.await;
    stack("clean").await?;
    played?;
    ensure!(!folder.exists() && processes_in(&folder)?.is_empty(), "something of it is left");
    let refused = kms(&["status"]).await?;
    ensure!(refused.status.code() == Some(3), "of no stack: {refused:?}");
    Ok(())
}

/// The contract's address, as `xtask` says it.
fn contract_in(said: &str) -> Result<String> {
    let line = said.lines().find_map(|line| line.strip_prefix("contract  "));
    Ok(line.with_context(|| format!("no contract: {said}"))?.to_owned())
}

pub async fn no_name_of_a_stack_leads_out_of_the_folder_of_stacks(world: &mut World) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let kept = folder.path().join("kept");
    fs::write(&kept, b"mine")?;
    let elsewhere = folder.path().to_str().context("no text")?;
    for name in ["..", ".", "", "../..", elsewhere] {
        for command in ["clean", "down", "status", "up"] {
            let output =
                Command::new(world.programs.program("xtask")?).args([command, name]).output().await?;
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(
                output.status.code() == Some(2) && said.contains("a stack is named by"),
                "{command} {name}: {said}"
            );
        }
    }
    ensure!(kept.exists() && repository().join("Cargo.toml").exists(), "something was deleted");
    Ok(())
}
