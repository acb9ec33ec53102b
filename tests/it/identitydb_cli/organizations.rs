//! `archer org` and `archer team`.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use service::identitydb::{Act, invitation, secret, user};

use super::{create_user, identitydb, json, ran, refused, told};
use crate::harness::{Ran, TestDb};

/// Acme, which ada owns, and bob, who has nothing to do with it.
async fn acme() -> TestDb {
    let db = identitydb().await;
    create_user(&db, "ada").await;
    create_user(&db, "bob").await;
    told(&db, &["org", "create", "acme", "--owner", "ada"]).await;
    db
}

#[tokio::test]
async fn an_organization_is_created_shown_listed_and_renamed() {
    let db = identitydb().await;
    create_user(&db, "ada").await;
    let args = ["org", "create", "acme", "--owner", "ada", "--display-name", "Acme Corporation"];
    let acme = json!({
        "id": 1, "name": "acme", "display_name": "Acme Corporation", "created_at": "time", "deleted_at": null,
    });
    assert_eq!(json(&db, &args).await, acme);
    assert_eq!(json(&db, &["org", "list", "--name", "CM"]).await, json!([acme]));
    let mut shown = acme.clone();
    shown["members"] = json!([{ "name": "ada", "role": "owner" }]);
    shown["has_more_members"] = false.into();
    shown["teams"] = json!([]);
    shown["invitations"] = json!([]);
    assert_eq!(json(&db, &["org", "show", "ACME"]).await, shown);
    assert_eq!(json(&db, &["org", "rename", "acme", "globex"]).await["name"], "globex");
    let text = told(&db, &["org", "show", "globex"]).await;
    assert!(text.starts_with("globex, Acme Corporation: organization 1 since "), "{text}");
    let none = ran(&db, &["org", "list", "--deleted"]).await;
    assert_eq!((none.code, none.stdout.trim()), (3, "there is no such organization"));
    let unknown = r#"there is no user "zed"; `archer user list --name PART` looks for one"#;
    assert_eq!(refused(&db, &["org", "create", "other", "--owner", "zed"]).await, unknown);
}

#[tokio::test]
async fn members_are_added_given_a_role_and_removed() {
    let db = acme().await;
    let member = |role: Option<&str>| json!({ "organization": "acme", "user": "bob", "role": role });
    assert_eq!(json(&db, &["org", "add", "acme", "bob"]).await, member(Some("member")));
    let again = "bob is a member of acme already; `archer org role acme bob admin` changes as what";
    assert_eq!(refused(&db, &["org", "add", "acme", "bob", "--role", "admin"]).await, again);
    assert_eq!(json(&db, &["org", "role", "acme", "bob", "owner"]).await, member(Some("owner")));
    let of_bob = json(&db, &["user", "show", "bob"]).await;
    assert_eq!(of_bob["organizations"], json!([{ "name": "acme", "role": "owner" }]));
    let short = ran(&db, &["org", "show", "acme", "--members", "1"]).await;
    assert_eq!((short.code, short.stderr.as_str()), (0, "there are more members: --members 10\n"));
    assert_eq!(json(&db, &["org", "remove", "acme", "bob"]).await, member(None));
    let none = "bob is no member of acme; `archer org show acme` lists them";
    assert_eq!(refused(&db, &["org", "remove", "acme", "bob"]).await, none);
    assert_eq!(refused(&db, &["org", "role", "acme", "bob", "admin"]).await, none);
}

#[tokio::test]
async fn the_last_owner_stays_one_and_the_error_says_what_to_type() {
    let db = acme().await;
    let last = r#"ada is the last owner of "acme"; make another member an owner first: `archer org role acme MEMBER owner`"#;
    assert_eq!(refused(&db, &["org", "remove", "acme", "ada"]).await, last);
    assert_eq!(refused(&db, &["org", "role", "acme", "ada", "member"]).await, last);
    told(&db, &["org", "add", "acme", "bob", "--role", "owner"]).await;
    told(&db, &["org", "remove", "acme", "ada"]).await;
}

#[tokio::test]
async fn an_organization_is_deleted_with_what_hangs_on_it_and_comes_back() {
    let db = acme().await;
    told(&db, &["org", "add", "acme", "bob"]).await;
    told(&db, &["team", "create", "acme/core"]).await;
    told(&db, &["team", "add", "acme/core", "bob"]).await;
    let counts = json!({ "invitations": 0, "team_memberships": 1, "teams": 1, "memberships": 2 });
    let gone = json(&db, &["org", "delete", "acme"]).await;
    assert_eq!(gone, json!({ "organization": "acme", "deleted": counts }));
    let hidden = refused(&db, &["team", "show", "acme/core"]).await;
    assert!(hidden.ends_with("`archer org restore acme` brings it back"), "{hidden}");
    assert_eq!(json(&db, &["org", "show", "acme", "--deleted"]).await["members"], json!([]));
    let back = json(&db, &["org", "restore", "acme"]).await;
    assert_eq!(back, json!({ "organization": "acme", "restored": counts }));
    assert_eq!(json(&db, &["team", "show", "acme/core"]).await["members"], json!(["bob"]));
    assert_eq!(refused(&db, &["org", "restore", "acme"]).await, r#"organization "acme" is not deleted"#);
}

#[tokio::test]
async fn an_organization_whose_owners_are_gone_does_not_come_back_without_one() {
    let db = acme().await;
    told(&db, &["org", "delete", "acme"]).await;
    told(&db, &["user", "delete", "ada"]).await;
    let gone = r#"nobody who owns "acme" is there any more; bring one of them back first: `archer user restore OWNER`"#;
    assert_eq!(refused(&db, &["org", "restore", "acme"]).await, gone);
    told(&db, &["user", "restore", "ada"]).await;
    told(&db, &["org", "restore", "acme"]).await;
}

#[tokio::test]
async fn an_invitation_is_shown_once_accepted_by_who_has_it_and_withdrawn() {
    let db = acme().await;
    let invite = ["org", "invite", "acme", "bob@example.org", "--by", "ada", "--role", "admin"];
    let Ran { code, stdout, stderr } = ran(&db, &invite).await;
    let shown = SecretString::from(stdout.strip_suffix('\n').unwrap());
    assert!(code == 0 && secret::is_well_formed(secret::Kind::Invitation, shown.expose_secret()), "{stdout}");
    assert!(stderr.starts_with("invited bob@example.org to acme, until "), "{stderr}");
    assert!(!stderr.contains(shown.expose_secret()), "{stderr}");
    let open = json!([{ "id": 1, "email": "bob@example.org", "role": "admin", "expires_at": "time" }]);
    assert_eq!(json(&db, &["org", "show", "acme"]).await["invitations"], open);

    let bob = user::by_name(&*db, "bob").await.unwrap().unwrap();
    invitation::accept(&*db, &shown, bob.id, &Act::by(bob.id, cli::now())).await.unwrap();
    let members = json!([{ "name": "ada", "role": "owner" }, { "name": "bob", "role": "admin" }]);
    assert_eq!(json(&db, &["org", "show", "acme"]).await["members"], members);

    ran(&db, &["org", "invite", "acme", "carol@example.org", "--by", "ada"]).await;
    let withdrawn = json(&db, &["org", "uninvite", "acme", "CAROL@example.org"]).await;
    assert_eq!(withdrawn, json!({ "organization": "acme", "withdrawn": "carol@example.org" }));
    let none = r#"acme has no open invitation of "carol@example.org"; `archer org show acme` lists them"#;
    assert_eq!(refused(&db, &["org", "uninvite", "acme", "carol@example.org"]).await, none);
}

#[tokio::test]
async fn a_team_is_created_filled_shown_listed_and_deleted() {
    let db = acme().await;
    let made = json(&db, &["team", "create", "acme/core", "--display-name", "Those who ship"]).await;
    let core = json!({
        "id": 1, "organization": "acme", "name": "core", "display_name": "Those who ship", "created_at": "time",
    });
    assert_eq!(made, core);
    assert_eq!(json(&db, &["team", "list", "acme"]).await, json!([core]));
    let stranger = "bob is no member of acme; `archer org add acme bob` first";
    assert_eq!(refused(&db, &["team", "add", "acme/core", "bob"]).await, stranger);
    let told_of = json!({ "team": "acme/core", "user": "ada" });
    assert_eq!(json(&db, &["team", "add", "acme/core", "ada"]).await, told_of);
    assert_eq!(refused(&db, &["team", "add", "acme/core", "ada"]).await, "ada is in acme/core already");
    let mut shown = core.clone();
    shown["members"] = json!(["ada"]);
    shown["has_more_members"] = false.into();
    assert_eq!(json(&db, &["team", "show", "acme/CORE"]).await["members"], shown["members"]);
    assert_eq!(json(&db, &["team", "show", "acme/core"]).await, shown);
    assert_eq!(json(&db, &["user", "show", "ada"]).await["teams"], json!(["acme/core"]));
    assert_eq!(json(&db, &["team", "remove", "acme/core", "ada"]).await, told_of);
    let absent = "ada is not in acme/core; `archer team show acme/core` lists who is";
    assert_eq!(refused(&db, &["team", "remove", "acme/core", "ada"]).await, absent);
    let again = "team acme/core is there already; `archer team show acme/core` shows it";
    assert_eq!(refused(&db, &["team", "create", "acme/core"]).await, again);
    let gone = json(&db, &["team", "delete", "acme/core"]).await;
    assert_eq!(gone, json!({ "team": "acme/core", "deleted": { "team_memberships": 0 } }));
    let unknown = "there is no team acme/core here; `archer team list acme` lists those of acme";
    assert_eq!(refused(&db, &["team", "show", "acme/core"]).await, unknown);
}
