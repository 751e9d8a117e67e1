//! Dependencies: licences that we may ship, a reason for each direct one; and data files that must load.

use std::process::Command;

use serde_json::Value;

use crate::tidy::{none, read, root};

/// Licences that a binary under Apache-2.0 OR MIT may contain.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BlueOak-1.0.0",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates under a licence that is allowed for them alone: copyleft of single files, which we use unchanged.
const EXCEPTIONS: &[(&str, &str)] = &[("nucleo-matcher", "MPL-2.0")];

/// Whether an SPDX expression can be met with allowed licences.
fn is_met(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let met = either(&tokens, &mut at);
    met && at == tokens.len()
}

fn either(tokens: &[&str], at: &mut usize) -> bool {
    let mut met = both(tokens, at);
    while tokens.get(*at) == Some(&"OR") {
        *at += 1;
        met |= both(tokens, at);
    }
    met
}

fn both(tokens: &[&str], at: &mut usize) -> bool {
    let mut met = licence(tokens, at);
    while tokens.get(*at) == Some(&"AND") {
        *at += 1;
        met &= licence(tokens, at);
    }
    met
}

fn licence(tokens: &[&str], at: &mut usize) -> bool {
    let Some(token) = tokens.get(*at) else { return false };
    *at += 1;
    if *token == "(" {
        let met = either(tokens, at);
        let closed = tokens.get(*at) == Some(&")");
        *at += 1;
        return met && closed;
    }
    if tokens.get(*at) == Some(&"WITH") {
        let with = tokens.get(*at + 1).map(|exception| format!("{token} WITH {exception}"));
        *at += 2;
        return with.is_some_and(|with| ALLOWED.contains(&with.as_str())) || ALLOWED.contains(token);
    }
    ALLOWED.contains(token)
}

#[expect(clippy::disallowed_methods, reason = "cargo knows the dependencies")]
fn metadata() -> Value {
    // Of other platforms' dependencies nothing may be at hand, and a test does not fetch them.
    let version = Command::new(env!("CARGO")).arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo names its host");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--format-version=1", "--filter-platform", host])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_licence_allows_shipping() {
    let metadata = metadata();
    let findings = metadata["packages"].as_array().unwrap().iter().filter_map(|package| {
        let licence = package["license"].as_str().unwrap_or("");
        let fine = is_met(licence) || EXCEPTIONS.contains(&(package["name"].as_str().unwrap(), licence));
        (!fine).then(|| format!("{} {}: `{licence}`", package["name"], package["version"]))
    });
    none(&findings.collect::<Vec<_>>());
}

#[test]
fn every_direct_dependency_has_its_reason() {
    let page = read(&root().join("docs/architecture.md"));
    let (_, section) = page.split_once("## Dependencies").expect("a section on dependencies");
    let metadata = metadata();
    let own =
        metadata["packages"].as_array().unwrap().iter().find(|package| package["name"] == "opsdeck").unwrap();
    let mut findings = Vec::new();
    let mut names: Vec<&str> =
        own["dependencies"].as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names.dedup();
    for name in &names {
        if !section.contains(&format!("- `{name}`: ")) {
            findings.push(format!("docs/architecture.md does not say why `{name}` is there"));
        }
    }
    for line in section.lines().filter_map(|line| line.strip_prefix("- `")) {
        let name = line.split('`').next().unwrap();
        if !names.contains(&name) {
            findings.push(format!("docs/architecture.md names `{name}`, which is no dependency"));
        }
    }
    none(&findings);
}

#[test]
fn every_shipped_theme_and_keymap_loads() {
    let files = |folder: &str| -> Vec<(String, String)> {
        let entries = std::fs::read_dir(root().join(folder)).unwrap();
        let mut files: Vec<_> = entries
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), read(&path)))
            .collect();
        files.sort();
        files
    };
    for (name, text) in files("themes") {
        opsdeck::theme::Theme::parse(&name, &text, &|_| None).unwrap();
        assert!(opsdeck::theme::Theme::names().any(|shipped| shipped == name), "{name} is not embedded");
    }
    for (name, text) in files("keymaps") {
        opsdeck::keymap::Keymap::parse(&name, &text, &|_| None).unwrap();
        assert!(opsdeck::keymap::Keymap::names().any(|shipped| shipped == name), "{name} is not embedded");
    }
}

#[test]
fn licence_expressions_are_judged() {
    for fine in [
        "MIT",
        "MIT OR GPL-3.0",
        "Apache-2.0/MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(is_met(fine), "{fine}");
    }
    for bad in [
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "",
        "(MIT",
        "AGPL-3.0-only OR SSPL-1.0",
        "MIT OR GPL-3.0)",
        "MIT BSD-3-Clause",
    ] {
        assert!(!is_met(bad), "{bad}");
    }
}
