//! The reporting database: reports that are computed from ardb, and the history of computing them.

pub mod package_ranking;
pub mod refresh_run;
