//! A throwaway database on the same server, for what must not touch a real one.

use std::time::{SystemTime, UNIX_EPOCH};

use sea_orm::sqlx::{AssertSqlSafe, Connection, PgConnection, Row, raw_sql};
use sea_orm::{DatabaseConnection, DbErr, RuntimeErr, sqlx};

/// Every throwaway database's name begins so; one that nobody is connected to an hour later is left over
/// from a program that was killed, and dropped by the next.
const PREFIX: &str = "migration_scratch_";

/// An empty database of its own. [`Scratch::drop`] has to be called; a killed program's is dropped later.
#[derive(Debug)]
pub(crate) struct Scratch {
    db: DatabaseConnection,
    admin: PgConnection,
    name: String,
}

impl Scratch {
    /// Creates it on the server of `db`, by the role of `db`, which must be allowed to create databases.
    pub(crate) async fn create(db: &DatabaseConnection) -> Result<Self, DbErr> {
        let options = db.get_postgres_connection_pool().connect_options();
        let options = (*options).clone().application_name("migration scratch");
        let mut admin = PgConnection::connect_with(&options).await.map_err(db_err)?;
        drop_left_over(&mut admin).await.map_err(db_err)?;
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let name = format!("{PREFIX}{seconds}_{:08x}", rand::random::<u32>());
        execute(&mut admin, &format!("create database {name} template template0")).await.map_err(db_err)?;
        let url = options.database(&name);
        let pool = sqlx::postgres::PgPoolOptions::new()
            .max_connections(4)
            .min_connections(1)
            .connect_with(url)
            .await;
        match pool {
            Ok(pool) => {
                Ok(Self { db: sea_orm::SqlxPostgresConnector::from_sqlx_postgres_pool(pool), admin, name })
            }
            Err(error) => {
                execute(&mut admin, &format!("drop database {name} with (force)")).await.map_err(db_err)?;
                Err(db_err(error))
            }
        }
    }

    /// A pool of connections to it, as its owner.
    pub(crate) fn db(&self) -> &DatabaseConnection {
        &self.db
    }

    /// Drops it, with whatever is still connected.
    pub(crate) async fn drop(mut self) -> Result<(), DbErr> {
        self.db.close().await?;
        execute(&mut self.admin, &format!("drop database {} with (force)", self.name))
            .await
            .map_err(db_err)?;
        self.admin.close().await.map_err(db_err)
    }
}

async fn drop_left_over(admin: &mut PgConnection) -> sqlx::Result<()> {
    let left_over = sqlx::query(
        "select datname::text from pg_database d \
         where datname ~ ('^' || $1 || '[0-9]+_[0-9a-f]{8}$') and pg_has_role(datdba, 'usage') \
           and split_part(datname, '_', 3)::bigint < extract(epoch from now()) - 3600 \
           and not exists (select from pg_stat_activity a where a.datid = d.oid)",
    )
    .bind(PREFIX)
    .fetch_all(&mut *admin)
    .await?;
    for row in left_over {
        execute(admin, &format!("drop database if exists {}", row.try_get::<String, _>(0)?)).await?;
    }
    Ok(())
}

async fn execute(admin: &mut PgConnection, sql: &str) -> sqlx::Result<()> {
    raw_sql(AssertSqlSafe(sql.to_owned())).execute(admin).await.map(drop)
}

fn db_err(source: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(source.into()))
}
