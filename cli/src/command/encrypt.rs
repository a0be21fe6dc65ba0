//! `kms encrypt`.

use clap::Args;
use kms_asc_api::{
    Ciphertext, CiphertextFormat, Digest, FheType, Handle, KeyId, KeyRecord, KeyState, Provenance,
};
use kms_core_engine::{Encryptor, Plaintext};
use serde::Serialize;

use crate::{
    context::Context,
    error::{Error, Result},
    output::Report,
    published::{self, PublishedKey},
    reference::Reference,
    report::Value,
};

const EXAMPLES: &str = "\
Encrypts on this machine under the key's published parts, which are fetched once and checked against the chain,
puts the ciphertexts into the store, and prints one REF per value. Nothing is paid and nothing goes on the chain.

Types: bool (true, false), uint4, uint8, uint16, uint32, uint64, uint128, uint256, uint512, uint1024, uint2048
(decimal, or hexadecimal after 0x), address (0x and 40 digits).

Examples:
  kms encrypt --key 1 --type uint64 --value 42
  kms encrypt --key 1 --type bool --value true false true
  kms encrypt --key 1 --type address --value 0x52908400098527886e0f7030069857d2e4169ee7";

/// Encrypt values under a key
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Encrypt {
    /// The key
    #[arg(long, value_name = "ID")]
    key: KeyId,
    /// Type of the values
    #[arg(long = "type", value_name = "TYPE", value_parser = parse_type)]
    fhe_type: kms_core_engine::FheType,
    /// What to encrypt
    #[arg(long = "value", value_name = "VALUE", required = true, num_args = 1..)]
    values: Vec<String>,
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
        let values = self.values.iter().map(|text| Plaintext::parse(self.fhe_type, text));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let key = context.ledger().await?.key(self.key).await?;
        if key.state != KeyState::Active {
            return Err(Error::KeyState { key: key.id, state: key.state.name() });
        }
        let published = published::load(context, &key).await?;
        let store = context.store()?;
        let step = context.progress.begin(format_args!("loading key {}", key.id));
        let (encryptor, handle_chain) = load(&key, published).await?;
        let encryptor = std::sync::Arc::new(encryptor);
        let mut refs = Vec::with_capacity(values.len());
        for (position, value) in (1..).zip(&values) {
            step.update(format_args!("encrypting value {position} of {}", values.len()));
            let bytes = encrypt(&encryptor, *value).await?;
            let reference = reference(key.id, &bytes, handle_chain, self.fhe_type)?;
            let stored = store.put_ciphertext(bytes).await?;
            if stored.to_bytes() != *reference.ciphertext.digest.as_bytes() {
                return Err(Error::Internal("the store named a ciphertext by another digest".to_owned()));
            }
            refs.push(reference.to_string());
        }
        drop(step);
        let fhe_type = self.fhe_type.to_string();
        let shown = values.iter().map(|v| Value { fhe_type: fhe_type.clone(), value: v.to_string() });
        context.show(&Encrypted { refs, values: shown.collect() })
    }
}

fn parse_type(text: &str) -> Result<kms_core_engine::FheType, kms_core_engine::UnknownName> {
    if text == "uint160" { Ok(kms_core_engine::FheType::Address) } else { text.parse() }
}

/// Loads the key, and says for which EVM chain handles are made: that of the key's domain.
async fn load(key: &KeyRecord, published: PublishedKey) -> Result<(Encryptor, u64)> {
    let (params, chain) = (published::params(key.params), key.domain.chain_id);
    let load = move || Encryptor::load(params, &published.server, &published.public);
    Ok((on_a_thread(load).await??, chain))
}

async fn encrypt(encryptor: &std::sync::Arc<Encryptor>, value: Plaintext) -> Result<Vec<u8>> {
    let encryptor = encryptor.clone();
    Ok(on_a_thread(move || encryptor.encrypt_raw(&value)).await??)
}

/// Work that would keep a spinner from turning.
async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))
}

fn reference(
    key_id: KeyId,
    bytes: &[u8],
    chain: u64,
    fhe_type: kms_core_engine::FheType,
) -> Result<Reference> {
    // The index is 0: each value is the only element of its bytes.
    let handle = kms_core_engine::Handle::derive(bytes, 0, [0; 20], chain, fhe_type);
    let internal = |error: &dyn std::fmt::Display| Error::Internal(error.to_string());
    Ok(Reference {
        key_id,
        ciphertext: Ciphertext {
            handle: Handle::new(handle.to_bytes()),
            digest: Digest::sha256(bytes),
            size: u64::try_from(bytes.len()).map_err(|error| internal(&error))?,
            fhe_type: FheType::try_from(fhe_type.number()).map_err(|error| internal(&error))?,
            format: CiphertextFormat::Raw,
            index: 0,
            provenance: Provenance::Unproven,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_says_what_the_contract_and_the_core_will_check() {
        for fhe_type in kms_core_engine::FheType::ALL {
            let Reference { key_id, ciphertext } = reference(KeyId(3), b"bytes", 31337, fhe_type).unwrap();
            assert_eq!((key_id, ciphertext.size, ciphertext.index), (KeyId(3), 5, 0));
            assert_eq!(ciphertext.digest, Digest::sha256(b"bytes"));
            assert_eq!(ciphertext.handle.fhe_type_number(), fhe_type.number());
            assert_eq!(ciphertext.fhe_type.number(), fhe_type.number());
            assert_eq!(ciphertext.handle.as_bytes()[22..30], 31337u64.to_be_bytes());
        }
    }

    #[test]
    fn an_address_has_two_names() {
        assert_eq!(parse_type("uint160"), Ok(kms_core_engine::FheType::Address));
        assert_eq!(parse_type("address"), Ok(kms_core_engine::FheType::Address));
        assert!(parse_type("uint7").unwrap_err().to_string().contains("uint64"));
    }
}
