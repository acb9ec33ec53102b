//! API tokens: what they are refused for, what they write, how fast they are.

use std::time::{Duration, Instant};

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

use super::{act, noon, register, rng, said, secret};
use crate::harness::{Database, TestDb};

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
    let db = TestDb::migrated(Database::Identitydb).await;
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
        ("wrong", secret(&text.replace("archer_pat_", "archer_pax_"))),
        ("of another checksum", secret(&format!("{}x", &text[..text.len() - 1]))),
        ("truncated", secret(&text[..text.len() - 1])),
        ("longer", secret(&format!("{text}x"))),
        ("empty", secret("")),
        ("expired", expired),
        ("revoked", revoked.secret),
        ("of a deleted user", of_deleted),
    ];
    (good, refused)
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_it_is_refused_with_one_error() {
    let db = TestDb::migrated(Database::Identitydb).await;
    let (good, refused) = refused(&db).await;
    let at = noon() + TimeDelta::seconds(1);
    authenticate(&*db, &good, at).await.unwrap();
    for (why, shown) in refused {
        let result = authenticate(&*db, &shown, at).await;
        assert!(matches!(result, Err(Error::Refused)), "{why}: {result:?}");
        assert_eq!(said(result), "the credentials are refused");
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// In turn, so that whatever else the machine does slows all of them down alike.
#[tokio::test]
async fn whatever_is_wrong_with_a_token_it_is_refused_in_the_same_time() {
    const ROUNDS: usize = 400;
    let db = TestDb::migrated(Database::Identitydb).await;
    let (_, refused) = refused(&db).await;
    let at = noon() + TimeDelta::seconds(1);
    let mut times = vec![Vec::with_capacity(ROUNDS); refused.len()];
    for round in 0..ROUNDS + 20 {
        for ((_, shown), times) in refused.iter().zip(&mut times) {
            let began = Instant::now();
            let result = authenticate(&*db, shown, at).await;
            let took = began.elapsed();
            assert!(result.is_err());
            if round >= 20 {
                times.push(took);
            }
        }
    }
    let medians: Vec<(&str, Duration)> =
        refused.iter().zip(times).map(|((why, _), times)| (*why, median(times))).collect();
    println!("{medians:?}");
    let slowest = medians.iter().map(|(_, median)| median.as_secs_f64()).fold(0.0, f64::max);
    let fastest = medians.iter().map(|(_, median)| median.as_secs_f64()).fold(f64::INFINITY, f64::min);
    assert!(slowest / fastest < 1.25, "{medians:?}");
}

#[tokio::test]
async fn a_token_is_written_at_most_once_a_minute_however_many_show_it_at_once() {
    let db = TestDb::migrated(Database::Identitydb).await;
    let ada = register(&db, "ada").await;
    let shown = minted(&db, ada.id).await.secret;
    db.execute_unprepared(
        "create table written (at timestamptz);
         create function note() returns trigger language plpgsql as
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
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    assert_eq!(row.unwrap().try_get::<String>("", "at").unwrap(), "0 60 120");
}

/// The same statement by hand, on the same pool, in turn.
#[tokio::test]
async fn authenticating_a_token_takes_at_most_1_15_times_what_the_same_query_by_hand_takes() {
    const ROUNDS: usize = 2_000;
    let db = TestDb::migrated(Database::Identitydb).await;
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
    let (mut ours, mut theirs) = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
    for round in 0..ROUNDS + 100 {
        let began = Instant::now();
        let (.., scopes) = by_hand().await;
        let by_hand = began.elapsed();
        let began = Instant::now();
        let bearer = authenticate(&*db, &shown, at).await.unwrap();
        let took = began.elapsed();
        assert_eq!(bearer.scopes, scopes);
        if round >= 100 {
            theirs.push(by_hand);
            ours.push(took);
        }
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!("p50: {ours:?} through the service, {theirs:?} by hand, {ratio:.3} times");
    assert!(ratio <= 1.15, "{ours:?} through the service, {theirs:?} by hand, {ratio:.3} times");
}
