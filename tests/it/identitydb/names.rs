//! One namespace: who holds a name, who looks like it, and when it is free again.

use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, Statement};
use service::identitydb::name::{QUARANTINE_DAYS, key};
use service::identitydb::user::Registration;
use service::identitydb::{Act, organization, user};

use super::{act, create, register, said};
use crate::harness::TestDb;

async fn register_at(
    db: &TestDb,
    name: &str,
    act: &Act<'_>,
) -> service::Result<entity_identitydb::user::Model> {
    let email = format!("{name}@example.org");
    user::register(db.connection(), &Registration { name, display_name: "", email: &email }, act).await
}

#[tokio::test]
async fn users_and_organizations_share_their_names_and_what_looks_like_them() {
    let db = TestDb::served().await;
    let ada = register(&db, "bill-01").await;
    create(&db, "acme", ada.id).await;
    for alike in ["bill-01", "BlLL-O1", "bi1l0l", "Bill01"] {
        let refused = organization::create(&*db, alike, "", ada.id, &act()).await;
        assert_eq!(said(refused), format!("organization {alike:?} is there already"));
    }
    for alike in ["ACME", "ac-me", "acrne"] {
        let refused = register_at(&db, alike, &act()).await;
        assert_eq!(said(refused), format!("user {alike:?} is there already"));
    }
}

#[tokio::test]
async fn a_reserved_name_is_nobodys() {
    let db = TestDb::served().await;
    for name in ["admin", "Admin", "r00t", "archer"] {
        assert_eq!(said(register_at(&db, name, &act()).await), format!("user {name:?} is there already"));
    }
}

#[tokio::test]
async fn a_released_name_is_in_quarantine_for_others_and_free_for_who_gave_it_up() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await;
    user::rename(&*db, ada.id, "lovelace", &act()).await.unwrap();
    assert_eq!(said(register_at(&db, "ada", &act()).await), r#"user "ada" is there already"#);
    user::rename(&*db, ada.id, "Ada", &act()).await.unwrap();
    user::rename(&*db, ada.id, "lovelace", &act()).await.unwrap();
    assert_eq!(said(register_at(&db, "ada", &act()).await), r#"user "ada" is there already"#);

    // The quarantine begins by the clock of the database.
    let clock = Statement::from_string(db.get_database_backend(), "select now() as now");
    let now: chrono::DateTime<chrono::Utc> =
        db.query_one_raw(clock).await.unwrap().unwrap().try_get("", "now").unwrap();
    let before = Act::system(now + TimeDelta::days(QUARANTINE_DAYS - 1));
    assert_eq!(said(register_at(&db, "ada", &before).await), r#"user "ada" is there already"#);
    let after = Act::system(now + TimeDelta::days(QUARANTINE_DAYS + 1));
    register_at(&db, "ada", &after).await.unwrap();
    assert_eq!(said(user::rename(&*db, ada.id, "ada", &after).await), r#"user "ada" is there already"#);
}

#[tokio::test]
async fn an_organization_may_have_back_the_name_that_it_gave_up_and_nobody_else() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await;
    let acme = create(&db, "acme", ada.id).await;
    let other = create(&db, "other", ada.id).await;
    organization::rename(&*db, acme.id, "globex", &act()).await.unwrap();
    let taken = |result| assert_eq!(said(result), r#"organization "acme" is there already"#);
    taken(organization::create(&*db, "acme", "", ada.id, &act()).await);
    taken(organization::rename(&*db, other.id, "acme", &act()).await);
    assert_eq!(said(user::rename(&*db, ada.id, "acme", &act()).await), r#"user "acme" is there already"#);
    assert_eq!(organization::rename(&*db, acme.id, "acme", &act()).await.unwrap().name, "acme");
    let globex = organization::rename(&*db, other.id, "globex", &act()).await;
    assert_eq!(said(globex), r#"organization "globex" is there already"#);
}

#[tokio::test]
async fn another_letter_case_of_ones_own_name_is_a_rename_that_releases_nothing() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada-l").await;
    assert_eq!(user::rename(&*db, ada.id, "AdaL", &act()).await.unwrap().name, "AdaL");
    let count = "select count(*) from names where user_id is not null";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), count)).await.unwrap();
    assert_eq!(row.unwrap().try_get::<i64>("", "count").unwrap(), 1);
}

/// A thousand names that the rule lets through, from a fixed generator.
#[tokio::test]
async fn service_and_database_agree_on_what_a_name_looks_like() {
    let db = TestDb::served().await;
    let alphabet: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').chain(['-']).collect();
    let mut state = 1_u64;
    let mut next = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % bound
    };
    let names: Vec<String> =
        (0..1_000).map(|_| (0..2 + next(38)).map(|_| alphabet[next(alphabet.len())]).collect()).collect();
    let sql = "select identitydb_name_key(name) as key from unnest($1::text[]) with ordinality as n (name, at) order by at";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [names.clone().into()]);
    let rows = db.query_all_raw(statement).await.unwrap();
    for (name, row) in names.iter().zip(rows) {
        assert_eq!(row.try_get::<Vec<u8>>("", "key").unwrap(), key(name), "{name}");
    }
}
