//! Contracts that ask, and are called back by the ASC: one that is an example, and one that means harm.

use anyhow::{Context, Result, bail, ensure};
use cosmwasm_std::{Binary, CosmosMsg, Empty, WasmMsg};
use kms_asc_api::log::{LogBody, LogEntry};
use kms_asc_api::{
    Callback, Ciphertext, CloseOutcome, Config, ExecuteMsg, KeyGen, KeyId, KeyParams, KeySource, LogPage,
    Operation, Page, PublicDecrypt, QueryMsg, Quote, RequestId, RequestView, State,
};
use kms_chain::{Client, Coin, Gas, Message, TxOptions};
use kms_e2e::{World, eventually};
use kms_example_sealed_bid::msg as auction;
use kms_localnet::AccountName;
use kms_test_receiver::{self as receiver, Manner};
use serde::Serialize;

const CALLBACK_GAS: u64 = 400_000;

fn options() -> TxOptions {
    TxOptions { gas: Gas::with_headroom(100_000), ..TxOptions::default() }
}

/// Stores a contract and makes one of it, with this much money; gives its address.
async fn deploy<M: Serialize>(world: &World, name: &str, message: &M, money: u128) -> Result<String> {
    let code = std::fs::read(world.programs.artifact(name)?)?;
    let account = world.stack.account(AccountName::User)?;
    let stored = account.send(&[Message::store_code(account.address(), &code)?], &options()).await?;
    let (code_id, _) = stored.stored_code(0)?;
    let height = world.client()?.status().await?.latest_height;
    let funds = [Coin::new(money, world.stack.network().denom.clone())];
    let salt = height.to_be_bytes();
    let made = Message::instantiate2(account.address(), code_id, &salt, name, "", message, &funds)?;
    Ok(account.send(&[made], &options()).await?.instantiated_address(0)?)
}

/// What the command line encrypted, as a request says it. Nobody but the key's owner may have it decrypted: the denial
/// on record shows it.
async fn ciphertexts(world: &World, key: KeyId, values: &[&str]) -> Result<Vec<Ciphertext>> {
    let key = key.to_string();
    let references = world.user.ask(&[&["encrypt", "--key", &key, "--value"], values].concat()).await?;
    let references: Vec<&str> = references.lines().collect();
    world.user.run(&[&["decrypt"], references.as_slice()].concat()).await?.expect(4)?;
    let requester = Some(world.stack.account(AccountName::User)?.address().to_owned());
    let (mut start_after, mut newest) = (None, None);
    loop {
        let (state, requester) = (Some(State::Denied), requester.clone());
        let page: Page<RequestView, RequestId> =
            world.query(&QueryMsg::Requests { state, requester, start_after, limit: None }).await?;
        newest = page.items.into_iter().last().or(newest);
        match page.next {
            Some(next) => start_after = Some(next),
            None => break,
        }
    }
    match newest.context("no denial is on record")?.body.operation {
        Operation::PublicDecrypt(operation) => Ok(operation.ciphertexts),
        other => bail!("the newest denial is of {:?}", other.kind()),
    }
}

pub async fn an_auction_of_sealed_bids_is_opened_by_callbacks_and_has_the_right_winner(
    world: &mut World,
) -> Result<()> {
    let now = world.client()?.status().await?.latest_time.seconds;
    let terms = auction::InstantiateMsg {
        asc: world.contract()?.to_owned(),
        key_id: None,
        bidding_ends: now + 36_000,
        opening_ends: now + 72_000,
        callback_gas: CALLBACK_GAS,
        ttl: Some(600),
    };
    let contract = deploy(world, "kms_example_sealed_bid", &terms, 5_000_000).await?;
    let denom = world.stack.network().denom.clone();
    let (seller, other) = (world.stack.account(AccountName::User)?, world.stack.account(AccountName::Other)?);
    let admin = world.stack.account(AccountName::Admin)?;
    let tell = |message| (message, contract.clone());

    let (message, to) = tell(auction::ExecuteMsg::MakeKey {});
    seller.execute(&to, &message, &[], &options()).await?;
    let client: Client = world.client()?;
    let view = || client.smart_query::<_, auction::AuctionView>(&contract, &auction::QueryMsg::Auction {});
    let key = eventually("the auction's key", || async { Ok(view().await?.key_id) }).await?;

    let sealed = ciphertexts(world, key, &["uint64:700", "uint64:1900", "uint64:1800"]).await?;
    for (bidder, ciphertext) in [&seller, &other, &admin].into_iter().zip(sealed) {
        let bid = auction::ExecuteMsg::Bid { ciphertext: Box::new(ciphertext) };
        bidder.execute(&contract, &bid, &[Coin::new(2_000, denom.clone())], &options()).await?;
    }
    seller.execute(&contract, &auction::ExecuteMsg::EndBidding {}, &[], &options()).await?;
    other.execute(&contract, &auction::ExecuteMsg::Open {}, &[], &options()).await?;
    let end = eventually("the end of the auction", || async { Ok(view().await?.end) }).await?;
    let sold = auction::End::Sold { to: other.address().to_owned(), amount: 1_900 };
    ensure!(end == sold, "{end:?}");
    let bids: Vec<auction::BidView> = client.smart_query(&contract, &auction::QueryMsg::Bids {}).await?;
    let opened = [700, 1_900, 1_800].map(|amount| auction::Seal::Opened { amount });
    ensure!(bids.into_iter().map(|bid| bid.seal).eq(opened), "the bids are other ones");
    other.execute(&contract, &auction::ExecuteMsg::Withdraw {}, &[], &options()).await?;
    Ok(())
}

/// A contract that owns a key, and a ciphertext under it.
struct Hostile {
    contract: String,
    operation: Operation,
}

impl Hostile {
    async fn new(world: &World) -> Result<Self> {
        let contract = deploy(world, "kms_test_receiver", &Empty {}, 20_000_000).await?;
        let key_gen = KeyGen { params: KeyParams::Test, source: KeySource::Generate };
        let mut hostile = Self { contract, operation: Operation::KeyGen(key_gen) };
        let made = hostile.ask(world, Some(600)).await?;
        world.fulfilled(&[made]).await?;
        let key_id = KeyId::from(made);
        let ciphertexts = ciphertexts(world, key_id, &["uint8:7"]).await?;
        let (domain, extra_data) = (None, Binary::default());
        hostile.operation =
            Operation::PublicDecrypt(PublicDecrypt { key_id, ciphertexts, domain, extra_data });
        Ok(hostile)
    }

    async fn tell(&self, world: &World, message: &receiver::ExecuteMsg) -> Result<()> {
        let account = world.stack.account(AccountName::User)?;
        account.execute(&self.contract, message, &[], &options()).await?;
        Ok(())
    }

    async fn behave(&self, world: &World, manner: Manner) -> Result<()> {
        self.tell(world, &receiver::ExecuteMsg::Behave(manner)).await
    }

    /// Asks, with a callback.
    async fn ask(&self, world: &World, ttl: Option<u64>) -> Result<RequestId> {
        let operation = Box::new(self.operation.clone());
        let callback = Some(Callback { gas_limit: CALLBACK_GAS });
        let quote = QueryMsg::Quote { operation: operation.clone(), callback: callback.clone() };
        let quote: Quote = world.query(&quote).await?;
        let message = ExecuteMsg::SubmitRequest { operation, ttl, callback };
        let message: CosmosMsg = WasmMsg::Execute {
            contract_addr: world.contract()?.to_owned(),
            msg: serde_json::to_vec(&message)?.into(),
            funds: vec![cosmwasm_std::Coin::new(quote.price, quote.denom)],
        }
        .into();
        self.tell(world, &receiver::ExecuteMsg::Send(vec![message])).await?;
        let requester = Some(self.contract.clone());
        let page: Page<RequestView, RequestId> = world
            .query(&QueryMsg::Requests {
                state: None,
                requester,
                start_after: last_known(world).await?,
                limit: None,
            })
            .await?;
        Ok(page.items.last().context("the contract has asked for nothing")?.body.id)
    }

    async fn results(&self, world: &World) -> Result<usize> {
        let query = receiver::QueryMsg::Results {};
        let results: Vec<serde_json::Value> = world.client()?.smart_query(&self.contract, &query).await?;
        Ok(results.len())
    }
}

/// A request shortly before the newest: a scan that starts there sees all of what was just asked.
async fn last_known(world: &World) -> Result<Option<RequestId>> {
    let mut newest = 0;
    let mut start_after = None;
    loop {
        let page: Page<RequestView, RequestId> = world
            .query(&QueryMsg::Requests { state: None, requester: None, start_after, limit: None })
            .await?;
        newest = page.items.last().map_or(newest, |request| request.body.id.get());
        match page.next {
            Some(next) => start_after = Some(next),
            None => return Ok(newest.checked_sub(5).map(RequestId)),
        }
    }
}

/// What the log says of a request's callback.
async fn callback_failure(world: &World, id: RequestId) -> Result<Option<String>> {
    let mut from = Some(1);
    while let Some(first) = from {
        let page: LogPage = world.query(&QueryMsg::Log { from: first, limit: None }).await?;
        for bytes in page.entries {
            let entry = LogEntry::parse(&bytes)?;
            if let (Some(found), LogBody::CallbackFailed { error }) = (entry.request_id, entry.body)
                && found == id
            {
                return Ok(Some(error));
            }
        }
        from = page.next;
    }
    Ok(None)
}

/// Has a callback burn its gas between two other requests; whether the answers of all three were in one block.
async fn burns_among_neighbours(world: &mut World, hostile: &Hostile, neighbour: &Operation) -> Result<bool> {
    world.stack.kill("connector").await?;
    let before = world.submit(std::slice::from_ref(neighbour), Some(600)).await?[0].request_id;
    let burning = hostile.ask(world, Some(600)).await?;
    let behind = world.submit(std::slice::from_ref(neighbour), Some(600)).await?[0].request_id;
    let earned = world.earned().await?;
    world.settled().await?;
    world.fulfilled(&[before, burning, behind]).await?;
    ensure!(world.earned().await? > earned, "the operator earned nothing");
    let error = callback_failure(world, burning).await?.context("the callback is said to be well")?;
    ensure!(error == "codespace: sdk, code: 11", "{error}");
    let heights = [world.request(before).await?, world.request(burning).await?, world.request(behind).await?];
    let heights = heights.map(|request| request.height);
    Ok(heights.iter().all(|height| *height == heights[0]))
}

/// What burns all its gas, says far too much, or fails only where simulation did not see it.
pub async fn a_hostile_callback_changes_nothing_but_the_log(world: &mut World) -> Result<()> {
    let hostile = Hostile::new(world).await?;
    let reference = world.encrypt("uint8:9").await?;
    let neighbour = world.decryption_of(&reference).await?;

    hostile.behave(world, Manner::Loop).await?;
    // All of them wait when the connector comes back; sooner or later their answers go into one transaction.
    let mut together = false;
    for _ in 0..10 {
        together = burns_among_neighbours(world, &hostile, &neighbour).await?;
        if together {
            break;
        }
    }
    ensure!(together, "the answers never went into one transaction");
    ensure!(hostile.results(world).await? == 1, "what it wrote is undone: it knows of its key alone");

    // Data of a size that the ASC could not even read: it is not asked to.
    hostile.behave(world, Manner::Shout(12_000_000)).await?;
    let shouting = hostile.ask(world, Some(600)).await?;
    let behind = world.submit(std::slice::from_ref(&neighbour), Some(600)).await?[0].request_id;
    world.fulfilled(&[shouting, behind]).await?;

    // Another behaviour in the block than in simulation.
    hostile.behave(world, Manner::Moody).await?;
    for _ in 0..4 {
        let moody = hostile.ask(world, Some(600)).await?;
        world.fulfilled(&[moody]).await?;
    }

    // Closing, which anybody must be able to do.
    hostile.behave(world, Manner::Loop).await?;
    world.stack.kill("connector").await?;
    let config: Config = world.query(&QueryMsg::Config {}).await?;
    let ids = [
        world.submit(std::slice::from_ref(&neighbour), Some(config.ttl_min)).await?[0].request_id,
        hostile.ask(world, Some(config.ttl_min)).await?,
        world.submit(&[neighbour], Some(config.ttl_min)).await?[0].request_id,
    ];
    eventually("the deadline", || async { Ok(world.request(ids[2]).await?.due.then_some(())) }).await?;
    let outcomes: Vec<CloseOutcome> =
        world.outcomes(&ExecuteMsg::Close { request_ids: ids.to_vec() }).await?;
    ensure!(outcomes == [CloseOutcome::Closed(State::Expired); 3], "{outcomes:?}");
    ensure!(callback_failure(world, ids[1]).await?.is_some(), "the callback is said to be well");
    let solvency = world.solvency().await?;
    let owed = solvency.escrow + solvency.credits + solvency.treasury;
    ensure!(solvency.balance == owed + solvency.surplus, "{solvency:?}");
    Ok(())
}
