//! The README's first command.

use anyhow::{Result, ensure};
use kms_e2e::World;
use tokio::process::Command;

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
    let output = Command::new(world.programs.program("xtask")?)
        .args(["demo", "--value", "123456789", "--type", "uint64"])
        .kill_on_drop(true)
        .output()
        .await?;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "the demo failed\n{stdout}\n{stderr}");
    ensure!(stdout.contains("123456789"), "the demo does not show the value\n{stdout}");
    Ok(())
}
