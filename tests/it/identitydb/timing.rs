//! How long things take beside each other, on a machine that does other things as well.

use std::time::{Duration, Instant};

use tracing::subscriber::{NoSubscriber, set_default};

/// Looks that are taken before a difference is believed.
const LOOKS: usize = 60;

/// Looks after which is forgotten what was measured: something else may have had the machine for so long.
const STRETCH: usize = 10;

/// The median of how long each of `kinds` things takes that `run` does.
///
/// They are done in turn, and never two in the same order all the time, so that whatever else the machine does slows
/// all of them down alike. After every `rounds` rounds it is looked whether the medians so far are as they should
/// be; that is the end, or there are more: chance goes away with the number of rounds, other load with time, and a
/// difference stays.
///
/// Nothing is logged meanwhile: that every step of every statement goes into a file, as it does for all other tests, is
/// not what is measured.
pub async fn medians(
    kinds: usize,
    rounds: usize,
    mut run: impl AsyncFnMut(usize),
    are_right: impl Fn(&[Duration]) -> bool,
) -> Vec<Duration> {
    let _quiet = set_default(NoSubscriber::new());
    for kind in 0..kinds {
        run(kind).await; // what is done for the first time takes longer
    }
    let mut times = vec![Vec::with_capacity(rounds); kinds];
    let mut so_far = Vec::new();
    for look in 0..LOOKS {
        for round in 0..rounds {
            for turn in 0..kinds {
                // Forwards and backwards, from another one each time.
                let turn = if round.is_multiple_of(2) { turn } else { kinds - 1 - turn };
                let kind = (turn + round / 2) % kinds;
                let began = Instant::now();
                run(kind).await;
                times[kind].push(began.elapsed());
            }
        }
        if look % STRETCH == STRETCH - 1 {
            times.iter_mut().for_each(|times| drop(times.drain(..times.len() - rounds)));
        }
        so_far = times.iter().map(|times| median(times)).collect();
        if are_right(&so_far) {
            println!("{} rounds were enough", (look + 1) * rounds);
            break;
        }
    }
    so_far
}

/// How many times the fastest the slowest takes.
pub fn spread(times: &[Duration]) -> f64 {
    let seconds = times.iter().map(Duration::as_secs_f64);
    let (fastest, slowest) =
        seconds.fold((f64::INFINITY, 0_f64), |(fastest, slowest), one| (fastest.min(one), slowest.max(one)));
    slowest / fastest
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}
