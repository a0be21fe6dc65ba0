//! Black-box tests that run the real binaries on a real chain.
//!
//! A scenario gets a [`World`]: a running stack with a key on it, and people who use the command line.
//! It asks for what it needs ([`World::settled`]) and may break anything; the next one mends it.

mod bench;
mod deployment;
mod operators;
mod person;
mod prerequisites;
mod users;
mod web_client;
mod world;

pub use bench::{Bench, LARGEST_PAGE, Sent};
pub use deployment::Deployment;
pub use operators::Operators;
pub use person::{Output, Person};
pub use prerequisites::{REQUIRE_VARIABLE, missing};
pub use users::{element, input, user_decrypt};
pub use web_client::{WebClient, missing_for_public_client, missing_for_web_client};
pub use world::{World, eventually};
