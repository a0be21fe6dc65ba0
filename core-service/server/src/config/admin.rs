//! Section `[admin]`.

use std::net::{Ipv4Addr, SocketAddr};

use serde::Deserialize;

/// Health and metrics over HTTP.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AdminConfig {
    pub(super) listen: SocketAddr,
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self { listen: (Ipv4Addr::LOCALHOST, 0).into() }
    }
}
