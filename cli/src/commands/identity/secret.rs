//! How a secret comes in and goes out: never as an argument, which other processes and the shell's history see.

use std::fs::File;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use anyhow::{Context as _, bail};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use service::identitydb::rule;

use crate::Context;

/// Bytes of a line that are read at most: more than anything that is a secret has.
const LINE_MAX: usize = rule::PASSWORD_MAX + 2;

/// The first line of standard input. On a terminal it is asked for, and not shown; `again` asks twice.
pub fn read(what: &str, again: bool) -> anyhow::Result<SecretString> {
    let secret = if io::stdin().is_terminal() { ask(what, again)? } else { first_line(what)? };
    if secret.expose_secret().is_empty() {
        bail!("standard input has no {what}; it is read from there, as in `… < file`");
    }
    Ok(secret)
}

fn ask(what: &str, again: bool) -> anyhow::Result<SecretString> {
    let cannot = || format!("the {what} can't be asked for");
    show_again_at_the_end();
    let hidden = |question: &str| tokio::task::block_in_place(|| rpassword::prompt_password(question));
    let secret: SecretString =
        hidden(&format!("The {what}, which is not shown: ")).with_context(cannot)?.into();
    if again {
        let second = Zeroizing::new(hidden("Once more: ").with_context(cannot)?);
        if *second != secret.expose_secret() {
            bail!("that was not the same {what} twice; nothing was changed");
        }
    }
    Ok(secret)
}

/// Has the terminal show again what is typed, where Ctrl-C ends the program while a question is open.
fn show_again_at_the_end() {
    let Ok(terminal) = File::open("/dev/tty") else { return };
    let Ok(before) = tcgetattr(&terminal) else { return };
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            // What fails here is out of reach.
            let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
            anstream::eprintln!();
            std::process::exit(130); // as a shell tells the end by SIGINT
        }
    });
}

fn first_line(what: &str) -> anyhow::Result<SecretString> {
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_MAX));
    let mut input = io::stdin().lock().take(LINE_MAX as u64);
    input.read_until(b'\n', &mut line).context("standard input can't be read")?;
    let line = std::str::from_utf8(&line).ok().with_context(|| format!("the {what} is no UTF-8"))?;
    let line = line.strip_suffix('\n').unwrap_or(line);
    Ok(line.strip_suffix('\r').unwrap_or(line).into())
}

/// Shows a secret, this once: alone on standard output, so that it can be piped, and `about` for people on standard
/// error; or, for programs, as `field` of the JSON object `told`.
///
/// # Errors
///
/// When standard output does not take it; then it is lost, and `way_out` says what to do.
pub fn show(
    context: &Context,
    secret: &SecretString,
    (field, mut told): (&str, Value),
    about: &str,
    way_out: &str,
) -> anyhow::Result<()> {
    let shown = if context.json {
        told[field] = secret.expose_secret().into();
        Zeroizing::new(format!("{told:#}\n"))
    } else {
        Zeroizing::new(format!("{}\n", secret.expose_secret()))
    };
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_all(shown.as_bytes()).and_then(|()| out.flush()) {
        // Not as a cause: a closed pipe is no failure elsewhere, and here it is one.
        bail!("standard output did not take the {field} ({error}), so it is lost; {way_out}");
    }
    if !context.json {
        anstream::eprintln!("{about}");
    }
    Ok(())
}
