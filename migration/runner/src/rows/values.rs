//! A value of a type, as the text that its input function reads.

use rand::{Rng, RngExt};

use super::tables::{Schema, Type};

/// Seconds from 1970 to the start of 2026 (UTC); times lie in the year after it.
const YEAR_2026: i64 = 1_767_225_600;

/// A value of the type `oid`; `turn` counts through the labels of an enum. `None` if nothing is known of it.
pub(super) fn value(
    schema: &Schema,
    oid: i64,
    modifier: i32,
    turn: usize,
    rng: &mut impl Rng,
) -> Option<String> {
    let resolved = schema.resolve(oid, modifier)?;
    let (base, modifier) = (resolved.base, resolved.modifier);
    if let Some(element) = base.element.filter(|_| base.category == 'A') {
        let elements = (0..2).map(|at| value(schema, element, modifier, turn + at, rng));
        return elements.collect::<Option<Vec<_>>>().map(|elements| array(&elements));
    }
    match base.kind {
        'e' => base.labels.get(turn % base.labels.len().max(1)).cloned(),
        'r' => range(schema, base.range_of?, rng),
        'm' => range(schema, base.range_of?, rng).map(|range| format!("{{{range}}}")),
        'c' => {
            let fields = base.fields.iter().map(|&(oid, modifier)| value(schema, oid, modifier, turn, rng));
            let fields = fields.map(|field| field.map(|field| quoted(&field))).collect::<Option<Vec<_>>>()?;
            Some(format!("({})", fields.join(",")))
        }
        _ => Some(of_base(base, modifier, rng)),
    }
}

/// An array of these elements.
pub(super) fn array(elements: &[String]) -> String {
    let elements: Vec<String> = elements.iter().map(|element| quoted(element)).collect();
    format!("{{{}}}", elements.join(","))
}

/// A word of `length` characters that no other call gives, as far as the length allows.
pub(super) fn word(length: usize, rng: &mut impl Rng) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
    (0..length).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect()
}

/// `length` bytes in PostgreSQL's hexadecimal form.
pub(super) fn bytes(length: usize, rng: &mut impl Rng) -> String {
    (0..length).fold("\\x".to_owned(), |text, _| format!("{text}{:02x}", rng.random::<u8>()))
}

fn quoted(element: &str) -> String {
    format!("\"{}\"", element.replace('\\', "\\\\").replace('"', "\\\""))
}

fn of_base(base: &Type, modifier: i32, rng: &mut impl Rng) -> String {
    let mut number = |most: i64| rng.random_range(1..=most);
    match base.name.as_str() {
        "bool" => (number(2) == 1).to_string(),
        "int2" => number(30_000).to_string(),
        "int4" | "int8" | "oid" => number(1_000_000_000).to_string(),
        "float4" | "float8" => format!("{}.5", number(100_000)),
        "money" => format!("{}.25", number(1_000)),
        "numeric" => numeric(modifier, rng),
        "text" | "citext" | "name" | "varchar" | "bpchar" | "char" => {
            let most = match (base.name.as_str(), modifier) {
                ("char", _) => 1,
                (_, limit) if limit > 4 => usize::try_from(limit - 4).unwrap_or(8),
                _ => 8,
            };
            word(most.min(8), rng)
        }
        "bytea" => bytes(8, rng),
        "uuid" => {
            let (high, low) = (rng.random::<u64>(), rng.random::<u64>());
            let hex = format!("{high:016x}{low:016x}");
            format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
        }
        "date" | "timestamp" | "timestamptz" => moment(&base.name, number(30_000_000)),
        "time" | "timetz" => format!("{:02}:{:02}:{:02}", number(23), number(59), number(59)),
        "interval" => format!("{} minutes", number(100_000)),
        "json" | "jsonb" => format!(r#"{{"{}": {}}}"#, word(4, rng), rng.random_range(1..1_000)),
        "bit" => bits(modifier.max(1), rng),
        "varbit" => bits(if modifier > 0 { modifier } else { 8 }, rng),
        "inet" => format!("10.{}.{}.{}", number(255), number(255), number(254)),
        "cidr" => format!("10.{}.{}.0/24", number(255), number(255)),
        "macaddr" => {
            format!("02:00:{:02x}:{:02x}:{:02x}:{:02x}", number(255), number(255), number(255), number(255))
        }
        "macaddr8" => format!(
            "02:00:00:00:{:02x}:{:02x}:{:02x}:{:02x}",
            number(255),
            number(255),
            number(255),
            number(255)
        ),
        "tsvector" => format!("'{}':1", word(6, rng)),
        "tsquery" | "ltree" | "lquery" | "ltxtquery" => word(6, rng),
        "xml" => format!("<a>{}</a>", word(6, rng)),
        "jsonpath" => format!("$.{}", word(6, rng)),
        "point" | "cube" => format!("({},{})", number(1_000), number(1_000)),
        "line" => format!("{{{},{},{}}}", number(100), number(100), number(100)),
        "lseg" | "box" | "path" => format!("(({0},{0}),({1},{1}))", number(100), number(100) + 100),
        "polygon" => format!("((0,0),(0,{0}),({0},{0}))", number(1_000)),
        "circle" => format!("<(0,0),{}>", number(1_000)),
        "pg_lsn" => format!("0/{:X}", number(1_000_000_000)),
        "hstore" => format!("{}=>1", word(6, rng)),
        "geometry" | "geography" => format!("POINT({} {})", number(90), number(90)),
        "vector" | "halfvec" => {
            let parts: Vec<String> = (0..modifier.clamp(1, 4_000)).map(|_| number(9).to_string()).collect();
            format!("[{}]", parts.join(","))
        }
        name if name.starts_with("reg") => "0".to_owned(),
        _ => match base.category {
            'N' => number(1_000).to_string(),
            'S' | 'U' | 'X' => word(8, rng),
            _ => number(9).to_string(),
        },
    }
}

fn numeric(modifier: i32, rng: &mut impl Rng) -> String {
    if modifier < 4 {
        return format!("{}.5", rng.random_range(1..=100_000));
    }
    let (precision, scale) = ((modifier - 4) >> 16, (modifier - 4) & 0x7ff);
    let scale = (scale ^ 1024) - 1024; // eleven bits with a sign
    let digits = u32::try_from(precision.min(9)).unwrap_or(1);
    let units = rng.random_range(1..10_i64.pow(digits));
    format!("{units}e{}", -scale)
}

fn bits(length: i32, rng: &mut impl Rng) -> String {
    (0..length).map(|_| if rng.random::<bool>() { '1' } else { '0' }).collect()
}

fn moment(name: &str, seconds: i64) -> String {
    let format = if name == "date" { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M:%S+00" };
    chrono::DateTime::from_timestamp(YEAR_2026 + seconds, 0)
        .map_or_else(|| "2026-01-01".to_owned(), |at| at.format(format).to_string())
}

/// Narrow, so that an exclusion constraint seldom finds two that overlap.
fn range(schema: &Schema, subtype: i64, rng: &mut impl Rng) -> Option<String> {
    let of = schema.resolve(subtype, -1)?.base;
    let start = rng.random_range(1..30_000_000_i64);
    Some(match of.name.as_str() {
        "int4" | "int8" | "numeric" | "float8" => format!("[{start},{})", start + 1),
        "date" => format!("[{},{})", moment("date", start), moment("date", start + 86_400)),
        name @ ("timestamp" | "timestamptz") => {
            format!("[\"{}\",\"{}\")", moment(name, start), moment(name, start + 60))
        }
        _ => {
            let bound = quoted(&value(schema, subtype, -1, 0, rng)?);
            format!("[{bound},{bound}]")
        }
    })
}
