//! No secret is in what is logged, printed by Debug, or said by an error, while everything is done at the most
//! talkative level: statements and their parameters included.

use std::io::Write;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use entity_identitydb::Role;
use sea_orm::ConnectOptions;
use secrecy::ExposeSecret as _;
use service::identitydb::external_account::{Account, link};
use service::identitydb::keyring::Keyring;
use service::identitydb::session::{self, Login, sign_in};
use service::identitydb::{api_token, external_account, invitation, one_time_code, password, user_email};
use tracing::instrument::WithSubscriber as _;
use tracing_subscriber::fmt::MakeWriter;

use super::{act, create, hasher, noon, register, rng, secret};
use crate::harness::{Database, TestDb};

/// Everything that is written, in memory.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
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
    let mut options = ConnectOptions::new(db.url());
    options.sqlx_logging(true).sqlx_logging_level("trace".parse().expect("it is a level")).max_connections(2);
    let connection = sea_orm::Database::connect(options).await.expect("the database takes connections");
    let (mut rng, hasher) = (rng(), hasher());
    let ada = register(db, "ada").await.id;
    let acme = create(db, "acme", ada).await.id;
    let (db, day) = (&connection, TimeDelta::days(1));
    let mut secrets = Vec::new();

    let (old, new, wrong) =
        (secret("planted-password-1"), secret("planted-password-2"), secret("planted-wrong-3"));
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
    let guess = secret(&token.expose_secret().replace("archer_pat_", "archer_pax_"));
    log.say(&api_token::authenticate(db, &guess, noon()).await);

    let email = user_email::of_user(db, ada).await.expect("the query runs")[0].id;
    let code = one_time_code::to_verify(db, email, day, &mut rng, &act()).await;
    log.say(&code);
    let code = code.expect("it is live");
    log.say(&one_time_code::verify(db, ada, &wrong, &act()).await);
    log.say(&one_time_code::verify(db, ada, &code, &act()).await);

    let to = ("bob@example.org", Role::Member);
    let invited = invitation::invite(db, acme, to, ada, day, &mut rng, &act()).await;
    log.say(&invited);
    let invited = invited.expect("it is valid").1;
    log.say(&invitation::accept(db, &invited, ada, &act()).await);

    let key = "5a".repeat(32);
    let keys = Keyring::parse(&secret(&format!("k1:{key}")));
    log.say(&keys);
    let keys = keys.expect("it is a key");
    let oauth = secret("planted-oauth-4");
    let account = Account { provider: "github", host: "github.com", subject: "1" };
    let linked = link(db, &keys, ada, &account, Some(&oauth), &mut rng, &act()).await.expect("it is free");
    log.say(&external_account::secret(&keys, &linked));
    log.say(&Keyring::parse(&secret(&format!("k1:{key},k1:{key}"))));

    secrets.push(key);
    let all = [old, new, wrong, session, token, guess, code, invited, oauth];
    secrets.extend(all.iter().map(|secret| secret.expose_secret().to_owned()));
    secrets
}

#[tokio::test]
async fn no_planted_secret_is_in_any_log_debug_or_error() {
    let db = TestDb::migrated(Database::Identitydb).await;
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let secrets = everything(&db, &log).with_subscriber(subscriber).await;
    let text = log.text();
    assert!(text.contains("insert into") || text.contains("INSERT INTO"), "statements are logged");
    assert!(text.contains("the credentials are refused") || text.contains("Refused"), "errors are in it");
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret}");
    }
}
