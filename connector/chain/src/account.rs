//! The one owner of an account's sequence.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, sleep},
};

use crate::{
    Broadcast, Client, Coin, Error, Fraction, Gas, GasPrice, Message, Result, SignedTx, TxHash, TxOptions,
    TxOutcome, Wallet,
    tx::{Draft, Signing},
};

/// How often a wrong sequence is corrected before giving up: another signer may steal it each time.
const SEQUENCE_ATTEMPTS: u32 = 8;
/// How many signed transactions are remembered: more than can be pending at a time.
const ISSUED: usize = 512;
/// First and longest pause before the next try at a node that is full or does not answer.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Choices that hold for all transactions of an account.
#[derive(Debug, Clone)]
pub struct AccountConfig {
    /// Chain id, part of what is signed.
    pub chain_id: String,
    /// Price of gas.
    pub gas_price: GasPrice,
    /// Factor on simulated gas. Default 1.3; below 1.1 transactions run out of gas.
    pub gas_factor: Fraction,
    /// For how many blocks a transaction may be included. Default 50.
    pub timeout_blocks: u64,
    /// How often [`Account::send`] signs anew what provably had no effect. Default 2.
    pub resend: u32,
    /// How long [`Account::send`] keeps offering a transaction to a node whose mempool is full or
    /// that does not answer. Default 30 s.
    pub patience: Duration,
}

impl AccountConfig {
    /// The defaults for this chain and gas price.
    pub fn new(chain_id: impl Into<String>, gas_price: GasPrice) -> Self {
        Self {
            chain_id: chain_id.into(),
            gas_price,
            gas_factor: Fraction::constant(13, 10),
            timeout_blocks: 50,
            resend: 2,
            patience: Duration::from_secs(30),
        }
    }
}

/// An account that sends transactions: **the one owner of its sequence**. Two of them for one key, in
/// one process or in two, get in each other's way (they recover, but slowly).
///
/// Cheap to clone; clones share the sequence, and any number of tasks may call at once: preparing
/// and sending are done one after another, confirming is not. Many transactions go into one block,
/// because the sequence is counted here and corrected when the node disagrees. A transaction that
/// vanished from the mempool, or a dropped future, costs one correction and blocks nothing.
///
/// Two ways to use it:
/// * [`execute`](Self::execute) and [`send`](Self::send) do all the steps;
/// * [`prepare`](Self::prepare), [`broadcast`](Self::broadcast), [`confirm`](Self::confirm) let the
///   caller store the signed transaction between the steps.
#[derive(Debug, Clone)]
pub struct Account {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    client: Client,
    wallet: Wallet,
    config: AccountConfig,
    known: Mutex<Known>,
}

/// What is believed of the account.
#[derive(Debug, Default)]
struct Known {
    number: Option<u64>,
    next: Option<u64>,
    /// Hashes of the last transactions signed here, oldest first.
    issued: VecDeque<TxHash>,
}

impl Account {
    /// Takes charge of the wallet's account. Nothing is asked of the node yet.
    pub fn new(client: Client, wallet: Wallet, config: AccountConfig) -> Self {
        let known = Mutex::default();
        Self { inner: Arc::new(Inner { client, wallet, config, known }) }
    }

    /// Address.
    pub fn address(&self) -> &str {
        self.inner.wallet.address()
    }

    /// The client in use.
    pub fn client(&self) -> &Client {
        &self.inner.client
    }

    /// The configuration in use.
    pub fn config(&self) -> &AccountConfig {
        &self.inner.config
    }

    /// Calls a contract: one message, all steps. See [`send`](Self::send).
    pub async fn execute<M: Serialize + ?Sized>(
        &self,
        contract: &str,
        message: &M,
        funds: &[Coin],
        options: &TxOptions,
    ) -> Result<TxOutcome> {
        let message = Message::execute(self.address(), contract, message, funds)?;
        self.send(&[message], options).await
    }

    /// Simulates, signs, broadcasts and confirms. The messages take effect all or none.
    ///
    /// What provably had no effect (not included by its timeout height, or behind a failed one of
    /// the same account) is signed anew, `resend` times.
    ///
    /// # Errors
    /// [`Error::Simulation`] before anything is sent, with the contract's text in
    /// [`Error::contract_message`]; [`Error::TxFailed`] if it failed in a block. After other errors
    /// that are [uncertain](Error::is_uncertain) the transaction may be included.
    pub async fn send(&self, messages: &[Message], options: &TxOptions) -> Result<TxOutcome> {
        let mut resends = 0;
        loop {
            let tx = self.submit(messages, options).await?;
            let outcome = self.confirm(&tx).await.and_then(TxOutcome::into_result);
            match outcome {
                Err(error) if had_no_effect(&error) && resends < self.inner.config.resend => {
                    resends += 1;
                    tracing::info!(hash = %tx.hash, %error, resends, "transaction is signed anew");
                }
                other => return other,
            }
        }
    }

    /// Simulates (unless the gas is given), signs, and reserves the sequence. Nothing is sent.
    pub async fn prepare(&self, messages: &[Message], options: &TxOptions) -> Result<SignedTx> {
        let mut known = self.inner.known.lock().await;
        self.prepare_locked(&mut known, messages, options).await
    }

    /// Offers a prepared transaction to the node, once. Safe to repeat, also after a restart.
    ///
    /// On [`Error::SequenceMismatch`] the transaction is in a block already, or void: confirm it if
    /// it may have been sent before, else prepare its messages anew.
    pub async fn broadcast(&self, tx: &SignedTx) -> Result<Broadcast> {
        let mut known = self.inner.known.lock().await;
        self.broadcast_locked(&mut known, tx).await
    }

    /// Waits for a prepared transaction's block. See [`Client::confirm`]; the outcome may be a
    /// failure.
    pub async fn confirm(&self, tx: &SignedTx) -> Result<TxOutcome> {
        let from = tx.prepared_at.saturating_add(1);
        let outcome = self.inner.client.confirm(tx.hash, from, tx.timeout_height).await;
        let sequence_unused = match &outcome {
            Err(Error::NotIncluded { .. }) => true,
            Ok(outcome) => outcome.code != 0 && outcome.events.is_empty(),
            Err(_) => false,
        };
        if sequence_unused {
            self.inner.known.lock().await.next = None;
        }
        outcome
    }

    /// Brings the messages into the mempool, or as near to it as can be known.
    async fn submit(&self, messages: &[Message], options: &TxOptions) -> Result<SignedTx> {
        let mut known = self.inner.known.lock().await;
        let mut attempt = 1;
        loop {
            let tx = self.prepare_locked(&mut known, messages, options).await?;
            match self.offer(&mut known, &tx).await {
                Ok(()) => return Ok(tx),
                Err(Error::SequenceMismatch { expected, got }) if attempt < SEQUENCE_ATTEMPTS => {
                    tracing::debug!(?expected, got, attempt, "sequence corrected");
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Offers the transaction until the node takes or refuses it. Once an answer was lost, the node
    /// may have it: then a wrong sequence or lasting silence is left to confirmation.
    async fn offer(&self, known: &mut MutexGuard<'_, Known>, tx: &SignedTx) -> Result<()> {
        let since = Instant::now();
        let mut pause = BACK_OFF.0;
        let mut uncertain = false;
        loop {
            let error = match self.broadcast_locked(known, tx).await {
                // Another signer of this key sent these very bytes: they are his, not ours.
                Ok(Broadcast::AlreadyKnown) if !uncertain => {
                    known.next = None;
                    return Err(Error::SequenceMismatch { expected: None, got: tx.sequence });
                }
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            uncertain |= error.is_uncertain();
            let patient = since.elapsed() < self.inner.config.patience;
            match error {
                Error::SequenceMismatch { .. } if uncertain => return Ok(()),
                error if error.is_uncertain() || matches!(error, Error::MempoolFull { .. }) => {
                    if !patient {
                        return if uncertain { Ok(()) } else { Err(error) };
                    }
                    tracing::debug!(hash = %tx.hash, %error, "transaction is offered again");
                    sleep(pause).await;
                    pause = pause.saturating_mul(2).min(BACK_OFF.1);
                }
                error => return Err(error),
            }
        }
    }

    async fn broadcast_locked(&self, known: &mut MutexGuard<'_, Known>, tx: &SignedTx) -> Result<Broadcast> {
        let answer = self.inner.client.broadcast(self.address(), tx).await;
        if let Err(error) = &answer {
            known.learn(tx, error);
        }
        answer
    }

    async fn prepare_locked(
        &self,
        known: &mut MutexGuard<'_, Known>,
        messages: &[Message],
        options: &TxOptions,
    ) -> Result<SignedTx> {
        let Inner { client, wallet, config, .. } = &*self.inner;
        let prepared_at = client.status().await?.latest_height;
        let blocks = options.timeout_blocks.unwrap_or(config.timeout_blocks);
        let timeout_height = prepared_at.saturating_add(blocks);
        let draft = Draft { messages, memo: &options.memo, prepared_at, timeout_height };
        let price = options.gas_price.as_ref().unwrap_or(&config.gas_price);
        let mut attempt = 1;
        loop {
            let (account_number, sequence) = self.number_and_sequence(known).await?;
            let signing = Signing { wallet, chain_id: &config.chain_id, account_number, sequence };
            match self.gas_limit(&draft, &signing, options.gas, price).await {
                Ok(gas_limit) => {
                    let tx = known.sign_once(&draft, &signing, gas_limit, price);
                    known.next = sequence.checked_add(1);
                    return Ok(tx);
                }
                Err(Error::SequenceMismatch { expected, .. }) if attempt < SEQUENCE_ATTEMPTS => {
                    known.next = expected;
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn number_and_sequence(&self, known: &mut MutexGuard<'_, Known>) -> Result<(u64, u64)> {
        if let (Some(number), Some(next)) = (known.number, known.next) {
            return Ok((number, next));
        }
        let account = self.inner.client.account(self.address()).await?;
        known.number = Some(account.number);
        let next = *known.next.get_or_insert(account.sequence);
        Ok((account.number, next))
    }

    async fn gas_limit(
        &self,
        draft: &Draft<'_>,
        signing: &Signing<'_>,
        gas: Gas,
        price: &GasPrice,
    ) -> Result<u64> {
        let (factor, headroom) = match gas {
            Gas::Limit(limit) => return Ok(limit),
            Gas::Simulated { factor, headroom } => (factor.unwrap_or(self.inner.config.gas_factor), headroom),
        };
        let bytes = draft.unsigned(signing, &Coin::new(1, price.denom()));
        let used = self.inner.client.simulate(self.address(), signing.sequence, bytes).await?;
        let limit = factor.mul_ceil(used).saturating_add(u128::from(headroom));
        u64::try_from(limit).map_err(|_| Error::InvalidValue {
            what: "gas limit",
            value: limit.to_string(),
            reason: "above 64 bits".into(),
        })
    }
}

impl Known {
    /// Signs, but never the same bytes twice: after a corrected sequence, two calls with equal
    /// messages would else be one transaction, and each caller would take its block for his own. One
    /// more unit of gas makes the difference.
    fn sign_once(
        &mut self,
        draft: &Draft<'_>,
        signing: &Signing<'_>,
        gas: u64,
        price: &GasPrice,
    ) -> SignedTx {
        let mut gas_limit = gas;
        let mut tx = draft.sign(signing, gas_limit, price.fee(gas_limit));
        while self.issued.contains(&tx.hash) {
            let Some(more) = gas_limit.checked_add(1) else { break };
            gas_limit = more;
            tx = draft.sign(signing, gas_limit, price.fee(gas_limit));
        }
        if self.issued.len() == ISSUED {
            self.issued.pop_front();
        }
        self.issued.push_back(tx.hash);
        tx
    }

    fn forget(&mut self) {
        (self.number, self.next) = (None, None);
    }

    /// Corrects the belief by what the node said of a transaction.
    fn learn(&mut self, tx: &SignedTx, error: &Error) {
        match error {
            Error::SequenceMismatch { expected, .. } => self.next = *expected,
            Error::SignatureRefused { .. } | Error::UnknownAccount { .. } => self.forget(),
            error if error.is_uncertain() => {}
            // Not taken: its sequence is free again, unless a later one was given out already.
            _ if self.next == tx.sequence.checked_add(1) => self.next = Some(tx.sequence),
            _ => {}
        }
    }
}

fn had_no_effect(error: &Error) -> bool {
    match error {
        Error::NotIncluded { .. } => true,
        Error::TxFailed(outcome) => outcome.failure().is_some_and(crate::Failure::is_retryable),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
