//! The numbers, for programs and for people.

use std::{fmt::Write, fs, path::Path, thread};

use serde_json::{Map, Value, json};

use crate::Result;

const COMMAND: &str = "cargo run -p kms-core-engine --example measure";

/// `stages` in the order in which they ran.
pub fn write(stages: Vec<(String, Value)>) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/measurements");
    let machine = json!({
        "processor": processor()?,
        "cores": thread::available_parallelism()?.get(),
        "load in the minute before": load()?,
    });
    fs::write(folder.join("engine.md"), page(&machine, &stages)?)?;
    let stages: Map<_, _> = stages.into_iter().collect();
    let all = json!({ "command": COMMAND, "machine": machine, "stages": stages });
    fs::write(folder.join("engine.json"), format!("{}\n", serde_json::to_string_pretty(&all)?))?;
    Ok(())
}

fn processor() -> Result<String> {
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let name = info.lines().find(|line| line.starts_with("model name"));
    Ok(name.and_then(|line| line.split(": ").nth(1)).unwrap_or("unknown").to_owned())
}

fn load() -> Result<String> {
    Ok(fs::read_to_string("/proc/loadavg")?.split(' ').next().unwrap_or_default().to_owned())
}

fn page(machine: &Value, stages: &[(String, Value)]) -> Result<String> {
    let mut page = String::from("# What the engine costs\n\n");
    writeln!(
        page,
        "Written by `{COMMAND}`, with the parameters of real use, each stage in a process of its own. The build \
         is the one of tests and development, in which everything that computes is optimised. Machine: {}, {} \
         cores, load {} when it ended, so that times are of a small machine that had other work. The raw numbers \
         are in `engine.json`.",
        text(machine, "processor"),
        text(machine, "cores"),
        text(machine, "load in the minute before"),
    )?;
    for (name, found) in stages {
        writeln!(page, "\n## {}\n", capitalised(name))?;
        section(&mut page, found)?;
    }
    Ok(page)
}

/// Plain numbers as a table of two columns, nested ones as a table of their own.
fn section(page: &mut String, found: &Value) -> Result<()> {
    let empty = Map::new();
    let fields = found.as_object().unwrap_or(&empty);
    let (nested, plain): (Vec<_>, Vec<_>) = fields.iter().partition(|(_, value)| value.is_object());
    if let Some((_, first)) = nested.first() {
        let columns: Vec<_> = first.as_object().unwrap_or(&empty).keys().collect();
        let names: Vec<_> = columns.iter().map(|column| column.as_str()).collect();
        writeln!(page, "| | {} |\n|---|{}", names.join(" | "), "---:|".repeat(names.len()))?;
        for (name, row) in &nested {
            let cells: Vec<_> = columns.iter().map(|column| text(row, column)).collect();
            writeln!(page, "| {name} | {} |", cells.join(" | "))?;
        }
        writeln!(page)?;
    }
    writeln!(page, "| | |\n|---|---:|")?;
    for (name, value) in plain {
        writeln!(page, "| {name} | {} |", shown(value))?;
    }
    Ok(())
}

fn text(object: &Value, field: &str) -> String {
    object.get(field).map(shown).unwrap_or_default()
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => grouped(&number.to_string()),
        other => other.to_string(),
    }
}

/// With commas between thousands.
fn grouped(number: &str) -> String {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if fraction == "0" { grouped } else { format!("{grouped}.{fraction}") }
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
