//! The HTTP interface of `archer serve`.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use migration_runner::Extent;
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::harness::{Database, TestDb, TestEvents, archer, deadline, run};

/// With the mark by which it would be found in a log.
pub const SECRET: &str = "hush-hush-an example of a secret";
const BODY: &str = r#"{"action": "created", "sender": {"login": "octo"}, "repository": {"full_name": "acme/rocket"},
    "starred_at": "2026-01-02T03:04:05Z"}"#;

/// `archer serve` over databases of this test's own.
pub struct Server {
    address: String,
    child: Child,
    pub events: TestEvents,
    _db: Option<TestDb>,
    _log: TempDir,
}

impl Server {
    pub async fn start(migrate: &str) -> Self {
        let events = TestEvents::empty().await;
        let url = events.url().to_owned();
        Self::start_with(events, &url, &["--migrate", migrate], &[]).await
    }

    /// With `events`, which it reaches at `url`.
    pub async fn start_with(
        events: TestEvents,
        url: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let db = TestDb::empty(Database::Ardb).await;
        let variables = [&[("DATABASE_URL", db.url()), ("CLICKHOUSE_URL", url)], variables].concat();
        let server = Self::start_on(events, &variables, arguments).await;
        Self { _db: Some(db), ..server }
    }

    /// With these variables, which name the databases; `events` is one of them.
    async fn start_on(events: TestEvents, variables: &[(&str, &str)], arguments: &[&str]) -> Self {
        let log = tempfile::tempdir().unwrap();
        let mut command = serve(variables, log.path());
        let mut child = command.args(arguments).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = async {
            while let Some(line) = said.next_line().await.unwrap() {
                if let Some(address) = line.strip_prefix("listening on http://") {
                    return address.to_owned();
                }
            }
            panic!("it does not listen");
        };
        let address = timeout(Duration::from_secs(60), address).await.unwrap();
        // Read on, so that it never waits for whoever reads what it says.
        tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
        Self { address, child, events, _db: None, _log: log }
    }

    /// Sends one request; status and body.
    pub async fn send(&self, head: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
        let (status, _, body) = self.ask(head, headers, body).await;
        (status, body)
    }

    /// Sends one request; status, head and body of the answer.
    pub async fn ask(&self, head: &str, headers: &[(&str, &str)], body: &str) -> (u16, String, Value) {
        let mut request = format!("{head} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        // Whoever refuses by the head alone does not read the body.
        let _ = stream.write_all(body.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_ascii_lowercase(), serde_json::from_str(body).unwrap_or_else(|_| json!(body)))
    }

    pub async fn deliver(&self, signature: &str) -> (u16, Value) {
        let headers =
            [("X-GitHub-Event", "star"), ("X-GitHub-Delivery", "1"), ("X-Hub-Signature-256", signature)];
        self.send("POST /webhooks/github", &headers, BODY).await
    }

    /// Waits until table `events` has `count` events.
    pub async fn has_events(&self, count: u64) {
        deadline(Duration::from_secs(60), "the events are in the table", async || {
            let sql = "SELECT count() FROM events FINAL";
            let found = dev::clickhouse::execute(&self.events.url().parse().unwrap(), sql).await.ok()?;
            (found.trim() == count.to_string()).then_some(())
        })
        .await;
    }

    /// Kills it, and leaves its events.
    fn into_events(self) -> TestEvents {
        self.events
    }

    /// Tells it to stop; how it ended.
    pub async fn stop(&mut self) -> Option<i32> {
        let id = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        timeout(Duration::from_secs(30), self.child.wait()).await.unwrap().unwrap().code()
    }
}

fn serve(variables: &[(&str, &str)], log: &Path) -> Command {
    let mut command = archer(&["serve", "--listen", "127.0.0.1:0", "--events-log"]);
    let secrets = [
        ("GITHUB_WEBHOOK_SECRET", SECRET),
        ("GITLAB_WEBHOOK_SECRET", SECRET),
        ("BITBUCKET_WEBHOOK_SECRET", SECRET),
        ("ARCHER_INGEST_TOKENS", "octo=hush-hush-token-of-the-tests"),
    ];
    command.arg(log).envs(secrets).envs(variables.iter().copied());
    command
}

#[tokio::test]
async fn a_secret_that_is_none_is_refused_at_the_start_and_not_repeated() {
    for (variable, value, refusal) in [
        (
            "GITLAB_SIGNING_TOKEN",
            "hush",
            "GITLAB_SIGNING_TOKEN is no signing token: expected whsec_ and base64",
        ),
        (
            "ARCHER_INGEST_TOKENS",
            "octo=hush",
            "ARCHER_INGEST_TOKENS, number 1: expected ACTOR=TOKEN with a token of at",
        ),
    ] {
        let log = tempfile::tempdir().unwrap();
        let ended = serve(&[(variable, value)], log.path()).output().await.unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1));
        assert!(said.contains(refusal) && !said.contains("hush"), "{said}");
    }
}

/// The HMAC-SHA-256 of `body`, as GitHub and Bitbucket write it.
pub fn signature_of(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

pub fn signature(secret: &str) -> String {
    signature_of(secret, BODY)
}

#[tokio::test]
async fn a_signed_webhook_is_written_once_and_found_by_a_query() {
    let server = Server::start("auto").await;
    let taken = |logged, duplicate| (202, json!({"logged": logged, "duplicate": duplicate, "dead": 0}));
    assert_eq!(server.deliver(&signature(SECRET)).await, taken(1, 0));
    assert_eq!(server.deliver(&signature(SECRET)).await, taken(0, 1));
    server.has_events(1).await;
    let (status, table) = server.send("GET /queries/timeline?repository=acme/rocket", &[], "").await;
    assert_eq!((status, table["rows"].as_array().map(Vec::len)), (200, Some(1)), "{table}");
}

#[tokio::test]
async fn a_webhook_with_another_signature_is_refused_and_not_written() {
    let server = Server::start("auto").await;
    for wrong in [signature("another secret"), String::new(), "sha256=00".to_owned()] {
        assert_eq!(server.deliver(&wrong).await.0, 401);
    }
    let (_, table) = server.send("GET /queries/timeline?repository=acme/rocket", &[], "").await;
    assert_eq!(table["rows"], json!([]));
}

#[tokio::test]
async fn it_is_ready_when_it_has_migrated_and_says_what_is_missing_when_it_may_not() {
    let server = Server::start("auto").await;
    assert_eq!(server.send("GET /health/ready", &[], "").await.0, 200);
    let server = Server::start("check").await;
    let (status, readiness) = server.send("GET /health/ready", &[], "").await;
    assert_eq!((status, readiness["ready"].as_bool()), (503, Some(false)));
    assert_eq!(
        readiness["stores"][0],
        json!({"name": "ardb", "ready": false, "reason": "migrations are pending"})
    );
    assert_eq!(server.send("GET /health/live", &[], "").await.0, 200);
}

#[tokio::test]
async fn it_serves_from_identitydb_as_the_writer_and_migrates_it_as_the_owner() {
    let (identitydb, others) = (TestDb::served().await, TestDb::empty(Database::Ardb).await);
    let writer = identitydb.url_as("identitydb_writer");
    let events = TestEvents::empty().await;
    let url = events.url().to_owned();
    let served = [("DATABASE_URL", others.url()), ("IDENTITYDB_URL", &writer), ("CLICKHOUSE_URL", &url)];
    let server = Server::start_on(events, &served, &[]).await;
    assert_eq!(server.send("GET /health/ready", &[], "").await.0, 200);

    // Something is pending, and the writer may not apply it.
    let down = migration_identitydb::runner().down(identitydb.superuser(), &Extent::Count(1)).await;
    assert_eq!(down.unwrap().len(), 1);
    let log = tempfile::tempdir().unwrap();
    let ran = run(serve(&served, log.path())).await;
    assert_eq!((ran.code, ran.stderr.contains("set IDENTITYDB_OWNER_URL")), (1, true), "{}", ran.stderr);
    let with_owner = [served[0], served[1], served[2], ("IDENTITYDB_OWNER_URL", identitydb.url())];
    let server = Server::start_on(server.into_events(), &with_owner, &[]).await;
    assert_eq!(server.send("GET /health/ready", &[], "").await.0, 200);
}

#[tokio::test]
async fn a_query_that_is_not_one_is_refused_with_the_nearest() {
    let server = Server::start("auto").await;
    let (status, error) = server.send("GET /queries/timelin", &[], "").await;
    assert_eq!(status, 404);
    assert!(error["error"].as_str().unwrap().contains("timeline"), "{error}");
    let (status, _) = server.send("GET /queries/timeline?repository=acme/rocket&limit=many", &[], "").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn it_ends_when_it_is_told_to() {
    let mut server = Server::start("auto").await;
    assert_eq!(server.stop().await, Some(0));
}
