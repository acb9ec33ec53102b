use super::*;

fn effects(sql: &str) -> Vec<(EffectKind, String)> {
    of(sql).0.into_iter().map(|effect| (effect.kind, effect.command)).collect()
}

fn one(sql: &str) -> (EffectKind, String) {
    let mut found = effects(sql);
    assert_eq!(found.len(), 1, "{sql}: {found:?}");
    found.remove(0)
}

fn table(sql: &str) -> Option<(Option<String>, String)> {
    of(sql).1.map(|name| (name.database, name.table))
}

#[test]
fn statements_are_classified_by_their_verb() {
    for (sql, kind, command) in [
        ("CREATE TABLE IF NOT EXISTS t (a UInt8) ENGINE = Memory", Metadata, "CREATE TABLE"),
        ("create table t engine = Memory as select 1", Copies, "CREATE TABLE"),
        ("CREATE TABLE t ENGINE = Memory EMPTY AS SELECT 1", Metadata, "CREATE TABLE"),
        ("CREATE TABLE t (a UInt8 DEFAULT (SELECT 1)) ENGINE = Memory", Metadata, "CREATE TABLE"),
        ("CREATE OR REPLACE TABLE t (a UInt8) ENGINE = Memory", Loses, "CREATE OR REPLACE TABLE"),
        ("CREATE VIEW v AS SELECT 1", Metadata, "CREATE VIEW"),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", Metadata, "CREATE OR REPLACE VIEW"),
        ("CREATE MATERIALIZED VIEW v TO t AS SELECT 1", Metadata, "CREATE MATERIALIZED VIEW"),
        ("CREATE MATERIALIZED VIEW v ENGINE = Log POPULATE AS SELECT 1", Copies, "CREATE MATERIALIZED VIEW"),
        ("CREATE FUNCTION f AS x -> x", Metadata, "CREATE FUNCTION"),
        ("CREATE USER u", Unknown, "CREATE USER"),
        ("DROP TABLE IF EXISTS t SYNC", Loses, "DROP TABLE"),
        ("DROP VIEW v", Metadata, "DROP VIEW"),
        ("TRUNCATE TABLE t", Loses, "TRUNCATE"),
        ("RENAME TABLE a TO b", Metadata, "RENAME"),
        ("EXCHANGE TABLES a AND b", Metadata, "EXCHANGE"),
        ("INSERT INTO t SELECT 1", Copies, "INSERT"),
        ("DELETE FROM t WHERE a = 1", Loses, "DELETE"),
        ("UPDATE t SET a = 1 WHERE b", Rewrites, "UPDATE"),
        ("OPTIMIZE TABLE t FINAL", Rewrites, "OPTIMIZE"),
        ("SYSTEM FLUSH LOGS", Unknown, "SYSTEM FLUSH"),
        ("-- DROP TABLE t\n/* x */ CREATE VIEW v AS SELECT 1", Metadata, "CREATE VIEW"),
        ("", Unknown, ""),
    ] {
        assert_eq!(one(sql), (kind, command.to_owned()), "{sql}");
    }
}

#[test]
fn every_command_of_an_alter_is_classified() {
    for (command, kind, verb) in [
        ("ADD COLUMN IF NOT EXISTS a UInt8 DEFAULT 1 AFTER b", Metadata, "ADD COLUMN"),
        ("ADD INDEX i a TYPE minmax", Metadata, "ADD INDEX"),
        ("ADD CONSTRAINT c CHECK a > 0", Metadata, "ADD CONSTRAINT"),
        ("DROP COLUMN IF EXISTS a", Loses, "DROP COLUMN"),
        ("DROP INDEX i", Rewrites, "DROP INDEX"),
        ("DROP CONSTRAINT c", Metadata, "DROP CONSTRAINT"),
        ("DROP PARTITION 202401", Loses, "DROP PARTITION"),
        ("CLEAR COLUMN a IN PARTITION 1", Loses, "CLEAR COLUMN"),
        ("RENAME COLUMN a TO b", Rewrites, "RENAME COLUMN"),
        ("COMMENT COLUMN a 'x'", Metadata, "COMMENT COLUMN"),
        ("MODIFY COMMENT 'x'", Metadata, "MODIFY COMMENT"),
        ("MODIFY COLUMN a UInt16", Rewrites, "MODIFY COLUMN"),
        ("MODIFY COLUMN IF EXISTS `a b` Nullable(UInt16) CODEC(ZSTD)", Rewrites, "MODIFY COLUMN"),
        ("MODIFY COLUMN a DEFAULT 5", Metadata, "MODIFY COLUMN"),
        ("MODIFY COLUMN IF EXISTS n.a COMMENT 'x, y'", Metadata, "MODIFY COLUMN"),
        ("MODIFY COLUMN a TTL d + INTERVAL 1 DAY", Rewrites, "MODIFY COLUMN"),
        ("ALTER COLUMN a TYPE UInt16", Rewrites, "ALTER COLUMN"),
        ("MODIFY ORDER BY (a, b)", Metadata, "MODIFY ORDER BY"),
        ("MODIFY TTL d + INTERVAL 1 DAY", Rewrites, "MODIFY TTL"),
        ("MODIFY SETTING max_suspicious_broken_parts = 1", Metadata, "MODIFY SETTING"),
        ("UPDATE a = 1, b = (2, 3) WHERE c", Rewrites, "UPDATE"),
        ("DELETE WHERE a", Loses, "DELETE WHERE"),
        ("MATERIALIZE INDEX i", Rewrites, "MATERIALIZE INDEX"),
        ("FROBNICATE a", Unknown, "FROBNICATE A"),
    ] {
        assert_eq!(one(&format!("ALTER TABLE db.t {command}")), (kind, verb.to_owned()), "{command}");
    }
    assert_eq!(
        effects(
            "ALTER TABLE t ON CLUSTER c ADD COLUMN a Decimal(9, 2), DROP COLUMN b, UPDATE c = 1, d = 2 WHERE 1"
        ),
        [
            (Metadata, "ADD COLUMN".to_owned()),
            (Loses, "DROP COLUMN".to_owned()),
            (Rewrites, "UPDATE".to_owned())
        ]
    );
}

#[test]
fn the_table_is_found_behind_guards_and_quotes() {
    let t = |table: &str| Some((None, table.to_owned()));
    assert_eq!(table("CREATE TABLE IF NOT EXISTS t(a UInt8)"), t("t"));
    assert_eq!(table("DROP TABLE IF EXISTS `a``b` SYNC"), t("a`b"));
    assert_eq!(table("ALTER TABLE \"x y\" ADD COLUMN a UInt8"), t("x y"));
    assert_eq!(table("INSERT INTO d.t (a) SELECT 1"), Some((Some("d".to_owned()), "t".to_owned())));
    assert_eq!(table("DELETE FROM t WHERE 1"), t("t"));
    assert_eq!(table("RENAME TABLE a TO b"), t("a"));
    assert_eq!(table("SYSTEM FLUSH LOGS"), None);
    assert_eq!(table("ALTER USER u"), None);
}

#[test]
fn a_statement_that_names_a_database_is_told_from_one_that_names_a_column() {
    for sql in [
        "DROP TABLE IF EXISTS prod.t SYNC",
        "CREATE TABLE `my prod`.t (x UInt8)",
        "INSERT INTO t SELECT x FROM prod.u",
        "INSERT INTO prod.t SELECT 1",
        "CREATE MATERIALIZED VIEW v TO prod.t AS SELECT 1",
        "RENAME TABLE t TO prod.u",
        "EXCHANGE TABLES t AND prod.u",
        "DELETE FROM prod.t WHERE 1",
        "CREATE VIEW v AS SELECT (SELECT max(x) FROM prod.t) + extract(DAY FROM t.d) FROM t",
        "DROP DATABASE prod",
    ] {
        assert!(names_database(sql), "{sql}");
    }
    for sql in [
        "DROP TABLE IF EXISTS t SYNC",
        "CREATE VIEW v AS SELECT t.x FROM t JOIN u ON t.x = u.x WHERE t.y AND u.y",
        "CREATE VIEW v AS SELECT name FROM system.tables",
        "CREATE TABLE t (x Float64 DEFAULT 1.5) ENGINE = Memory COMMENT 'from prod.t'",
        "CREATE VIEW v AS SELECT extract(DAY FROM t.d), trim(BOTH ' ' FROM t.x) FROM t",
        "ALTER TABLE t ADD COLUMN n.x Array(UInt8)",
        "CREATE VIEW v AS SELECT extract(x, 'from a.b') AND 1.5",
    ] {
        assert!(!names_database(sql), "{sql}");
    }
}
