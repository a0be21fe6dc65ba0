//! How the core is reached: over TLS with certificates on both sides, or in plain text on loopback when that is asked for.

mod certs;
mod incoming;
mod reload;

pub use certs::{CertificateSet, CertsError};
pub(crate) use incoming::{Acceptor, incoming};
pub use reload::TlsError;
