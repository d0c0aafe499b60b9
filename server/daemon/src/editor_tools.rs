//! The editor's own tools as servers: those of its MCP servers and extensions that no file configures for us.
//!
//! The editor is asked off the loop, at the start and whenever it says that something changed; what it offers enters the
//! snapshot like any other change. Everything it says is untrusted text and bounded. A server that a file configures as
//! well is bridged once, by its file, also where it may not start. How the editor's gateway is used where there is one:
//! `gateway.rs`. Left out on purpose: starting the editor's servers.

use crate::call::bounded;
use crate::core::Core;
use crate::editor::Editor;
use crate::gateway::Address;
use model::editor::{EditorContent, EditorTool, EditorToolCall, EditorToolReply};
use model::server::{Scope, Source};
use model::{
    CallStatus, Content, ErrorKind, ProgramError, RunId, ServerLimits, ServerSpec, ToolDefinition, ToolResult,
    Transport, names,
};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// Our own label at the editor, and how its names of our tools begin: a program does not run programs.
const OWN_LABEL: &str = "tta-mcp-code-execution";
const OWN_PREFIX: &str = "mcp_tta_";
/// Longest time for the editor to list its tools.
const PATIENCE: Duration = Duration::from_secs(10);
/// Tools in all, bytes of one of its names, of one tool, and of all.
const TOOLS_MAX: usize = 2_000;
const NAME_BYTES: usize = 256;
const TOOL_BYTES: usize = 1 << 20;
const TOTAL_BYTES: usize = 16 << 20;
/// Calls on their way to the editor at once; further ones wait their turn.
const IN_FLIGHT: usize = 64;
/// Bytes of the editor's words that are quoted.
const CAUSE_BYTES: usize = 1 << 10;
/// Editors cut a server's label in a tool's name at one of these lengths.
const LABEL_CUTS: [usize; 2] = [13, 18];

/// What the daemon keeps about the editor besides what it offers.
#[derive(Debug)]
pub(crate) struct EditorTools {
    changed: Notify,
    turns: Semaphore,
}

impl Default for EditorTools {
    fn default() -> Self {
        Self { changed: Notify::new(), turns: Semaphore::new(IN_FLIGHT) }
    }
}

/// Everything the editor offers, by label.
pub(crate) type Offers = Arc<[Arc<Offer>]>;

/// One server of the editor's.
#[derive(Debug, PartialEq)]
pub(crate) struct Offer {
    pub(crate) label: String,
    pub(crate) tools: Arc<[ToolDefinition]>,
    /// What the editor calls each tool by.
    names: HashMap<String, String>,
    /// Where the editor serves it itself.
    pub(crate) address: Option<Address>,
}

impl Offer {
    /// The offer as a server. What decides an approval of a call besides this is the tool's own definition.
    pub(crate) fn spec(&self) -> ServerSpec {
        ServerSpec {
            name: self.label.clone(),
            transport: Transport::Editor,
            source: Source { file: PathBuf::new(), line: 1, scope: Scope::Editor },
            disabled: false,
            unresolved: Vec::new(),
            inputs: Vec::new(),
            oauth: model::server::OAuth::default(),
            scrub: Vec::new(),
            startup_timeout_ms: 0,
            limits: ServerLimits::default(),
            content_hash: blake3::hash(format!("editor\0{}", self.label).as_bytes()).to_hex().to_string(),
        }
    }
}

/// The names by which the editor may know servers that files configure.
pub(crate) struct Configured {
    /// In lower case, and as identifiers.
    names: HashSet<String>,
    /// As they begin in the editor's names of tools: `mcp_<server, cut>_<tool>`.
    cuts: Vec<String>,
}

impl Configured {
    pub(crate) fn new<'a>(servers: impl Iterator<Item = &'a str>) -> Self {
        let (mut names, mut cuts) = (HashSet::new(), Vec::new());
        for server in servers {
            names.insert(server.to_lowercase());
            names.insert(names::identifier(server).to_lowercase());
            let plain = plain(server);
            cuts.extend(LABEL_CUTS.map(|length| plain[..plain.len().min(length)].to_owned()));
        }
        Self { names, cuts }
    }

    /// Whether this is one of them, by its label or by what an editor's cut has left of it.
    pub(crate) fn has(&self, offer: &Offer) -> bool {
        let label = plain(&offer.label);
        let begins = |name: &str, cut: &str| {
            let rest = name.strip_prefix("mcp_").and_then(|rest| rest.strip_prefix(cut));
            rest.is_some_and(|rest| rest.starts_with('_'))
        };
        self.names.contains(&offer.label.to_lowercase())
            || self.names.contains(&names::identifier(&offer.label).to_lowercase())
            || self.cuts.iter().any(|cut| cut.starts_with(&label) && offer.names.values().all(|name| begins(name, cut)))
    }
}

fn plain(name: &str) -> String {
    let stays = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    name.to_lowercase().chars().map(|c| if stays(c) { c } else { '_' }).collect()
}

/// The editor is asked again soon; false where there is none.
pub(crate) fn changed(core: &Core) -> bool {
    core.editor_tools.changed.notify_one();
    core.options.editor.is_some()
}

/// Asks the editor now and whenever something changed. However often that is while it answers, it is asked once more.
pub(crate) fn follow(core: &Arc<Core>) {
    let Some(editor) = core.options.editor.clone() else { return };
    changed(core);
    let core = Arc::clone(core);
    core.tasks.clone().spawn(async move {
        let asking = async {
            let mut told = Offers::default();
            loop {
                core.editor_tools.changed.notified().await;
                ask(&core, &*editor, &mut told).await;
            }
        };
        tokio::select! {
            () = core.stopping.cancelled() => {}
            () = asking => {}
        }
    });
}

/// One list, handed to the loop where it is not what was told before.
async fn ask(core: &Core, editor: &dyn Editor, told: &mut Offers) {
    let answer = tokio::time::timeout(PATIENCE, editor.tools()).await;
    let tools = match answer.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs()))) {
        Ok(tools) => tools,
        Err(why) => return tracing::warn!("the editor's tools stay as they are: {}", bounded(&why, CAUSE_BYTES)),
    };
    let offers = grouped(tools);
    if offers != *told {
        told.clone_from(&offers);
        core.inbox.change(|changes| changes.offers = Some(offers));
    }
}

/// The tools by server, in an order of their own: editors list them as they please.
fn grouped(tools: Vec<EditorTool>) -> Offers {
    let (listed, mut kept, mut room) = (tools.len(), 0, TOTAL_BYTES);
    let mut servers: BTreeMap<String, BTreeMap<String, (String, ToolDefinition)>> = BTreeMap::new();
    let mut addresses: HashMap<String, Option<Address>> = HashMap::new();
    for tool in tools.into_iter().take(TOOLS_MAX) {
        if is_own(&tool) {
            kept += 1;
            continue;
        }
        let Some(bytes) = size(&tool).filter(|bytes| *bytes <= room) else { continue };
        let EditorTool { name, server, tool, description, input_schema, url } = tool;
        let address = url.and_then(Address::new);
        // One server has one address, or none.
        let known = addresses.entry(server.clone()).or_insert_with(|| address.clone());
        *known = known.take().filter(|known| Some(known) == address.as_ref());
        let tools = servers.entry(server).or_default();
        if tools.contains_key(&tool) {
            continue;
        }
        (kept, room) = (kept + 1, room - bytes);
        let any = || Map::from_iter([("type".to_owned(), Value::from("object"))]);
        let definition = ToolDefinition {
            name: tool.clone(),
            title: None,
            description,
            input_schema: Arc::new(input_schema.unwrap_or_else(any)),
            output_schema: None,
            annotations: None,
        };
        tools.insert(tool, (name, definition));
    }
    if kept < listed {
        tracing::warn!("{} of the editor's {listed} tools are left out: too large, nameless or twice", listed - kept);
    }
    let offers = servers.into_iter().map(|(label, tools)| {
        let names = tools.iter().map(|(tool, (name, _))| (tool.clone(), name.clone())).collect();
        let address = addresses.remove(&label).flatten();
        Arc::new(Offer {
            label,
            names,
            tools: tools.into_values().map(|(_, definition)| definition).collect(),
            address,
        })
    });
    offers.collect()
}

fn is_own(tool: &EditorTool) -> bool {
    tool.server.eq_ignore_ascii_case(OWN_LABEL) || tool.name.starts_with(OWN_PREFIX)
}

/// What a tool takes of the room there is; `None` for one that cannot be taken.
fn size(tool: &EditorTool) -> Option<usize> {
    let names = [&tool.name, &tool.server, &tool.tool];
    if names.iter().any(|name| name.trim().is_empty() || name.len() > NAME_BYTES) {
        return None;
    }
    let schema =
        tool.input_schema.as_ref().map_or(0, |schema| serde_json::to_string(schema).map_or(TOOL_BYTES, |s| s.len()));
    let bytes = schema + tool.description.as_ref().map_or(0, String::len) + 3 * NAME_BYTES;
    (bytes <= TOOL_BYTES).then_some(bytes)
}

/// One call, with everything it takes, in `limit`. Dropping the future withdraws it at the editor.
pub(crate) async fn call(
    core: &Core,
    offer: &Offer,
    tool: &str,
    arguments: Map<String, Value>,
    run_id: RunId,
    limit: Duration,
) -> Result<ToolResult, (CallStatus, ProgramError)> {
    let failed = |status, why: &str, hint: &str| {
        let message = format!("server `{}`: the editor could not call `{tool}`: {why}", offer.label);
        (status, ProgramError::new(ErrorKind::Tool, message).with_hint(hint))
    };
    let (Some(editor), Some(name)) = (&core.options.editor, offer.names.get(tool)) else {
        return Err(failed(CallStatus::Error, "it does not offer it", "search_tools lists what there is"));
    };
    let request = EditorToolCall { name: name.clone(), arguments, run_id };
    let asked = async {
        let _turn = core.editor_tools.turns.acquire().await.expect("it is never closed");
        editor.call_tool(request).await
    };
    match tokio::time::timeout(limit, asked).await {
        Ok(Ok(reply)) => Ok(result(reply)),
        Ok(Err(why)) => {
            Err(failed(CallStatus::Error, bounded(&why, CAUSE_BYTES), "see whether the editor still offers it"))
        }
        Err(_elapsed) => {
            let why = format!("no answer within {} ms", limit.as_millis());
            Err(failed(
                CallStatus::Timeout,
                &why,
                "ask for less at once, or look whether the editor waits for a person",
            ))
        }
    }
}

/// An answer in the words of a server. What failed has its reason last.
fn result(reply: EditorToolReply) -> ToolResult {
    let is_error = reply.error.is_some();
    let blocks = reply.content.into_iter().map(|block| match block {
        EditorContent::Text { text } => Content::Text(text),
        EditorContent::Image { mime_type, data } => Content::Media { kind: "image", mime_type, data, more: Map::new() },
    });
    let content = blocks.chain(reply.error.map(Content::Text)).collect();
    ToolResult { content, is_error, ..ToolResult::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tool(name: &str, server: &str, tool: &str) -> EditorTool {
        let (name, server, tool) = (name.to_owned(), server.to_owned(), tool.to_owned());
        EditorTool { name, server, tool, description: None, input_schema: None, url: None }
    }

    fn list(offers: &Offers) -> Vec<(&str, Vec<&str>)> {
        let tools = |offer: &'_ Arc<Offer>| offer.tools.len();
        assert!(offers.iter().all(|offer| offer.names.len() == tools(offer)));
        offers.iter().map(|o| (o.label.as_str(), o.tools.iter().map(|t| t.name.as_str()).collect())).collect()
    }

    #[test]
    fn tools_are_grouped_in_an_order_of_their_own_without_ours() {
        let tools = vec![
            tool("mcp_b_2", "B", "two"),
            tool("a1", "a", "one"),
            tool("mcp_b_1", "B", "one"),
            tool("mcp_b_1b", "B", "one"),
            tool("mcp_tta_run_code", "x", "run_code"),
            tool("y", "TTA-mcp-code-execution", "run_code"),
            tool("", "c", "nameless"),
            tool("d", "d", &"x".repeat(NAME_BYTES + 1)),
        ];
        let offers = grouped(tools.clone());
        assert_eq!(list(&offers), [("B", vec!["one", "two"]), ("a", vec!["one"])]);
        assert_eq!(offers[0].names["one"], "mcp_b_1", "the first of a name stays");
        assert_eq!(*offers[0].tools[0].input_schema, *json!({"type": "object"}).as_object().expect("an object"));
        assert_eq!(grouped(tools.into_iter().rev().filter(|t| t.name != "mcp_b_1b").collect()), offers);
    }

    #[test]
    fn a_server_has_one_address_or_none() {
        let at = |server: &str, n: usize, url: Option<&str>| EditorTool {
            url: url.map(model::Secret::new),
            ..tool(&format!("mcp_{server}_{n}"), server, &n.to_string())
        };
        let (a, b, far) = (Some("http://[::1]:7/a"), Some("http://[::1]:7/b"), Some("http://example/a"));
        let has_address = |urls: [Option<&str>; 3]| {
            let tools = urls.into_iter().enumerate().map(|(n, url)| at("s", n, url));
            grouped(tools.collect())[0].address.is_some()
        };
        assert!(has_address([a, a, a]));
        for urls in [[a, b, a], [a, None, a], [None, a, a], [a, a, None], [a, far, a], [far, far, far]] {
            assert!(!has_address(urls), "{urls:?}");
        }
        assert_eq!(grouped(vec![at(OWN_LABEL, 1, a)]).len(), 0, "never our own");
    }

    #[test]
    fn what_is_too_much_is_left_out() {
        let many = (0..=TOOLS_MAX).map(|n| tool(&format!("t{n}"), "s", &format!("t{n}"))).collect();
        assert_eq!(grouped(many)[0].tools.len(), TOOLS_MAX);
        let large = |n: usize| EditorTool {
            description: Some("x".repeat(TOOL_BYTES - 3 * NAME_BYTES)),
            ..tool(&n.to_string(), "s", &n.to_string())
        };
        assert_eq!(grouped((0..20).map(large).collect())[0].tools.len(), TOTAL_BYTES / TOOL_BYTES);
        let mut one = large(1);
        one.input_schema = Some(Map::new());
        assert_eq!(grouped(vec![one]).len(), 0);
    }

    #[test]
    fn a_configured_server_is_known_by_its_label_or_by_what_is_left_of_it() {
        let offer = |name: &str, label: &str| grouped(vec![tool(name, label, "t")])[0].clone();
        for (name, label, server, same) in [
            ("mcp_notes_t", "Notes", "notes", true),
            ("mcp_my_notes_t", "my notes", "my-notes", true),
            ("mcp_filesystem-lo_t", "filesystem-lo", "filesystem-local-files", true),
            ("mcp_my_notes_t", "my", "my_notes", true),
            ("mcp_notes_extra_t", "notes_extra", "notes", false),
            ("mcp_notes_t", "notes", "notes2", false),
            ("find_usages", "vscode", "fs", false),
        ] {
            assert_eq!(Configured::new([server].into_iter()).has(&offer(name, label)), same, "{label} and {server}");
        }
    }
}
