//! Keys as they are shown.

use kms_asc_api::{KeyId, KeyRecord};
use serde::Serialize;

use crate::{
    output::{Report, clock, fields, table},
    published,
};

/// A key in JSON: bytes in hex.
#[derive(Serialize)]
pub struct KeyReport {
    id: KeyId,
    state: &'static str,
    epoch: u32,
    owner: String,
    generation: u32,
    params: &'static str,
    imported: bool,
    digests: Vec<DigestReport>,
    domain: DomainReport,
    attesters: Vec<String>,
    attester_threshold: u32,
    crs_ids: Vec<u64>,
    offered_to: Option<String>,
    height: u64,
    time: u64,
}

#[derive(Serialize)]
struct DigestReport {
    part: &'static str,
    digest: String,
}

#[derive(Serialize)]
struct DomainReport {
    name: String,
    version: String,
    chain_id: u64,
    verifying_contract: String,
    separator: String,
}

impl From<KeyRecord> for KeyReport {
    fn from(key: KeyRecord) -> Self {
        let digest = |part: &kms_asc_api::KeyDigest| DigestReport {
            part: match part.key_type {
                kms_asc_api::KeyType::Server => "server",
                kms_asc_api::KeyType::Public => "public",
            },
            digest: part.digest.to_hex(),
        };
        Self {
            id: key.id,
            state: key.state.name(),
            epoch: key.epoch.get(),
            generation: key.generation,
            params: published::params(key.params).name(),
            imported: key.imported,
            digests: key.digests.iter().map(digest).collect(),
            domain: DomainReport {
                separator: key.domain.separator().to_hex(),
                verifying_contract: key.domain.verifying_contract.to_hex(),
                name: key.domain.name,
                version: key.domain.version,
                chain_id: key.domain.chain_id,
            },
            owner: key.owner,
            attesters: key.attesters.iter().map(|signer| signer.to_hex()).collect(),
            attester_threshold: key.attester_threshold,
            crs_ids: key.crs_ids.iter().map(|id| id.get()).collect(),
            offered_to: key.offered_to,
            height: key.height,
            time: key.time,
        }
    }
}

impl KeyReport {
    fn attesters_text(&self) -> String {
        match self.attesters.len() {
            0 => String::new(),
            count => format!("{} of {count}\n{}", self.attester_threshold, self.attesters.join("\n")),
        }
    }
}

impl Report for KeyReport {
    fn text(&self) -> String {
        let digests = self.digests.iter().map(|part| format!("{} {}", part.part, part.digest));
        let domain = &self.domain;
        fields([
            ("key", self.id.to_string()),
            ("state", self.state.to_owned()),
            ("owner", self.owner.clone()),
            ("offered to", self.offered_to.clone().unwrap_or_default()),
            ("generation", self.generation.to_string()),
            ("parameters", self.params.to_owned()),
            ("origin", if self.imported { "imported" } else { "generated" }.to_owned()),
            ("epoch", self.epoch.to_string()),
            ("active since", format!("{}, block {}", clock(self.time), self.height)),
            ("published", digests.collect::<Vec<_>>().join("\n")),
            (
                "domain",
                format!(
                    "{} {}, chain {}, contract {}",
                    domain.name, domain.version, domain.chain_id, domain.verifying_contract
                ),
            ),
            ("separator", domain.separator.clone()),
            ("attesters", self.attesters_text()),
            ("strings", self.crs_ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        ])
    }
}

#[derive(Serialize)]
pub struct Keys {
    pub keys: Vec<KeyReport>,
}

impl Report for Keys {
    fn text(&self) -> String {
        let row = |key: &KeyReport| {
            [
                key.id.to_string(),
                key.state.to_owned(),
                key.params.to_owned(),
                clock(key.time),
                key.owner.clone(),
            ]
        };
        let rows: Vec<_> = self.keys.iter().map(row).collect();
        table(["ID", "STATE", "PARAMETERS", "ACTIVE SINCE", "OWNER"], &rows)
    }
}
