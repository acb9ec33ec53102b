//! Queries, mutations and importers, by database and noun.
