//! The rules over source files. Each takes text and gives findings, `path:line: what`.

use syn::visit::Visit;

use crate::tidy::paths::{heads, module, reaches};
use crate::tidy::{none, read, root, sources};

/// Each module's floor. A module imports from lower floors and from itself.
const FLOORS: &[(&str, u8)] = &[
    ("stdx", 0),
    ("domain", 1),
    ("command", 2),
    ("theme", 2),
    ("logs", 2),
    ("journal", 2),
    ("vt", 2),
    ("guard", 3),
    ("diagnose", 3),
    ("runbook", 3),
    ("keymap", 3),
    ("config", 4),
    ("app", 5),
    ("cloud", 5),
    ("sim", 5),
    ("view", 6),
    ("runtime", 7),
    ("cli", 8),
];

/// The longest a file may be without its tests.
const LONGEST: usize = 600;

/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "manager", "misc"];

/// Calls of the SDK that change something. They stand in `cloud/*/write.rs` and nowhere else.
const MUTATING: &[&str] = &[
    "create_service",
    "delete_service",
    "update_service",
    "create_task_set",
    "update_task_set",
    "update_service_primary_task_set",
    "run_task",
    "start_task",
    "stop_task",
    "execute_command",
    "stop_service_deployment",
    "continue_service_deployment",
    "register_task_definition",
    "deregister_task_definition",
    "delete_task_definitions",
    "update_task_protection",
    "create_cluster",
    "update_cluster",
    "delete_cluster",
    "put_cluster_capacity_providers",
    "update_container_instances_state",
    "tag_resource",
    "untag_resource",
    "create_log_group",
    "delete_log_group",
    "create_log_stream",
    "delete_log_stream",
    "put_log_events",
    "put_retention_policy",
    "delete_retention_policy",
    "start_query",
    "assume_role",
    "rotate_secret",
    "put_secret_value",
    "update_secret_version_stage",
    "failover_db_cluster",
    "reboot_db_instance",
    "modify_db_instance",
    "start_session",
];

fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

fn imports(path: &str, text: &str) -> Vec<String> {
    let own = module(path);
    let Some(own) = own.first() else { return Vec::new() };
    let Some(own_floor) = floor(own) else { return vec![format!("{path}: {own} has no floor")] };
    let mut findings = Vec::new();
    for reach in reaches(path, text) {
        let Some(other) = reach.path.first() else {
            findings.push(format!("{path}:{}: the whole crate is imported", reach.line));
            continue;
        };
        // A macro of `stdx` is exported at the crate's root.
        if other == own || other == "id" {
            continue;
        }
        let allowed = match floor(other) {
            None => false,
            Some(_) if own == "sim" => other == "stdx",
            Some(floor) => floor < own_floor,
        };
        if !allowed {
            findings.push(format!("{path}:{}: {own} (floor {own_floor}) imports {other}", reach.line));
        }
    }
    findings
}

fn fences(path: &str, text: &str) -> Vec<String> {
    let module = module(path);
    let own = module.first().map_or("", String::as_str);
    let is_editor = path == "src/app/edit.rs";
    let mut findings = Vec::new();
    for (head, line) in heads(path, text) {
        let fault = if head.starts_with("ratatui") || head == "tui_textarea" {
            (!(matches!(own, "view" | "runtime") || is_editor)).then_some("view and runtime")
        } else if head == "crossterm" {
            (own != "runtime").then_some("runtime")
        } else if head.starts_with("aws_") {
            (own != "cloud").then_some("cloud")
        } else if head.starts_with("clap") {
            (own != "cli").then_some("cli")
        } else {
            None
        };
        findings.extend(fault.map(|home| format!("{path}:{line}: {head} is for {home} alone")));
    }
    findings
}

struct Calls {
    found: Vec<(String, usize)>,
}

impl<'ast> Visit<'ast> for Calls {
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        // The SDK's fluent calls take no argument; a method of ours with such a name does.
        if call.args.is_empty() && MUTATING.contains(&call.method.to_string().as_str()) {
            self.found.push((call.method.to_string(), call.method.span().start().line));
        }
        syn::visit::visit_expr_method_call(self, call);
    }
}

fn mutations(path: &str, text: &str) -> Vec<String> {
    let module = module(path);
    if module.first().is_none_or(|own| own != "cloud") || path.ends_with("/write.rs") {
        return Vec::new();
    }
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut calls = Calls { found: Vec::new() };
    calls.visit_file(&file);
    let finding = |(call, line)| format!("{path}:{line}: {call} changes AWS; it belongs in a write.rs");
    calls.found.into_iter().map(finding).collect()
}

fn prologue(path: &str, text: &str) -> Vec<String> {
    // A file of tests is part of the module that it tests, and says no more than that one's prologue.
    if path.ends_with("/tests.rs") {
        return Vec::new();
    }
    let said: usize =
        text.lines().map_while(|line| line.strip_prefix("//!")).map(|line| line.trim().len()).sum();
    match said {
        0 => vec![format!("{path}:1: no `//!` prologue (why the file exists, what it must not do)")],
        1..=20 => vec![format!("{path}:1: the prologue says too little")],
        _ => Vec::new(),
    }
}

/// Lines before the test module.
fn length(path: &str, text: &str) -> Vec<String> {
    if path.ends_with("/tests.rs") || path.contains("/tests/") {
        return Vec::new();
    }
    let mut lines = 0;
    let mut rest = text.lines().peekable();
    while let Some(line) = rest.next() {
        if line == "#[cfg(test)]" && rest.peek().is_some_and(|next| next.starts_with("mod tests {")) {
            break;
        }
        lines += 1;
    }
    if lines <= LONGEST {
        return Vec::new();
    }
    vec![format!("{path}: {lines} lines without tests, {LONGEST} is the most")]
}

fn names(path: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if path.ends_with("/mod.rs") {
        findings.push(format!("{path}: modules are `foo.rs` with `foo/`, not `foo/mod.rs`"));
    }
    for part in module(path) {
        if EMPTY_NAMES.contains(&part.as_str()) {
            findings.push(format!("{path}: `{part}` says nothing; name what it holds"));
        }
    }
    findings
}

fn door(text: &str) -> Vec<String> {
    let lines = text.lines().count();
    if lines <= 40 { Vec::new() } else { vec![format!("src/main.rs: {lines} lines, 40 is the most")] }
}

fn over_sources(rule: impl Fn(&str, &str) -> Vec<String>) {
    let findings: Vec<String> = sources("src").iter().flat_map(|file| rule(&file.path, &file.text)).collect();
    none(&findings);
}

#[test]
fn modules_import_from_lower_floors_only() {
    over_sources(imports);
}

#[test]
fn every_module_has_a_floor() {
    let text = read(&root().join("src/lib.rs"));
    let file = syn::parse_file(&text).unwrap();
    let modules = file.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) => Some(module.ident.to_string()),
        _ => None,
    });
    none(&modules.filter(|name| floor(name).is_none()).collect::<Vec<_>>());
}

#[test]
fn libraries_stay_behind_their_fences() {
    over_sources(fences);
}

#[test]
fn what_changes_aws_stands_in_write_files() {
    over_sources(mutations);
}

#[test]
fn every_file_says_why_it_exists() {
    over_sources(prologue);
}

#[test]
fn no_file_is_too_long() {
    over_sources(length);
}

#[test]
fn names_say_something() {
    over_sources(|path, _| names(path));
}

#[test]
fn the_binary_is_a_door() {
    none(&door(&read(&root().join("src/main.rs"))));
}

mod each_rule_can_fail {
    use super::*;

    #[test]
    fn imports_upwards_and_sideways() {
        assert_eq!(
            imports("src/theme.rs", "use crate::{stdx::text, logs, app::Model};"),
            ["src/theme.rs:1: theme (floor 2) imports logs", "src/theme.rs:1: theme (floor 2) imports app"]
        );
        assert_eq!(
            imports("src/sim/ecs.rs", "use crate::domain::scope::Scope;").len(),
            1,
            "sim knows stdx alone"
        );
        assert_eq!(imports("src/app/pane/logs.rs", "fn f() { super::super::super::cloud::ask() }").len(), 1);
        assert_eq!(imports("src/app/pane/logs.rs", "use super::super::world::World;").len(), 0);
        assert_eq!(imports("src/attic.rs", "").len(), 1, "a module without a floor");
        assert_eq!(imports("src/app.rs", "use crate::*;").len(), 1, "a glob hides what is imported");
    }

    #[test]
    fn fences_are_held() {
        assert_eq!(
            fences("src/app/world.rs", "use ratatui::text::Line;"),
            ["src/app/world.rs:1: ratatui is for view and runtime alone"]
        );
        assert_eq!(fences("src/app/edit.rs", "use ratatui_textarea::TextArea;").len(), 0);
        assert_eq!(fences("src/cli/verb.rs", "fn f() -> aws_sdk_ecs::Client { x }").len(), 1);
        assert_eq!(fences("src/cloud/ecs.rs", "use aws_sdk_ecs::Client;").len(), 0);
        assert_eq!(fences("src/view.rs", "use crossterm::event::Event;").len(), 1);
        assert_eq!(fences("src/runtime.rs", "fn f() { vec![clap::Command::new(\"x\")]; }").len(), 1);
    }

    #[test]
    fn mutations_outside_of_write_files() {
        let text = "async fn f(c: &Client) { c.update_service().cluster(\"x\").send().await; }";
        assert_eq!(
            mutations("src/cloud/ecs.rs", text),
            ["src/cloud/ecs.rs:1: update_service changes AWS; it belongs in a write.rs"]
        );
        assert!(mutations("src/cloud/ecs/write.rs", text).is_empty());
    }

    #[test]
    fn prologues_lengths_and_names() {
        assert_eq!(prologue("src/a.rs", "use std::fmt;").len(), 1);
        assert_eq!(prologue("src/a.rs", "//! Things.").len(), 1);
        assert_eq!(prologue("src/a.rs", "//! Why this file exists at all.").len(), 0);
        let long = "x\n".repeat(601);
        assert_eq!(length("src/a.rs", &long).len(), 1);
        assert_eq!(length("src/a/tests.rs", &long).len(), 0);
        assert_eq!(length("src/a.rs", &format!("#[cfg(test)]\nmod tests {{\n{long}}}")).len(), 0);
        assert_eq!(length("src/a.rs", &format!("#[cfg(test)]\nmod tests;\n{long}")).len(), 1);
        assert_eq!(names("src/app/mod.rs").len(), 1);
        assert_eq!(names("src/app/helpers/rows.rs").len(), 1);
        assert_eq!(names("src/app/manager.rs").len(), 1);
        assert_eq!(door(&"x\n".repeat(41)).len(), 1);
    }
}
