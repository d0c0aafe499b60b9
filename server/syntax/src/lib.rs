//! What a program that is being typed says about servers: imports, mentions, calls, and what stands at the cursor. Pure.
//!
//! Error-tolerant on purpose, which is why it is not the parser that runs programs: in the middle of typing nearly every
//! text is broken, and the rest of it must keep its meaning. Where a name is bound more than once, or by anything but an
//! import, it means nothing here: silence is better than a false remark.
//!
//! Bounded: a text that is too long, or takes too many steps to parse, has no outline. Offsets are bytes. Left out: what servers
//! and tools there are, and values that are not written out in the text.

mod arguments;
mod context;
mod grammar;
mod imports;
mod literal;
mod outline;
mod scopes;
mod tokens;
mod walk;

pub use context::{CallPlace, Context, Place};
pub use outline::{Argument, Arguments, Call, Mention, Name, Outline, Symbol, Usage};
pub use walk::outline;

/// Bytes of a text that is still looked at.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
