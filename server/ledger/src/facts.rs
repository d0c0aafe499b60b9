//! What the daemon tells the ledger about a run. Texts are shared, never copied, and dropped once counted: no content
//! reaches the database, only its size.

use model::{CallRecord, ConversationId, Language, RunId, RunStatus, ToolDefinition};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// One run, as it ended.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// Which run.
    pub run_id: RunId,
    /// Whose discovery exchanges it pays for.
    pub conversation: ConversationId,
    /// The front that asked.
    pub front: String,
    /// The program's language.
    pub language: Language,
    /// How it ended. Only an `ok` run credits anything to direct calling.
    pub status: RunStatus,
    /// Its display name, where it was given one; the first line of it is stored, cut to [`LABEL_CHARS`]. Any other is called
    /// by what it called: its text is content.
    pub name: Option<String>,
    /// When it was submitted, milliseconds since 1970.
    pub at_ms: u64,
    /// Wall time, milliseconds.
    pub wall_ms: f64,
    /// JSON of the tool arguments that the model wrote: `{"code": …}`.
    pub code_arguments: Arc<str>,
    /// The hash of its code alone, whatever its input: runs of one program have one.
    pub program: blake3::Hash,
    /// What the model saw of the reply.
    pub reply_text: Arc<str>,
    /// Its calls, in the order in which they were made.
    pub calls: Vec<CallFacts>,
    /// Every configured server: baseline B.
    pub servers_all: Arc<[String]>,
    /// The servers the calls went to: baseline A.
    pub servers_used: Vec<String>,
    /// Whose it is, as `key=value`; the first [`TAGS_MAX`] are kept, each cut to [`TAG_CHARS`].
    pub tags: Arc<[String]>,
    /// Servers' tools that stood in the prompt beside our own: on our side alone.
    pub direct_tools: Arc<[ToolDefinition]>,
}

/// One tool call.
#[derive(Clone, Debug)]
pub struct CallFacts {
    /// The call as the receipt shows it. `result_tokens` is ignored.
    pub record: CallRecord,
    /// Its arguments as JSON.
    pub arguments_json: Arc<str>,
    /// Its answer as a host would put it into the context (`ToolResult::prompt_text`).
    pub result_text: Arc<str>,
    /// Images and sounds in the answer, counted by rule.
    pub media: u32,
    /// Which of its names are more than the program's word; what is not is stored as [`UNKNOWN`].
    pub found: Found,
}

/// What the names of a call led to. A program can write any name, so that only those that were found are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// No configured server.
    #[default]
    Nothing,
    /// A server, and no tool of it.
    Server,
    /// A tool.
    Tool,
}

/// What is stored in place of a name that led to nothing.
pub const UNKNOWN: &str = "unknown";

/// Tags of one run at most, and the longest.
pub const TAGS_MAX: usize = 8;
/// Characters of a tag.
pub const TAG_CHARS: usize = 100;

/// Characters of a server's or a tool's name.
pub(crate) const NAME_CHARS: usize = 1_000;

/// Longest label stored.
pub const LABEL_CHARS: usize = 120;
/// The end of a label that has no room for all tools, and the label of a run that called none.
const MORE: &str = ", …";
const NO_CALLS: &str = "no calls";

impl RunFacts {
    /// Bytes of all its texts: what it weighs in the queue.
    pub(crate) fn text_bytes(&self) -> usize {
        self.calls.iter().map(CallFacts::text_bytes).sum::<usize>() + self.code_arguments.len() + self.reply_text.len()
    }

    /// The tags as they are stored: in order, each once, none with a line's end.
    pub(crate) fn kept_tags(&self) -> Vec<String> {
        let kept = self.tags.iter().filter(|tag| tag.contains('=')).take(TAGS_MAX);
        let one = |tag: &String| tag.chars().filter(|c| !c.is_control()).take(TAG_CHARS).collect();
        let kept: BTreeSet<String> = kept.map(one).collect();
        kept.into_iter().collect()
    }

    /// What stands for it in lists, as it is stored.
    pub(crate) fn label(&self) -> String {
        let given = self.name.as_deref().and_then(|name| name.lines().next()).filter(|line| !line.trim().is_empty());
        given.map_or_else(|| self.called(), |line| line.chars().take(LABEL_CHARS).collect())
    }

    /// The tools that it called, in the order of their first calls: as many as there is room for.
    fn called(&self) -> String {
        let mut tools: Vec<((&str, &str), usize)> = Vec::new();
        let mut places = HashMap::new();
        for CallFacts { record, .. } in &self.calls {
            let tool = (record.server.as_str(), record.tool.as_str());
            let place = *places.entry(tool).or_insert(tools.len());
            match tools.get_mut(place) {
                Some((_, times)) => *times += 1,
                None => tools.push((tool, 1)),
            }
        }
        let mut label = String::new();
        for ((server, tool), times) in tools {
            let times = if times > 1 { format!(" × {times}") } else { String::new() };
            let comma = if label.is_empty() { "" } else { ", " };
            let more = format!("{comma}{server}.{tool}{times}");
            if label.chars().count() + more.chars().count() + MORE.chars().count() > LABEL_CHARS {
                label.push_str(MORE);
                break;
            }
            label.push_str(&more);
        }
        if label.is_empty() { NO_CALLS.to_owned() } else { label }
    }
}

impl CallFacts {
    /// Forgets the names that led to nothing, and those that are too long to be kept.
    pub(crate) fn forget_names(&mut self) {
        let CallRecord { server, tool, .. } = &mut self.record;
        for (name, found) in [(server, Found::Server), (tool, Found::Tool)] {
            if self.found < found || name.is_empty() || name.len() > NAME_CHARS {
                UNKNOWN.clone_into(name);
            }
        }
    }

    pub(crate) fn text_bytes(&self) -> usize {
        self.arguments_json.len() + self.result_text.len()
    }
}
