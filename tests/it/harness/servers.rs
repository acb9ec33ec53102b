//! The servers of this test process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use dev::hold::Ready;

use super::log;

/// Where PostgreSQL is: a superuser's URL, whatever its database.
pub(super) fn postgres_url() -> String {
    given("ARCHER_TEST_PG_URL").unwrap_or_else(|| held().ardb_url.expect("it was asked for"))
}

/// Where ClickHouse is, whatever its database.
pub(super) fn clickhouse_url() -> String {
    given("ARCHER_TEST_CLICKHOUSE_URL").unwrap_or_else(|| held().clickhouse_url.expect("it was asked for"))
}

fn given(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

fn held() -> Ready {
    /// The child's standard input stays open for as long as this process lives.
    static HELD: OnceLock<(Ready, Child)> = OnceLock::new();
    HELD.get_or_init(start).0.clone()
}

fn start() -> (Ready, Child) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_archer-under-test"));
    command
        .args(["dev", "hold", "--ephemeral", "--until-stdin-closes", "--logs"])
        .arg(log::folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut holder = command.spawn().expect("the program under test runs");
    let mut line = String::new();
    let mut output = BufReader::new(holder.stdout.take().expect("it is a pipe"));
    output.read_line(&mut line).expect("the holder says where the servers are");
    let ready: Ready = serde_json::from_str(&line)
        .unwrap_or_else(|error| panic!("the servers did not start, see above ({error})"));
    let urls = [&ready.ardb_url, &ready.identitydb_url, &ready.identitydb_owner_url, &ready.clickhouse_url];
    for url in urls.into_iter().flatten() {
        let url: url::Url = url.parse().expect("it is a URL");
        log::known(&url.password().expect("no server is without a password").to_owned().into());
    }
    (ready, holder)
}
