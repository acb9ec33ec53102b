use super::*;

fn setting(value: &str) -> Setting {
    Setting { source: "ARDB_URL".into(), value: value.into() }
}

fn dotenv(values: &[(&str, &str)]) -> DotEnv {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    DotEnv { path: "/p/.env".into(), values }
}

#[test]
fn a_flag_comes_before_the_environment_and_that_before_dotenv() {
    let dotenv = dotenv(&[("ARDB_URL", "c")]);
    let mut overrides = Overrides { ardb_url: Some("a".into()), ..Overrides::default() };
    let found = |overrides: &Overrides, environment: Option<&str>| {
        let environment = |name: &str| environment.filter(|_| name == "ARDB_URL").map(str::to_owned);
        let found = configured(Store::Ardb, overrides, &environment, &dotenv).unwrap();
        (found.source, found.value)
    };
    assert_eq!(found(&overrides, Some("b")), ("--ardb-url".into(), "a".into()));
    overrides.ardb_url = None;
    assert_eq!(found(&overrides, Some("b")), ("ARDB_URL".into(), "b".into()));
    assert_eq!(found(&overrides, Some(" ")), ("ARDB_URL in /p/.env".into(), "c".into()));
}

#[test]
fn a_url_of_its_own_comes_before_database_url_unless_that_is_a_flag() {
    let environment = |name: &str| (name == "DATABASE_URL").then(|| "general".to_owned());
    let dotenv = dotenv(&[("ARDB_URL", "own")]);
    let found = |overrides: &Overrides, store| {
        configured(store, overrides, &environment, &dotenv).map(|one| one.value)
    };
    let none = Overrides::default();
    assert_eq!(found(&none, Store::Ardb).as_deref(), Some("own"));
    assert_eq!(found(&none, Store::Identitydb).as_deref(), Some("general"));
    assert_eq!(found(&none, Store::Events), None);
    let flag = Overrides { database_url: Some("flag".into()), ..Overrides::default() };
    assert_eq!(found(&flag, Store::Ardb).as_deref(), Some("flag"));
}

#[test]
fn a_url_typed_for_sea_orm_cli_is_taken_for_all_databases() {
    let typed = typed(Some("postgres://h/scratch".into()), &[Store::Ardb], &|_| None, &dotenv(&[])).unwrap();
    assert_eq!(typed.database_url.as_deref(), Some("postgres://h/scratch"));
}

#[test]
fn a_url_typed_for_sea_orm_cli_never_gives_way_to_a_configured_one_in_silence() {
    let url = Some("postgres://h/scratch".to_owned());
    let own = |name: &str| (name == "ARDB_URL").then(|| "postgres://h/production".to_owned());
    let refused = typed(url.clone(), &[Store::Ardb], &own, &dotenv(&[])).unwrap_err().to_string();
    assert!(refused.starts_with("-u (DATABASE_URL) and ARDB_URL name two databases"), "{refused}");
    let own = dotenv(&[("ARDB_URL", "postgres://h/production")]);
    assert!(typed(url.clone(), &[Store::Ardb], &|_| None, &own).is_err());
    let configured =
        dotenv(&[("ARDB_URL", "postgres://h/production"), ("DATABASE_URL", "postgres://h/scratch")]);
    assert_eq!(typed(url, &[Store::Ardb], &|_| None, &configured).unwrap().database_url, None);
}

#[test]
fn what_is_configured_nowhere_is_left_for_the_embedded_servers() {
    let found = |store| (store == Store::Ardb).then(|| setting("postgresql://h/ardb"));
    let (endpoints, missing) = assign(Needs::ALL, found).unwrap();
    assert_eq!(endpoints.ardb.unwrap().expose(), "postgresql://h/ardb");
    assert_eq!(missing, [Store::Identitydb, Store::Analyticsdb, Store::Events]);
}

#[test]
fn what_is_not_needed_is_not_even_parsed() {
    let (endpoints, missing) = assign(Needs::of(&[Store::Events]), |_| Some(setting("http://h/d"))).unwrap();
    assert_eq!((endpoints.ardb, missing), (None, vec![]));
}

#[test]
fn a_bad_url_is_refused_with_its_setting_and_without_its_password() {
    for (value, problem) in [
        ("secret", "is not a URL"),
        ("mysql://u:secret@h/d", "starts with mysql://"),
        ("postgres:///d", "names no host"),
        ("postgres://u:secret@h", "names no database"),
        ("postgres://u:secret@h:port/d", "is not a URL"),
    ] {
        let message = parse(&setting(value), true).unwrap_err().to_string();
        assert!(message.starts_with(&format!("ARDB_URL {problem}")), "{message}");
        assert!(message.ends_with("expected postgres://user:password@host:5432/database"), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
}

#[test]
fn a_socket_folder_counts_as_a_host() {
    assert!(parse(&setting("postgres:///d?host=/run/postgresql"), true).is_ok());
}

#[test]
fn dotenv_is_read_from_the_nearest_ancestor_and_says_where_it_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("a/b");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(folder.path().join(".env"), "# comment\nexport ARDB_URL='postgres://h/d'\n").unwrap();
    assert_eq!(DotEnv::nearest(&inner).unwrap().values["ARDB_URL"], "postgres://h/d");
    std::fs::write(inner.join(".env"), "ARDB_URL='secret\n").unwrap();
    let message = DotEnv::nearest(&inner).unwrap_err().to_string();
    assert!(message.contains("a/b/.env") && !message.contains("secret"), "{message}");
}

#[test]
fn overrides_do_not_show_what_they_hold() {
    let overrides = Overrides { ardb_url: Some("postgres://u:secret@h/d".into()), ..Overrides::default() };
    assert!(!format!("{overrides:?}").contains("secret"));
}

#[test]
fn a_server_that_is_too_old_is_refused_with_a_sentence() {
    assert!(check_postgres_version(150_000).is_ok());
    assert_eq!(
        check_postgres_version(140_012).unwrap_err().to_string(),
        "PostgreSQL 14.12 is too old: 15 or newer is needed (the oldest release that PostgreSQL itself supports)"
    );
}
