use ed25519_consensus::SigningKey;
use tendermint::{
    PublicKey,
    validator::{Info, Set},
    vote::Power,
};

/// Who signs blocks. The same name and number make the same keys.
#[derive(Clone)]
pub struct Validators {
    keys: Vec<(SigningKey, u32)>,
    silent: usize,
}

impl Validators {
    /// `count` validators of equal power.
    pub fn made_of(name: &str, count: u32) -> Self {
        let key = |number: u32| {
            let seed = crate::hash::sha256(format!("{name} {number}").as_bytes());
            (SigningKey::from(seed), 10)
        };
        Self { keys: (0..count).map(key).collect(), silent: 0 }
    }

    /// These and others together: what a change of validators in which nobody leaves looks like.
    pub fn joined_by(mut self, others: &Self) -> Self {
        self.keys.extend(others.keys.iter().cloned());
        self
    }

    /// The first `count` of them sign nothing.
    pub fn with_silent(mut self, count: usize) -> Self {
        self.silent = count;
        self
    }

    /// The set, in the chain's order.
    pub(super) fn set(&self) -> Set {
        Set::without_proposer(self.keys.iter().map(|(key, power)| info(key, *power)).collect())
    }

    /// The key of a validator of the set, unless it is silent.
    pub(super) fn key_of(&self, validator: &Info) -> Option<&SigningKey> {
        let signs = self.keys.iter().skip(self.silent).map(|(key, _)| key);
        signs.into_iter().find(|key| public_key(key) == validator.pub_key)
    }
}

fn info(key: &SigningKey, power: u32) -> Info {
    Info::new(public_key(key), Power::from(power))
}

fn public_key(key: &SigningKey) -> PublicKey {
    PublicKey::from_raw_ed25519(key.verification_key().as_bytes())
        .unwrap_or_else(|| unreachable!("a verification key is a public key"))
}
