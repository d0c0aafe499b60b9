//! What is read of programs, whole and broken.

mod beside;
mod context;
mod outline;
