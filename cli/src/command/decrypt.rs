//! `kms decrypt`.

use clap::Args;
use kms_asc_api::{KeyId, Operation, PublicDecrypt};

use crate::{
    context::Context,
    error::{Error, Result},
    output::{Format, print},
    reference::Reference,
    submit::{SubmitArgs, Submitted, follow, submit, submit_together},
};

const EXAMPLES: &str = "\
Prints one value per line, in the order of the REFs, after both signatures of every operator's answer were checked.
All REFs of one request must be of one key; all are decrypted or none. With --each, every REF is a request of its own,
sent and paid with the others in one transaction: they may be of several keys, and one that fails costs the others
nothing. The answer is public: everybody can read it on the chain. With --no-wait it prints the request's id instead.

Examples:
  kms decrypt kms1_...
  kms decrypt kms1_... kms1_... --ttl 30
  kms decrypt kms1_... kms1_... --each
  kms decrypt kms1_... --no-wait
  kms decrypt kms1_... --output json";

/// Have values decrypted for everybody, and pay for it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Decrypt {
    /// What to decrypt, as `kms encrypt` printed it
    #[arg(value_name = "REF", required = true)]
    references: Vec<Reference>,
    /// Make a request of every REF, all in one transaction
    #[arg(long)]
    each: bool,
    #[command(flatten)]
    submit: SubmitArgs,
}

impl Decrypt {
    pub async fn run(self, context: &Context) -> Result<()> {
        if self.each {
            return self.run_each(context).await;
        }
        let operation = operation(self.references)?;
        show(context, submit(context, operation, self.submit).await?)
    }

    /// Shows what came of each request in the order of the REFs; the first that failed decides how the call ends.
    async fn run_each(self, context: &Context) -> Result<()> {
        let operations = self.references.into_iter().map(|reference| operation(vec![reference]));
        let operations = operations.collect::<Result<Vec<_>>>()?;
        let ledger = context.ledger().await?;
        let all_sent = submit_together(context, &ledger, &operations, self.submit).await?;
        let mut ended = Ok(());
        for (operation, sent) in operations.iter().zip(all_sent) {
            let followed = follow(context, &ledger, operation, sent, self.submit).await;
            let shown = followed.and_then(|submitted| show(context, submitted));
            if let Err(error) = &shown {
                context.progress.note(format_args!("request {}: {error}", sent.id));
            }
            ended = ended.and(shown);
        }
        ended
    }
}

fn show(context: &Context, submitted: Submitted) -> Result<()> {
    match (submitted, context.format) {
        (Submitted::Sent(report), Format::Text) => print(&report.id.to_string()),
        (Submitted::Sent(report), Format::Json) => context.show(&report),
        (Submitted::Fulfilled(report), format) => {
            context.progress.note(report.story());
            match format {
                Format::Json => context.show(&report),
                Format::Text => {
                    let values: Vec<_> = report.values.iter().map(|value| value.value.as_str()).collect();
                    print(&values.join("\n"))
                }
            }
        }
    }
}

/// The one request for all of them.
pub fn operation(references: Vec<Reference>) -> Result<Operation> {
    let key_id = one_key(&references)?;
    let ciphertexts = references.into_iter().map(|reference| reference.ciphertext).collect();
    Ok(Operation::PublicDecrypt(PublicDecrypt {
        key_id,
        ciphertexts,
        domain: None,
        extra_data: Default::default(),
    }))
}

/// The one key that all are of.
pub fn one_key(references: &[Reference]) -> Result<KeyId> {
    let mut keys: Vec<_> = references.iter().map(|reference| reference.key_id).collect();
    keys.sort_unstable();
    keys.dedup();
    match keys.as_slice() {
        [key] => Ok(*key),
        [] => Err(Error::Usage("no REF given".to_owned())),
        several => {
            let several: Vec<_> = several.iter().map(ToString::to_string).collect();
            let several = several.join(", ");
            Err(Error::Usage(format!(
                "the REFs are of several keys ({several}), one request decrypts under one key: call once for each"
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::tests::example;

    #[test]
    fn all_refs_become_one_request_in_their_order() {
        let mut second = example(7);
        second.ciphertext.size = 1;
        let operation = operation(vec![example(7), second.clone()]).unwrap();
        assert_eq!(operation.key_id(), Some(KeyId(7)));
        assert_eq!(operation.ciphertexts(), [example(7).ciphertext, second.ciphertext]);
    }

    #[test]
    fn refs_of_two_keys_are_a_usage_error_that_names_both() {
        let error = operation(vec![example(7), example(12), example(7)]).unwrap_err();
        assert_eq!(error.exit().number(), 2);
        assert!(error.to_string().contains("7, 12"), "{error}");
    }
}
