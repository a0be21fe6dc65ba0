//! Who may have what decrypted: every row of the table, allowed and refused.

mod attestation;
mod public;
mod user;
mod user_signature;
mod verified;

use cosmwasm_std::Addr;
use kms_asc_api::{Ciphertext, CrsId, KeyId, Operation, RequestId};

use crate::suite::evidence::{ATTESTERS, Terms, element, verify_input};
use crate::suite::{Suite, account, public_decrypt};

/// What a change is called, and the change.
type Row<T> = (&'static str, fn(&mut T));

/// A key with attesters, a grantee, and a verified input of two elements; another key that has all of this too.
struct World {
    suite: Suite,
    key: KeyId,
    other_key: KeyId,
    crs: CrsId,
    input: RequestId,
}

impl World {
    fn new() -> Self {
        let mut suite = Suite::new();
        let (key, other_key, crs) = (suite.key(), suite.key(), suite.crs());
        for id in [key, other_key] {
            suite.set_attesters(id, &ATTESTERS, 2);
            suite.set_crs(id, &[crs]);
        }
        suite.grant(key, &grantee(), None);
        let input = suite.verified_input(verify_input(key, crs));
        Self { suite, key, other_key, crs, input }
    }

    /// An element of the input.
    fn element(&self) -> Ciphertext {
        element(self.input, 1)
    }

    /// A ciphertext that two attesters vouch for.
    fn attested(&self, terms: Terms) -> Ciphertext {
        self.suite.attested(self.key, 9, terms, &ATTESTERS[..2])
    }

    /// Submits, and gives the reason of the denial, if it is one.
    fn ask(&mut self, sender: &Addr, operation: Operation) -> Option<String> {
        let id =
            self.suite.submit(sender, operation, 1000).unwrap_or_else(|r| panic!("{}", r.text)).request_id;
        self.suite.view(id).reason
    }

    fn ask_public(&mut self, sender: &Addr, ciphertexts: Vec<Ciphertext>) -> Option<String> {
        self.ask(sender, public_decrypt(self.key, ciphertexts))
    }

    fn ask_user(&mut self, sender: &Addr, ciphertexts: Vec<Ciphertext>) -> Option<String> {
        let op = self.suite.user_decrypt(self.key, ciphertexts);
        self.ask(sender, Operation::UserDecrypt(op))
    }
}

fn grantee() -> Addr {
    account("grantee")
}
