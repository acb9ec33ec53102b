//! The fields of a line, read in one pass and without copying texts that have no escapes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::envelope::time::{self, Reading};
use crate::envelope::{Attributes, EventId};

/// What a line says. Empty where it does not.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    pub id: Cow<'a, str>,
    pub event_id: Option<EventId>,
    pub source: Cow<'a, str>,
    pub kind: Cow<'a, str>,
    /// `None` if the line leaves it to `kind`.
    pub action: Option<Cow<'a, str>>,
    pub repository: Cow<'a, str>,
    pub actor: Cow<'a, str>,
    pub occurred_at: Reading,
    pub subject: Cow<'a, str>,
    pub title: Cow<'a, str>,
    pub url: Cow<'a, str>,
    pub attributes: Attributes,
}

/// How many fields have a place of their own, the first of which are texts.
const PLACES: usize = 14;
const TEXTS: usize = 10;
const TIME: usize = 10;
const ATTRIBUTES: usize = 11;

/// The place of the field `name`, if it has one of its own.
fn place(name: &str) -> Option<usize> {
    let place = match name {
        "id" => 0,
        "event_id" => 1,
        "source" => 2,
        "kind" => 3,
        "action" => 4,
        "repository" => 5,
        "actor" => 6,
        "subject" => 7,
        "title" => 8,
        "url" => 9,
        "time" | "occurred_at" => TIME,
        "attributes" => ATTRIBUTES,
        "tenant" => 12,
        "received_at" => 13,
        _ => return None,
    };
    Some(place)
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event, a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut texts: [Option<Cow<'de, str>>; TEXTS] = Default::default();
        let mut occurred_at = Reading::NotATime;
        let mut attributes = Attributes::new();
        let mut seen = [false; PLACES];
        while let Some(Text(key)) = map.next_key()? {
            let Some(place) = place(&key) else {
                set(&mut attributes, &key, map.next_value()?);
                continue;
            };
            if std::mem::replace(&mut seen[place], true) {
                let key = if place == TIME { "time" } else { &*key };
                return Err(A::Error::custom(format_args!("`{key}` is there twice")));
            }
            match place {
                TIME => occurred_at = read_time(&map.next_value()?)?,
                ATTRIBUTES => map.next_value_seed(AttributesSeed(&mut attributes))?,
                text if text < TEXTS => texts[text] = as_text(&key, map.next_value()?)?,
                // Whose event it is and when it came is for the intake to say.
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let [id, event_id, source, kind, action, repository, actor, subject, title, url] = texts;
        let event_id = event_id.map(|id| id.parse::<EventId>()).transpose();
        Ok(Fields {
            id: id.unwrap_or_default(),
            event_id: event_id.map_err(|error| A::Error::custom(format_args!("`event_id`: {error}")))?,
            source: source.unwrap_or_default(),
            kind: kind.unwrap_or_default(),
            action,
            repository: repository.unwrap_or_default(),
            actor: actor.unwrap_or_default(),
            occurred_at,
            subject: subject.unwrap_or_default(),
            title: title.unwrap_or_default(),
            url: url.unwrap_or_default(),
            attributes,
        })
    }
}

fn as_text<'a, E: Error>(key: &str, value: Scalar<'a>) -> Result<Option<Cow<'a, str>>, E> {
    match value {
        Scalar::Text(text) => Ok(Some(text)),
        Scalar::Null => Ok(None),
        other => Err(E::custom(format_args!("`{key}`: expected a text, got {}", other.name()))),
    }
}

fn read_time<E: Error>(value: &Scalar) -> Result<Reading, E> {
    let reading = match value {
        Scalar::Text(text) => time::read_text(text),
        Scalar::Whole(number) => time::read_number(*number),
        Scalar::Large(_) => Reading::OutOfRange,
        Scalar::Float(number) => time::read_float(*number),
        Scalar::Null => return Ok(Reading::NotATime),
        _ => Reading::NotATime,
    };
    if reading == Reading::NotATime {
        return Err(E::custom(format_args!(
            "`time`: expected one such as 2024-05-01T10:00:00Z or seconds since 1970, got {}",
            value.name()
        )));
    }
    Ok(reading)
}

fn set(attributes: &mut Attributes, key: &str, value: Scalar) {
    match value {
        Scalar::Text(text) => attributes.set(key, &text),
        Scalar::Whole(number) => attributes.set(key, &number.to_string()),
        Scalar::Large(number) => attributes.set(key, &number.to_string()),
        Scalar::Float(number) => attributes.set(key, &Value::from(number).to_string()),
        Scalar::Flag(flag) => attributes.set(key, if flag { "true" } else { "false" }),
        Scalar::Nested(value) => attributes.set(key, &value.to_string()),
        Scalar::Null => {}
    }
}

struct AttributesSeed<'a>(&'a mut Attributes);

impl<'de> DeserializeSeed<'de> for AttributesSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AttributesSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object in `attributes`")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            set(self.0, &key, map.next_value()?);
        }
        Ok(())
    }
}

/// A text that borrows from the input where it can.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => Ok(Self(text)),
            other => Err(D::Error::custom(format_args!("expected a text, got {}", other.name()))),
        }
    }
}

/// The value of a field.
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Whole(i64),
    /// What `Whole` does not hold.
    Large(u64),
    Float(f64),
    Flag(bool),
    Null,
    Nested(Value),
}

impl Scalar<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "another text",
            Self::Whole(_) | Self::Large(_) | Self::Float(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::Null => "null",
            Self::Nested(Value::Array(_)) => "an array",
            Self::Nested(_) => "an object",
        }
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(i64::try_from(number).map_or(Scalar::Large(number), Scalar::Whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Float(number))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Flag(flag))
    }

    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, list: A) -> Result<Scalar<'de>, A::Error> {
        Value::deserialize(serde::de::value::SeqAccessDeserializer::new(list)).map(Scalar::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Scalar<'de>, A::Error> {
        Value::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Scalar::Nested)
    }
}
