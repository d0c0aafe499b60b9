//! The words every other crate speaks: identifiers, requests, replies, limits, and what a server and a tool are.
//!
//! Nothing here does IO, knows a protocol library, or keeps state. Types that cross the wire derive `Serialize` and
//! `TS`; `wire::typescript` turns them into the extension's generated types.

pub mod ask;
pub mod beside;
pub mod direct;
pub mod editor;
pub mod error;
pub mod explain;
pub mod ids;
pub mod import;
pub mod ledger;
pub mod limits;
pub mod method;
pub mod names;
pub mod notice;
pub mod outcome;
pub mod render;
pub mod reply;
pub mod reply_text;
pub mod report;
pub mod request;
pub mod secret;
pub mod server;
pub mod telemetry;
pub mod tokens;
pub mod tool;
pub mod wire;

pub use beside::Beside;
pub use direct::DirectTool;
pub use error::{ErrorKind, ProgramError};
pub use ids::{ConversationId, PageId, RunId};
pub use limits::Limits;
pub use method::Method;
pub use notice::{Notice, RunEvent};
pub use reply::{CacheOutcome, CallRecord, CallStatus, Reply, RunReply, RunStatus, Truncation, Usage};
pub use reply_text::{reply_text, search_text};
pub use request::{CallRequest, Detail, Language, Origin, Request, RunRequest, SearchRequest};
pub use secret::Secret;
pub use server::{Problem, ServerLimits, ServerSpec, ServerState, ServerStatus, Severity, Transport};
pub use telemetry::{TelemetrySettings, TraceContext};
pub use tokens::{SavingsSummary, TokenReport};
pub use tool::{Annotations, Content, ToolDefinition, ToolResult};
