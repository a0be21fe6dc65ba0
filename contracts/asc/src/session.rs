//! What one message works on: state, money and log, read once and written once.

use cosmwasm_std::{
    Addr, BankMsg, Binary, Coin, CosmosMsg, DepsMut, Env, Response, Storage, SubMsg, Uint128,
};
use kms_asc_api::event::Event;
use kms_asc_api::log::{LogBody, LogEntry, LogHead};
use kms_asc_api::{
    Config, DefaultDomains, Eip712Domain, Epoch, EpochId, KeyId, KeyRecord, RequestId, Terms, Totals,
    state_key,
};

use crate::ContractError;
use crate::accounts::{Accounts, Held};
use crate::domain::default_domain;
use crate::refund::Refund;

/// One message's view of the contract. Money and log are kept here and written by [`Session::commit`].
pub struct Session<'a> {
    /// Storage, chain functions, queries.
    pub deps: DepsMut<'a>,
    /// Block and contract.
    pub env: Env,
    /// The parameters.
    pub config: Config,
    paused: bool,
    /// Revoked epochs, ascending.
    revoked: Vec<EpochId>,
    domains: DefaultDomains,
    actor: Addr,
    /// Read when money first moves.
    totals: Option<Held<Totals>>,
    log: Held<LogHead>,
    accounts: Accounts,
    epoch: Option<Epoch>,
    /// The last key asked for.
    key: Option<KeyRecord>,
    /// The last domain asked for, with its key.
    domain: Option<(KeyId, Eip712Domain)>,
    events: Vec<Event>,
    messages: Vec<SubMsg>,
    /// What runs foreign code: sent when all else is done.
    last: Vec<SubMsg>,
}

impl<'a> Session<'a> {
    /// Opens the contract for a message of `actor`.
    pub fn open(deps: DepsMut<'a>, env: Env, actor: Addr) -> Result<Self, ContractError> {
        let Terms { config, paused, revoked, domains } = load_terms(deps.storage)?;
        let log = Held::new(load_log_head(deps.storage)?);
        let accounts = Accounts::default();
        let (events, messages, last) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self {
            deps,
            env,
            config,
            paused,
            revoked,
            domains,
            actor,
            totals: None,
            log,
            accounts,
            epoch: None,
            key: None,
            domain: None,
            events,
            messages,
            last,
        })
    }

    /// Who sent the message; the contract itself in a reply.
    pub const fn actor(&self) -> &Addr {
        &self.actor
    }

    /// Refuses anybody but the admin.
    pub fn require_admin(&self) -> Result<(), ContractError> {
        if state_key::ADMIN.load(self.deps.storage)? == self.actor {
            return Ok(());
        }
        Err(ContractError::Unauthorized { sender: self.actor.to_string(), needed: "the admin" })
    }

    /// The record of a key that must exist.
    pub fn existing_key(&self, id: KeyId) -> Result<KeyRecord, ContractError> {
        state_key::KEY.may_load(self.deps.storage, id.get())?.ok_or(ContractError::UnknownKey(id))
    }

    /// A key's record, for its owner alone.
    pub fn owned_key(&self, id: KeyId) -> Result<KeyRecord, ContractError> {
        let key = self.existing_key(id)?;
        if key.owner == self.actor.as_str() {
            return Ok(key);
        }
        Err(ContractError::Unauthorized { sender: self.actor.to_string(), needed: "the key's owner" })
    }

    /// Block time in seconds.
    pub fn now(&self) -> u64 {
        self.env.block.time.seconds()
    }

    /// Block height.
    pub fn height(&self) -> u64 {
        self.env.block.height
    }

    /// The record of a key that a request uses; the last one asked for is kept, since requests for one key come
    /// together. No message that asks for keys here changes one.
    pub fn used_key(&mut self, id: KeyId) -> Result<KeyRecord, ContractError> {
        match &self.key {
            Some(key) if key.id == id => Ok(key.clone()),
            _ => {
                let key = self.existing_key(id)?;
                Ok(self.key.insert(key).clone())
            }
        }
    }

    /// An epoch's record; the last one asked for is kept.
    pub fn epoch(&mut self, id: EpochId) -> Result<&Epoch, ContractError> {
        if self.epoch.as_ref().is_none_or(|epoch| epoch.id != id) {
            self.epoch = None;
        }
        match &mut self.epoch {
            Some(epoch) => Ok(epoch),
            none => Ok(none.insert(state_key::EPOCH.load(self.deps.storage, id.get())?)),
        }
    }

    /// Whether new requests are refused.
    pub const fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether an epoch was revoked.
    pub fn is_revoked(&self, id: EpochId) -> bool {
        self.revoked.contains(&id)
    }

    /// Replaces the parameters.
    pub fn set_config(&mut self, config: Config) -> Result<(), ContractError> {
        state_key::CONFIG.save(self.deps.storage, &config)?;
        if config.key_domain != self.config.key_domain {
            // Keys that were asked for before may have been made under the old parameters.
            self.domains.since = KeyId(state_key::NEXT_ID.load(self.deps.storage)?);
        }
        self.config = config;
        self.save_terms();
        Ok(())
    }

    /// Refuses new requests, or takes them again.
    pub fn set_paused(&mut self, paused: bool) -> Result<(), ContractError> {
        state_key::PAUSED.save(self.deps.storage, &paused)?;
        self.paused = paused;
        self.save_terms();
        Ok(())
    }

    /// Stores that an epoch is revoked.
    pub fn set_revoked(&mut self, epoch: &Epoch) -> Result<(), ContractError> {
        state_key::EPOCH.save(self.deps.storage, epoch.id.get(), epoch)?;
        self.revoked.push(epoch.id);
        self.revoked.sort_unstable();
        self.save_terms();
        Ok(())
    }

    fn save_terms(&mut self) {
        let (config, revoked, domains) = (self.config.clone(), self.revoked.clone(), self.domains.clone());
        let terms = Terms { config, paused: self.paused, revoked, domains };
        self.deps.storage.set(state_key::TERMS, &terms.encode());
    }

    /// The epoch that holds what is made now.
    pub fn newest_epoch(&self) -> Result<EpochId, ContractError> {
        Ok(EpochId(state_key::NEWEST_EPOCH.load(self.deps.storage)?))
    }

    /// The domain under which a key answers, which is fixed for good: read, unless the parameters still give the same.
    /// The last one asked for is kept, since answers to one key's requests come together.
    pub fn key_domain(&mut self, id: KeyId) -> Result<&Eip712Domain, ContractError> {
        let domain = match self.domain.take() {
            Some((key, domain)) if key == id => domain,
            _ if self.domains.include(id, &self.env.block.chain_id) => default_domain(self, id)?,
            _ => state_key::KEY.load(self.deps.storage, id.get())?.domain,
        };
        Ok(&self.domain.insert((id, domain)).1)
    }

    /// Appends an entry to the log.
    pub fn record(&mut self, request_id: Option<RequestId>, body: LogBody) -> Result<(), ContractError> {
        let seq = self.log.now.count.checked_add(1).ok_or(ContractError::Overflow)?;
        let entry = LogEntry {
            seq,
            height: self.height(),
            time: self.now(),
            actor: self.actor.to_string(),
            request_id,
            body,
        };
        let bytes = entry.encode()?;
        self.log.now = self.log.now.extend(&bytes).ok_or(ContractError::Overflow)?;
        state_key::LOG.save(self.deps.storage, seq, &bytes);
        Ok(())
    }

    /// Emits an event.
    pub fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// All that the contract owes or owns in the configured denomination.
    pub fn totals(&mut self) -> Result<&mut Totals, ContractError> {
        let held = match &mut self.totals {
            Some(held) => held,
            none => none.insert(Held::new(state_key::TOTALS.load(self.deps.storage)?)),
        };
        Ok(&mut held.now)
    }

    /// Takes a price into escrow.
    pub fn escrow(&mut self, price: Uint128) -> Result<(), ContractError> {
        let totals = self.totals()?;
        totals.escrow = totals.escrow.checked_add(price)?;
        Ok(())
    }

    /// Takes a price out of escrow, to be distributed at once.
    pub fn release(&mut self, price: Uint128) -> Result<(), ContractError> {
        let totals = self.totals()?;
        totals.escrow = totals.escrow.checked_sub(price)?;
        Ok(())
    }

    /// Credits an address.
    pub fn credit(&mut self, address: &Addr, amount: Uint128) -> Result<(), ContractError> {
        if amount.is_zero() {
            return Ok(());
        }
        let totals = self.totals()?;
        totals.credits = totals.credits.checked_add(amount)?;
        let credit = self.accounts.credit(self.deps.storage, address)?;
        *credit = credit.checked_add(amount)?;
        Ok(())
    }

    /// How many requests of an address are pending.
    pub fn pending(&mut self, address: &Addr) -> Result<&mut u32, ContractError> {
        self.accounts.pending(self.deps.storage, address)
    }

    /// Takes all credit of an address away; zero if it has none.
    pub fn take_credit(&mut self, address: &Addr) -> Result<Uint128, ContractError> {
        let credit = std::mem::take(self.accounts.credit(self.deps.storage, address)?);
        let totals = self.totals()?;
        totals.credits = totals.credits.checked_sub(credit)?;
        Ok(credit)
    }

    /// Takes an amount out of the treasury, to be paid out at once.
    pub fn take_from_treasury(&mut self, amount: Uint128) -> Result<(), ContractError> {
        let totals = self.totals()?;
        let left = totals.treasury.checked_sub(amount);
        let (given, allowed) = (amount, totals.treasury);
        totals.treasury = left.map_err(|_| ContractError::OverTreasury { given, allowed })?;
        Ok(())
    }

    /// Hands a message to the chain, whose failure is this message's.
    pub fn send(&mut self, message: impl Into<CosmosMsg>) {
        self.messages.push(SubMsg::new(message.into()));
    }

    /// Hands a submessage to the chain behind all others: foreign code must not run while money is on its way.
    pub fn send_last(&mut self, message: SubMsg) {
        self.last.push(message);
    }

    /// Puts an amount into the treasury.
    pub fn add_to_treasury(&mut self, amount: Uint128) -> Result<(), ContractError> {
        let totals = self.totals()?;
        totals.treasury = totals.treasury.checked_add(amount)?;
        Ok(())
    }

    /// Sends money out. If the bank refuses, the message fails.
    pub fn pay(&mut self, to: &Addr, amount: Uint128) {
        if !amount.is_zero() {
            self.messages.push(SubMsg::new(self.bank_send(to, amount)));
        }
    }

    /// Sends a refund. If the bank refuses, it becomes credit.
    pub fn refund(&mut self, request_id: RequestId, to: &Addr, amount: Uint128) -> Result<(), ContractError> {
        if !amount.is_zero() {
            let refund = Refund { request_id, address: to.clone(), amount };
            self.messages.push(refund.submessage(self.bank_send(to, amount))?);
        }
        Ok(())
    }

    fn bank_send(&self, to: &Addr, amount: Uint128) -> BankMsg {
        let amount = vec![Coin::new(amount, self.config.denom.clone())];
        BankMsg::Send { to_address: to.to_string(), amount }
    }

    /// Writes money and log, and gives what the chain is told.
    pub fn commit(self, data: Binary) -> Result<Response, ContractError> {
        self.accounts.write(self.deps.storage)?;
        if let Some(totals) = self.totals.as_ref().and_then(Held::changed) {
            state_key::TOTALS.save(self.deps.storage, totals)?;
        }
        if let Some(log) = self.log.changed() {
            self.deps.storage.set(state_key::LOG_HEAD, &log.encode());
        }
        let events = self.events.into_iter().map(cosmwasm_std::Event::from);
        let mut response = Response::new().add_events(events);
        response = response.add_submessages(self.messages).add_submessages(self.last);
        if !data.is_empty() {
            response = response.set_data(data);
        }
        Ok(response)
    }
}

fn load_terms(storage: &dyn Storage) -> Result<Terms, ContractError> {
    let bytes =
        storage.get(state_key::TERMS).ok_or_else(|| ContractError::NotFound("record of terms".to_owned()))?;
    Ok(Terms::decode(&bytes)?)
}

/// The head of the log.
pub fn load_log_head(storage: &dyn Storage) -> Result<LogHead, ContractError> {
    match storage.get(state_key::LOG_HEAD) {
        Some(bytes) => Ok(LogHead::decode(&bytes)?),
        None => Ok(LogHead::EMPTY),
    }
}
