//! What people came for.

use anyhow::{Result, ensure};
use kms_asc_api::{Config, KeyRecord, OperationKind, QueryMsg, State, operators_share};
use kms_e2e::World;

/// Least, greatest and some other values of each type.
const VALUES: [(&str, &[&str]); 9] = [
    ("bool", &["true", "false"]),
    ("uint4", &["0", "15"]),
    ("uint8", &["0", "255"]),
    ("uint16", &["65535"]),
    ("uint32", &["4294967295"]),
    ("uint64", &["123456789", "18446744073709551615"]),
    ("uint128", &["340282366920938463463374607431768211455"]),
    ("address", &["0x52908400098527886E0F7030069857D2E4169EE7"]),
    ("uint256", &["115792089237316195423570985008687907853269984665640564039457584007913129639935"]),
];

pub async fn a_value_of_each_type_comes_back_as_it_was_encrypted(world: &mut World) -> Result<()> {
    let typed: Vec<_> = VALUES
        .iter()
        .flat_map(|(of, values)| values.iter().map(move |value| format!("{of}:{value}")))
        .collect();
    let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
    let references = world.encrypt_all(world.key, &[], &typed).await?;
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    let mut left = references.iter().copied();
    for (fhe_type, values) in VALUES {
        let decrypt: Vec<&str> = ["decrypt"].into_iter().chain(left.by_ref().take(values.len())).collect();
        let report = world.user.json(&decrypt).await?;
        ensure!(report["state"] == "fulfilled", "{report}");
        ensure!(report["responses"][0]["verified"] == true, "{report}");
        let shown = report["values"].as_array().into_iter().flatten();
        let shown: Vec<&str> = shown.filter_map(|value| value["value"].as_str()).collect();
        ensure!(shown == values, "{fhe_type}: {shown:?}, not {values:?}");
    }
    // All at once, encrypted to their user.
    let shown = world.user.ask(&[&["user-decrypt"], references.as_slice()].concat()).await?;
    ensure!(shown.lines().eq(VALUES.iter().flat_map(|(_, values)| values.iter().copied())), "{shown}");
    Ok(())
}

pub async fn several_values_of_one_request_are_answered_together(world: &mut World) -> Result<()> {
    let (small, large) = (world.encrypt("uint8:9").await?, world.encrypt("uint64:99").await?);
    let shown = world.user.ask(&["decrypt", &small, &large, &small]).await?;
    ensure!(shown == "9\n99\n9", "{shown}");
    Ok(())
}

pub async fn fifty_requests_in_one_transaction_are_all_answered(world: &mut World) -> Result<()> {
    let reference = world.encrypt("uint8:9").await?;
    let operation = world.decryption_of(&reference).await?;
    let submitted = world.submit(&vec![operation; 50], None).await?;
    let ids: Vec<_> = submitted.iter().map(|request| request.request_id).collect();
    let heights = {
        let mut heights = Vec::new();
        for id in &ids {
            heights.push(world.request(*id).await?.body.height);
        }
        heights.dedup();
        heights
    };
    ensure!(heights.len() == 1, "the requests are in blocks {heights:?}, not in one");
    ensure!(ids.windows(2).all(|pair| pair[0].get() + 1 == pair[1].get()), "ids are not dense: {ids:?}");
    world.fulfilled(&ids).await
}

pub async fn refs_of_one_call_can_be_requests_of_their_own(world: &mut World) -> Result<()> {
    let first = world.encrypt("uint8:9").await?;
    let second = world.encrypt("uint64:99").await?;
    let said = world.user.ask(&["decrypt", &first, &second, "--each"]).await?;
    ensure!(said == "9\n99", "{said}");
    let wallet = world.stack.layout().secret(kms_localnet::AccountName::Other.as_str());
    let stranger = kms_e2e::Person { wallet, ..world.user.clone() };
    let denied = stranger.run(&["decrypt", &first, &second, "--each"]).await?.expect(4)?;
    ensure!(
        denied.stderr.contains("submitting 2 requests") && denied.stdout.contains("denied"),
        "{denied:?}"
    );
    let ids = world.user.ask(&["decrypt", &first, &second, "--each", "--no-wait"]).await?;
    let ids: Vec<u64> = ids.lines().map(str::parse).collect::<Result<_, _>>()?;
    ensure!(ids.len() == 2 && ids[0] + 1 == ids[1], "{ids:?}");
    let ids: Vec<_> = ids.into_iter().map(kms_asc_api::RequestId).collect();
    let (one, other) = (world.request(ids[0]).await?, world.request(ids[1]).await?);
    ensure!(one.body.height == other.body.height, "they are not in one transaction");
    world.fulfilled(&ids).await
}

pub async fn the_operator_earns_its_share_once_and_withdraws_it(world: &mut World) -> Result<()> {
    let config: Config = world.query(&QueryMsg::Config {}).await?;
    let (before, treasury) = (world.earned().await?, world.solvency().await?.treasury);
    let reference = world.encrypt("uint8:9").await?;
    let report = world.user.json(&["decrypt", &reference]).await?;
    let price: u128 = report["price"].as_str().unwrap_or_default().parse()?;
    let share = operators_share(&config, price.into(), None)?.u128();
    ensure!(share > 0 && share < price, "a share of {share} of {price}");
    ensure!(world.earned().await? == before + share, "the operator earned something else than {share}");
    let gained = world.solvency().await?.treasury.u128() - treasury.u128();
    ensure!(gained == price - share, "the treasury gained {gained}");
    let key: KeyRecord = world.query(&QueryMsg::Key { id: world.key }).await?;
    let made = world.request(kms_asc_api::RequestId(key.id.get())).await?;
    ensure!(made.state == State::Fulfilled && made.body.operation.kind() == OperationKind::KeyGen);

    let operator = kms_e2e::Person {
        wallet: world.stack.layout().secret(kms_localnet::AccountName::Operator.as_str()),
        ..world.user.clone()
    };
    // The connector owns the operator's sequence; it must not send while somebody else does.
    world.stack.kill("connector").await?;
    operator.ask(&["withdraw"]).await?;
    ensure!(world.earned().await? == 0, "credit is left after a withdrawal");
    operator.run(&["withdraw"]).await?.expect(4)?;
    Ok(())
}
