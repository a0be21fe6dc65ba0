//! What the documents tell people to type exists. (`kms` commands are parsed by the crate `kms` itself.)

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn pages() -> Vec<PathBuf> {
    let folders = [root(), root().join("docs"), root().join("docs/adr")];
    folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

#[test]
fn every_make_target_in_the_documents_exists() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter(|line| !line.starts_with(['\t', ' ', '#', '.']))
        .filter_map(|line| line.split_once(':'))
        .flat_map(|(targets, _)| targets.split_whitespace())
        .collect();
    let mut found = 0;
    for page in pages() {
        for line in fs::read_to_string(&page).unwrap().lines() {
            let Some(command) = line.trim().strip_prefix("$ make ") else { continue };
            let target = command.split_whitespace().find(|word| !word.contains('=')).unwrap_or("");
            assert!(targets.contains(target), "{}: make {command}", page.display());
            found += 1;
        }
    }
    assert!(found >= 2, "the check found only {found} commands");
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut found = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(link, _)| link)) {
            let path = link.split('#').next().unwrap_or("");
            if path.is_empty() || path.contains("://") {
                continue;
            }
            let target = page.parent().unwrap().join(path);
            assert!(target.exists(), "{}: {link}", page.display());
            found += 1;
        }
    }
    assert!(found >= 2, "the check found only {found} links");
}
