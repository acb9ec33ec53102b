//! Migrations of identitydb.
