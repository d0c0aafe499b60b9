//! Tools that models are offered beside our own, because `[mcp] direct_tools` names them: which there are, under which
//! names, and what is wrong with those that there are not.
//!
//! Invariants: a name is no other tool's and fits every host; what a server says of a tool is bounded, since it stands in
//! every prompt; a call of one passes the door like any other. Looking asks nobody: what may not start is not offered.

use crate::call::bounded;
use crate::core::Core;
use crate::search;
use crate::snapshot::{Entry, Snapshot};
use catalog::{Catalog, ServerTools, Tool, nearest};
use config::{DIRECT_MAX, DirectName};
use model::{DirectTool, Method, Problem, ServerState, Severity, ToolDefinition};
use std::sync::Arc;
use std::time::Duration;

/// Names that are ours.
const OWN: [&str; 2] = ["run_code", "search_tools"];
/// Bytes of a description that stand in a prompt.
const DESCRIPTION_BYTES: usize = 2 << 10;
/// Bytes of a schema, as JSON, that may stand in every prompt.
const SCHEMA_BYTES: usize = 16 << 10;
/// How long a list waits for servers that were never listed. What comes later is told as a change.
const LISTED_SOON: Duration = Duration::from_secs(5);

/// What the configured names come to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Direct {
    pub(crate) tools: Arc<[DirectTool]>,
    pub(crate) problems: Vec<Problem>,
    /// The same as the ledger and a prompt have them.
    pub(crate) definitions: Arc<[ToolDefinition]>,
}

/// Why a name is not offered.
enum Missing {
    /// Nobody knows yet, or nothing is wrong with the name.
    Unlisted,
    Wrong {
        message: String,
        hint: String,
        server: Option<String>,
        severity: Severity,
    },
}

impl Direct {
    /// Finds the tools that `names` mean.
    pub(crate) fn find(names: &[DirectName], servers: &[Entry], catalog: &Catalog) -> Self {
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        for name in names {
            match one(&name.name, servers, catalog) {
                Ok(tool) if found.iter().any(|known: &Found<'_>| known.is(&tool)) => {
                    let message = format!("`{}` is offered already under another spelling", name.name);
                    problems.push(Problem {
                        severity: Severity::Warning,
                        message,
                        hint: "Remove one of the two.".to_owned(),
                        ..name.place.clone()
                    });
                }
                Ok(tool) => found.push(tool),
                Err(Missing::Unlisted) => {}
                Err(Missing::Wrong { message, hint, server, severity }) => {
                    problems.push(Problem { message, hint, server, severity, ..name.place.clone() });
                }
            }
        }
        let paths = found.iter().map(|it| format!("{}__{}", it.server.identifier, it.tool.identifier));
        let wanted: Vec<String> = OWN.iter().map(|&own| own.to_owned()).chain(paths).collect();
        let names = model::names::identifiers(&wanted).into_iter().skip(OWN.len());
        let tools: Arc<[DirectTool]> = found.into_iter().zip(names).map(|(it, name)| it.offered(name)).collect();
        let definitions = tools.iter().map(|tool| tool.definition.clone()).collect();
        Self { tools, problems, definitions }
    }

    /// Whether a tool is offered.
    pub(crate) fn has(&self, server: &str, tool: &str) -> bool {
        self.tools.iter().any(|it| it.server == server && it.tool == tool)
    }
}

/// A tool that a name means.
struct Found<'a> {
    server: &'a Entry,
    tool: &'a Tool,
}

impl Found<'_> {
    fn is(&self, other: &Found<'_>) -> bool {
        self.server.spec.name == other.server.spec.name && self.tool.definition.name == other.tool.definition.name
    }

    fn offered(&self, name: String) -> DirectTool {
        let ToolDefinition { name: own, title, description, input_schema, annotations, .. } = &*self.tool.definition;
        let definition = ToolDefinition {
            name,
            title: title.as_deref().map(|title| cut(title, DESCRIPTION_BYTES)),
            description: description.as_deref().map(|text| cut(text, DESCRIPTION_BYTES)),
            input_schema: Arc::clone(input_schema),
            output_schema: None,
            annotations: annotations.clone(),
        };
        // A tool of a method's name is called by its identifier, as the name means the method.
        let tool = if Method::of(own).is_some() { &self.tool.identifier } else { own };
        DirectTool { server: self.server.spec.name.clone(), tool: tool.clone(), definition }
    }
}

fn cut(text: &str, bytes: usize) -> String {
    let kept = bounded(text, bytes);
    if kept.len() < text.len() { format!("{kept}…") } else { kept.to_owned() }
}

/// What a name means. A dot may be a part of either name, so that every one is tried.
fn one<'a>(name: &str, servers: &'a [Entry], catalog: &'a Catalog) -> Result<Found<'a>, Missing> {
    let wrong = |message: String, hint: String, server: Option<&Entry>| {
        let server = server.map(|entry| entry.spec.name.clone());
        Missing::Wrong { message, hint, server, severity: Severity::Error }
    };
    let named = |server: &str| servers.iter().find(|e| e.spec.name == server || &*e.identifier == server);
    let dots = || name.match_indices('.').map(|(at, _)| (&name[..at], &name[at + 1..]));
    let Some((server, tool)) = dots().find_map(|(server, tool)| Some((named(server)?, tool))) else {
        let written = dots().next().map_or(name, |(server, _)| server);
        let near = nearest(written, servers.iter().map(|e| &*e.spec.name));
        let hint = near.first().map_or_else(
            || "Correct the name: `tta servers` lists those that are configured.".to_owned(),
            |near| format!("Did you mean `{near}`?"),
        );
        return Err(wrong(format!("no server `{written}` is configured, so that `{name}` is not offered"), hint, None));
    };
    let shown = &server.spec.name;
    let tools = catalog.server(shown).filter(|tools| tools.name() == shown);
    match (server.state, tools) {
        (ServerState::Disabled, _) => {
            let message = format!("server `{shown}` is switched off, so that `{name}` is not offered");
            let (hint, severity) = ("Switch it on, or remove the tool from the list.".to_owned(), Severity::Warning);
            Err(Missing::Wrong { message, hint, server: Some(shown.clone()), severity })
        }
        (ServerState::Untrusted | ServerState::Unapproved, _) | (_, None) => Err(Missing::Unlisted),
        (_, Some(tools)) => offer(name, server, tools, tool, wrong),
    }
}

fn offer<'a>(
    name: &str,
    server: &'a Entry,
    tools: &'a ServerTools,
    tool: &str,
    wrong: impl Fn(String, String, Option<&Entry>) -> Missing,
) -> Result<Found<'a>, Missing> {
    let shown = &server.spec.name;
    let of_tools = |tool: &&Tool| tool.method.is_none();
    let Some(found) = tools.find(tool).filter(of_tools) else {
        let near = tools.nearest(tool);
        let hint = if near.is_empty() {
            format!("`tta tools list` shows what {shown} offers.")
        } else {
            format!("Did you mean `{}`?", near.join("` or `"))
        };
        return Err(wrong(
            format!("server `{shown}` has no tool `{tool}`, which was to be offered"),
            hint,
            Some(server),
        ));
    };
    let bytes = serde_json::to_string(&*found.definition.input_schema).map_or(usize::MAX, |json| json.len());
    if bytes > SCHEMA_BYTES {
        let message = format!(
            "the schema of `{name}` has {} kB and is not offered: {} kB may stand in every prompt",
            bytes >> 10,
            SCHEMA_BYTES >> 10
        );
        return Err(wrong(message, "Remove it from the list: programs can call it.".to_owned(), Some(server)));
    }
    Ok(Found { server, tool: found })
}

/// The tools that are offered, after the servers of them that were never listed have been asked, for a moment.
pub(crate) async fn listed(core: &Core, snapshot: &Snapshot) -> Arc<Direct> {
    let names = &snapshot.config.direct_tools;
    let means = |e: &Entry| names.iter().any(|it| begins(&it.name, &e.spec.name) || begins(&it.name, &e.identifier));
    if !snapshot.usable().any(|e| e.is_unlisted() && means(e)) {
        return Arc::clone(&snapshot.direct);
    }
    match tokio::time::timeout(LISTED_SOON, search::listed_of(core, snapshot, means)).await {
        Ok((catalog, _)) => Arc::new(Direct::find(names, &snapshot.servers, &catalog)),
        Err(_) => Arc::clone(&snapshot.direct),
    }
}

fn begins(name: &str, server: &str) -> bool {
    name.strip_prefix(server).is_some_and(|rest| rest.starts_with('.'))
}

/// What `tta.toml` is to say for one tool more to be offered; nothing where there is no room.
pub(crate) fn setting(names: &[DirectName], server: &str, tool: &str) -> Option<String> {
    if names.len() >= DIRECT_MAX {
        return None;
    }
    let more = format!("{server}.{tool}");
    let all = names.iter().map(|it| it.name.as_str()).chain(std::iter::once(more.as_str()));
    let quoted: Vec<String> = all.map(|name| serde_json::Value::from(name).to_string()).collect();
    Some(format!("[mcp]\ndirect_tools = [{}]", quoted.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::server::{Scope, Source};
    use model::{ServerLimits, ServerSpec, Transport};
    use serde_json::json;
    use std::collections::BTreeMap;

    fn entry(name: &str, state: ServerState, tools: &[&str]) -> Entry {
        let identifier = model::names::identifier(name);
        let tools: Vec<ToolDefinition> = tools.iter().map(|tool| definition(tool, "Does it.")).collect();
        let spec = ServerSpec {
            name: name.to_owned(),
            transport: Transport::Stdio { command: "x".to_owned(), args: Vec::new(), env: BTreeMap::new(), cwd: None },
            source: Source { file: "/w/tta.toml".into(), line: 1, scope: Scope::Workspace },
            disabled: false,
            unresolved: Vec::new(),
            inputs: Vec::new(),
            oauth: model::server::OAuth::default(),
            scrub: Vec::new(),
            startup_timeout_ms: 1,
            limits: ServerLimits::default(),
            content_hash: String::new(),
        };
        Entry {
            spec: Arc::new(spec),
            identifier: identifier.as_str().into(),
            state,
            last_error: None,
            tools: (!tools.is_empty()).then(|| Arc::new(ServerTools::new(name, &identifier, tools.into()))),
            remembered: false,
            offer: None,
        }
    }

    fn definition(name: &str, description: &str) -> ToolDefinition {
        let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}});
        serde_json::from_value(json!({"name": name, "description": description, "inputSchema": schema}))
            .expect("a tool")
    }

    fn find(servers: &[Entry], names: &[&str]) -> Direct {
        let place = || Problem {
            file: "/w/tta.toml".into(),
            line: 2,
            column: 17,
            severity: Severity::Error,
            message: String::new(),
            hint: String::new(),
            server: None,
        };
        let names: Vec<_> = names.iter().map(|&name| DirectName { name: name.to_owned(), place: place() }).collect();
        let catalog = Catalog::new(servers.iter().filter_map(|e| e.tools.clone()).collect());
        Direct::find(&names, servers, &catalog)
    }

    fn names(direct: &Direct) -> Vec<&str> {
        direct.tools.iter().map(|tool| tool.definition.name.as_str()).collect()
    }

    #[test]
    fn names_are_unambiguous_whatever_servers_call_their_tools() {
        let servers = [
            entry("a", ServerState::Ready, &["b__c", "run"]),
            entry("a__b", ServerState::Ready, &["c"]),
            entry("io.github.x", ServerState::Ready, &["get.all"]),
        ];
        let direct = find(&servers, &["a.b__c", "a__b.c", "io.github.x.get.all", "a.run"]);
        assert_eq!(names(&direct), ["a__b__c", "a__b__c_2", "io_github_x__get_all", "a__run"]);
        let third = &direct.tools[2];
        assert_eq!((third.server.as_str(), third.tool.as_str()), ("io.github.x", "get.all"));
        assert!(direct.problems.is_empty(), "{:?}", direct.problems);
        assert_eq!(direct.definitions.len(), 4);
    }

    #[test]
    fn what_is_not_there_is_said_with_what_is_near() {
        let servers = [
            entry("fs", ServerState::Ready, &["read_file"]),
            entry("off", ServerState::Disabled, &["x"]),
            entry("new", ServerState::Stopped, &[]),
            entry("strange", ServerState::Untrusted, &["x"]),
        ];
        let direct = find(
            &servers,
            &[
                "fs.read_fil",
                "sf.read_file",
                "off.x",
                "new.x",
                "strange.x",
                "fs.read_file",
                "fs.readFile",
                "fs.tools/call",
            ],
        );
        assert_eq!(names(&direct), ["fs__read_file"]);
        let said: Vec<String> = direct.problems.iter().map(|it| format!("{} {}", it.message, it.hint)).collect();
        assert_eq!(
            said,
            [
                "server `fs` has no tool `read_fil`, which was to be offered Did you mean `read_file`?",
                "no server `sf` is configured, so that `sf.read_file` is not offered Correct the name: `tta servers` lists those that are configured.",
                "server `off` is switched off, so that `off.x` is not offered Switch it on, or remove the tool from the list.",
                "`fs.readFile` is offered already under another spelling Remove one of the two.",
                "server `fs` has no tool `tools/call`, which was to be offered `tta tools list` shows what fs offers.",
            ]
        );
        assert!(direct.problems.iter().all(|it| (it.line, it.column) == (2, 17)));
    }

    #[test]
    fn what_a_server_says_of_a_tool_is_bounded() {
        let mut server = entry("fs", ServerState::Ready, &["x"]);
        let mut large = definition("large", "x");
        large.input_schema =
            Arc::new(serde_json::Map::from_iter([("description".to_owned(), "x".repeat(20_000).into())]));
        let tools: Arc<[ToolDefinition]> = vec![definition("wordy", &"é".repeat(5_000)), large].into();
        server.tools = Some(Arc::new(ServerTools::new("fs", "fs", tools)));
        let direct = find(&[server], &["fs.wordy", "fs.large"]);
        assert_eq!(names(&direct), ["fs__wordy"]);
        let said = direct.tools[0].definition.description.clone().unwrap_or_default();
        assert_eq!((said.chars().count(), said.ends_with('…')), (1_025, true));
        assert!(direct.problems[0].message.contains("19 kB"), "{}", direct.problems[0].message);
    }

    #[test]
    fn the_line_to_add_keeps_what_stands_there() {
        assert_eq!(setting(&[], "fs", "read").as_deref(), Some("[mcp]\ndirect_tools = [\"fs.read\"]"));
        let place = find(&[], &["a.b"]).problems.remove(0);
        let names = vec![DirectName { name: "a.b".to_owned(), place }; DIRECT_MAX];
        assert_eq!(setting(&names[..1], "fs", "r\"").as_deref(), Some("[mcp]\ndirect_tools = [\"a.b\", \"fs.r\\\"\"]"));
        assert_eq!(setting(&names, "fs", "read"), None);
    }
}
