//! The server's configuration files.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::secret;

use super::{CLUSTER, USER};

/// What [`write`] wrote.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) file: PathBuf,
    pub(super) data: PathBuf,
    pub(super) password: String,
}

/// The statements of the session that starts the server: what keeps it running is that the last
/// one reads standard input to its end.
pub(super) const START: &str = "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; SELECT count() FROM file('/dev/stdin', 'LineAsString')";
/// How many there are.
const START_STATEMENTS: u32 = 3;

/// A server of a cluster, as the others reach it.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) tcp_port: u16,
    pub(super) password: String,
}

/// Writes the configuration into `folder`; only its owner can read it. With `peers` the server is one of a cluster
/// of theirs, a shard each.
pub(super) fn write(folder: &Path, peers: &[Peer]) -> Result<Config> {
    let password = secret::password(&folder.join("password"))?;
    let users = folder.join("users.xml");
    secret::write_private(&users, &users_xml(&password, !peers.is_empty()))?;
    let file = folder.join("config.xml");
    let log = folder.join("clickhouse.log");
    secret::write_private(&file, &config_xml(&log, &users, &remote_servers_xml(peers)))?;
    Ok(Config { file, data: folder.join("data"), password })
}

/// Caches and pools are those of a laptop, not of a server of its own: about 200 MB resident.
fn config_xml(log: &Path, users: &Path, remote_servers: &str) -> String {
    format!(
        "<clickhouse>
  <logger>
    <level>warning</level>
    <log>{log}</log>
    <size>10M</size>
    <count>2</count>
    <console>0</console>
  </logger>
  <users_config>{users}</users_config>
  <timezone>UTC</timezone>
  <mark_cache_size>67108864</mark_cache_size>
  <index_mark_cache_size>16777216</index_mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <mmap_cache_size>256</mmap_cache_size>
  <compiled_expression_cache_size>16777216</compiled_expression_cache_size>
  <background_pool_size>4</background_pool_size>
  <background_merges_mutations_concurrency_ratio>2</background_merges_mutations_concurrency_ratio>
  <background_schedule_pool_size>8</background_schedule_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <background_move_pool_size>1</background_move_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <tables_loader_foreground_pool_size>2</tables_loader_foreground_pool_size>
  <tables_loader_background_pool_size>2</tables_loader_background_pool_size>
  <merge_tree>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>2</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_mutation>2</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>2</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
  </merge_tree>
{remote_servers}</clickhouse>
",
        log = escape(log),
        users = escape(users),
    )
}

fn remote_servers_xml(peers: &[Peer]) -> String {
    if peers.is_empty() {
        return String::new();
    }
    let mut shards = String::new();
    for Peer { tcp_port, password } in peers {
        shards.push_str(&format!(
            "      <shard><replica><host>127.0.0.1</host><port>{tcp_port}</port>\
             <user>{USER}</user><password>{password}</password></replica></shard>\n"
        ));
    }
    format!("  <remote_servers>\n    <{CLUSTER}>\n{shards}    </{CLUSTER}>\n  </remote_servers>\n")
}

/// The session that starts the server is user `default`, from loopback and without a password, and
/// so would be anybody on this machine. So `default` may do no more than that session does, and no
/// more often: a quota of as many statements, of which the server's first client uses up what the
/// session leaves.
///
/// Our user has what works on tables, and neither the sources (files, URLs, other servers) nor the
/// administration of users; other servers only where it is one of a cluster.
fn users_xml(password: &str, has_peers: bool) -> String {
    let remote = if has_peers { "<query>GRANT READ, WRITE ON REMOTE</query>" } else { "" };
    format!(
        "<clickhouse>
  <users>
    <default>
      <no_password/>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>start</quota>
      <grants>
        <query>GRANT SYSTEM LISTEN ON *.*</query>
        <query>GRANT CREATE TEMPORARY TABLE ON *.*</query>
        <query>GRANT READ ON FILE</query>
      </grants>
    </default>
    <{USER}>
      <password>{password}</password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SHOW, CHECK, SELECT, INSERT, ALTER, CREATE, DROP, UNDROP TABLE, TRUNCATE, OPTIMIZE ON *.*</query>
        <query>GRANT SYSTEM, INTROSPECTION, dictGet ON *.*</query>
        <query>GRANT TABLE ENGINE ON *</query>{remote}
      </grants>
    </{USER}>
  </users>
  <profiles><default/></profiles>
  <quotas>
    <default/>
    <start>
      <interval><duration>{forever}</duration><queries>{START_STATEMENTS}</queries></interval>
    </start>
  </quotas>
</clickhouse>
",
        // Ten years, in seconds; more does not fit where ClickHouse reads it.
        forever = 315_360_000,
    )
}

fn escape(path: &Path) -> String {
    path.to_string_lossy().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quota_is_the_number_of_statements() {
        assert_eq!(START.split(';').count(), START_STATEMENTS as usize);
    }

    #[test]
    fn a_path_cannot_break_the_configuration() {
        let text = config_xml(Path::new("/a&b/<c>"), Path::new("/u"), "");
        assert!(text.contains("<log>/a&amp;b/&lt;c&gt;</log>"), "{text}");
    }
}
