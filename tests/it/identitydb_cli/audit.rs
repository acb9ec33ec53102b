//! `archer audit`.

use serde_json::{Value, json};
use service::identitydb::{Act, Origin, organization, user};

use super::{create_user, identitydb, json, ran, refused, told};
use crate::harness::TestDb;

async fn entries(db: &TestDb, filter: &[&str]) -> Vec<String> {
    let listed = json(db, &[&["audit", "list"], filter].concat()).await;
    let told = |entry: &Value| {
        let (actor, object) = (&entry["actor"]["name"], &entry["object"]);
        let name = object["name"].as_str().map_or_else(|| object["id"].to_string(), str::to_owned);
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        format!("{} {} {} {name}", text(actor), text(&entry["action"]), text(&object["kind"]))
    };
    listed.as_array().unwrap().iter().map(told).collect()
}

#[tokio::test]
async fn the_trail_is_read_by_what_was_done_to_and_by_whom() {
    let db = identitydb().await;
    create_user(&db, "ada").await;
    create_user(&db, "bob").await;
    let ada = user::by_name(&*db, "ada").await.unwrap().unwrap();
    let by = Act::by(ada.id, cli::now()).from(Origin { address: "203.0.113.7", agent: "Firefox/150" });
    let acme = organization::create(&*db, "acme", "", ada.id, &by).await.unwrap();
    told(&db, &["org", "add", "acme", "bob"]).await;
    told(&db, &["team", "create", "acme/core"]).await;
    ran(&db, &["token", "create", "bob", "ci"]).await;

    assert_eq!(
        entries(&db, &["--org", "acme"]).await,
        ["- add-member organization acme", "ada create organization acme"]
    );
    assert_eq!(entries(&db, &["--user", "bob"]).await, ["- register user bob"]);
    assert_eq!(entries(&db, &["--team", "acme/core"]).await, ["- create team 1"]);
    assert_eq!(entries(&db, &["--object", "token:1"]).await, ["- mint token 1"]);
    assert_eq!(entries(&db, &["--by", "ada"]).await, ["ada create organization acme"]);
    let entry = json(&db, &["audit", "list", "--by", "ada", "--limit", "1"]).await;
    let expected = json!([{
        "id": 3, "occurred_at": "time", "actor": { "id": ada.id.0, "name": "ada" },
        "origin": { "address": "203.0.113.7", "agent": "Firefox/150" }, "action": "create",
        "object": { "kind": "organization", "id": acme.id.0, "name": "acme" },
        "before": null, "after": { "owner": ada.id.0 },
    }]);
    assert_eq!(entry, expected);
    let text = told(&db, &["audit", "list"]).await;
    assert!(
        text.contains("the system") && text.contains("203.0.113.7") && text.contains("organization acme"),
        "{text}"
    );
}

#[tokio::test]
async fn pages_of_the_trail_are_the_whole_of_it() {
    let db = identitydb().await;
    for name in ["ada", "bob", "carol"] {
        create_user(&db, name).await;
    }
    let first = ran(&db, &["audit", "list", "--limit", "2"]).await;
    assert_eq!((first.code, first.stderr.as_str()), (0, "more: --before 2\n"));
    assert_eq!(entries(&db, &["--limit", "2"]).await, ["- register user carol", "- register user bob"]);
    assert_eq!(entries(&db, &["--limit", "2", "--before", "2"]).await, ["- register user ada"]);
}

#[tokio::test]
async fn a_trail_without_an_entry_of_that_kind_is_a_no() {
    let db = identitydb().await;
    assert_eq!(told(&db, &["audit", "list"]).await, "nothing of that kind was done\n");
    let none = ran(&db, &["audit", "list", "--object", "token:9"]).await;
    assert_eq!((none.code, none.stdout.as_str()), (3, "nothing of that kind was done\n"));
    let unknown = r#"there is no user "zed"; `archer user list --name PART` looks for one"#;
    assert_eq!(refused(&db, &["audit", "list", "--by", "zed"]).await, unknown);
}

#[tokio::test]
async fn the_month_that_comes_is_prepared_once() {
    let db = identitydb().await;
    let next = (cli::now().date_naive() + chrono::Months::new(1)).format("%Y-%m").to_string();
    assert_eq!(json(&db, &["audit", "add-month"]).await, json!({ "month": next, "added": true }));
    assert_eq!(json(&db, &["audit", "add-month"]).await, json!({ "month": next, "added": false }));
}
