//! What the server shows of a statement's effects, read before and after it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement};

use super::lock::LockMode;

/// A relation of the migrated schemas: a table, a view, a sequence or an index.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub(super) struct Relation {
    oid: i64,
    schema: String,
    relation: String,
    /// As a statement on this connection would have to write it.
    pub(super) name: String,
    /// The table of an index, or of a sequence that belongs to a column.
    pub(super) part_of: Option<i64>,
    /// Of an index, not of a sequence.
    pub(super) index: bool,
    /// Changes when the storage is written anew; 0 for what has none.
    pub(super) filenode: i64,
    /// Sequential scans begun in the transaction, or in this session when there is none.
    pub(super) scans: i64,
}

/// Everything that is there, by object id.
pub(super) type Relations = BTreeMap<i64, Relation>;

/// What a relation of the real database holds, by schema and name.
pub(super) type Sizes = HashMap<(String, String), Size>;

/// An estimate: the planner's number of rows, and bytes with indexes and TOAST.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) rows: Option<i64>,
    pub(super) bytes: Option<i64>,
}

impl Relation {
    pub(super) fn oid(&self) -> i64 {
        self.oid
    }

    /// Whether it is written so, with or without its schema.
    pub(super) fn is_called(&self, name: &str) -> bool {
        name == self.name || name == self.relation || name == format!("{}.{}", self.schema, self.relation)
    }

    pub(super) fn size(&self, sizes: &Sizes) -> Size {
        sizes.get(&(self.schema.clone(), self.relation.clone())).copied().unwrap_or_default()
    }
}

const USER_SCHEMA: &str =
    "n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'";

/// The relations of all schemas but the server's own and the session's temporary ones.
pub(super) async fn relations(db: &impl ConnectionTrait) -> Result<Relations, DbErr> {
    let sql = format!(
        "select c.oid::int8 as oid, n.nspname::text as schema, c.relname::text as relation, \
            c.oid::regclass::text as name, coalesce(i.indrelid, d.refobjid)::int8 as part_of, \
            i.indexrelid is not null as index, coalesce(pg_relation_filenode(c.oid), 0)::int8 as filenode, \
            coalesce(pg_stat_get_xact_numscans(c.oid), 0) as scans \
         from pg_class c join pg_namespace n on n.oid = c.relnamespace \
         left join pg_index i on i.indexrelid = c.oid \
         left join pg_depend d on c.relkind = 'S' and d.classid = 'pg_class'::regclass and d.objid = c.oid \
            and d.objsubid = 0 and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i') \
         where c.relkind in ('r', 'p', 'm', 'v', 'f', 'S', 'i', 'I') and {USER_SCHEMA}"
    );
    let found = Relation::find_by_statement(Statement::from_string(db.get_database_backend(), sql));
    Ok(found.all(db).await?.into_iter().map(|relation| (relation.oid, relation)).collect())
}

/// The strongest lock that this transaction holds on each relation, the server's own included.
pub(super) async fn locks(db: &impl ConnectionTrait) -> Result<BTreeMap<i64, LockMode>, DbErr> {
    let sql = "select relation::int8 as oid, mode from pg_locks \
         where locktype = 'relation' and granted and pid = pg_backend_pid() \
           and database = (select oid from pg_database where datname = current_database())";
    let mut strongest = BTreeMap::new();
    for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await? {
        let mode: String = row.try_get("", "mode")?;
        if let Some(mode) = LockMode::of_pg_locks(&mode) {
            let held = strongest.entry(row.try_get("", "oid")?).or_insert(mode);
            *held = mode.max(*held);
        }
    }
    Ok(strongest)
}

/// Foreign keys that hold for every row: the constraint, its table and the table that it points to.
///
/// Adding or validating one reads both sides, but on an empty table the join ends before it has begun to
/// read the side that is pointed to, so the counter of that side does not move.
pub(super) async fn foreign_keys(db: &impl ConnectionTrait) -> Result<BTreeSet<(i64, i64, i64)>, DbErr> {
    let sql = "select oid::int8 as oid, conrelid::int8 as from_table, confrelid::int8 as to_table \
         from pg_constraint where contype = 'f' and convalidated";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    rows.iter()
        .map(|row| {
            Ok((row.try_get("", "oid")?, row.try_get("", "from_table")?, row.try_get("", "to_table")?))
        })
        .collect()
}

/// What the tables of the real database hold; of a partitioned one, its partitions' bytes together.
pub(super) async fn sizes(db: &impl ConnectionTrait) -> Result<Sizes, DbErr> {
    let sql = format!(
        "select n.nspname::text as schema, c.relname::text as relation, \
            case when c.reltuples >= 0 then c.reltuples::int8 end as rows, \
            case c.relkind when 'p' \
               then (select sum(pg_total_relation_size(relid))::int8 from pg_partition_tree(c.oid)) \
               else pg_total_relation_size(c.oid) end as bytes \
         from pg_class c join pg_namespace n on n.oid = c.relnamespace \
         where c.relkind in ('r', 'p', 'm') and {USER_SCHEMA}"
    );
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    rows.iter()
        .map(|row| {
            let name = (row.try_get("", "schema")?, row.try_get("", "relation")?);
            Ok((name, Size { rows: row.try_get("", "rows")?, bytes: row.try_get("", "bytes")? }))
        })
        .collect()
}
