//! Migrations of ardb.
