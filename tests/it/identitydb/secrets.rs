//! No secret is in what is logged, printed by Debug, or said by an error, while everything is done at the most
//! talkative level: statements and their parameters included. That the logs of the whole run are searched, and that
//! the search finds what it is for.

use std::io::Write;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use entity_identitydb::Role;
use sea_orm::sqlx::{Connection as _, PgConnection, Row as _, query};
use secrecy::ExposeSecret as _;
use service::identitydb::external_account::{Account, link};
use service::identitydb::keyring::Keyring;
use service::identitydb::session::{self, Login, sign_in};
use service::identitydb::{api_token, external_account, invitation, one_time_code, password, user_email};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tracing::instrument::WithSubscriber as _;
use tracing_subscriber::fmt::MakeWriter;

use super::{act, create, hasher, noon, register, rng, secret, shown};
use crate::harness::leaks::{Search, forms};
use crate::harness::log::Lines;
use crate::harness::{TestDb, archer, known};

/// Everything that is written, in memory.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Has all that is logged by `work` come here.
    pub async fn of<T>(&self, work: impl Future<Output = T>) -> T {
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
        work.with_subscriber(subscriber.with_ansi(false).with_writer(self.clone()).finish()).await
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("nobody panicked")).into_owned()
    }

    fn say(&self, what: &impl std::fmt::Debug) {
        let mut log = self.0.lock().expect("nobody panicked");
        writeln!(log, "{what:?}").expect("memory takes a line");
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panicked").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Does everything that has a secret in it, also wrongly; the secrets.
async fn everything(db: &TestDb, log: &Log) -> Vec<String> {
    let (mut rng, hasher) = (rng(), hasher());
    let ada = register(db, "ada").await.id;
    let acme = create(db, "acme", ada).await.id;
    let (db, day) = (db.connection(), TimeDelta::days(1));
    let mut secrets = Vec::new();

    let (old, new, wrong) = (secret("password-1"), secret("password-2"), secret("wrong-3"));
    log.say(&password::set(db, &hasher, ada, &old, &mut rng, &act()).await);
    let login = Login { login: "ada", password: &old };
    let signed_in = sign_in(db, &hasher, &login, day, &mut rng, &act()).await;
    log.say(&(&login, &signed_in, &hasher));
    let session = signed_in.expect("it is right").secret;
    let refused = Login { login: "ada", password: &wrong };
    log.say(&sign_in(db, &hasher, &refused, day, &mut rng, &act()).await);
    log.say(&session::authenticate(db, &session, noon()).await);
    log.say(&password::change(db, &hasher, (ada, None), &wrong, &new, &mut rng, &act()).await);
    log.say(&password::change(db, &hasher, (ada, None), &old, &new, &mut rng, &act()).await);

    let request = api_token::Request { name: "ci", scopes: &[], expires_at: None };
    let minted = api_token::mint(db, ada, &request, &mut rng, &act()).await;
    log.say(&minted);
    let token = minted.expect("it is valid").secret;
    log.say(&api_token::authenticate(db, &token, noon()).await);
    let guess = shown(&token.expose_secret().replace("archer_pat_", "archer_pax_"));
    log.say(&api_token::authenticate(db, &guess, noon()).await);

    let email = user_email::of_user(db, ada).await.expect("the query runs")[0].id;
    let code = one_time_code::to_verify(db, email, day, &mut rng, &act()).await;
    log.say(&code);
    let code = code.expect("it is live");
    known(&code);
    log.say(&one_time_code::verify(db, ada, &wrong, &act()).await);
    log.say(&one_time_code::verify(db, ada, &code, &act()).await);
    let mailed = one_time_code::to_reset(db, ada, day, &mut rng, &act()).await;
    log.say(&mailed);
    let reset = mailed.expect("the query runs").expect("the address is verified").1;
    known(&reset);
    log.say(&one_time_code::reset(db, &hasher, ada, &wrong, &old, &mut rng, &act()).await);
    log.say(&one_time_code::reset(db, &hasher, ada, &reset, &old, &mut rng, &act()).await);

    let to = ("bob@example.org", Role::Member);
    let invited = invitation::invite(db, acme, to, ada, day, &mut rng, &act()).await;
    log.say(&invited);
    let invited = invited.expect("it is valid").1;
    log.say(&invitation::accept(db, &invited, ada, &act()).await);

    let key = "5a".repeat(32);
    let keys = Keyring::parse(&shown(&format!("k1:{key}")));
    log.say(&keys);
    let keys = keys.expect("it is a key");
    let oauth = secret("oauth-4");
    let account = Account { provider: "github", host: "github.com", subject: "1" };
    let linked = link(db, &keys, ada, &account, Some(&oauth), &mut rng, &act()).await.expect("it is free");
    log.say(&external_account::secret(&keys, &linked));
    log.say(&Keyring::parse(&shown(&format!("k1:{key},k1:{key}"))));

    secrets.push(key);
    let all = [old, new, wrong, session, token, guess, code, reset, invited, oauth];
    secrets.extend(all.iter().map(|secret| secret.expose_secret().to_owned()));
    secrets
}

#[tokio::test]
async fn no_planted_secret_is_in_any_log_debug_or_error() {
    let db = TestDb::served().await;
    let log = Log::default();
    let secrets = log.of(everything(&db, &log)).await;
    let text = log.text();
    assert!(text.contains("insert into") || text.contains("INSERT INTO"), "statements are logged");
    assert!(text.contains("the credentials are refused") || text.contains("Refused"), "errors are in it");
    let search = Search::new(secrets.iter().map(String::as_str));
    let leaks: Vec<&str> = text.lines().filter(|line| search.finds(line)).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[test]
fn a_secret_is_found_in_every_form_in_which_a_line_may_have_it() {
    let search = Search::new(["7KQ2M4XB"]);
    for secret in [secret("correct horse").expose_secret(), "7KQ2M4XB"] {
        for form in forms(secret) {
            assert!(search.finds(&format!("before {form} after")), "{form}");
        }
        let bytes = format!("{:?}", secret.as_bytes());
        assert!(search.finds(&bytes), "{bytes}");
    }
    for line in ["", "archer_pat_", "archer_pat_0123456789", "hush", "7KQ2M4X"] {
        assert!(!search.finds(line), "{line}");
    }
}

#[tokio::test]
async fn a_token_is_found_by_its_form_without_being_known() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await.id;
    let request = api_token::Request { name: "ci", scopes: &[], expires_at: None };
    let minted = api_token::mint(&*db, ada, &request, &mut rng(), &act()).await.unwrap();
    let token = minted.secret.expose_secret();
    assert!(Search::new([]).finds(&format!("Authorization: Bearer {token}\"")));
    assert!(!Search::new([]).finds(&token[..token.len() - 1]));
}

/// In a file of its own, so that the search at the end of the run does not find it as well.
#[test]
fn who_logs_a_secret_panics() {
    let folder = tempfile::tempdir().unwrap();
    let lines = Lines::to(&folder.path().join("tests.log")).unwrap();
    let logged = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(lines);
    tracing::subscriber::with_default(logged.finish(), || {
        tracing::trace!(password = ?secret("correct horse"), "signing in");
        let careless = || tracing::trace!(password = secret("correct horse").expose_secret(), "signing in");
        let panicked = std::panic::catch_unwind(careless).unwrap_err();
        let said = panicked.downcast_ref::<String>().unwrap();
        assert!(said.starts_with("a secret is logged: "), "{said}");
    });
    let places = Search::new([]).places(folder.path()).unwrap();
    assert_eq!(places, [format!("{}/tests.log:2", folder.path().display())]);
}

/// On a server of its own, for the same reason.
#[tokio::test]
async fn a_secret_that_is_sent_to_the_server_is_found_in_its_log_when_the_server_has_gone() {
    let logs = tempfile::tempdir().unwrap();
    let mut command = archer(&["dev", "hold", "--ephemeral", "--until-stdin-closes", "--only", "postgres"]);
    command.arg("--logs").arg(logs.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut holder = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    let ready: dev::hold::Ready = serde_json::from_str(&line).unwrap();
    let url = format!("{}?options=-c%20log_statement%3Dall", ready.ardb_url.unwrap());
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let careless = query("select length($1)").bind(secret("correct horse").expose_secret().to_owned());
    let length: i32 = careless.fetch_one(&mut connection).await.unwrap().get(0);
    assert_eq!(usize::try_from(length).unwrap(), secret("correct horse").expose_secret().len());
    connection.close().await.unwrap();
    drop(holder.stdin.take());
    assert!(holder.wait().await.unwrap().success());
    let places = Search::new([]).places(logs.path()).unwrap();
    let log = logs.path().join("postgres.log");
    assert!(!places.is_empty() && places.iter().all(|place| place.starts_with(log.to_str().unwrap())));
}
