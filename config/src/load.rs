use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::ConfigError;

/// Reads a TOML file into `T`, which is expected to be marked `#[serde(deny_unknown_fields)]`.
///
/// # Errors
/// [`ConfigError::Read`] if there is no such file, [`ConfigError::Invalid`] with line and field if
/// it is not a `T`.
pub fn load<T: DeserializeOwned>(path: impl AsRef<Path>) -> Result<T, ConfigError> {
    let path = path.as_ref();
    let text =
        fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    let document =
        toml::Deserializer::parse(&text).map_err(|error| invalid(path, &text, ".".to_owned(), &error))?;
    serde_path_to_error::deserialize(document)
        .map_err(|error| invalid(path, &text, error.path().to_string(), error.inner()))
}

/// Where `path`, as written inside `config_file`, lies: relative paths in a file are relative to it.
pub fn relative_to(config_file: &Path, path: &Path) -> PathBuf {
    match config_file.parent() {
        Some(folder) => folder.join(path),
        None => path.to_owned(),
    }
}

fn invalid(path: &Path, text: &str, field: String, error: &toml::de::Error) -> ConfigError {
    let offset = error.span().map_or(0, |span| span.start);
    let before = text.get(..offset).unwrap_or(text);
    ConfigError::Invalid {
        path: path.to_owned(),
        line: before.matches('\n').count() + 1,
        field,
        message: error.message().trim().replace('\n', ", "),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Program {
        listen: String,
        limits: Limits,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Limits {
        bytes: u64,
    }

    fn refusal(text: &str) -> (usize, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program.toml");
        fs::write(&path, text).unwrap();
        match load::<Program>(&path).unwrap_err() {
            ConfigError::Invalid { path: named, line, field, message } => {
                assert_eq!(named, path);
                (line, field, message)
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn an_unknown_field_is_refused_and_named_with_its_line() {
        let (line, field, message) = refusal("listen = \"a\"\n\n[limits]\nbytes = 1\nfiles = 2\n");
        assert_eq!((line, field.as_str()), (5, "limits.files"));
        assert!(message.contains("unknown field `files`, expected `bytes`"), "{message}");
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused_and_named_with_its_line() {
        let (line, field, message) = refusal("listen = \"a\"\n[limits]\nbytes = \"many\"\n");
        assert_eq!((line, field.as_str()), (3, "limits.bytes"));
        assert!(message.contains("expected u64"), "{message}");
    }

    #[test]
    fn a_missing_field_is_named() {
        let (_, _, message) = refusal("listen = \"a\"\n");
        assert!(message.contains("limits"), "{message}");
    }

    #[test]
    fn a_file_that_is_not_toml_is_refused_with_its_line() {
        let (line, field, _) = refusal("listen = \"a\"\nlimits ==\n");
        assert_eq!((line, field.as_str()), (2, "."));
    }

    #[test]
    fn a_missing_file_is_an_error_and_never_a_default() {
        let error = load::<Program>("/nonexistent/program.toml").unwrap_err();
        assert_eq!(error.code(), "config_unreadable");
        assert!(error.to_string().contains("/nonexistent/program.toml"));
    }

    #[test]
    fn paths_in_a_file_are_relative_to_that_file() {
        let found = relative_to(Path::new("stack/kms/kms.toml"), Path::new("../network.toml"));
        assert_eq!(found, Path::new("stack/kms/../network.toml"));
        let absolute = relative_to(Path::new("stack/kms.toml"), Path::new("/etc/network.toml"));
        assert_eq!(absolute, Path::new("/etc/network.toml"));
    }
}
