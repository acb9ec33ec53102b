//! Embedded PostgreSQL and ClickHouse for development, demo and tests.
