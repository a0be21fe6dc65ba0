//! Brings stacks up and down: what `make up`, `make down`, `make status` and `make clean` run;
//! shows a decryption from end to end: `make demo`.

mod demo;
mod stacks;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The name of a stack.
#[derive(Debug, clap::Args)]
struct Named {
    /// Which stack: each has its own chain, keys, ports and folder.
    #[arg(default_value = "default", value_parser = stack_name)]
    stack: String,
}

/// A name is that of a folder, which may be deleted.
fn stack_name(given: &str) -> Result<String, String> {
    kms_localnet::check_stack_name(given).map(|()| given.to_owned()).map_err(|error| error.to_string())
}

#[derive(Debug, Parser)]
#[command(about, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a stack and leave it running; make it first if there is none.
    Up(Named),
    /// Stop a stack; what it wrote stays.
    Down(Named),
    /// Say what runs, and where.
    Status(Named),
    /// Stop a stack, and forget its chain and keys.
    Clean(Named),
    /// Show one decryption from end to end, on a stack of its own.
    Demo(demo::Demo),
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Up(Named { stack }) => stacks::up(&stack).await,
        Command::Down(Named { stack }) => stacks::down(&stack).await,
        Command::Status(Named { stack }) => stacks::status(&stack),
        Command::Clean(Named { stack }) => stacks::clean(&stack).await,
        Command::Demo(demo) => demo.run().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
