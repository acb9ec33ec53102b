//! Events in ClickHouse: envelope, sources, writer, migrations, queries, digest.
