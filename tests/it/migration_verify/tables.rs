//! The row generator, on tables with constraints of every kind.

use super::{sql, verify};

/// Asserts that every table of this SQL gets three rows before the next migration, and nothing is found.
macro_rules! takes_rows {
    ($tables:expr, $up:expr) => {{
        let found = verify!(
            sql(
                "m1",
                concat!("create schema made; set local search_path to made, public;", $up),
                "drop schema made cascade"
            ),
            sql("m2", "select 1", "select 1")
        );
        assert!(found.is_sound(), "{found:#?}");
        let last = &found.migrations[1];
        assert_eq!(last.tables_without_rows, [""; 0]);
        assert!(last.rows >= 3 * $tables, "{last:?}");
    }};
}

#[tokio::test]
async fn a_foreign_key_of_two_columns_and_two_that_share_one() {
    takes_rows!(
        4,
        "create table tenants (id uuid primary key default gen_random_uuid());
        create table teams (tenant_id uuid references tenants, id integer, primary key (tenant_id, id));
        create table people (tenant_id uuid references tenants, id integer, primary key (tenant_id, id));
        create table members (
            tenant_id uuid not null, team_id integer not null, person_id integer not null,
            primary key (tenant_id, team_id, person_id),
            foreign key (tenant_id, team_id) references teams,
            foreign key (tenant_id, person_id) references people)"
    );
}

#[tokio::test]
async fn a_row_may_be_its_own_parent() {
    takes_rows!(
        3,
        "create table nodes (
            id bigint generated always as identity primary key, parent_id bigint not null references nodes);
        create table later (
            id bigserial primary key,
            parent_id bigint not null references later deferrable initially deferred);
        create table trees (
            forest integer not null, id integer not null, parent_id integer not null,
            primary key (forest, id), foreign key (forest, parent_id) references trees)"
    );
}

#[tokio::test]
async fn a_circle_is_broken_where_a_key_can_be_null_or_deferred() {
    takes_rows!(
        4,
        "create table a (id bigserial primary key, b_id bigint);
        create table b (id bigserial primary key, a_id bigint not null references a);
        alter table a add foreign key (b_id) references b;
        create table hens (id bigint generated always as identity primary key, egg_id integer not null);
        create table eggs (id integer primary key, hen_id bigint not null references hens);
        alter table hens add foreign key (egg_id) references eggs deferrable initially immediate"
    );
}

#[tokio::test]
async fn a_partitioned_table_gets_rows_within_its_bounds() {
    takes_rows!(
        3,
        "create table events (at timestamptz not null, kind text not null) partition by range (at);
        create table events_1999 partition of events for values from ('1999-01-01') to ('2000-01-01');
        create table sorts (kind text not null) partition by list (kind);
        create table sorts_red partition of sorts for values in ('red', 'green');
        create table hashed (id bigint primary key) partition by hash (id);
        create table hashed_0 partition of hashed for values with (modulus 2, remainder 0)"
    );
}

#[tokio::test]
async fn exclusion_and_unique_constraints_are_kept() {
    takes_rows!(
        3,
        "create table stays (during tstzrange not null, exclude using gist (during with &&));
        create table one (id bigint primary key, code char(1) not null unique);
        create extension citext;
        create table names (name citext not null unique, alias citext unique check (alias ~ '^[A-Z]{2,3}$'))"
    );
}

#[tokio::test]
async fn domains_and_their_checks_are_kept() {
    takes_rows!(
        2,
        "create domain percent as numeric(5, 2) check (value between 0 and 100);
        create domain hex as text not null check (value ~ '^[0-9a-f]+$') check (char_length(value) = 40);
        create domain small_hex as hex check (value < '8');
        create table a (share percent not null, sha hex, other small_hex);
        create table b (shares percent[] not null, shas hex[])"
    );
}

#[tokio::test]
async fn checks_of_one_column_are_kept() {
    takes_rows!(
        9,
        r"create table a (v text not null check (v ~ '^\d{4}-[A-Z]+[.]\w{2}$'));
        create table b (v jsonb not null check (jsonb_typeof(v) = 'array'));
        create table c (v jsonb not null check (jsonb_typeof(v -> 'name') = 'string' and v ? 'name'));
        create table d (v bytea not null check (octet_length(v) = 32), w bytea not null check (length(w) between 3 and 5));
        create table e (v text not null check (v in ('it''s', 'b')), w text not null check (w like 'x-%'));
        create table f (v integer not null check (v % 10 = 0 and v > 5000), w smallint not null check (w between -3 and -1));
        create table g (v text[] not null check (cardinality(v) = 3), w text[] not null check (w <@ '{a,b}'));
        create table h (v text not null check (v = upper(v) and v <> ''), w date not null check (w < '1980-01-01'));
        create table i (v varchar(3) not null check (v ~* '^(a|b)c?$'), w text not null check (w = trim(w)) check (char_length(w) >= 500))"
    );
}

#[tokio::test]
async fn checks_over_several_columns_are_kept() {
    takes_rows!(
        5,
        "create table a (starts_at timestamptz not null, ends_at timestamptz not null, check (starts_at < ends_at));
        create table b (kind text not null, v text, w integer,
            check ((kind = 'text' and v is not null and w is null) or (kind = 'number' and v is null and w is not null)),
            check (kind in ('text', 'number')));
        create table c (v integer, w integer, x integer, check (num_nonnulls(v, w, x) = 1));
        create table owners (id bigserial primary key);
        create table d (a_id bigint references owners, b_id bigint references owners, check ((a_id is null) <> (b_id is null)))"
    );
}

#[tokio::test]
async fn generated_identity_and_enum_columns_are_filled() {
    takes_rows!(
        2,
        "create type mood as enum ('good', 'so so', 'bad');
        create type pair as (a integer, b text);
        create table a (
            id bigint generated always as identity primary key,
            price numeric(10, 2) not null,
            doubled numeric generated always as (price * 2) stored check (doubled > 1) unique,
            mood mood not null, moods mood[] not null, pairs pair[] not null, pair pair not null);
        create table b (number integer generated by default as identity, like a)"
    );
}

#[tokio::test]
async fn every_type_of_the_server_gets_a_value() {
    takes_rows!(
        1,
        r#"create table everything (
            a boolean not null, b smallint not null, c real not null, d double precision not null, e money not null,
            f numeric(3, 3) not null, g numeric not null, h numeric(2, -2) not null, i char(3) not null,
            j varchar(2) not null, k "char" not null, l name not null, m date not null, n time not null,
            o timetz not null, p timestamp not null, q interval not null, r uuid not null, s json not null,
            t bit(5) not null, u bit varying(3) not null, v inet not null, w cidr not null, x macaddr not null,
            y macaddr8 not null, z tsvector not null, aa tsquery not null, ab xml not null, ac point not null,
            ad line not null, ae lseg not null, af box not null, ag path not null, ah polygon not null,
            ai circle not null, aj int4range not null, ak numrange not null, al daterange not null,
            am tsrange not null, an tstzmultirange not null, ao pg_lsn not null, ap regclass not null,
            aq jsonpath not null, ar timestamptz[] not null, "as" integer[][] not null, at oid not null)"#
    );
}

#[tokio::test]
async fn a_trigger_that_refuses_some_rows_is_satisfied() {
    takes_rows!(
        1,
        "create table a (v text not null, w integer);
        create function picky() returns trigger language plpgsql as $$
            begin if new.v <> 'open' then raise exception 'not open'; end if; return new; end $$;
        create trigger picky before insert on a for each row execute function picky()"
    );
}

#[tokio::test]
async fn a_table_that_takes_no_row_says_why() {
    let found = verify!(sql(
        "m1",
        "create table closed (v text not null);
        create function closed() returns trigger language plpgsql as $$ begin raise exception 'closed to all'; end $$;
        create trigger closed before insert on closed for each row execute function closed();
        create table silent (v text);
        create rule silent as on insert to silent do instead nothing;
        create table never (v integer not null, constraint nothing_fits check (v > 1 and v < 1));
        create table empty (v integer not null) partition by list (v);
        create table child (never_v integer not null);
        alter table never add unique (v);
        alter table child add constraint child_fkey foreign key (never_v) references never (v)",
        "drop table child, never, closed, silent, empty; drop function closed()"
    ));
    assert!(found.is_sound(), "{found:#?}");
    let mut without = found.migrations[0].tables_without_rows.clone();
    without.sort_unstable();
    let starts = [
        "child: the foreign key child_fkey needs a row of never",
        "closed: 200 rows",
        "empty: ",
        "never: 200",
        "silent: ",
    ];
    let ends = ["which has none", "closed to all", "", "\"nothing_fits\"", "(a trigger or a rule)"];
    for ((line, start), end) in without.iter().zip(starts).zip(ends) {
        assert!(line.starts_with(start) && line.contains(end), "{line}");
    }
    assert_eq!(without.len(), starts.len(), "{without:#?}");
}

#[tokio::test]
async fn the_same_migrations_get_the_same_rows() {
    const SHOP: super::Sql = sql(
        "m1",
        "create table shop (id bigserial primary key, name text not null, sizes integer[])",
        "drop table shop",
    );
    let once = verify!(SHOP, sql("m2", "create sequence s", "drop sequence s; delete from shop"));
    let again = verify!(SHOP, sql("m2", "create sequence s", "drop sequence s; delete from shop"));
    assert_eq!(once.migrations[1].findings, again.migrations[1].findings);
    assert_eq!(once.migrations[1].findings.len(), 1);
}
