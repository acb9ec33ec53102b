//! A dependency as Python writes it: `name [extra, …] (==1.*, …) ; marker`, or `name @ URL`.
//!
//! Grammar: <https://packaging.python.org/en/latest/specifications/dependency-specifiers/>. Own code, since the crate
//! that is kept for it (`pep508_rs`) remembers every marker that it has ever seen, prints them otherwise than they were
//! written, and refuses specifiers such as `>=1.*`, of which published metadata has many.

/// A dependency; parts of the text as they were written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Requirement<'a> {
    pub(super) name: &'a str,
    pub(super) extras: Vec<&'a str>,
    /// Without parentheses; empty where any version will do, or there is a URL.
    pub(super) specifier: &'a str,
    pub(super) url: Option<&'a str>,
    /// Empty where there is none.
    pub(super) marker: &'a str,
    /// Whether the marker can only hold if an extra of the depending package was asked for.
    pub(super) needs_extra: bool,
}

/// How deep parentheses of a marker may be nested.
const MAX_DEPTH: usize = 64;

/// Longer ones before those that they begin with.
const OPERATORS: [&str; 8] = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"];

const VARIABLES: [&str; 20] = [
    "python_version",
    "python_full_version",
    "os_name",
    "sys_platform",
    "platform_release",
    "platform_system",
    "platform_version",
    "platform_machine",
    "platform_python_implementation",
    "implementation_name",
    "implementation_version",
    "extra",
    "extras",
    "dependency_groups",
    // As setuptools wrote them before there was a standard.
    "os.name",
    "sys.platform",
    "platform.version",
    "platform.machine",
    "platform.python_implementation",
    "python_implementation",
];

/// Takes `text` apart; `Err` with what was expected where.
pub(super) fn parse(text: &str) -> Result<Requirement<'_>, String> {
    let text = text.trim();
    let name_end = text.find(|c: char| !is_of_name(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(name_end);
    let is_edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if !is_edge(name.chars().next()) || !is_edge(name.chars().next_back()) {
        return Err("does not begin with the name of a package".into());
    }
    let (extras, rest) = extras(rest.trim_start())?;
    let rest = rest.trim_start();
    if let Some(rest) = rest.strip_prefix('@') {
        let rest = rest.trim_start();
        // A URL may hold a semicolon, so that of a marker stands apart.
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (url, rest) = rest.split_at(end);
        if url.is_empty() {
            return Err("has no URL after its @".into());
        }
        let (marker, needs_extra) = marker(rest)?;
        return Ok(Requirement { name, extras, specifier: "", url: Some(url), marker, needs_extra });
    }
    let end = rest.find(';').unwrap_or(rest.len());
    let (specifier, rest) = rest.split_at(end);
    let specifier = specifier.trim();
    let specifier = match specifier.strip_prefix('(') {
        Some(inner) => inner.strip_suffix(')').ok_or("has a parenthesis that is not closed")?.trim(),
        None => specifier,
    };
    for clause in specifier.split(',').map(str::trim).filter(|clause| !clause.is_empty()) {
        check_clause(clause)?;
    }
    let (marker, needs_extra) = marker(rest)?;
    Ok(Requirement { name, extras, specifier, url: None, marker, needs_extra })
}

fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

fn extras(text: &str) -> Result<(Vec<&str>, &str), String> {
    let Some(rest) = text.strip_prefix('[') else { return Ok((Vec::new(), text)) };
    let (inner, rest) = rest.split_once(']').ok_or("has a [ that is not closed")?;
    let extras: Vec<&str> = inner.split(',').map(str::trim).filter(|extra| !extra.is_empty()).collect();
    match extras.iter().find(|extra| !extra.chars().all(is_of_name)) {
        Some(_) => Err("has an extra that is no name".into()),
        None => Ok((extras, rest)),
    }
}

fn check_clause(clause: &str) -> Result<(), String> {
    let operator = OPERATORS.iter().find(|operator| clause.starts_with(**operator));
    let operator = operator.ok_or("expected a comparison such as >=1.0 after the name")?;
    let version = clause[operator.len()..].trim();
    let is_of_version = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '*' | '+' | '!' | '-' | '_');
    let is_fine = if *operator == "===" {
        !version.contains(|c: char| c.is_whitespace() || c == ')')
    } else {
        version.chars().all(is_of_version)
    };
    if is_fine && !version.is_empty() {
        Ok(())
    } else {
        Err(format!("{operator} is not followed by a version"))
    }
}

/// What follows the semicolon, and whether it needs an extra.
fn marker(text: &str) -> Result<(&str, bool), String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(("", false));
    }
    let marker = text.strip_prefix(';').ok_or("expected ; and a marker, or nothing more")?.trim();
    let mut parser = Parser { rest: marker, depth: 0 };
    let needs_extra = parser.or()?;
    parser.skip();
    if parser.rest.is_empty() { Ok((marker, needs_extra)) } else { Err("has more after its marker".into()) }
}

/// Of markers. Each function answers whether what it read needs an extra.
struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn word(&mut self, word: &str) -> bool {
        self.skip();
        let after = self.rest.strip_prefix(word).filter(|rest| !rest.starts_with(is_of_name));
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut needs = self.and()?;
        while self.word("or") {
            needs &= self.and()?;
        }
        Ok(needs)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut needs = self.expression()?;
        while self.word("and") {
            needs |= self.expression()?;
        }
        Ok(needs)
    }

    fn expression(&mut self) -> Result<bool, String> {
        self.skip();
        if let Some(rest) = self.rest.strip_prefix('(') {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(format!("has a marker of more than {MAX_DEPTH} parentheses in each other"));
            }
            self.rest = rest;
            let needs = self.or()?;
            self.skip();
            self.rest =
                self.rest.strip_prefix(')').ok_or("has a marker with a parenthesis that is not closed")?;
            self.depth -= 1;
            return Ok(needs);
        }
        let left = self.value()?;
        let is_equal = self.operator()?;
        let right = self.value()?;
        Ok(match (left, right) {
            (Value::Variable("extra" | "extras"), Value::Text(text))
            | (Value::Text(text), Value::Variable("extra" | "extras")) => is_equal && !text.is_empty(),
            _ => false,
        })
    }

    fn value(&mut self) -> Result<Value<'a>, String> {
        self.skip();
        if let Some(quote) = self.rest.chars().next().filter(|first| matches!(first, '"' | '\'')) {
            let inner = &self.rest[1..];
            let (text, rest) =
                inner.split_once(quote).ok_or("has a marker with a quote that is not closed")?;
            self.rest = rest;
            return Ok(Value::Text(text));
        }
        let end = self.rest.find(|c: char| !is_of_name(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if !VARIABLES.contains(&word) {
            return Err(
                "has a marker with something else than a variable of the environment or a text in quotes"
                    .into(),
            );
        }
        self.rest = rest;
        Ok(Value::Variable(word))
    }

    /// Whether it says that both sides are, or have, the same.
    fn operator(&mut self) -> Result<bool, String> {
        self.skip();
        if let Some(operator) = OPERATORS.iter().find(|operator| self.rest.starts_with(**operator)) {
            self.rest = &self.rest[operator.len()..];
            return Ok(matches!(*operator, "==" | "==="));
        }
        if self.word("in") {
            return Ok(true);
        }
        if self.word("not") && self.word("in") {
            return Ok(false);
        }
        Err("has a marker without a comparison".into())
    }
}

enum Value<'a> {
    Variable(&'a str),
    Text(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_taken_apart() {
        let plain = |name| Requirement {
            name,
            extras: vec![],
            specifier: "",
            url: None,
            marker: "",
            needs_extra: false,
        };
        for (text, found) in [
            ("Some.thing_x", plain("Some.thing_x")),
            ("a>=1,<2", Requirement { specifier: ">=1,<2", ..plain("a") }),
            ("a (>=1.*, !=1.5.*)", Requirement { specifier: ">=1.*, !=1.5.*", ..plain("a") }),
            (
                "a [b , c-d] ~= 1.4",
                Requirement { extras: vec!["b", "c-d"], specifier: "~= 1.4", ..plain("a") },
            ),
            ("a===weird/1", Requirement { specifier: "===weird/1", ..plain("a") }),
            ("a>=1,", Requirement { specifier: ">=1,", ..plain("a") }),
            ("a[]", plain("a")),
            (
                "a @ git+https://git.example.org/a.git@v1;x ; os_name == 'nt'",
                Requirement {
                    url: Some("git+https://git.example.org/a.git@v1;x"),
                    marker: "os_name == 'nt'",
                    ..plain("a")
                },
            ),
            (
                "a; python_version<'3.8' and (extra == \"b\" or extra == 'c')",
                Requirement {
                    marker: "python_version<'3.8' and (extra == \"b\" or extra == 'c')",
                    needs_extra: true,
                    ..plain("a")
                },
            ),
            (
                "a; extra == 'b' or os_name not in 'nt'",
                Requirement { marker: "extra == 'b' or os_name not in 'nt'", ..plain("a") },
            ),
            ("a; 'b' == extra", Requirement { marker: "'b' == extra", needs_extra: true, ..plain("a") }),
            ("a; extra != 'b'", Requirement { marker: "extra != 'b'", ..plain("a") }),
        ] {
            assert_eq!(parse(text).as_ref(), Ok(&found), "{text}");
        }
    }

    #[test]
    fn what_is_no_requirement_says_what_was_expected() {
        let deep = format!("a; {}os_name == 'x'", "(".repeat(1000));
        for text in [
            "",
            "-a",
            "a-",
            "a 1.0",
            "a (1.0)",
            "a (>=1",
            "a[b",
            "a[b c]",
            "a>=",
            "a>=1 2",
            "a @ ",
            "a; ",
            "a; os_name",
            "a; os_name == 'x",
            "a; (os_name == 'x'",
            "a; os_name == 'x')",
            "a; unknown == 'x'",
            "a; os_name is 'x'",
            "a; os_name not 'x'",
            "a @ https://example.org/ more",
            "a;; os_name == 'x'",
            "é",
            "a==1;é",
            &deep,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
