//! `archer serve`: the HTTP interface.

mod secrets;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;
use dev::endpoints::Needs;
use events::Intake;
use events::log::LogOptions;
use events::writer::{DurableOptions, EventWriter};
use tokio::sync::watch;

use crate::output::Outcome;
use crate::sending::{begin_when_ready, ready};
use crate::stores::Stores;
use crate::{Context, now};

/// `archer serve`
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = format!("{}\n\nExamples:\n  archer serve\n  \
    GITHUB_WEBHOOK_SECRET=… archer serve --listen 0.0.0.0:8080 --events-log /var/lib/archer/events\n  \
    ARCHER_INGEST_TOKENS=octo=waka_… archer serve\n\n\
    Of an editor, ~/.wakatime.cfg then has api_url = http://127.0.0.1:8080 and api_key = the token. \
    Events are acknowledged once they are in the log, also while ClickHouse is away.", secrets::HELP))]
pub struct Arguments {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// What to do about pending migrations
    #[arg(long, value_enum, default_value_t = Migrate::Auto)]
    migrate: Migrate,
    /// Keeps no payloads of webhooks beside their events
    #[arg(long)]
    no_payloads: bool,
    /// The folder that events are kept in until ClickHouse has them
    #[arg(long, env = "ARCHER_EVENTS_LOG", value_name = "FOLDER", default_value = ".archer/serve-log")]
    events_log: PathBuf,
    /// The most that this folder holds; past it events are refused with 503
    #[arg(long, value_name = "MIB", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..))]
    events_log_max: u64,
    /// How long to go on with requests, and then with sending, once told to stop
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    grace: u64,
    /// Whose events arrive
    #[arg(long, default_value = Intake::DEFAULT_TENANT, value_parser = super::ingest::tenant)]
    tenant: String,
}

impl Arguments {
    fn options(&self) -> DurableOptions {
        let log = LogOptions { max_bytes: self.events_log_max << 20, ..LogOptions::default() };
        DurableOptions { log, ..DurableOptions::default() }
    }
}

/// What a starting service does about pending migrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Migrate {
    /// Apply them before listening, in identitydb as who migrates it (IDENTITYDB_OWNER_URL); those of ClickHouse once it
    /// is there
    Auto,
    /// Change nothing, and not be ready while any is pending
    Check,
}

/// Serves until it is told to stop; lets requests end that have begun, and sends what the log holds.
///
/// # Errors
///
/// When a secret is none, a store but ClickHouse can't be reached, a migration fails, the address is taken, or the log is in use.
pub async fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Outcome> {
    let (webhooks, tokens) = (secrets::webhooks()?, secrets::tokens()?);
    Stores::with_reachable(context, Needs::ALL, async |stores| {
        stores.all_but_absent_events()?;
        let migrates = arguments.migrate == Migrate::Auto;
        if migrates {
            stores.migrate().await?;
        }
        let client = stores.events_or_later()?;
        let log = &arguments.events_log;
        let writer = Arc::new(EventWriter::open_held(log, &client, arguments.options())?);
        let router = api::router(api::State {
            postgres: stores.postgres().map(|(name, db)| (name, db.clone())).collect(),
            events: client.clone(),
            writer: writer.clone(),
            tenant: arguments.tenant.clone(),
            webhooks,
            tokens,
            keeps_payloads: !arguments.no_payloads,
            now,
        });
        let listener = tokio::net::TcpListener::bind(arguments.listen).await.with_context(|| {
            format!("{} can't be listened on; --listen takes another address", arguments.listen)
        })?;
        let (stop, stopping) = watch::channel(false);
        let told = told_to_stop();
        anstream::eprintln!("listening on http://{}", listener.local_addr()?);
        let grace = Duration::from_secs(arguments.grace);
        let serving = async {
            let mut stopping = stopping.clone();
            let stop = async move { drop(stopping.wait_for(|stopping| *stopping).await) };
            axum::serve(listener, router).with_graceful_shutdown(stop).await
        };
        let ending = async {
            told.await;
            stop.send_replace(true);
            tokio::time::sleep(grace).await;
        };
        {
            let beginning = async {
                begin_when_ready(&client, &writer, log, migrates).await;
                replay_parked(&writer).await;
                std::future::pending::<()>().await;
            };
            tokio::select! {
                served = serving => served?,
                () = ending => tracing::warn!("requests did not end within {grace:?}"),
                () = beginning => {}
            }
        }
        let ending = async {
            // Told to stop before it had begun.
            if ready(&client, migrates).await.is_ok() {
                writer.begin();
            }
            end(writer).await
        };
        match tokio::time::timeout(grace, ending).await {
            Ok(ended) => ended?,
            Err(_) => anstream::eprintln!(
                "what ClickHouse did not take within {grace:?} is in {}, for the next start",
                log.display()
            ),
        }
        Ok(Outcome::Done)
    })
    .await
}

/// Sends what was parked while a migration was missing.
async fn replay_parked(writer: &EventWriter) {
    match writer.replay_parked().await {
        Ok(replayed) if replayed.sent > 0 => tracing::info!(rows = replayed.sent, "sent what was parked"),
        Ok(_) => {}
        Err(error) => tracing::warn!("what is parked stays so: {error}"),
    }
}

/// Sends what the log holds as long as ClickHouse takes it; the rest is for the next start.
async fn end(writer: Arc<EventWriter>) -> events::Result<()> {
    match Arc::try_unwrap(writer) {
        Ok(writer) => writer.shutdown().await,
        // A request that did not end has it, too.
        Err(writer) => writer.flush().await,
    }
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
