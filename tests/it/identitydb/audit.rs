//! The audit trail: complete, paged, and unchangeable.

use entity_identitydb::{Role, audit_event};
use sea_orm::{ConnectionTrait, EntityTrait, TransactionTrait};
use serde_json::json;
use service::identitydb::audit_event::{Filter, add_month, read};
use service::identitydb::user::{self, Registration};
use service::identitydb::{Act, Origin, organization_user};

use super::{act, create, noon, register};
use crate::harness::TestDb;

#[tokio::test]
async fn every_write_tells_who_did_what_to_what_from_where_before_and_after() {
    let db = TestDb::served().await;
    let (ada, bob) = (register(&db, "ada").await, register(&db, "bob").await);
    let acme = create(&db, "acme", ada.id).await;
    let by = Act::by(ada.id, noon()).from(Origin { address: "203.0.113.7", agent: "curl/8" });
    organization_user::add(&*db, acme.id, bob.id, Role::Member, &by).await.unwrap();
    organization_user::change_role(&*db, acme.id, bob.id, Role::Admin, &by).await.unwrap();
    organization_user::remove(&*db, acme.id, bob.id, &by).await.unwrap();

    let filter = Filter { object: Some(("organization", acme.id.0)), actor: Some(ada.id) };
    let told = read(&*db, filter, None, 10).await.unwrap();
    let short: Vec<_> =
        told.iter().map(|row| (row.action.as_str(), row.before.clone(), row.after.clone())).collect();
    let of_bob = |role: &str| Some(json!({ "user": bob.id.0, "role": role }));
    let expected = [
        ("remove-member", of_bob("admin"), None),
        ("change-role", of_bob("member"), of_bob("admin")),
        ("add-member", None, of_bob("member")),
    ];
    assert_eq!(short, expected);
    let origins = entity_identitydb::origin::Entity::find().all(&*db).await.unwrap();
    let origins: Vec<_> = origins.iter().map(|row| (row.id, &*row.address, &*row.agent)).collect();
    assert_eq!(origins, [(told[0].origin_id.unwrap(), "203.0.113.7", "curl/8")]);
    assert!(told.iter().all(|row| row.origin_id == told[0].origin_id && row.occurred_at == noon()));
}

#[tokio::test]
async fn who_registers_is_named_and_who_is_registered_by_an_operator_is_not() {
    let db = TestDb::served().await;
    let eve = Registration { name: "eve", display_name: "", email: "eve@example.org" };
    let by = Act::newcomer(noon()).from(Origin { address: "203.0.113.7", agent: "Firefox/150" });
    let eve = user::register(&*db, &eve, &by).await.unwrap();
    register(&db, "bob").await;
    let told = read(&*db, Filter::default(), None, 10).await.unwrap();
    let told: Vec<_> = told.iter().map(|row| (row.actor_user_id, row.origin_id.is_some())).collect();
    assert_eq!(told, [(None, false), (Some(eve.id), true)]);
}

#[tokio::test]
async fn pages_of_the_trail_follow_each_other_without_gap_or_repetition() {
    let db = TestDb::served().await;
    for name in ["ada", "bob", "eve", "joe", "zoe"] {
        register(&db, name).await;
    }
    let whole = read(&*db, Filter::default(), None, 100).await.unwrap();
    let (mut paged, mut before) = (Vec::<audit_event::Model>::new(), None);
    loop {
        let page = read(&*db, Filter::default(), before, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        paged.extend(page);
    }
    assert_eq!((paged.len(), &paged), (5, &whole));
}

#[tokio::test]
async fn nobody_changes_or_deletes_what_was_written_neither_the_writer_nor_the_owner_of_the_table() {
    let db = TestDb::served().await;
    register(&db, "ada").await;
    add_month(&*db, noon().date_naive()).await.unwrap();
    let before = audit_event::Entity::find().all(&*db).await.unwrap();
    let statements = [
        "update audit_events set action = 'nothing'",
        "delete from audit_events",
        "truncate audit_events",
        "update audit_events_default set action = 'nothing'",
        "delete from audit_events_default",
        "truncate audit_events_default",
        "truncate audit_events_2026_12",
        "set local session_replication_role = replica; delete from audit_events",
    ];
    add_month(&*db, "2026-12-01".parse().unwrap()).await.unwrap();
    for (role, says) in [
        ("identitydb_writer", ["permission denied", "only grows"]),
        ("identitydb_owner", ["permission denied", "only grows"]),
        ("none", ["only grows", "only grows"]), // a superuser
    ] {
        for sql in statements {
            let txn = db.superuser().begin().await.unwrap();
            txn.execute_unprepared(&format!("set local role {role}")).await.unwrap();
            let refused = txn.execute_unprepared(sql).await.unwrap_err().to_string();
            assert!(says.iter().any(|said| refused.contains(said)), "{role}, {sql}: {refused}");
            txn.rollback().await.unwrap();
        }
    }
    assert_eq!(audit_event::Entity::find().all(&*db).await.unwrap(), before);
}

#[tokio::test]
async fn a_month_is_added_once_and_takes_what_happens_in_it() {
    let db = TestDb::served().await;
    let december = "2026-12-24T18:00:00Z".parse().unwrap();
    assert!(add_month(&*db, "2026-12-01".parse().unwrap()).await.unwrap());
    assert!(!add_month(&*db, "2026-12-31".parse().unwrap()).await.unwrap());
    let ada = register(&db, "ada").await;
    user::rename(&*db, ada.id, "lovelace", &Act { at: december, ..act() }).await.unwrap();
    for (table, actions) in [("audit_events_2026_12", "rename"), ("audit_events_default", "register")] {
        let sql = format!("select string_agg(action, ' ') as actions from {table}");
        let row = sea_orm::Statement::from_string(db.get_database_backend(), sql);
        let row = db.superuser().query_one_raw(row).await.unwrap().unwrap();
        assert_eq!(row.try_get::<String>("", "actions").unwrap(), actions);
    }
    // November has begun in the partition of what nobody prepared, and stays there.
    assert!(!add_month(&*db, noon().date_naive()).await.unwrap());
}
