//! Events in ClickHouse: what happened, from Git providers and Git history, in one table.
//!
//! # From a service
//!
//! ```no_run
//! use std::path::Path;
//! use events::{Client, digest, migration, query, source, writer};
//!
//! # async fn example(now: chrono::DateTime<chrono::Utc>) -> events::Result<()> {
//! let client = Client::connect("http://user:password@localhost:8123/archer").await?;
//! migration::up(&client, &migration::Extent::All).await?;
//!
//! let commits = source::git::read(events::Intake::new("default", now), Path::new("."))?;
//! let repository = commits.repository().name.clone();
//! let report = writer::write(&client, commits, writer::Options::default(), |_| {}).await?;
//! println!("{report}");
//!
//! let people = query::most_active_people::fetch(&client, &Default::default()).await?;
//! let scope = digest::Scope::Repository(repository);
//! let request = digest::Request::new(scope, digest::Period::Week, now);
//! println!("{} people\n{}", people.len(), digest::digest(&client, &request).await?);
//! # Ok(())
//! # }
//! ```
//!
//! A webhook that comes in over HTTP is one event:
//!
//! ```no_run
//! # async fn example(client: events::Client, now: chrono::DateTime<chrono::Utc>, body: Vec<u8>) -> events::Result<()> {
//! use events::{Intake, source::github, writer};
//!
//! let event = github::event(&Intake::new("default", now), "push", Some("72d3162e-cc78-11e3"), &body);
//! writer::write(&client, [event], writer::Options::default(), |_| {}).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What lives where
//!
//! | module | what it does |
//! |---|---|
//! | [`client`](Client) | connects, checks the server, keeps the password to itself |
//! | [`migration`] | the schema: migrations with `up` and `down`, and their ledger |
//! | [`envelope`] | the one shape of an event: identity, bounds, scrubbing, times |
//! | [`source`] | what others send, as events |
//! | [`log`] | the durable log: what was acknowledged is on disk |
//! | [`writer`] | events into the tables, once |
//! | [`query`](mod@query) | typed queries, their catalogue, and SQL of one's own |
//! | [`erasure`], [`retention`] | a person out of every table; how long events are kept |
//! | [`digest`](mod@digest) | what happened in a scope during a period |
//!
//! # What holds everywhere
//!
//! - An event has one identity, made of its content or the provider's key, so bringing it in again changes
//!   nothing. Copies that get in all the same collapse in the table; every query here reads with `FINAL`, and
//!   SQL of one's own should.
//! - An input that is no event goes to `dead_letters` with its place and the reason; the rest goes on.
//! - Times are UTC and come in as arguments. Nothing here reads a clock; the ledger uses the server's.
//! - E-mail addresses and obvious secrets are taken out before anything is written.

mod client;
mod error;
mod topology;

pub mod digest;
pub mod envelope;
pub mod erasure;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod log;
pub mod migration;
pub mod query;
pub mod retention;
pub mod source;
pub mod writer;

pub use client::{Client, OLDEST_SERVER};
pub use envelope::{Event, EventId, Intake, Normalised, Payload, Rejection};
pub use error::{Class, Error, Result};
