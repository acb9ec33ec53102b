//! Sources: how what others send becomes [`Event`](crate::Event)s.
//!
//! A source is an iterator of [`Normalised`](crate::envelope::Normalised): for every input an event, or a
//! rejection that says where and why. It reads as it goes, in bounded memory, and never writes anything. Kinds that
//! nobody knows yet are kept as they are called.
//!
//! | module | what it reads |
//! |---|---|
//! | [`git`] | the history of a repository |
//! | [`github`], [`gitlab`], [`bitbucket`] | webhooks, as they come or stored |
//! | [`heartbeats`] | what editors send while someone works, in the form of WakaTime and in ours |
//! | [`browser`] | what the browser extension sends |
//! | [`cloudevents`] | CloudEvents 1.0 in every mode |
//! | [`ndjson`] | our own form, a line per event |

mod documents;
mod draft;
mod json;

pub mod bitbucket;
pub mod browser;
pub mod cloudevents;
pub mod git;
pub mod github;
pub mod gitlab;
pub mod heartbeats;
pub mod ndjson;

pub use documents::Stored;

#[cfg(test)]
mod tests;
