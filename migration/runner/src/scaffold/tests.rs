use super::*;

const NEW: &str = "m20261121_090000_add_users";

/// The list with `add_users` entered in it.
fn entered(text: &str) -> String {
    list::enter(text, NEW, "migrations", &format!("Box::new({NEW}::Migration)")).unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    NaiveDateTime::parse_from_str(text, STAMP).unwrap().and_utc()
}

#[test]
fn the_list_that_sea_orm_cli_makes_gets_both_lines() {
    let before = "\
pub use sea_orm_migration::prelude::*;

mod m20220101_000001_create_table;

pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m20220101_000001_create_table::Migration)]
    }
}
";
    let after = "\
pub use sea_orm_migration::prelude::*;

mod m20220101_000001_create_table;
mod m20261121_090000_add_users;

pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20220101_000001_create_table::Migration),
            Box::new(m20261121_090000_add_users::Migration),
        ]
    }
}
";
    assert_eq!(entered(before), after);
}

#[test]
fn a_vector_in_lines_gets_a_line() {
    let before = "\
//! Migrations: `fn migrations() { vec![] }`, or mod m20260101_000000_of_a_comment;

use sea_orm_migration::prelude::*;

pub mod m20260101_000000_a; // the first
pub mod m20260102_000000_b;

/// Every migration.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migration_table_name() -> DynIden {
        \"] } fn migrations() { vec![]\".into_iden()
    }

    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20260101_000000_a::Migration),
            Box::new(m20260102_000000_b::Migration) // without a comma
            // [ in a comment
        ]
    }
}
";
    let after = before
        .replace(
            "pub mod m20260102_000000_b;\n",
            "pub mod m20260102_000000_b;\npub mod m20261121_090000_add_users;\n",
        )
        .replace("b::Migration) //", "b::Migration), //")
        .replace(
            "[ in a comment\n",
            "[ in a comment\n            Box::new(m20261121_090000_add_users::Migration),\n",
        );
    assert_eq!(entered(before), after);
}

#[test]
fn an_empty_vector_gets_its_first_entry_and_the_mod_line_a_paragraph() {
    let cases = [
        (
            "//! Shop.\n\nuse sea_orm_migration::{\n    prelude::*,\n};\n\n/// All.\npub struct M;\nfn migrations() -> V {\n    vec![]\n}\n",
            "//! Shop.\n\nuse sea_orm_migration::{\n    prelude::*,\n};\n\nmod m20261121_090000_add_users;\n\n/// All.\npub struct M;\nfn migrations() -> V {\n    vec![Box::new(m20261121_090000_add_users::Migration)]\n}\n",
        ),
        (
            "#![forbid(unsafe_code)]\n//! Shop.\n\n/// All.\nfn migrations() -> V {\n    vec![\n    ]\n}\n",
            "#![forbid(unsafe_code)]\n//! Shop.\n\nmod m20261121_090000_add_users;\n\n/// All.\nfn migrations() -> V {\n    vec![\n        Box::new(m20261121_090000_add_users::Migration),\n    ]\n}\n",
        ),
        (
            "fn migrations() -> V { vec![ ] }",
            "mod m20261121_090000_add_users;\n\nfn migrations() -> V { vec![Box::new(m20261121_090000_add_users::Migration)] }",
        ),
        (
            "use a::B;\nfn migrations() -> V {\n    vec![]\n}\n",
            "use a::B;\n\nmod m20261121_090000_add_users;\n\nfn migrations() -> V {\n    vec![Box::new(m20261121_090000_add_users::Migration)]\n}\n",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(entered(before), after);
    }
}

#[test]
fn a_vector_in_any_other_form_is_only_appended_to() {
    let mods = "mod m20260101_000000_a;\n";
    let with = format!("{mods}mod {NEW};\n");
    let new = format!("Box::new({NEW}::Migration)");
    for (before, after) in [
        ("vec![Box::new(A),\n     Box::new(B)]", format!("vec![Box::new(A),\n     Box::new(B), {new}]")),
        ("vec![Box::new(A), /* , */ ]", format!("vec![Box::new(A), {new} /* , */ ]")),
        ("vec![Box::new(A(\"]\"))]", format!("vec![Box::new(A(\"]\")), {new}]")),
        (
            "vec![Box::new(A(1, 2)), Box::new(B),]",
            format!("vec![\n        Box::new(A(1, 2)),\n        Box::new(B),\n        {new},\n    ]"),
        ),
    ] {
        let list = |vector: &str| format!("fn migrations() -> V {{\n    {vector}\n}}\n");
        assert_eq!(entered(&format!("{mods}{}", list(before))), format!("{with}{}", list(&after)));
    }
}

#[test]
fn line_ends_stay_those_of_the_file() {
    let before = "use a::*;\r\n\r\nmod m20260101_000000_a;\r\n\r\nfn migrations() -> V {\r\n    vec![\r\n        Box::new(A),\r\n    ]\r\n}\r\n";
    let after = entered(before);
    assert_eq!(after.matches('\n').count(), after.matches("\r\n").count());
    assert_eq!(after.replace("\r\n", "\n"), entered(&before.replace("\r\n", "\n")));
}

#[test]
fn literals_of_every_kind_hide_their_brackets() {
    let before = "mod m20260101_000000_a;\nfn f<'a>() { ('[', '\\'', b'\\\\', \"\\\"]\", r#\"\"}\"#, br\"]\", 'ü'); }\n\
                  /* /* } */ fn migrations() { */\nfn migrations() -> V {\n    let r#a = ']';\n    vec![\n        A,\n    ]\n}\n";
    let after = before
        .replace("000_a;\n", &format!("000_a;\nmod {NEW};\n"))
        .replace("        A,\n", &format!("        A,\n        Box::new({NEW}::Migration),\n"));
    assert_eq!(entered(before), after);
}

#[test]
fn a_list_without_a_vector_is_refused_with_nothing_written() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("lib.rs");
    for text in
        ["", "fn migrations() -> V { Vec::new() }", "fn migrations() -> V { vec![", "fn all() { vec![] }"]
    {
        fs::write(&list, text).unwrap();
        let error = add_with(&Template::sea_orm(), &list, "add_users", at("20261121_090000")).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{}: expected `fn migrations()` with the migrations in one `vec![…]`; add the migration by hand",
                list.display()
            )
        );
        assert_eq!(fs::read_to_string(&list).unwrap(), text);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
}

#[test]
fn a_change_is_lower_case_words_and_anything_else_gets_a_suggestion() {
    for good in ["create_users", "users", "add_2fa_codes", "a_1"] {
        check(good).unwrap();
    }
    for (bad, better) in [
        ("", "create_users"),
        ("__", "create_users"),
        ("AddUsers", "add_users"),
        ("addUsersAPI", "add_users_api"),
        ("add users", "add_users"),
        ("add-users!", "add_users"),
        ("add__users_", "add_users"),
        ("2fa", "add_2fa"),
        ("../../users", "users"),
        ("m\u{fc}ll", "m_ll"),
    ] {
        let error = check(bad).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "`{bad}` doesn't name a change: that takes lower-case words, joined by `_`, such as `{better}`"
            )
        );
        check(better).unwrap();
    }
}

#[test]
fn a_name_comes_after_the_newest_migration_unless_that_is_dated_far_ahead() {
    let list = Path::new("src/lib.rs");
    let now = at("20261121_090000");
    let stamp = |newest: &str| stamp(list, Some(newest.to_owned()), now);
    assert_eq!(stamp("m20261120_235959_a").unwrap(), "20261121_090000");
    assert_eq!(stamp("m20261121_090000_a").unwrap(), "20261121_090001");
    assert_eq!(stamp("m20261121_235959_a").unwrap(), "20261122_000000");
    for far in ["m20271121_090000_a", "m20269999_000000_a"] {
        assert_eq!(
            stamp(far).unwrap_err().to_string(),
            format!(
                "src/lib.rs: {far} is dated more than a day after now, 20261121_090000 UTC, and a new migration has to \
                 come after it; set the clock, or correct that name while it is applied nowhere"
            )
        );
    }
}

#[test]
fn the_file_holds_what_is_to_be_written_and_nothing_else_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let src = folder.path().join("src");
    fs::create_dir(&src).unwrap();
    fs::write(src.join("lib.rs"), "mod m20261121_085959_a;\n\nfn migrations() -> V {\n    vec![]\n}\n")
        .unwrap();
    // A file that isn't listed is a migration all the same.
    fs::write(src.join("m20261121_090000_draft.rs"), "").unwrap();

    let name = "m20261121_090001_add_users";
    let added = add(folder.path(), "add_users", at("20261121_090000")).unwrap();
    let file = src.join(format!("{name}.rs"));
    assert_eq!(added, Added { name: name.to_owned(), file: file.clone(), list: src.join("lib.rs") });
    let text = fs::read_to_string(file).unwrap();
    assert!(text.starts_with("//! What changes, in a sentence: add users.\n"), "{text}");
    assert!(text.contains(&format!("raise exception 'down of {name} is not written yet'")), "{text}");
    assert!(!text.contains('%'), "{text}");
    assert_eq!(
        fs::read_to_string(src.join("lib.rs")).unwrap(),
        format!(
            "mod m20261121_085959_a;\nmod {name};\n\nfn migrations() -> V {{\n    vec![Box::new({name}::Migration)]\n}}\n"
        )
    );
    assert_eq!(fs::read_dir(&src).unwrap().count(), 3);
}

#[test]
fn a_template_of_ones_own_has_its_own_list_and_entry() {
    let template = Template {
        file: "//! %words%\npub struct %Change%;\n",
        function: "all",
        entry: "Box::new(%module%::%Change%)",
    };
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("mod.rs");
    let before = "mod ledger;\n\nmod m20261120_090000_create_events;\n\nuse std::fmt;\n\n\
                  pub fn all() -> Vec<Box<dyn Migration>> {\n    vec![\n        \
                  Box::new(m20261120_090000_create_events::CreateEvents),\n    ]\n}\n";
    fs::write(&list, before).unwrap();
    let added = add_with(&template, &list, "add_event_ids", at("20261121_090000")).unwrap();
    assert_eq!(fs::read_to_string(added.file).unwrap(), "//! add event ids\npub struct AddEventIds;\n");
    assert_eq!(
        fs::read_to_string(&list).unwrap(),
        before.replace("create_events;\n", "create_events;\nmod m20261121_090000_add_event_ids;\n").replace(
            "CreateEvents),\n",
            "CreateEvents),\n        Box::new(m20261121_090000_add_event_ids::AddEventIds),\n"
        )
    );
}

#[test]
fn a_missing_list_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = add(folder.path(), "add_users", at("20261121_090000")).unwrap_err().to_string();
    let list = folder.path().join("src/lib.rs");
    assert!(error.starts_with(&format!("{}: ", list.display())), "{error}");
}

#[test]
fn a_list_that_cant_be_replaced_takes_the_file_back() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("lib.rs");
    let text = "fn migrations() -> V { vec![] }";
    fs::write(&list, text).unwrap();
    // What the replacement would be written to is taken.
    fs::create_dir(folder.path().join(format!(".{NEW}.new"))).unwrap();
    add_with(&Template::sea_orm(), &list, "add_users", at("20261121_090000")).unwrap_err();
    assert!(!folder.path().join(format!("{NEW}.rs")).exists());
    assert_eq!(fs::read_to_string(&list).unwrap(), text);
}
