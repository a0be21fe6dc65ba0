use std::path::{Path, PathBuf};

use kms_proofs::{LightBlock, VerifiedHeader};
use prost::Message;
use redb::{Database, DatabaseError, ReadableTable, TableDefinition};
use thiserror::Error;

use crate::{Anchor, config::make_private_file};

/// `VerifiedHeader::encode` by height.
const HEADERS: TableDefinition<u64, &[u8]> = TableDefinition::new("headers");
/// The light block that showed it, by height: evidence, should another one show up.
const BLOCKS: TableDefinition<u64, &[u8]> = TableDefinition::new("blocks");
/// `chain_id`; `anchor`, the header that a person named, `HEIGHT:HASH`; `halted`, the height of two headers.
const NOTES: TableDefinition<&str, &str> = TableDefinition::new("notes");

/// The trusted headers on disk.
pub(super) struct Ledger {
    database: Database,
    file: PathBuf,
}

/// What the file holds.
pub(super) struct Contents {
    pub(super) anchor: Option<Anchor>,
    pub(super) halted: Option<u64>,
    pub(super) headers: Vec<(VerifiedHeader, LightBlock)>,
}

/// Why the trusted headers cannot be used.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// Another process has them open.
    #[error("the trusted headers in {} are in use by another process", file.display())]
    InUse {
        /// The file.
        file: PathBuf,
    },
    /// They cannot be read or written.
    #[error("the trusted headers in {} cannot be used: {reason}", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// They are those of another chain.
    #[error("{} holds headers of chain {chain_id}, not of the configured one", file.display())]
    OtherChain {
        /// The file.
        file: PathBuf,
        /// The chain's name in the file.
        chain_id: String,
    },
}

impl LedgerError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "headers_in_use",
            Self::Unusable { .. } => "headers_unusable",
            Self::OtherChain { .. } => "headers_of_other_chain",
        }
    }
}

impl Ledger {
    /// Opens the file, which is made for a chain if it is missing.
    pub(super) fn open(file: &Path, chain_id: &str) -> Result<Self, LedgerError> {
        let unusable =
            |error: redb::Error| LedgerError::Unusable { file: file.to_owned(), reason: error.to_string() };
        make_private_file(file).map_err(|error| unusable(redb::Error::Io(error)))?;
        let database = Database::create(file).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => LedgerError::InUse { file: file.to_owned() },
            other => unusable(other.into()),
        })?;
        let found = made_for(&database, chain_id).map_err(unusable)?;
        match found == chain_id {
            true => Ok(Self { database, file: file.to_owned() }),
            false => Err(LedgerError::OtherChain { file: file.to_owned(), chain_id: found }),
        }
    }

    /// All that it holds.
    pub(super) fn contents(&self) -> Result<Contents, LedgerError> {
        let (anchor, halted, stored) = self.read().map_err(|error| self.unusable(&error))?;
        let mut headers = Vec::with_capacity(stored.len());
        for (header, block) in stored {
            let header = VerifiedHeader::decode(&header).map_err(|error| self.unusable(&error))?;
            let block = StoredBlock::decode(block.as_slice()).map_err(|error| self.unusable(&error))?;
            headers.push((header, block.into()));
        }
        let damaged = |note: &str| self.unusable(&format!("note {note} is damaged"));
        Ok(Contents {
            anchor: anchor.map(|text| text.parse().map_err(|_| damaged("anchor"))).transpose()?,
            halted: halted.map(|text| text.parse().map_err(|_| damaged("halted"))).transpose()?,
            headers,
        })
    }

    /// Keeps a header, and forgets those of `forgotten`. When this returns, it is on disk.
    pub(super) fn keep(
        &self,
        header: &VerifiedHeader,
        block: &LightBlock,
        forgotten: &[u64],
    ) -> Result<(), LedgerError> {
        let block = StoredBlock::from(block).encode_to_vec();
        let write = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            {
                let mut headers = transaction.open_table(HEADERS)?;
                let mut blocks = transaction.open_table(BLOCKS)?;
                headers.insert(header.height(), header.encode().as_slice())?;
                blocks.insert(header.height(), block.as_slice())?;
                for height in forgotten {
                    headers.remove(height)?;
                    blocks.remove(height)?;
                }
            }
            Ok(transaction.commit()?)
        };
        write().map_err(|error| self.unusable(&error))
    }

    /// Writes down that two headers of a height were seen.
    pub(super) fn halt(&self, height: u64) -> Result<(), LedgerError> {
        let write = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            transaction.open_table(NOTES)?.insert("halted", height.to_string().as_str())?;
            Ok(transaction.commit()?)
        };
        write().map_err(|error| self.unusable(&error))
    }

    /// Begins anew from the header that a person named: all others are forgotten, and so is a halt.
    pub(super) fn begin_from(&self, anchor: Anchor) -> Result<(), LedgerError> {
        let write = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            {
                transaction.open_table(HEADERS)?.retain(|_, _| false)?;
                transaction.open_table(BLOCKS)?.retain(|_, _| false)?;
                let mut notes = transaction.open_table(NOTES)?;
                notes.insert("anchor", anchor.to_string().as_str())?;
                notes.remove("halted")?;
            }
            Ok(transaction.commit()?)
        };
        write().map_err(|error| self.unusable(&error))
    }

    #[allow(clippy::type_complexity)]
    fn read(&self) -> Result<(Option<String>, Option<String>, Vec<(Vec<u8>, Vec<u8>)>), redb::Error> {
        use redb::ReadableDatabase;
        let transaction = self.database.begin_read()?;
        let notes = transaction.open_table(NOTES)?;
        let note = |name| -> Result<Option<String>, redb::Error> {
            Ok(notes.get(name)?.map(|found| found.value().to_owned()))
        };
        let (headers, blocks) = (transaction.open_table(HEADERS)?, transaction.open_table(BLOCKS)?);
        let mut stored = Vec::new();
        for row in headers.iter()? {
            let (height, header) = row?;
            let block = blocks.get(height.value())?.map(|block| block.value().to_vec());
            stored.push((header.value().to_vec(), block.unwrap_or_default()));
        }
        Ok((note("anchor")?, note("halted")?, stored))
    }

    fn unusable(&self, reason: &dyn std::fmt::Display) -> LedgerError {
        LedgerError::Unusable { file: self.file.clone(), reason: reason.to_string() }
    }
}

fn made_for(database: &Database, chain_id: &str) -> Result<String, redb::Error> {
    let transaction = database.begin_write()?;
    let found = {
        transaction.open_table(HEADERS)?;
        transaction.open_table(BLOCKS)?;
        let mut notes = transaction.open_table(NOTES)?;
        let found = notes.get("chain_id")?.map(|found| found.value().to_owned());
        match found {
            Some(found) => found,
            None => {
                notes.insert("chain_id", chain_id)?;
                chain_id.to_owned()
            }
        }
    };
    transaction.commit()?;
    Ok(found)
}

#[derive(Clone, PartialEq, Message)]
struct StoredBlock {
    #[prost(bytes = "vec", tag = "1")]
    signed_header: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    validators: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    next_validators: Vec<u8>,
}

impl From<&LightBlock> for StoredBlock {
    fn from(block: &LightBlock) -> Self {
        let LightBlock { signed_header, validators, next_validators } = block.clone();
        Self { signed_header, validators, next_validators }
    }
}

impl From<StoredBlock> for LightBlock {
    fn from(block: StoredBlock) -> Self {
        let StoredBlock { signed_header, validators, next_validators } = block;
        Self { signed_header, validators, next_validators }
    }
}
