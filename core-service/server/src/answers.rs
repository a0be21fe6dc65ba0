use std::path::{Path, PathBuf};

use kms_core_proto::v1::Answer;
use prost::Message;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};
use thiserror::Error as ThisError;

use crate::{Error, Identity};

/// `v u8` || the answer as it goes over the wire, by request id.
const ANSWERS: TableDefinition<u64, &[u8]> = TableDefinition::new("answers");
/// Whom the answers are for: `chain_id`, `contract`.
const SERVED: TableDefinition<&str, &str> = TableDefinition::new("served");
const VERSION: u8 = 1;

/// The answers that this core has signed, each on disk before it leaves. Written once: what is recorded for a request id stays.
///
/// Each record is flushed alone. Where that limits throughput, a writer that takes all that wait into one transaction can stand in
/// front of [`Answers::record`]; no caller would notice.
pub(crate) struct Answers {
    database: Database,
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
    pub(crate) fn open(file: &Path, identity: &Identity) -> Result<Self, AnswersError> {
        let database = Database::create(file).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => AnswersError::InUse { file: file.to_owned() },
            other => unusable(file, other.into()),
        })?;
        let (chain_id, contract) = served(&database, identity).map_err(|error| unusable(file, error))?;
        if chain_id != identity.chain_id || contract != identity.contract {
            return Err(AnswersError::OtherContract { file: file.to_owned(), chain_id, contract });
        }
        Ok(Self { database })
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
    /// returns, it is on disk.
    pub(crate) fn record(&self, answer: Answer) -> Result<Answer, Error> {
        let standing = self.write(&answer).map_err(|error| Error::internal("recording an answer", &error))?;
        standing.unwrap_or(Ok(answer))
    }

    /// Writes to disk what is there already: whether an answer could be recorded now.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.rewrite().map_err(|error| Error::internal("writing the answer store", &error))
    }

    fn rewrite(&self) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut table = transaction.open_table(SERVED)?;
            let chain_id = table.get("chain_id")?.map(|found| found.value().to_owned());
            if let Some(chain_id) = chain_id {
                table.insert("chain_id", chain_id.as_str())?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn write(&self, answer: &Answer) -> Result<Option<Result<Answer, Error>>, redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut table = transaction.open_table(ANSWERS)?;
            if let Some(standing) = table.get(answer.request_id)? {
                return Ok(Some(decode(standing.value())));
            }
            table.insert(answer.request_id, encode(answer).as_slice())?;
        }
        transaction.commit()?;
        Ok(None)
    }
}

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
