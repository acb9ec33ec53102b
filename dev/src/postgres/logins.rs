//! Who connects to an embedded cluster beside the superuser: a login for each role of a database that tells its
//! roles apart, so that development meets what an operator sets up (see the README, "Roles").

use sea_orm::sqlx::{self, AssertSqlSafe, Connection, PgConnection, Row};
use sha2::{Digest as _, Sha256};

use crate::secret::SecretUrl;

use super::USER;

/// What somebody connects for. The role in the database is called `<database>_<role>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To migrate.
    Owner,
    /// To serve.
    Writer,
    /// To report.
    Reader,
}

/// The databases whose migrations create roles.
const DATABASES: [&str; 1] = ["identitydb"];

impl Role {
    const ALL: [Self; 3] = [Self::Owner, Self::Writer, Self::Reader];

    /// The role in `database`, which can't log in.
    fn name(self, database: &str) -> String {
        let role = match self {
            Self::Owner => "owner",
            Self::Writer => "writer",
            Self::Reader => "reader",
        };
        format!("{database}_{role}")
    }

    /// Who logs in to be it.
    #[must_use]
    pub const fn login(self) -> &'static str {
        match self {
            Self::Owner => "archer_migrator",
            Self::Writer => "archer_service",
            Self::Reader => "archer_reports",
        }
    }

    /// Made of the superuser's, one way: nothing more to keep, and who knows this one can't tell the other.
    fn password(self, superuser: &SecretUrl) -> String {
        let mut sha256 = Sha256::new();
        sha256.update(superuser.as_url().password().unwrap_or_default());
        sha256.update([0]);
        sha256.update(self.login());
        sha256.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// How to connect to `database` as this role; as the superuser where it has no roles.
    #[must_use]
    pub(crate) fn url(self, superuser: &SecretUrl, database: &str) -> SecretUrl {
        let url = superuser.with_database(database);
        if !DATABASES.contains(&database) {
            return url;
        }
        url.with_user(self.login(), &self.password(superuser))
    }
}

/// Makes the roles and logins that are missing, and has the databases owned by who migrates them, also what is in
/// a cluster that an older version made. The databases are there already.
pub(super) async fn prepare(superuser: &SecretUrl, connection: &mut PgConnection) -> sqlx::Result<()> {
    for database in DATABASES {
        for role in Role::ALL {
            let (name, login) = (role.name(database), role.login());
            // Its password is set again, since the cluster's may have been replaced.
            let sql = format!(
                "do $$ begin
                     if to_regrole('{name}') is null then create role {name} nologin; end if;
                     if to_regrole('{login}') is null then create role {login}; end if;
                 end $$;
                 alter role {login} login password '{}';
                 grant {name} to {login}",
                role.password(superuser)
            );
            execute(connection, &sql).await?;
        }
        let migrator = Role::Owner.login();
        // `archer migrate plan` and `verify` work on throwaway databases.
        let sql = format!(
            "alter role {migrator} createdb; alter database {database} owner to {}",
            Role::Owner.name(database)
        );
        execute(connection, &sql).await?;
        let mut inside = PgConnection::connect(superuser.with_database(database).expose()).await?;
        for row in sqlx::query(OF_THE_SUPERUSER).bind(USER).fetch_all(&mut inside).await? {
            let what: String = row.try_get(0)?;
            execute(&mut inside, &format!("alter {what} owner to {migrator}")).await?;
        }
        inside.close().await?;
    }
    Ok(())
}

/// What the superuser owns beside the catalog and the members of extensions, as `alter … owner` names it.
const OF_THE_SUPERUSER: &str = "
    select format(case c.relkind when 'v' then 'view %s' when 'm' then 'materialized view %s' else 'table %s' end, c.oid::regclass)
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relowner = to_regrole($1) and c.relkind in ('r', 'p', 'v', 'm')
        and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
    union all
    select format('routine %s', p.oid::regprocedure)
    from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proowner = to_regrole($1)
        and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')";

async fn execute(connection: &mut PgConnection, sql: &str) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_a_login_of_its_own_whose_password_is_not_the_superusers() {
        let superuser = SecretUrl::new("postgres://archer:0a1b@127.0.0.1:5432/postgres".parse().unwrap());
        let urls = Role::ALL.map(|role| role.url(&superuser, "identitydb"));
        let users = urls.each_ref().map(|url| url.as_url().username().to_owned());
        assert_eq!(users, ["archer_migrator", "archer_service", "archer_reports"]);
        for url in &urls {
            assert_eq!((url.as_url().path(), url.expose().contains("0a1b")), ("/identitydb", false));
        }
        assert!(urls[0].as_url().password() != urls[1].as_url().password());
        assert_eq!(Role::Writer.url(&superuser, "ardb").as_url().username(), "archer");
    }
}
