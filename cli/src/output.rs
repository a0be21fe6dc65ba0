//! Results on stdout, for people or for programs.

use std::{
    fmt::Write as _,
    io::{self, ErrorKind, Write},
    time::{Duration, SystemTime},
};

use clap::ValueEnum;
use serde::Serialize;
use serde_json::json;

use crate::error::{Error, Result};

/// The form of what is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON value per line.
    Json,
}

/// A result that can be shown in both forms.
pub trait Report: Serialize {
    /// The text for people, without the last line break.
    fn text(&self) -> String;
}

/// Writes a result to stdout.
///
/// # Errors
/// [`Error::OutputClosed`] if nobody reads it any more.
pub fn show<R: Report + ?Sized>(format: Format, report: &R) -> Result<()> {
    let text = match format {
        Format::Text => report.text(),
        Format::Json => serde_json::to_string(report).map_err(|e| Error::Internal(e.to_string()))?,
    };
    print(&text)
}

/// Writes a line, or several, to stdout.
pub fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let ended = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    write!(stdout, "{text}{ended}").and_then(|()| stdout.flush()).map_err(|source| match source.kind() {
        ErrorKind::BrokenPipe => Error::OutputClosed,
        _ => Error::Io { doing: "write to stdout".into(), source },
    })
}

/// Writes an error to stderr.
pub fn show_error(format: Format, code: &str, message: &str) {
    let text = match format {
        Format::Text => format!("error: {message}"),
        Format::Json => json!({"error": {"code": code, "message": message}}).to_string(),
    };
    // If stderr is closed too, the exit status still tells.
    let _ = writeln!(io::stderr(), "{text}");
}

/// `name  value` lines, values below each other. A value of several lines stays in its column.
pub fn fields<'a>(rows: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let rows: Vec<_> = rows.into_iter().collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for (name, value) in rows {
        let mut name = name;
        let lines: Vec<_> = if value.is_empty() { vec!["-"] } else { value.lines().collect() };
        for line in lines {
            let _ = writeln!(out, "{name:width$}  {line}");
            name = "";
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Columns under headings, as wide as they need to be; the last is not padded.
pub fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = headings.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.len());
        }
    }
    let line = |cells: [&str; N]| {
        let mut line = String::new();
        for (cell, width) in cells.into_iter().zip(widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![line(headings)];
    lines.extend(rows.iter().map(|row| line(row.each_ref().map(String::as_str))));
    lines.join("\n")
}

/// A block time for people: UTC.
pub fn clock(seconds: u64) -> String {
    match SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)) {
        // The library cannot write years above 9999.
        Some(time) if seconds < 253_402_300_800 => humantime::format_rfc3339_seconds(time).to_string(),
        _ => format!("second {seconds}"),
    }
}

/// `1 ciphertext`, `2 ciphertexts`.
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_aligned_and_empty_ones_are_shown_as_such() {
        let text = fields([("id", "7".into()), ("state", String::new()), ("paid", "a\nb".into())]);
        assert_eq!(text, "id     7\nstate  -\npaid   a\n       b");
    }

    #[test]
    fn a_table_is_as_wide_as_its_widest_cells() {
        let rows = [["1".to_owned(), "active".to_owned()], ["100".to_owned(), "x".to_owned()]];
        assert_eq!(table(["ID", "STATE"], &rows), "ID   STATE\n1    active\n100  x");
    }

    #[test]
    fn times_are_utc_and_absurd_ones_do_no_harm() {
        assert_eq!(clock(1_700_000_000), "2023-11-14T22:13:20Z");
        assert_eq!(clock(u64::MAX), format!("second {}", u64::MAX));
    }
}
