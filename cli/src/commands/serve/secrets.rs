//! What senders prove themselves with. It comes in the environment, since everybody on a machine sees the arguments.

use std::env::VarError;

use anyhow::{Context as _, bail};
use api::{Secret, Tokens, Webhooks};

const GITHUB: &str = "GITHUB_WEBHOOK_SECRET";
const GITLAB: &str = "GITLAB_WEBHOOK_SECRET";
const GITLAB_SIGNING: &str = "GITLAB_SIGNING_TOKEN";
const BITBUCKET: &str = "BITBUCKET_WEBHOOK_SECRET";
const INGEST: &str = "ARCHER_INGEST_TOKENS";

/// A shorter token can be guessed.
const MIN_TOKEN_LENGTH: usize = 16;

/// What the help says of the variables.
pub(super) const HELP: &str = "Secrets, in the environment; what has none is not taken:\n  \
    GITHUB_WEBHOOK_SECRET      what GitHub signs its webhooks with\n  \
    GITLAB_WEBHOOK_SECRET      what GitLab sends in X-Gitlab-Token\n  \
    GITLAB_SIGNING_TOKEN       what GitLab signs them with (whsec_…); unsigned ones are refused then\n  \
    BITBUCKET_WEBHOOK_SECRET   what Bitbucket signs its webhooks with\n  \
    ARCHER_INGEST_TOKENS       ACTOR=TOKEN,… of who else sends: editors, browsers, CloudEvents, lines";

/// The secrets of webhooks.
pub(super) fn webhooks() -> anyhow::Result<Webhooks> {
    let secret = |name| anyhow::Ok(variable(name)?.as_deref().and_then(Secret::new));
    let signing = |token: String| {
        Secret::of_signing_token(&token).with_context(|| {
            format!(
                "{GITLAB_SIGNING} is no signing token: expected whsec_ and base64, as GitLab has shown it"
            )
        })
    };
    Ok(Webhooks {
        github: secret(GITHUB)?,
        gitlab: secret(GITLAB)?,
        gitlab_signing: variable(GITLAB_SIGNING)?.map(signing).transpose()?,
        bitbucket: secret(BITBUCKET)?,
    })
}

/// The tokens of everybody else.
pub(super) fn tokens() -> anyhow::Result<Tokens> {
    let mut tokens = Tokens::default();
    let given = variable(INGEST)?.unwrap_or_default();
    for (number, given) in (1..).zip(given.split(',').map(str::trim).filter(|given| !given.is_empty())) {
        match given.split_once('=') {
            Some((actor, token)) if !actor.is_empty() && token.len() >= MIN_TOKEN_LENGTH => {
                tokens.add(actor, token);
            }
            // Not repeated: it may be the token.
            _ => bail!(
                "{INGEST}, number {number}: expected ACTOR=TOKEN with a token of at least {MIN_TOKEN_LENGTH} characters"
            ),
        }
    }
    Ok(tokens)
}

/// What is in variable `name`; `None` if it is empty or not there.
fn variable(name: &str) -> anyhow::Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => bail!("{name} is not UTF-8"),
    }
}
