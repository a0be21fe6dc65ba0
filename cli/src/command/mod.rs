//! The commands, one per file.

pub mod admin;
pub mod completion;
pub mod credit;
pub mod crs;
pub mod decrypt;
pub mod encrypt;
pub mod epoch;
pub mod key;
pub mod keygen;
pub mod log;
pub mod operator;
pub mod quote;
pub mod request;
pub mod status;
pub mod user_decrypt;
pub mod verify_input;
pub mod wallet;
mod why;
pub mod withdraw;
