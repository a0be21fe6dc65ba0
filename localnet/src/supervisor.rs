//! Starts, watches and stops the processes of a stack.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, OpenOptions},
    future::Future,
    io,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use tokio::process::{Child, Command};

use crate::{
    Layout,
    process::{Identity, POLL},
};

/// How long a process may take to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(10);
/// How long the system may take to end a killed process.
const KILL_PATIENCE: Duration = Duration::from_secs(5);
/// Lines of a log that an error shows.
const TAIL: usize = 15;

/// What becomes of a stack's processes when the program that started them ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// They end with it: dropped, they are killed, and what interrupts its process group
    /// interrupts them.
    Owned,
    /// They go on, in a process group of their own, until somebody stops the stack.
    Detached,
}

/// What to run.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// The name of the process in the stack.
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(String, String)>,
}

/// A process that was started under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessStatus {
    /// Its name in the stack.
    pub name: String,
    /// Its number, if it runs.
    pub pid: Option<i32>,
}

/// The processes of one stack, each under a name.
#[derive(Debug)]
pub(crate) struct Supervisor {
    layout: Layout,
    lifetime: Lifetime,
    /// Those that this program started; the system keeps them until they are waited for.
    children: BTreeMap<String, Child>,
}

impl Supervisor {
    pub(crate) fn new(layout: Layout, lifetime: Lifetime) -> Self {
        Self { layout, lifetime, children: BTreeMap::new() }
    }

    /// Starts a process, its output appended to its log.
    pub(crate) fn start(&mut self, launch: &Launch) -> Result<()> {
        let Launch { name, program, arguments, environment } = launch;
        if let Some(running) = self.running(name)? {
            bail!("{name} is running already, as process {}", running.pid);
        }
        let output = self.open_log(name)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(environment.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone().with_context(|| format!("cannot open the log of {name}"))?)
            .stderr(output)
            .kill_on_drop(self.lifetime == Lifetime::Owned);
        if self.lifetime == Lifetime::Detached {
            command.process_group(0);
        }
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        // A process that ended at once is found by whoever waits for it to be ready.
        if let Some(identity) = pid.and_then(Identity::of) {
            identity.save(&self.layout.pid_file(name))?;
        }
        self.children.insert(name.clone(), child);
        Ok(())
    }

    /// Waits until `probe` says that the process is ready.
    ///
    /// # Errors
    /// As soon as the process has ended, or after `patience`; with the end of its log.
    pub(crate) async fn ready<F, Fut>(&self, name: &str, patience: Duration, probe: F) -> Result<()>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = bool>,
    {
        let deadline = Instant::now() + patience;
        loop {
            if probe().await {
                return Ok(());
            }
            if self.running(name)?.is_none() {
                bail!("{name} ended before it was ready{}", self.log_tail(name));
            }
            if Instant::now() >= deadline {
                bail!("{name} is not ready after {} s{}", patience.as_secs(), self.log_tail(name));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The process of that name, if it runs, whoever started it.
    pub(crate) fn running(&self, name: &str) -> Result<Option<Identity>> {
        Identity::load(&self.layout.pid_file(name))
    }

    /// Every process that was started and not stopped, sorted by name.
    pub(crate) fn status(&self) -> Result<Vec<ProcessStatus>> {
        let mut found = Vec::new();
        for name in self.names()? {
            let pid = self.running(&name)?.map(|identity| identity.pid);
            found.push(ProcessStatus { name, pid });
        }
        Ok(found)
    }

    /// Ends a process: asks first, then kills. One that does not run is no error.
    pub(crate) async fn stop(&mut self, name: &str) -> Result<()> {
        if let Some(identity) = self.running(name)? {
            identity.signal(Signal::SIGTERM)?;
            if !identity.ended_within(GRACE).await {
                self.kill(name).await?;
            }
        }
        self.forget(name).await
    }

    /// Ends a process at once, as `kill -9` does. One that does not run is no error.
    pub(crate) async fn kill(&mut self, name: &str) -> Result<()> {
        if let Some(identity) = self.running(name)? {
            identity.signal(Signal::SIGKILL)?;
            if !identity.ended_within(KILL_PATIENCE).await {
                bail!("process {} ({name}) does not end, although it was killed", identity.pid);
            }
        }
        self.forget(name).await
    }

    async fn forget(&mut self, name: &str) -> Result<()> {
        if let Some(mut child) = self.children.remove(name) {
            child.wait().await.with_context(|| format!("cannot wait for {name}"))?;
        }
        match fs::remove_file(self.layout.pid_file(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove the process file of {name}"))
            }
            _ => Ok(()),
        }
    }

    fn names(&self) -> Result<Vec<String>> {
        let folder = self.layout.run();
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let mut names = Vec::new();
        for entry in entries {
            let file = entry.with_context(|| format!("cannot read {}", folder.display()))?.file_name();
            if let Some(name) = file.to_str().and_then(|file| file.strip_suffix(".pid")) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn open_log(&self, name: &str) -> Result<fs::File> {
        let path = self.layout.log(name);
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))
    }

    fn log_tail(&self, name: &str) -> String {
        let path = self.layout.log(name);
        let text = fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default();
        format!("; the end of {}:\n{}", path.display(), tail.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supervisor(folder: &tempfile::TempDir) -> Supervisor {
        let layout = Layout::new(folder.path().to_owned());
        layout.make_folders().unwrap();
        Supervisor::new(layout, Lifetime::Owned)
    }

    fn shell(name: &str, script: &str) -> Launch {
        Launch {
            name: name.to_owned(),
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: vec![("WORD".to_owned(), "heard".to_owned())],
        }
    }

    /// Whether the process has written the word to its log.
    fn wrote(layout: &Layout, name: &str, word: &str) -> bool {
        fs::read_to_string(layout.log(name)).unwrap().contains(word)
    }

    #[tokio::test]
    async fn a_process_that_ends_early_is_an_error_with_the_end_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut supervisor = supervisor(&folder);
        supervisor.start(&shell("brief", "echo the reason is $WORD; exit 3")).unwrap();
        let error = supervisor.ready("brief", Duration::from_secs(60), || async { false }).await.unwrap_err();
        assert!(error.to_string().contains("the reason is heard"), "{error}");
    }

    #[tokio::test]
    async fn a_process_that_heeds_the_request_to_end_is_not_killed() {
        let folder = tempfile::tempdir().unwrap();
        let mut supervisor = supervisor(&folder);
        let layout = supervisor.layout.clone();
        let script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.02; done";
        supervisor.start(&shell("polite", script)).unwrap();
        let up = || async { wrote(&layout, "polite", "up") };
        supervisor.ready("polite", Duration::from_secs(60), up).await.unwrap();
        supervisor.stop("polite").await.unwrap();
        assert!(wrote(&layout, "polite", "bye"));
        assert_eq!(supervisor.status().unwrap(), []);
    }

    #[tokio::test]
    async fn a_process_is_stopped_by_a_supervisor_that_did_not_start_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = supervisor(&folder);
        first.start(&shell("shared", "exec sleep 1000")).unwrap();
        let mut second = supervisor(&folder);
        let found = second.status().unwrap();
        assert_eq!(found.len(), 1);
        assert!(found[0].pid.is_some());
        second.stop("shared").await.unwrap();
        assert_eq!(first.running("shared").unwrap(), None);
    }

    #[tokio::test]
    async fn a_killed_process_can_be_started_again_under_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut supervisor = supervisor(&folder);
        let launch = shell("again", "trap '' TERM; exec sleep 1000");
        supervisor.start(&launch).unwrap();
        let before = supervisor.running("again").unwrap().unwrap();
        assert!(supervisor.start(&launch).is_err(), "two processes have one name");
        supervisor.kill("again").await.unwrap();
        assert!(!before.is_alive());
        supervisor.start(&launch).unwrap();
        assert_ne!(supervisor.running("again").unwrap().unwrap(), before);
        supervisor.kill("again").await.unwrap();
    }

    #[tokio::test]
    async fn owned_processes_end_with_their_owner() {
        let folder = tempfile::tempdir().unwrap();
        let mut supervisor = supervisor(&folder);
        supervisor.start(&shell("owned", "exec sleep 1000")).unwrap();
        let identity = supervisor.running("owned").unwrap().unwrap();
        drop(supervisor);
        assert!(identity.ended_within(Duration::from_secs(60)).await);
    }
}
