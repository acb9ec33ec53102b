//! Ten thousand random operations on members, teams and deletion, against a plain model in memory: the same
//! answers, and every invariant in the database after each. The service runs as `identitydb_writer`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use chrono::TimeDelta;
use entity_identitydb::{OrganizationId, Role, TeamId, UserId};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use service::Error;
use service::identitydb::{Act, organization, organization_user, team, team_user, user};

use super::{create, noon, register};
use crate::harness::TestDb;

const STEPS: i64 = 10_000;
const USERS: usize = 6;
const ORGANIZATIONS: usize = 3;
const ROLES: [Role; 3] = [Role::Owner, Role::Admin, Role::Member];

/// What an operation is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Done,
    NotFound,
    Invalid,
    Conflict,
}

impl From<Result<(), Error>> for Answer {
    fn from(result: Result<(), Error>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(Error::NotFound { .. }) => Self::NotFound,
            Err(Error::Invalid { .. }) => Self::Invalid,
            Err(Error::Conflict { .. }) => Self::Conflict,
            Err(other) => panic!("an operation on what is there failed: {other}"),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Add(usize, usize, Role),
    ChangeRole(usize, usize, Role),
    Remove(usize, usize),
    AddToTeam(usize, usize),
    RemoveFromTeam(usize, usize),
    DeleteUser(usize),
    UndeleteUser(usize),
    DeleteOrganization(usize),
    UndeleteOrganization(usize),
}

/// What is deleted, with what goes and comes back with it.
#[derive(Debug, Default)]
struct Grave {
    roles: BTreeMap<usize, Role>,
    teams: BTreeSet<usize>,
}

/// The rules, without a database. Each organization has one team.
#[derive(Debug, Default)]
struct Model {
    roles: BTreeMap<(usize, usize), Role>,
    teams: BTreeSet<(usize, usize)>,
    users_gone: BTreeMap<usize, Grave>,
    organizations_gone: BTreeMap<usize, Grave>,
}

impl Model {
    fn is_last_owner(&self, organization: usize, user: usize) -> bool {
        let owners = self.roles.iter().filter(|((of, _), role)| *of == organization && **role == Role::Owner);
        owners.map(|((_, owner), _)| *owner).eq([user])
    }

    fn apply(&mut self, step: Step) -> Answer {
        match step {
            Step::Add(organization, user, role) => {
                if self.users_gone.contains_key(&user) || self.organizations_gone.contains_key(&organization)
                {
                    return Answer::NotFound;
                }
                if self.roles.contains_key(&(organization, user)) {
                    return Answer::Conflict;
                }
                self.roles.insert((organization, user), role);
            }
            Step::ChangeRole(organization, user, role) => {
                let Some(before) = self.roles.get(&(organization, user)) else { return Answer::NotFound };
                if *before != role && self.is_last_owner(organization, user) {
                    return Answer::Invalid;
                }
                self.roles.insert((organization, user), role);
            }
            Step::Remove(organization, user) => {
                if !self.roles.contains_key(&(organization, user)) {
                    return Answer::NotFound;
                }
                if self.is_last_owner(organization, user) {
                    return Answer::Invalid;
                }
                self.roles.remove(&(organization, user));
                self.teams.remove(&(organization, user));
            }
            Step::AddToTeam(organization, user) => {
                if self.users_gone.contains_key(&user) || self.organizations_gone.contains_key(&organization)
                {
                    return Answer::NotFound;
                }
                if !self.roles.contains_key(&(organization, user)) {
                    return Answer::Invalid;
                }
                if !self.teams.insert((organization, user)) {
                    return Answer::Conflict;
                }
            }
            Step::RemoveFromTeam(organization, user) => {
                if !self.teams.remove(&(organization, user)) {
                    return Answer::NotFound;
                }
            }
            Step::DeleteUser(user) => {
                if self.users_gone.contains_key(&user) {
                    return Answer::NotFound;
                }
                if (0..ORGANIZATIONS).any(|organization| self.is_last_owner(organization, user)) {
                    return Answer::Invalid;
                }
                let mut grave = Grave::default();
                for organization in 0..ORGANIZATIONS {
                    grave
                        .roles
                        .extend(self.roles.remove(&(organization, user)).map(|role| (organization, role)));
                    if self.teams.remove(&(organization, user)) {
                        grave.teams.insert(organization);
                    }
                }
                self.users_gone.insert(user, grave);
            }
            Step::UndeleteUser(user) => {
                let Some(grave) = self.users_gone.remove(&user) else { return Answer::NotFound };
                let is_there = |organization: &usize| !self.organizations_gone.contains_key(organization);
                let roles = grave.roles.into_iter().filter(|(organization, _)| is_there(organization));
                self.roles.extend(roles.map(|(organization, role)| ((organization, user), role)));
                let teams = grave.teams.into_iter().filter(|organization| is_there(organization));
                self.teams.extend(teams.map(|organization| (organization, user)));
            }
            Step::DeleteOrganization(organization) => {
                if self.organizations_gone.contains_key(&organization) {
                    return Answer::NotFound;
                }
                let mut grave = Grave::default();
                for user in 0..USERS {
                    grave.roles.extend(self.roles.remove(&(organization, user)).map(|role| (user, role)));
                    if self.teams.remove(&(organization, user)) {
                        grave.teams.insert(user);
                    }
                }
                self.organizations_gone.insert(organization, grave);
            }
            Step::UndeleteOrganization(organization) => {
                let Some(grave) = self.organizations_gone.get(&organization) else { return Answer::NotFound };
                let is_there = |user: &usize| !self.users_gone.contains_key(user);
                if !grave.roles.iter().any(|(user, role)| is_there(user) && *role == Role::Owner) {
                    return Answer::Invalid;
                }
                let roles = grave.roles.iter().filter(|(user, _)| is_there(user));
                self.roles.extend(roles.map(|(user, role)| ((organization, *user), *role)));
                let teams = grave.teams.iter().filter(|user| is_there(user));
                self.teams.extend(teams.map(|user| (organization, *user)));
                self.organizations_gone.remove(&organization);
            }
        }
        Answer::Done
    }
}

/// The rows that the indices of a [`Step`] stand for.
struct World {
    db: DatabaseConnection,
    users: Vec<UserId>,
    organizations: Vec<(OrganizationId, TeamId)>,
}

impl World {
    async fn new(db: &TestDb) -> Self {
        let mut users = Vec::new();
        for name in ["ada", "bob", "eve", "joe", "kay", "zoe"] {
            users.push(register(db, name).await.id);
        }
        let mut organizations = Vec::new();
        for (name, &owner) in ["acme", "books", "cargo"].into_iter().zip(&users) {
            let organization = create(db, name, owner).await.id;
            let team = team::create(db.connection(), organization, "core", "", &Act::system(noon())).await;
            organizations.push((organization, team.expect("it is valid").id));
        }
        // Without the log of every statement, of which there are a hundred thousand, and none with a secret.
        let mut options = sea_orm::ConnectOptions::new(db.url_as("identitydb_writer"));
        options.max_connections(1).sqlx_logging(false).test_before_acquire(false);
        let db = sea_orm::Database::connect(options).await.expect("the role is there");
        Self { db, users, organizations }
    }

    async fn apply(&self, step: Step, act: &Act<'_>) -> Answer {
        let db = &self.db;
        let organization = |at: usize| self.organizations[at].0;
        let team = |at: usize| self.organizations[at].1;
        let user = |at: usize| self.users[at];
        let result = match step {
            Step::Add(o, u, role) => {
                organization_user::add(db, organization(o), user(u), role, act).await.map(drop)
            }
            Step::ChangeRole(o, u, role) => {
                organization_user::change_role(db, organization(o), user(u), role, act).await.map(drop)
            }
            Step::Remove(o, u) => organization_user::remove(db, organization(o), user(u), act).await,
            Step::AddToTeam(o, u) => team_user::add(db, team(o), user(u), act).await.map(drop),
            Step::RemoveFromTeam(o, u) => team_user::remove(db, team(o), user(u), act).await,
            Step::DeleteUser(u) => user::delete(db, user(u), act).await.map(drop),
            Step::UndeleteUser(u) => user::undelete(db, user(u), act).await.map(drop),
            Step::DeleteOrganization(o) => organization::delete(db, organization(o), act).await.map(drop),
            Step::UndeleteOrganization(o) => organization::undelete(db, organization(o), act).await.map(drop),
        };
        result.into()
    }

    /// What the database holds, as the model would write it, and the invariants that are broken.
    async fn state(&self) -> (Vec<String>, Option<String>) {
        let statement = Statement::from_string(self.db.get_database_backend(), STATE);
        let row = self.db.query_one_raw(statement).await.expect("the query runs").expect("it is one row");
        let state: Vec<String> = row.try_get("", "state").expect("it is a list");
        (state, row.try_get("", "broken").expect("it is text"))
    }

    fn state_of(&self, model: &Model) -> Vec<String> {
        let mut state = Vec::new();
        for ((o, u), role) in &model.roles {
            let role = format!("{role:?}").to_lowercase();
            state.push(format!("member {} {} {role}", self.organizations[*o].0.0, self.users[*u].0));
        }
        for (o, u) in &model.teams {
            state.push(format!("team {} {}", self.organizations[*o].1.0, self.users[*u].0));
        }
        state.extend(model.users_gone.keys().map(|u| format!("no user {}", self.users[*u].0)));
        let gone = model.organizations_gone.keys();
        state.extend(gone.map(|o| format!("no organization {}", self.organizations[*o].0.0)));
        state.sort_unstable();
        state
    }
}

const STATE: &str = r#"
    with members as (select * from organizations_users where deleted_at is null),
    in_teams as (
        select m.*, t.organization_id, t.deleted_at as team_deleted_at
        from teams_users m join teams t on t.id = m.team_id where m.deleted_at is null
    ),
    broken (rule, id) as (
        select 'a live organization has a live owner', o.id from organizations o
        where o.deleted_at is null and not exists (
            select from members m join users u on u.id = m.user_id
            where m.organization_id = o.id and m.role = 'owner' and u.deleted_at is null)
        union all
        select 'a membership is of what is live', m.id from members m
        join organizations o on o.id = m.organization_id join users u on u.id = m.user_id
        where o.deleted_at is not null or u.deleted_at is not null
        union all
        select 'a team member is a member of the organization', m.id from in_teams m
        where m.team_deleted_at is not null or not exists (
            select from members o where o.organization_id = m.organization_id and o.user_id = m.user_id)
        union all
        select 'a live user has a primary address', u.id from users u
        where (u.deleted_at is null) <> (
            (select count(*) from user_emails e where e.user_id = u.id and e.is_primary and e.deleted_at is null) = 1)
        union all
        select 'a holder holds one name', u.id from users u
        where (select count(*) from names n where n.user_id = u.id and n.available_at is null and n.deleted_at is null) <> 1
    )
    select (select string_agg(rule || ' ' || id, '; ') from broken) as broken,
        array(
            select line from (
                select format('member %s %s %s', organization_id, user_id, role) as line from members
                union all select format('team %s %s', team_id, user_id) from in_teams
                union all select format('no user %s', id) from users where deleted_at is not null
                union all select format('no organization %s', id) from organizations where deleted_at is not null
            ) as lines order by line collate "C"
        ) as state
"#;

/// One of `from` that `is_meant`; any of all if there is none, and one time in ten anyway, for the answer that it gets.
fn pick<T: Copy>(rng: &mut StdRng, from: &[T], is_meant: impl Fn(T) -> bool) -> T {
    let meant: Vec<T> = from.iter().copied().filter(|&one| is_meant(one)).collect();
    let from = if meant.is_empty() || rng.random_range(0..10) == 0 { from } else { &meant };
    from[rng.random_range(0..from.len())]
}

/// A step that mostly finds what it is about.
fn step(rng: &mut StdRng, model: &Model) -> Step {
    let users: Vec<usize> = (0..USERS).collect();
    let organizations: Vec<usize> = (0..ORGANIZATIONS).collect();
    let pairs: Vec<(usize, usize)> =
        organizations.iter().flat_map(|&o| users.iter().map(move |&u| (o, u))).collect();
    let is_user = |u: usize| !model.users_gone.contains_key(&u);
    let is_organization = |o: usize| !model.organizations_gone.contains_key(&o);
    let is_member = |pair: (usize, usize)| model.roles.contains_key(&pair);
    let is_in_team = |pair: (usize, usize)| model.teams.contains(&pair);
    let role = ROLES[rng.random_range(0..ROLES.len())];
    match rng.random_range(0..40) {
        0..=9 => {
            let (o, u) = pick(rng, &pairs, |(o, u)| is_organization(o) && is_user(u) && !is_member((o, u)));
            Step::Add(o, u, role)
        }
        10..=16 => {
            let (o, u) = pick(rng, &pairs, is_member);
            Step::ChangeRole(o, u, role)
        }
        17..=21 => {
            let (o, u) = pick(rng, &pairs, is_member);
            Step::Remove(o, u)
        }
        22..=27 => {
            let (o, u) = pick(rng, &pairs, |pair| is_member(pair) && !is_in_team(pair));
            Step::AddToTeam(o, u)
        }
        28..=30 => {
            let (o, u) = pick(rng, &pairs, is_in_team);
            Step::RemoveFromTeam(o, u)
        }
        31 | 32 => Step::DeleteUser(pick(rng, &users, is_user)),
        33..=35 => Step::UndeleteUser(pick(rng, &users, |u| !is_user(u))),
        36 => Step::DeleteOrganization(pick(rng, &organizations, is_organization)),
        _ => Step::UndeleteOrganization(pick(rng, &organizations, |o| !is_organization(o))),
    }
}

#[tokio::test]
async fn ten_thousand_random_operations_are_answered_as_a_plain_model_does_and_break_no_invariant() {
    let seed = std::env::var("ARCHER_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_126);
    println!("seed {seed}; another one by ARCHER_SEED");
    let db = TestDb::served().await;
    let world = World::new(&db).await;
    let mut model = Model::default();
    for at in 0..ORGANIZATIONS {
        model.roles.insert((at, at), Role::Owner);
    }
    let mut rng = StdRng::seed_from_u64(seed);
    let (began, mut answers) = (Instant::now(), BTreeMap::new());
    for at in 0..STEPS {
        let step = step(&mut rng, &model);
        // Later with every step: what is deleted at one time is restored together.
        let act = Act::system(noon() + TimeDelta::seconds(at));
        let expected = model.apply(step);
        let answer = world.apply(step, &act).await;
        assert_eq!(answer, expected, "seed {seed}, step {at}: {step:?}");
        let (state, broken) = world.state().await;
        assert_eq!(broken, None, "seed {seed}, step {at}: {step:?}");
        assert_eq!(state, world.state_of(&model), "seed {seed}, step {at}: {step:?}");
        *answers.entry(format!("{answer:?}")).or_insert(0) += 1;
    }
    println!("{STEPS} steps in {:?}: {answers:?}", began.elapsed());
    assert!(answers.len() == 4 && answers.values().all(|&count| count > 300), "{answers:?}");
    assert!(answers["Done"] > STEPS / 2 && answers["NotFound"] < STEPS / 4, "{answers:?}");
}
