//! Migrations of analyticsdb.
