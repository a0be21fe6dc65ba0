//! The envelope, by its layout, by properties, and against hostile bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;
mod hostile;
mod layout;
mod properties;
mod refused;
mod vector;
