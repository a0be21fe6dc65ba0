//! What the documents tell people to type exists. (`kms` commands are parsed by the crate `kms` itself.)

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use kms_localnet::Programs;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn pages() -> Vec<PathBuf> {
    let folders = [root(), root().join("docs"), root().join("docs/adr"), root().join("clients/typescript")];
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

/// Where the links of a page lead.
fn links(page: &str) -> impl Iterator<Item = &str> {
    page.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(link, _)| link))
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut found = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
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

#[test]
fn every_link_to_a_part_of_a_page_leads_to_one_of_its_headings() {
    let mut found = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            let Some((path, part)) = link.split_once('#').filter(|(path, _)| !path.contains("://")) else {
                continue;
            };
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            let target = fs::read_to_string(target).unwrap();
            let headings = target.lines().filter(|line| line.starts_with('#')).map(anchor);
            assert!(headings.into_iter().any(|heading| heading == part), "{}: {link}", page.display());
            found += 1;
        }
    }
    assert!(found >= 2, "the check found only {found} links");
}

/// As those who show the pages write a heading in a link.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

#[test]
fn the_architecture_names_every_crate_and_where_it_lies() {
    let page = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let metadata = cargo_metadata::MetadataCommand::new()
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap();
    for package in metadata.packages {
        let folder = package.manifest_path.parent().unwrap().strip_prefix(root()).unwrap();
        // xtask is told of with the scripts beside it.
        let folder = if package.name == "xtask" { "scripts" } else { folder.as_str() };
        let row = page.lines().find(|line| line.starts_with(&format!("| `{folder}` |")));
        assert!(
            row.is_some_and(|row| row.contains(&format!("`{}`", package.name))),
            "{} in {folder}",
            package.name
        );
    }
}

/// What stands between backquotes in the text, and what is typed after a prompt in a block of its own.
fn code(page: &str) -> impl Iterator<Item = String> {
    let blocks = page.split("```").skip(1).step_by(2).flat_map(str::lines);
    let typed = blocks.filter_map(|line| line.trim().strip_prefix("$ "));
    let words = page.split("```").step_by(2).flat_map(|text| text.split('`').skip(1).step_by(2));
    typed.chain(words).map(|line| line.replace('\n', " "))
}

/// The program's own parser judges: it comes to the last word, which asks for help, only if it understands all before it.
#[test]
fn every_command_of_core_and_connector_in_the_documents_is_one_that_they_know() {
    let programs = Programs::of_this_build().unwrap();
    let understands = |name: &str, arguments: &[&str]| {
        let mut command = Command::new(programs.program(name).unwrap());
        command.args(arguments).arg("--help").output().unwrap().status.success()
    };
    let header = format!("1:{}", "ab".repeat(32));
    for name in ["kms-core", "kms-connector"] {
        let mut found = 0;
        for page in pages() {
            for line in code(&fs::read_to_string(&page).unwrap()) {
                let Some(arguments) = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(' ')) else {
                    continue;
                };
                // Placeholders that are no values; those of files and texts pass as they are.
                let filled = |word| match word {
                    "ID" | "N" => "1",
                    "HEIGHT:HASH" => header.as_str(),
                    value => value,
                };
                let arguments: Vec<&str> = arguments.split_whitespace().map(filled).collect();
                assert!(understands(name, &arguments), "{}: {line}", page.display());
                found += 1;
            }
        }
        assert!(found >= 2, "the check found only {found} commands of {name}");
        for wrong in
            [&["--mnemonic", "x"][..], &["destroy"], &["--config"], &["trust", "HEIGHT"], &["stage", "--no"]]
        {
            assert!(!understands(name, wrong), "{name} {wrong:?} passes for a command");
        }
    }
}

#[test]
fn the_code_shown_to_web_developers_is_the_code_that_is_tested() {
    let client = root().join("clients/typescript");
    let page = fs::read_to_string(client.join("README.md")).unwrap();
    let mut found = 0;
    for block in page.split("```typescript\n// ").skip(1) {
        let (name, rest) = block.split_once('\n').unwrap();
        let shown = rest.split("```").next().unwrap();
        let tested = fs::read_to_string(client.join(name)).unwrap();
        assert_eq!(shown, tested.replace("\"../src\"", "\"kms-asc-client\""), "{name}");
        found += 1;
    }
    assert!(found >= 2, "the check found only {found} examples");
}

#[test]
fn the_web_clients_packages_are_pinned_by_hash_and_by_no_registry() {
    let lock = fs::read_to_string(root().join("clients/typescript/package-lock.json")).unwrap();
    assert!(!lock.contains("\"resolved\""), "the lock file names where packages were fetched");
    let lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
    let packages = lock["packages"].as_object().unwrap();
    assert!(packages.len() > 30, "only {} packages", packages.len());
    for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
        assert!(package["integrity"].is_string() || package["inBundle"] == true, "{name} has no hash");
    }
    let manifest = fs::read_to_string(root().join("clients/typescript/package.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    for versions in ["dependencies", "devDependencies"] {
        for (name, version) in manifest[versions].as_object().unwrap() {
            let version = version.as_str().unwrap();
            assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{name} is not pinned: {version}");
        }
    }
}
