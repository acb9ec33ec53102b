//! What `sea-orm-cli migrate -d migration/identitydb` runs.

use std::process::ExitCode;

use migration_runner::Runner;

#[tokio::main]
async fn main() -> ExitCode {
    dev::migrate::main(vec![Runner::new::<migration_identitydb::Migrator>("identitydb")]).await
}
