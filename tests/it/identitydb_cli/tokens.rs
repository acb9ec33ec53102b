//! `archer token`.

use std::process::Stdio;

use secrecy::SecretString;
use serde_json::json;
use service::identitydb::{api_token, secret};
use tokio::process::Command;

use super::{create_user, identitydb, json, parsed, ran, ran_with, refused, told};
use crate::harness::{Ran, TestDb, archer, run};

const CREATE: [&str; 7] = ["token", "create", "ada", "ci", "--scope", "packages:read,events:write", "--days"];

/// A token of ada, as a program pipes it.
async fn created(db: &TestDb) -> String {
    create_user(db, "ada").await;
    let Ran { code, stdout, .. } = ran(db, &[&CREATE[..], &["30"]].concat()).await;
    assert_eq!(code, 0);
    stdout.trim_end().to_owned()
}

#[tokio::test]
async fn the_secret_of_a_token_is_alone_on_standard_output_and_nowhere_else() {
    let db = identitydb().await;
    create_user(&db, "ada").await;
    let Ran { code, stdout, stderr } = ran(&db, &[&CREATE[..], &["30", "-vv"]].concat()).await;
    let shown = stdout.strip_suffix('\n').unwrap();
    assert!(code == 0 && secret::is_well_formed(secret::Kind::ApiToken, shown), "{stdout}");
    assert!(!stderr.contains(&shown["archer_pat_".len()..]), "{stderr}");
    assert!(stderr.contains("token 1 of ada, until ") && stderr.contains("is not shown again"), "{stderr}");

    let bearer = api_token::authenticate(&*db, &SecretString::from(shown), cli::now()).await.unwrap();
    assert_eq!(
        (bearer.user_name.as_str(), bearer.scopes),
        ("ada", vec!["packages:read".into(), "events:write".into()])
    );
    let late = cli::now() + chrono::TimeDelta::days(31);
    assert!(api_token::authenticate(&*db, &SecretString::from(shown), late).await.is_err());
    for args in
        [["token", "list", "ada"], ["token", "show", "1"], ["user", "show", "ada"], ["user", "export", "ada"]]
    {
        let text = told(&db, &args).await;
        assert!(text.contains(&shown[shown.len() - 4..]) && !text.contains(&shown[..20]), "{text}");
    }
}

#[tokio::test]
async fn a_token_for_programs_has_its_secret_once_and_never_a_hash() {
    let db = identitydb().await;
    create_user(&db, "ada").await;
    let Ran { code, stdout, stderr } =
        ran(&db, &["token", "create", "ada", "ci", "--no-expiry", "--json"]).await;
    assert_eq!((code, stderr.as_str()), (0, ""));
    let made = parsed(&stdout);
    let shown = made["secret"].as_str().unwrap();
    let token = json!({
        "id": 1, "user": "ada", "name": "ci", "hint": shown[shown.len() - 4..], "scopes": [], "created_at": "time",
        "expires_at": null, "last_used_at": null, "revoked_at": null,
    });
    assert_eq!(super::timeless(made["token"].clone()), token);
    assert_eq!(json(&db, &["token", "list", "ada"]).await, json!([token]));
    assert_eq!(json(&db, &["token", "show", "1"]).await, token);
    assert_eq!(json(&db, &["user", "show", "ada"]).await["tokens"], json!([token]));
}

#[tokio::test]
async fn a_secret_that_nobody_took_is_an_error_that_says_what_to_do() {
    let db = identitydb().await;
    create_user(&db, "ada").await;
    // `run` takes what a program prints, so a shell gives it a full disk instead.
    let program = archer(&[]).as_std().get_program().to_owned();
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" token create ada ci > /dev/full"]).arg(program);
    shell.env("IDENTITYDB_URL", db.url()).current_dir(std::env::temp_dir()).stdin(Stdio::null());
    let Ran { code, stdout, stderr } = run(shell).await;
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    assert!(stderr.contains("so it is lost; revoke the token: `archer token revoke 1`"), "{stderr}");
    told(&db, &["token", "revoke", "1"]).await;
}

#[tokio::test]
async fn a_revoked_token_is_refused_and_still_shown() {
    let db = identitydb().await;
    let shown = created(&db).await;
    assert_eq!(json(&db, &["token", "revoke", "1"]).await, json!({ "revoked": 1 }));
    assert!(api_token::authenticate(&*db, &SecretString::from(shown), cli::now()).await.is_err());
    assert_eq!(json(&db, &["token", "show", "1"]).await["revoked_at"], "time");
    assert_eq!(json(&db, &["token", "list", "ada"]).await, json!([]));
    assert_eq!(refused(&db, &["token", "revoke", "1"]).await, "token 1 is revoked already");
    let unknown = "there is no token 7; `archer token list USER` lists those of a user";
    assert_eq!(refused(&db, &["token", "revoke", "7"]).await, unknown);
    for name in ["one", "two"] {
        ran(&db, &["token", "create", "ada", name]).await;
    }
    assert_eq!(json(&db, &["token", "revoke", "--all-of", "ada"]).await, json!({ "revoked": 2 }));
    assert_eq!(told(&db, &["token", "list", "ada"]).await, "ada has no token\n");
}

#[tokio::test]
async fn a_token_that_has_leaked_is_identified_without_being_used() {
    let db = identitydb().await;
    let shown = created(&db).await;
    let found = ran_with(&db, &["token", "identify", "--json"], &format!("{shown}\n")).await;
    let found = (found.code, super::timeless(parsed(&found.stdout)));
    assert_eq!((found.0, &found.1["user"], &found.1["last_used_at"]), (0, &json!("ada"), &json!(null)));
    for other in [&shown[..shown.len() - 1], "x", "archer_ses_"] {
        let none = ran_with(&db, &["token", "identify"], other).await;
        assert_eq!((none.code, none.stdout.as_str()), (3, "that is no token of anybody here\n"));
        assert!(!none.stderr.contains(other), "{}", none.stderr);
    }
    told(&db, &["token", "revoke", "1"]).await;
    let text = ran_with(&db, &["token", "identify"], &shown).await;
    assert!(text.code == 0 && text.stdout.contains("revoked"), "{}", text.stdout);
}

#[tokio::test]
async fn a_token_is_refused_with_the_rule_that_it_breaks() {
    let db = identitydb().await;
    create_user(&db, "ada").await;
    let scope = refused(&db, &["token", "create", "ada", "ci", "--scope", "Packages Read"]).await;
    assert!(scope.starts_with("scopes: expected at most 32 of the form packages:read"), "{scope}");
    let name = refused(&db, &["token", "create", "ada", ""]).await;
    assert_eq!(name, "name: expected 1 to 100 characters, and no NUL");
    let user = r#"there is no user "zed"; `archer user list --name PART` looks for one"#;
    assert_eq!(refused(&db, &["token", "create", "zed", "ci"]).await, user);
    assert_eq!(json(&db, &["token", "list", "ada"]).await, json!([]));
}
