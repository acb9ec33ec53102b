//! `archer` as the integration tests run it.

fn main() -> std::process::ExitCode {
    cli::main()
}
