//! A throwaway database on the same server, for what must not touch a real one.

use std::time::Duration;

use sea_orm::sqlx::{self, Connection, PgConnection, Row};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement, TransactionTrait};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use crate::Direction;
use crate::driver::{db_err, execute};
use crate::run::is_transactional;
use crate::session::{Session, Timeouts};

/// Every throwaway database's name begins so; one that nobody is connected to an hour later is left over
/// from a program that was killed, and dropped by the next.
const PREFIX: &str = "migration_scratch_";

/// What works on it may take its time.
const ENDLESS: Timeouts = Timeouts { lock: Duration::ZERO, statement: Duration::ZERO };

/// An empty database of its own. [`Scratch::drop`] has to be called; a killed program's is dropped later.
#[derive(Debug)]
pub(crate) struct Scratch {
    session: Session,
    db: DatabaseConnection,
    admin: PgConnection,
    name: String,
}

impl Scratch {
    /// Creates it on the server of `db`, by the role of `db`, which must be allowed to create databases. It
    /// has the schemas that `db` works in, empty, and connections to it see what those of `db` see.
    pub(crate) async fn create(db: &DatabaseConnection) -> Result<Self, DbErr> {
        let session = Session::of(db).await?;
        let schemas = "select string_agg(format('create schema if not exists %I', name), '; ') as sql \
                       from unnest(current_schemas(false)) as name";
        let schemas = db.query_one_raw(Statement::from_string(db.get_database_backend(), schemas)).await?;
        let schemas: Option<String> = schemas.map_or(Ok(None), |row| row.try_get("", "sql"))?;

        let mut admin = session.connect("migration scratch").await.map_err(db_err)?;
        drop_left_over(&mut admin).await.map_err(db_err)?;
        let name = new_name(&mut admin).await.map_err(db_err)?;
        execute(&mut admin, &format!("create database {name} template template0")).await.map_err(db_err)?;
        let session = session.in_database(&name);
        let db = session.pool("migration scratch", ENDLESS);
        let scratch = Self { session, db, admin, name };
        match scratch.db.execute_unprepared(schemas.as_deref().unwrap_or_default()).await {
            Ok(_) => Ok(scratch),
            Err(error) => {
                scratch.drop().await?;
                Err(error)
            }
        }
    }

    /// A pool of connections to it, as its owner.
    pub(crate) fn db(&self) -> &DatabaseConnection {
        &self.db
    }

    /// The one connection of a pool of its own.
    pub(crate) fn single(&self) -> DatabaseConnection {
        self.session.single("migration scratch", ENDLESS)
    }

    /// Runs a migration as a run would: in a transaction unless it opts out.
    pub(crate) async fn run(
        &self,
        migration: &dyn MigrationTrait,
        direction: Direction,
    ) -> Result<(), DbErr> {
        if !is_transactional(migration) {
            return direction.run(migration, &SchemaManager::new(&self.db)).await;
        }
        let txn = self.db.begin().await?;
        match direction.run(migration, &SchemaManager::new(&txn)).await {
            Ok(()) => {
                // Refused in a transaction whose error the migration has swallowed, and whose commit would
                // roll back in silence.
                txn.execute_unprepared("set constraints all immediate").await?;
                txn.commit().await
            }
            Err(error) => {
                txn.rollback().await?;
                Err(error)
            }
        }
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

/// With the second in it, by the server's clock, so that the next can tell how old it is.
async fn new_name(admin: &mut PgConnection) -> sqlx::Result<String> {
    let name = "select $1 || extract(epoch from now())::bigint || '_' || $2";
    let chance = format!("{:08x}", rand::random::<u32>());
    sqlx::query(name).bind(PREFIX).bind(chance).fetch_one(admin).await?.try_get(0)
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
