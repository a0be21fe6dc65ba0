//! Free ports of this machine.

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    net::{Ipv4Addr, TcpListener},
    ops::Range,
};

use anyhow::{Result, bail};

/// Where the system says from which ports it serves outgoing connections.
const OUTGOING: &str = "/proc/sys/net/ipv4/ip_local_port_range";
/// The first of them where it does not say.
const FIRST_OUTGOING: u16 = 32_768;
/// Below, services of the machine have theirs.
const FIRST: u16 = 10_000;

/// `N` distinct ports that nobody listens on. Somebody may take one before it is used: who uses it
/// then fails to start, and says so.
///
/// None is of the range that outgoing connections get theirs from: a client that comes back again and again while a
/// program restarts would take the program's port sooner or later.
pub(crate) fn free<const N: usize>() -> Result<[u16; N]> {
    let range = FIRST..first_outgoing();
    let mut ports = [0; N];
    let mut free = from_anywhere(range.clone()).filter(|port| is_free(*port));
    for port in &mut ports {
        match free.next() {
            Some(free) => *port = free,
            None => bail!("there are no {N} free ports from {} to {}", range.start, range.end),
        }
    }
    Ok(ports)
}

fn first_outgoing() -> u16 {
    let said = fs::read_to_string(OUTGOING).ok();
    let first = said.and_then(|range| range.split_whitespace().next()?.parse().ok());
    // A machine that gives them all away has none that is better.
    first.filter(|first| *first > FIRST).unwrap_or(FIRST_OUTGOING)
}

/// All of a range, beginning at random: stacks that are made at the same time should not find the same ones.
fn from_anywhere(range: Range<u16>) -> impl Iterator<Item = u16> {
    let count = u64::from(range.end.saturating_sub(range.start)).max(1);
    let first = usize::try_from(RandomState::new().hash_one(()) % count).unwrap_or_default();
    range.clone().skip(first).chain(range.take(first))
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
    fn no_outgoing_connection_gets_one_of_them() {
        let ports = free::<8>().unwrap();
        assert!(ports.iter().all(|port| (FIRST..first_outgoing()).contains(port)), "{ports:?}");
    }

    #[test]
    fn a_range_is_gone_through_whole_wherever_it_begins() {
        for _ in 0..20 {
            let mut ports: Vec<_> = from_anywhere(7..12).collect();
            ports.sort_unstable();
            assert_eq!(ports, [7, 8, 9, 10, 11]);
        }
        assert_eq!(from_anywhere(7..7).next(), None);
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_free(listener.local_addr().unwrap().port()));
    }
}
