//! `kms request why`.

use kms_asc_api::{RequestId, Standing, State, WhyPending};
use serde::Serialize;

use crate::{
    context::Context,
    error::Result,
    output::{Report, clock, fields},
};

#[derive(Serialize)]
#[serde(transparent)]
struct WhyReport(WhyPending);

impl Report for WhyReport {
    fn text(&self) -> String {
        let why = &self.0;
        let party = |party: &kms_asc_api::PartyStanding| {
            let standing = match party.standing {
                Standing::Answered => "answered".to_owned(),
                Standing::Failed { code } => format!("cannot answer: {code}"),
                Standing::Silent => "silent".to_owned(),
            };
            format!("{} {}: {standing}", party.party, party.name)
        };
        let answered =
            why.parties.iter().filter(|party| matches!(party.standing, Standing::Answered)).count();
        let end = match (why.end, why.state) {
            (None, _) => String::new(),
            (Some(end), State::Pending) => format!("{}, in {} s", clock(end), why.seconds_left),
            (Some(end), _) => clock(end),
        };
        fields([
            ("request", why.request_id.to_string()),
            ("state", if why.due { format!("{}, to be closed", why.state) } else { why.state.to_string() }),
            ("answers", format!("{answered} of {} needed", why.needed)),
            ("end", end),
            ("operators", why.parties.iter().map(party).collect::<Vec<_>>().join("\n")),
        ])
    }
}

/// Shows what each operator has said to a request, and how long they have.
pub async fn why(context: &Context, id: RequestId) -> Result<()> {
    context.show(&WhyReport(context.ledger().await?.why_pending(id).await?))
}
