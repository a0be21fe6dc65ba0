//! Where an answer's randomness comes from: a secret of this party's vault and everything that tells this answer from any other, so
//! that a rerun gives the same bytes and no other answer the same coins.

use hkdf::Hkdf;
use kms_asc_api::{EpochId, PartyId};
use kms_signcrypt::Coins;
use sha2::Sha256;

use crate::{Error, Identity, request::Request, vault::RandomnessSecret};

const SALT: &[u8] = b"kms-user-decrypt-v1";
const KEM: &[u8] = b"kem";
const NONCE: &[u8] = b"nonce";

/// The randomness of one request's answer. What is told apart is `len u16 || chain id || len u16 || contract || request id u64 ||
/// request hash (32) || epoch u32 || party u32`, integers big-endian.
pub(super) struct Randomness {
    of_secret: Hkdf<Sha256>,
    context: Vec<u8>,
}

impl Randomness {
    pub(super) fn of(secret: &RandomnessSecret, identity: &Identity, request: &Request) -> Self {
        let (epoch, party) = (request.membership.epoch, request.membership.party);
        let request = [&request.id().to_be_bytes()[..], request.hash.as_bytes()].concat();
        Self::new(secret.as_bytes(), [&identity.chain_id, &identity.contract], &request, epoch, party)
    }

    pub(super) fn new(
        secret: &[u8; 32],
        texts: [&str; 2],
        request: &[u8],
        epoch: EpochId,
        party: PartyId,
    ) -> Self {
        let mut context = Vec::new();
        for text in texts {
            // Neither has 65,536 bytes; if one had, the request's hash would still tell requests apart.
            context.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
            context.extend_from_slice(text.as_bytes());
        }
        context.extend_from_slice(request);
        context.extend_from_slice(&epoch.get().to_be_bytes());
        context.extend_from_slice(&party.get().to_be_bytes());
        Self { of_secret: Hkdf::new(Some(SALT), secret), context }
    }

    /// The coins of the ciphertext at `position` in the request.
    pub(super) fn coins(&self, position: u16) -> Result<Coins, Error> {
        let mut coins = Coins { kem: [0; 32], nonce: [0; 12] };
        self.expand(KEM, position, &mut coins.kem)?;
        self.expand(NONCE, position, &mut coins.nonce)?;
        Ok(coins)
    }

    /// `label || context || position u16`: no label is the beginning of another.
    fn expand(&self, label: &[u8], position: u16, out: &mut [u8]) -> Result<(), Error> {
        let derived = self.of_secret.expand_multi_info(&[label, &self.context, &position.to_be_bytes()], out);
        derived.map_err(|error| Error::Internal { cause: format!("deriving randomness: {error}") })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn coins(secret: u8, texts: [&str; 2], request: u8, epoch: u32, party: u32, position: u16) -> [u8; 44] {
        let randomness =
            Randomness::new(&[secret; 32], texts, &[request; 40], EpochId(epoch), PartyId(party));
        let coins = randomness.coins(position).unwrap();
        [&coins.kem[..], &coins.nonce].concat().try_into().unwrap()
    }

    #[test]
    fn a_rerun_gives_the_same_coins_and_whatever_differs_gives_others() {
        let chain = ["kms-1", "wasm1asc"];
        let all = [
            coins(1, chain, 1, 1, 1, 0),
            coins(2, chain, 1, 1, 1, 0),
            coins(1, ["kms-1w", "asm1asc"], 1, 1, 1, 0),
            coins(1, ["kms-2", "wasm1asc"], 1, 1, 1, 0),
            coins(1, ["kms-1", "wasm1bsc"], 1, 1, 1, 0),
            coins(1, chain, 2, 1, 1, 0),
            coins(1, chain, 1, 2, 1, 0),
            coins(1, chain, 1, 1, 2, 0),
            coins(1, chain, 1, 1, 1, 1),
        ];
        assert_eq!(all[0], coins(1, chain, 1, 1, 1, 0));
        assert_eq!(BTreeSet::from(all).len(), all.len());
        let nonces: BTreeSet<_> = all.iter().map(|coins| &coins[32..]).collect();
        assert_eq!(nonces.len(), all.len());
        assert!(all.iter().all(|coins| coins[..12] != coins[32..]), "coins and nonce are one output");
    }

    /// Fixed for good: another derivation would sign a second, different receipt after an update.
    #[test]
    fn the_derivation_is_the_one_that_it_always_was() {
        use hkdf::hmac::{Hmac, Mac};
        let mac = |key: &[u8], parts: &[&[u8]]| {
            let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).unwrap();
            parts.iter().for_each(|part| mac.update(part));
            mac.finalize().into_bytes()
        };
        let context = [&[0, 1][..], b"c", &[0, 1], b"a", &[3; 40], &[0, 0, 0, 4], &[0, 0, 0, 5]].concat();
        let key = mac(b"kms-user-decrypt-v1", &[&[9; 32]]);
        let expected = [&b"kem"[..], b"nonce"].map(|label| mac(&key, &[label, &context, &[0, 6], &[1]]));
        let randomness = Randomness::new(&[9; 32], ["c", "a"], &[3; 40], EpochId(4), PartyId(5));
        let coins = randomness.coins(6).unwrap();
        assert_eq!((&coins.kem[..], &coins.nonce[..]), (&expected[0][..], &expected[1][..12]));
    }
}
