//! Maven: `ComparableVersion` as up to Maven 3.8.6 and 4.0.0-alpha-1, the order that "Version Order Specification" of
//! the POM reference was written for. Later releases changed how `.X` compares with `-X`.
//!
//! A version is a list of numbers and words; `-`, and a change between digits and letters, open a list within it as
//! its last item. So the whole is one row of items with marks where the next list begins. Zeros, and the words `ga`,
//! `final` and `release`, count as nothing where nothing follows them in their list.
//!
//! Item by item a word is below a list and a list below a number. Against the end of the other version, an item
//! counts by itself: `rc` is below the end, `sp` and unknown words and numbers above it, zeros neither. Both together
//! are no order: `1` < `1-sp` < `1.0.rc` < `1`. No key can be exact, so there are two:
//!
//! - [`compare`] is `ComparableVersion.compareTo`, exactly.
//! - The key sorts first by whether what is left is below or above the end, and then item by item. It differs from
//!   [`compare`] only between a version that goes on to a prerelease behind zeros (`1.0.rc`) and one that is above
//!   the end by a word or a list (`1-sp`, `1-1`): by the key the prerelease is lower, on its own release's side.

use std::cmp::Ordering;

use super::{
    Parsed,
    bytes::{is_zero, push_number, push_text, without_zeros},
};

const BELOW: u8 = 1;
const END: u8 = 2;
const ABOVE: u8 = 3;

const WORD: u8 = 1;
const LIST: u8 = 2;
const NUMBER: u8 = 3;

/// Words by rank; the release is between `snapshot` and `sp`.
const PRERELEASES: [&str; 5] = ["alpha", "beta", "milestone", "rc", "snapshot"];
const RELEASES: [&str; 4] = ["", "ga", "final", "release"];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Word(Word),
    /// Another list begins, the last item of this one.
    List,
    /// Digits without leading zeros.
    Number(String),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    /// By its place in [`PRERELEASES`].
    Prerelease(u8),
    Release,
    ServicePack,
    Unknown(String),
}

impl Item {
    /// Against the end of the other version.
    fn against_end(&self) -> Ordering {
        match self {
            Self::Word(word) => word.cmp(&Word::Release),
            Self::List => Ordering::Equal,
            Self::Number(digits) if is_zero(digits) => Ordering::Equal,
            Self::Number(_) => Ordering::Greater,
        }
    }

    fn tag(&self) -> u8 {
        match self {
            Self::Word(_) => WORD,
            Self::List => LIST,
            Self::Number(_) => NUMBER,
        }
    }
}

/// `None` for the empty version and for white space and control characters, which no coordinate may have; everything
/// else Maven compares.
pub(super) fn parse(number: &str) -> Option<Parsed> {
    let items = items(number)?;
    let mut key = Vec::with_capacity(number.len() * 2);
    for (item, side) in items.iter().zip(sides(&items)) {
        key.push(if side == Ordering::Less { BELOW } else { ABOVE });
        key.push(item.tag());
        match item {
            Item::List => {}
            Item::Number(digits) => push_number(&mut key, digits),
            Item::Word(Word::Prerelease(rank)) => key.push(1 + rank),
            Item::Word(Word::Release) => key.push(10),
            Item::Word(Word::ServicePack) => key.push(11),
            Item::Word(Word::Unknown(word)) => {
                key.push(12);
                push_text(&mut key, word);
            }
        }
    }
    key.push(END);
    let is_prerelease = items.iter().any(|item| matches!(item, Item::Word(Word::Prerelease(_))));
    Some(Parsed { key, is_prerelease })
}

/// As Maven has it; no order, for it goes round in circles where this module's documentation says.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (items(a)?, items(b)?);
    for position in 0..a.len().max(b.len()) {
        let found = match (a.get(position), b.get(position)) {
            (Some(Item::Number(a)), Some(Item::Number(b))) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
            (Some(Item::Word(a)), Some(Item::Word(b))) => a.cmp(b),
            (Some(a), Some(b)) => a.tag().cmp(&b.tag()),
            (Some(a), None) => a.against_end(),
            (None, b) => b.map_or(Ordering::Equal, |b| b.against_end().reverse()),
        };
        if found.is_ne() {
            return Some(found);
        }
    }
    Some(Ordering::Equal)
}

/// For each item, on which side of the end everything from it on is.
fn sides(items: &[Item]) -> Vec<Ordering> {
    let mut side = Ordering::Equal;
    let mut sides: Vec<_> = items
        .iter()
        .rev()
        .map(|item| {
            side = item.against_end().then(side);
            side
        })
        .collect();
    sides.reverse();
    sides
}

/// The version's items, without those that count as nothing.
fn items(number: &str) -> Option<Vec<Item>> {
    if number.is_empty() || number.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let number = number.to_lowercase();
    let mut lists: Vec<Vec<Item>> = vec![Vec::new()];
    let mut start = 0;
    let mut is_digit = false;
    let mut end_item = |from: usize, to: usize, is_digit: bool, opens_list: bool, followed_by_digit: bool| {
        if let Some(list) = lists.last_mut() {
            list.push(item(&number[from..to], is_digit, followed_by_digit));
        }
        if opens_list {
            lists.push(Vec::new());
        }
    };
    for (at, c) in number.char_indices() {
        match c {
            '.' | '-' => {
                end_item(start, at, is_digit || at == start, c == '-', false);
                start = at + 1;
            }
            _ => {
                let changes = c.is_ascii_digit() != is_digit;
                if changes && at > start {
                    end_item(start, at, is_digit, true, c.is_ascii_digit());
                    start = at;
                }
                is_digit = c.is_ascii_digit();
            }
        }
    }
    if start < number.len() {
        end_item(start, number.len(), is_digit, false, false);
    }
    Some(joined(lists))
}

fn item(text: &str, is_digit: bool, followed_by_digit: bool) -> Item {
    if is_digit {
        return Item::Number(without_zeros(text).to_owned());
    }
    let word = match text {
        "a" if followed_by_digit => "alpha",
        "b" if followed_by_digit => "beta",
        "m" if followed_by_digit => "milestone",
        "cr" => "rc",
        other => other,
    };
    let rank = PRERELEASES.iter().position(|known| *known == word);
    Item::Word(match rank.and_then(|rank| u8::try_from(rank).ok()) {
        Some(rank) => Word::Prerelease(rank),
        None if RELEASES.contains(&word) => Word::Release,
        None if word == "sp" => Word::ServicePack,
        None => Word::Unknown(word.to_owned()),
    })
}

/// The lists as one row. What counts as nothing goes from the end of each list, also before the list within it; an
/// empty list goes altogether.
fn joined(lists: Vec<Vec<Item>>) -> Vec<Item> {
    let mut row: Vec<Item> = Vec::new();
    let mut is_first = true;
    for mut list in lists {
        while list.last().is_some_and(|last| last.against_end().is_eq()) {
            list.pop();
        }
        if !is_first {
            row.push(Item::List);
        }
        row.append(&mut list);
        is_first = false;
    }
    while row.last() == Some(&Item::List) {
        row.pop();
    }
    row
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::assert_rising, *};

    #[test]
    fn words_lists_and_numbers_sort_as_the_pom_reference_says() {
        assert_rising(
            parse,
            &[
                "1-alpha-1 1alpha1 1a1 1.0-a1",
                "1-beta 1beta 1-BETA-0",
                "1b1 1-beta-1",
                "1-milestone",
                "1m3 1-MileStone-3",
                "1-rc 1cr 1.0.0-CR",
                "1-SNAPSHOT",
                "1 1.0 1-0 1.ga 1-final 1.0.RELEASE 01 1. 1.0-0",
                "1-sp",
                "1-a 1a",
                "1-abc",
                "1-xyz 1xyz 1.0-xyz",
                "1-1",
                "1-1.1",
                "1-2",
                "1.1-alpha",
                "1.1",
                "1.10",
                "2",
            ],
        );
    }

    #[test]
    fn the_known_circle_is_cut_where_the_release_is_not_concerned() {
        assert_eq!(compare("1", "1-sp"), Some(Ordering::Less));
        assert_eq!(compare("1-sp", "1.0.rc"), Some(Ordering::Less));
        assert_eq!(compare("1.0.rc", "1"), Some(Ordering::Less));
        assert_rising(parse, &["1-rc", "1.0.rc", "1", "1.sp", "1-sp", "1-1"]);
    }

    #[test]
    fn what_no_coordinate_can_be_has_no_key() {
        assert_eq!(["", " ", "1 2", "1\n"].map(parse), [None, None, None, None]);
    }
}
