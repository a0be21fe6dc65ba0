use std::path::PathBuf;

/// Why a configuration or secret file was refused. No variant carries a file's contents.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is missing or unreadable.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },

    /// The file could not be written; what was there before is unchanged.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },

    /// The file is not TOML, has an unknown or missing field, or a field has a wrong value.
    #[error("{}, line {line}, field {field}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, from 1; 1 if the mistake is in no line, such as a missing field.
        line: usize,
        /// The field's path, such as `key_domain.name`; `.` for the whole file.
        field: String,
        /// What is wrong, and what is allowed.
        message: String,
    },

    /// A secret that others than its owner may read or write.
    #[error("{} has mode {mode:04o}, a secret must be its owner's alone: chmod 600", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

impl ConfigError {
    /// A stable name of the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "config_unreadable",
            Self::Write { .. } => "config_unwritable",
            Self::Invalid { .. } => "config_invalid",
            Self::Exposed { .. } => "secret_exposed",
        }
    }
}
