//! The TypeScript client's examples, as a web developer copies them.

use anyhow::{Context, Result, ensure};
use kms_asc_api::{OperationKind, Page, QueryMsg, RequestId, RequestView, State};
use kms_e2e::{Person, WebClient, World};
use kms_localnet::AccountName;

/// What somebody new is given: enough for a key and much too much for a decryption.
const COINS: u64 = 100_000_000;
/// What a decryption may cost.
const AT_MOST: u128 = 50_000_000;
/// More than the gas of a transaction costs here, far less than anything else that is checked.
const GAS: u128 = 100_000;

pub async fn a_web_client_makes_a_key_has_values_decrypted_and_gets_its_excess_back(
    world: &mut World,
) -> Result<()> {
    let client = WebClient::funded(world, "web-client", COINS).await?;
    let key = client.json(&["keygen"]).await?["key"].to_string();
    let person = Person { wallet: client.wallet.clone(), ..world.user.clone() };
    let values = ["18446744073709551615", "7"];
    let encrypt = [&["encrypt", "--key", &key, "--type", "uint64", "--value"][..], &values].concat();
    let references = person.ask(&encrypt).await?;

    let before = client.balance(world).await?;
    let arguments: Vec<&str> = ["decrypt"].into_iter().chain(references.lines()).collect();
    let report = client.clone().paying_at_most(AT_MOST).json(&arguments).await?;
    ensure!(report["values"] == serde_json::json!(values), "{report}");

    let request = newest_of(world, &client.address).await?;
    ensure!(request.state == State::Fulfilled, "{request:?}");
    ensure!(request.body.operation.kind() == OperationKind::PublicDecrypt, "{request:?}");
    let (price, spent) = (request.body.price.u128(), before - client.balance(world).await?);
    ensure!(price > 0 && spent > price && spent < price + GAS, "{spent} were spent on a price of {price}");
    Ok(())
}

pub async fn a_web_client_hears_why_its_request_was_denied(world: &mut World) -> Result<()> {
    let client = WebClient::funded(world, "web-stranger", COINS).await?;
    let reference = world.encrypt("uint8:9").await?;
    let refused = client.run(&["decrypt", &reference]).await?.expect(1)?;
    let request = newest_of(world, &client.address).await?;
    ensure!(request.state == State::Denied, "{request:?}");
    let says = format!("request {} is denied: permission", request.body.id);
    ensure!(refused.stderr.trim() == says && refused.stdout.is_empty(), "{refused:?}");
    Ok(())
}

pub async fn an_operator_withdraws_its_credit_with_the_web_client(world: &mut World) -> Result<()> {
    let reference = world.encrypt("uint8:9").await?;
    world.user.ask(&["decrypt", &reference]).await?;
    let credit = world.earned().await?;
    ensure!(credit > GAS, "a credit of {credit} is too little to be seen beside the price of gas");

    let operator = WebClient::of(world, world.stack.layout().secret(AccountName::Operator.as_str()))?;
    // The connector owns the operator's sequence; it must not send while somebody else does.
    world.stack.kill("connector").await?;
    let before = operator.balance(world).await?;
    let report = operator.json(&["withdraw"]).await?;
    ensure!(report["withdrawn"]["amount"] == credit.to_string(), "{report} of {credit}");
    ensure!(world.earned().await? == 0, "credit is left after a withdrawal");
    let gained = operator.balance(world).await? - before;
    ensure!(gained < credit && gained > credit - GAS, "{gained} came of a credit of {credit}");

    let refused = operator.run(&["withdraw"]).await?.expect(1)?;
    ensure!(refused.stderr.contains("[no_credit]"), "{refused:?}");
    Ok(())
}

/// The scenarios share a chain, and a page of requests is a bounded scan of all of them.
async fn newest_of(world: &World, requester: &str) -> Result<RequestView> {
    let (mut newest, mut start_after) = (None, None);
    loop {
        let requester = Some(requester.to_owned());
        let query = QueryMsg::Requests { state: None, requester, start_after, limit: None };
        let page: Page<RequestView, RequestId> = world.query(&query).await?;
        newest = page.items.into_iter().last().or(newest);
        if page.next.is_none() {
            return newest.context("no request");
        }
        start_after = page.next;
    }
}
