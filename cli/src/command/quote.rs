//! `kms quote`.

use clap::{Args, Subcommand};
use kms_asc_api::{
    Ciphertext, CiphertextFormat, CrsGen, CrsSource, Digest, FheType, Handle, KeyGen, KeyId, KeyParams,
    KeySource, Operation, Provenance, PublicDecrypt, Quote as Price, price_of,
};
use serde::Serialize;

use crate::{
    command::{decrypt, verify_input},
    context::Context,
    error::{Error, Result},
    output::Report,
    reference::Reference,
};

const EXAMPLES: &str = "\
Examples:
  kms quote keygen
  kms quote decrypt kms1_...
  kms quote decrypt --ciphertexts 10 --bytes 528101
  kms quote crs
  kms quote verify-input kms1_...";

/// Show what a request would cost now
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Quote {
    #[command(subcommand)]
    operation: QuotedOperation,
}

// One lives at a time, and the parser does not read into boxes.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Subcommand)]
enum QuotedOperation {
    /// Generation of a key, or its import or takeover
    #[command(after_help = "Example:\n  kms quote keygen")]
    Keygen,
    /// Generation of a reference string, or its import
    #[command(after_help = "Example:\n  kms quote crs")]
    Crs,
    /// Decryption of these ciphertexts, or of so many
    #[command(
        after_help = "Examples:\n  kms quote decrypt kms1_...\n  kms quote decrypt --ciphertexts 3 --bytes 66101"
    )]
    Decrypt {
        /// What would be decrypted
        #[arg(value_name = "REF", required_unless_present = "ciphertexts")]
        references: Vec<Reference>,
        /// How many ciphertexts, instead of REFs
        #[arg(long, value_name = "COUNT", conflicts_with = "references", requires = "bytes")]
        ciphertexts: Option<u32>,
        /// Bytes of each ciphertext
        #[arg(long, value_name = "SIZE", requires = "ciphertexts")]
        bytes: Option<u64>,
    },
    /// Check of an input
    #[command(after_help = "Example:\n  kms quote verify-input kms1_...")]
    VerifyInput {
        /// What would be checked
        #[arg(value_name = "REF")]
        reference: Reference,
    },
}

#[derive(Serialize)]
struct QuoteReport {
    operation: &'static str,
    price: String,
    denom: String,
    denial_fee: String,
}

impl Report for QuoteReport {
    fn text(&self) -> String {
        format!("{}{}", self.price, self.denom)
    }
}

impl Quote {
    pub async fn run(self, context: &Context) -> Result<()> {
        let ledger = context.ledger().await?;
        let (operation, price) = match self.operation {
            QuotedOperation::Keygen => {
                let key = KeyGen { params: KeyParams::Default, source: KeySource::Generate };
                let operation = Operation::KeyGen(key);
                let price = ledger.quote(&operation).await?;
                (operation, price)
            }
            QuotedOperation::Crs => {
                // What it shall prove does not matter to the price.
                let operation = Operation::CrsGen(CrsGen { max_bits: 1, source: CrsSource::Generate });
                let price = ledger.quote(&operation).await?;
                (operation, price)
            }
            QuotedOperation::Decrypt { ciphertexts: Some(count), bytes, .. } => {
                let operation = imagined(count, bytes.unwrap_or(0));
                let config = ledger.config().await?;
                let price = price_of(&config, &operation, None).map_err(|e| Error::Usage(e.to_string()))?;
                (operation, Price { price, denom: config.denom, denial_fee: config.denial_fee })
            }
            QuotedOperation::Decrypt { references, .. } => {
                let operation = decrypt::operation(references)?;
                let price = ledger.quote(&operation).await?;
                (operation, price)
            }
            QuotedOperation::VerifyInput { reference } => {
                let operation = verify_input::operation(&reference)?;
                let price = ledger.quote(&operation).await?;
                (operation, price)
            }
        };
        context.show(&QuoteReport {
            operation: operation.kind().name(),
            price: price.price.to_string(),
            denom: price.denom,
            denial_fee: price.denial_fee.to_string(),
        })
    }
}

/// A decryption of ciphertexts that do not exist: only their number and size matter to the price.
fn imagined(count: u32, size: u64) -> Operation {
    let ciphertext = |number: u32| Ciphertext {
        handle: Handle::new([0; 32]),
        digest: Digest::sha256(&number.to_be_bytes()),
        size,
        fhe_type: FheType::Bool,
        format: CiphertextFormat::Raw,
        index: 0,
        provenance: Provenance::Unproven,
    };
    Operation::PublicDecrypt(PublicDecrypt {
        key_id: KeyId(0),
        ciphertexts: (0..count).map(ciphertext).collect(),
        domain: None,
        extra_data: Default::default(),
    })
}

#[cfg(test)]
mod tests {
    use kms_asc_api::RequestSize;

    use super::*;

    #[test]
    fn imagined_ciphertexts_weigh_what_they_are_said_to() {
        let size = RequestSize::of(&imagined(3, 100)).unwrap();
        assert_eq!((size.ciphertexts, size.bytes), (3, 300));
    }
}
