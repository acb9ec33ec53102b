//! A child process that is always reaped, and signalled only while it is certainly ours.
//!
//! Each child has a thread of this process that spawns it and waits for it. Two reasons: on Linux
//! the signal that ends a child with its parent comes when the *thread* that spawned it ends, and
//! a child that nobody waits for keeps its process id, as a zombie, for as long as we live.

use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};
use tokio::sync::watch;

use crate::error::{Error, Result};

/// A running (or ended) child process. Dropping this does not end the process.
#[derive(Debug)]
pub(crate) struct Child {
    pid: Pid,
    /// Its standard input, where the command asked for a pipe. Dropping it closes the pipe.
    pub(crate) stdin: Option<ChildStdin>,
    reaped: Arc<Reaped>,
    exit: watch::Receiver<Option<ExitStatus>>,
}

/// True once the process is reaped; locked while it is signalled, so that no signal can reach
/// another process that was given the same id.
#[derive(Debug, Default)]
struct Reaped {
    flag: Mutex<bool>,
    changed: Condvar,
}

impl Reaped {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.flag.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Child {
    /// Starts `command` in a process group of its own: a Ctrl-C at the terminal reaches its owner,
    /// who then ends it in good order.
    pub(crate) fn spawn(mut command: Command) -> Result<Self> {
        command.process_group(0);
        let shown = command.get_program().to_string_lossy().into_owned();
        let failed = move |source| Error::Io { doing: format!("cannot run {shown}"), source };
        let (started, spawned) = std::sync::mpsc::channel();
        let (ended, exit) = watch::channel(None);
        let reaped = Arc::new(Reaped::default());
        let is_reaped = Arc::clone(&reaped);
        let keeper = move || match command.spawn() {
            Ok(mut child) => {
                let pid = Pid::from_child(&child);
                if started.send(Ok((pid, child.stdin.take()))).is_ok() {
                    // Leaves the zombie, and so its id, in place until signals are locked out.
                    while waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
                        .is_err_and(|error| error == rustix::io::Errno::INTR)
                    {}
                    let mut reaped = is_reaped.lock();
                    *reaped = true;
                    let status = child.wait().ok();
                    drop(reaped);
                    is_reaped.changed.notify_all();
                    ended.send_replace(status);
                }
            }
            Err(error) => drop(started.send(Err(error))),
        };
        std::thread::Builder::new().name("archer-child".into()).spawn(keeper).map_err(&failed)?;
        let (pid, stdin) = spawned
            .recv()
            .unwrap_or_else(|_| Err(std::io::Error::other("its thread ended")))
            .map_err(&failed)?;
        Ok(Self { pid, stdin, reaped, exit })
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.pid.as_raw_pid().unsigned_abs()
    }

    /// Sends `signal`, unless the process has ended.
    pub(crate) fn signal(&self, signal: Signal) {
        self.send(|pid| kill_process(pid, signal));
    }

    fn send(&self, kill: impl FnOnce(Pid) -> rustix::io::Result<()>) {
        let reaped = self.reaped.lock();
        if !*reaped && let Err(error) = kill(self.pid) {
            tracing::warn!(pid = self.id(), %error, "cannot signal a child process");
        }
    }

    /// Waits for the end; how it ended, in words.
    pub(crate) async fn ended(&self) -> String {
        let mut exit = self.exit.clone();
        // An error means that the thread is gone, which it only is when the child is.
        let status = exit.wait_for(Option::is_some).await.ok().and_then(|status| *status);
        status.map_or_else(|| "ended".into(), |status| status.to_string())
    }

    /// Waits for the end for at most `within`; true if it came.
    pub(crate) async fn ended_within(&self, within: Duration) -> bool {
        tokio::time::timeout(within, self.ended()).await.is_ok()
    }

    /// As [`Self::ended_within`], where there is no runtime to wait on: in `Drop`.
    pub(crate) fn blocking_ended_within(&self, within: Duration) -> bool {
        let running = |reaped: &mut bool| !*reaped;
        let waited = self.reaped.changed.wait_timeout_while(self.reaped.lock(), within, running);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Kills a child, and what it started in its process group, when dropped: a program that is run to
/// its end does not go on once nobody waits for it.
#[derive(Debug)]
pub(crate) struct KillOnDrop(pub(crate) Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.0.send(|pid| kill_process_group(pid, Signal::KILL));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_child_is_signalled_and_reaped() {
        let mut command = Command::new("sleep");
        command.arg("60");
        let child = Child::spawn(command).unwrap();
        assert!(!child.blocking_ended_within(Duration::from_millis(1)));
        child.signal(Signal::KILL);
        assert!(child.ended().await.contains("signal: 9"));
        assert!(child.blocking_ended_within(Duration::ZERO));
        child.signal(Signal::KILL);
    }

    #[test]
    fn a_program_that_is_absent_is_named() {
        let error = Child::spawn(Command::new("/absent/program")).unwrap_err();
        assert!(error.to_string().starts_with("cannot run /absent/program"), "{error}");
    }
}
