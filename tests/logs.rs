//! What cargo runs after the integration tests, whichever of them were asked for: the last search for secrets in what
//! they have logged, when nobody logs any more. It fails with the places.

#[path = "it/harness/leaks.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod leaks;

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

/// Where each run of the tests has a folder.
const RUNS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/logs");

fn main() -> ExitCode {
    // Who asks for the list of tests runs none.
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let (mut searched, mut places) = (0, Vec::new());
    for run in std::fs::read_dir(RUNS).into_iter().flatten().flatten() {
        match search(&run.path()) {
            Ok(Some(found)) => {
                searched += 1;
                places.extend(found);
            }
            Ok(None) => {} // it goes on
            Err(error) => {
                println!("{} can't be searched: {error}", run.path().display());
                return ExitCode::FAILURE;
            }
        }
    }
    if places.is_empty() {
        println!("\nno secret is in the logs of {searched} run(s)\n");
        return ExitCode::SUCCESS;
    }
    println!("\na secret is logged here:\n{}\n", places.join("\n"));
    ExitCode::FAILURE
}

/// The places in the logs of a run that is over; they are removed if there is none.
fn search(run: &Path) -> std::io::Result<Option<Vec<String>>> {
    if File::open(run.join("lock"))?.try_lock().is_err() {
        return Ok(None);
    }
    let known = std::fs::read_to_string(run.join(leaks::KNOWN)).unwrap_or_default();
    let places = leaks::Search::new(known.lines()).places(run)?;
    if places.is_empty() {
        std::fs::remove_dir_all(run)?;
    }
    Ok(Some(places))
}
