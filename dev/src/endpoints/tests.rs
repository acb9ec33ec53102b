use super::*;

fn setting(value: &str) -> Setting {
    Setting { level: Level::Environment, source: "ARDB_URL".into(), value: value.into() }
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

/// The URL of who migrates identitydb, with these flags, environment and `.env`.
fn owner(overrides: &Overrides, environment: &[(&str, &str)], dotenv: &DotEnv) -> Result<Option<String>> {
    let environment = |name: &str| {
        environment.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
    };
    let url = configured(Store::Identitydb, overrides, &environment, dotenv);
    let owner = configured_owner(Store::Identitydb, url.as_ref(), overrides, &environment, dotenv)?;
    Ok(owner.map(|setting| setting.value))
}

#[test]
fn who_migrates_has_the_url_of_its_own_that_is_given_beside_the_one_to_serve_with() {
    let (none, both) = (Overrides::default(), [("IDENTITYDB_URL", "w"), ("IDENTITYDB_OWNER_URL", "o")]);
    assert_eq!(owner(&none, &both, &dotenv(&[])).unwrap().as_deref(), Some("o"));
    assert_eq!(owner(&none, &[], &dotenv(&both)).unwrap().as_deref(), Some("o"));
    assert_eq!(owner(&none, &both[..1], &dotenv(&[])).unwrap(), None);
    let general = [("DATABASE_URL", "w"), ("IDENTITYDB_OWNER_URL", "o")];
    assert_eq!(owner(&none, &general, &dotenv(&[])).unwrap().as_deref(), Some("o"));
    let flag = Overrides { identitydb_owner_url: Some("flag".into()), ..Overrides::default() };
    assert_eq!(owner(&flag, &both, &dotenv(&[])).unwrap().as_deref(), Some("flag"));
}

#[test]
fn a_url_that_is_given_for_once_migrates_no_database_that_is_configured_elsewhere() {
    let configured = dotenv(&[("IDENTITYDB_URL", "production"), ("IDENTITYDB_OWNER_URL", "production")]);
    let none = Overrides::default();
    assert_eq!(owner(&none, &[("IDENTITYDB_URL", "scratch")], &configured).unwrap(), None);
    let environment = [("IDENTITYDB_OWNER_URL", "production")];
    for flag in [
        Overrides { identitydb_url: Some("scratch".into()), ..Overrides::default() },
        Overrides { database_url: Some("scratch".into()), ..Overrides::default() },
    ] {
        assert_eq!(owner(&flag, &environment, &configured).unwrap(), None);
    }
}

#[test]
fn a_url_to_migrate_with_alone_is_refused_rather_than_overlooked() {
    let refused = owner(&Overrides::default(), &[("IDENTITYDB_OWNER_URL", "o")], &dotenv(&[]));
    assert_eq!(
        refused.unwrap_err().to_string(),
        "IDENTITYDB_OWNER_URL is given without IDENTITYDB_URL; expected both: who serves and who migrates, or the same URL twice"
    );
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
    let found = |store| Ok(((store == Store::Ardb).then(|| setting("postgresql://h/ardb")), None));
    let (endpoints, missing) = assign(Needs::ALL, found).unwrap();
    assert_eq!(endpoints.ardb.unwrap().expose(), "postgresql://h/ardb");
    assert_eq!(missing, [Store::Identitydb, Store::Analyticsdb, Store::Events]);
}

#[test]
fn what_is_not_needed_is_not_even_parsed() {
    let (endpoints, missing) =
        assign(Needs::of(&[Store::Events]), |_| Ok((Some(setting("http://h/d")), None))).unwrap();
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
