//! `kms user-decrypt`.

mod ask;
mod key_file;
mod opening;

use clap::Args;
use kms_asc_api::{EvmAddress, Operation, RequestId};

use crate::{
    context::Context,
    error::{Error, Result},
    exit::ExitStatus,
    output::{Format, print},
    reference::Reference,
    report::RequestReport,
    submit::{SubmitArgs, Submitted, finish, submit},
};
use key_file::KeyFile;

const EXAMPLES: &str = "\
The operators encrypt the values to a fresh key of this program: everybody sees the answer, nobody else can read it.
Prints one value per line, in the order of the REFs, after every signature of the answers, and those within what was
encrypted, were checked. All REFs of one call must be of one key; all are decrypted or none.

The user is an Ethereum wallet, and signs which key, which applications and which days he means. By default it is
that of the wallet that pays (`kms wallet show` has its Ethereum address); --user names the file of another: 64 hex
digits, mode 0600. Who may ask depends on where a ciphertext comes from: for the element of a verified input, its
user; for an unproven one, who has a grant on the key.

The fresh key is kept beside the paying wallet, in `user-keys`, mode 0600, until the values were printed: with
--resume they are printed later, after --no-wait or if the program was stopped.

Examples:
  kms user-decrypt kms1_...
  kms user-decrypt kms1_... kms1_... --user alice-eth.key --contract 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed
  kms user-decrypt kms1_... --no-wait
  kms user-decrypt --resume 7 --output json";

/// Have values decrypted for one user alone, and pay for it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct UserDecrypt {
    /// What to decrypt, as `kms encrypt` or `kms verify-input` printed it
    #[arg(value_name = "REF", required_unless_present = "resume", conflicts_with = "resume")]
    references: Vec<Reference>,
    /// Key of the user's Ethereum wallet, instead of the one that pays
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    user: Option<std::path::PathBuf>,
    /// Application whose ciphertexts the user wants to see; may be repeated [default: those that the REFs name]
    #[arg(long = "contract", value_name = "ADDRESS", conflicts_with = "resume")]
    contracts: Vec<EvmAddress>,
    /// Days for which the user's signature holds, from now on
    #[arg(long, value_name = "DAYS", default_value_t = 1, conflicts_with = "resume",
        value_parser = clap::value_parser!(u64).range(1..=365))]
    valid_days: u64,
    /// Wait for the answer to a request that was made before, and print its values
    #[arg(long, value_name = "REQUEST", conflicts_with_all = ["ttl", "no_wait"], value_parser = request_id)]
    resume: Option<RequestId>,
    #[command(flatten)]
    submit: SubmitArgs,
}

fn request_id(text: &str) -> Result<RequestId, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a request's id is a number from 1 on".to_owned()),
        Ok(id) => Ok(RequestId(id)),
    }
}

impl UserDecrypt {
    pub async fn run(self, context: &Context) -> Result<()> {
        match self.resume {
            Some(id) => resume(context, id).await,
            None => self.begin(context).await,
        }
    }

    async fn begin(self, context: &Context) -> Result<()> {
        let user = match &self.user {
            Some(file) => file.as_path(),
            None => context.settings.wallet()?,
        };
        let asked = ask::Asked {
            references: self.references,
            contracts: self.contracts,
            valid_days: self.valid_days,
        };
        let (key, operation) = asked.sign(context, user).await?;
        // On disk before anything is paid for.
        let file = KeyFile::keep(context.settings.wallet()?, &key, &operation)?;
        match submit(context, Operation::UserDecrypt(operation), self.submit).await {
            Ok(Submitted::Fulfilled(report)) => file.open(context, report),
            Ok(Submitted::Sent(report)) => {
                let id = report.id;
                context.progress.note(format_args!("`kms user-decrypt --resume {id}` prints the values"));
                match context.format {
                    Format::Json => context.show(&report),
                    Format::Text => print(&id.to_string()),
                }
            }
            Err(error) => Err(file.unless_of_use(error)),
        }
    }
}

async fn resume(context: &Context, id: RequestId) -> Result<()> {
    let ledger = context.ledger().await?;
    let stored = ledger.stored_body(id).await?;
    let Operation::UserDecrypt(on_chain) = &stored.body.operation else {
        return Err(Error::Usage(format!(
            "request {id} is a {}, no user_decrypt",
            stored.body.operation.kind()
        )));
    };
    let file = KeyFile::find(context.settings.wallet()?, &on_chain.enc_key)?;
    let file = file.ok_or_else(|| Error::NotFound(format!("key of this machine for request {id}")))?;
    let asked = Operation::UserDecrypt(file.operation.clone());
    match finish(context, &ledger, id, &asked).await {
        Ok(report) => file.open(context, report),
        Err(error) => Err(file.unless_of_use(error)),
    }
}

impl KeyFile {
    /// Opens a verified answer, prints it, and forgets the key.
    fn open(self, context: &Context, mut report: RequestReport) -> Result<()> {
        report.values = opening::values(&report, &self.key, &self.operation)?;
        context.progress.note(report.story());
        match context.format {
            Format::Json => context.show(&report)?,
            Format::Text => {
                let values: Vec<_> = report.values.iter().map(|value| value.value.as_str()).collect();
                print(&values.join("\n"))?;
            }
        }
        self.forget()
    }

    /// Forgets the key if nothing will ever be encrypted to it: the request was refused, or ended without an answer.
    fn unless_of_use(self, error: Error) -> Error {
        let ended = matches!(error, Error::Unanswered { .. });
        if ended || error.exit() == ExitStatus::Refused {
            // What matters is why there is no answer.
            let _ = self.forget();
        }
        error
    }
}
