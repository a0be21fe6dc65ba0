//! Entry functions for fuzzers, and what they can start from.

use crate::{custody, vault};

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
    use super::*;

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
