//! What the text of a constraint tells about values that it accepts.

use rand::{Rng, RngExt};

use super::regex;
use super::tables::{Resolved, Schema};
use super::values::{array, bytes, value, word};

/// No longer text is made, whatever a constraint says.
const LONGEST: usize = 10_000;

/// Samples per regular expression.
const SAMPLES: usize = 16;

/// The constants of an expression.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Hints {
    literals: Vec<String>,
    numbers: Vec<i64>,
    /// Right of `~`.
    patterns: Vec<String>,
    /// Right of `like`.
    likes: Vec<String>,
    /// Whether it asks for a length or a count.
    measures: bool,
}

impl Hints {
    /// Reads them from SQL as PostgreSQL prints it.
    pub(super) fn of(expression: &str) -> Self {
        let mut hints = Self {
            measures: ["length", "cardinality"].iter().any(|f| expression.contains(f)),
            ..Self::default()
        };
        let bytes = expression.as_bytes();
        let mut at = 0;
        let mut operator = String::new();
        while at < bytes.len() {
            match bytes[at] {
                b'\'' => {
                    let escaped = at > 0 && matches!(bytes[at - 1], b'E' | b'e');
                    let (text, end) = literal(expression, at, escaped);
                    at = end;
                    match operator.as_str() {
                        "~" | "~*" => hints.patterns.push(text),
                        "~~" | "~~*" => hints.likes.push(text),
                        _ => hints.literals.push(text),
                    }
                    operator.clear();
                    continue;
                }
                b'"' => at += expression[at + 1..].find('"').map_or(0, |end| end + 1),
                b'~' | b'<' | b'>' | b'=' | b'!' | b'*' => operator.push(char::from(bytes[at])),
                digit if digit.is_ascii_digit() => {
                    let end = expression[at..].find(|c: char| !c.is_ascii_digit());
                    let end = end.map_or(bytes.len(), |length| at + length);
                    let of_a_name =
                        at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
                    if let (false, Ok(number)) = (of_a_name, expression[at..end].parse::<i64>()) {
                        let negative = at > 0 && bytes[at - 1] == b'-';
                        hints.numbers.push(if negative { -number } else { number });
                    }
                    operator.clear();
                    at = end;
                    continue;
                }
                b' ' | b'(' | b'E' | b'e' => {}
                _ => operator.clear(),
            }
            at += 1;
        }
        hints
    }

    /// Both together.
    pub(super) fn merge(&mut self, other: Self) {
        self.literals.extend(other.literals);
        self.numbers.extend(other.numbers);
        self.patterns.extend(other.patterns);
        self.likes.extend(other.likes);
        self.measures |= other.measures;
    }

    /// Values of the type that the expression may accept.
    pub(super) fn candidates(&self, schema: &Schema, of: &Resolved<'_>, rng: &mut impl Rng) -> Vec<String> {
        let lengths = self.lengths();
        let mut found = self.literals.clone();
        match (of.base.category, of.base.name.as_str()) {
            ('S', _) => {
                found.extend(self.numbers.iter().map(ToString::to_string));
                found
                    .extend(self.likes.iter().map(|like| like.replace('%', &word(4, rng)).replace('_', "a")));
                for pattern in &self.patterns {
                    found.extend(regex::samples(pattern, SAMPLES, None, rng));
                    for length in self.lengths() {
                        let times = u32::try_from(length).ok().filter(|&times| times <= 1_000);
                        found.extend(regex::samples(pattern, SAMPLES / 4, times, rng));
                    }
                }
                found.extend(lengths.map(|length| word(length, rng)));
            }
            (_, "bytea") => found.extend(lengths.map(|length| bytes(length, rng))),
            (_, "json" | "jsonb") => found = self.json(),
            ('N', _) => {
                let written = self.literals.iter().filter_map(|literal| literal.parse().ok());
                for number in self.numbers.iter().copied().chain(written) {
                    found.extend(
                        [number.saturating_sub(1), number, number.saturating_add(1)].map(|n| n.to_string()),
                    );
                }
            }
            ('A', _) => {
                found.extend(self.literals.iter().map(|literal| array(std::slice::from_ref(literal))));
                found.push(array(&self.literals));
                found.push(array(&[]));
                if let Some(element) = of.base.element {
                    for length in lengths.filter(|&length| length <= 100) {
                        let elements = (0..length).filter_map(|at| value(schema, element, -1, at, rng));
                        found.push(array(&elements.collect::<Vec<_>>()));
                    }
                    if let Some(of_element) = schema.resolve(element, of.modifier) {
                        let elements = self.candidates(schema, &of_element, rng);
                        found.extend(elements.iter().map(|one| array(std::slice::from_ref(one))));
                    }
                }
            }
            _ => {}
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn lengths(&self) -> impl Iterator<Item = usize> {
        let measures = self.measures;
        let numbers = self.numbers.iter().filter(move |_| measures);
        numbers
            .flat_map(|&number| [number.saturating_sub(1), number, number.saturating_add(1)])
            .filter_map(|length| usize::try_from(length).ok())
            .filter(|&length| length <= LONGEST)
    }

    /// A value of each kind, and objects with the literals as keys.
    fn json(&self) -> Vec<String> {
        let mut found: Vec<String> =
            ["{}", "[]", "[1]", r#""a""#, "1", "true", "null"].map(str::to_owned).into();
        for value in
            [serde_json::json!("a"), serde_json::json!(1), serde_json::json!({}), serde_json::json!([])]
        {
            let members = self.literals.iter().map(|key| (key.clone(), value.clone()));
            found.push(serde_json::Value::Object(members.collect()).to_string());
        }
        found.extend(
            self.literals
                .iter()
                .filter(|text| serde_json::from_str::<serde_json::Value>(text).is_ok())
                .cloned(),
        );
        found
    }
}

/// Values that are seldom wrong and differ in kind, for when nothing better is known.
pub(super) fn usual(of: &Resolved<'_>, rng: &mut impl Rng) -> Option<String> {
    let choices: &[&str] = match (of.base.category, of.base.name.as_str()) {
        ('S', _) => {
            &["", "a", "A", "Word", "WORD", "1", "12345", "a-b", "a@b.example", "https://example.org/"]
        }
        ('N', _) => &["0", "1", "-1", "2", "10", "100", "1000000"],
        ('D', "time" | "timetz") => &["00:00", "12:00", "23:59"],
        ('D', _) => &["1970-01-01", "2000-01-01", "2030-01-01", "2100-01-01"],
        ('R', _) => &["empty", "(,)"],
        ('A', _) => &["{}"],
        (_, "json" | "jsonb") => &["{}", "[]", "\"a\"", "1", "true", "null"],
        (_, "interval") => &["0", "1 day", "-1 day"],
        _ => return None,
    };
    choices.get(rng.random_range(0..choices.len())).map(|&choice| choice.to_owned())
}

/// The text of the literal whose opening quote is at `at`, and where it ends.
fn literal(expression: &str, at: usize, escaped: bool) -> (String, usize) {
    let mut text = String::new();
    let mut chars = expression[at + 1..].char_indices().peekable();
    while let Some((offset, c)) = chars.next() {
        match c {
            '\'' if chars.next_if(|&(_, next)| next == '\'').is_some() => text.push('\''),
            '\'' => return (text, at + 1 + offset + 1),
            '\\' if escaped => text.extend(chars.next().map(|(_, next)| match next {
                'n' => '\n',
                't' => '\t',
                other => other,
            })),
            _ => text.push(c),
        }
    }
    (text, expression.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_told_apart_by_what_stands_before_them() {
        let hints = Hints::of(
            r"CHECK (((kind = ANY (ARRAY['a'::text, 'it''s'::text])) AND (c1 ~ E'^\\d+$'::text) AND (d ~~ 'x%'::text) AND (n > '-5'::integer) AND (char_length(x) <= 40)))",
        );
        assert_eq!(
            hints,
            Hints {
                literals: vec!["a".to_owned(), "it's".to_owned(), "-5".to_owned()],
                numbers: vec![40],
                patterns: vec![r"^\d+$".to_owned()],
                likes: vec!["x%".to_owned()],
                measures: true,
            }
        );
    }

    #[test]
    fn an_expression_that_ends_in_a_literal_or_a_name_is_read_to_its_end() {
        assert_eq!(Hints::of("'open").literals, ["open"]);
        assert_eq!(Hints::of("\"open"), Hints::default());
        assert_eq!(Hints::of("é = 'ß'").literals, ["ß"]);
    }
}
