//! `${input:ID}`: how a file declares what a person is to be asked for, and how the answers get into a specification.
//!
//! Invariant: the values meet a specification only in [`fill`], whose result goes to the bridge and nowhere else. They are
//! in no hash, since what a person types is no change of the workspace.

use crate::keys;
use crate::report::Report;
use crate::tree::{Node, Value};
use model::server::InputSpec;
use model::{Secret, ServerSpec, Severity, Transport};
use std::collections::HashMap;
use std::fmt::Write as _;

/// Declarations of one file, and values to choose from in one of them.
const DECLARED_MAX: usize = 256;
const KEYS: &[&str] = &["id", "type", "description", "default", "password", "options", "command", "args"];
const START: &str = "${input:";

/// What one file declares, by id; the error is why an input cannot be asked for.
#[derive(Debug, Default)]
pub(crate) struct Inputs(HashMap<String, Result<InputSpec, String>>);

impl Inputs {
    /// Reads the `inputs` of a file; what makes no sense is a problem with its place.
    pub(crate) fn read(node: Option<&Node>, report: &mut Report<'_>) -> Self {
        let mut inputs = Self::default();
        let Some(node) = node else { return inputs };
        let Value::List(declared) = &node.value else {
            report.warning(node.at, format!("`inputs` is {}, not a list", node.kind()), "Write a list of objects.");
            return inputs;
        };
        if declared.len() > DECLARED_MAX {
            report.warning(node.at, format!("there are more than {DECLARED_MAX} inputs"), "The rest is left out.");
        }
        for node in declared.iter().take(DECLARED_MAX) {
            let Some(id) = text(node, "id").filter(|id| !id.is_empty()) else {
                report.warning(node.at, "an input has no `id`", "Give it one, and use it as `${input:ID}`.");
                continue;
            };
            for entry in node.entries().unwrap_or_default() {
                if !KEYS.contains(&entry.key.as_str()) {
                    keys::unknown(entry, "key of an input", KEYS.iter().copied(), Severity::Info, report);
                }
            }
            inputs.0.insert(id.clone(), declaration(node, id));
        }
        inputs
    }

    /// What declares an id.
    pub(crate) fn declaration_of<'a>(node: Option<&'a Node>, id: &str) -> Option<&'a Node> {
        let Value::List(declared) = &node?.value else { return None };
        declared.iter().find(|node| text(node, "id").as_deref() == Some(id))
    }

    /// How to ask for an id; as for a password where the file does not say.
    pub(crate) fn get(&self, id: &str) -> Result<InputSpec, String> {
        let undeclared = || Ok(InputSpec { id: id.to_owned(), password: true, ..InputSpec::default() });
        self.0.get(id).cloned().unwrap_or_else(undeclared)
    }
}

fn declaration(node: &Node, id: String) -> Result<InputSpec, String> {
    let (description, default) = (text(node, "description"), text(node, "default"));
    let spec = InputSpec { id, description, default, ..InputSpec::default() };
    match text(node, "type").as_deref() {
        Some("promptString") | None => {
            let password = node.get("password").is_some_and(|entry| matches!(entry.node.value, Value::Bool(true)));
            Ok(InputSpec { password, ..spec })
        }
        Some("pickString") => match options(node) {
            options if options.is_empty() => Err(format!("`${{input:{}}}` has no `options` to pick from", spec.id)),
            options => Ok(InputSpec { options, ..spec }),
        },
        Some("command") => {
            Err(format!("`${{input:{}}}` is the answer of a command of the editor, which is not supported", spec.id))
        }
        Some(kind) => Err(format!("`${{input:{}}}` is of the unknown type `{kind}`", spec.id)),
    }
}

/// Values to choose from: texts, or objects with a label and a value.
fn options(node: &Node) -> Vec<String> {
    let Some(Value::List(options)) = node.get("options").map(|entry| &entry.node.value) else { return Vec::new() };
    options.iter().take(DECLARED_MAX).filter_map(|option| option.scalar().or_else(|| text(option, "value"))).collect()
}

fn text(node: &Node, key: &str) -> Option<String> {
    node.get(key)?.node.scalar()
}

/// `spec` with what `value` knows of its inputs filled in. Inputs without a value stay.
pub fn fill(spec: &ServerSpec, value: &dyn Fn(&str) -> Option<Secret>) -> ServerSpec {
    let mut filled = spec.clone();
    let mut given: Vec<(&InputSpec, Secret)> = Vec::new();
    for input in &spec.inputs {
        given.extend(value(&input.id).map(|value| (input, value)));
    }
    if given.is_empty() {
        return filled;
    }
    filled.inputs.retain(|input| !given.iter().any(|(known, _)| known.id == input.id));
    let mut pen = Pen { given: &given, scrub: Vec::new() };
    let secrets = match &mut filled.transport {
        Transport::Stdio { command, args, env, .. } => {
            for text in std::iter::once(command).chain(args) {
                pen.fill(text);
            }
            env
        }
        Transport::Http { url, headers, .. } => {
            pen.fill(url);
            headers
        }
        Transport::Editor => return filled,
    };
    for secret in secrets.values_mut() {
        let mut text = secret.expose().to_owned();
        pen.fill(&mut text);
        *secret = Secret::new(text);
    }
    if let Some(id) = &mut filled.oauth.client_id {
        pen.fill(id);
    }
    if let Some(secret) = &mut filled.oauth.client_secret {
        let mut text = secret.expose().to_owned();
        pen.fill(&mut text);
        *secret = Secret::new(text);
    }
    filled.scrub = pen.scrub;
    filled
}

/// Writes values into texts, and notes what is to be taken out of a server's words.
struct Pen<'a> {
    given: &'a [(&'a InputSpec, Secret)],
    scrub: Vec<Secret>,
}

impl Pen<'_> {
    /// One pass: a value that looks like a variable is none.
    fn fill(&mut self, text: &mut String) {
        let (mut out, mut rest) = (String::with_capacity(text.len()), text.as_str());
        let mut values = Vec::new();
        while let Some(start) = rest.find(START) {
            let Some(length) = rest[start..].find('}') else { break };
            let id = &rest[start + START.len()..start + length];
            out.push_str(&rest[..start]);
            if let Some((input, value)) = self.given.iter().find(|(input, _)| input.id == id) {
                out.push_str(value.expose());
                // What can be picked stands in the file for all to read.
                values.extend(input.options.is_empty().then(|| value.clone()));
            } else {
                let _ = write!(out, "{START}{id}}}");
            }
            rest = &rest[start + length + 1..];
        }
        out.push_str(rest);
        if !values.is_empty() {
            // Whole as well: around a short value it is the whole that gives it away.
            values.push(Secret::new(out.clone()));
            self.scrub.extend(values);
        }
        *text = out;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::server::{Scope, Source};

    fn spec(transport: Transport) -> ServerSpec {
        let input = |id: &str| InputSpec { id: id.to_owned(), ..InputSpec::default() };
        ServerSpec {
            name: "s".to_owned(),
            transport,
            source: Source { file: "/w/.mcp.json".into(), line: 1, scope: Scope::Workspace },
            disabled: false,
            unresolved: Vec::new(),
            inputs: vec![input("a"), input("b")],
            oauth: model::server::OAuth::default(),
            scrub: Vec::new(),
            startup_timeout_ms: 1,
            limits: model::ServerLimits::default(),
            content_hash: String::new(),
        }
    }

    #[test]
    fn values_are_filled_in_everywhere_in_one_pass() {
        let stdio = Transport::Stdio {
            command: "run-${input:a}".to_owned(),
            args: vec!["--x=${input:a}${input:b}${input:c}".to_owned(), "${input:a".to_owned()],
            env: [("K".to_owned(), Secret::new("${input:b}"))].into(),
            cwd: None,
        };
        let filled = fill(&spec(stdio), &|id| Some(Secret::new(format!("<{id}${{input:b}}>"))));
        let Transport::Stdio { command, args, env, .. } = &filled.transport else { unreachable!("it was stdio") };
        assert_eq!(command, "run-<a${input:b}>");
        assert_eq!(args, &["--x=<a${input:b}><b${input:b}>${input:c}", "${input:a"]);
        assert_eq!(env["K"], Secret::new("<b${input:b}>"));
        assert!(filled.inputs.is_empty() && filled.scrub.contains(&Secret::new("<b${input:b}>")));
        assert!(filled.scrub.contains(&Secret::new(args[0].clone())));
        assert!(!format!("{filled:?}").contains("<a"), "{filled:?}");
    }

    #[test]
    fn what_has_no_value_stays_to_be_asked_for() {
        let http = Transport::Http {
            url: "${input:a}/mcp".to_owned(),
            headers: [("Authorization".to_owned(), Secret::new("Bearer ${input:b}"))].into(),
            sse: false,
        };
        let filled = fill(&spec(http), &|id| (id == "a").then(|| Secret::new("https://h")));
        assert_eq!(filled.inputs.iter().map(|i| i.id.as_str()).collect::<Vec<_>>(), ["b"]);
        let Transport::Http { url, headers, .. } = filled.transport else { unreachable!("it was http") };
        assert_eq!((url.as_str(), headers["Authorization"].expose()), ("https://h/mcp", "Bearer ${input:b}"));
    }
}
