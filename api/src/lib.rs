//! HTTP: health, webhooks, queries.
