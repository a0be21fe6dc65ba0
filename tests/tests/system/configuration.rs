//! Programs started as operators start them.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use kms_e2e::World;
use tokio::process::Command;

pub async fn an_unknown_field_stops_every_program_and_is_named(world: &mut World) -> Result<()> {
    let layout = world.stack.layout();
    for (program, file) in [
        ("kms-core", layout.folder("core").join("kms-core.toml")),
        ("kms-connector", layout.folder("connector").join("kms-connector.toml")),
        ("kms", layout.client()),
    ] {
        // Beside the real one, so that relative paths mean the same.
        let copy = file.with_extension("unknown-field.toml");
        fs::write(&copy, format!("polling_intervall = 7\n{}", fs::read_to_string(&file)?))?;
        let status_command: &[&str] = if program == "kms" { &["status"] } else { &[] };
        let output = Command::new(world.programs.program(program)?)
            .arg("--config")
            .arg(&copy)
            .args(status_command)
            .kill_on_drop(true)
            .output()
            .await?;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(!output.status.success(), "{program} started with an unknown field");
        ensure!(stderr.contains("polling_intervall"), "{program} does not name the field: {stderr}");
        ensure!(stderr.contains(file_name(&copy)?), "{program} does not name the file: {stderr}");
    }
    Ok(())
}

fn file_name(path: &Path) -> Result<&str> {
    path.file_name().and_then(|name| name.to_str()).context("the file has no name")
}

pub async fn the_shipped_connector_has_no_failpoints(world: &mut World) -> Result<()> {
    let traces = |program: &str| -> Result<bool> {
        let bytes = fs::read(world.programs.program(program)?)?;
        let needle = b"KMS_CRASH_AT";
        Ok(bytes.windows(needle.len()).any(|window| window == needle))
    };
    ensure!(traces("kms-connector-failpoints")?, "the check finds nothing where there is something");
    ensure!(!traces("kms-connector")?, "the shipped connector knows how to crash");

    let reference = world.encrypt("uint8:9").await?;
    world.stack.kill("connector").await?;
    let shipped = world.programs.program("kms-connector")?;
    let armed = [("KMS_CRASH_AT", "core_asked"), ("FAILPOINTS", "core_asked=panic;tx_sent=panic")];
    world.stack.start_connector_as(shipped, &armed).await?;
    let id = world.ask_for(&[&reference]).await?;
    world.fulfilled(&[id]).await?;
    ensure!(world.runs("connector")?, "the shipped connector died at a failpoint");
    Ok(())
}

pub async fn a_file_that_the_connectors_configuration_names_and_that_is_not_there_is_found_by_check(
    world: &mut World,
) -> Result<()> {
    let own = world.stack.layout().folder("connector").join("kms-connector.toml");
    let text = fs::read_to_string(&own)?;
    let check = async |text: &str| -> Result<std::process::Output> {
        // Beside the other, so that what is relative to it is found.
        let file = own.with_file_name("checked.toml");
        fs::write(&file, text)?;
        let program = world.programs.program("kms-connector")?;
        Ok(Command::new(program).arg("--config").arg(&file).arg("check").output().await?)
    };
    let good = check(&text).await?;
    ensure!(good.status.success(), "{good:?}");
    for (named, absent) in
        [("operator-1.key", "nobody.key"), ("connector.pem", "nobody.pem"), ("ca.pem", "none.pem")]
    {
        ensure!(text.contains(named), "{text}");
        let refused = check(&text.replace(named, absent)).await?;
        let said = String::from_utf8_lossy(&refused.stderr);
        ensure!(refused.status.code() == Some(1) && said.contains(absent), "{named}: {said}");
    }
    Ok(())
}
