//! `public_decrypt`.

use kms_asc_api::{Ciphertext, EvmAddress, KeyState};

use super::{World, grantee};
use crate::suite::evidence::{ATTESTERS, Terms, USER, app, other_app, verify_input, wallet};
use crate::suite::{START, account, ciphertext, public_decrypt};

const DENIED: Option<&str> = Some("permission");

#[test]
fn each_row_of_the_table_permits_whom_it_names_and_nobody_else() {
    let mut world = World::new();
    let (the_app, owner) = (account("app"), world.suite.owner());
    let (stranger, grantee) = (world.suite.stranger(), grantee());
    let zero = Terms { user: Some(EvmAddress::ZERO), ..Terms::open(app()) };
    let named = Terms::of(wallet(USER), app());
    let element = world.element();
    let (open, open_zero, for_one) =
        (world.attested(Terms::open(app())), world.attested(zero), world.attested(named));
    let of_no_app = world.attested(Terms { contract: None, ..Terms::open(app()) });
    let unproven = ciphertext(1);
    let rows = [
        ("the app that an input is meant for may publish it", &the_app, vec![&element], None),
        ("the key's owner may publish an input", &owner, vec![&element], None),
        ("a grantee may publish an input", &grantee, vec![&element], None),
        ("a stranger may not publish an input", &stranger, vec![&element], DENIED),
        ("anyone may publish what is attested for nobody in particular", &stranger, vec![&open], None),
        ("an attested user of zero is nobody in particular", &stranger, vec![&open_zero], None),
        ("an attestation for everybody needs no app", &stranger, vec![&of_no_app], None),
        ("a stranger may not publish what is attested for one user", &stranger, vec![&for_one], DENIED),
        ("nor may the app that it belongs to", &the_app, vec![&for_one], DENIED),
        ("the key's owner may", &owner, vec![&for_one], None),
        ("a grantee may", &grantee, vec![&for_one], None),
        ("a stranger may not decrypt without evidence", &stranger, vec![&unproven], DENIED),
        ("nor may an app", &the_app, vec![&unproven], DENIED),
        ("the key's owner may decrypt without evidence", &owner, vec![&unproven], None),
        ("a grantee may decrypt without evidence", &grantee, vec![&unproven], None),
        ("one ciphertext without a right spoils the others", &stranger, vec![&open, &unproven], DENIED),
        ("in any order", &stranger, vec![&unproven, &open], DENIED),
        ("rights of all kinds go together", &the_app, vec![&element, &open], None),
    ];
    for (sentence, sender, ciphertexts, expected) in rows {
        let ciphertexts: Vec<Ciphertext> = ciphertexts.into_iter().cloned().collect();
        assert_eq!(world.ask_public(sender, ciphertexts).as_deref(), expected, "{sentence}");
    }
}

#[test]
fn an_input_for_another_app_is_not_this_apps_to_publish() {
    let mut world = World::new();
    let op = verify_input(world.key, world.crs);
    world.input = world.suite.verified_input(kms_asc_api::VerifyInput { contract: other_app(), ..op });
    let element = world.element();
    assert_eq!(world.ask_public(&account("app"), vec![element.clone()]).as_deref(), DENIED);
    assert_eq!(world.ask_public(&grantee(), vec![element]), None);
}

#[test]
fn a_grant_holds_for_its_key_up_to_its_last_second_and_under_one_owner() {
    let mut world = World::new();
    let unproven = || vec![ciphertext(1)];
    let other_key = public_decrypt(world.other_key, unproven());
    assert_eq!(world.ask(&grantee(), other_key).as_deref(), DENIED, "it is for one key");

    world.suite.grant(world.key, &grantee(), Some(START + 10));
    world.suite.at(START + 10);
    assert_eq!(world.ask_public(&grantee(), unproven()), None, "the last second counts");
    world.suite.at(START + 11);
    assert_eq!(world.ask_public(&grantee(), unproven()).as_deref(), DENIED, "then it is over");

    world.suite.grant(world.key, &grantee(), None);
    assert_eq!(world.ask_public(&grantee(), unproven()), None);
    let old_owner = world.suite.owner();
    world.suite.hand_over(world.key, &account("stranger"));
    assert_eq!(world.ask_public(&grantee(), unproven()).as_deref(), DENIED, "a new owner ends all grants");
    assert_eq!(world.ask_public(&old_owner, unproven()).as_deref(), DENIED, "and the old owner's right");
    assert_eq!(world.ask_public(&account("stranger"), unproven()), None);
    world.suite.grant(world.key, &grantee(), None);
    assert_eq!(world.ask_public(&grantee(), unproven()), None, "he may give his own");
}

#[test]
fn the_state_of_the_key_comes_before_all_rights() {
    for (state, expected) in [
        (KeyState::Active, None),
        (KeyState::Deactivated, None),
        (KeyState::Suspended, Some("key_state")),
        (KeyState::Destroyed, Some("key_state")),
    ] {
        let mut world = World::new();
        world.suite.set_key_state(world.key, state);
        let open = world.suite.attested(world.key, 9, Terms::open(app()), &ATTESTERS);
        let owner = world.suite.owner();
        for ciphertext in [world.element(), open, ciphertext(1)] {
            assert_eq!(world.ask_public(&owner, vec![ciphertext.clone()]).as_deref(), expected);
            assert_eq!(world.ask_user(&owner, vec![ciphertext]).as_deref(), expected);
        }
    }
}

#[test]
fn a_request_on_a_key_of_a_revoked_epoch_is_denied() {
    let mut world = World::new();
    world.suite.revoke_epoch(world.suite.epoch.id);
    let (owner, revoked) = (world.suite.owner(), Some("epoch_revoked"));
    assert_eq!(world.ask_public(&owner, vec![ciphertext(1)]).as_deref(), revoked);
    assert_eq!(world.ask_user(&owner, vec![ciphertext(1)]).as_deref(), revoked);
    let input = kms_asc_api::Operation::VerifyInput(verify_input(world.key, world.crs));
    assert_eq!(world.ask(&owner, input).as_deref(), revoked);
}
