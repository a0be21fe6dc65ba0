//! What is going on, on stderr: a spinner on a terminal, else a line every few seconds.

use std::{
    cell::Cell,
    fmt::Display,
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::Format;

/// How often a line is written where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(3);
const SPINNER_INTERVAL: Duration = Duration::from_millis(100);

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// On a terminal.
    Spinner,
    /// In a log.
    Lines,
    /// Not at all: a program reads stderr, where errors are JSON.
    Silent,
}

impl Progress {
    /// As fits what stderr is.
    pub fn new(format: Format) -> Self {
        match (io::stderr().is_terminal(), format) {
            (true, _) => Self::Spinner,
            (false, Format::Text) => Self::Lines,
            (false, Format::Json) => Self::Silent,
        }
    }

    /// Something begins that may take a while.
    pub fn begin(self, text: impl Display) -> Step {
        let text = text.to_string();
        let bar = match self {
            Self::Spinner => Some(spinner(text)),
            Self::Lines => {
                line(&text);
                None
            }
            Self::Silent => None,
        };
        Step { progress: self, bar, last_line: Cell::new(Instant::now()) }
    }

    /// Something worth telling happened.
    pub fn note(self, text: impl Display) {
        if self != Self::Silent {
            line(&text.to_string());
        }
    }
}

/// Something under way. Its spinner goes away with it.
#[derive(Debug)]
pub struct Step {
    progress: Progress,
    bar: Option<ProgressBar>,
    last_line: Cell<Instant>,
}

impl Step {
    /// How far it is.
    pub fn update(&self, text: impl Display) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_string()),
            None if self.progress == Progress::Lines && self.last_line.get().elapsed() >= LINE_INTERVAL => {
                line(&text.to_string());
                self.last_line.set(Instant::now());
            }
            None => {}
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn spinner(text: String) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.set_message(text);
    bar.enable_steady_tick(SPINNER_INTERVAL);
    bar
}

/// Progress that cannot be written is no reason to stop.
fn line(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
