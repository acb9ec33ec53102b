//! What `sea-orm-cli migrate -d migration/ardb` runs.

use std::process::ExitCode;

use migration_runner::Runner;

#[tokio::main]
async fn main() -> ExitCode {
    dev::migrate::main(vec![Runner::new::<migration_ardb::Migrator>("ardb")]).await
}
