//! The rows of each table, with the columns of the real dump in its order, which is that of the alphabet.

use std::fmt::Write as _;
use std::io;

use super::draw::Draw;
use super::figures::{self, Quantiles};
use super::{Made, Published};

/// What rows are written to.
type Csv<'a> = csv::Writer<&'a mut io::BufWriter<std::fs::File>>;
/// A table's name, its columns, and what writes its rows and says how many.
type Table = (&'static str, &'static [&'static str], fn(&Rows, &mut Csv<'_>) -> io::Result<u64>);

pub const TABLES: [Table; 13] = [
    (
        "categories",
        &["category", "crates_cnt", "created_at", "description", "id", "path", "slug"],
        Rows::categories,
    ),
    ("crate_downloads", &["crate_id", "downloads"], Rows::crate_downloads),
    ("crate_owners", &["crate_id", "created_at", "created_by", "owner_id", "owner_kind"], Rows::owners),
    (
        "crates",
        &[
            "created_at",
            "description",
            "documentation",
            "homepage",
            "id",
            "max_features",
            "max_upload_size",
            "name",
            "readme",
            "repository",
            "updated_at",
        ],
        Rows::crates,
    ),
    ("crates_categories", &["category_id", "crate_id"], Rows::crates_categories),
    ("crates_keywords", &["crate_id", "keyword_id"], Rows::crates_keywords),
    ("default_versions", &["crate_id", "num_versions", "version_id"], Rows::default_versions),
    (
        "dependencies",
        &[
            "crate_id",
            "default_features",
            "explicit_name",
            "features",
            "id",
            "kind",
            "optional",
            "req",
            "target",
            "version_id",
        ],
        Rows::dependencies,
    ),
    ("keywords", &["crates_cnt", "created_at", "id", "keyword"], Rows::keywords),
    ("teams", &["avatar", "github_id", "id", "login", "name", "org_id"], Rows::teams),
    ("users", &["gh_avatar", "gh_id", "gh_login", "id", "name"], Rows::users),
    ("version_downloads", &["date", "downloads", "version_id"], Rows::version_downloads),
    (
        "versions",
        &[
            "bin_names",
            "checksum",
            "crate_id",
            "crate_size",
            "created_at",
            "downloads",
            "edition",
            "features",
            "has_lib",
            "id",
            "license",
            "links",
            "num",
            "num_no_build",
            "published_by",
            "rust_version",
            "updated_at",
            "yanked",
        ],
        Rows::versions,
    ),
];

const DAY: &str = "2025-12-31";
const LICENCES: [(&str, f64); 8] = [
    ("MIT OR Apache-2.0", 45.),
    ("MIT", 25.),
    ("Apache-2.0", 12.),
    ("MIT/Apache-2.0", 10.),
    ("MPL-2.0", 3.),
    ("GPL-3.0-or-later", 2.),
    ("BSD-3-Clause", 2.),
    ("", 1.),
];
const RUST_VERSIONS: [(&str, f64); 6] =
    [("1.85", 4.7), ("1.62", 4.6), ("1.56", 4.5), ("1.65.0", 4.), ("1.63", 3.), ("1.85.0", 3.)];
/// Of the ids, what is about crates is drawn by their index, and the rest by these.
const USERS: u64 = u64::MAX;
const KEYWORDS: u64 = u64::MAX - 1;
const CATEGORIES: u64 = 90;

/// What follows from a crate's index.
pub struct Crate {
    index: u32,
    draw: Draw,
    pub versions: u32,
}

impl Crate {
    pub fn new(seed: u64, index: u32) -> Self {
        // Multiples of the golden ratio fill the range from 0 to 1 evenly, so that few crates are like many.
        let share = (f64::from(index) * 0.618_033_988_749_895 + Draw::new(seed).share()).fract();
        let versions = figures::VERSIONS_OF_A_CRATE.at(share).round() as u32;
        Self { index, draw: Draw::new(seed).of(u64::from(index)), versions }
    }

    /// When the first version came, as a share of the time since the registry opened.
    pub fn begins(&self) -> f64 {
        self.draw.of(1).share() * 0.95
    }

    pub fn of_version(&self, nth: u32) -> Draw {
        self.draw.of(1000 + u64::from(nth))
    }

    fn name(&self) -> String {
        let mut draw = self.draw.of(2);
        let unique = base_36(self.index);
        let length = figures::NAME_LENGTH.at(draw.share()) as usize;
        let word = draw.word(length.saturating_sub(unique.len() + 1));
        let separator = if draw.chance(0.7) { "-" } else { "_" };
        if word.is_empty() { format!("c{unique}") } else { format!("{word}{separator}{unique}") }
    }

    /// Numbers rise: majors by periods of minors, and these by periods of patches.
    fn number(&self, nth: u32) -> String {
        let mut draw = self.draw.of(3);
        let (patches, minors) = (2 + draw.below(4) as u32, 3 + draw.below(4) as u32);
        let minor = nth / patches;
        let mut number = format!("{}.{}.{}", minor / minors, minor % minors, nth % patches);
        let mut draw = self.of_version(nth).of(1);
        if draw.chance(figures::PRERELEASE) {
            let stage = draw.weighted(&[("alpha", 1.), ("beta", 2.), ("rc", 2.)]);
            let _ = write!(number, "-{stage}.{}", draw.below(5));
        }
        if draw.chance(figures::BUILD_METADATA) {
            let _ = write!(number, "+{}", draw.word(7));
        }
        number
    }

    /// What its versions were released with at first; later ones differ a little.
    fn features(&self, nth: u32) -> String {
        let era = u64::from(nth / 8);
        let count = figures::FEATURES_OF_A_VERSION.at(self.draw.of(4).share()).round() as u64;
        let mut json = String::from("{");
        for feature in 0..count {
            let mut draw = self.draw.of(5).of(feature);
            let name = format!("{}{}", word(&mut draw, &figures::FEATURE_LENGTH), base_36(feature as u32));
            let items = figures::FEATURE_ITEMS.at(draw.share()).round() as u64;
            let mut draw = draw.of(era);
            let items = (0..items).map(|_| format!("\"{}\"", word(&mut draw, &figures::FEATURE_ITEM_LENGTH)));
            let comma = if feature > 0 { ", " } else { "" };
            let _ = write!(json, "{comma}\"{name}\": [{}]", items.collect::<Vec<_>>().join(", "));
        }
        json.push('}');
        json
    }

    /// How many dependencies a version has, where versions have `stretch` times as many as the figures say.
    fn dependencies(&self, nth: u32, stretch: f64) -> u64 {
        let own = (f64::from(self.index) * 0.414_213_562_373_095).fract();
        let mut draw = self.of_version(nth).of(2);
        let moved = (own + (draw.share() - 0.5) * 0.04).abs();
        let share = if moved < 1. { moved } else { 2. - moved };
        (figures::DEPENDENCIES_OF_A_VERSION.at(share) * stretch + draw.share()) as u64
    }
}

/// What is written, and what it follows from.
pub struct Rows {
    pub made: Made,
    pub crates: u64,
    pub published: Vec<Published>,
}

impl Rows {
    fn every_crate(&self) -> impl Iterator<Item = (Crate, String)> {
        let seed = self.made.seed;
        (0..self.crates as u32).map(move |index| (Crate::new(seed, index), id(index)))
    }

    fn every_version(&self) -> impl Iterator<Item = (Crate, &Published, u64)> {
        let seed = self.made.seed;
        (1..)
            .zip(&self.published)
            .map(move |(id, version)| (Crate::new(seed, version.crate_index), version, id))
    }

    fn users(&self, csv: &mut Csv<'_>) -> io::Result<u64> {
        for index in 0..self.user_count() {
            let mut draw = Draw::new(self.made.seed).of(USERS).of(index);
            let login = format!("{}{}", draw.word(6), base_36(index as u32));
            let name =
                if draw.chance(0.7) { format!("{} {}", draw.word(6), draw.word(8)) } else { String::new() };
            csv.write_record(["", &id(index), &login, &id(index), &name])?;
        }
        Ok(self.user_count())
    }

    fn teams(&self, csv: &mut Csv<'_>) -> io::Result<u64> {
        for index in 0..self.team_count() {
            let mut draw = Draw::new(self.made.seed).of(USERS).of(index).of(1);
            let (organization, name) = (draw.word(7), draw.word(5));
            let login = format!("github:{organization}:{name}{}", base_36(index as u32));
            csv.write_record(["", &id(index), &id(index), &login, &name, &id(index)])?;
        }
        Ok(self.team_count())
    }

    fn user_count(&self) -> u64 {
        self.crates / 2 + 1
    }

    fn team_count(&self) -> u64 {
        self.crates / 50 + 1
    }

    fn keyword_count(&self) -> u64 {
        self.crates / 4 + 5
    }

    fn owners(&self, csv: &mut Csv<'_>) -> io::Result<u64> {
        let mut count = 0;
        for (krate, crate_id) in self.every_crate() {
            let mut draw = krate.draw.of(6);
            let first = draw.below(self.user_count());
            let mut owners = vec![(id(first), "0")];
            if draw.chance(0.3) {
                owners.push((id((first + 1 + draw.below(20)) % self.user_count()), "0"));
            }
            if draw.chance(0.1) {
                owners.push((id(draw.below(self.team_count())), "1"));
            }
            owners.dedup();
            for (owner, kind) in &owners {
                csv.write_record([crate_id.as_str(), "2020-01-01 00:00:00+00", &id(first), owner, kind])?;
            }
            count += owners.len() as u64;
        }
        Ok(count)
    }

    fn crates(&self, csv: &mut Csv<'_>) -> io::Result<u64> {
        for (krate, crate_id) in self.every_crate() {
            let mut draw = krate.draw.of(7);
            let name = krate.name();
            let words = 4 + draw.below(14);
            let description: Vec<_> = (0..words).map(|_| draw.word(3 + words as usize % 6)).collect();
            let owner = draw.word(7);
            let repository = format!("https://github.com/{owner}/{name}");
            let repository = if draw.chance(0.85) { &*repository } else { "" };
            let homepage =
                if draw.chance(0.3) { format!("https://{owner}.example.org/") } else { String::new() };
            let documentation =
                if draw.chance(0.3) { format!("https://docs.rs/{name}") } else { String::new() };
            csv.write_record([
                "2015-01-01 00:00:00+00",
                &description.join(" "),
                &documentation,
                &homepage,
                &crate_id,
                "",
                "",
                &name,
                "",
                repository,
                "2025-12-31 00:00:00+00",
            ])?;
        }
        Ok(self.crates)
    }

    fn categories(&self, csv: &mut Csv<'_>) -> io::Result<u64> {
        for index in 0..CATEGORIES {
            let word = Draw::new(self.made.seed).of(KEYWORDS).of(index).of(1).word(9);
            let slug = format!("{word}{}", base_36(index as u32));
            csv.write_record([
                &slug,
                "1",
                "2015-01-01",
                &format!("About {word}."),
                &id(index),
                &slug,
                &slug,
            ])?;
        }
        Ok(CATEGORIES)
    }

    fn keywords(&self, csv: &mut Csv<'_>) -> io::Result<u64> {
        for index in 0..self.keyword_count() {
            let word = Draw::new(self.made.seed).of(KEYWORDS).of(index).word(6);
            csv.write_record(["1", "2015-01-01", &id(index), &format!("{word}{}", base_36(index as u32))])?;
        }
        Ok(self.keyword_count())
    }

    fn crates_categories(&self, csv: &mut Csv<'_>) -> io::Result<u64> {
        self.pairs(8, 2, CATEGORIES, |crate_id, other| csv.write_record([other, crate_id]))
    }

    fn crates_keywords(&self, csv: &mut Csv<'_>) -> io::Result<u64> {
        self.pairs(9, 5, self.keyword_count(), |crate_id, other| csv.write_record([crate_id, other]))
    }

    /// For each crate up to `most` of `count` others, one after the other.
    fn pairs(
        &self,
        what: u64,
        most: u64,
        count: u64,
        mut write: impl FnMut(&str, &str) -> csv::Result<()>,
    ) -> io::Result<u64> {
        let mut written = 0;
        for (krate, crate_id) in self.every_crate() {
            let mut draw = krate.draw.of(what);
            let first = draw.below(count);
            let chosen = draw.below(most + 1);
            for other in 0..chosen {
                write(&crate_id, &id((first + other) % count))?;
            }
            written += chosen;
        }
        Ok(written)
    }

    fn crate_downloads(&self, csv: &mut Csv<'_>) -> io::Result<u64> {
        for (krate, crate_id) in self.every_crate() {
            csv.write_record([&crate_id, &krate.draw.of(10).below(1_000_000).to_string()])?;
        }
        Ok(self.crates)
    }

    fn default_versions(&self, csv: &mut Csv<'_>) -> io::Result<u64> {
        let mut newest = vec![(0, 0); self.crates as usize];
        for (version_id, version) in (1_u64..).zip(&self.published) {
            let (count, id) = &mut newest[version.crate_index as usize];
            (*count, *id) = (*count + 1, version_id);
        }
        for ((_, crate_id), (count, version_id)) in self.every_crate().zip(newest) {
            csv.write_record([crate_id, count.to_string(), version_id.to_string()])?;
        }
        Ok(self.crates)
    }

    /// Those of one day.
    fn version_downloads(&self, csv: &mut Csv<'_>) -> io::Result<u64> {
        for (krate, version, version_id) in self.every_version() {
            let downloads = krate.of_version(version.nth).of(3).below(10_000).to_string();
            csv.write_record([DAY, &downloads, &version_id.to_string()])?;
        }
        Ok(self.published.len() as u64)
    }

    fn versions(&self, csv: &mut Csv<'_>) -> io::Result<u64> {
        for (krate, version, version_id) in self.every_version() {
            let mut draw = krate.of_version(version.nth).of(4);
            let number = krate.number(version.nth);
            let checksum = format!(
                "{:016x}{:016x}{:016x}{:016x}",
                draw.number(),
                draw.number(),
                draw.number(),
                draw.number()
            );
            let created_at =
                chrono::DateTime::from_timestamp(i64::from(version.second), 0).expect("is a time");
            let created_at = format!("{}.{:06}+00", created_at.format("%F %T"), draw.below(1_000_000));
            let published_by = id(krate.draw.of(6).below(self.user_count()));
            let mut of_crate = krate.draw.of(11);
            let links = if of_crate.chance(figures::LINKS) { krate.name() } else { String::new() };
            let licence = of_crate.weighted(&LICENCES);
            let newest = f64::from(version.nth) / f64::from(krate.versions);
            let has_rust_version = newest > 1. - figures::RUST_VERSION;
            let rust_version = if has_rust_version { of_crate.weighted(&RUST_VERSIONS) } else { "" };
            csv.write_record([
                "{}",
                &checksum,
                &id(version.crate_index),
                &(1000 + draw.below(200_000)).to_string(),
                &created_at,
                &draw.below(1_000_000).to_string(),
                "2021",
                &krate.features(version.nth),
                "t",
                &version_id.to_string(),
                licence,
                &links,
                &number,
                number.split('+').next().unwrap_or_default(),
                &published_by,
                rust_version,
                &created_at,
                if draw.chance(figures::YANKED) { "t" } else { "f" },
            ])?;
        }
        Ok(self.published.len() as u64)
    }

    fn dependencies(&self, csv: &mut Csv<'_>) -> io::Result<u64> {
        let of_a_version = self.made.dependencies as f64 / self.made.versions as f64;
        let stretch = of_a_version / figures::DEPENDENCIES_OF_A_VERSION.mean();
        let mut count = 0_u64;
        let mut ranks = Vec::new();
        for (krate, version, version_id) in self.every_version() {
            let version_id = version_id.to_string();
            ranks.clear();
            for nth in 0..krate.dependencies(version.nth, stretch).min(self.crates) {
                let of = krate.draw.of(12).of(nth);
                let phase = of.of(2).share();
                let era = |share: f64| (f64::from(version.nth) * share + phase) as u64;
                let mut draw = of.of(era(figures::NEW_DEPENDENCY));
                let mut rank = figures::rank(draw.share(), self.crates);
                while ranks.contains(&rank) {
                    rank = (rank + 1) % self.crates;
                }
                ranks.push(rank);
                count += 1;
                let kind = draw.weighted(&figures::KINDS);
                let is_optional = kind != "2" && draw.chance(figures::OPTIONAL);
                let defaults = draw.chance(figures::DEFAULT_FEATURES);
                let alias = if draw.chance(figures::ALIAS) { draw.word(8) } else { String::new() };
                let target = if draw.chance(figures::TARGET) { draw.weighted(&figures::TARGETS) } else { "" };
                let asked = draw.weighted(&figures::ASKED_FEATURES);
                let asked: Vec<_> =
                    (0..asked).map(|_| word(&mut draw, &figures::ASKED_FEATURE_LENGTH)).collect();
                csv.write_record([
                    id(rank).as_str(),
                    truth(defaults),
                    &alias,
                    &format!("{{{}}}", asked.join(",")),
                    &count.to_string(),
                    kind,
                    truth(is_optional),
                    &requirement(&mut of.of(1).of(era(figures::NEW_REQUIREMENT))),
                    target,
                    &version_id,
                ])?;
            }
        }
        Ok(count)
    }
}

fn truth(value: bool) -> &'static str {
    if value { "t" } else { "f" }
}

/// Ids of the dump begin at 1.
fn id(index: impl Into<u64>) -> String {
    (index.into() + 1).to_string()
}

fn word(draw: &mut Draw, length: &Quantiles) -> String {
    let length = length.at(draw.share()).round() as usize;
    draw.word(length)
}

fn requirement(draw: &mut Draw) -> String {
    let form = draw.weighted(&figures::REQUIREMENTS);
    let mut requirement = String::with_capacity(form.len());
    for character in form.chars() {
        if character == 'N' {
            let _ = write!(
                requirement,
                "{}",
                draw.weighted(&[(0_u64, 3.), (1, 3.), (2, 1.), (10, 1.)]) + draw.below(3)
            );
        } else {
            requirement.push(character);
        }
    }
    requirement
}

fn base_36(number: u32) -> String {
    let mut digits: Vec<_> =
        std::iter::successors(Some(number), |left| (*left >= 36).then_some(left / 36)).collect();
    digits.reverse();
    digits.iter().map(|digit| char::from_digit(digit % 36, 36).expect("is a digit")).collect()
}
