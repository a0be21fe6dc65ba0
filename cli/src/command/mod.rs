//! The commands, one per file.

pub mod completion;
pub mod credit;
pub mod decrypt;
pub mod encrypt;
pub mod key;
pub mod keygen;
pub mod log;
pub mod quote;
pub mod request;
pub mod status;
pub mod wallet;
pub mod withdraw;
