//! Free ports of this machine.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

/// `N` distinct ports that nobody listens on. Somebody may take one before it is used: who uses it
/// then fails to start, and says so.
pub(crate) fn free<const N: usize>() -> Result<[u16; N]> {
    let mut ports = [0; N];
    // All are held until the last is found, so that none comes twice.
    let mut held = Vec::with_capacity(N);
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot get a free port")?;
        *port = listener.local_addr().context("cannot get a free port")?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// Whether a program could listen there now.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_are_distinct_and_free() {
        let ports = free::<8>().unwrap();
        for (index, port) in ports.iter().enumerate() {
            assert!(is_free(*port));
            assert!(!ports[..index].contains(port));
        }
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_free(listener.local_addr().unwrap().port()));
    }
}
