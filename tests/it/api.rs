//! The HTTP interface of `archer serve`.

use std::process::Stdio;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use migration_runner::Extent;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::harness::{Database, TestDb, TestEvents, archer, run};

/// With the mark by which it would be found in a log.
const SECRET: &str = "hush-hush-an example of a secret";
const BODY: &str = r#"{"action": "created", "sender": {"login": "octo"}, "repository": {"full_name": "acme/rocket"},
    "starred_at": "2026-01-02T03:04:05Z"}"#;

/// `archer serve` over databases of this test's own.
struct Server {
    address: String,
    child: Child,
    _stores: (Option<TestDb>, TestEvents),
}

impl Server {
    async fn start(migrate: &str) -> Self {
        let db = TestDb::empty(Database::Ardb).await;
        let server = Self::start_on(migrate, &[("DATABASE_URL", db.url())]).await;
        let (_, events) = server._stores;
        Self { _stores: (Some(db), events), ..server }
    }

    /// Over the databases that these variables name.
    async fn start_on(migrate: &str, databases: &[(&str, &str)]) -> Self {
        let events = TestEvents::empty().await;
        let mut command = serve(migrate, databases, &events);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        timeout(Duration::from_secs(60), stderr.read_line(&mut said)).await.unwrap().unwrap();
        let address =
            said.trim().strip_prefix("listening on http://").unwrap_or_else(|| panic!("{said}")).to_owned();
        Self { address, child, _stores: (None, events) }
    }

    /// Sends one request; status and body.
    async fn send(&self, head: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
        let mut request = format!("{head} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_else(|_| json!(body)))
    }

    async fn deliver(&self, signature: &str) -> (u16, Value) {
        let headers =
            [("X-GitHub-Event", "star"), ("X-GitHub-Delivery", "1"), ("X-Hub-Signature-256", signature)];
        self.send("POST /webhooks/github", &headers, BODY).await
    }
}

fn serve(migrate: &str, databases: &[(&str, &str)], events: &TestEvents) -> Command {
    let mut command = archer(&["serve", "--listen", "127.0.0.1:0", "--migrate", migrate]);
    command.envs(databases.iter().copied());
    command.envs([("CLICKHOUSE_URL", events.url()), ("GITHUB_WEBHOOK_SECRET", SECRET)]);
    command
}

fn signature(secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(BODY.as_bytes());
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

#[tokio::test]
async fn a_signed_webhook_is_written_once_and_found_by_a_query() {
    let server = Server::start("auto").await;
    assert_eq!(server.deliver(&signature(SECRET)).await, (200, json!({"outcome": "written"})));
    assert_eq!(server.deliver(&signature(SECRET)).await, (200, json!({"outcome": "duplicate"})));
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
    let served = [("DATABASE_URL", others.url()), ("IDENTITYDB_URL", &writer)];
    let server = Server::start_on("auto", &served).await;
    assert_eq!(server.send("GET /health/ready", &[], "").await.0, 200);

    // Something is pending, and the writer may not apply it.
    let down = migration_identitydb::runner().down(identitydb.superuser(), &Extent::Count(1)).await;
    assert_eq!(down.unwrap().len(), 1);
    let ran = run(serve("auto", &served, &TestEvents::empty().await)).await;
    assert_eq!((ran.code, ran.stderr.contains("set IDENTITYDB_OWNER_URL")), (1, true), "{}", ran.stderr);
    let with_owner = [served[0], served[1], ("IDENTITYDB_OWNER_URL", identitydb.url())];
    let server = Server::start_on("auto", &with_owner).await;
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
    let id = server.child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let ended = timeout(Duration::from_secs(10), server.child.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(0));
}
