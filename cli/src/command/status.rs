//! `kms status`.

use clap::Args;
use serde::Serialize;

use crate::{
    context::Context,
    error::{Error, Result},
    ledger::Ledger,
    output::{Report, clock, fields},
};

const EXAMPLES: &str = "\
Exit status 6 if the contract does not hold what it owes.

Examples:
  kms status
  kms status --output json";

/// Show the chain, the contract and the wallet
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Status {}

#[derive(Serialize)]
struct StatusReport {
    chain_id: String,
    node: String,
    height: u64,
    time: u64,
    /// Height and hash of the header before, as `kms-core trust` takes them; none if the node no longer has it.
    header: Option<String>,
    contract: String,
    name: String,
    version: String,
    operators: Vec<Operator>,
    open_requests: u64,
    log: Head,
    solvency: Money,
    wallet: Option<Purse>,
}

#[derive(Serialize)]
struct Operator {
    party: u32,
    name: String,
    signer: String,
    payout: String,
}

#[derive(Serialize)]
struct Head {
    count: u64,
    hash: String,
}

#[derive(Serialize)]
struct Money {
    solvent: bool,
    denom: String,
    balance: String,
    escrow: String,
    credits: String,
    treasury: String,
    surplus: String,
}

#[derive(Serialize)]
struct Purse {
    address: String,
    balance: String,
}

impl Status {
    pub async fn run(self, context: &Context) -> Result<()> {
        let ledger = context.ledger().await?;
        let node = ledger.client().status().await?;
        let version = ledger.version().await?;
        let head = ledger.log_head().await?;
        let report = StatusReport {
            chain_id: node.chain_id,
            node: context.settings.network.rpc_url.to_string(),
            height: node.latest_height,
            time: node.latest_time.seconds,
            header: header(&ledger, node.latest_height.saturating_sub(1)).await,
            contract: ledger.contract().to_owned(),
            name: version.contract,
            version: version.version,
            operators: operators(&ledger).await?,
            open_requests: open_requests(&ledger).await?,
            log: Head { count: head.count, hash: head.hash.to_hex() },
            solvency: money(&ledger).await?,
            wallet: purse(context, &ledger).await?,
        };
        context.show(&report)?;
        if report.solvency.solvent {
            return Ok(());
        }
        Err(Error::Unverified("the contract does not hold what it owes".to_owned()))
    }
}

/// Of a block that all validators are known of. Somebody who looks at the money is not to fail for it.
async fn header(ledger: &Ledger, height: u64) -> Option<String> {
    let block = ledger.client().light_block(height).await.ok().flatten()?;
    Some(format!("{height}:{}", hex::encode(block.hash)))
}

async fn operators(ledger: &Ledger) -> Result<Vec<Operator>> {
    let parties = ledger.newest_epoch().await?.parties.into_iter();
    let operator = |party: kms_asc_api::Party| Operator {
        party: party.party.get(),
        name: party.name,
        signer: party.signer.to_hex(),
        payout: party.payout,
    };
    Ok(parties.map(operator).collect())
}

async fn open_requests(ledger: &Ledger) -> Result<u64> {
    let mut count: u64 = 0;
    let mut after = None;
    loop {
        let page = ledger.open(after).await?;
        count = count.saturating_add(u64::try_from(page.items.len()).unwrap_or(u64::MAX));
        after = page.next;
        if after.is_none() {
            return Ok(count);
        }
    }
}

async fn money(ledger: &Ledger) -> Result<Money> {
    let solvency = ledger.solvency().await?;
    let owed = [solvency.escrow, solvency.credits, solvency.treasury, solvency.surplus];
    let owed = owed.into_iter().try_fold(0u128, |sum, part| sum.checked_add(part.u128()));
    Ok(Money {
        solvent: owed == Some(solvency.balance.u128()),
        denom: solvency.denom,
        balance: solvency.balance.to_string(),
        escrow: solvency.escrow.to_string(),
        credits: solvency.credits.to_string(),
        treasury: solvency.treasury.to_string(),
        surplus: solvency.surplus.to_string(),
    })
}

/// The wallet's balance; none if no wallet is configured.
async fn purse(context: &Context, ledger: &Ledger) -> Result<Option<Purse>> {
    if context.settings.wallet().is_err() {
        return Ok(None);
    }
    let address = context.wallet()?.address().to_owned();
    let balance = ledger.client().balance(&address, ledger.denom()).await?.to_string();
    Ok(Some(Purse { address, balance }))
}

impl Report for StatusReport {
    fn text(&self) -> String {
        let money = &self.solvency;
        let operators = self.operators.iter().map(|operator| format!("{} {}", operator.party, operator.name));
        let verdict = if money.solvent { "" } else { "  NOT what it owes" };
        let purse = self.wallet.as_ref();
        let purse = purse.map(|purse| format!("{}, {}{}", purse.address, purse.balance, money.denom));
        fields([
            ("chain", format!("{} at {}", self.chain_id, self.node)),
            ("newest block", format!("{}, {}", self.height, clock(self.time))),
            ("header", self.header.clone().unwrap_or_default()),
            ("contract", format!("{} ({} {})", self.contract, self.name, self.version)),
            ("operators", operators.collect::<Vec<_>>().join("\n")),
            ("open requests", self.open_requests.to_string()),
            ("log", format!("{} entries, head {}", self.log.count, self.log.hash)),
            (
                "holds",
                format!(
                    "{}{} = {} escrow + {} credits + {} treasury + {} surplus{verdict}",
                    money.balance, money.denom, money.escrow, money.credits, money.treasury, money.surplus
                ),
            ),
            ("wallet", purse.unwrap_or_default()),
        ])
    }
}
