//! Real payloads of every source keep their actor, repository, time and kind; and all sources reach the tables.

use events::source::{bitbucket, github, gitlab, heartbeats, ndjson};
use events::{Client, Event, Intake, Normalised, writer};
use serde_json::Value;

use crate::harness::{TestEvents, archer, corpus, corpus_entries, run};

/// `1970-01-01T00:00:00Z`: the payload tells no time.
const UNKNOWN: &str = "1970-01-01T00:00:00Z";

/// File, actor, repository, time, kind.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

const GITLAB: [Row; 20] = [
    ("build-event", "User", "gitlab-org/gitlab-test", UNKNOWN, "build.created"),
    ("comment-issue-event", "root", "gitlab-org/gitlab-test", "2015-05-17T17:06:40Z", "note"),
    ("comment-snippet-event", "root", "gitlab-org/gitlab-test", "2015-05-17T18:35:50Z", "note"),
    ("confidential-issue-event", "root", "gitlabhq/gitlab-test", "2013-12-03T17:15:43Z", "issue.open"),
    ("issue-event", "root", "gitlabhq/gitlab-test", "2013-12-03T17:15:43Z", "issue.open"),
    ("merge-request-event", "root", "gitlabhq/gitlab-test", "2013-12-03T17:23:34Z", "merge_request.open"),
    ("push-event", "John Smith", "mike/diaspora", "2012-01-03T21:36:29Z", "push"),
    ("system-group-created", "", "", "2012-07-21T07:38:22Z", "group_create"),
    ("system-group-member-removed", "johnsmith", "", "2012-07-21T07:38:22Z", "user_remove_from_group"),
    ("system-group-removed", "", "", "2012-07-21T07:38:22Z", "group_destroy"),
    ("system-key-added", "root", "", "2014-08-18T18:45:16Z", "key_create"),
    ("system-merge-request-event", "root", "jsmith/example", "2017-09-28T12:23:42.365Z", "merge_request"),
    ("system-project-destroyed", "", "jsmith/underscore", "2012-07-21T07:38:22Z", "project_destroy"),
    ("system-project-transferred", "", "scores/underscore", "2012-07-21T07:38:22Z", "project_transfer"),
    ("system-push-event", "John Smith", "mike/diaspora", "2013-05-13T18:18:08Z", "push"),
    (
        "system-team-member-added",
        "johnsmith",
        "jsmith/storecloud",
        "2012-07-21T07:38:22Z",
        "user_add_to_team",
    ),
    (
        "system-team-member-updated",
        "johnsmith",
        "jsmith/storecloud",
        "2012-07-21T07:38:22Z",
        "user_update_for_team",
    ),
    ("system-user-failed-login", "user4", "", "2018-01-15T04:52:06Z", "user_failed_login"),
    ("system-user-renamed", "new-exciting-name", "", "2017-11-01T14:04:47Z", "user_rename"),
    ("wikipage-event", "root", "root/awesome-project", UNKNOWN, "wiki_page.create"),
];

const BITBUCKET: [Row; 9] = [
    (
        "commit-comment-created",
        "emmap1",
        "team_name/repo_name",
        "2015-04-06T16:52:29.983Z",
        "repo.commit_comment_created",
    ),
    ("issue-created", "emmap1", "team_name/repo_name", "2015-04-06T15:23:38.179Z", "issue.created"),
    (
        "pull-request-approval-removed",
        "emmap1",
        "team_name/repo_name",
        "2015-04-06T16:34:59.195Z",
        "pullrequest.unapproved",
    ),
    (
        "pull-request-comment-created",
        "emmap1",
        "team_name/repo_name",
        "2015-04-06T16:52:29.983Z",
        "pullrequest.comment_created",
    ),
    (
        "pull-request-comment-updated",
        "emmap1",
        "team_name/repo_name",
        "2015-04-06T16:52:29.983Z",
        "pullrequest.comment_updated",
    ),
    (
        "pull-request-declined",
        "emmap1",
        "team_name/repo_name",
        "2015-04-06T15:23:38.205Z",
        "pullrequest.rejected",
    ),
    (
        "pull-request-updated",
        "emmap1",
        "team_name/repo_name",
        "2015-04-06T15:23:38.205Z",
        "pullrequest.updated",
    ),
    (
        "repo-commit-status-updated",
        "emmap1",
        "team_name/repo_name",
        "2015-11-20T08:01:16.433Z",
        "repo.commit_status_updated",
    ),
    ("repo-push", "emmap1", "team_name/repo_name", "2015-06-09T03:34:49Z", "repo.push"),
];

/// The request is the file's name without what all have.
const HEARTBEATS: [Row; 10] = [
    (
        "cmd_params_testdata_extra_heartbeats",
        "octo",
        "wakatime-cli",
        "2020-03-30T19:54:19Z",
        "heartbeat.coding",
    ),
    (
        "cmd_params_testdata_extra_heartbeats",
        "octo",
        "wakatime-cli",
        "2020-03-30T19:54:20Z",
        "heartbeat.debugging",
    ),
    (
        "cmd_testdata_api_heartbeats_request",
        "octo",
        "wakatime-cli",
        "2020-06-22T23:26:07.219Z",
        "heartbeat.coding",
    ),
    (
        "cmd_testdata_api_heartbeats_request",
        "octo",
        "wakatime",
        "2020-06-22T23:26:26.079Z",
        "heartbeat.debugging",
    ),
    (
        "pkg_api_testdata_api_heartbeats_request",
        "octo",
        "wakatime-cli",
        "2020-03-30T19:54:19Z",
        "heartbeat.coding",
    ),
    ("pkg_api_testdata_api_heartbeats_request", "octo", "", "2020-03-30T19:54:20Z", "heartbeat.debugging"),
    ("pkg_heartbeat_testdata_heartbeat", "octo", "wakatime", "2020-03-30T19:54:20.1Z", "heartbeat.coding"),
    ("pkg_heartbeat_testdata_heartbeat_null_fields", "octo", "", "2020-03-30T19:54:20Z", "heartbeat.coding"),
    (
        "pkg_offline_testdata_heartbeat_go",
        "octo",
        "wakatime-cli",
        "2020-06-22T23:26:07.219Z",
        "heartbeat.coding",
    ),
    (
        "pkg_offline_testdata_heartbeat_js",
        "octo",
        "wakatime",
        "2020-06-22T23:26:34.084Z",
        "heartbeat.building",
    ),
];

/// For each event of GitHub where its payloads tell the time, best first; an empty list where none is told.
///
/// The kind is the event's name with the payload's `action`, the actor is `sender.login` and the repository
/// `repository.full_name`, or empty where the payload has none.
const GITHUB: [(&str, &[&str]); 60] = [
    ("branch_protection_rule", &["/rule/updated_at"]),
    ("check_run", &["/check_run/completed_at", "/check_run/started_at"]),
    ("check_suite", &["/check_suite/updated_at"]),
    (
        "code_scanning_alert",
        &["/alert/fixed_at", "/alert/dismissed_at", "/alert/updated_at", "/alert/created_at"],
    ),
    ("commit_comment", &["/comment/updated_at"]),
    ("create", &["/repository/pushed_at"]),
    ("delete", &["/repository/pushed_at"]),
    ("dependabot_alert", &["/alert/fixed_at", "/alert/dismissed_at", "/alert/updated_at"]),
    ("deploy_key", &["/key/created_at"]),
    ("deployment", &["/deployment/updated_at"]),
    ("deployment_review", &["/workflow_run/updated_at"]),
    ("deployment_status", &["/deployment_status/updated_at"]),
    ("discussion", &["/discussion/updated_at"]),
    ("discussion_comment", &["/comment/updated_at"]),
    ("fork", &["/forkee/updated_at"]),
    ("github_app_authorization", &[]),
    ("gollum", &["/repository/updated_at"]),
    ("installation", &["/installation/updated_at"]),
    ("installation_repositories", &["/installation/updated_at"]),
    ("issue_comment", &["/comment/updated_at"]),
    ("issues", &["/issue/updated_at"]),
    ("label", &["/repository/updated_at"]),
    ("marketplace_purchase", &["/effective_date"]),
    ("member", &["/repository/updated_at"]),
    ("membership", &[]),
    ("merge_group", &["/merge_group/head_commit/timestamp"]),
    ("meta", &["/hook/updated_at"]),
    ("milestone", &["/milestone/updated_at"]),
    ("org_block", &[]),
    ("organization", &["/invitation/created_at"]),
    ("package", &["/package/updated_at"]),
    ("page_build", &["/build/updated_at"]),
    ("ping", &["/hook/updated_at"]),
    ("project", &["/project/updated_at"]),
    ("project_card", &["/project_card/updated_at"]),
    ("project_column", &["/project_column/updated_at"]),
    ("projects_v2_item", &["/projects_v2_item/updated_at"]),
    ("public", &["/repository/updated_at"]),
    ("pull_request", &["/pull_request/updated_at"]),
    ("pull_request_review", &["/review/submitted_at"]),
    ("pull_request_review_comment", &["/comment/updated_at"]),
    ("pull_request_review_thread", &["/pull_request/updated_at"]),
    ("push", &["/repository/pushed_at"]),
    ("registry_package", &["/registry_package/updated_at"]),
    ("release", &["/release/updated_at", "/release/published_at", "/release/created_at"]),
    ("repository", &["/repository/updated_at"]),
    ("repository_dispatch", &["/repository/updated_at"]),
    ("repository_import", &["/repository/updated_at"]),
    ("repository_vulnerability_alert", &["/alert/dismissed_at", "/alert/created_at"]),
    (
        "secret_scanning_alert",
        &["/alert/resolved_at", "/alert/updated_at", "/alert/created_at", "/repository/updated_at"],
    ),
    ("security_advisory", &["/security_advisory/updated_at"]),
    ("sponsorship", &["/sponsorship/created_at"]),
    ("star", &["/starred_at", "/repository/updated_at"]),
    ("status", &["/updated_at"]),
    ("team", &["/repository/updated_at"]),
    ("team_add", &["/repository/updated_at"]),
    ("watch", &["/repository/updated_at"]),
    ("workflow_dispatch", &["/repository/updated_at"]),
    ("workflow_job", &["/workflow_job/completed_at", "/workflow_job/started_at"]),
    ("workflow_run", &["/workflow_run/updated_at"]),
];

fn intake() -> Intake {
    Intake::new("default", "2024-06-01T12:00:00Z".parse().unwrap())
}

fn stem(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.strip_suffix(".json").unwrap_or(file)
}

fn columns(event: &Event) -> [String; 4] {
    let time = event.occurred_at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    [event.actor.clone(), event.repository.clone(), time, event.kind.clone()]
}

fn assert_rows(found: &[(String, Normalised)], expected: &[Row]) {
    let found: Vec<_> = found
        .iter()
        .map(|(name, item)| {
            (stem(name).to_owned(), columns(item.as_ref().expect("every payload is an event")))
        })
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, actor, repository, time, kind)| {
            let time: chrono::DateTime<chrono::Utc> = time.parse().unwrap();
            let time = time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
            ((*name).to_owned(), [(*actor).to_owned(), (*repository).to_owned(), time, (*kind).to_owned()])
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn every_payload_of_gitlab_and_bitbucket_keeps_its_actor_repository_time_and_kind() {
    let Some(zip) = corpus("gitlab-bitbucket-webhooks.zip") else { return };
    let of_gitlab: Vec<_> = corpus_entries(&zip, "gitlab/")
        .into_iter()
        .map(|(name, body)| (name, gitlab::event(&intake(), None, &body)))
        .collect();
    assert_rows(&of_gitlab, &GITLAB);
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<_> = corpus_entries(&zip, "bitbucket/")
        .into_iter()
        .map(|(name, body)| {
            std::fs::write(folder.path().join(name.rsplit('/').next().unwrap()), body).unwrap();
            name
        })
        .collect();
    let of_bitbucket: Vec<_> =
        names.into_iter().zip(bitbucket::read(intake(), folder.path()).unwrap()).collect();
    assert_rows(&of_bitbucket, &BITBUCKET);
}

#[test]
fn every_heartbeat_request_keeps_its_actor_repository_time_and_kind() {
    let Some(zip) = corpus("editor-heartbeats.zip") else { return };
    let found: Vec<_> = corpus_entries(&zip, "")
        .into_iter()
        .flat_map(|(name, body)| {
            let items = heartbeats::events(&intake(), "octo", &body);
            items.into_iter().map(move |item| (name.clone(), item))
        })
        .collect();
    assert_rows(&found, &HEARTBEATS);
}

#[test]
fn every_payload_of_github_keeps_its_actor_repository_time_and_kind() {
    let Some(zip) = corpus("github-webhooks.zip") else { return };
    let payloads = corpus_entries(&zip, "");
    assert_eq!(payloads.len(), 273);
    let names: std::collections::BTreeSet<_> =
        payloads.iter().filter_map(|(name, _)| name.split('/').rev().nth(1)).collect();
    assert!(GITHUB.iter().map(|(event, _)| *event).eq(names));
    let mut differing = Vec::new();
    for (name, body) in &payloads {
        let (event, paths) =
            *GITHUB.iter().find(|(event, _)| name.split('/').rev().nth(1) == Some(event)).unwrap();
        let payload: Value = serde_json::from_slice(body).unwrap();
        let text = |path: &str| payload.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let kind = [event, text("/action")]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(".");
        let told = paths.iter().filter_map(|path| payload.pointer(path)).find(|value| !value.is_null());
        let time: chrono::DateTime<chrono::Utc> = match told {
            Some(Value::Number(seconds)) => {
                chrono::DateTime::from_timestamp(seconds.as_i64().unwrap(), 0).unwrap()
            }
            Some(other) => other.as_str().unwrap().parse().unwrap(),
            None => UNKNOWN.parse().unwrap(),
        };
        let expected = [
            text("/sender/login").to_owned(),
            text("/repository/full_name").to_owned(),
            time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
            kind,
        ];
        let found = github::event(&intake(), event, None, body).unwrap();
        if columns(&found) != expected {
            differing.push((name, columns(&found), expected));
        }
    }
    assert_eq!(differing, []);
}

#[tokio::test]
async fn every_source_reaches_the_table_by_the_command_and_a_second_run_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestEvents::migrated().await;
    let files = [
        ("gitlab", "1.json", r#"{"object_kind":"push","ref":"refs/heads/main","user_username":"octo"}"#),
        ("bitbucket", "repo-push.json", r#"{"push":{"changes":[]},"actor":{"nickname":"octo"}}"#),
        ("heartbeats", "h.ndjson", "{\"entity\":\"a.rs\",\"time\":1714557600.5}\n{\"entity\":7}\n"),
        ("browser", "b.json", r#"{"events":[{"kind":"page.viewed","time":1714557600,"actor":"octo"}]}"#),
        (
            "cloudevents",
            "c.json",
            r#"[{"specversion":"1.0","id":"1","source":"/x","type":"a.b"},{"specversion":"1.0"}]"#,
        ),
        ("ndjson", "e.ndjson", "{\"kind\":\"a.b\",\"time\":1}\nnot json\n"),
    ];
    for (source, name, content) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let dead = u64::from(
            content.contains(":7}") || content.contains("\"1.0\"}]") || content.contains("not json"),
        );
        for expected in [[1 + dead, 1, 0, dead], [1 + dead, 0, 1, dead]] {
            let mut command = archer(&["ingest", source, path.to_str().unwrap(), "--json"]);
            command.env("CLICKHOUSE_URL", database.url());
            let ran = run(command).await;
            assert_eq!(ran.code, i32::from(dead > 0), "{source}: {}", ran.stderr);
            let report: Value = serde_json::from_str(&ran.stdout).unwrap();
            let counts = ["read", "written", "duplicate", "dead"].map(|key| report[key].as_u64().unwrap());
            assert_eq!(counts, expected, "{source}: {}", ran.stdout);
        }
    }
    let sources = "SELECT source, kind FROM events FINAL ORDER BY source";
    assert_eq!(
        database.execute(sources).await.trim().replace('\t', " "),
        "bitbucket repo.push\nbrowser page.viewed\ncloudevents a.b\ngitlab push\nheartbeats heartbeat.coding\nndjson a.b"
    );
    let letters = "SELECT source, place FROM dead_letters FINAL ORDER BY source";
    let place = |name: &str| folder.path().join(name).display().to_string();
    assert_eq!(
        database.execute(letters).await.trim().replace('\t', " "),
        format!(
            "cloudevents {}[1]\nheartbeats {}:2\nndjson {}:2",
            place("c.json"),
            place("h.ndjson"),
            place("e.ndjson")
        )
    );
}

#[tokio::test]
async fn lines_that_no_parser_expects_are_dead_letters_with_their_place_and_the_rest_is_written() {
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.ndjson");
    let huge = format!("{{\"kind\":\"x\",\"time\":1,\"title\":\"{}\"}}", "x".repeat(8 << 20));
    let lines = [
        &br#"{"kind":"x","time":1}"#[..],
        &b"[".repeat(1 << 20),
        b"{\"kind\":\"\0\",\"time\":1}",
        b"\xff\xfe",
        br#"{"kind":{"x":[1]},"time":1}"#,
        br#"{"kind":"\ud800","time":1}"#,
        huge.as_bytes(),
    ];
    std::fs::write(&path, lines.join(&b'\n')).unwrap();
    let items = ndjson::read(intake(), &path).unwrap();
    let report = writer::write(&client, items, writer::Options::default(), |_| {}).await.unwrap();
    assert_eq!([report.read, report.written, report.dead], [7, 2, 5], "{:?}", report.dead_letters);
    let places: Vec<_> = report.dead_letters.iter().map(|letter| letter.place.clone()).collect();
    assert_eq!(places, [2, 3, 4, 5, 6].map(|number| format!("{}:{number}", path.display())));
}
