use k256::ecdsa::SigningKey;
use kms_asc_api::{Digest, EvmAddress, FheType, PublicKey, signing};
use kms_signcrypt::{Coins, Expected, OpenError, Opened, Recipient, UserKey};

/// A party, a user and a request between them.
pub struct Scene {
    pub signer: SigningKey,
    pub verifier: PublicKey,
    pub user_key: UserKey,
    pub user: EvmAddress,
    pub link: Digest,
}

pub fn scene() -> Scene {
    scene_of(1)
}

/// Other numbers give other keys, users and requests.
pub fn scene_of(number: u8) -> Scene {
    let signer = SigningKey::from_slice(&[number; 32]).unwrap();
    Scene {
        verifier: signing::public_key(signer.verifying_key()),
        signer,
        user_key: UserKey::from_seed(&[number; 64]),
        user: EvmAddress::new([number; 20]),
        link: Digest::new([number; 32]),
    }
}

pub fn coins(number: u8) -> Coins {
    Coins { kem: [number; 32], nonce: [number; 12] }
}

impl Scene {
    pub fn recipient(&self) -> Recipient {
        Recipient::new(&self.user_key.enc_key(), self.user, self.link).unwrap()
    }

    pub fn seal(&self, fhe_type: FheType, plaintext: &[u8]) -> Vec<u8> {
        self.recipient().seal(&self.signer, &coins(7), fhe_type, plaintext).unwrap()
    }

    pub fn expected(&self) -> Expected<'_> {
        Expected { signer: &self.verifier, user: &self.user, link: &self.link }
    }

    pub fn open(&self, wire: &[u8]) -> Result<Opened, OpenError> {
        self.user_key.open(wire, &self.expected())
    }
}
