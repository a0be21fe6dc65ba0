//! Copies the contract's source and plants the bugs of `mutants/` in the copy.
//!
//! A file there is named after its bug and holds: a line that describes it; then, once or more often, `file NAME`,
//! `instead of` and `put`, each alone on its line, the latter two followed by lines of source. The text that is
//! replaced must stand exactly once in the file, whatever its indentation; `MUTANT` in the new text says whether
//! the bug is in effect.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SOURCE: &str = "../asc/src";
const MUTANTS: &str = "mutants";

struct Mutant {
    name: String,
    description: String,
    edits: Vec<Edit>,
}

#[derive(Default)]
struct Edit {
    file: String,
    old: String,
    new: String,
}

fn main() -> Result<()> {
    println!("cargo:rerun-if-changed={SOURCE}");
    println!("cargo:rerun-if-changed={MUTANTS}");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let copy = out.join("asc");
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    copy_folder(Path::new(SOURCE), &copy)?;
    let mutants = read_mutants()?;
    for mutant in &mutants {
        for edit in &mutant.edits {
            plant(&copy, &mutant.name, edit)?;
        }
    }
    // An included file begins with items.
    let root = copy.join("lib.rs");
    let lines = fs::read_to_string(&root)?;
    let items = lines.lines().filter(|line| !line.starts_with("//!") && !line.starts_with("#!["));
    fs::write(&root, items.collect::<Vec<_>>().join("\n"))?;
    let all: Vec<String> = mutants.iter().map(|m| format!("({:?}, {:?})", m.name, m.description)).collect();
    fs::write(out.join("all.rs"), format!("&[{}]", all.join(", ")))?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().ok_or("a file has a name")?);
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}

fn read_mutants() -> Result<Vec<Mutant>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(MUTANTS)?.map(|e| Ok(e?.path())).collect::<Result<_>>()?;
    paths.sort();
    paths.iter().map(|path| read_mutant(path)).collect()
}

fn read_mutant(path: &Path) -> Result<Mutant> {
    let name = path.file_stem().and_then(|name| name.to_str()).ok_or("a mutant has a name")?.to_owned();
    let text = fs::read_to_string(path)?;
    let mut lines = text.lines();
    let description = lines.next().unwrap_or_default().to_owned();
    let mut edits: Vec<Edit> = Vec::new();
    let mut into_new = false;
    for line in lines {
        if let Some(file) = line.strip_prefix("file ") {
            edits.push(Edit { file: file.to_owned(), ..Edit::default() });
            continue;
        }
        let edit = edits.last_mut().ok_or(format!("{name}: a file has to be named first"))?;
        match line {
            "instead of" => into_new = false,
            "put" => into_new = true,
            source if into_new => edit.new += &format!("{source}\n"),
            source => edit.old += &format!("{source}\n"),
        }
    }
    Ok(Mutant { name, description, edits })
}

/// Compares line by line without indentation, so that moving a block changes nothing.
fn plant(copy: &Path, name: &str, edit: &Edit) -> Result<()> {
    let path = copy.join(&edit.file);
    let text = fs::read_to_string(&path)?;
    let lines: Vec<&str> = text.lines().collect();
    let old: Vec<&str> = edit.old.lines().map(str::trim).collect();
    let at = |start: usize| {
        let window = lines.get(start..start + old.len());
        window.is_some_and(|window| window.iter().map(|line| line.trim()).eq(old.iter().copied()))
    };
    let places: Vec<usize> = (0..lines.len()).filter(|start| at(*start)).collect();
    let [place] = places.as_slice() else {
        let found = places.len();
        let message = format!("mutant {name}: its text stands {found} times in {}, not once", edit.file);
        return Err(message.into());
    };
    let new = edit.new.replace("MUTANT", &format!("crate::mutant::on({name:?})"));
    let before = lines[..*place].join("\n");
    let after = lines[place + old.len()..].join("\n");
    fs::write(&path, format!("{before}\n{new}{after}\n"))?;
    Ok(())
}
