//! What `sea-orm-cli migrate -d migration/ardb` runs.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    dev::migrate::main(vec![migration_ardb::runner()]).await
}
