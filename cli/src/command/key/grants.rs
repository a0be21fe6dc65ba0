//! `kms key grants`.

use kms_asc_api::{GrantView, KeyId};
use serde::Serialize;

use crate::{
    context::Context,
    error::Result,
    output::{Report, clock, table},
};

#[derive(Serialize)]
struct Grants {
    key_id: KeyId,
    grants: Vec<GrantReport>,
}

#[derive(Serialize)]
struct GrantReport {
    grantee: String,
    holds: bool,
    until: Option<u64>,
    generation: u32,
    height: u64,
    time: u64,
}

impl From<GrantView> for GrantReport {
    fn from(GrantView { grant, holds }: GrantView) -> Self {
        Self {
            grantee: grant.grantee,
            holds,
            until: grant.until,
            generation: grant.generation,
            height: grant.height,
            time: grant.time,
        }
    }
}

impl Report for Grants {
    fn text(&self) -> String {
        let row = |grant: &GrantReport| {
            [
                grant.grantee.clone(),
                if grant.holds { "holds" } else { "void" }.to_owned(),
                grant.until.map_or_else(|| "open end".to_owned(), clock),
                clock(grant.time),
            ]
        };
        let rows: Vec<_> = self.grants.iter().map(row).collect();
        table(["GRANTEE", "STANDING", "UNTIL", "SINCE"], &rows)
    }
}

/// Shows all grants of a key, void ones included.
pub async fn list(context: &Context, key_id: KeyId) -> Result<()> {
    let grants = context.ledger().await?.grants(key_id).await?;
    context.show(&Grants { key_id, grants: grants.into_iter().map(GrantReport::from).collect() })
}
