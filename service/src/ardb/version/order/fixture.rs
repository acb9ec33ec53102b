//! What the tests of the schemes share.

use super::Parsed;

/// Asserts that each group is above the one before it, and that what stands in one group, parted by spaces, has one
/// key.
#[track_caller]
pub(super) fn assert_rising(parse: fn(&str) -> Option<Parsed>, groups: &[&str]) {
    let key = |number: &str| parse(number).unwrap_or_else(|| panic!("{number} does not parse")).key;
    for group in groups {
        let mut same = group.split(' ');
        let first = same.next().unwrap();
        for other in same {
            assert_eq!(key(first), key(other), "{first} = {other}");
        }
    }
    let firsts: Vec<_> = groups.iter().map(|group| group.split(' ').next().unwrap()).collect();
    for (position, low) in firsts.iter().enumerate() {
        for high in &firsts[position + 1..] {
            assert!(key(low) < key(high), "{low} < {high}");
        }
    }
}
