//! The `archer` command; everything is in the library, so that tests run the same program.

fn main() -> std::process::ExitCode {
    cli::main()
}
