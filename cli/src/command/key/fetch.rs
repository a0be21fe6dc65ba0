//! `kms key fetch`.

use std::path::PathBuf;

use kms_asc_api::{KeyId, KeyRecord};
use kms_config::write_whole_file;
use serde::Serialize;

use crate::{
    context::Context,
    error::{Error, Result},
    output::Report,
    published,
};

/// Fetches a key's published parts, checks them, and copies them to `to` if that is given.
pub async fn fetch(context: &Context, key: &KeyRecord, to: Option<PathBuf>) -> Result<()> {
    let mut parts = Vec::new();
    for (key_type, part) in published::parts(context, key).await? {
        let path = match &to {
            None => part.path.clone(),
            Some(folder) => {
                let path = folder.join(format!("key-{}.{}", key.id, part_name(key_type)));
                write_whole_file(&path, &part.bytes)?;
                path
            }
        };
        parts.push(FetchedPart {
            part: part_name(key_type),
            digest: part.digest.to_hex(),
            size: part.bytes.len(),
            path: path.display().to_string(),
        });
    }
    if parts.is_empty() {
        return Err(Error::NotFound(format!("published part of key {}", key.id)));
    }
    context.show(&Fetched { id: key.id, parts })
}

fn part_name(key_type: kms_asc_api::KeyType) -> &'static str {
    match key_type {
        kms_asc_api::KeyType::Server => "server",
        kms_asc_api::KeyType::Public => "public",
    }
}

#[derive(Serialize)]
struct Fetched {
    id: KeyId,
    parts: Vec<FetchedPart>,
}

#[derive(Serialize)]
struct FetchedPart {
    part: &'static str,
    digest: String,
    size: usize,
    path: String,
}

impl Report for Fetched {
    fn text(&self) -> String {
        self.parts.iter().map(|part| part.path.as_str()).collect::<Vec<_>>().join("\n")
    }
}
