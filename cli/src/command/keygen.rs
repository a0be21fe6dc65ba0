//! `kms keygen`.

use clap::Args;
use kms_asc_api::{KeyGen, KeyParams, KeySource, Operation};

use crate::{
    context::Context,
    error::Result,
    output::{Format, print},
    submit::{SubmitArgs, Submitted, submit},
};

const EXAMPLES: &str = "\
Prints the key's id, which is the id of the request that made it. You own the key: only you may have ciphertexts
under it decrypted.

Examples:
  kms keygen
  kms keygen --ttl 120
  kms keygen --no-wait --output json";

/// Have the operators generate a key, and pay for it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Keygen {
    #[command(flatten)]
    submit: SubmitArgs,
    /// Generate with parameters that are small and insecure, on a network whose operators allow it
    #[arg(long)]
    insecure_test_parameters: bool,
}

impl Keygen {
    pub async fn run(self, context: &Context) -> Result<()> {
        let params = if self.insecure_test_parameters { KeyParams::Test } else { KeyParams::Default };
        let operation = Operation::KeyGen(KeyGen { params, source: KeySource::Generate });
        let report = match submit(context, operation, self.submit).await? {
            Submitted::Sent(report) => report,
            Submitted::Fulfilled(report) => {
                context.progress.note(report.story());
                report
            }
        };
        match context.format {
            Format::Json => context.show(&report),
            Format::Text => print(&report.id.to_string()),
        }
    }
}
