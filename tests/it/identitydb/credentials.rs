//! Passwords, sessions, codes and external accounts.

use std::time::Instant;

use chrono::TimeDelta;
use entity_identitydb::{UserId, password as stored};
use sea_orm::{EntityTrait, PaginatorTrait};
use secrecy::ExposeSecret as _;
use service::Error;
use service::identitydb::external_account::{self, Account};
use service::identitydb::keyring::Keyring;
use service::identitydb::password::{Hasher, Scheme, change, set};
use service::identitydb::session::{self, Login, SignedIn, sign_in};
use service::identitydb::{one_time_code, user, user_email};

use super::{act, hasher, noon, register, rng, said, secret};
use crate::harness::{Database, TestDb};

const PASSWORD: &str = "correct horse";

async fn with_password(db: &TestDb, hasher: &Hasher, name: &str) -> UserId {
    let user = register(db, name).await.id;
    let done = set(db.connection(), hasher, user, &secret(PASSWORD), &mut rng(), &act()).await;
    done.expect("the password is valid");
    user
}

async fn signed_in(db: &TestDb, hasher: &Hasher, seed: u64) -> service::Result<SignedIn> {
    let mut rng = <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(seed);
    let login = Login { login: "Ada", password: &secret(PASSWORD) };
    sign_in(db.connection(), hasher, &login, TimeDelta::days(1), &mut rng, &act()).await
}

#[tokio::test]
async fn who_signs_in_has_a_session_until_it_expires_or_is_ended() {
    let db = TestDb::migrated(Database::Identitydb).await;
    let ada = with_password(&db, &hasher(), "ada").await;
    let SignedIn { session, secret } = signed_in(&db, &hasher(), 1).await.unwrap();
    assert_eq!(session::authenticate(&*db, &secret, noon()).await.unwrap().user_id, ada);
    let late = noon() + TimeDelta::days(1);
    assert!(matches!(session::authenticate(&*db, &secret, late).await, Err(Error::Refused)));
    session::end(&*db, session.id, &act()).await.unwrap();
    assert!(matches!(session::authenticate(&*db, &secret, noon()).await, Err(Error::Refused)));
    assert!(session::of_user(&*db, ada, noon()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_verified_address_signs_in_and_another_does_not() {
    let db = TestDb::migrated(Database::Identitydb).await;
    let ada = with_password(&db, &hasher(), "ada").await;
    let by_email = async || {
        let login = Login { login: "ADA@example.org", password: &secret(PASSWORD) };
        sign_in(db.connection(), &hasher(), &login, TimeDelta::days(1), &mut rng(), &act()).await
    };
    assert!(matches!(by_email().await, Err(Error::Refused)));
    let email = user_email::of_user(&*db, ada).await.unwrap()[0].id;
    user_email::verify(&*db, email, &act()).await.unwrap();
    assert_eq!(by_email().await.unwrap().session.user_id, ada);
}

#[tokio::test]
async fn a_changed_password_ends_every_session_but_the_one_it_was_changed_in() {
    let db = TestDb::migrated(Database::Identitydb).await;
    let ada = with_password(&db, &hasher(), "ada").await;
    let (here, there) =
        (signed_in(&db, &hasher(), 1).await.unwrap(), signed_in(&db, &hasher(), 2).await.unwrap());
    let (old, new) = (secret(PASSWORD), secret("battery staple"));
    let who = (ada, Some(here.session.id));
    let wrong = change(&*db, &hasher(), who, &new, &new, &mut rng(), &act()).await;
    assert!(matches!(wrong, Err(Error::Refused)));
    change(&*db, &hasher(), who, &old, &new, &mut rng(), &act()).await.unwrap();
    assert!(session::authenticate(&*db, &here.secret, noon()).await.is_ok());
    assert!(matches!(session::authenticate(&*db, &there.secret, noon()).await, Err(Error::Refused)));
    assert!(matches!(signed_in(&db, &hasher(), 3).await, Err(Error::Refused)));
}

#[tokio::test]
async fn a_password_of_an_older_scheme_is_hashed_anew_at_sign_in_and_ends_no_session() {
    let db = TestDb::migrated(Database::Identitydb).await;
    with_password(&db, &hasher(), "ada").await;
    let first = signed_in(&db, &hasher(), 1).await.unwrap();
    let newer = Hasher::new(Scheme { version: 2, memory_kib: 16, passes: 2 }, 1).unwrap();
    signed_in(&db, &newer, 2).await.unwrap();
    let row = stored::Entity::find().one(&*db).await.unwrap().unwrap();
    assert_eq!((row.scheme, row.hash.contains("m=16,t=2,p=1")), (2, true), "{}", row.hash);
    assert!(session::authenticate(&*db, &first.secret, noon()).await.is_ok());
    signed_in(&db, &newer, 3).await.unwrap();
}

#[tokio::test]
async fn the_scheme_is_argon2id_with_the_figures_of_owasp() {
    let db = TestDb::migrated(Database::Identitydb).await;
    with_password(&db, &Hasher::new(Scheme::CURRENT, 1).unwrap(), "ada").await;
    let row = stored::Entity::find().one(&*db).await.unwrap().unwrap();
    assert!(row.hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", row.hash);
}

/// In turn, so that whatever else the machine does slows all of them down alike.
#[tokio::test]
async fn a_refused_sign_in_takes_the_same_time_whether_there_is_such_a_user_or_not() {
    let db = TestDb::migrated(Database::Identitydb).await;
    // A cheap hash, of a few times what the query takes: many rounds, and one that is left out still shows.
    let hasher = Hasher::new(Scheme { version: 1, memory_kib: 1_024, passes: 1 }, 1).unwrap();
    with_password(&db, &hasher, "ada").await;
    register(&db, "bob").await;
    let long = "x".repeat(1 << 20);
    let logins = ["ada", "bob", "nobody", "no@body.example", "a\0b", &long];
    let mut times = vec![Vec::new(); logins.len()];
    let wrong = secret("wrong password");
    for round in 0..300 {
        for turn in 0..logins.len() {
            let at = (round + turn) % logins.len(); // none always follows the same one
            let login = Login { login: logins[at], password: &wrong };
            let began = Instant::now();
            let result = sign_in(&*db, &hasher, &login, TimeDelta::days(1), &mut rng(), &act()).await;
            times[at].push(began.elapsed().as_secs_f64());
            assert_eq!(said(result), "the credentials are refused");
        }
    }
    // The lowest decile: other tests may take the cores at any time, and nothing makes a hash faster.
    let deciles: Vec<f64> = times
        .into_iter()
        .map(|mut times| {
            times.sort_unstable_by(f64::total_cmp);
            times[times.len() / 10]
        })
        .collect();
    let (fastest, slowest) =
        (deciles.iter().copied().fold(f64::INFINITY, f64::min), deciles.iter().copied().fold(0.0, f64::max));
    assert!(slowest / fastest < 1.25, "{deciles:?}");
}

#[tokio::test]
async fn a_code_is_good_once_and_five_wrong_guesses_use_it_up() {
    let db = TestDb::migrated(Database::Identitydb).await;
    let ada = register(&db, "ada").await.id;
    let email = user_email::of_user(&*db, ada).await.unwrap()[0].id;
    let hour = TimeDelta::hours(1);
    let code = one_time_code::to_verify(&*db, email, hour, &mut rng(), &act()).await.unwrap();
    for _ in 0..one_time_code::ATTEMPTS {
        let wrong = one_time_code::verify(&*db, ada, &secret("WRONG"), &act()).await;
        assert!(matches!(wrong, Err(Error::Refused)));
    }
    let used_up = one_time_code::verify(&*db, ada, &code, &act()).await;
    assert!(matches!(used_up, Err(Error::Refused)));
    let code = one_time_code::to_verify(&*db, email, hour, &mut rng(), &act()).await.unwrap();
    assert_eq!(one_time_code::verify(&*db, ada, &code, &act()).await.unwrap().verified_at, Some(noon()));
    assert!(matches!(one_time_code::verify(&*db, ada, &code, &act()).await, Err(Error::Refused)));
}

#[tokio::test]
async fn a_forgotten_password_is_chosen_anew_with_a_code_and_every_session_ends() {
    let db = TestDb::migrated(Database::Identitydb).await;
    let ada = with_password(&db, &hasher(), "ada").await;
    let hour = TimeDelta::hours(1);
    assert!(one_time_code::to_reset(&*db, ada, hour, &mut rng(), &act()).await.unwrap().is_none());
    let email = user_email::of_user(&*db, ada).await.unwrap()[0].id;
    user_email::verify(&*db, email, &act()).await.unwrap();
    let session = signed_in(&db, &hasher(), 1).await.unwrap();
    let (to, code) = one_time_code::to_reset(&*db, ada, hour, &mut rng(), &act()).await.unwrap().unwrap();
    assert_eq!(to.email, "ada@example.org");
    let new = secret("battery staple");
    one_time_code::reset(&*db, &hasher(), ada, &code, &new, &mut rng(), &act()).await.unwrap();
    assert!(matches!(session::authenticate(&*db, &session.secret, noon()).await, Err(Error::Refused)));
    assert!(matches!(signed_in(&db, &hasher(), 2).await, Err(Error::Refused)));
}

#[tokio::test]
async fn a_user_with_addresses_keeps_a_primary_one() {
    let db = TestDb::migrated(Database::Identitydb).await;
    let ada = register(&db, "ada").await.id;
    let first = user_email::of_user(&*db, ada).await.unwrap()[0].id;
    let second = user_email::add(&*db, ada, "second@example.org", &act()).await.unwrap().id;
    let refused = user_email::remove(&*db, first, &act()).await;
    assert_eq!(said(refused), "email: is the primary address; make another one the primary address first");
    user_email::make_primary(&*db, second, &act()).await.unwrap();
    user_email::remove(&*db, first, &act()).await.unwrap();
    user_email::remove(&*db, second, &act()).await.unwrap();
    assert!(user_email::add(&*db, ada, "third@example.org", &act()).await.unwrap().is_primary);
}

#[tokio::test]
async fn the_secret_of_an_external_account_is_unreadable_without_its_key_and_moves_to_a_new_one() {
    let db = TestDb::migrated(Database::Identitydb).await;
    let ada = register(&db, "ada").await.id;
    let (old, new) = (format!("k1:{}", "11".repeat(32)), format!("k2:{}", "22".repeat(32)));
    let ring = |text: &str| Keyring::parse(&secret(text)).expect("it is a ring");
    let account = Account { provider: "github", host: "github.com", subject: "583231" };
    let shown = secret("gho_16C7e42F292c6912E7");
    let first = ring(&old);
    let linked =
        external_account::link(&*db, &first, ada, &account, Some(&shown), &mut rng(), &act()).await.unwrap();
    assert_eq!(external_account::find(&*db, &account).await.unwrap().as_ref(), Some(&linked));
    assert!(!String::from_utf8_lossy(linked.secret.as_ref().unwrap()).contains("gho_"));

    let both = ring(&format!("{new},{old}"));
    assert_eq!(external_account::reencrypt(&*db, &both, 10, &mut rng()).await.unwrap(), 1);
    assert_eq!(external_account::reencrypt(&*db, &both, 10, &mut rng()).await.unwrap(), 0);
    let moved = external_account::find(&*db, &account).await.unwrap().unwrap();
    let opened = external_account::secret(&ring(&new), &moved).unwrap().unwrap();
    assert_eq!(opened.expose_secret(), shown.expose_secret());
    let refused = said(external_account::secret(&ring(&old), &moved));
    assert_eq!(refused, format!(r#"secret: of external account {} does not open with key "k2""#, moved.id.0));

    let bob = register(&db, "bob").await.id;
    let taken = external_account::link(&*db, &both, bob, &account, None, &mut rng(), &act()).await;
    assert_eq!(said(taken), r#"github account "583231" on github.com is there already"#);
    user::delete(&*db, ada, &act()).await.unwrap();
    assert_eq!(external_account::find(&*db, &account).await.unwrap(), None);
    external_account::link(&*db, &both, bob, &account, None, &mut rng(), &act()).await.unwrap();
    assert_eq!(user::undelete(&*db, ada, &act()).await.unwrap().external_accounts, 0);
    assert_eq!(entity_identitydb::external_account::Entity::find().count(&*db).await.unwrap(), 2);
}
