//! `archer user` and `archer erasure`.

use serde_json::json;
use service::identitydb::external_account::{self, Account};
use service::identitydb::keyring::Keyring;
use service::identitydb::{Act, user};

use super::{create_user, identitydb, json, parsed, ran, ran_with, refused, said, sign_in, told};
use crate::harness::{Database, Ran, TestDb};

#[tokio::test]
async fn a_user_is_created_shown_listed_and_renamed() {
    let db = identitydb().await;
    let made =
        json(&db, &["user", "create", "Ada", "--email", "ada@example.org", "--display-name", "Ada Lovelace"])
            .await;
    let ada = json!({ "id": 1, "name": "Ada", "display_name": "Ada Lovelace", "created_at": "time", "deleted_at": null });
    assert_eq!(made, ada);
    assert_eq!(json(&db, &["user", "list"]).await, json!([ada]));
    let shown = json(&db, &["user", "show", "ADA"]).await;
    let address =
        json!({ "email": "ada@example.org", "is_primary": true, "verified_at": null, "bounced_at": null });
    let mut expected = ada.clone();
    expected["is_erased"] = false.into();
    expected["password_changed_at"] = json!(null);
    expected["emails"] = json!([address]);
    for none in ["organizations", "teams", "sessions", "tokens", "external_accounts"] {
        expected[none] = json!([]);
    }
    assert_eq!(shown, expected);
    let renamed = json(&db, &["user", "rename", "ada", "lovelace"]).await;
    assert_eq!(renamed["name"], "lovelace");
    let text = told(&db, &["user", "show", "lovelace"]).await;
    assert!(text.starts_with("lovelace, Ada Lovelace: user 1 since "), "{text}");
    assert!(text.contains("no password, 0 sessions, 0 tokens") && text.contains("not verified"), "{text}");
}

#[tokio::test]
async fn a_password_comes_from_standard_input_and_is_said_nowhere() {
    let db = identitydb().await;
    let args =
        ["user", "create", "ada", "--email", "ada@example.org", "--verified", "--password-stdin", "-vv"];
    let ran = ran_with(&db, &args, "correct horse battery\r\nsecond line\n").await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("horse"), "{ran:?}");
    sign_in(&db, "ada@example.org", "correct horse battery").await.unwrap();
    let changed = ran_with(&db, &["user", "password", "ada", "--json"], "another horse").await;
    assert_eq!((changed.code, parsed(&changed.stdout)["user"]["name"].as_str()), (0, Some("ada")));
    assert!(sign_in(&db, "ada", "correct horse battery").await.is_err());
    sign_in(&db, "ada", "another horse").await.unwrap();
}

#[tokio::test]
async fn a_password_that_is_made_up_is_alone_on_standard_output() {
    let db = identitydb().await;
    let args = ["user", "create", "ada", "--email", "ada@example.org", "--generate-password"];
    let Ran { code, stdout, stderr } = ran(&db, &args).await;
    assert_eq!((code, stderr.as_str()), (0, "created user ada; the password above is not shown again\n"));
    let first = stdout.strip_suffix('\n').unwrap();
    assert!(first.len() == 20 && first.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{stdout}");
    sign_in(&db, "ada", first).await.unwrap();
    let again = ran(&db, &["user", "password", "ada", "--generate", "--json"]).await;
    let told = parsed(&again.stdout);
    assert_eq!((again.code, again.stderr.as_str(), told["user"]["name"].as_str()), (0, "", Some("ada")));
    assert!(sign_in(&db, "ada", first).await.is_err());
    sign_in(&db, "ada", told["password"].as_str().unwrap()).await.unwrap();
    assert!(
        json(&db, &["user", "show", "ada"]).await["sessions"].as_array().is_some_and(|all| all.len() == 1)
    );
}

#[tokio::test]
async fn a_user_who_is_not_created_whole_is_not_created() {
    let db = identitydb().await;
    told(&db, &["user", "create", "bob", "--email", "shared@example.org", "--verified"]).await;
    let args = ["user", "create", "ada", "--email", "ada@example.org", "--password-stdin"];
    let short = said(ran_with(&db, &args, "short\n").await, &args);
    assert_eq!(short, "password: expected at least 8 characters, and at most 1,024 bytes");
    let none = said(ran(&db, &args).await, &args);
    assert_eq!(none, "standard input has no password; it is read from there, as in `… < file`");
    let taken = refused(&db, &["user", "create", "ada", "--email", "Shared@example.org", "--verified"]).await;
    let who = "another user has verified \"Shared@example.org\"; \
        `archer user list --email Shared@example.org` finds out who";
    assert_eq!(taken, who);
    assert_eq!(
        refused(&db, &["user", "show", "ada"]).await,
        r#"there is no user "ada"; `archer user list --name PART` looks for one"#
    );
}

#[tokio::test]
async fn a_name_that_can_not_be_had_says_who_has_it_and_until_when() {
    let db = identitydb().await;
    create_user(&db, "bob").await;
    create_user(&db, "former").await;
    told(&db, &["org", "create", "acme", "--owner", "bob"]).await;
    told(&db, &["user", "rename", "former", "later"]).await;
    let refusal =
        async |name: &str| refused(&db, &["user", "create", name, "--email", "new@example.org"]).await;
    assert_eq!(refusal("BOB").await, r#"user "bob" is there already; take another name"#);
    let alike = r#"user "bob" is there already, which looks like "b-0b"; take another name"#;
    assert_eq!(refusal("b-0b").await, alike);
    assert_eq!(refusal("acme").await, r#"organization "acme" is there already; take another name"#);
    assert_eq!(refusal("admin").await, r#"the name "admin" is reserved; take another one"#);
    let quarantined = refusal("former").await;
    let until = cli::now() + chrono::TimeDelta::days(90);
    let start =
        format!(r#"the name "former" was given up and is in quarantine until {}"#, until.format("%F"));
    assert!(quarantined.starts_with(&start), "{quarantined}");
    assert!(quarantined.ends_with("whoever had it can have it back before"), "{quarantined}");
    told(&db, &["user", "delete", "later"]).await;
    let deleted = r#"user "later" is deleted and keeps its name; `archer user restore later` brings it back"#;
    assert_eq!(refused(&db, &["org", "rename", "acme", "later"]).await, deleted);
    assert_eq!(
        refusal("a_b").await,
        "name: expected 2 to 39 letters (a to z) and digits, with single hyphens inside"
    );
}

#[tokio::test]
async fn pages_of_a_list_are_the_whole_of_it_and_say_how_to_go_on() {
    let db = identitydb().await;
    let names = ["ada", "bob", "carol", "dave", "eve"];
    for name in names {
        create_user(&db, name).await;
    }
    let (mut paged, mut after) = (Vec::new(), String::new());
    loop {
        let mut args = vec!["user", "list", "--limit", "2"];
        if !after.is_empty() {
            args.extend(["--after", &after]);
        }
        let page = json(&db, &args).await;
        let page: Vec<String> =
            page.as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect();
        let Some(last) = page.last() else { break };
        after = last.clone();
        paged.extend(page);
    }
    assert_eq!(paged, names);
    let first = ran(&db, &["user", "list", "--limit", "2"]).await;
    assert_eq!((first.code, first.stderr.as_str()), (0, "more: --after bob\n"));
    assert_eq!(first.stdout.lines().count(), 3, "{}", first.stdout);
}

#[tokio::test]
async fn a_list_is_filtered_by_name_address_and_deletion() {
    let db = identitydb().await;
    create_user(&db, "ada").await;
    create_user(&db, "adam").await;
    create_user(&db, "bob").await;
    told(&db, &["user", "email", "add", "bob", "ADA@example.org"]).await;
    told(&db, &["user", "delete", "adam"]).await;
    let names = async |filter: &[&str]| {
        let listed = json(&db, &[&["user", "list"], filter].concat()).await;
        let listed = listed.as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned());
        listed.collect::<Vec<_>>()
    };
    assert_eq!(names(&["--name", "DA"]).await, ["ada"]);
    assert_eq!(names(&["--email", "ada@Example.org"]).await, ["ada", "bob"]);
    assert_eq!(names(&["--deleted"]).await, ["adam"]);
    assert_eq!(names(&["--deleted", "--email", "adam@example.org"]).await, ["adam"]);
    let nobody = ran(&db, &["user", "list", "--name", "zed"]).await;
    assert_eq!((nobody.code, nobody.stdout.trim()), (3, "there is no such user"));
}

#[tokio::test]
async fn a_deleted_user_is_shown_to_who_asks_for_one_and_comes_back() {
    let db = identitydb().await;
    create_user(&db, "ada").await;
    create_user(&db, "bob").await;
    told(&db, &["org", "create", "acme", "--owner", "ada"]).await;
    told(&db, &["org", "add", "acme", "bob"]).await;
    let counts = |emails: u64, memberships: u64| {
        json!({
            "one_time_codes": 0, "api_tokens": 0, "sessions": 0, "passwords": 0, "external_accounts": 0,
            "emails": emails, "team_memberships": 0, "memberships": memberships,
        })
    };
    let gone = json(&db, &["user", "delete", "bob"]).await;
    assert_eq!(gone, json!({ "user": "bob", "deleted": counts(1, 1) }));
    let hidden = refused(&db, &["user", "show", "bob"]).await;
    assert!(hidden.starts_with(r#"user "bob" was deleted on "#), "{hidden}");
    assert!(hidden.ends_with("`archer user restore bob` brings it back"), "{hidden}");
    assert_eq!(json(&db, &["user", "show", "bob", "--deleted"]).await["deleted_at"], "time");
    let back = json(&db, &["user", "restore", "bob"]).await;
    assert_eq!(back, json!({ "user": "bob", "restored": counts(1, 1) }));
    assert_eq!(refused(&db, &["user", "restore", "bob"]).await, r#"user "bob" is not deleted"#);
    let last = r#"ada is the last owner of "acme"; make another member an owner first: `archer org role ORGANIZATION MEMBER owner`"#;
    assert_eq!(refused(&db, &["user", "delete", "ada"]).await, last);
    assert_eq!(refused(&db, &["user", "erase", "ada", "--yes"]).await, last);
}

#[tokio::test]
async fn an_erasure_asks_first_says_what_it_did_and_is_for_good() {
    let db = identitydb().await;
    create_user(&db, "bob").await;
    ran_with(&db, &["user", "password", "bob"], "correct horse").await;
    sign_in(&db, "bob", "correct horse").await.unwrap();
    let asked = refused(&db, &["user", "erase", "bob"]).await;
    assert_eq!(asked, r#"this erases user "bob" for good, and there is no terminal to ask on: say --yes"#);
    assert_eq!(json(&db, &["user", "show", "bob"]).await["is_erased"], false);

    let rows = json!({
        "invitations": 0, "passwords": 1, "sessions": 1, "api_tokens": 0, "one_time_codes": 0,
        "external_accounts": 0, "emails": 1, "team_memberships": 0, "memberships": 0, "origins": 0, "names": 1,
    });
    let done = json(&db, &["user", "erase", "bob", "--yes"]).await;
    assert_eq!(done, json!({ "user_id": 1, "rows": rows, "request": 1 }));
    assert!(
        refused(&db, &["user", "show", "bob", "--deleted"]).await.starts_with(r#"there is no user "bob""#)
    );
    let listed = json(&db, &["user", "list", "--deleted"]).await;
    let pseudonym = listed[0]["name"].as_str().unwrap();
    assert!(pseudonym.starts_with("erased-"), "{listed}");
    assert_eq!(json(&db, &["user", "show", pseudonym, "--deleted"]).await["is_erased"], true);
    let restored = refused(&db, &["user", "restore", pseudonym]).await;
    assert_eq!(restored, format!("user {pseudonym:?} was erased, for good"));
    let again = refused(&db, &["user", "erase", pseudonym, "--yes"]).await;
    assert_eq!(again, format!("user {pseudonym:?} is erased already"));

    let pending = json(&db, &["erasure", "list"]).await;
    assert_eq!((&pending[0]["id"], &pending[0]["user_id"]), (&json!(1), &json!(1)));
    let digest = service::identitydb::erasure::digest("Bob@example.org");
    assert!(pending[0]["actor_digests"].as_array().unwrap().contains(&json!(digest)), "{pending}");
    assert_eq!(json(&db, &["erasure", "complete", "1"]).await["completed_at"], "time");
    assert_eq!(json(&db, &["erasure", "list"]).await, json!([]));
    let unknown = refused(&db, &["erasure", "complete", "7"]).await;
    assert_eq!(unknown, "there is no request 7; `archer erasure list` lists them");
}

#[tokio::test]
async fn an_export_is_everything_but_secrets() {
    let db = identitydb().await;
    create_user(&db, "ada").await;
    ran_with(&db, &["user", "password", "ada"], "correct horse").await;
    let text = told(&db, &["user", "export", "ada"]).await;
    assert_eq!(parsed(&text)["emails"][0]["email"], "ada@example.org");
    assert!(!text.contains("$argon2id$"), "{text}");
    told(&db, &["user", "delete", "ada"]).await;
    assert_eq!(json(&db, &["user", "export", "ada"]).await["user"]["name"], "ada");
}

#[tokio::test]
async fn signing_out_ends_every_session_and_says_how_many() {
    let db = identitydb().await;
    create_user(&db, "ada").await;
    ran_with(&db, &["user", "password", "ada"], "correct horse").await;
    for _ in 0..2 {
        sign_in(&db, "ada", "correct horse").await.unwrap();
    }
    assert_eq!(json(&db, &["user", "sign-out", "ada"]).await, json!({ "user": "ada", "sessions": 2 }));
    assert_eq!(told(&db, &["user", "sign-out", "ada"]).await, "ended 0 sessions of ada\n");
    for _ in 0..2 {
        sign_in(&db, "ada", "correct horse").await.unwrap();
    }
    assert_eq!(told(&db, &["user", "sign-out", "ada", "--session", "3"]).await, "ended 1 session of ada\n");
    let ended = "ada has no session 3; `archer user show ada` lists them";
    assert_eq!(refused(&db, &["user", "sign-out", "ada", "--session", "3"]).await, ended);
    assert_eq!(json(&db, &["user", "show", "ada"]).await["sessions"][0]["id"], 4);
    told(&db, &["user", "sign-out", "ada"]).await;
    assert_eq!(json(&db, &["user", "show", "ada"]).await["sessions"], json!([]));
}

#[tokio::test]
async fn an_account_elsewhere_is_shown_and_unlinked() {
    let db = identitydb().await;
    create_user(&db, "ada").await;
    create_user(&db, "bob").await;
    let ada = user::by_name(&*db, "ada").await.unwrap().unwrap();
    let keys = Keyring::parse(&format!("k1:{}", "1f".repeat(32)).into()).unwrap();
    let account = Account { provider: "github", host: "github.com", subject: "583231" };
    let act = Act::system(cli::now());
    external_account::link(&*db, &keys, ada.id, &account, None, &mut rand::rng(), &act).await.unwrap();
    let linked = json!({ "provider": "github", "host": "github.com", "subject": "583231" });
    assert_eq!(json(&db, &["user", "show", "ada"]).await["external_accounts"], json!([linked]));
    let of_another = refused(&db, &["user", "unlink", "bob", "github", "github.com", "583231"]).await;
    let none = r#"bob has no github account "583231" on github.com; `archer user show bob` lists them"#;
    assert_eq!(of_another, none);
    let unlinked = json(&db, &["user", "unlink", "ada", "github", "github.com", "583231"]).await;
    assert_eq!(unlinked, json!({ "user": "ada", "unlinked": linked }));
    assert_eq!(external_account::find(&*db, &account).await.unwrap(), None);
}

#[tokio::test]
async fn addresses_are_added_verified_preferred_and_removed() {
    let db = identitydb().await;
    create_user(&db, "ada").await;
    create_user(&db, "bob").await;
    let email = async |args: &[&str]| json(&db, &[&["user", "email"], args].concat()).await;
    let refusal = async |args: &[&str]| refused(&db, &[&["user", "email"], args].concat()).await;
    let second = "second@example.org";
    let added = email(&["add", "ada", second, "--verified"]).await;
    let address = |is_primary: bool| json!({ "email": second, "is_primary": is_primary, "verified_at": "time", "bounced_at": null });
    assert_eq!(added, address(false));
    assert_eq!(
        refusal(&["add", "ada", "SECOND@example.org"]).await,
        r#"ada has the address "SECOND@example.org" already"#
    );
    let last = "ada@example.org is the primary address; make another one the primary address first: \
        `archer user email primary ada ADDRESS`";
    assert_eq!(refusal(&["remove", "ada", "ada@example.org"]).await, last);
    assert_eq!(email(&["primary", "ada", second]).await, address(true));
    let removed = email(&["remove", "ada", "ADA@example.org"]).await;
    assert_eq!(removed, json!({ "user": "ada", "removed": "ada@example.org" }));
    let at_once = refusal(&["add", "bob", second, "--verified"]).await;
    assert!(at_once.starts_with(r#"another user has verified "second@example.org""#), "{at_once}");
    assert_eq!(json(&db, &["user", "show", "bob"]).await["emails"].as_array().map(Vec::len), Some(1));
    told(&db, &["user", "email", "add", "bob", second]).await;
    let taken = refusal(&["verify", "bob", second]).await;
    assert!(taken.starts_with(r#"another user has verified "second@example.org""#), "{taken}");
    let bounced = email(&["bounce", "ada", second]).await;
    assert_eq!((&bounced["bounced_at"], &bounced["verified_at"]), (&json!("time"), &json!(null)));
    assert_eq!(email(&["verify", "bob", second]).await["verified_at"], "time");
    let unknown = r#"ada has no address "third@example.org"; there are: second@example.org"#;
    assert_eq!(refusal(&["verify", "ada", "third@example.org"]).await, unknown);
}

#[tokio::test]
async fn a_user_is_not_looked_for_among_addresses_or_organizations() {
    let db = identitydb().await;
    create_user(&db, "ada").await;
    told(&db, &["org", "create", "acme", "--owner", "ada"]).await;
    let other = r#"there is no user "acme", but an organization; `archer org show acme` shows it"#;
    assert_eq!(refused(&db, &["user", "show", "acme"]).await, other);
    let address = "users go by name; `archer user list --email ADDRESS` finds out whose an address is";
    assert_eq!(refused(&db, &["user", "show", "ada@example.org"]).await, address);
}

#[tokio::test]
async fn what_is_typed_by_somebody_else_does_not_reach_the_terminal_as_it_is() {
    let db = identitydb().await;
    let args =
        ["user", "create", "ada", "--email", "ada@example.org", "--display-name", "\u{1b}[31mred\u{7}"];
    told(&db, &args).await;
    for args in [["user", "show", "ada"].as_slice(), &["user", "list"]] {
        let text = told(&db, args).await;
        assert!(text.contains(" [31mred") && !text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    }
    assert_eq!(json(&db, &["user", "show", "ada"]).await["display_name"], "\u{1b}[31mred\u{7}");
}

#[tokio::test]
async fn a_database_that_is_behind_is_refused_with_the_command_that_brings_it_up() {
    let db = TestDb::empty(Database::Identitydb).await;
    let behind = "migrations are pending on identitydb; run `archer migrate up --db identitydb`";
    assert_eq!(refused(&db, &["user", "list"]).await, behind);
}
