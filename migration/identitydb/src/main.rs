//! What `sea-orm-cli migrate -d migration/identitydb` runs.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    dev::migrate::main(vec![migration_identitydb::runner()]).await
}
