//! Whatever text is given to a function that ends in SQL is refused by a rule or stored exactly; it is never an
//! error of the database.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity_identitydb::{
    ApiTokenId, AuditEventId, ErasureRequestId, ExternalAccountId, InvitationId, OrganizationId, Role,
    SessionId, TeamId, UserEmailId, UserId, origin,
};
use rand::rngs::StdRng;
use sea_orm::{DatabaseConnection, EntityTrait, QueryOrder};
use secrecy::ExposeSecret as _;
use service::identitydb::audit_event::{self, Filter};
use service::identitydb::external_account::{self, Account};
use service::identitydb::keyring::Keyring;
use service::identitydb::password::Hasher;
use service::identitydb::permission::{Object, ObjectKind};
use service::identitydb::session::{self, Login};
use service::identitydb::user::Registration;
use service::identitydb::{
    Act, Origin, api_token, erasure, export, invitation, name, one_time_code, organization,
    organization_user, password, permission, team, team_user, user, user_email,
};
use service::{Error, Result};

use super::{act, create, hasher, noon, register, rng, secret, shown};
use crate::harness::{TestDb, known};

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

const DAY: TimeDelta = TimeDelta::days(1);

/// What texts are written to, and how many of them were stored.
struct Written {
    db: DatabaseConnection,
    owner: UserId,
    renamed: UserId,
    acme: OrganizationId,
    rng: StdRng,
    hasher: Hasher,
    stored: usize,
}

impl Written {
    /// Notes what came back of `text`: nothing, or it.
    fn exactly(&mut self, what: &str, text: &str, kept: Option<String>) {
        if let Some(kept) = kept {
            assert!(kept == text, "{what}: {:?}", kept.chars().take(80).collect::<String>());
            self.stored += 1;
        }
    }

    /// A name, a display name and an address, each beside others that are fine, for users and organizations.
    async fn names(&mut self, turn: usize, text: &str) {
        let db = self.db.clone();
        let (name, email) = (format!("turn-{turn}"), format!("turn-{turn}@example.org"));
        let named = Registration { name: text, display_name: "", email: &email };
        // Who has a name keeps others from it, so each text is given in one of the two ways.
        let done = if turn.is_multiple_of(2) {
            user::register(&db, &named, &act()).await
        } else {
            user::rename(&db, self.renamed, text, &act()).await
        };
        let done = accepted("name", text, done);
        self.exactly("a name", text, done.map(|row| row.name));
        let displayed = Registration { name: &name, display_name: text, email: &email };
        let done = accepted("register", text, user::register(&db, &displayed, &act()).await);
        self.exactly("a display name", text, done.map(|row| row.display_name));
        let mailed = Registration { name: &format!("mailed-{turn}"), display_name: "", email: text };
        if let Some(row) = accepted("register", text, user::register(&db, &mailed, &act()).await) {
            let kept = user_email::of_user(&db, row.id).await.unwrap().remove(0).email;
            self.exactly("an address", text, Some(kept));
        }
        let owner = self.owner;
        let done = organization::create(&db, text, "", owner, &act()).await;
        let done = accepted("create", text, done);
        self.exactly("an organization", text, done.map(|row| row.name));
        let done = organization::create(&db, &format!("o-{turn}"), text, owner, &act()).await;
        if let Some(row) = accepted("create", text, done) {
            self.exactly("a display name", text, Some(row.display_name));
            let done = accepted("rename", text, organization::rename(&db, row.id, text, &act()).await);
            self.exactly("a new name", text, done.map(|row| row.name));
        }
        let done = team::create(&db, self.acme, text, "", &act()).await;
        let done = accepted("create a team", text, done);
        self.exactly("a team", text, done.map(|row| row.name));
        let done = team::create(&db, self.acme, &name, text, &act()).await;
        let done = accepted("create a team", text, done);
        self.exactly("a display name", text, done.map(|row| row.display_name));
        let done = accepted("add", text, user_email::add(&db, owner, text, &act()).await);
        self.exactly("an address", text, done.map(|row| row.email));
        let to = (text, Role::Member);
        let done = invitation::invite(&db, self.acme, to, owner, DAY, &mut self.rng, &act()).await;
        let done = accepted("invite", text, done);
        self.exactly("an invitation", text, done.map(|(row, _)| row.email));
    }

    /// Whatever tokens, external accounts and their keys are called, and the secrets themselves.
    async fn credentials(&mut self, text: &str) {
        let (db, owner) = (self.db.clone(), self.owner);
        let request = api_token::Request { name: text, scopes: &[], expires_at: None };
        let done = api_token::mint(&db, owner, &request, &mut self.rng, &act()).await;
        let done = accepted("mint", text, done);
        self.exactly("a token", text, done.map(|minted| minted.token.name));
        for scopes in [vec![text.to_owned()], vec!["fine".to_owned(), text.to_owned()]] {
            let request = api_token::Request { name: "ci", scopes: &scopes, expires_at: None };
            let done = api_token::mint(&db, owner, &request, &mut self.rng, &act()).await;
            let done = accepted("mint", text, done);
            self.exactly("a scope", text, done.and_then(|minted| minted.token.scopes.last().cloned()));
        }
        let fine = ("github", "github.com", "1");
        for (at, (provider, host, subject)) in
            [(text, fine.1, fine.2), (fine.0, text, fine.2), (fine.0, fine.1, text)].into_iter().enumerate()
        {
            let account = Account { provider, host, subject };
            let keys = Keyring::parse(&shown(&format!("k1:{}", "1f".repeat(32)))).unwrap();
            let kept = Some(shown(text));
            let rng = &mut self.rng;
            let done = external_account::link(&db, &keys, owner, &account, kept.as_ref(), rng, &act()).await;
            if let Some(row) = accepted("link", text, done) {
                let opened = external_account::secret(&keys, &row).unwrap().unwrap();
                self.exactly("a secret", text, Some(opened.expose_secret().to_owned()));
                self.exactly("an account", text, Some([row.provider, row.host, row.subject][at].clone()));
            }
            drop(accepted("find", text, external_account::find(&db, &account).await));
        }
        let ring = shown(&format!("{text}:{}", "2e".repeat(32)));
        if let Some(keys) = accepted("parse", text, Keyring::parse(&ring)) {
            let account = Account { provider: fine.0, host: fine.1, subject: "named" };
            let kept = Some(secret("kept"));
            let rng = &mut self.rng;
            let done = external_account::link(&db, &keys, owner, &account, kept.as_ref(), rng, &act()).await;
            let done = accepted("link", text, done).and_then(|row| row.secret_key_name);
            self.exactly("a key", text.trim(), done);
        }
    }

    /// A password, set, shown, changed, and chosen anew with a code.
    async fn password(&mut self, text: &str) {
        let (db, owner, hasher) = (self.db.clone(), self.owner, self.hasher.clone());
        let text_as_password = shown(text);
        let done = password::set(&db, &hasher, owner, &text_as_password, &mut self.rng, &act()).await;
        let is_set = accepted("set", text, done).is_some();
        let login = Login { login: "owner", password: &text_as_password };
        let done = session::sign_in(&db, &hasher, &login, DAY, &mut self.rng, &act()).await;
        assert_eq!(accepted("sign_in", text, done).is_some(), is_set);
        let fine = secret("correct horse");
        password::set(&db, &hasher, owner, &fine, &mut self.rng, &act()).await.unwrap();
        let whose = (owner, None);
        let done =
            password::change(&db, &hasher, whose, &fine, &text_as_password, &mut self.rng, &act()).await;
        assert_eq!(accepted("change", text, done).is_some(), is_set);
        let (_, code) =
            one_time_code::to_reset(&db, owner, DAY, &mut self.rng, &act()).await.unwrap().unwrap();
        for code in [&text_as_password, known(&code)] {
            let rng = &mut self.rng;
            let done = one_time_code::reset(&db, &hasher, owner, code, &text_as_password, rng, &act()).await;
            let _ = accepted("reset", text, done);
        }
        self.stored += usize::from(is_set);
    }

    /// Where somebody acts from.
    async fn origin(&mut self, turn: usize, text: &str) {
        let db = self.db.clone();
        for (at, origin) in [Origin { address: text, agent: "fine" }, Origin { address: "fine", agent: text }]
            .iter()
            .enumerate()
        {
            let by = Act::by(self.owner, noon()).from(*origin);
            let done = team::create(&db, self.acme, &format!("from-{turn}-{at}"), "", &by).await;
            if accepted("create from", text, done).is_some() {
                let newest = origin::Entity::find().order_by_desc(origin::Column::Id).all(&db).await.unwrap();
                let kept = newest.into_iter().map(|row| [row.address, row.agent][at].clone());
                assert!(kept.into_iter().any(|kept| kept == text), "an origin");
                self.stored += 1;
            }
        }
    }

    async fn permission(&mut self, text: &str) {
        let db = self.db.clone();
        let done = permission::grant(&db, Role::Owner, text, ObjectKind::Team, &act()).await;
        let done = accepted("grant", text, done);
        self.exactly("an action", text, done.map(|row| row.action));
        let done = permission::withdraw(&db, Role::Owner, text, ObjectKind::Team, &act()).await;
        let _ = accepted("withdraw", text, done);
    }
}

#[tokio::test]
async fn every_text_that_is_written_is_refused_by_a_rule_or_stored_exactly() {
    let db = TestDb::served().await;
    let owner = register(&db, "owner").await.id;
    let email = user_email::of_user(&*db, owner).await.unwrap()[0].id;
    user_email::verify(&*db, email, &act()).await.unwrap();
    let acme = create(&db, "acme", owner).await.id;
    let renamed = register(&db, "renamed").await.id;
    let db = db.connection().clone();
    let mut written = Written { db, owner, renamed, acme, rng: rng(), hasher: hasher(), stored: 0 };
    for (turn, text) in texts().iter().enumerate() {
        written.names(turn, text).await;
        written.credentials(text).await;
        written.password(text).await;
        written.origin(turn, text).await;
        written.permission(text).await;
    }
    assert!(written.stored > 300, "only {} were stored", written.stored);
}

#[tokio::test]
async fn every_text_that_is_looked_up_finds_nothing_and_is_no_error() {
    let db = TestDb::served().await;
    let owner = register(&db, "owner").await.id;
    let acme = create(&db, "acme", owner).await.id;
    let (mut rng, hasher) = (rng(), hasher());
    for text in &texts() {
        let none = [
            accepted("by_name", text, user::by_name(&*db, text).await).flatten().is_none(),
            accepted("by_name", text, user::by_name_with_deleted(&*db, text).await).flatten().is_none(),
            accepted("by_name", text, organization::by_name(&*db, text).await).flatten().is_none(),
            accepted("by_name", text, organization::by_name_with_deleted(&*db, text).await)
                .flatten()
                .is_none(),
            accepted("by_name", text, team::by_name(&*db, acme, text).await).flatten().is_none(),
            accepted("verified", text, user_email::verified(&*db, text).await).flatten().is_none(),
        ];
        assert_eq!(none, [true; 6]);
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
        for object in [Object::Organization(acme), Object::User(UserId(0)), Object::Team(TeamId(1))] {
            let may = permission::can(&*db, owner, text, object).await;
            assert_eq!(accepted("can", text, may), Some(false));
        }
        let read = audit_event::read(&*db, Filter { object: Some((text, 1)), actor: None }, None, 1).await;
        assert_eq!(accepted("read", text, read), Some(Vec::new()));
        let guess = shown(text);
        let leaked = api_token::by_secret_with_deleted(&*db, &guess).await;
        assert!(accepted("by_secret", text, leaked).flatten().is_none());
        assert!(
            accepted("authenticate", text, api_token::authenticate(&*db, &guess, noon()).await).is_none()
        );
        assert!(accepted("authenticate", text, session::authenticate(&*db, &guess, noon()).await).is_none());
        assert!(accepted("accept", text, invitation::accept(&*db, &guess, owner, &act()).await).is_none());
        assert!(accepted("verify", text, one_time_code::verify(&*db, owner, &guess, &act()).await).is_none());
        let login = Login { login: text, password: &guess };
        let done = session::sign_in(&*db, &hasher, &login, DAY, &mut rng, &act()).await;
        assert!(accepted("sign_in", text, done).is_none());
    }
}

/// As long as a bigint has no more digits.
const IDS: [i64; 5] = [i64::MIN, -1, 0, 1 << 40, i64::MAX];

#[tokio::test]
async fn an_id_of_nothing_is_found_by_no_read_and_no_write() {
    let db = TestDb::served().await;
    let owner = register(&db, "owner").await.id;
    let acme = create(&db, "acme", owner).await.id;
    let (mut rng, hasher, act) = (rng(), hasher(), act());
    for id in IDS {
        let (user, organization, team) = (UserId(id), OrganizationId(id), TeamId(id));
        assert!(user_email::of_user(&*db, user).await.unwrap().is_empty());
        assert!(api_token::of_user(&*db, user).await.unwrap().is_empty());
        assert!(session::of_user(&*db, user, noon()).await.unwrap().is_empty());
        assert!(external_account::of_user(&*db, user).await.unwrap().is_empty());
        assert!(organization_user::of_user(&*db, user).await.unwrap().is_empty());
        assert!(organization_user::members(&*db, organization, 1).await.unwrap().is_empty());
        assert!(team::of_organization(&*db, organization).await.unwrap().is_empty());
        assert!(team_user::members(&*db, team, 1).await.unwrap().is_empty());
        assert!(invitation::open(&*db, organization, noon()).await.unwrap().is_empty());
        assert_eq!(export::of_user(&*db, user).await.unwrap(), None);
        let filter = Filter { object: Some(("user", id)), actor: Some(user) };
        assert!(audit_event::read(&*db, filter, Some(AuditEventId(id)), 1).await.unwrap().is_empty());
        for object in [Object::User(user), Object::Organization(organization), Object::Team(team)] {
            assert!(!permission::can(&*db, owner, "read", object).await.unwrap());
        }
        let request = api_token::Request { name: "ci", scopes: &[], expires_at: None };
        let (password, to) = (secret("correct horse"), ("bob@example.org", Role::Member));
        let results = [
            user::rename(&*db, user, "other", &act).await.map(drop),
            user::delete(&*db, user, &act).await.map(drop),
            user::undelete(&*db, user, &act).await.map(drop),
            erasure::erase(&*db, user, &mut rng, &act).await.map(drop),
            erasure::complete(&*db, ErasureRequestId(id), &act).await.map(drop),
            user_email::add(&*db, user, "x@example.org", &act).await.map(drop),
            user_email::verify(&*db, UserEmailId(id), &act).await.map(drop),
            user_email::make_primary(&*db, UserEmailId(id), &act).await.map(drop),
            user_email::remove(&*db, UserEmailId(id), &act).await,
            user_email::bounced(&*db, UserEmailId(id), &act).await.map(drop),
            one_time_code::to_verify(&*db, UserEmailId(id), DAY, &mut rng, &act).await.map(drop),
            password::set(&*db, &hasher, user, &password, &mut rng, &act).await,
            session::end(&*db, SessionId(id), &act).await,
            api_token::mint(&*db, user, &request, &mut rng, &act).await.map(drop),
            api_token::revoke(&*db, ApiTokenId(id), &act).await,
            external_account::unlink(&*db, ExternalAccountId(id), &act).await,
            organization::create(&*db, "other", "", user, &act).await.map(drop),
            organization::rename(&*db, organization, "other", &act).await.map(drop),
            organization::delete(&*db, organization, &act).await.map(drop),
            organization::undelete(&*db, organization, &act).await.map(drop),
            organization_user::add(&*db, organization, owner, Role::Member, &act).await.map(drop),
            organization_user::add(&*db, acme, user, Role::Member, &act).await.map(drop),
            organization_user::change_role(&*db, acme, user, Role::Member, &act).await.map(drop),
            organization_user::remove(&*db, acme, user, &act).await,
            team::create(&*db, organization, "core", "", &act).await.map(drop),
            team::delete(&*db, team, &act).await.map(drop),
            team_user::add(&*db, team, owner, &act).await.map(drop),
            team_user::remove(&*db, team, owner, &act).await,
            invitation::invite(&*db, organization, to, owner, DAY, &mut rng, &act).await.map(drop),
            invitation::invite(&*db, acme, to, user, DAY, &mut rng, &act).await.map(drop),
            invitation::withdraw(&*db, InvitationId(id), &act).await,
        ];
        for (at, result) in results.into_iter().enumerate() {
            assert!(matches!(result, Err(Error::NotFound { .. })), "{at} with {id}: {result:?}");
        }
    }
}

#[tokio::test]
async fn as_many_as_there_are_is_a_limit_like_any_other() {
    let db = TestDb::served().await;
    let owner = register(&db, "owner").await.id;
    let acme = create(&db, "acme", owner).await.id;
    let team = team::create(&*db, acme, "core", "", &act()).await.unwrap().id;
    let keys = Keyring::parse(&shown(&format!("k1:{}", "1f".repeat(32)))).unwrap();
    for limit in [1 << 63, u64::MAX] {
        assert_eq!(user::list(&*db, user::Filter::default(), None, limit).await.unwrap().len(), 1);
        assert_eq!(
            organization::list(&*db, organization::Filter::default(), None, limit).await.unwrap().len(),
            1
        );
        assert_eq!(organization_user::members(&*db, acme, limit).await.unwrap().len(), 1);
        assert_eq!(team_user::members(&*db, team, limit).await.unwrap().len(), 0);
        assert_eq!(audit_event::read(&*db, Filter::default(), None, limit).await.unwrap().len(), 3);
        assert_eq!(erasure::pending(&*db, limit).await.unwrap().len(), 0);
        assert_eq!(external_account::reencrypt(&*db, &keys, limit, &mut rng()).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_time_beyond_the_calendar_and_a_lifetime_that_is_none_are_refused() {
    let db = TestDb::served().await;
    let owner = register(&db, "owner").await.id;
    let acme = create(&db, "acme", owner).await.id;
    for lifetime in [TimeDelta::MIN, TimeDelta::zero(), TimeDelta::MAX] {
        let to = ("bob@example.org", Role::Member);
        let done = invitation::invite(&*db, acme, to, owner, lifetime, &mut rng(), &act()).await;
        assert!(matches!(done, Err(Error::Invalid { field: "lifetime", .. })), "{lifetime}");
    }
    for expires_at in [DateTime::<Utc>::MIN_UTC, noon()] {
        let request = api_token::Request { name: "ci", scopes: &[], expires_at: Some(expires_at) };
        let done = api_token::mint(&*db, owner, &request, &mut rng(), &act()).await;
        assert!(matches!(done, Err(Error::Invalid { field: "expires_at", .. })), "{expires_at}");
    }
    let last = DateTime::<Utc>::MAX_UTC;
    let request = api_token::Request { name: "ci", scopes: &[], expires_at: Some(last) };
    let minted = api_token::mint(&*db, owner, &request, &mut rng(), &act()).await.unwrap();
    assert_eq!(minted.token.expires_at.unwrap().timestamp_micros(), last.timestamp_micros());
    for day in [NaiveDate::MIN, NaiveDate::MAX] {
        let done = audit_event::add_month(&*db, day).await;
        assert!(matches!(done, Err(Error::Invalid { field: "day", .. })), "{day}: {done:?}");
    }
}
