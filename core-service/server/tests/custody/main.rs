//! What opens a vault, what leaves it, and who reaches the core: with the real program where that matters.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backup;
mod copies;
mod place;
mod secrets;
mod tls;
