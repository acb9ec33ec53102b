//! API tokens: what they are refused for, what they write, how fast they are.

use std::time::Duration;

use chrono::TimeDelta;
use entity_identitydb::api_token;
use sea_orm::sqlx::{self, Row as _};
use sea_orm::{ConnectionTrait, EntityTrait, Statement};
use secrecy::{ExposeSecret as _, SecretString};
use service::Error;
use service::identitydb::api_token::{AUTHENTICATE, Minted, Request, authenticate, mint, of_user, revoke};
use service::identitydb::secret::{Kind, is_well_formed};
use service::identitydb::user;
use sha2::{Digest as _, Sha256};

use super::timing::{medians, spread};
use super::{act, noon, register, rng, said, shown};
use crate::harness::TestDb;

fn request<'a>(name: &'a str, scopes: &'a [String]) -> Request<'a> {
    Request { name, scopes, expires_at: None }
}

async fn minted(db: &TestDb, owner: entity_identitydb::UserId) -> Minted {
    let scopes = ["packages:read".to_owned()];
    // Another secret for each: the generator goes on where the tokens are.
    let mut rng = rng();
    for _ in 0..api_token::Entity::find().all(db.connection()).await.expect("the query runs").len() {
        rand::Rng::next_u64(&mut rng);
    }
    mint(db.connection(), owner, &request("ci", &scopes), &mut rng, &act())
        .await
        .expect("the request is valid")
}

#[tokio::test]
async fn a_token_is_shown_once_kept_as_its_hash_and_known_by_its_last_characters() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await;
    let Minted { token, secret } = minted(&db, ada.id).await;
    let text = secret.expose_secret();
    assert!(is_well_formed(Kind::ApiToken, text), "{text}");
    assert_eq!(token.secret_sha256, Sha256::digest(text).to_vec());
    assert!(text.ends_with(&token.hint) && token.hint.len() == 4);
    let bearer = authenticate(&*db, &secret, noon()).await.unwrap();
    assert_eq!((bearer.id, bearer.user_id, bearer.user_name.as_str()), (token.id, ada.id, "ada"));
    assert_eq!(bearer.scopes, ["packages:read"]);
    let listed = of_user(&*db, ada.id).await.unwrap();
    assert_eq!(
        listed,
        [api_token::Model { last_used_at: Some(noon()), updated_at: listed[0].updated_at, ..token }]
    );
}

/// Tokens that are refused, each with why.
async fn refused(db: &TestDb) -> (SecretString, Vec<(&'static str, SecretString)>) {
    let (ada, bob) = (register(db, "ada").await, register(db, "bob").await);
    let good = minted(db, ada.id).await.secret;
    let revoked = minted(db, ada.id).await;
    revoke(db.connection(), revoked.token.id, &act()).await.expect("it is live");
    let of_deleted = minted(db, bob.id).await.secret;
    user::delete(db.connection(), bob.id, &act()).await.expect("bob is live");
    // As if the deletion had come by a statement that forgets the tokens.
    db.execute_unprepared("update api_tokens set deleted_at = null where user_id = 2")
        .await
        .expect("it runs");
    let expires_at = Some(noon() + TimeDelta::seconds(1));
    let soon = Request { expires_at, ..request("soon", &[]) };
    let mut other = <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(7);
    let expired = mint(db.connection(), ada.id, &soon, &mut other, &act()).await.expect("it is valid").secret;
    let text = good.expose_secret();
    let refused = vec![
        ("wrong", shown(&text.replace("archer_pat_", "archer_pax_"))),
        ("of another checksum", shown(&format!("{}x", &text[..text.len() - 1]))),
        ("truncated", shown(&text[..text.len() - 1])),
        ("longer", shown(&format!("{text}x"))),
        ("empty", shown("")),
        ("expired", expired),
        ("revoked", revoked.secret),
        ("of a deleted user", of_deleted),
    ];
    (good, refused)
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_it_is_refused_with_one_error() {
    let db = TestDb::served().await;
    let (good, refused) = refused(&db).await;
    let at = noon() + TimeDelta::seconds(1);
    authenticate(&*db, &good, at).await.unwrap();
    for (why, shown) in refused {
        let result = authenticate(&*db, &shown, at).await;
        assert!(matches!(result, Err(Error::Refused)), "{why}: {result:?}");
        assert_eq!(said(result), "the credentials are refused");
    }
}

/// A quarter more would take hours of guesses to tell over a network, and no work that differs is as little: it is one
/// statement, and one index that is asked.
#[tokio::test]
async fn whatever_is_wrong_with_a_token_it_is_refused_in_the_same_time() {
    let db = TestDb::served().await;
    let (_, refused) = refused(&db).await;
    let at = noon() + TimeDelta::seconds(1);
    let show = async |which: usize| {
        let result = authenticate(&*db, &refused[which].1, at).await;
        assert!(matches!(result, Err(Error::Refused)));
    };
    let medians = medians(refused.len(), 400, show, |medians| spread(medians) < 1.25).await;
    println!("{:?}", refused.iter().map(|(why, _)| why).zip(&medians).collect::<Vec<_>>());
    assert!(spread(&medians) < 1.25, "{medians:?}");
}

#[tokio::test]
async fn a_token_is_written_at_most_once_a_minute_however_many_show_it_at_once() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await;
    let shown = minted(&db, ada.id).await.secret;
    db.superuser().execute_unprepared(
        "create table written (at timestamptz);
         create function note() returns trigger language plpgsql security definer set search_path from current as
             $$ begin insert into written values (new.last_used_at); return null; end $$;
         create trigger api_tokens_note after update on api_tokens for each row execute function note();",
    )
    .await
    .unwrap();
    for seconds in [0, 1, 59, 60, 61, 119, 120] {
        let at = noon() + TimeDelta::seconds(seconds);
        let show = || authenticate(db.connection(), &shown, at);
        let (a, b, c, d) = tokio::join!(show(), show(), show(), show());
        for bearer in [a, b, c, d] {
            assert_eq!(bearer.unwrap().user_id, ada.id);
        }
    }
    let sql = "select string_agg(extract(epoch from at - '2026-11-02T12:00:00Z')::int::text, ' ' order by at) as at from written";
    let row = Statement::from_string(db.get_database_backend(), sql);
    let row = db.superuser().query_one_raw(row).await.unwrap();
    assert_eq!(row.unwrap().try_get::<String>("", "at").unwrap(), "0 60 120");
}

/// The same statement by hand, on the same pool.
#[tokio::test]
async fn authenticating_a_token_takes_at_most_1_15_times_what_the_same_query_by_hand_takes() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await;
    let shown = minted(&db, ada.id).await.secret;
    let pool = db.get_postgres_connection_pool().clone();
    let at = noon();
    let by_hand = async || {
        let digest = Sha256::digest(shown.expose_secret()).to_vec();
        let row =
            sqlx::query(AUTHENTICATE).bind(digest).bind(at).fetch_optional(&pool).await.unwrap().unwrap();
        let scopes: Vec<String> = row.get("scopes");
        (row.get::<i64, _>("id"), row.get::<i64, _>("user_id"), row.get::<String, _>("user_name"), scopes)
    };
    let through_the_service = async || {
        let bearer = authenticate(&*db, &shown, at).await.unwrap();
        (bearer.id.0, bearer.user_id.0, bearer.user_name, bearer.scopes)
    };
    assert_eq!(through_the_service().await, by_hand().await);
    let run = async |which: usize| {
        let (.., scopes) = if which == 0 { by_hand().await } else { through_the_service().await };
        assert_eq!(scopes, ["packages:read"]);
    };
    let ratio = |medians: &[Duration]| medians[1].as_secs_f64() / medians[0].as_secs_f64();
    let medians = medians(2, 500, run, |medians| ratio(medians) <= 1.15).await;
    let told = format!("p50 by hand and through the service: {medians:?}, {:.3} times", ratio(&medians));
    println!("{told}");
    assert!(ratio(&medians) <= 1.15, "{told}");
}
