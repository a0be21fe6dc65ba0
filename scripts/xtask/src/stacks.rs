//! Stacks that are left running, each in `.localnet/NAME` of this repository.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use anyhow::{Context, Result};
use kms_localnet::{Lifetime, Stack, StackOptions};

/// Starts a stack, made first if there is none.
pub(crate) async fn up(name: &str) -> Result<()> {
    let started = Instant::now();
    let folder = folder(name)?;
    let mut stack = if folder.join("network.toml").exists() {
        Stack::open(&folder, options(started))?
    } else {
        Stack::create(&folder, name, options(started)).await?
    };
    stack.up().await?;
    drop(stack);
    status(name)?;
    let prefix = if name == "default" { String::new() } else { format!("STACK={name} ") };
    println!("ready: {prefix}bin/kms --help");
    Ok(())
}

/// Stops a stack.
pub(crate) async fn down(name: &str) -> Result<()> {
    Stack::open(&folder(name)?, options(Instant::now()))?.stop().await
}

/// Says what runs of a stack.
pub(crate) fn status(name: &str) -> Result<()> {
    let (network, processes) = Stack::look(&folder(name)?)?;
    println!("chain     {}", network.chain_id);
    println!("node      {}", network.rpc_url);
    println!("contract  {}", network.contract.as_deref().unwrap_or("not deployed"));
    println!("core      {}", network.core_url);
    println!("store     {}", network.store_url);
    for process in &processes {
        let state =
            process.pid.map_or("ended by itself, see its log".to_owned(), |pid| format!("process {pid}"));
        println!("{:<9} {state}", process.name);
    }
    if processes.is_empty() {
        println!("nothing of it runs");
    }
    Ok(())
}

/// Stops a stack and deletes it. One that does not exist is no error.
pub(crate) async fn clean(name: &str) -> Result<()> {
    let folder = folder(name)?;
    if folder.join("network.toml").exists() {
        return Stack::open(&folder, options(Instant::now()))?.destroy().await;
    }
    match std::fs::remove_dir_all(&folder) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("there is no stack {name}: nothing to delete");
            Ok(())
        }
        Err(error) => Err(error).with_context(|| format!("cannot delete {}", folder.display())),
    }
}

fn options(started: Instant) -> StackOptions {
    StackOptions { report: report(started), ..StackOptions::new(Lifetime::Detached) }
}

/// Tells people what is being done, with the time since the start.
pub(crate) fn report(started: Instant) -> Arc<dyn Fn(&str) + Send + Sync> {
    Arc::new(move |what| eprintln!("{:>5.1} s  {what}", started.elapsed().as_secs_f32()))
}

/// Where the stack of that name lies.
pub(crate) fn folder(name: &str) -> Result<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    Ok(repository.context("the repository has no folder")?.join(".localnet").join(name))
}
