//! Erasing a user leaves nothing of them: planted values are looked for in every column of every table.

use chrono::TimeDelta;
use entity_identitydb::{Role, UserId};
use sea_orm::{ConnectionTrait, Statement};
use service::Error;
use service::identitydb::external_account::{Account, link};
use service::identitydb::keyring::Keyring;
use service::identitydb::session::{Login, sign_in};
use service::identitydb::user::Registration;
use service::identitydb::{
    Act, Origin, api_token, erasure, export, invitation, one_time_code, organization_user, password, user,
    user_email,
};

use super::{act, create, hasher, noon, register, rng, said, secret, shown};
use crate::harness::{TestDb, known};

/// Each is in a column of its own, in several letter cases and forms.
const PLANTED: [&str; 10] = [
    "zanzibar",
    "quetzal",
    "xylophone",
    "wombat",
    "jackdaw",
    "ocelot",
    "platypus",
    "203.0.113.99",
    "narwhal",
    "axolotl",
];

/// A user with something in every table that takes it.
async fn planted(db: &TestDb) -> UserId {
    let (db, mut rng, hasher) = (db.connection(), rng(), hasher());
    let first = Act::system(noon());
    let registration =
        Registration { name: "Zanzibar", display_name: "The Quetzal", email: "Xylophone@example.org" };
    let user = user::register(db, &registration, &first).await.expect("it is valid").id;
    let by = Act::by(user, noon()).from(Origin { address: "203.0.113.99", agent: "Wombat/1.0" });
    user::rename(db, user, "Jackdaw", &by).await.expect("the name is free");
    let other = user_email::add(db, user, "ocelot@example.org", &by).await.expect("it is new");
    let primary = user_email::of_user(db, user).await.expect("the query runs")[0].id;
    let code = one_time_code::to_verify(db, primary, TimeDelta::hours(1), &mut rng, &by).await;
    let code = code.expect("it is live");
    one_time_code::verify(db, user, known(&code), &by).await.expect("it is the code");
    user_email::remove(db, other.id, &by).await.expect("it is not the primary one");
    password::set(db, &hasher, user, &secret("narwhal narwhal"), &mut rng, &by).await.expect("it is valid");
    let login = Login { login: "jackdaw", password: &secret("narwhal narwhal") };
    sign_in(db, &hasher, &login, TimeDelta::days(1), &mut rng, &by).await.expect("it is right");
    let scopes = ["axolotl:read".to_owned()];
    let token = api_token::Request { name: "platypus", scopes: &scopes, expires_at: None };
    api_token::mint(db, user, &token, &mut rng, &by).await.expect("it is valid");
    let keys = Keyring::parse(&shown(&format!("k1:{}", "1f".repeat(32)))).expect("it is a key");
    let account = Account { provider: "github", host: "github.com", subject: "Narwhal" };
    link(db, &keys, user, &account, Some(&secret("gho_narwhal")), &mut rng, &by).await.expect("it is free");
    let ada = register_ada(db).await;
    let to = ("xylophone@example.org", Role::Member);
    invitation::invite(db, ada.1, to, ada.0, TimeDelta::days(1), &mut rng, &act())
        .await
        .expect("it is valid");
    organization_user::add(db, ada.1, user, Role::Member, &by).await.expect("no member yet");
    user
}

async fn register_ada(db: &sea_orm::DatabaseConnection) -> (UserId, entity_identitydb::OrganizationId) {
    let registration = Registration { name: "ada", display_name: "", email: "ada@example.org" };
    let ada = user::register(db, &registration, &act()).await.expect("it is valid").id;
    let acme = service::identitydb::organization::create(db, "acme", "", ada, &act()).await;
    (ada, acme.expect("it is valid").id)
}

/// `table.column: word` for each planted word in any column of any table, of whatever type: in bytes, in arrays and
/// JSON, in partitions, in migrations' own tables.
async fn found(db: &TestDb) -> Vec<String> {
    let db = db.superuser();
    let columns = "
        select c.relname::text as \"table\", a.attname::text as \"column\", a.atttypid = 'bytea'::regtype as is_bytes
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'm') order by 1, a.attnum";
    let statement = Statement::from_string(db.get_database_backend(), columns);
    let columns = db.query_all_raw(statement).await.expect("the query runs");
    assert!(columns.len() > 150, "only {} columns", columns.len());
    let mut found = Vec::new();
    for row in columns {
        let get = |name: &str| row.try_get::<String>("", name).expect("it is text");
        let (table, column) = (get("table"), get("column"));
        let is_bytes: bool = row.try_get("", "is_bytes").expect("it is a boolean");
        let text = if is_bytes { format!("encode({column}, 'escape')") } else { format!("{column}::text") };
        let sql = format!(
            "select distinct word from {table}, unnest($1::text[]) as word where {text} ilike '%' || word || '%' order by 1"
        );
        let words: Vec<String> = PLANTED.iter().map(|word| (*word).to_owned()).collect();
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [words.into()]);
        for row in db.query_all_raw(statement).await.expect("the query runs") {
            let word: String = row.try_get("", "word").expect("it is text");
            found.push(format!("{table}.{column}: {word}"));
        }
    }
    found
}

#[tokio::test]
async fn the_scan_looks_into_columns_of_every_type() {
    let db = TestDb::served().await;
    let table = "
        create table zoo (a text, b varchar(50), c citext, d name, e bytea, f text[], g json, h jsonb, i char(20), j tsvector);
        insert into zoo values ('a Wombat', 'wombat', 'WOMBAT', 'wombat', 'wombat', '{x,wombat}', '{\"wombat\": 1}',
            '{\"x\": [\"wombat\"]}', 'wombat', 'wombat')";
    db.superuser().execute_unprepared(table).await.unwrap();
    let expected: Vec<String> = ('a'..='j').map(|column| format!("zoo.{column}: wombat")).collect();
    assert_eq!(found(&db).await, expected);
}

#[tokio::test]
async fn erasing_a_user_leaves_nothing_of_them_in_any_column() {
    let db = TestDb::served().await;
    let user = planted(&db).await;
    let before = found(&db).await;
    for word in PLANTED {
        assert!(before.iter().any(|found| found.ends_with(word)), "{word} was planted nowhere: {before:?}");
    }

    let erased = erasure::erase(&*db, user, &mut rng(), &Act::by(user, noon())).await.unwrap();

    assert_eq!(found(&db).await, Vec::<String>::new());
    let rows = erasure::Rows {
        invitations: 1,
        passwords: 1,
        sessions: 1,
        api_tokens: 1,
        one_time_codes: 1,
        external_accounts: 1,
        emails: 2,
        team_memberships: 0,
        memberships: 1,
        origins: 1,
        names: 2,
    };
    assert_eq!(erased.rows, rows);
    for actor in ["zanzibar", "Jackdaw", "XYLOPHONE@example.org", "ocelot@example.org", "narwhal"] {
        assert!(erased.request.actor_digests.contains(&erasure::digest(actor)), "{actor}");
    }
    let again = erasure::erase(&*db, user, &mut rng(), &act()).await;
    assert_eq!(said(again), format!("erasure of user {} is there already", user.0));
    assert!(matches!(user::undelete(&*db, user, &act()).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn a_deleted_user_is_erased_as_well_and_the_names_stay_in_quarantine() {
    let db = TestDb::served().await;
    let user = planted(&db).await;
    user::delete(&*db, user, &act()).await.unwrap();
    erasure::erase(&*db, user, &mut rng(), &act()).await.unwrap();
    assert_eq!(found(&db).await, Vec::<String>::new());
    for name in ["jackdaw", "zanzibar"] {
        let registration = Registration { name, display_name: "", email: "new@example.org" };
        let refused = user::register(&*db, &registration, &act()).await;
        assert_eq!(said(refused), format!("user {name:?} is there already"));
    }
}

#[tokio::test]
async fn an_erasure_is_pending_until_it_is_carried_out_elsewhere() {
    let db = TestDb::served().await;
    let user = planted(&db).await;
    let request = erasure::erase(&*db, user, &mut rng(), &act()).await.unwrap().request;
    assert_eq!(erasure::pending(&*db, 10).await.unwrap(), std::slice::from_ref(&request));
    let done = erasure::complete(&*db, request.id, &act()).await.unwrap();
    assert_eq!(done.completed_at, Some(noon()));
    assert!(erasure::pending(&*db, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_last_owner_of_an_organization_is_not_erased() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await;
    create(&db, "acme", ada.id).await;
    let refused = erasure::erase(&*db, ada.id, &mut rng(), &act()).await;
    assert_eq!(said(refused), r#"user: is the last owner of "acme"; make another member an owner first"#);
    assert!(user::by_name(&*db, "ada").await.unwrap().is_some());
}

#[tokio::test]
async fn an_export_has_everything_about_a_user_but_no_secret_and_no_hash() {
    let db = TestDb::served().await;
    let user = planted(&db).await;
    let document = export::of_user(&*db, user).await.unwrap().unwrap();
    let text = document.to_string().to_lowercase();
    for word in PLANTED {
        assert!(text.contains(word), "{word}");
    }
    for hidden in ["$argon2id$", "secret_sha256", "code_sha256", "gho_", "canonical_key", "\"hash\""] {
        assert!(!text.contains(hidden), "{hidden}");
    }
    let empty = document.as_object().unwrap().iter().filter(|(_, rows)| rows.is_null());
    let empty: Vec<&String> = empty.map(|(table, _)| table).collect();
    assert_eq!(empty, ["erasure_requests", "team_memberships"]);
    assert_eq!(export::of_user(&*db, UserId(-1)).await.unwrap(), None);
}
