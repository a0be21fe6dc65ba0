//! `user_decrypt`, with a signature that holds.

use kms_asc_api::{Ciphertext, EvmAddress, Operation};

use super::{World, grantee};
use crate::suite::evidence::{OTHER_USER, Terms, USER, app, other_app, wallet};
use crate::suite::{account, ciphertext};

const DENIED: Option<&str> = Some("permission");

#[test]
fn each_row_of_the_table_permits_whom_it_names_and_nobody_else() {
    let mut world = World::new();
    let (owner, stranger, grantee) = (world.suite.owner(), world.suite.stranger(), grantee());
    let element = world.element();
    let open = world.attested(Terms::open(app()));
    let of_no_app = world.attested(Terms { contract: None, ..Terms::open(app()) });
    let mine = world.attested(Terms::of(wallet(USER), app()));
    let zero = world.attested(Terms::of(EvmAddress::ZERO, app()));
    let unproven = ciphertext(1);
    let (here, elsewhere, both) = (vec![app()], vec![other_app()], vec![other_app(), app()]);
    let rows = [
        ("anyone may send what is the user's own input", &stranger, USER, &here, vec![&element], None),
        ("one of several apps is enough", &stranger, USER, &both, vec![&element], None),
        ("another user never sees it", &stranger, OTHER_USER, &here, vec![&element], DENIED),
        ("not even by a grantee", &grantee, OTHER_USER, &here, vec![&element], DENIED),
        ("not even by the owner", &owner, OTHER_USER, &here, vec![&element], DENIED),
        ("nor for an app that the user did not name", &owner, USER, &elsewhere, vec![&element], DENIED),
        (
            "what is attested for nobody in particular is for all",
            &stranger,
            OTHER_USER,
            &here,
            vec![&open],
            None,
        ),
        ("an attested user of zero is nobody in particular", &stranger, OTHER_USER, &here, vec![&zero], None),
        ("its app must be named", &owner, USER, &elsewhere, vec![&open], DENIED),
        ("no app is none that could be named", &owner, USER, &here, vec![&of_no_app], DENIED),
        ("what is attested for a user is his", &stranger, USER, &here, vec![&mine], None),
        ("and nobody else's", &stranger, OTHER_USER, &here, vec![&mine], DENIED),
        ("not even by a grantee", &grantee, OTHER_USER, &here, vec![&mine], DENIED),
        ("its app must be named", &grantee, USER, &elsewhere, vec![&mine], DENIED),
        ("a stranger may not ask without evidence", &stranger, USER, &here, vec![&unproven], DENIED),
        ("a grantee may, for whom he names", &grantee, OTHER_USER, &elsewhere, vec![&unproven], None),
        ("the owner may, for whom he names", &owner, OTHER_USER, &elsewhere, vec![&unproven], None),
        (
            "one ciphertext without a right spoils the others",
            &stranger,
            USER,
            &here,
            vec![&element, &unproven],
            DENIED,
        ),
        (
            "rights of all kinds go together",
            &owner,
            USER,
            &here,
            vec![&element, &mine, &open, &unproven],
            None,
        ),
    ];
    for (sentence, sender, user, contracts, ciphertexts, expected) in rows {
        let ciphertexts: Vec<Ciphertext> = ciphertexts.into_iter().cloned().collect();
        let mut op = world.suite.user_decrypt(world.key, ciphertexts);
        (op.user, op.contracts) = (wallet(user), contracts.clone());
        world.suite.consent(&mut op, user);
        assert_eq!(world.ask(sender, Operation::UserDecrypt(op)).as_deref(), expected, "{sentence}");
    }
}

/// The app's right is to publish; for one user, it sends like anyone.
#[test]
fn an_app_has_no_right_of_its_own_to_a_users_answer() {
    let mut world = World::new();
    let mut op = world.suite.user_decrypt(world.key, vec![world.element()]);
    op.user = wallet(OTHER_USER);
    world.suite.consent(&mut op, OTHER_USER);
    assert_eq!(world.ask(&account("app"), Operation::UserDecrypt(op)).as_deref(), DENIED);
}
