//! What a scenario runs on.

use std::{collections::BTreeMap, path::Path, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use kms_asc_api::{
    Credit, CrsId, ExecuteMsg, KeyId, Operation, OutcomesData, QueryMsg, RequestId, RequestView, Solvency,
    State, SubmitRequestData,
};
use kms_chain::{Client, Coin, Message, TxOptions, TxOutcome};
use kms_localnet::{AccountName, Lifetime, Programs, Stack, StackOptions};
use serde::de::DeserializeOwned;
use tokio::{
    sync::{Mutex, OnceCell},
    time::{Instant, sleep},
};

use crate::Person;

/// How long a condition may take to come true on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A stack, a key on it that the user owns, and people.
#[derive(Debug)]
pub struct World {
    /// The stack.
    pub stack: Stack,
    /// Where its programs are.
    pub programs: Programs,
    /// Owns the key.
    pub user: Person,
    /// Owns nothing.
    pub stranger: Person,
    /// The user's key, with parameters of real use.
    pub key: KeyId,
    /// The user's key with test parameters.
    quick_key: OnceCell<KeyId>,
    /// A reference string for inputs under [`key`](Self::key).
    reference_string: OnceCell<CrsId>,
    /// REFs of what was encrypted, by the command.
    encrypted: Mutex<BTreeMap<Vec<String>, Vec<String>>>,
}

impl World {
    /// Starts a stack of this name in a folder and has a key made by a request on its chain.
    ///
    /// # Errors
    /// If anything of that fails.
    pub async fn begin(folder: &Path, name: &str) -> Result<Self> {
        let mut options = StackOptions::new(Lifetime::Owned);
        options.test_parameters = true;
        let mut stack = Stack::create(folder, name, options).await?;
        stack.up().await?;
        let programs = Programs::of_this_build()?;
        let person = |account: AccountName| -> Result<Person> {
            Ok(Person {
                program: programs.program("kms")?,
                config: stack.layout().client(),
                wallet: stack.layout().secret(account.as_str()),
            })
        };
        let (user, stranger) = (person(AccountName::User)?, person(AccountName::Other)?);
        let key = made(&user, &["keygen"]).await?;
        let (quick_key, reference_string, encrypted) = Default::default();
        Ok(Self { stack, programs, user, stranger, key, quick_key, reference_string, encrypted })
    }

    /// A key of the user with test parameters, made when it is first asked for: to encrypt under the other takes seconds, which
    /// is of no use where another thing is tried.
    ///
    /// # Errors
    /// If it is not made.
    pub async fn quick_key(&self) -> Result<KeyId> {
        let make = || made(&self.user, &["keygen", "--insecure-test-parameters"]);
        self.quick_key.get_or_try_init(make).await.copied()
    }

    /// A reference string of 128 bits that [`key`](Self::key) allows, made when it is first asked for.
    ///
    /// # Errors
    /// If it is not made.
    pub async fn reference_string(&self) -> Result<CrsId> {
        let make = || async {
            let made = self.user.json(&["crs", "generate", "--max-bits", "128", "--ttl", "120"]).await?;
            ensure!(made["state"] == "fulfilled" && made["responses"][0]["verified"] == true, "{made}");
            let id = CrsId(made["id"].as_u64().context("no id")?);
            self.user.ask(&["key", "crs", &self.key.to_string(), &id.to_string()]).await?;
            Ok(id)
        };
        self.reference_string.get_or_try_init(make).await.copied()
    }

    /// Starts whatever an earlier scenario left stopped.
    ///
    /// # Errors
    /// If something does not start.
    pub async fn settled(&mut self) -> Result<()> {
        self.stack.up().await
    }

    /// A client of the stack's node.
    ///
    /// # Errors
    /// Never on a stack that was made.
    pub fn client(&self) -> Result<Client> {
        self.stack.client()
    }

    /// The contract's address.
    ///
    /// # Errors
    /// If the stack has none.
    pub fn contract(&self) -> Result<&str> {
        self.stack.network().contract.as_deref().context("the stack has no contract")
    }

    /// Asks the contract.
    ///
    /// # Errors
    /// If it refuses, or answers something else.
    pub async fn query<R: DeserializeOwned>(&self, query: &QueryMsg) -> Result<R> {
        Ok(self.client()?.smart_query(self.contract()?, query).await?)
    }

    /// One request.
    ///
    /// # Errors
    /// If there is none with this id.
    pub async fn request(&self, id: RequestId) -> Result<RequestView> {
        self.query(&QueryMsg::Request { id }).await
    }

    /// A raw ciphertext of a `TYPE:VALUE` under the user's key, as a REF: made when it is first asked for.
    ///
    /// # Errors
    /// If the command fails.
    pub async fn encrypt(&self, value: &str) -> Result<String> {
        self.encrypt_all(self.key, &[], &[value]).await?.pop().context("no REF")
    }

    /// The same of several values under one of the user's keys, in another form if there are options for one; a REF of each.
    ///
    /// # Errors
    /// As [`encrypt`](Self::encrypt).
    pub async fn encrypt_all(&self, key: KeyId, form: &[&str], values: &[&str]) -> Result<Vec<String>> {
        let key = key.to_string();
        let command = [&["encrypt", "--key", &key][..], form, &["--value"], values].concat();
        let mut encrypted = self.encrypted.lock().await;
        let words: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        if let Some(references) = encrypted.get(&words) {
            return Ok(references.clone());
        }
        let references: Vec<_> = self.user.ask(&command).await?.lines().map(str::to_owned).collect();
        ensure!(references.len() == values.len(), "{} REFs of {values:?}", references.len());
        encrypted.insert(words, references.clone());
        Ok(references)
    }

    /// A decryption as the command line would ask for it, taken from a request that it made.
    ///
    /// # Errors
    /// If the request is not made.
    pub async fn decryption_of(&self, reference: &str) -> Result<Operation> {
        let id = self.ask_for(&[reference]).await?;
        Ok(self.request(id).await?.body.operation)
    }

    /// Asks for a decryption without waiting for it.
    ///
    /// # Errors
    /// If the command fails.
    pub async fn ask_for(&self, references: &[&str]) -> Result<RequestId> {
        let id = self.user.ask(&[&["decrypt", "--no-wait"], references].concat()).await?;
        id.parse().with_context(|| format!("kms decrypt --no-wait printed {id}"))
    }

    /// Submits operations in one transaction, as the user, with the exact prices.
    ///
    /// # Errors
    /// If the contract refuses one of them.
    pub async fn submit(&self, operations: &[Operation], ttl: Option<u64>) -> Result<Vec<SubmitRequestData>> {
        let account = self.stack.account(AccountName::User)?;
        let mut messages = Vec::with_capacity(operations.len());
        for operation in operations {
            let operation = Box::new(operation.clone());
            let quote: kms_asc_api::Quote =
                self.query(&QueryMsg::Quote { operation: operation.clone(), callback: None }).await?;
            let message = ExecuteMsg::SubmitRequest { operation, ttl, callback: None };
            let funds = [Coin::new(quote.price.u128(), quote.denom)];
            messages.push(Message::execute(account.address(), self.contract()?, &message, &funds)?);
        }
        let outcome = account.send(&messages, &TxOptions::default()).await?;
        (0..operations.len()).map(|message| data(&outcome, message)).collect()
    }

    /// Sends a message whose items have outcomes, as the stranger: whoever brings a receipt may.
    ///
    /// # Errors
    /// If the contract refuses the message as a whole.
    pub async fn outcomes<T: DeserializeOwned>(&self, message: &ExecuteMsg) -> Result<Vec<T>> {
        let account = self.stack.account(AccountName::Other)?;
        let outcome = account.execute(self.contract()?, message, &[], &TxOptions::default()).await?;
        Ok(data::<OutcomesData<T>>(&outcome, 0)?.outcomes)
    }

    /// Waits until a request is terminal.
    ///
    /// # Errors
    /// If that takes too long.
    pub async fn finished(&self, id: RequestId) -> Result<RequestView> {
        eventually(&format!("the end of request {id}"), || async {
            let request = self.request(id).await?;
            Ok((request.state.is_terminal() && !request.due).then_some(request))
        })
        .await
    }

    /// Waits until requests are terminal; all must be fulfilled.
    ///
    /// # Errors
    /// If one is not.
    pub async fn fulfilled(&self, ids: &[RequestId]) -> Result<()> {
        for id in ids {
            let request = self.finished(*id).await?;
            ensure!(
                request.state == State::Fulfilled,
                "request {id}: {:?} {:?}",
                request.state,
                request.reason
            );
        }
        Ok(())
    }

    /// What the operator has earned and not withdrawn.
    ///
    /// # Errors
    /// If the contract does not answer.
    pub async fn earned(&self) -> Result<u128> {
        let address = self.stack.account(AccountName::Operator)?.address().to_owned();
        Ok(self.query::<Credit>(&QueryMsg::Credit { address }).await?.amount.u128())
    }

    /// What the contract owes and owns.
    ///
    /// # Errors
    /// If the contract does not answer.
    pub async fn solvency(&self) -> Result<Solvency> {
        self.query(&QueryMsg::Solvency {}).await
    }

    /// Whether a process of the stack runs.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn runs(&self, process: &str) -> Result<bool> {
        Ok(self.stack.status()?.iter().any(|status| status.name == process && status.pid.is_some()))
    }

    /// Waits until the chain has made so many more blocks.
    ///
    /// # Errors
    /// If the chain stands still.
    pub async fn blocks(&self, more: u64) -> Result<()> {
        let client = self.client()?;
        let start = client.status().await?.latest_height;
        eventually("more blocks", || async {
            Ok((client.status().await?.latest_height >= start + more).then_some(()))
        })
        .await
    }
}

/// A key made by a command.
async fn made(user: &Person, command: &[&str]) -> Result<KeyId> {
    let key = user.ask(command).await?;
    key.parse().with_context(|| format!("kms keygen printed {key}"))
}

fn data<T: DeserializeOwned>(outcome: &TxOutcome, message: usize) -> Result<T> {
    let bytes = outcome.execute_data(message)?;
    serde_json::from_slice(&bytes).context("the contract's data is no JSON of that form")
}

/// Waits for a condition.
///
/// # Errors
/// If it has not come true in two minutes, with the last error if there was one.
pub async fn eventually<T, F>(what: &str, mut probe: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let end = Instant::now() + PATIENCE;
    loop {
        let last = match probe().await {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if Instant::now() > end {
            match last {
                Some(error) => return Err(error.context(format!("waited too long for {what}"))),
                None => bail!("waited too long for {what}"),
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
}
