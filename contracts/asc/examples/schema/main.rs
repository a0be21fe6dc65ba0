//! Writes the JSON schemas of the contract anew: `scripts/build-client.sh --generate` runs it.

#![allow(clippy::expect_used)]

mod files;

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(folder.join("raw"))?;
    for (name, text) in files::files() {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}
