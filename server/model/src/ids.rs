//! Identifiers. Opaque to users; ordered by time so that logs and tables sort by themselves.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
        #[serde(transparent)]
        #[ts(type = "string")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// A new identifier, later than every one made before it in this process.
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7().simple().to_string().into())
            }

            /// The text that users and other programs see.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// One run of one program.
    RunId
);

id!(
    /// One page that a server wants a person to visit. Ours: a server's own identifiers are its own.
    PageId
);
id!(
    /// One sitting of one client: an MCP session, an editor window, one CLI process. Definitions are charged once in it.
    ConversationId
);
