//! What only the chain's governance can do. On this chain that is the one validator, and it votes at once.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use kms_chain::{Client, GasPrice};
use kms_config::Network;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::node::{KEYRING, Node, VALIDATOR, text};

/// How long a vote is open. Proposal and vote are one transaction, so nobody has to hurry.
const VOTING_PERIOD: &str = "0.400s";
/// A proposal in haste would be voted on in less; the chain wants it shorter than the other.
const EXPEDITED_VOTING_PERIOD: &str = "0.200s";
/// The module that pins codes listens to nobody else: the address of the module `gov` on an unmodified `wasmd`.
const AUTHORITY: &str = "wasm10d07y265gmmuvt4z0w9aw880jnsr700js7zslc";
/// The chain's first proposal has this number.
const FIRST_PROPOSAL: u64 = 1;
/// More than a proposal and a vote use.
const GAS: u64 = 500_000;
/// What is at stake for who proposes, in the smallest unit: the least that the chain takes.
const DEPOSIT: u64 = 10_000_000;
/// How long a busy machine may take to the end of the vote.
const PATIENCE: Duration = Duration::from_secs(30);

/// Has votes end at once, in a chain's first block.
pub(crate) fn hasten(genesis: &mut Value) -> Result<()> {
    let params = genesis
        .pointer_mut("/app_state/gov/params")
        .context("the genesis file has no app_state.gov.params")?;
    for (name, period) in
        [("voting_period", VOTING_PERIOD), ("expedited_voting_period", EXPEDITED_VOTING_PERIOD)]
    {
        *params
            .get_mut(name)
            .with_context(|| format!("the genesis file has no app_state.gov.params.{name}"))? = period.into();
    }
    Ok(())
}

impl Node {
    /// Has a code kept compiled in the node's memory, by a proposal that the validator makes and accepts: each call of
    /// it then costs some 58,000 gas less. For the first proposal of a chain only.
    pub(crate) async fn pin_code(&self, client: &Client, network: &Network, code_id: u64) -> Result<()> {
        let validator = self.validator().await?;
        let unsigned = self.file("pin_code.json");
        let signed = self.file("pin_code.signed.json");
        let transaction = proposal(network, &validator, code_id)?;
        kms_config::write_whole_file(&unsigned, &serde_json::to_vec_pretty(&transaction)?)?;
        let (unsigned, signed) = (text(&unsigned)?, text(&signed)?);
        let rpc = network.rpc_url.as_str().replacen("http://", "tcp://", 1);
        let place = ["--node", rpc.trim_end_matches('/'), "--chain-id", &network.chain_id];
        let sign = ["tx", "sign", unsigned, "--from", VALIDATOR, "--output-document", signed];
        self.run(&[&sign[..], &KEYRING, &place].concat()).await?;
        let sent = self.run(&[&["tx", "broadcast", signed, "--output", "json"][..], &place].concat()).await?;
        let sent: Value =
            serde_json::from_str(&sent).context("the node's answer to a transaction is not JSON")?;
        ensure!(sent["code"] == 0, "the node refused the proposal to pin the code: {}", sent["raw_log"]);
        self.await_pinned(client, &place[..2], code_id).await
    }

    /// Waits until the code is pinned.
    async fn await_pinned(&self, client: &Client, node: &[&str], code_id: u64) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if client.is_pinned(code_id).await? {
                return Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
        let id = FIRST_PROPOSAL.to_string();
        let proposal =
            self.run(&[&["query", "gov", "proposal", &id, "--output", "json"][..], node].concat()).await;
        bail!("code {code_id} is not pinned {} s after the proposal to: {proposal:?}", PATIENCE.as_secs())
    }
}

/// A transaction that proposes to pin a code and says yes to it.
fn proposal(network: &Network, validator: &str, code_id: u64) -> Result<Value> {
    let price: GasPrice = network.gas_price_coin().parse()?;
    let fee = price.fee(GAS);
    let coins = |amount: String| json!([{"denom": network.denom, "amount": amount}]);
    Ok(json!({
        "body": {
            "messages": [
                {
                    "@type": "/cosmos.gov.v1.MsgSubmitProposal",
                    "messages": [{
                        "@type": "/cosmwasm.wasm.v1.MsgPinCodes",
                        "authority": AUTHORITY,
                        "code_ids": [code_id.to_string()],
                    }],
                    "initial_deposit": coins(DEPOSIT.to_string()),
                    "proposer": validator,
                    "title": "Pin the code of the ASC",
                    "summary": "Keeps it compiled in memory: every call of it costs less.",
                },
                {
                    "@type": "/cosmos.gov.v1.MsgVote",
                    "proposal_id": FIRST_PROPOSAL.to_string(),
                    "voter": validator,
                    "option": "VOTE_OPTION_YES",
                },
            ],
        },
        "auth_info": {"signer_infos": [], "fee": {"amount": coins(fee.amount.to_string()), "gas_limit": GAS.to_string()}},
        "signatures": [],
    }))
}
