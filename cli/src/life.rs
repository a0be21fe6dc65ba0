//! Reads a request's whole life from the chain and judges it.

use kms_asc_api::{Eip712Domain, Epoch, KeyId, RequestBody, RequestId, RequestView, ResponseView};
use kms_chain::TxHash;

use crate::{
    error::{Error, Result},
    history::{self, TxFinder, log_between},
    ledger::{Ledger, StoredBody},
    report::RequestReport,
    verify::{self, Judge},
};

/// A report and, if something in it does not verify, what.
pub struct Life {
    pub report: RequestReport,
    pub verdict: Result<()>,
}

/// Reads everything about a request. Nothing that the contract says of an answer is believed without its signatures.
pub async fn read(ledger: &Ledger, view: &RequestView) -> Result<Life> {
    let stored = ledger.stored_body(view.body.id).await?;
    if stored.body != view.body {
        let id = view.body.id;
        return Err(Error::Unverified(format!("the contract shows another request {id} than it has stored")));
    }
    let mut report = RequestReport::new(view, ledger.denom(), None);
    let (epoch, verdict) = match view.body.epoch {
        Some(id) => {
            let epoch = ledger.epoch(id).await?;
            let responses = ledger.responses(view.body.id).await?;
            let verdict = judge(ledger, &mut report, &stored, &epoch, &responses).await;
            (Some(epoch), verdict)
        }
        None => (None, Ok(())),
    };
    let last = report.settlement.ended.map_or(u64::MAX, |ended| ended.height);
    let entries = log_between(ledger, view.body.height, last).await?;
    report.settle(&entries, |number| {
        let party = epoch.as_ref()?.parties.iter().find(|party| party.party.get() == number)?;
        Some((party.name.clone(), party.payout.clone()))
    });
    find_transactions(ledger, &mut report).await;
    Ok(Life { report, verdict })
}

async fn judge(
    ledger: &Ledger,
    report: &mut RequestReport,
    stored: &StoredBody,
    epoch: &Epoch,
    responses: &[ResponseView],
) -> Result<()> {
    let domain = domain(ledger, &stored.body).await?;
    let judge =
        Judge { chain_id: ledger.chain_id(), contract: ledger.contract(), stored, epoch, domain: &domain };
    report.judge(&judge, responses)
}

/// The domain that answers to a request are signed under. A default domain comes from the key's record, or from the
/// parameters while the key does not exist; in either case it must be this key's.
async fn domain(ledger: &Ledger, body: &RequestBody) -> Result<Eip712Domain> {
    match body.named_domain() {
        Some(named) => Ok(named.clone()),
        None => key_domain(ledger, body.statement_key()).await,
    }
}

/// The default domain of a key.
pub async fn key_domain(ledger: &Ledger, key: KeyId) -> Result<Eip712Domain> {
    let domain = match ledger.key(key).await {
        Ok(record) => record.domain,
        Err(error) if error.code() == "unknown_key" => {
            let parts = ledger.config().await?.key_domain;
            parts
                .for_key(ledger.chain_id(), ledger.contract(), key)
                .map_err(|text| Error::Internal(format!("the {text} is too long to name a key's domain")))?
        }
        Err(error) => return Err(error),
    };
    if verify::is_domain_of(&domain, ledger.chain_id(), ledger.contract(), key) {
        return Ok(domain);
    }
    Err(Error::Unverified(format!("the domain on record for key {key} is not that of this key and contract")))
}

/// Fills in transaction hashes, as far as the node still has the blocks.
async fn find_transactions(ledger: &Ledger, report: &mut RequestReport) {
    let id = report.id;
    let mut finder = TxFinder::new(ledger);
    report.submitted.tx = finder.find(report.submitted.height, history::is_submission(id)).await;
    for answer in &mut report.settlement.answers {
        let party = kms_asc_api::PartyId(answer.party);
        answer.at.tx = finder.find(answer.at.height, history::is_response(id, party)).await;
    }
    if let Some(ended) = &mut report.settlement.ended {
        // What is denied ends where it begins.
        ended.tx = match finder.find(ended.height, history::is_end(id)).await {
            None if ended.height == report.submitted.height => report.submitted.tx,
            found => found,
        };
    }
}

/// What is known right after a submission, when nothing has happened yet.
pub async fn submitted(ledger: &Ledger, id: RequestId, tx: TxHash) -> Result<(RequestView, RequestReport)> {
    let view = ledger.request(id).await?;
    let report = RequestReport::new(&view, ledger.denom(), Some(tx));
    Ok((view, report))
}

/// How a finished request ended, as an error unless it was fulfilled.
pub fn ending(report: &RequestReport) -> Result<()> {
    use kms_asc_api::State;
    let id = report.id;
    let reason = || report.settlement.reason.clone().unwrap_or_else(|| "unknown".to_owned());
    match report.state {
        State::Pending | State::Fulfilled => Ok(()),
        State::Denied => Err(Error::Denied { id, reason: reason() }),
        State::Failed => Err(Error::RequestFailed { id, reason: reason(), refund: report.refund() }),
        state @ (State::Expired | State::Cancelled) => {
            Err(Error::Unanswered { id, state: state.name(), refund: report.refund() })
        }
    }
}
