//! Text that a regular expression of PostgreSQL accepts.

use rand::Rng;
use rand::distr::Distribution;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

/// At most `count` texts that match `pattern`; none if it can't be read (back references, look-around).
/// What the pattern repeats without a bound is repeated `open` times, or a few times.
pub(super) fn samples(pattern: &str, count: usize, open: Option<u32>, rng: &mut impl Rng) -> Vec<String> {
    let parsed = regex_syntax::ParserBuilder::new().nest_limit(100).build().parse(&translated(pattern));
    let Ok(hir) = parsed else { return Vec::new() };
    // Open repetitions stay short, so that a length limit beside the pattern is met as well.
    let Ok(regex) = rand_regex::Regex::with_hir(plain(hir, open), 3) else { return Vec::new() };
    (0..count)
        .filter_map(|_| Distribution::<Result<String, _>>::sample(&regex, rng).ok())
        .filter(|text| !text.contains('\0'))
        .collect()
}

/// The pattern in the syntax of `regex-syntax`: what is not special in PostgreSQL's brackets is escaped, and
/// its own escapes are renamed.
fn translated(pattern: &str) -> String {
    let pattern = pattern.strip_prefix("***:").unwrap_or(pattern);
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    let mut in_brackets = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('y' | 'm' | 'M' | 'Y' | 'A' | 'Z') => {}
                Some(escaped) => out.extend(['\\', escaped]),
                None => out.push_str("\\\\"),
            },
            '[' if in_brackets && chars.peek() == Some(&':') => {
                out.push('[');
                for inner in chars.by_ref() {
                    out.push(inner);
                    if inner == ']' {
                        break;
                    }
                }
            }
            '[' if in_brackets => out.push_str("\\["),
            '[' => {
                in_brackets = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if chars.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            ']' => {
                in_brackets = false;
                out.push(']');
            }
            '&' | '~' if in_brackets => out.extend(['\\', c]),
            '{' if !in_brackets && !chars.peek().is_some_and(char::is_ascii_digit) => out.push_str("\\{"),
            _ => out.push(c),
        }
    }
    out
}

/// Without anchors, and with classes narrowed to printable ASCII where that leaves anything.
fn plain(hir: Hir, open: Option<u32>) -> Hir {
    match hir.into_kind() {
        HirKind::Look(_) | HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(Class::Unicode(class)) => {
            let mut printable = ClassUnicode::new([ClassUnicodeRange::new(' ', '~')]);
            printable.intersect(&class);
            let empty = printable.ranges().is_empty();
            Hir::class(Class::Unicode(if empty { class } else { printable }))
        }
        HirKind::Class(class) => Hir::class(class),
        HirKind::Repetition(mut repetition) => {
            repetition.sub = Box::new(plain(*repetition.sub, open));
            if let (None, Some(times)) = (repetition.max, open) {
                repetition.min = repetition.min.max(times);
                repetition.max = Some(repetition.min);
            }
            Hir::repetition(repetition)
        }
        HirKind::Capture(capture) => plain(*capture.sub, open),
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(|part| plain(part, open)).collect()),
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.into_iter().map(|part| plain(part, open)).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn first(pattern: &str) -> Option<String> {
        samples(pattern, 1, None, &mut StdRng::seed_from_u64(1)).pop()
    }

    #[test]
    fn anchors_are_kept_by_leaving_nothing_around_the_match() {
        assert_eq!(first("^(abc)$").as_deref(), Some("abc"));
        assert_eq!(first(r"\Aabc\Z").as_deref(), Some("abc"));
        assert_eq!(first(r"\mabc\M").as_deref(), Some("abc"));
    }

    #[test]
    fn brackets_are_read_as_postgresql_reads_them() {
        assert_eq!(first("^[]]$").as_deref(), Some("]"));
        assert_eq!(first("^[[]$").as_deref(), Some("["));
        assert!(first("^[[:digit:]]{3}$").unwrap().bytes().all(|b| b.is_ascii_digit()));
        assert!(matches!(first("^[a&&b]$").as_deref(), Some("a" | "&" | "b")));
    }

    #[test]
    fn classes_give_printable_text() {
        let text = first(r"^[^a-z]{20}\w{20}\S{20}$").unwrap();
        assert!(text.len() == 60 && text.bytes().all(|b| (b' '..=b'~').contains(&b)), "{text}");
    }

    #[test]
    fn an_open_repetition_is_as_long_as_asked() {
        let long = samples("^[0-9a-f]+$", 1, Some(40), &mut StdRng::seed_from_u64(1)).pop().unwrap();
        assert!(long.len() == 40 && long.bytes().all(|b| b.is_ascii_hexdigit()), "{long}");
    }

    #[test]
    fn a_pattern_that_can_not_be_read_gives_nothing() {
        assert_eq!(first(r"^(a)\1$"), None);
        assert_eq!(first("(?=a)a"), None);
        assert_eq!(first("("), None);
    }
}
