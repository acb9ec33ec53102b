//! Whatever text is given to a function that ends in SQL is refused by a rule or stored exactly; it is never an
//! error of the database.

use chrono::TimeDelta;
use entity_identitydb::Role;
use service::identitydb::audit_event::{self, Filter};
use service::identitydb::external_account::{self, Account};
use service::identitydb::keyring::Keyring;
use service::identitydb::permission::{Object, ObjectKind};
use service::identitydb::session::{self, Login};
use service::identitydb::user::Registration;
use service::identitydb::{
    Act, Origin, api_token, invitation, name, one_time_code, organization, password, permission, team, user,
    user_email,
};
use service::{Error, Result};

use super::{act, create, hasher, noon, register, rng, secret};
use crate::harness::{Database, TestDb};

fn texts() -> Vec<String> {
    let plain = [
        "",
        " ",
        "'",
        "''",
        "\"",
        "\\",
        "\\'",
        "`",
        ";",
        "--",
        "/*",
        "%",
        "_",
        "$1",
        "{}",
        "{null}",
        "null",
        "\0",
        "a\0b",
        "'; drop table users; --",
        "\\x00",
        "E'\\x41'",
        "\u{202e}adA",
        "a\u{2066}d\u{2069}a",
        "a\u{200b}da",
        "\u{feff}ada",
        "a\u{200d}da",
        "ad\u{430}",
        "\u{430}da",
        "ａｄａ",
        "ada\u{301}",
        "ÀDA",
        "ß",
        "İ",
        "\u{10ffff}",
        "🦀",
        "a\r\nb",
        "\t",
        "\u{7f}",
        "\u{85}",
        "\u{1b}[31m",
        "ada@exаmple.org",
        "ada@example.org\u{202e}",
        "ada\u{200b}@example.org",
        "'@example.org",
        "a'b@example.org",
        "fine",
        "Fine-1",
        "it@example.net",
    ];
    let mut texts: Vec<String> = plain.map(str::to_owned).into();
    for piece in ["x", "'", "é", "🦀", "\0", "\u{202e}", "x@"] {
        texts.push(piece.repeat((1 << 20) / piece.len()));
    }
    texts
}

/// Whether it was accepted; anything but a rule's refusal fails.
fn accepted<T>(what: &str, text: &str, result: Result<T>) -> Option<T> {
    match result {
        Ok(done) => Some(done),
        Err(Error::Invalid { .. } | Error::Conflict { .. } | Error::NotFound { .. } | Error::Refused) => None,
        Err(error) => {
            let shown: String = text.chars().take(40).collect();
            panic!("{what} with {shown:?} ({} bytes): {error}", text.len())
        }
    }
}

#[tokio::test]
async fn every_text_that_is_written_is_refused_by_a_rule_or_stored_exactly() {
    let db = TestDb::migrated(Database::Identitydb).await;
    let db = db.connection().clone();
    let (owner, mut rng, hasher) =
        (user::register(&db, &REGISTRATION, &act()).await.unwrap().id, rng(), hasher());
    let acme = organization::create(&db, "acme", "", owner, &act()).await.unwrap().id;
    let keys = Keyring::parse(&secret(&format!("k1:{}", "1f".repeat(32)))).unwrap();
    let (day, mut stored) = (TimeDelta::days(1), 0);
    for (turn, text) in texts().iter().enumerate() {
        let mut exactly = |what: &str, kept: Option<String>| {
            if let Some(kept) = kept {
                assert_eq!(&kept, text, "{what}");
                stored += 1;
            }
        };
        let named = Registration { name: text, display_name: "", email: "new@example.org" };
        let done = user::register(&db, &named, &act()).await;
        exactly("a name", accepted("register", text, done).map(|row| row.name));
        let shown = Registration { name: "owner", display_name: text, email: "new@example.org" };
        drop(accepted("register", text, user::register(&db, &shown, &act()).await));
        let done = organization::create(&db, "acme", text, owner, &act()).await;
        drop(accepted("create", text, done));
        let done = organization::create(&db, text, "", owner, &act()).await;
        exactly("an organization", accepted("create", text, done).map(|row| row.name));
        let done = team::create(&db, acme, text, "", &act()).await;
        exactly("a team", accepted("create a team", text, done).map(|row| row.name));
        let other = format!("turn-{turn}");
        let done = team::create(&db, acme, &other, text, &act()).await;
        exactly("a display name", accepted("create a team", text, done).map(|row| row.display_name));
        let done = user_email::add(&db, owner, text, &act()).await;
        exactly("an address", accepted("add", text, done).map(|row| row.email));
        let done = invitation::invite(&db, acme, (text, Role::Member), owner, day, &mut rng, &act()).await;
        exactly("an invitation", accepted("invite", text, done).map(|(row, _)| row.email));
        let request = api_token::Request { name: text, scopes: &[], expires_at: None };
        let done = api_token::mint(&db, owner, &request, &mut rng, &act()).await;
        exactly("a token", accepted("mint", text, done).map(|minted| minted.token.name));
        let scopes = [text.clone()];
        let request = api_token::Request { name: "ci", scopes: &scopes, expires_at: None };
        let done = api_token::mint(&db, owner, &request, &mut rng, &act()).await;
        exactly("a scope", accepted("mint", text, done).map(|minted| minted.token.scopes.concat()));
        for (at, account) in [
            Account { provider: text, host: "github.com", subject: "1" },
            Account { provider: "github", host: text, subject: "1" },
            Account { provider: "github", host: "github.com", subject: text },
        ]
        .into_iter()
        .enumerate()
        {
            let kept = secret(text);
            let done =
                external_account::link(&db, &keys, owner, &account, Some(&kept), &mut rng, &act()).await;
            let row = accepted("link", text, done);
            let kept = row.map(|row| [row.provider, row.host, row.subject][at].clone());
            exactly("an account", kept);
            drop(accepted("find", text, external_account::find(&db, &account).await));
        }
        let by = Act::by(owner, noon()).from(Origin { address: text, agent: text });
        drop(accepted("create from", text, team::create(&db, acme, "from", "", &by).await));
        let shown = secret(text);
        let _ = accepted("set", text, password::set(&db, &hasher, owner, &shown, &mut rng, &act()).await);
        let done = permission::grant(&db, Role::Owner, text, ObjectKind::Team, &act()).await;
        exactly("an action", accepted("grant", text, done).map(|row| row.action));
        let done = permission::withdraw(&db, Role::Owner, text, ObjectKind::Team, &act()).await;
        let _ = accepted("withdraw", text, done);
    }
    assert!(stored > 100, "only {stored} were stored");
}

const REGISTRATION: Registration<'static> =
    Registration { name: "owner", display_name: "", email: "owner@example.org" };

#[tokio::test]
async fn every_text_that_is_looked_up_finds_nothing_and_is_no_error() {
    let db = TestDb::migrated(Database::Identitydb).await;
    let owner = register(&db, "owner").await.id;
    let acme = create(&db, "acme", owner).await.id;
    let (mut rng, hasher) = (rng(), hasher());
    for text in &texts() {
        assert!(accepted("by_name", text, user::by_name(&*db, text).await).flatten().is_none());
        assert!(accepted("by_name", text, organization::by_name(&*db, text).await).flatten().is_none());
        assert!(accepted("by_name", text, team::by_name(&*db, acme, text).await).flatten().is_none());
        assert!(accepted("verified", text, user_email::verified(&*db, text).await).flatten().is_none());
        let (users, organizations) = (user::Filter::default(), organization::Filter::default());
        for (filter, after) in [
            (users, Some(text.as_str())),
            (user::Filter { part: Some(text), ..users }, None),
            (user::Filter { email: Some(text), deleted: true, ..users }, None),
        ] {
            drop(accepted("list", text, user::list(&*db, filter, after, 1).await));
        }
        for (filter, after) in [
            (organizations, Some(text.as_str())),
            (organization::Filter { part: Some(text), deleted: true }, None),
        ] {
            drop(accepted("list", text, organization::list(&*db, filter, after, 1).await));
        }
        drop(accepted("taken", text, name::taken(&*db, text, noon()).await));
        let may = permission::can(&*db, owner, text, Object::Organization(acme)).await;
        assert_eq!(accepted("can", text, may), Some(false));
        let read = audit_event::read(&*db, Filter { object: Some((text, 1)), actor: None }, None, 1).await;
        assert_eq!(accepted("read", text, read), Some(Vec::new()));
        let shown = secret(text);
        let leaked = api_token::by_secret_with_deleted(&*db, &shown).await;
        assert!(accepted("by_secret", text, leaked).flatten().is_none());
        assert!(
            accepted("authenticate", text, api_token::authenticate(&*db, &shown, noon()).await).is_none()
        );
        assert!(accepted("authenticate", text, session::authenticate(&*db, &shown, noon()).await).is_none());
        assert!(accepted("accept", text, invitation::accept(&*db, &shown, owner, &act()).await).is_none());
        assert!(accepted("verify", text, one_time_code::verify(&*db, owner, &shown, &act()).await).is_none());
        let login = Login { login: text, password: &shown };
        let done = session::sign_in(&*db, &hasher, &login, TimeDelta::days(1), &mut rng, &act()).await;
        assert!(accepted("sign_in", text, done).is_none());
    }
}

#[tokio::test]
async fn a_time_beyond_the_calendar_and_a_lifetime_that_is_none_are_refused() {
    let db = TestDb::migrated(Database::Identitydb).await;
    let owner = register(&db, "owner").await.id;
    let acme = create(&db, "acme", owner).await.id;
    for lifetime in [TimeDelta::MIN, TimeDelta::zero(), TimeDelta::MAX] {
        let to = ("bob@example.org", Role::Member);
        let done = invitation::invite(&*db, acme, to, owner, lifetime, &mut rng(), &act()).await;
        assert!(matches!(done, Err(Error::Invalid { field: "lifetime", .. })), "{lifetime}");
    }
}
