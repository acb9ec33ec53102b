//! Harness and integration tests on real servers.
