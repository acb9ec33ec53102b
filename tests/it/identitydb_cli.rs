//! `archer user | org | team | token | audit | erasure`, as operators and their programs meet them.

mod audit;
mod organizations;
mod tokens;
mod users;

use std::io::{Seek as _, Write as _};

use secrecy::SecretString;
use serde_json::Value;
use service::identitydb::password::{Hasher, Scheme};
use service::identitydb::session;

use crate::harness::{Database, Ran, TestDb, archer, run};

async fn identitydb() -> TestDb {
    TestDb::migrated(Database::Identitydb).await
}

/// `archer` on a database, with `input` as standard input.
async fn ran_with(db: &TestDb, args: &[&str], input: &str) -> Ran {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(input.as_bytes()).unwrap();
    file.rewind().unwrap();
    let mut command = archer(args);
    command.env("IDENTITYDB_URL", db.url()).stdin(file);
    run(command).await
}

async fn ran(db: &TestDb, args: &[&str]) -> Ran {
    ran_with(db, args, "").await
}

/// What is printed where all goes well.
async fn told(db: &TestDb, args: &[&str]) -> String {
    let Ran { code, stdout, stderr } = ran(db, args).await;
    assert_eq!((code, stderr.as_str()), (0, ""), "{args:?}: {stdout}");
    stdout
}

/// The same for programs, with what differs from run to run replaced by what it is.
async fn json(db: &TestDb, args: &[&str]) -> Value {
    let Ran { code, stdout, stderr } = ran(db, &[args, &["--json"]].concat()).await;
    assert_eq!((code, stderr.as_str()), (0, ""), "{args:?}: {stdout}");
    timeless(parsed(&stdout))
}

fn parsed(stdout: &str) -> Value {
    serde_json::from_str(stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"))
}

/// Times as `"time"`: they are the clock's.
fn timeless(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let taken = field.take();
                *field =
                    if name.ends_with("_at") && taken.is_string() { "time".into() } else { timeless(taken) };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = timeless(item.take())),
        _ => {}
    }
    value
}

/// The error of a command that is refused; nothing is on standard output then.
async fn refused(db: &TestDb, args: &[&str]) -> String {
    said(ran(db, args).await, args)
}

fn said(Ran { code, stdout, stderr }: Ran, args: &[&str]) -> String {
    assert_eq!((code, stdout.as_str()), (1, ""), "{args:?}: {stderr}");
    let error = stderr.strip_prefix("error: ").unwrap_or_else(|| panic!("{args:?}: {stderr}"));
    error.trim_end().to_owned()
}

async fn create_user(db: &TestDb, name: &str) {
    told(db, &["user", "create", name, "--email", &format!("{name}@example.org")]).await;
}

async fn sign_in(db: &TestDb, login: &str, password: &str) -> service::Result<session::SignedIn> {
    let hasher = Hasher::new(Scheme::CURRENT, 1)?;
    let login = session::Login { login, password: &SecretString::from(password) };
    let act = service::identitydb::Act::system(cli::now());
    let lifetime = chrono::TimeDelta::days(1);
    session::sign_in(db.connection(), &hasher, &login, lifetime, &mut rand::rng(), &act).await
}

#[tokio::test]
async fn every_command_shows_an_example_in_its_help() {
    let mut commands = vec![
        vec!["audit", "list"],
        vec!["audit", "add-month"],
        vec!["erasure", "list"],
        vec!["erasure", "complete"],
    ];
    let nouns: [(&[&str], &[&str]); 5] = [
        (
            &["user"],
            &[
                "create", "show", "list", "rename", "password", "sign-out", "unlink", "delete", "restore",
                "erase", "export",
            ],
        ),
        (&["user", "email"], &["add", "verify", "primary", "bounce", "remove"]),
        (
            &["org"],
            &[
                "create", "show", "list", "rename", "add", "remove", "role", "invite", "uninvite", "delete",
                "restore",
            ],
        ),
        (&["team"], &["create", "show", "list", "add", "remove", "delete"]),
        (&["token"], &["create", "list", "show", "identify", "revoke"]),
    ];
    for (noun, verbs) in nouns {
        commands.extend(verbs.iter().map(|verb| [noun, &[*verb]].concat()));
    }
    for command in commands {
        let Ran { code, stdout, .. } = run(archer(&[command.as_slice(), &["--help"]].concat())).await;
        let example = format!("  archer {}", command.join(" "));
        assert!(code == 0 && stdout.contains(&example), "{command:?}: {stdout}");
    }
}

#[tokio::test]
async fn what_is_no_usage_ends_with_2() {
    let db = identitydb().await;
    let wrong: [&[&str]; 10] = [
        &["user"],
        &["user", "create", "ada"],
        &["user", "create", "ada", "--email", "ada@example.org", "--password-stdin", "--generate-password"],
        &["user", "create", "ada", "--email", "ada@example.org", "--password", "correct horse"],
        &["user", "list", "--limit", "0"],
        &["org", "add", "acme", "bob", "--role", "king"],
        &["team", "create", "core"],
        &["token", "create", "ada", "ci", "--days", "7", "--no-expiry"],
        &["token", "revoke"],
        &["audit", "list", "--user", "ada", "--org", "acme"],
    ];
    for args in wrong {
        let Ran { code, stdout, stderr } = ran(&db, args).await;
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
    }
    assert_eq!(json(&db, &["user", "list"]).await, serde_json::json!([]));
}

#[tokio::test]
async fn whatever_is_pasted_for_a_name_is_refused_and_no_error_of_the_database() {
    let db = identitydb().await;
    create_user(&db, "owner").await;
    let long = "x".repeat(100_000);
    // A NUL can be in no argument.
    let pasted = ["", "'; drop table users; --", "%", "a\u{202e}b\u{200b}", "\u{1b}[31mаda", "$1{}\\", &long];
    for text in pasted {
        let commands: [&[&str]; 8] = [
            &["user", "create", "--email", "new@example.org", "--", text],
            &["user", "create", "new", "--email", text],
            &["user", "list", "--name", text],
            &["user", "list", "--after", text],
            &["user", "rename", "owner", "--", text],
            &["org", "create", "--owner", text, "acme"],
            &["team", "show", "--", text],
            &["audit", "list", "--object", text],
        ];
        for args in commands {
            let Ran { code, stdout, stderr } = ran(&db, args).await;
            let short: String = stderr.chars().take(300).collect();
            assert!(
                [1, 2].contains(&code) && stdout.is_empty(),
                "{code} of {:?} {text:.40?}: {short}",
                &args[..2]
            );
            assert!(
                !stderr.contains("the database refused") && !stderr.contains('\u{1b}'),
                "{args:?}: {short}"
            );
        }
    }
    let listed = json(&db, &["user", "list"]).await;
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
}
