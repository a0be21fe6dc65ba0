//! Provenance `verified`: the stored payload and body of the input's request are the evidence.

use kms_asc_api::payload::InputVerdict;
use kms_asc_api::{
    Ciphertext, CiphertextFormat, Digest, Handle, Operation, Provenance, RequestId, VerifyInput,
};

use super::{Row, World};
use crate::suite::evidence::{element, element_handle, verify_input};
use crate::suite::{Suite, ciphertext, public_decrypt, word};

const FALSE: Option<&str> = Some("provenance");

fn cite(world: &World, request_id: RequestId) -> Ciphertext {
    Ciphertext { provenance: Provenance::Verified { request_id }, ..world.element() }
}

fn pending_input(suite: &mut Suite, op: VerifyInput) -> RequestId {
    suite.request(&suite.stranger(), Operation::VerifyInput(op))
}

/// Asked by the owner, who may decrypt anything: false evidence is refused all the same.
#[test]
fn an_element_is_what_it_says_in_every_field_or_nothing() {
    let mut world = World::new();
    let mut type_byte = *element_handle(9000, 1).as_bytes();
    type_byte[5] ^= 1;
    let rows: [Row<Ciphertext>; 7] = [
        ("another digest", |c| c.digest = Digest::sha256(b"other")),
        ("another size", |c| c.size += 1),
        ("another position in the list", |c| c.index = 0),
        ("a position behind the list", |c| c.index = 2),
        ("the farthest position", |c| c.index = u16::MAX),
        ("the handle of another position", |c| c.handle = element_handle(9000, 0)),
        ("a handle of another chain", |c| c.handle = element_handle(9001, 1)),
    ];
    let owner = world.suite.owner();
    assert_eq!(world.ask_public(&owner, vec![world.element()]), None);
    for (sentence, change) in rows {
        let mut changed = world.element();
        change(&mut changed);
        assert_eq!(world.ask_public(&owner, vec![changed.clone()]).as_deref(), FALSE, "{sentence}");
        assert_eq!(world.ask_user(&owner, vec![changed]).as_deref(), FALSE, "{sentence}, for a user");
    }
    let other = Ciphertext { handle: Handle::new(type_byte), ..world.element() };
    assert_eq!(world.ask_public(&owner, vec![world.element(), other]).as_deref(), FALSE, "among good ones");
}

#[test]
fn an_element_in_another_format_is_no_request() {
    let mut world = World::new();
    for format in [CiphertextFormat::Raw, CiphertextFormat::Compressed] {
        let changed = Ciphertext { format, index: 0, ..world.element() };
        let operation = public_decrypt(world.key, vec![changed]);
        assert_eq!(world.suite.submit(&world.suite.owner(), operation, 1000).unwrap_err().code, "malformed");
    }
}

#[test]
fn only_a_fulfilled_and_accepted_input_of_this_key_is_evidence() {
    let mut world = World::new();
    let (key, crs) = (world.key, world.crs);
    let decryption = world.suite.decryption(key);
    world.suite.fulfil(decryption, &word(1));
    let pending = pending_input(&mut world.suite, verify_input(key, crs));
    let refused = pending_input(&mut world.suite, verify_input(key, crs));
    world.suite.fulfil(refused, &InputVerdict::Refused.encode());
    let failed = pending_input(&mut world.suite, verify_input(key, crs));
    let code = kms_asc_api::FailureCode::TooLarge;
    world.suite.report(vec![world.suite.failure(failed, 1, code, u16::MAX)]);
    let of_other_key = world.suite.verified_input(verify_input(world.other_key, crs));
    let rows = [
        ("no request", RequestId(999)),
        ("the key's own request", RequestId(key.get())),
        ("a fulfilled decryption", decryption),
        ("an input that waits for its verdict", pending),
        ("an input that was refused", refused),
        ("an input that could not be judged", failed),
        ("an input under another key", of_other_key),
    ];
    let owner = world.suite.owner();
    for (sentence, id) in rows {
        let cited = cite(&world, id);
        assert_eq!(world.ask_public(&owner, vec![cited.clone()]).as_deref(), FALSE, "{sentence}");
        assert_eq!(world.ask_user(&owner, vec![cited]).as_deref(), FALSE, "{sentence}, for a user");
    }
    assert_eq!(world.ask_public(&owner, vec![cite(&world, world.input)]), None);
}

#[test]
fn two_inputs_may_be_cited_in_one_request() {
    let mut world = World::new();
    let op = VerifyInput { digest: Digest::sha256(b"second"), ..verify_input(world.key, world.crs) };
    let second = world.suite.verified_input(op);
    let theirs = Ciphertext { digest: Digest::sha256(b"second"), ..element(second, 0) };
    let both = vec![world.element(), theirs.clone(), element(world.input, 0)];
    assert_eq!(world.ask_user(&world.suite.stranger(), both), None);
    let crossed = Ciphertext { provenance: Provenance::Verified { request_id: world.input }, ..theirs };
    assert_eq!(world.ask_user(&world.suite.stranger(), vec![world.element(), crossed]).as_deref(), FALSE);
    let unproven = ciphertext(1);
    assert_eq!(world.ask_user(&world.suite.owner(), vec![unproven, world.element()]), None);
}
