//! What a server asks of a person or of a model: the wire's `tta/elicit` and `tta/sample`.
//!
//! All of it is the server's own text, untrusted and bounded by the bridge. An answer is checked against the question
//! ([`Field::check`]) before the server has it, whoever gave it.

use crate::PageId;
use crate::editor::EditorContent;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use ts_rs::TS;

/// What there is to ask: a person by a form or a page, a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// A person can fill in a form.
    pub form: bool,
    /// A person can open a page.
    pub url: bool,
    /// A model can be asked.
    pub sampling: bool,
}

impl Offers {
    /// What either of the two offers.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { form: self.form || other.form, url: self.url || other.url, sampling: self.sampling || other.sampling }
    }
}

/// `tta/elicit`: a server asks the person in the middle of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum ElicitRequest {
    /// For values.
    Form {
        /// The server's configured name.
        server: String,
        /// What it wants, in its words.
        message: String,
        /// What is to be filled in, in its order; may be none, where a yes is all it wants.
        fields: Vec<Field>,
    },
    /// To open a page: for whatever must not pass through us, such as a password.
    Url {
        /// The server's configured name.
        server: String,
        /// What it wants, in its words.
        message: String,
        /// The page, http or https. It belongs in no log.
        url: String,
        /// By which whoever shows the page is told when what was to be done there is done.
        id: PageId,
        /// The server does nothing before that: a yes says that it is done, not only that the page was opened.
        #[serde(default)]
        awaited: bool,
    },
}

/// One field of a form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Field {
    /// Its name in the answer.
    pub name: String,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub title: Option<String>,
    /// What belongs into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub description: Option<String>,
    /// Whether there is no answer without it.
    pub required: bool,
    /// Its values.
    pub kind: FieldKind,
}

/// The values of a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum FieldKind {
    /// A text.
    Text {
        /// What it must look like.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        format: Option<TextFormat>,
        /// Its length in characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        least: Option<u32>,
        /// Likewise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        most: Option<u32>,
        /// What stands there to begin with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        default: Option<String>,
    },
    /// A number.
    Number {
        /// Only whole ones.
        whole: bool,
        /// The smallest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        least: Option<f64>,
        /// The largest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        most: Option<f64>,
        /// What stands there to begin with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        default: Option<f64>,
    },
    /// Yes or no.
    Boolean {
        /// What stands there to begin with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        default: Option<bool>,
    },
    /// One of several.
    Choice {
        /// The several.
        options: Vec<Choice>,
        /// Which is chosen to begin with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        default: Option<String>,
    },
    /// Any of several.
    Choices {
        /// The several.
        options: Vec<Choice>,
        /// How many must be chosen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        least: Option<u32>,
        /// How many may be.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        most: Option<u32>,
        /// Which are chosen to begin with.
        default: Vec<String>,
    },
}

/// What a text must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum TextFormat {
    /// An address for e-mail.
    Email,
    /// A URI.
    Uri,
    /// A day, `2026-01-31`.
    Date,
    /// A moment, as RFC 3339 writes it.
    DateTime,
}

/// One value to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Choice {
    /// The value in the answer.
    pub value: String,
    /// What people read.
    pub title: String,
}

/// The answer to `tta/elicit`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum ElicitReply {
    /// Filled in, or the page was opened.
    Accept {
        /// By field; empty for a page.
        #[serde(default)]
        #[ts(type = "Record<string, unknown>")]
        content: Map<String, Value>,
    },
    /// No.
    Decline,
    /// Neither: it was closed, or nobody answered.
    Cancel,
}

/// `tta/sample`: a server asks the editor's model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SampleRequest {
    /// The server's configured name.
    pub server: String,
    /// Hash of everything that decides what is started: a leave that is remembered is bound to it.
    pub content_hash: String,
    /// The conversation so far.
    pub messages: Vec<SampleMessage>,
    /// What the model is told beforehand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub system: Option<String>,
    /// Parts of the names of models, the most wanted first.
    pub hints: Vec<String>,
    /// Tokens of the answer.
    pub max_tokens: u32,
    /// How free the answer is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub temperature: Option<f32>,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SampleMessage {
    /// Whether the model is to have said it.
    pub assistant: bool,
    /// What was said.
    pub content: Vec<EditorContent>,
}

/// The answer to `tta/sample`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SampleReply {
    /// Which model answered.
    pub model: String,
    /// What it said.
    pub text: String,
    /// Why it stopped, in MCP's words: `endTurn`, `stopSequence`, `maxTokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub stop_reason: Option<String>,
}

impl ElicitRequest {
    /// Who asks.
    pub fn server(&self) -> &str {
        match self {
            Self::Form { server, .. } | Self::Url { server, .. } => server,
        }
    }

    /// What the server gets of an answer: nothing that it did not ask for; an error says which field is wrong.
    pub fn check(&self, reply: ElicitReply) -> Result<ElicitReply, String> {
        let ElicitReply::Accept { mut content } = reply else { return Ok(reply) };
        let Self::Form { fields, .. } = self else { return Ok(ElicitReply::Accept { content: Map::new() }) };
        content.retain(|name, value| !value.is_null() && fields.iter().any(|field| field.name == *name));
        for field in fields {
            match content.get(&field.name) {
                Some(value) => field.check(value).map_err(|why| format!("{}: {why}", field.name))?,
                None if field.required => return Err(format!("{}: it is required", field.name)),
                None => {}
            }
        }
        Ok(ElicitReply::Accept { content })
    }
}

impl Field {
    /// What people read.
    pub fn label(&self) -> &str {
        self.title.as_deref().filter(|title| !title.trim().is_empty()).unwrap_or(&self.name)
    }

    /// Whether a value fits; an error says what would, in a few words.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        match &self.kind {
            FieldKind::Text { format, least, most, .. } => {
                let text = value.as_str().ok_or("a text is wanted")?;
                counted(text.chars().count(), *least, *most, " characters")?;
                format.map_or(Ok(()), |format| format.check(text))
            }
            FieldKind::Number { whole, least, most, .. } => {
                let number = value.as_f64().ok_or("a number is wanted")?;
                if *whole && !value.is_i64() && !value.is_u64() {
                    return Err("a whole number is wanted".to_owned());
                }
                within(number, *least, *most, "")
            }
            FieldKind::Boolean { .. } => value.as_bool().map(drop).ok_or_else(|| "yes or no is wanted".to_owned()),
            FieldKind::Choice { options, .. } => one_of(options, value),
            FieldKind::Choices { options, least, most, .. } => {
                let chosen = value.as_array().ok_or("a list is wanted")?;
                chosen.iter().try_for_each(|value| one_of(options, value))?;
                counted(chosen.len(), *least, *most, " of them")
            }
        }
    }

    /// As JSON Schema, in the words that MCP has for forms.
    pub fn schema(&self) -> Value {
        let titled = |options: &[Choice]| options.iter().any(|option| option.title != option.value);
        let values = |options: &[Choice]| options.iter().map(|o| Value::from(o.value.as_str())).collect::<Vec<_>>();
        let pairs = |options: &[Choice]| {
            options.iter().map(|o| json!({"const": o.value, "title": o.title})).collect::<Vec<_>>()
        };
        let mut schema = match &self.kind {
            FieldKind::Text { format, least, most, .. } => {
                json!({"type": "string", "format": format, "minLength": least, "maxLength": most})
            }
            FieldKind::Number { whole, least, most, .. } => {
                let (kind, value): (_, fn(f64) -> Value) =
                    if *whole { ("integer", whole_value) } else { ("number", Value::from) };
                json!({"type": kind, "minimum": least.map(value), "maximum": most.map(value)})
            }
            FieldKind::Boolean { .. } => json!({"type": "boolean"}),
            FieldKind::Choice { options, .. } if titled(options) => json!({"type": "string", "oneOf": pairs(options)}),
            FieldKind::Choice { options, .. } => json!({"type": "string", "enum": values(options)}),
            FieldKind::Choices { options, least, most, .. } => {
                let items = if titled(options) {
                    json!({"anyOf": pairs(options)})
                } else {
                    json!({"type": "string", "enum": values(options)})
                };
                json!({"type": "array", "items": items, "minItems": least, "maxItems": most})
            }
        };
        let own = [
            ("title", self.title.clone().map(Value::from)),
            ("description", self.description.clone().map(Value::from)),
            ("default", self.default_value()),
        ];
        let schema = schema.as_object_mut().expect("each of the above is one");
        schema.extend(own.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        schema.retain(|_, value| !value.is_null());
        Value::Object(std::mem::take(schema))
    }

    /// What stands there to begin with.
    pub fn default_value(&self) -> Option<Value> {
        match &self.kind {
            FieldKind::Text { default, .. } | FieldKind::Choice { default, .. } => default.clone().map(Value::from),
            FieldKind::Number { whole: true, default, .. } => default.map(whole_value),
            FieldKind::Number { default, .. } => default.map(Value::from),
            FieldKind::Boolean { default } => default.map(Value::from),
            FieldKind::Choices { default, .. } => (!default.is_empty()).then(|| json!(default)),
        }
    }
}

/// A whole number as JSON writes it.
#[expect(clippy::cast_possible_truncation, reason = "a float that is no whole number of 64 bits stays one")]
fn whole_value(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9e15 { Value::from(number as i64) } else { Value::from(number) }
}

impl TextFormat {
    /// Near enough to say what is meant; the server knows better.
    fn check(self, text: &str) -> Result<(), String> {
        let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
        let is_date = |text: &str| {
            let parts: Vec<&str> = text.split('-').collect();
            let [year, month, day] = parts[..] else { return false };
            let at_most = |part: &str, most: u8| part.parse::<u8>().is_ok_and(|n| n >= 1 && n <= most);
            digits(year, 4) && digits(month, 2) && digits(day, 2) && at_most(month, 12) && at_most(day, 31)
        };
        let fits = match self {
            Self::Email => text.split_once('@').is_some_and(|(name, host)| {
                let plain = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '@');
                plain(name) && plain(host)
            }),
            Self::Uri => text.split_once(':').is_some_and(|(scheme, rest)| {
                let letters = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
                let begins = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
                begins && scheme.chars().all(letters) && !rest.is_empty() && !rest.contains(char::is_whitespace)
            }),
            Self::Date => is_date(text),
            Self::DateTime => text.split_once(['T', 't', ' ']).is_some_and(|(date, time)| {
                let zoned = time.ends_with(['Z', 'z']) || time.get(8..).is_some_and(|rest| rest.contains(['+', '-']));
                is_date(date) && zoned && time.get(..8).is_some_and(|t| t.split(':').all(|part| digits(part, 2)))
            }),
        };
        let wanted = match self {
            Self::Email => "an e-mail address is wanted",
            Self::Uri => "a URI is wanted, such as https://host/path",
            Self::Date => "a date is wanted, such as 2026-01-31",
            Self::DateTime => "a date and a time are wanted, such as 2026-01-31T12:00:00Z",
        };
        if fits { Ok(()) } else { Err(wanted.to_owned()) }
    }
}

fn one_of(options: &[Choice], value: &Value) -> Result<(), String> {
    let known = options.iter().any(|option| value.as_str() == Some(&option.value));
    if known { Ok(()) } else { Err("it is none of the values to choose from".to_owned()) }
}

fn within(size: f64, least: Option<f64>, most: Option<f64>, unit: &str) -> Result<(), String> {
    match (least, most) {
        (Some(least), _) if size < least => Err(format!("at least {least}{unit}")),
        (_, Some(most)) if size > most => Err(format!("at most {most}{unit}")),
        _ => Ok(()),
    }
}

fn counted(count: usize, least: Option<u32>, most: Option<u32>, unit: &str) -> Result<(), String> {
    let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    within(count, least.map(f64::from), most.map(f64::from), unit)
}
