//! The connection: one URL in, a checked and cheap handle out.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clickhouse::Compression;
use clickhouse::query::Query;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::error::{Error, Result};

/// The oldest server that is supported: major and minor release.
///
/// Before it, inserts were deduplicated by other rules and the write path would lose its guarantee.
pub const OLDEST_SERVER: (u32, u32) = (26, 3);

/// How long `connect` waits for the server's first answer, and every new connection for the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often an idle connection is probed.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// How long a connection is kept for the next statement: less than the 3 s after which older configurations of
/// the server close it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

/// A handle to one ClickHouse database over HTTP. Cloning shares the connection pool.
///
/// Every statement runs with `session_timezone = UTC`. Neither `Debug` nor an error shows the password.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    driver: clickhouse::Client,
    database: String,
    /// `host:port`, for error messages.
    host: String,
    version: OnceLock<String>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("host", &self.inner.host)
            .field("database", &self.inner.database)
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Connects to `http(s)://user:password@host:8123/database` and checks that the server is new enough.
    ///
    /// User and password may be percent-encoded; a missing user is `default`, a missing port 8123 (8443 for https).
    ///
    /// # Errors
    ///
    /// [`Error::Url`] if it is not such a URL, [`Error::Unreachable`] if nothing answers within ten seconds,
    /// [`Error::TooOld`] for a server before [`OLDEST_SERVER`], [`Error::Server`] if it refuses, for example
    /// a wrong password (516) or an unknown database (81).
    pub async fn connect(url: &str) -> Result<Self> {
        let client = Self::unchecked(url)?;
        client.check().await?;
        Ok(client)
    }

    /// As [`Client::connect`], without asking the server, which need not be there yet.
    ///
    /// # Errors
    ///
    /// [`Error::Url`].
    pub fn unchecked(url: &str) -> Result<Self> {
        let address = Address::parse(url)?;
        let driver = driver()
            .with_url(&address.origin)
            .with_user(&address.user)
            .with_password(&address.password)
            .with_database(&address.database)
            .with_compression(if address.is_loopback { Compression::None } else { Compression::Lz4 })
            .with_setting("session_timezone", "UTC")
            // Where a table is `Distributed`, its rows are on their shards when the insert is answered, and not in
            // a queue of this server's.
            .with_setting("distributed_foreground_insert", "1");
        let Address { host, database, .. } = address;
        Ok(Self { inner: Arc::new(Inner { driver, database, host, version: OnceLock::new() }) })
    }

    /// Checks, once, that the server is there and new enough.
    ///
    /// # Errors
    ///
    /// Those of [`Client::connect`] but for [`Error::Url`].
    pub async fn check(&self) -> Result<()> {
        if self.inner.version.get().is_some() {
            return Ok(());
        }
        let host = &self.inner.host;
        // The request names the database too, so an unknown one is refused here and not at the first use.
        let probe = self.inner.driver.query_raw("SELECT version() FROM system.one").fetch_one::<String>();
        let version = match tokio::time::timeout(CONNECT_TIMEOUT, probe).await {
            Ok(answer) => answer.map_err(|error| Error::from_driver(host, &error))?,
            Err(_) => {
                let reason = format!("no answer within {} s", CONNECT_TIMEOUT.as_secs());
                return Err(Error::Unreachable { host: host.clone(), reason });
            }
        };
        check_version(&version)?;
        // Another task may have been first, with the same answer.
        let _ = self.inner.version.set(version);
        Ok(())
    }

    /// The database that statements run in.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.inner.database
    }

    /// The server's version as it gives it, for example `26.7.2.1`; empty before it was checked.
    #[must_use]
    pub fn version(&self) -> &str {
        self.inner.version.get().map_or("", String::as_str)
    }

    /// A handle to another database of the same server, by the same user. Whether it exists is not checked.
    pub(crate) fn with_database(&self, database: &str) -> Self {
        let Inner { driver, host, version, .. } = self.inner.as_ref();
        let driver = driver.clone().with_database(database);
        let (host, version) = (host.clone(), version.clone());
        Self { inner: Arc::new(Inner { driver, database: database.to_owned(), host, version }) }
    }

    /// The official driver beneath, for what this crate does not offer.
    #[must_use]
    pub fn driver(&self) -> &clickhouse::Client {
        &self.inner.driver
    }

    /// A statement that is sent verbatim: `?` is no placeholder, parameters are `{name:Type}`.
    pub(crate) fn query(&self, sql: &str) -> Query {
        self.inner.driver.query_raw(sql)
    }

    /// Runs a statement that returns no rows, and waits until it is done.
    pub(crate) async fn execute(&self, query: Query) -> Result<()> {
        let done = query.with_setting("wait_end_of_query", "1").execute().await;
        done.map_err(|error| self.error(&error))
    }

    /// Runs a statement and collects its rows.
    pub(crate) async fn rows<T>(&self, query: Query) -> Result<Vec<T>>
    where
        T: clickhouse::RowOwned + clickhouse::RowRead,
    {
        query.fetch_all().await.map_err(|error| self.error(&error))
    }

    /// Runs a statement that returns exactly one row.
    pub(crate) async fn row<T>(&self, query: Query) -> Result<T>
    where
        T: clickhouse::RowOwned + clickhouse::RowRead,
    {
        query.fetch_one().await.map_err(|error| self.error(&error))
    }

    /// Runs a statement and returns its rows as JSON, each an object on a line of its own.
    pub(crate) async fn json_lines(&self, query: Query) -> Result<String> {
        let mut answer = query.fetch_bytes("JSONEachRow").map_err(|error| self.error(&error))?;
        let answer = answer.collect().await.map_err(|error| self.error(&error))?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    pub(crate) fn error(&self, error: &clickhouse::error::Error) -> Error {
        Error::from_driver(&self.inner.host, error)
    }
}

/// The official driver over an HTTP client like its own, but without Nagle's algorithm.
///
/// An insert is sent as its head and then its rows. With Nagle's algorithm the rows wait until the server has
/// acknowledged the head, which it delays by 40 ms: ten times what the insert of a small batch takes.
fn driver() -> clickhouse::Client {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.set_keepalive(Some(KEEPALIVE));
    let provider = rustls::crypto::ring::default_provider();
    let tls = HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(provider)
        .expect("the provider supports the default protocol versions")
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .build(tls);
    clickhouse::Client::with_http_client(http)
}

fn check_version(version: &str) -> Result<()> {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) if (major, minor) >= OLDEST_SERVER => Ok(()),
        _ => Err(Error::TooOld { found: version.to_owned() }),
    }
}

/// A URL taken apart. Has no `Debug`, because it holds the password.
struct Address {
    origin: String,
    host: String,
    /// Whether it is this machine: compressing takes longer there than sending.
    is_loopback: bool,
    user: String,
    password: String,
    database: String,
}

impl Address {
    fn parse(given: &str) -> Result<Self> {
        let bad = |reason: &str| Error::Url { reason: reason.to_owned() };
        let url = Url::parse(given).map_err(|error| bad(&format!("not a URL ({error})")))?;
        let default_port = match url.scheme() {
            "http" => 8123,
            "https" => 8443,
            other => return Err(bad(&format!("`{other}:` is not a scheme of ClickHouse's HTTP interface"))),
        };
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let host = url.host_str().ok_or_else(|| bad("the URL names no host"))?;
        let port = url.port().or_else(|| written_port(given)).unwrap_or(default_port);
        let host = format!("{host}:{port}");
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("the URL carries settings after the database; set them on the server"));
        }
        let decoded = |part: &str, what: &str| {
            let text = percent_decode_str(part).decode_utf8();
            text.map(|text| text.into_owned()).map_err(|_| bad(&format!("the {what} is not UTF-8")))
        };
        let database = decoded(url.path().trim_matches('/'), "database's name")?;
        if database.is_empty() {
            return Err(bad("the URL names no database"));
        }
        if database.contains('/') {
            return Err(bad("the URL has more than one path segment"));
        }
        let user = match url.username() {
            "" => "default".to_owned(),
            user => decoded(user, "user")?,
        };
        let password = decoded(url.password().unwrap_or_default(), "password")?;
        let origin = format!("{}://{host}/", url.scheme());
        Ok(Self { origin, host, is_loopback, user, password, database })
    }
}

/// The port as it stands in the text: `Url` forgets one that is its scheme's default (`:80`, `:443`).
fn written_port(given: &str) -> Option<u16> {
    let authority = given.split_once("://")?.1.split('/').next()?;
    authority.rsplit_once('@').map_or(authority, |(_, host)| host).rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        match Address::parse(url) {
            Ok(_) => panic!("{url} was accepted"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_url_is_taken_apart_and_its_credentials_decoded() {
        let address = Address::parse("https://us%40er:p%2Fw%20d@example.org/archer").unwrap();
        assert_eq!(address.origin, "https://example.org:8443/");
        assert_eq!((address.user.as_str(), address.password.as_str()), ("us@er", "p/w d"));
        assert_eq!(address.database, "archer");
        assert_eq!(Address::parse("http://h/d").unwrap().user, "default");
    }

    #[test]
    fn a_written_port_is_kept_even_where_it_is_the_scheme_s_own() {
        for (url, host) in [
            ("http://h/d", "h:8123"),
            ("https://h/d", "h:8443"),
            ("http://h:80/d", "h:80"),
            ("https://u:1@h:443/d", "h:443"),
            ("http://u:1@h/d", "h:8123"),
            ("http://[::1]:9000/d", "[::1]:9000"),
            ("http://[::1]/d", "[::1]:8123"),
        ] {
            assert_eq!(Address::parse(url).unwrap().host, host, "{url}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_name_and_its_addresses() {
        for (url, expected) in [
            ("http://localhost/d", true),
            ("http://127.0.0.1:1/d", true),
            ("http://[::1]/d", true),
            ("https://localhost.example.org/d", false),
            ("http://10.0.0.1/d", false),
        ] {
            assert_eq!(Address::parse(url).unwrap().is_loopback, expected, "{url}");
        }
    }

    #[test]
    fn a_bad_url_is_refused_with_what_is_expected_and_without_its_password() {
        for (url, reason) in [
            ("", "not a URL"),
            ("localhost:8123/archer", "`localhost:` is not a scheme"),
            ("postgres://u:hunter2@h/d", "`postgres:` is not a scheme"),
            ("http://u:hunter2@h:8123", "names no database"),
            ("http://u:hunter2@h:8123/a/b", "more than one path segment"),
            ("http://u:hunter2@h:8123/a?max_threads=1", "carries settings"),
            ("http://u:hunter2@h:99999/a", "not a URL"),
        ] {
            let said = refusal(url);
            assert!(said.contains(reason), "{url}: {said}");
            assert!(said.contains("http(s)://user:password@host:8123/database"), "{url}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn an_older_or_unreadable_server_version_is_refused() {
        for version in ["26.3.1.1", "26.10.2", "27.1", "26.3"] {
            assert!(check_version(version).is_ok(), "{version}");
        }
        for version in ["26.2.9.9", "25.12.1", "9.99", "", "head"] {
            assert!(matches!(check_version(version), Err(Error::TooOld { .. })), "{version}");
        }
    }
}
