//! `kms verify-input`.

use clap::Args;
use kms_asc_api::{Ciphertext, CiphertextFormat, Operation, VerifyInput as Input};
use serde::Serialize;

use crate::{
    context::Context,
    error::{Error, Result},
    output::{Format, Report, print},
    reference::Reference,
    report::InputElement,
    submit::{SubmitArgs, Submitted, submit},
};

const EXAMPLES: &str = "\
Takes a REF of `kms encrypt --proven`; one of them stands for all elements of its list. The operators check the
list's proof against the reference string, the key, the application and the user that it names. Prints one new REF
per element, which cites the verification: with it the application, and by his signature the user, may have the
element decrypted. With --no-wait it prints the request's id instead; `kms request show` has the REFs later.

Examples:
  kms verify-input kms1_...
  kms verify-input kms1_... --ttl 30 --output json";

/// Have the operators check an input, and pay for it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyInput {
    /// What to check, as `kms encrypt --proven` printed it
    #[arg(value_name = "REF")]
    reference: Reference,
    #[command(flatten)]
    submit: SubmitArgs,
}

#[derive(Serialize)]
struct Verified {
    request: u64,
    elements: Vec<InputElement>,
}

impl Report for Verified {
    fn text(&self) -> String {
        self.elements.iter().map(|element| element.reference.as_str()).collect::<Vec<_>>().join("\n")
    }
}

impl VerifyInput {
    pub async fn run(self, context: &Context) -> Result<()> {
        let operation = operation(&self.reference)?;
        let report = match submit(context, operation, self.submit).await? {
            Submitted::Fulfilled(report) => report,
            Submitted::Sent(report) => {
                return match context.format {
                    Format::Json => context.show(&report),
                    Format::Text => print(&report.id.to_string()),
                };
            }
        };
        context.progress.note(report.story());
        let id = report.id;
        let elements = match report.settlement.input {
            Some(input) if input.valid => input.elements,
            _ => return Err(Error::NoInput { id }),
        };
        for element in &elements {
            context.progress.note(format_args!("{} {}", element.fhe_type, element.handle));
        }
        context.show(&Verified { request: id.get(), elements })
    }
}

/// The request that has an input checked.
pub fn operation(reference: &Reference) -> Result<Operation> {
    let Reference { key_id, ciphertext, claim } = reference;
    let Ciphertext { digest, size, format, .. } = ciphertext;
    let claim = claim.filter(|_| *format == CiphertextFormat::Compact).ok_or_else(|| {
        Error::Usage(
            "the REF is not of an input that awaits its check: `kms encrypt --proven` makes one".into(),
        )
    })?;
    let binding = claim.binding;
    Ok(Operation::VerifyInput(Input {
        key_id: *key_id,
        crs_id: claim.crs_id,
        digest: *digest,
        size: *size,
        user: binding.user,
        contract: binding.contract,
        acl: binding.acl,
        chain_id: binding.chain_id,
        domain: None,
        extra_data: Default::default(),
    }))
}

#[cfg(test)]
mod tests {
    use kms_asc_api::payload::InputBinding;

    use super::*;
    use crate::reference::tests::{claimed, example};

    #[test]
    fn a_ref_of_an_input_says_all_that_the_request_needs() {
        let reference = claimed(7);
        let Operation::VerifyInput(input) = operation(&reference).unwrap() else {
            panic!("another operation")
        };
        assert_eq!(InputBinding::of(&input), reference.claim.unwrap().binding);
        assert_eq!((input.key_id, input.digest), (reference.key_id, reference.ciphertext.digest));
        assert_eq!(input.size, reference.ciphertext.size);
    }

    #[test]
    fn a_ref_of_something_else_is_a_usage_error() {
        assert_eq!(operation(&example(7)).unwrap_err().exit().number(), 2);
    }
}
