//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{command, output::Format};

const ABOUT: &str = "Asks a key management system for TFHE on a chain: keys, encryption, decryptions that are paid \
    for, answered and recorded.";

const AFTER_HELP: &str = "\
Results go to stdout, progress and errors to stderr.

Configuration is read from a file (--config, KMS_CONFIG, or ~/.config/kms/kms.toml), then from KMS_* variables,
then from flags. The file:
  network = \"network.toml\"   # description of the network; paths are relative to this file
  wallet = \"alice.key\"       # key that pays and owns, mode 0600
  cache = \"cache\"            # where published keys are kept; optional
KMS_LOG=debug shows what is said to the node.

Exit status: 0 done, 1 other failure, 2 usage, 3 not found, 4 refused or denied, 5 timed out, 6 verification failed.

Examples:
  kms keygen
  kms encrypt --key 1 --type uint64 --value 42
  kms decrypt kms1_...
  kms request show 2
  kms log";

/// `kms`.
#[derive(Debug, Parser)]
#[command(name = "kms", version, about = ABOUT, after_help = AFTER_HELP, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Configuration file
    #[arg(long, global = true, env = "KMS_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Form of what goes to stdout, and of errors on stderr
    #[arg(long, global = true, env = "KMS_OUTPUT", value_enum, value_name = "FORM", default_value_t)]
    pub output: Format,
    /// Description of the network, instead of the configuration's
    #[arg(long, global = true, env = "KMS_NETWORK", value_name = "FILE")]
    pub network: Option<PathBuf>,
    /// Key that pays and owns, instead of the configuration's
    #[arg(long, global = true, env = "KMS_WALLET", value_name = "FILE")]
    pub wallet: Option<PathBuf>,
    /// Folder for published keys, instead of the configuration's
    #[arg(long, global = true, env = "KMS_CACHE", value_name = "FOLDER")]
    pub cache: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    Keygen(command::keygen::Keygen),
    Key(command::key::Key),
    Encrypt(command::encrypt::Encrypt),
    Decrypt(command::decrypt::Decrypt),
    UserDecrypt(command::user_decrypt::UserDecrypt),
    VerifyInput(command::verify_input::VerifyInput),
    Request(command::request::Request),
    Crs(command::crs::Crs),
    Epoch(command::epoch::Epoch),
    Operator(command::operator::Operator),
    Admin(command::admin::Admin),
    Log(command::log::Log),
    Credit(command::credit::Credit),
    Withdraw(command::withdraw::Withdraw),
    Quote(command::quote::Quote),
    Status(command::status::Status),
    Wallet(command::wallet::Wallet),
    Completion(command::completion::Completion),
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use clap::CommandFactory;

    use super::*;
    use crate::reference::tests::example;

    /// Parses a line as a shell would, without quoting.
    fn parse(line: &str) -> Result<Cli, clap::Error> {
        let reference = example(7).to_string();
        let is_placeholder = |word: &str| word == "REF" || word == "kms1_...";
        let words = line.split_whitespace().map(|word| if is_placeholder(word) { &reference } else { word });
        Cli::try_parse_from(words)
    }

    fn commands_of(text: &str) -> Vec<String> {
        let line = |line: &str| {
            let line = line.trim().trim_start_matches("$ ");
            let line = line.strip_prefix("bin/").unwrap_or(line);
            let line = line.split(" #").next().unwrap_or(line).split(" > ").next().unwrap_or(line);
            line.starts_with("kms ").then(|| line.to_owned())
        };
        text.lines().filter_map(line).collect()
    }

    fn help_texts(command: &clap::Command, out: &mut Vec<(String, String)>) {
        for sub in command.get_subcommands() {
            let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            out.push((sub.get_name().to_owned(), help));
            help_texts(sub, out);
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples_and_every_example_parses() {
        let mut texts = vec![("kms".to_owned(), AFTER_HELP.to_owned())];
        help_texts(&Cli::command(), &mut texts);
        for (name, text) in texts {
            let examples = commands_of(&text);
            assert!(!examples.is_empty(), "{name} has no example");
            for example in examples {
                if let Err(error) = parse(&example) {
                    panic!("example of {name} does not parse: {example}\n{error}");
                }
            }
        }
    }

    /// Commands in the README and in docs/, in fenced blocks, are commands of this program.
    #[test]
    fn every_command_in_the_documentation_parses() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let docs = fs::read_dir(root.join("docs")).into_iter().flatten().flatten().map(|entry| entry.path());
        for page in docs.chain([root.join("README.md")]) {
            let Ok(text) = fs::read_to_string(&page) else { continue };
            let fenced: String = text.split("```").skip(1).step_by(2).collect();
            for line in commands_of(&fenced).iter().filter(|line| !line.contains(['$', '|', '<'])) {
                if let Err(error) = parse(line) {
                    panic!("{}: {line}\n{error}", page.display());
                }
            }
        }
    }

    #[test]
    fn a_mistake_is_a_usage_error() {
        for line in [
            "kms",
            "kms decrypt",
            "kms decrypt nonsense",
            "kms user-decrypt",
            "kms user-decrypt REF --resume 7",
            "kms user-decrypt REF --valid-days 0",
            "kms user-decrypt REF --contract 0x12",
            "kms encrypt --key 1 --type uint64",
            "kms encrypt --key 1 --type uint7 --value 1",
            "kms encrypt --key 1 --value uint7:1",
            "kms encrypt --key x --type bool --value true",
            "kms request show 0",
            "kms request close",
            "kms quote",
            "kms quote decrypt",
            "kms --output yaml status",
            "kms keygen --ttl 1.5",
            "kms encrypt --key 1 --type bool --value true --compressed --proven",
            "kms encrypt --key 1 --type bool --value true --proven --crs 2",
            "kms encrypt --key 1 --type bool --value true --crs 2",
            "kms verify-input",
            "kms verify-input nonsense",
        ] {
            let error = parse(line).err().unwrap_or_else(|| panic!("{line} was accepted"));
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn global_options_stand_before_or_after_the_command() {
        for line in ["kms --output json status", "kms status --output json"] {
            assert_eq!(parse(line).unwrap().global.output, Format::Json);
        }
    }
}
