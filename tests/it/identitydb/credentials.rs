//! Passwords, sessions, codes and external accounts.

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

use super::timing::{medians, spread};
use super::{act, hasher, noon, register, rng, said, secret, shown};
use crate::harness::{TestDb, known};

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
    let db = TestDb::served().await;
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
    let db = TestDb::served().await;
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
    let db = TestDb::served().await;
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
    let db = TestDb::served().await;
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
    let db = TestDb::served().await;
    with_password(&db, &Hasher::new(Scheme::CURRENT, 1).unwrap(), "ada").await;
    let row = stored::Entity::find().one(&*db).await.unwrap().unwrap();
    assert!(row.hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", row.hash);
}

/// With the hash that services use, which takes some 20 ms: leaving it out, or one of older parameters, would show as
/// a multiple. A quarter is more than the rest that is done, and less than what networks add.
#[tokio::test]
async fn a_refused_sign_in_takes_the_same_time_whether_there_is_such_a_user_or_not() {
    let db = TestDb::served().await;
    let hasher = Hasher::new(Scheme::CURRENT, 1).unwrap();
    with_password(&db, &hasher, "ada").await;
    register(&db, "bob").await;
    let eve = with_password(&db, &hasher, "eve").await;
    user::delete(&*db, eve, &act()).await.unwrap();
    let long = "x".repeat(1 << 20);
    let logins = [
        ("a wrong password", "ada"),
        ("an address that is not verified", "ada@example.org"),
        ("no password", "bob"),
        ("deleted", "eve"),
        ("nobody", "nobody"),
        ("nobody's address", "no@body.example"),
        ("no name", "a\0b"),
        ("no name, 1 MB", &long),
    ];
    let wrong = secret("wrong password");
    let refuse = async |which: usize| {
        let login = Login { login: logins[which].1, password: &wrong };
        let result = sign_in(&*db, &hasher, &login, TimeDelta::days(1), &mut rng(), &act()).await;
        assert!(matches!(result, Err(Error::Refused)));
    };
    let medians = medians(logins.len(), 15, refuse, |medians| spread(medians) < 1.25).await;
    println!("{:?}", logins.map(|(what, _)| what).iter().zip(&medians).collect::<Vec<_>>());
    assert!(spread(&medians) < 1.25, "{medians:?}");
}

/// Beside the time that it takes: the same statement, and no other.
#[tokio::test]
async fn a_refused_sign_in_asks_the_database_once_whether_there_is_such_a_user_or_not() {
    let db = TestDb::served().await;
    with_password(&db, &hasher(), "ada").await;
    register(&db, "bob").await;
    for login in ["ada", "bob", "nobody", "no@body.example", "a\0b"] {
        let log = super::secrets::Log::default();
        let login = Login { login, password: &secret("wrong password") };
        let hasher = hasher();
        let (mut rng, act) = (rng(), act());
        let result = sign_in(&*db, &hasher, &login, TimeDelta::days(1), &mut rng, &act);
        assert!(log.of(result).await.is_err());
        assert_eq!(log.text().matches("sqlx::query").count(), 1, "{}", log.text());
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_five_wrong_guesses_use_it_up() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await.id;
    let email = user_email::of_user(&*db, ada).await.unwrap()[0].id;
    let hour = TimeDelta::hours(1);
    let code = one_time_code::to_verify(&*db, email, hour, &mut rng(), &act()).await.unwrap();
    known(&code);
    for _ in 0..one_time_code::ATTEMPTS {
        let wrong = one_time_code::verify(&*db, ada, &shown("WRONG"), &act()).await;
        assert!(matches!(wrong, Err(Error::Refused)));
    }
    let used_up = one_time_code::verify(&*db, ada, &code, &act()).await;
    assert!(matches!(used_up, Err(Error::Refused)));
    let code = one_time_code::to_verify(&*db, email, hour, &mut rng(), &act()).await.unwrap();
    known(&code);
    assert_eq!(one_time_code::verify(&*db, ada, &code, &act()).await.unwrap().verified_at, Some(noon()));
    assert!(matches!(one_time_code::verify(&*db, ada, &code, &act()).await, Err(Error::Refused)));
}

#[tokio::test]
async fn a_forgotten_password_is_chosen_anew_with_a_code_and_every_session_ends() {
    let db = TestDb::served().await;
    let ada = with_password(&db, &hasher(), "ada").await;
    let hour = TimeDelta::hours(1);
    assert!(one_time_code::to_reset(&*db, ada, hour, &mut rng(), &act()).await.unwrap().is_none());
    let email = user_email::of_user(&*db, ada).await.unwrap()[0].id;
    user_email::verify(&*db, email, &act()).await.unwrap();
    let session = signed_in(&db, &hasher(), 1).await.unwrap();
    let (to, code) = one_time_code::to_reset(&*db, ada, hour, &mut rng(), &act()).await.unwrap().unwrap();
    known(&code);
    assert_eq!(to.email, "ada@example.org");
    let new = secret("battery staple");
    one_time_code::reset(&*db, &hasher(), ada, &code, &new, &mut rng(), &act()).await.unwrap();
    assert!(matches!(session::authenticate(&*db, &session.secret, noon()).await, Err(Error::Refused)));
    assert!(matches!(signed_in(&db, &hasher(), 2).await, Err(Error::Refused)));
}

#[tokio::test]
async fn a_user_with_addresses_keeps_a_primary_one() {
    let db = TestDb::served().await;
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
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await.id;
    let (old, new) = (format!("k1:{}", "11".repeat(32)), format!("k2:{}", "22".repeat(32)));
    let ring = |text: &str| Keyring::parse(&shown(text)).expect("it is a ring");
    let account = Account { provider: "github", host: "github.com", subject: "583231" };
    let token = secret("gho_16C7e42F292c6912E7");
    let first = ring(&old);
    let linked =
        external_account::link(&*db, &first, ada, &account, Some(&token), &mut rng(), &act()).await.unwrap();
    assert_eq!(external_account::find(&*db, &account).await.unwrap().as_ref(), Some(&linked));
    assert!(!String::from_utf8_lossy(linked.secret.as_ref().unwrap()).contains("gho_"));

    let both = ring(&format!("{new},{old}"));
    assert_eq!(external_account::reencrypt(&*db, &both, 10, &mut rng()).await.unwrap(), 1);
    assert_eq!(external_account::reencrypt(&*db, &both, 10, &mut rng()).await.unwrap(), 0);
    let moved = external_account::find(&*db, &account).await.unwrap().unwrap();
    let opened = external_account::secret(&ring(&new), &moved).unwrap().unwrap();
    assert_eq!(opened.expose_secret(), token.expose_secret());
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
