//! `archer serve`: the HTTP interface.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::ValueEnum;
use dev::endpoints::Needs;
use events::Intake;

use crate::output::Outcome;
use crate::stores::Stores;
use crate::{Context, now};

/// `archer serve`
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:\n  archer serve\n  \
    GITHUB_WEBHOOK_SECRET=… archer serve --listen 0.0.0.0:8080 --migrate check")]
pub struct Arguments {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// What to do about pending migrations
    #[arg(long, value_enum, default_value_t = Migrate::Auto)]
    migrate: Migrate,
    /// What GitHub signs its webhooks with; without it they are not taken
    #[arg(long, env = "GITHUB_WEBHOOK_SECRET", hide_env_values = true, value_name = "SECRET")]
    github_secret: Option<String>,
    /// Whose events arrive
    #[arg(long, default_value = Intake::DEFAULT_TENANT)]
    tenant: String,
}

/// What a starting service does about pending migrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Migrate {
    /// Apply them before listening, in identitydb as who migrates it (IDENTITYDB_OWNER_URL)
    Auto,
    /// Change nothing, and not be ready while any is pending
    Check,
}

/// Serves until it is told to stop, and lets requests end that have begun.
///
/// # Errors
///
/// When a store can't be reached, a migration fails, or the address is taken.
pub async fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Outcome> {
    Stores::with(context, Needs::ALL, async |stores| {
        if arguments.migrate == Migrate::Auto {
            stores.migrate().await?;
        }
        let router = api::router(api::State {
            postgres: stores.postgres().map(|(name, db)| (name, db.clone())).collect(),
            events: stores.events()?.clone(),
            tenant: arguments.tenant.clone(),
            github_secret: arguments.github_secret.clone().and_then(api::Secret::new),
            now,
        });
        let listener = tokio::net::TcpListener::bind(arguments.listen).await.with_context(|| {
            format!("{} can't be listened on; --listen takes another address", arguments.listen)
        })?;
        let stop = told_to_stop();
        anstream::eprintln!("listening on http://{}", listener.local_addr()?);
        axum::serve(listener, router).with_graceful_shutdown(stop).await?;
        Ok(Outcome::Done)
    })
    .await
}

/// Ends when the process gets SIGINT (Ctrl-C) or SIGTERM, from now on.
fn told_to_stop() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
            tracing::warn!("signals can't be listened for; only a kill stops this");
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
    }
}
