//! A progress bar on standard error, for work that takes longer than a second.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use service::ardb::import::Progress;

/// Work shorter than this shows no bar.
const QUIET: Duration = Duration::from_secs(1);

/// A bar that appears once the work has lasted a second and is gone when dropped; hidden where standard
/// error is no terminal.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    start: Instant,
}

impl Bar {
    /// A bar over the bytes of an input, with the documents done so far beside it.
    pub fn bytes(title: &'static str) -> Self {
        Self::new(title, "{prefix} {wide_bar} {bytes}/{total_bytes}, {msg} ({bytes_per_sec}, {eta} left)")
    }

    /// A count of `unit`, for an input whose length nobody knows.
    pub fn counter(title: &'static str, unit: &str) -> Self {
        Self::new(title, &format!("{{prefix}} {{spinner}} {{human_pos}} {unit} in {{elapsed}} ({{per_sec}})"))
    }

    /// Shows that `done` units are done in all.
    pub fn count(&self, done: u64) {
        self.appear();
        self.bar.set_position(done);
    }

    fn new(title: &'static str, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(ProgressStyle::with_template(template).expect("the templates are constants"));
        bar.set_prefix(title);
        Self { bar, start: Instant::now() }
    }

    fn appear(&self) {
        if self.bar.is_hidden() && self.start.elapsed() > QUIET {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
        }
    }
}

impl Progress for Bar {
    fn started(&self, total_bytes: u64) {
        self.bar.set_length(total_bytes);
    }

    fn advanced(&self, bytes: u64, documents: u64) {
        self.appear();
        self.bar.set_message(format!("{documents} documents"));
        self.bar.set_position(bytes);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
