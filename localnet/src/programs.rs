//! The executables of a stack.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Where the executables lie.
#[derive(Clone, Debug)]
pub struct Programs {
    repository: PathBuf,
    folder: PathBuf,
}

impl Programs {
    /// Those of this repository, built in the same way as the program that asks.
    ///
    /// # Errors
    /// If the running program does not lie in a cargo target folder.
    pub fn of_this_build() -> Result<Self> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("the crate's folder has no parent")?
            .to_owned();
        let running = std::env::current_exe().context("cannot tell which program is running")?;
        // Tests and examples run from a folder below the one of the programs.
        let folder = running
            .ancestors()
            .skip(1)
            .find(|folder| {
                !matches!(folder.file_name().and_then(|name| name.to_str()), Some("deps" | "examples"))
            })
            .context("the running program lies in no folder")?
            .to_owned();
        Ok(Self { repository, folder })
    }

    /// The chain's node.
    ///
    /// # Errors
    /// If it has not been built.
    pub fn node(&self) -> Result<PathBuf> {
        existing(self.repository.join("localnet/build/wasmd"), "scripts/build-wasmd.sh")
    }

    /// The contract, as it is stored on the chain.
    ///
    /// # Errors
    /// If it has not been built.
    pub fn contract(&self) -> Result<PathBuf> {
        existing(self.repository.join("artifacts/kms_asc.wasm"), "scripts/build-contract.sh")
    }

    /// Another contract of this repository, by its crate's name with underscores.
    ///
    /// # Errors
    /// If it has not been built.
    pub fn artifact(&self, name: &str) -> Result<PathBuf> {
        existing(self.repository.join(format!("artifacts/{name}.wasm")), "scripts/build-contract.sh")
    }

    /// One of the workspace's programs.
    ///
    /// # Errors
    /// If it has not been built.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        existing(self.folder.join(name), "cargo build")
    }
}

fn existing(path: PathBuf, builder: &str) -> Result<PathBuf> {
    ensure!(path.is_file(), "{} is not there: run {builder}", path.display());
    Ok(path)
}
