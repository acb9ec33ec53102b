//! Progress on standard error: a bar for work that takes longer than a second, and lines for work on several
//! databases at once.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use service::ardb::import::Progress;

/// Work shorter than this shows no bar.
const QUIET: Duration = Duration::from_secs(1);

/// A bar that appears once the work has lasted a second and is gone when dropped; hidden where standard
/// error is no terminal.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    start: Instant,
    /// What is counted beside the bar.
    unit: &'static str,
}

impl Bar {
    /// A bar over the bytes of an input, with the documents done so far beside it.
    pub fn bytes(title: &'static str) -> Self {
        Self::new(title, "{prefix} {wide_bar} {bytes}/{total_bytes}, {msg} ({bytes_per_sec}, {eta} left)")
    }

    /// A bar over the whole way of an import that reads first and writes then, with the records read so far and their
    /// rate beside it.
    pub fn records(title: &'static str) -> Self {
        let mut bar = Self::new(title, "{prefix} {wide_bar} {percent} %, {msg} ({eta} left)");
        bar.unit = "records";
        bar
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
        Self { bar, start: Instant::now(), unit: "documents" }
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
        let unit = self.unit;
        let message = if unit == "records" {
            format!("{documents} {unit}, {:.0}/s", documents as f64 / self.start.elapsed().as_secs_f64())
        } else {
            format!("{documents} {unit}")
        };
        self.bar.set_message(message);
        self.bar.set_position(bytes);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A line for each of several databases that are worked on at once; hidden where standard error is no terminal.
#[derive(Debug)]
pub struct Board {
    lines: MultiProgress,
}

impl Board {
    /// Without lines; for ever if `hidden`.
    pub fn new(hidden: bool) -> Self {
        let target =
            if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(8) };
        Self { lines: MultiProgress::with_draw_target(target) }
    }

    /// A line that appears once there is something to say, and is gone when dropped.
    pub fn line(&self, title: &'static str) -> Line {
        let style = ProgressStyle::with_template("{prefix}: {wide_msg} {elapsed}");
        let bar = ProgressBar::no_length().with_prefix(title);
        bar.set_style(style.expect("the template is a constant"));
        Line { bar: self.lines.add(bar) }
    }
}

/// What goes on in one database.
#[derive(Debug)]
pub struct Line {
    bar: ProgressBar,
}

impl Line {
    /// Shows `what` from now on.
    pub fn say(&self, what: String) {
        self.bar.set_message(what);
        self.bar.enable_steady_tick(Duration::from_millis(500));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
