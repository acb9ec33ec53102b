//! What `sea-orm-cli migrate` runs from the root: every PostgreSQL database.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    dev::migrate::main(migration::runners()).await
}
