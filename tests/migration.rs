//! The program that `sea-orm-cli migrate` runs from the root, for the tests in `it/`.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    dev::migrate::main(migration::runners()).await
}
