//! The task definition: containers, user, limits, root file system, health check, secrets by reference.
//!
//! Environment values are masked unless revealed; a secret's value is never known here.

use crate::app::Model;
use crate::app::pane::PaneId;
use crate::domain::scope::Arn;
use crate::domain::task_definition::{ContainerDefinition, TaskDefinition};
use crate::stdx::rect::Rect;
use crate::theme::Role;
use crate::view::status;
use crate::view::widget::canvas::{Canvas, piece};
use crate::view::widget::document::Document;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let found = model.subject.as_ref().and_then(|subject| {
        let arn = model.definition.shown(&model.world, Some(subject))?;
        model.world.definitions.get(&(subject.scope.clone(), arn))
    });
    let Some(definition) = found.and_then(|o| o.value.as_ref()) else {
        let lines = match found.and_then(|o| o.fault.as_ref()) {
            Some(fault) => status::fault_lines(fault),
            None => status::why_empty(model, PaneId::Definition, "This task definition is not known yet."),
        };
        super::overlay::sentences(canvas, area, &lines);
        return;
    };
    let page = document(definition, model.definition.revealed, model.theme.glyphs.arrow);
    page.draw(canvas, area, model.definition.scroll.top, PaneId::Definition);
}

fn document(definition: &TaskDefinition, revealed: bool, arrow: &str) -> Document {
    let mut page = Document::default();
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "not set".to_owned());
    let status_role = if definition.status == "ACTIVE" { Role::Ok } else { Role::Warn };
    page.line(vec![
        piece(definition.revision.to_string(), Role::Strong),
        piece(format!("  {}", definition.status), status_role),
    ]);
    page.field("CPU, memory", format!("{} units, {} MiB", or(&definition.cpu), or(&definition.memory)));
    let platform = match (&definition.operating_system, &definition.cpu_architecture) {
        (None, None) => "not set (Linux, x86_64)".to_owned(),
        (os, arch) => format!("{} {}", or(os), or(arch)),
    };
    page.field("Platform", platform);
    page.field("Network mode", or(&definition.network_mode));
    let role =
        |arn: &Option<String>| arn.as_deref().map_or_else(|| "none".to_owned(), |a| Arn::last(a).to_owned());
    page.field("Task role", role(&definition.task_role_arn));
    page.field("Execution role", role(&definition.execution_role_arn));
    if !definition.volumes.is_empty() {
        page.field("Volumes", definition.volumes.join(", "));
    }
    if let Some(at) = definition.registered_at {
        let by = definition.registered_by.as_deref().map_or_else(String::new, |b| format!(" by {b}"));
        page.field("Registered", format!("{}{by}", at.rfc3339()));
    }
    for container in &definition.containers {
        container_lines(&mut page, container, revealed, arrow);
    }
    page.gap();
    page.field("ARN", definition.arn.clone());
    for (key, value) in &definition.tags {
        page.field("Tag", format!("{key} = {value}"));
    }
    page
}

fn container_lines(page: &mut Document, container: &ContainerDefinition, revealed: bool, arrow: &str) {
    page.heading(format!(
        "Container {}{}",
        container.name,
        if container.essential { "" } else { "  (not essential)" }
    ));
    page.field("Image", container.image.clone());
    let limit = |value: Option<u32>| value.map_or_else(|| "none".to_owned(), |v| format!("{v} MiB"));
    page.field(
        "Limits",
        format!(
            "CPU {}, memory hard {}, soft {}",
            if container.cpu == 0 { "shared".to_owned() } else { container.cpu.to_string() },
            limit(container.memory),
            limit(container.memory_reservation)
        ),
    );
    match container.user.as_deref() {
        None | Some("") => page.field("User", "not set: the image's, often root"),
        Some("root" | "0" | "0:0") => page.field_in("User", "root", Role::Warn),
        Some(user) => page.field("User", user),
    }
    page.field("Root file system", if container.read_only_root { "read-only" } else { "writable" });
    if container.privileged {
        page.field_in("Privileged", "yes", Role::Warn);
    }
    if !container.ports.is_empty() {
        let ports: Vec<String> = container
            .ports
            .iter()
            .map(|p| {
                let number =
                    p.container_port.map_or_else(|| p.range.clone().unwrap_or_default(), |n| n.to_string());
                format!("{number}/{}", p.protocol)
            })
            .collect();
        page.field("Ports", ports.join(" "));
    }
    match &container.health_check {
        Some(check) => {
            page.field("Health check", check.command.join(" "));
            let s = |v: Option<u32>| v.map_or_else(|| "default".to_owned(), |v| v.to_string());
            page.field(
                "",
                format!(
                    "every {} s, times out after {} s, {} retries, grace {} s",
                    s(check.interval_s),
                    s(check.timeout_s),
                    s(check.retries),
                    s(check.start_period_s)
                ),
            );
        }
        None => page.field_in("Health check", "none", Role::Muted),
    }
    if !container.entry_point.is_empty() {
        page.field("Entry point", container.entry_point.join(" "));
    }
    if !container.command.is_empty() {
        page.field("Command", container.command.join(" "));
    }
    if let Some(log) = &container.log {
        let group = log.option("awslogs-group").unwrap_or("no group");
        let prefix =
            log.option("awslogs-stream-prefix").map_or_else(String::new, |p| format!(", prefix {p}"));
        page.field("Logs", format!("{} {group}{prefix}", log.driver));
    } else {
        page.field_in("Logs", "no log driver", Role::Muted);
    }
    for (on, condition) in &container.depends_on {
        page.field("Waits for", format!("{on} {condition}"));
    }
    if let Some(timeout) = container.stop_timeout_s {
        page.field("Stop timeout", format!("{timeout} s between SIGTERM and SIGKILL"));
    }
    for (name, soft, hard) in &container.ulimits {
        page.field("ulimit", format!("{name} {soft} to {hard}"));
    }
    for secret in container.references() {
        let from = piece(format!(" {arrow} {}", secret.value_from), Role::Muted);
        page.field_of("Secret", [piece(secret.name, Role::Strong), from]);
    }
    for (name, value) in &container.environment {
        let value = if revealed { value.clone() } else { "••••••".to_owned() };
        let value = piece(format!(" = {value}"), if revealed { Role::Text } else { Role::Faint });
        page.field_of("Environment", [piece(name.clone(), Role::Strong), value]);
    }
}
