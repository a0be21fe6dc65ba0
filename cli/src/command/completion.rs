//! `kms completion`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{args::Cli, error::Result, output::print};

const EXAMPLES: &str = "\
Examples:
  kms completion bash > ~/.local/share/bash-completion/completions/kms
  kms completion zsh
  kms completion fish";

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Completion {
    /// The shell
    shell: Shell,
}

impl Completion {
    pub fn run(self) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "kms", &mut script);
        print(&String::from_utf8_lossy(&script))
    }
}
