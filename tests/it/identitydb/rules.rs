//! The two walls against a bad value, the service's rules and the database's CHECKs, let the same through.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement, TransactionTrait};
use service::identitydb::rule;

use crate::harness::{Database, TestDb};

/// Strings of all kinds, short and long, that rules tend to disagree on.
fn strings() -> Vec<String> {
    let plain = [
        "",
        " ",
        "a",
        "ab",
        "Ab9",
        "0",
        "00",
        "-",
        "--",
        "-a",
        "a-",
        "a-b",
        "a--b",
        "a-b-c",
        "a_b",
        "a.b",
        "a b",
        " ab",
        "ab ",
        "ab\n",
        "\nab",
        "a\nb",
        "ab\r\n",
        "ab\t",
        "a\0b",
        "\0",
        "é",
        "éé",
        "aé",
        "ß",
        "ss",
        "İi",
        "ıı",
        "ﬀ",
        "аb",
        "a\u{301}b",
        "日本",
        "a\u{200b}b",
        "a\u{202e}b",
        "\u{feff}ab",
        "a\u{a0}b",
        "🦀🦀",
        "'",
        "''",
        "a'b",
        "\"ab\"",
        "a\\b",
        "a;b",
        "a%b",
        "$1",
        "null",
        "x@y",
        "@",
        "@@",
        "a@",
        "@b.c",
        "a@b",
        "a@b.",
        "a@.b",
        "a@b.c",
        "a@b..c",
        "a@-b.c",
        "a@b-.c",
        "a@b.-c",
        "a@b.c-",
        "a@b-c.d",
        "a@b.c\n",
        "\na@b.c",
        "a@b.c ",
        " a@b.c",
        "a b@c.d",
        "a@b c.d",
        "a@b@c.d",
        "\"a\"@b.c",
        "\"a b\"@b.c",
        "a'b@c.d",
        "a`b@c.d",
        "a\\b@c.d",
        ".a@b.c",
        "a.@b.c",
        "a..b@c.d",
        "A@B.C",
        "a+b@c.d",
        "a!#$%&'*+/=?^_`{|}~-@b.c",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "é@b.c",
        "a@é.c",
        "a@xn--9ca.c",
        "a@b.c\0",
        "a\0@b.c",
        "a@b\u{202e}.c",
        "a@b。c",
        "a@b_c.d",
        "a(b)@c.d",
        "a,b@c.d",
        "<a@b.c>",
        "mailto:a@b.c",
        "a@b.c,d@e.f",
        "a@b.1",
        "a@1.2",
        "a@b.c.d.e.f",
    ];
    let mut strings: Vec<String> = plain.map(str::to_owned).into();
    for length in [1, 2, 3, 38, 39, 40, 62, 63, 64, 65, 99, 100, 101, 253, 254, 255, 1 << 20] {
        let letters = "x".repeat(length);
        strings.extend([
            "é".repeat(length),
            "🦀".repeat(length),
            "x-".repeat(length),
            format!("{letters}@example.org"),
            format!("x@{letters}.org"),
            format!("x@{letters}"),
            format!("x@example.{letters}"),
            letters,
        ]);
    }
    // Whole addresses around the limit of 254, each part within its own.
    for last in 50..=63 {
        let label = "d".repeat(63);
        strings.push(format!("x@{label}.{label}.{label}.{}", "e".repeat(last)));
    }
    strings
}

/// Whether the database lets `value` through `sql`, which violates nothing but the CHECK `constraint`.
async fn accepts(txn: &DatabaseTransaction, sql: &str, value: &str, constraint: &str) -> Result<bool, DbErr> {
    let savepoint = txn.begin().await?;
    let statement = Statement::from_sql_and_values(txn.get_database_backend(), sql, [value.into()]);
    let result = savepoint.execute_raw(statement).await;
    savepoint.rollback().await?;
    match result {
        Ok(_) => Ok(true),
        Err(refused) if refused.to_string().contains(constraint) || value.contains('\0') => Ok(false),
        Err(other) => Err(other),
    }
}

async fn assert_agree(
    rule: fn(&str) -> Result<(), service::Error>,
    sql: &str,
    constraint: &str,
) -> Result<(), DbErr> {
    let db = TestDb::migrated(Database::Identitydb).await;
    let txn = db.begin().await?;
    txn.execute_unprepared("insert into users (name) values ('first')").await?;
    let (mut accepted, mut refused) = (0, 0);
    for value in strings() {
        let by_database = accepts(&txn, sql, &value, constraint).await?;
        let shown: String = value.chars().take(80).collect();
        assert_eq!(rule(&value).is_ok(), by_database, "{shown:?}, {} bytes", value.len());
        *(if by_database { &mut accepted } else { &mut refused }) += 1;
    }
    assert!(accepted > 5 && refused > 5, "{accepted} accepted, {refused} refused");
    Ok(())
}

#[tokio::test]
async fn service_and_database_let_the_same_user_names_through() -> Result<(), DbErr> {
    assert_agree(rule::name, "insert into users (name) values ($1)", "users_name_check").await
}

#[tokio::test]
async fn service_and_database_let_the_same_organization_names_through() -> Result<(), DbErr> {
    let sql = "insert into organizations (name) values ($1)";
    assert_agree(rule::name, sql, "organizations_name_check").await
}

#[tokio::test]
async fn service_and_database_let_the_same_display_names_through() -> Result<(), DbErr> {
    let sql = "insert into users (name, display_name) values ('second', $1)";
    assert_agree(rule::display_name, sql, "users_display_name_check").await?;
    let sql = "insert into organizations (name, display_name) values ('second', $1)";
    assert_agree(rule::display_name, sql, "organizations_display_name_check").await
}

#[tokio::test]
async fn service_and_database_let_the_same_email_addresses_through() -> Result<(), DbErr> {
    let sql = "insert into user_emails (user_id, email) select id, $1 from users";
    assert_agree(rule::email, sql, "user_emails_email_check").await
}
