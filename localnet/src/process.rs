//! Processes as the system knows them, also those that another program started.

use std::{
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// How often the system is asked whether something happened.
pub(crate) const POLL: Duration = Duration::from_millis(20);

/// One process, told from a later one with the same number by its start time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) pid: i32,
    /// Clock ticks from the machine's start to the process's.
    started: u64,
}

impl Identity {
    /// The process with this number, if there is one that has not ended.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // `pid (name) state ...`; the name may hold anything. Field 22 is the start time.
        let (_, after_name) = stat.rsplit_once(") ")?;
        let mut fields = after_name.split(' ');
        let state = fields.next()?;
        if matches!(state, "Z" | "X" | "x") {
            return None;
        }
        let started = fields.nth(18)?.parse().ok()?;
        Some(Self { pid, started })
    }

    /// Whether the process still runs.
    pub(crate) fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Sends a signal; a process that is gone already is no error.
    pub(crate) fn signal(self, signal: Signal) -> Result<()> {
        if !self.is_alive() {
            return Ok(());
        }
        match kill(Pid::from_raw(self.pid), signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => bail!("cannot send {signal} to process {}: {error}", self.pid),
        }
    }

    /// Waits until the process has ended; false if it still runs after `patience`.
    pub(crate) async fn ended_within(self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(POLL).await;
        }
        true
    }

    /// Notes the process in a file.
    pub(crate) fn save(self, path: &Path) -> Result<()> {
        let text = format!("{} {}\n", self.pid, self.started);
        Ok(kms_config::write_whole_file(path, text.as_bytes())?)
    }

    /// The process that a file notes, if it still runs.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let noted = text
            .trim_end()
            .split_once(' ')
            .and_then(|(pid, started)| Some(Self { pid: pid.parse().ok()?, started: started.parse().ok()? }));
        let noted = noted.with_context(|| format!("{} does not name a process", path.display()))?;
        Ok(noted.is_alive().then_some(noted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own_pid() -> i32 {
        i32::try_from(std::process::id()).unwrap()
    }

    #[test]
    fn a_running_process_is_found_again_from_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("me.pid");
        let me = Identity::of(own_pid()).unwrap();
        me.save(&path).unwrap();
        assert_eq!(Identity::load(&path).unwrap(), Some(me));
    }

    #[test]
    fn a_later_process_with_the_same_number_is_another_one() {
        let me = Identity::of(own_pid()).unwrap();
        let earlier = Identity { started: me.started - 1, ..me };
        assert!(me.is_alive());
        assert!(!earlier.is_alive());
    }

    #[test]
    fn a_file_that_is_not_there_names_no_process_and_a_broken_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Identity::load(&folder.path().join("none.pid")).unwrap(), None);
        let broken = folder.path().join("broken.pid");
        fs::write(&broken, "me\n").unwrap();
        assert!(Identity::load(&broken).is_err());
    }

    #[test]
    fn a_process_that_ended_but_was_not_waited_for_is_not_alive() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        while Identity::of(pid).is_some() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }
}
