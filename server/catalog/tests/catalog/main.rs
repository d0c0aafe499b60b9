//! The catalog from outside: stubs, arguments, ranking, and what hostile servers make of them.

mod arguments;
mod extras;
mod hostile;
mod ranking;
mod stubs;
