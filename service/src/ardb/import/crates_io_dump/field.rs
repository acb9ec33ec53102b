//! The fields of a record of CSV, found by the names in the header, as the types they have to be of.

use csv::ByteRecord;

/// A record and where its columns are.
pub(super) struct Fields<'a> {
    pub(super) record: &'a ByteRecord,
    pub(super) columns: &'static [&'static str],
    /// Where each of `columns` is in the record.
    pub(super) positions: &'a [usize],
}

impl<'a> Fields<'a> {
    /// As it is; empty where it is null.
    pub(super) fn text(&self, column: &str) -> Result<&'a str, String> {
        let at =
            self.columns.iter().position(|known| *known == column).expect("a column that is read is listed");
        let bytes = self.record.get(self.positions[at]).ok_or_else(|| format!("{column} is missing"))?;
        if bytes.contains(&0) {
            return Err(format!("{column} has a NUL character, which the database can't hold"));
        }
        str::from_utf8(bytes).map_err(|error| format!("{column} is not UTF-8: {error}"))
    }

    pub(super) fn id(&self, column: &str) -> Result<i64, String> {
        let text = self.text(column)?;
        text.parse().map_err(|_| format!("{column} {text:?} is not a whole number"))
    }

    /// A number of at least 0; `None` where it is empty.
    pub(super) fn optional_count(&self, column: &str) -> Result<Option<i64>, String> {
        if self.text(column)?.is_empty() {
            return Ok(None);
        }
        match self.id(column)? {
            count @ 0.. => Ok(Some(count)),
            count => Err(format!("{column} {count} is negative")),
        }
    }

    pub(super) fn boolean(&self, column: &str) -> Result<bool, String> {
        match self.text(column)? {
            "t" => Ok(true),
            "f" => Ok(false),
            other => Err(format!("{column} {other:?} is neither t nor f")),
        }
    }

    /// An array of texts, in PostgreSQL's notation.
    pub(super) fn texts(&self, column: &str) -> Result<Vec<String>, String> {
        let text = self.text(column)?;
        array(text).ok_or_else(|| format!("{column} {text:?} is not an array such as {{a,\"b c\"}}"))
    }
}

/// The elements of a one-dimensional array as PostgreSQL writes it.
fn array(text: &str) -> Option<Vec<String>> {
    let mut rest = text.strip_prefix('{')?.strip_suffix('}')?.chars().peekable();
    let mut elements = Vec::new();
    while rest.peek().is_some() {
        let mut element = String::new();
        if rest.next_if_eq(&'"').is_some() {
            loop {
                match rest.next()? {
                    '"' => break,
                    '\\' => element.push(rest.next()?),
                    other => element.push(other),
                }
            }
        } else {
            while let Some(character) = rest.next_if(|character| *character != ',') {
                if matches!(character, '"' | '{' | '}') {
                    return None;
                }
                element.push(character);
            }
            if element.is_empty() {
                return None;
            }
        }
        elements.push(element);
        match rest.next() {
            None => break,
            Some(',') if rest.peek().is_some() => {}
            Some(_) => return None,
        }
    }
    Some(elements)
}

#[cfg(test)]
mod tests {
    use super::array;

    #[test]
    fn arrays_are_read_as_postgresql_writes_them() {
        for (text, elements) in [
            ("{}", &[][..]),
            ("{std}", &["std"]),
            (r#"{std,"a b",dep:c}"#, &["std", "a b", "dep:c"]),
            (r#"{"","q\"\\"}"#, &["", "q\"\\"]),
        ] {
            assert_eq!(array(text).unwrap(), elements, "{text}");
        }
        for text in ["", "std", "{", "{a", "{a,}", "{,}", "{\"a}", "{\"a\"b}", "{{a}}", "{a\\", "{\"a\\"] {
            assert_eq!(array(text), None, "{text}");
        }
    }
}
