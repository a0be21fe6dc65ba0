//! `kms encrypt`.

mod form;
mod input;
mod typed;

use clap::Args;
use kms_asc_api::{KeyId, KeyState};
use kms_core_engine::FheType;
use kms_store::Store;
use serde::Serialize;

use crate::{
    context::Context,
    error::{Error, Result},
    output::Report,
    reference::Reference,
    report::Value,
};
use form::{Blob, Form};
use input::InputArgs;
use typed::{Typed, parse_type};

const EXAMPLES: &str = "\
Encrypts on this machine under the key's published parts, which are fetched once and checked against the chain,
puts the ciphertexts into the store, and prints one REF per value. Nothing is paid and nothing goes on the chain.

With --compressed all values become one small list, whose elements are decrypted far quicker. With --proven they
become an input: a list with a proof that binds it to an application and a user, which `kms verify-input` has the
operators check. After that the application, and the user, may have it decrypted without a grant.

Types: bool (true, false), uint4, uint8, uint16, uint32, uint64, uint128, uint256, uint512, uint1024, uint2048
(decimal, or hexadecimal after 0x), address (0x and 40 digits). A value of another type than --type says names its
own, before a colon.

Examples:
  kms encrypt --key 1 --type uint64 --value 42
  kms encrypt --key 1 --type bool --value true false true
  kms encrypt --key 1 --type address --value 0x52908400098527886e0f7030069857d2e4169ee7
  kms encrypt --key 1 --compressed --type uint8 --value 1 2 3
  kms encrypt --key 1 --compressed --value bool:true uint8:201 address:0x52908400098527886e0f7030069857d2e4169ee7
  kms encrypt --key 1 --proven --crs 2 --contract wasm1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc547at0h \
    --user 0x52908400098527886e0f7030069857d2e4169ee7 --type uint64 --value 42";

/// Encrypt values under a key
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Encrypt {
    /// The key
    #[arg(long, value_name = "ID")]
    key: KeyId,
    /// Type of the values that name none
    #[arg(long = "type", value_name = "TYPE", value_parser = parse_type)]
    fhe_type: Option<FheType>,
    /// What to encrypt
    #[arg(long = "value", value_name = "[TYPE:]VALUE", required = true, num_args = 1..)]
    values: Vec<Typed>,
    /// Make one compressed list of all values, at most 256
    #[arg(long, conflicts_with = "proven")]
    compressed: bool,
    /// Make one proven list of all values, at most 256: an input
    #[arg(long, requires_all = ["crs", "contract", "user"])]
    proven: bool,
    #[command(flatten)]
    input: InputArgs,
}

#[derive(Serialize)]
struct Encrypted {
    refs: Vec<String>,
    /// What was encrypted, as `kms decrypt` will show it.
    values: Vec<Value>,
}

impl Report for Encrypted {
    fn text(&self) -> String {
        self.refs.join("\n")
    }
}

impl Encrypt {
    pub async fn run(self, context: &Context) -> Result<()> {
        // Before anything is fetched: a mistyped value should not take seconds to be found.
        let values = self.values.iter().map(|value| value.plaintext(self.fhe_type));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        if self.compressed {
            fits_one_list(values.len())?;
        }
        let ledger = context.ledger().await?;
        let key = ledger.key(self.key).await?;
        if key.state != KeyState::Active {
            return Err(Error::KeyState { key: key.id, state: key.state.name() });
        }
        let form = match (self.proven, self.compressed) {
            (true, _) => {
                let claim = self.input.claim(&key)?;
                let crs = ledger.crs(claim.crs_id).await?;
                Form::proven(context, &key, &crs, claim).await?
            }
            (false, compressed) => Form::under_server_key(context, &key, compressed).await?,
        };
        let store = context.store()?;
        let mut refs = Vec::with_capacity(values.len());
        for blob in form.encrypt(context, &values).await? {
            refs.extend(keep(&store, blob).await?.iter().map(Reference::to_string));
        }
        let shown = values
            .iter()
            .map(|value| Value { fhe_type: value.fhe_type().to_string(), value: value.to_string() });
        context.show(&Encrypted { refs, values: shown.collect() })
    }
}

/// Puts a blob into the store; gives the references to its elements.
async fn keep(store: &Store, blob: Blob) -> Result<Vec<Reference>> {
    let references = blob.references()?;
    let stored = store.put_ciphertext(blob.bytes).await?;
    match references.iter().all(|one| one.ciphertext.digest.as_bytes() == &stored.to_bytes()) {
        true => Ok(references),
        false => Err(Error::Internal("the store named a ciphertext by another digest".to_owned())),
    }
}

/// A handle names the position in a list with one byte.
fn fits_one_list(count: usize) -> Result<()> {
    let max = kms_asc_api::payload::MAX_INPUTS;
    match count <= max {
        true => Ok(()),
        false => Err(Error::Usage(format!("{count} values given, one list takes at most {max}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_values_than_a_list_can_name_are_a_usage_error() {
        assert!(fits_one_list(256).is_ok());
        assert_eq!(fits_one_list(257).unwrap_err().exit().number(), 2);
    }
}
