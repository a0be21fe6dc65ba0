//! The answers that this core has signed, each on disk before it leaves.
//!
//! ```text
//! answers         the store: opening, reading, and what callers ask of it
//! answers/writer  the one thread that writes, many answers in one transaction and one flush
//! answers/prune   when an answer may be forgotten, and how it never comes back as another one
//! ```

mod prune;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use kms_core_proto::v1::Answer;
use prost::Message;
use redb::{Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};
use thiserror::Error as ThisError;

use self::{prune::Floor, writer::Writer};
use crate::{Error, Identity, config::make_private_file, metrics::Metrics};

/// `v u8` || the answer as it goes over the wire, by request id.
const ANSWERS: TableDefinition<u64, &[u8]> = TableDefinition::new("answers");
/// Whom the answers are for: `chain_id`, `contract`.
const SERVED: TableDefinition<&str, &str> = TableDefinition::new("served");
const VERSION: u8 = 1;
/// Memory for pages of the database. Answers are read again soon or never.
const CACHE_BYTES: usize = 64 << 20;

/// The answers that this core has signed. Written once: what is recorded for a request id stands until the request is proven
/// finished, and then no other is ever signed for it.
pub(crate) struct Answers {
    database: Arc<Database>,
    writer: Writer,
    floor: Arc<Floor>,
}

/// Why the answer store cannot be used.
#[derive(Debug, ThisError)]
pub enum AnswersError {
    /// Another process has it open.
    #[error("answer store {} is in use by another process", file.display())]
    InUse {
        /// The file.
        file: PathBuf,
    },
    /// It cannot be read or written.
    #[error("answer store {} cannot be used: {source}", file.display())]
    Database {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: Box<redb::Error>,
    },
    /// It belongs to another contract, whose ids mean other requests.
    #[error(
        "answer store {} holds answers for contract {contract} on {chain_id}, not for the configured one; \
         each contract needs a data directory of its own", file.display()
    )]
    OtherContract {
        /// The file.
        file: PathBuf,
        /// The chain's name in the file.
        chain_id: String,
        /// The contract in the file.
        contract: String,
    },
}

impl AnswersError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "answers_in_use",
            Self::Database { .. } => "answers_unusable",
            Self::OtherContract { .. } => "answers_of_other_contract",
        }
    }
}

impl Answers {
    /// Opens the store, which is made for `identity`'s contract if it is missing.
    pub(crate) fn open(
        file: &Path,
        identity: &Identity,
        metrics: Arc<Metrics>,
    ) -> Result<Self, AnswersError> {
        make_private_file(file).map_err(|error| unusable(file, redb::Error::Io(error)))?;
        let database =
            Builder::new().set_cache_size(CACHE_BYTES).create(file).map_err(|error| match error {
                DatabaseError::DatabaseAlreadyOpen => AnswersError::InUse { file: file.to_owned() },
                other => unusable(file, other.into()),
            })?;
        let (chain_id, contract) = served(&database, identity).map_err(|error| unusable(file, error))?;
        if chain_id != identity.chain_id || contract != identity.contract {
            return Err(AnswersError::OtherContract { file: file.to_owned(), chain_id, contract });
        }
        Self::over(database, metrics).map_err(|error| unusable(file, error))
    }

    fn over(database: Database, metrics: Arc<Metrics>) -> Result<Self, redb::Error> {
        let floor = Arc::new(Floor::read(&database)?);
        let database = Arc::new(database);
        let writer = Writer::start(database.clone(), floor.clone(), metrics)?;
        Ok(Self { database, writer, floor })
    }

    /// The answer recorded for a request id.
    pub(crate) fn get(&self, request_id: u64) -> Result<Option<Answer>, Error> {
        self.read(request_id).map_err(|error| Error::internal("reading an answer", &error))?.transpose()
    }

    fn read(&self, request_id: u64) -> Result<Option<Result<Answer, Error>>, redb::Error> {
        let table = self.database.begin_read()?.open_table(ANSWERS)?;
        Ok(table.get(request_id)?.map(|stored| decode(stored.value())))
    }

    /// Records an answer, unless there is one for its request id already, and returns what stands. When this
    /// returns, it is on disk. Answers that wait at the same time share one flush.
    pub(crate) async fn record(&self, answer: Answer) -> Result<Answer, Error> {
        match self.writer.record(answer.request_id, encode(&answer)).await? {
            Some(standing) => decode(&standing),
            None => Ok(answer),
        }
    }

    /// Writes to disk what is there already: whether an answer could be recorded now.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        self.writer.check().await
    }

    /// Notes requests whose status is proven to be final at `height`.
    pub(crate) async fn finished(&self, request_ids: Vec<u64>, height: u64) -> Result<(), Error> {
        self.writer.finished(request_ids, height).await
    }

    /// Forgets the answers of finished requests that no acceptable proof can show pending any more, `newest` being the
    /// height of the newest trusted header. Says how many these were.
    pub(crate) async fn prune(&self, newest: u64) -> Result<u64, Error> {
        self.writer.prune(newest).await
    }

    /// Whether a proof of this height may lead to a new answer: no answer was forgotten that it could still ask for.
    pub(crate) fn may_answer_at(&self, proven: u64) -> bool {
        self.floor.is_below(proven)
    }
}

/// Whom the file serves; who asks first, if it is new.
fn served(database: &Database, identity: &Identity) -> Result<(String, String), redb::Error> {
    let transaction = database.begin_write()?;
    let found = {
        let mut table = transaction.open_table(SERVED)?;
        transaction.open_table(ANSWERS)?;
        let mut standing = |name, configured: &str| -> Result<String, redb::Error> {
            if let Some(found) = table.get(name)? {
                return Ok(found.value().to_owned());
            }
            table.insert(name, configured)?;
            Ok(configured.to_owned())
        };
        (standing("chain_id", &identity.chain_id)?, standing("contract", &identity.contract)?)
    };
    prune::make_tables(&transaction)?;
    transaction.commit()?;
    Ok(found)
}

fn encode(answer: &Answer) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend(answer.encode_to_vec());
    bytes
}

fn decode(stored: &[u8]) -> Result<Answer, Error> {
    let unreadable = |cause: String| Error::Internal { cause: format!("a recorded answer is {cause}") };
    match stored.split_first() {
        Some((&VERSION, bytes)) => Answer::decode(bytes).map_err(|error| unreadable(error.to_string())),
        Some((version, _)) => Err(unreadable(format!("of version {version}, this core reads {VERSION}"))),
        None => Err(unreadable("empty".to_owned())),
    }
}

fn unusable(file: &Path, error: redb::Error) -> AnswersError {
    AnswersError::Database { file: file.to_owned(), source: Box::new(error) }
}

#[cfg(test)]
mod tests;
