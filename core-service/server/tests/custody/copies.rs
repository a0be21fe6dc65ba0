//! Keys on their way from core to core.

use std::fs;

use crate::place::{CONTRACT, Place, contains};

fn path(place: &Place, name: &str) -> String {
    place.path(name).to_str().unwrap().to_owned()
}

#[test]
fn a_key_is_sealed_for_one_core_and_held_there_for_one_request() {
    let (giver, taker, stranger) = (Place::new(), Place::new(), Place::new());
    let secret = giver.with_key();
    for place in [&taker, &stranger] {
        place.done(&["init"]);
    }
    let copy = path(&giver, "copy");
    let certificate = |place: &Place| path(place, "certs/core.pem");
    let said = giver.done(&["export", "--key", "7", "--to", &certificate(&taker), &copy]);
    assert!(said.contains("SHA-256 0x"), "{said}");
    assert!(!contains(&fs::read(&copy).unwrap(), &secret.as_bytes()[1000..1032]));
    assert!(
        giver.refused(&["export", "--key", "7", "--to", &certificate(&taker), &copy]).contains("already")
    );
    assert!(giver.refused(&["export", "--key", "8", "--to", &certificate(&taker), "x"]).contains("key 8"));

    let stage = |place: &Place, from: &Place| {
        let from = certificate(from);
        place.run(&["stage", &copy, "--from", &from, "--owner", "wasm1owner", "--request", "12"])
    };
    let said = |output: std::process::Output| String::from_utf8(output.stderr).unwrap();
    assert!(said(stage(&stranger, &giver)).contains("another core's certificate"));
    assert!(said(stage(&taker, &stranger)).contains("not sealed by the core"));
    let done = stage(&taker, &giver);
    assert!(done.status.success());
    assert!(
        said(done).contains(&format!("key 7 of contract {CONTRACT} on kms-test-1 waits for request 12 of"))
    );
    assert!(said(stage(&taker, &giver)).contains("already"), "a second time");
    assert!(
        path(&taker, "core-data/vault/00000000000000000012.staged")
            .parse::<std::path::PathBuf>()
            .unwrap()
            .exists()
    );
}

#[test]
fn a_reference_string_is_held_for_one_request() {
    let place = Place::new();
    place.done(&["init"]);
    fs::write(place.path("crs"), b"a reference string").unwrap();
    let arguments =
        ["stage-crs", &path(&place, "crs"), "--max-bits", "64", "--owner", "wasm1owner", "--request", "13"];
    assert!(place.done(&arguments).contains("waits for request 13"));
    assert!(place.refused(&arguments).contains("already"));
}
