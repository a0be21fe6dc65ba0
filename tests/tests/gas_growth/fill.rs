//! Requests, many of them.

use anyhow::{Result, ensure};
use cosmwasm_std::Binary;
use futures::future::try_join_all;
use kms_asc_api::{
    Ciphertext, CiphertextFormat, Digest, ExecuteMsg, FheType, Handle, KeyId, Operation, Page, Provenance,
    PublicDecrypt, QueryMsg, RequestId, RequestView,
};
use kms_chain::{Gas, TxOptions};
use kms_e2e::Bench;

/// Requests in a transaction, and transactions on their way at once.
const IN_A_TRANSACTION: u64 = 40;
const AT_ONCE: u64 = 12;
/// More than one request uses.
const GAS: u64 = 150_000;
/// Most ciphertexts of a request, and how many such requests fill more than one page.
const LARGE: u64 = 64;
const LARGE_REQUESTS: u64 = 20;
/// Shortest time to answer.
const TTL: u64 = 5;

/// A decryption of values that no other request names.
pub fn decryption(key_id: KeyId, seed: u64, ciphertexts: u64) -> Operation {
    Operation::PublicDecrypt(PublicDecrypt {
        key_id,
        ciphertexts: (0..ciphertexts).map(|number| ciphertext(seed, number)).collect(),
        domain: None,
        extra_data: Binary::default(),
    })
}

fn ciphertext(seed: u64, number: u64) -> Ciphertext {
    let digest = Digest::sha256(&[seed.to_be_bytes(), number.to_be_bytes()].concat());
    let mut handle = *Digest::sha256(digest.as_bytes()).as_bytes();
    handle[30] = FheType::Uint64.number();
    Ciphertext {
        handle: Handle::new(handle),
        digest,
        size: 900_000,
        fhe_type: FheType::Uint64,
        format: CiphertextFormat::Raw,
        index: 0,
        provenance: Provenance::Unproven,
    }
}

/// How many requests are stored: ids are dense, so the id after which no page follows.
pub async fn stored(bench: &Bench) -> Result<u64> {
    let is_there = |id: u64| async move {
        let query = QueryMsg::Requests {
            state: None,
            requester: None,
            start_after: Some(RequestId(id - 1)),
            limit: Some(1),
        };
        let page: Page<RequestView, RequestId> = bench.query(&query).await?;
        anyhow::Ok(!page.items.is_empty())
    };
    let (mut there, mut beyond) = (1u64, 1u64 << 32);
    while beyond - there > 1 {
        let middle = u64::midpoint(there, beyond);
        if is_there(middle).await? {
            there = middle;
        } else {
            beyond = middle;
        }
    }
    Ok(there)
}

/// Adds requests until so many are stored. Nobody answers them, so the list of open ones is as long.
pub async fn up_to(bench: &Bench, key: KeyId, goal: u64) -> Result<()> {
    let mut count = stored(bench).await?;
    ensure!(count <= goal, "{count} requests are stored already, more than {goal}");
    while count < goal {
        let wave = (goal - count).min(IN_A_TRANSACTION * AT_ONCE);
        let full = wave / IN_A_TRANSACTION;
        let sizes = (0..full).map(|_| IN_A_TRANSACTION).chain([wave % IN_A_TRANSACTION]);
        let mut first = count;
        let mut sending = Vec::new();
        for size in sizes.filter(|size| *size > 0) {
            sending.push(send(bench, key, first, size, 1));
            first += size;
        }
        try_join_all(sending).await?;
        if count / 5_000 != first / 5_000 {
            println!("{first} requests are stored");
        }
        count = first;
    }
    Ok(())
}

/// Adds requests of as many ciphertexts as a request may have.
pub async fn with_large_ones(bench: &Bench, key: KeyId) -> Result<()> {
    for number in 0..LARGE_REQUESTS {
        send(bench, key, u64::MAX - number, 1, LARGE).await?;
    }
    Ok(())
}

async fn send(bench: &Bench, key: KeyId, seed: u64, requests: u64, ciphertexts: u64) -> Result<()> {
    let price = bench.price(&decryption(key, seed, ciphertexts)).await?;
    let messages = (0..requests).map(|number| {
        let operation = Box::new(decryption(key, seed.wrapping_add(number), ciphertexts));
        let message = ExecuteMsg::SubmitRequest { operation, ttl: Some(TTL), callback: None };
        bench.message(&bench.owner, &message, price)
    });
    let gas = Gas::Limit(200_000 + requests * GAS + ciphertexts * 20_000);
    let options = TxOptions { gas, ..TxOptions::default() };
    bench.owner.send(&messages.collect::<Result<Vec<_>>>()?, &options).await?;
    Ok(())
}
