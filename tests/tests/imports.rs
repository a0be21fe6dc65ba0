//! Who may import whom: the house's plan, held against what cargo knows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Each crate and the crates of this workspace that it may depend on, tests aside.
const ALLOWED: [(&str, &[&str]); 22] = [
    ("kms-callback", &[]),
    ("kms-asc-api", &["kms-callback"]),
    ("kms-asc", &["kms-asc-api"]),
    ("kms-asc-mutants", &["kms-asc-api"]),
    ("kms-example-sealed-bid", &["kms-asc-api", "kms-callback"]),
    ("kms-test-receiver", &["kms-callback"]),
    ("kms-audit", &["kms-asc-api"]),
    ("kms-proofs", &["kms-asc-api"]),
    ("kms-chain", &[]),
    ("kms-config", &[]),
    ("kms-store", &[]),
    ("kms-core-proto", &[]),
    ("kms-core-engine", &[]),
    ("kms-fuzz-input", &[]),
    ("kms-signcrypt", &["kms-asc-api"]),
    (
        "kms-connector",
        &["kms-asc-api", "kms-chain", "kms-config", "kms-core-proto", "kms-proofs", "kms-store"],
    ),
    (
        "kms-core",
        &[
            "kms-asc-api",
            "kms-config",
            "kms-core-engine",
            "kms-core-proto",
            "kms-proofs",
            "kms-signcrypt",
            "kms-store",
        ],
    ),
    (
        "kms",
        &[
            "kms-asc-api",
            "kms-audit",
            "kms-chain",
            "kms-config",
            "kms-core-engine",
            "kms-core-proto",
            "kms-signcrypt",
            "kms-store",
        ],
    ),
    ("kms-localnet", &["kms-asc-api", "kms-chain", "kms-config"]),
    ("xtask", &["kms-asc-api", "kms-chain", "kms-config", "kms-localnet"]),
    (
        "kms-load",
        &["kms-asc-api", "kms-core-engine", "kms-core-proto", "kms-proofs", "kms-signcrypt", "kms-store"],
    ),
    ("kms-e2e", &["kms-asc-api", "kms-chain", "kms-config", "kms-connector", "kms-localnet"]),
];

/// Direct dependencies by crate, those of tests left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata");
    let packages = metadata.workspace_packages();
    packages
        .into_iter()
        .map(|package| {
            let direct = package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development);
            (package.name.to_string(), direct.map(|d| d.name.clone()).collect())
        })
        .collect()
}

#[test]
fn crates_import_only_downwards() {
    let found = dependencies();
    let members: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    let planned: BTreeSet<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    assert_eq!(members, planned, "a crate is missing from the plan, or the plan names one that is gone");
    for (name, allowed) in ALLOWED {
        for dependency in found[name].iter().filter(|dependency| members.contains(dependency.as_str())) {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not import {dependency}");
        }
    }
}

#[test]
fn only_the_engine_knows_tfhe_and_only_the_chain_client_knows_cosmos() {
    for (library, only) in
        [("tfhe", "kms-core-engine"), ("cosmrs", "kms-chain"), ("tendermint-rpc", "kms-chain")]
    {
        let users: Vec<String> = dependencies()
            .into_iter()
            .filter_map(|(name, dependencies)| dependencies.contains(library).then_some(name))
            .collect();
        assert_eq!(users, [only], "{library}");
    }
}

#[test]
fn the_core_never_reaches_a_chain_and_the_connector_never_tfhe() {
    let found = dependencies();
    let reach = |start: &str| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![start.to_owned()]);
        while let Some(name) = next.pop() {
            if seen.insert(name.clone()) {
                next.extend(found.get(&name).into_iter().flatten().cloned());
            }
        }
        seen
    };
    assert!(!reach("kms-core").contains("kms-chain"));
    assert!(!reach("kms-connector").contains("kms-core-engine"));
    assert!(reach("kms-core").contains("tfhe"), "the walk finds nothing");
}
