//! Entry functions for fuzzers, and what they can start from.
//!
//! ```text
//! service  a core that listens on loopback
//! world    the chain that it follows, and how it is set up
//! raw      messages as bytes
//! ```

mod raw;
mod service;
mod world;

use std::sync::LazyLock;

use crate::{custody, vault};
use service::Service;

static SERVICE: LazyLock<anyhow::Result<Service>> = LazyLock::new(Service::start);

/// The core, started when this is first called.
fn running() -> Option<&'static Service> {
    let started = SERVICE.as_ref();
    assert!(started.is_ok(), "the core does not start: {:?}", started.err());
    started.ok()
}

/// Sends bytes to a real core over gRPC: a method (1 byte), then the message. One request is recorded on the chain that the core
/// follows, and one key is destroyed there.
///
/// # Panics
/// On a finding: a panic or a fault in the core, a refusal without a reason, something trusted or done that is not recorded.
pub fn grpc(data: &[u8]) {
    if let (Some(service), [method, message @ ..]) = (running(), data) {
        service.send(*method, message);
    }
}

/// What [`grpc`] reads to the end.
///
/// # Panics
/// If the core does not start.
pub fn grpc_seeds() -> Vec<Vec<u8>> {
    running().map(Service::seeds).unwrap_or_default()
}

/// Reads bytes as what they say they are: a kind (1 byte), then a file of a vault, its header, a backup, a backup's content, a copy of
/// a key, or a file of an unencrypted vault. Digests are mended first, so that what lies behind them is reached.
///
/// # Panics
/// On a finding: a panic below, or bytes that nobody sealed and that open all the same.
pub fn vault_format(data: &[u8]) {
    let [kind, bytes @ ..] = data else { return };
    match kind % 6 {
        0 => vault::fuzzing::file(bytes),
        1 => vault::fuzzing::header(bytes),
        2 => custody::fuzzing::backup(bytes),
        3 => custody::fuzzing::content(bytes),
        4 => custody::fuzzing::copy(bytes),
        _ => vault::fuzzing::unencrypted(bytes),
    }
}

/// What [`vault_format`] reads to the end.
pub fn vault_format_seeds() -> Vec<Vec<u8>> {
    let kinds = [
        vault::fuzzing::file_seed(),
        vault::fuzzing::header_seed(),
        custody::fuzzing::backup_seed(),
        custody::fuzzing::content_seed(),
        custody::fuzzing::copy_seed(),
        vault::fuzzing::unencrypted_seed(),
    ];
    (0..).zip(kinds).map(|(kind, bytes)| [&[kind], bytes.as_slice()].concat()).collect()
}

#[cfg(test)]
mod tests {
    use kms_core_proto::reason;
    use kms_fuzz_input::{Corpus, Shape};

    use super::*;

    #[test]
    fn every_call_is_read_to_the_end() {
        let service = running().unwrap();
        let reasons = grpc_seeds().into_iter().map(|seed| service.reason(seed[0], &seed[1..]));
        let expected = [
            Some(reason::WRONG_CIPHERTEXT_COUNT),
            Some(reason::TOO_EARLY),
            Some(reason::UNKNOWN_REQUEST),
            None,
            None,
        ];
        assert_eq!(reasons.collect::<Vec<_>>(), expected.map(|reason| reason.map(str::to_owned)));
    }

    #[test]
    fn a_minute_of_random_calls_is_no_finding() {
        let tried = Corpus::new(grpc_seeds(), Shape::Message).try_for_a_minute(grpc);
        assert!(tried > 1000, "{tried} in a minute");
    }

    #[test]
    fn a_minute_of_random_files_is_no_finding() {
        let tried = Corpus::new(vault_format_seeds(), Shape::Bytes).try_for_a_minute(vault_format);
        assert!(tried > 1000, "{tried} in a minute");
    }

    #[test]
    fn every_seed_and_every_damaged_seed_is_read() {
        for seed in vault_format_seeds() {
            assert!(seed.len() > 60, "kind {} has no seed", seed[0]);
            vault_format(&seed);
            for at in 1..seed.len() {
                vault_format(&seed[..at]);
                let mut damaged = seed.clone();
                damaged[at] ^= 0x55;
                vault_format(&damaged);
            }
        }
    }
}
