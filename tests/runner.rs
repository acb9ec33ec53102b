//! A project's own migration program, `runner-under-test cli …`, and one that migrates and is killed in the middle of
//! it: `runner-under-test URL together|alone`.

mod interrupted;

use std::process::ExitCode;

use migration_runner::Runner;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|first| first == "cli") {
        arguments.remove(1);
        return migration_runner::cli::main_from(arguments, Runner::new::<interrupted::Together>("test"))
            .await;
    }
    let mut arguments = arguments.into_iter().skip(1);
    let (Some(url), Some(kind)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: runner-under-test cli … | URL together|alone");
        return ExitCode::FAILURE;
    };
    let runner = match kind.as_str() {
        "alone" => Runner::new::<interrupted::Alone>("test"),
        _ => Runner::new::<interrupted::Together>("test"),
    };
    let migrated = async {
        let db = sea_orm::Database::connect(url).await.map_err(|error| error.to_string())?;
        runner.program("runner-under-test 1.0").up(&db).await.map_err(|error| error.to_string())
    };
    match migrated.await {
        Ok(applied) => {
            println!("{}", applied.join(" "));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
