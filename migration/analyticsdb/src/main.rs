//! What `sea-orm-cli migrate -d migration/analyticsdb` runs.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    dev::migrate::main(vec![migration_analyticsdb::runner()]).await
}
