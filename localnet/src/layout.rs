//! Where things lie in a stack's folder.

use std::{
    fs::{self, DirBuilder},
    io::ErrorKind,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::operator;

/// The paths of one stack.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Makes the folders. All of them are their owner's alone: there are keys in most.
    pub(crate) fn make_folders(&self) -> Result<()> {
        let folders = [
            self.root.clone(),
            self.secrets(),
            self.store(),
            self.logs(),
            self.run(),
            self.folder(operator::CORE),
            self.folder(operator::CONNECTOR),
        ];
        for folder in folders {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        Ok(())
    }

    /// Removes what a creation left that was interrupted, so that another can begin. What runs, and the lock, stay.
    pub(crate) fn forget_half_made(&self) -> Result<()> {
        for folder in [self.secrets(), self.chain()] {
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot delete {}", folder.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The stack's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The description of the network, which every program reads.
    pub fn network(&self) -> PathBuf {
        self.root.join("network.toml")
    }

    /// The folder of secret keys.
    pub fn secrets(&self) -> PathBuf {
        self.root.join("secrets")
    }

    /// The file of an account's or operator's secret key.
    pub fn secret(&self, name: &str) -> PathBuf {
        self.secrets().join(format!("{name}.key"))
    }

    /// The node's home.
    pub fn chain(&self) -> PathBuf {
        self.root.join("chain")
    }

    /// The store of ciphertexts and public material.
    pub fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    /// What the stack's core accepts.
    pub(crate) fn pins(&self) -> PathBuf {
        self.root.join("pins.toml")
    }

    /// The certificates that core and connector show each other, and their authority.
    pub fn certificates(&self) -> PathBuf {
        self.root.join("certificates")
    }

    /// The configuration of the command line.
    pub fn client(&self) -> PathBuf {
        self.root.join("kms.toml")
    }

    /// A program's own folder, such as `core`.
    pub fn folder(&self, program: &str) -> PathBuf {
        self.root.join(program)
    }

    /// A process's output.
    pub fn log(&self, process: &str) -> PathBuf {
        self.logs().join(format!("{process}.log"))
    }

    /// Says which process is running under this name.
    pub(crate) fn pid_file(&self, process: &str) -> PathBuf {
        self.run().join(format!("{process}.pid"))
    }

    /// The folder of the files that say what is running.
    pub(crate) fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }
}
