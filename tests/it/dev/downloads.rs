//! The download of an embedded server: damaged, refused, impossible.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Place;
use crate::harness::{Ran, run};

/// Runs `up` for ClickHouse with `path` as PATH and an empty cache.
async fn up_from_scratch(place: &Place, path: &Path, cache: &Path) -> Ran {
    let mut command = place.command(&["dev", "up", "--only", "clickhouse"]);
    command.env("PATH", path).env("ARCHER_CACHE", cache);
    run(command).await
}

#[tokio::test]
async fn a_download_with_a_wrong_checksum_is_refused_and_leaves_nothing() {
    let (place, path, cache) = (Place::new(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::create_dir(cache.path().join("unfinished-of-a-killed-process")).unwrap();
    let npm = path.path().join("npm");
    std::fs::write(
        &npm,
        "#!/bin/sh\nwhile [ \"$1\" != --pack-destination ]; do shift; done\necho no > \"$2/one.tgz\"\n",
    )
    .unwrap();
    std::fs::set_permissions(&npm, PermissionsExt::from_mode(0o755)).unwrap();
    let ran = up_from_scratch(&place, path.path(), cache.path()).await;
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for part in [
        "@chdb/lib-linux-x64-gnu@26.7.3-stable.1 has checksum sha512-",
        ", expected sha512-XP97",
        "try again",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let left: Vec<_> =
        std::fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"]);
}

#[tokio::test]
async fn an_npm_that_fails_is_quoted() {
    let (place, path, cache) = (Place::new(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let npm = path.path().join("npm");
    std::fs::write(&npm, "#!/bin/sh\necho 'npm error network is away' >&2\nexit 7\n").unwrap();
    std::fs::set_permissions(&npm, PermissionsExt::from_mode(0o755)).unwrap();
    let ran = up_from_scratch(&place, path.path(), cache.path()).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("exit status: 7: npm error network is away"), "{}", ran.stderr);
}

#[tokio::test]
async fn without_npm_one_sentence_names_the_ways_out() {
    let (place, empty) = (Place::new(), tempfile::tempdir().unwrap());
    let ran = up_from_scratch(&place, empty.path(), empty.path()).await;
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains(
            "npm is not on PATH, and this machine has no ClickHouse 26.6 or newer of its own: install npm \
             (it comes with Node.js), or ClickHouse 26.6 or newer, or set CLICKHOUSE_URL"
        ),
        "{}",
        ran.stderr
    );
}
