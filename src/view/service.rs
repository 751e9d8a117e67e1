//! One service: what is wrong, its deployments, its newest events, its configuration.
//!
//! Must show what AWS says in AWS's words, beside our judgement of it.

use crate::app::Model;
use crate::app::pane::PaneId;
use crate::domain::ecs::{Deployment, Service};
use crate::guard::WayBack;
use crate::stdx::rect::Rect;
use crate::stdx::{span, text};
use crate::theme::Role;
use crate::view::status;
use crate::view::widget::canvas::{Canvas, piece};
use crate::view::widget::document::Document;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let seen = model.subject.as_ref().and_then(|id| model.world.service(id));
    let Some(seen) = seen else {
        let lines = status::why_empty(model, PaneId::Service, "This service is not described yet.");
        super::overlay::sentences(canvas, area, &lines);
        return;
    };
    let service = &seen.value;
    let mut page = Document::default();
    if let Some(health) = model.world.services.get(&service.id).and_then(|row| row.judged()) {
        let (role, glyph) = status::severity(health.severity, canvas.theme());
        let since = health
            .since
            // A number and its unit stay on one line.
            .map_or_else(String::new, |at| span::brief(at.age_at(model.now.wall)).replace(' ', "\u{a0}"));
        let since = if since.is_empty() { since } else { format!("  for {since}") };
        page.line(vec![
            piece(format!("{glyph} {}", health.severity.word()), role),
            piece(format!("  {}", health.reason), Role::Text),
            piece(since, Role::Muted),
        ]);
    }
    counts(&mut page, model, service);
    numbers(&mut page, model, service);
    page.heading("Deployments");
    for deployment in &service.deployments {
        deployment_lines(&mut page, model, canvas, deployment);
    }
    page.heading("Newest events");
    if service.events.is_empty() {
        page.text("  none", Role::Muted);
    }
    for event in service.events.iter().take(6) {
        let (role, _) = status::severity(crate::diagnose::event_severity(&event.message), canvas.theme());
        let role = if role == Role::Ok { Role::Muted } else { role };
        let age = span::brief(event.at.age_at(model.now.wall));
        let says = piece(crate::diagnose::event_text(&event.message, &service.id.name), role);
        page.hanging(vec![piece(format!("  {} ", text::pad(&age, 7)), Role::Muted), says], 10);
    }
    configuration(&mut page, model, service);
    page.draw(canvas, area, model.service.top, PaneId::Service);
}

/// Whether there is something to roll back to, and whether a rollback pinned what runs.
fn way_back(page: &mut Document, model: &Model, service: &Service) {
    let definition = model.world.definition_of(service);
    if let Some(from) = definition.and_then(|definition| definition.pinned_from()) {
        page.field_in(
            "Pinned",
            format!("by a rollback, in the place of {from}: deploy --unpin returns to it"),
            Role::Badge,
        );
    }
    let (text, role) = match model.world.way_back(service) {
        WayBack::Unknown => return,
        WayBack::Ready(target) => {
            let age = target.deployed_at.map_or_else(String::new, |at| {
                format!(", deployed {} ago", span::brief(at.age_at(model.now.wall)))
            });
            (format!("ready: {} with {}{age}", target.revision, target.images.join(", ")), Role::Text)
        }
        WayBack::Nothing => {
            ("nothing is known that completed and differs from what runs".to_owned(), Role::Muted)
        }
    };
    page.field_in("Rollback", text, role);
}

fn counts(page: &mut Document, model: &Model, service: &Service) {
    let pending = if service.pending > 0 { format!(", {} pending", service.pending) } else { String::new() };
    page.field("Tasks", format!("{} of {} running{pending}", service.running, service.desired));
    page.field("Task definition", service.revision.to_string());
    way_back(page, model, service);
    page.field("Cluster", format!("{} in {}", service.id.cluster, service.id.scope.region));
    if service.status != "ACTIVE" {
        page.field_in("Status", service.status.clone(), Role::Warn);
    }
}

/// The numbers of the last three hours that were read.
fn numbers(page: &mut Document, model: &Model, service: &Service) {
    let subject = crate::diagnose::Subject::Service(service.id.clone());
    for (name, line) in super::databases::service_sparks(model, &subject) {
        let span = if line.role == Role::Stale { "" } else { " in 3 h" };
        page.field_in(&name, format!("{}{span}", line.text.replace(' ', "\u{a0}")), line.role);
    }
    let resource = format!("service/{}/{}", service.id.cluster, service.id.name);
    let targets = model.world.estate.targets.get(&service.id.scope).into_iter().flatten();
    for target in targets.filter(|target| target.resource == resource) {
        let at_most = service.desired >= target.max;
        let role = if at_most { Role::Warn } else { Role::Text };
        let says = if at_most { ": at its maximum" } else { "" };
        page.field_in("Scales", format!("{} to {} tasks{says}", target.min, target.max), role);
    }
}

fn deployment_lines(page: &mut Document, model: &Model, canvas: &Canvas<'_>, deployment: &Deployment) {
    let state = deployment.rollout_state.as_deref().unwrap_or("no rollout state");
    let role = match state {
        "COMPLETED" => Role::Ok,
        "FAILED" => Role::Critical,
        "IN_PROGRESS" => Role::Progress,
        _ => Role::Text,
    };
    let age = deployment
        .created_at
        .map_or_else(String::new, |at| format!("  begun {} ago", span::brief(at.age_at(model.now.wall))));
    let failed = if deployment.failed_tasks > 0 {
        format!("  {} failed in a row", deployment.failed_tasks)
    } else {
        String::new()
    };
    page.line(vec![
        piece(format!("  {} ", text::pad(&deployment.status, 8)), Role::Strong),
        piece(state.to_owned(), role),
        piece(format!("  {}/{}", deployment.running, deployment.desired), Role::Text),
        piece(format!("  {}", deployment.revision), Role::Text),
        piece(age, Role::Muted),
        piece(failed, Role::Warn),
    ]);
    if let Some(reason) = &deployment.rollout_reason
        && state != "COMPLETED"
    {
        let glyph = canvas.theme().glyphs.last_branch;
        page.line(vec![piece(format!("    {glyph} {reason}"), Role::Muted)]);
    }
}

fn configuration(page: &mut Document, model: &Model, service: &Service) {
    page.heading("Configuration");
    let rules = &service.deployment_configuration;
    let percent = |value: Option<u32>| value.map_or_else(|| "?".to_owned(), |v| format!("{v} %"));
    let strategy = rules.strategy.as_deref().unwrap_or("ROLLING").to_lowercase();
    page.field(
        "Rollout",
        format!(
            "{strategy}, at least {} healthy, at most {}",
            percent(rules.minimum_healthy_percent),
            percent(rules.maximum_percent)
        ),
    );
    page.field(
        "Circuit breaker",
        match &rules.circuit_breaker {
            Some(b) if b.enable && b.rollback => "on, rolls back",
            Some(b) if b.enable => "on, does not roll back",
            _ => "off",
        },
    );
    if !rules.alarms.is_empty() {
        page.field("Deploy alarms", rules.alarms.join(", "));
    }
    let capacity = if service.capacity.is_empty() {
        service.launch_type.clone().unwrap_or_else(|| "not stated".to_owned())
    } else {
        let shares: Vec<String> = service
            .capacity
            .iter()
            .map(|c| format!("{} (weight {}, base {})", c.provider, c.weight, c.base))
            .collect();
        shares.join(", ")
    };
    let platform =
        service.platform_version.as_deref().map_or_else(String::new, |v| format!(", platform {v}"));
    page.field("Capacity", format!("{capacity}{platform}"));
    for balancer in &service.load_balancers {
        let group = balancer.target_group_arn.as_deref().and_then(target_group).unwrap_or("load balancer");
        let port = balancer.port.map_or_else(String::new, |p| format!(":{p}"));
        let container = balancer.container.as_deref().unwrap_or("?");
        page.field("Target group", format!("{group} {} {container}{port}", model.theme.glyphs.arrow));
    }
    if let Some(grace) = service.health_check_grace_s {
        page.field("Health grace", format!("{grace} s"));
    }
    page.field(
        "ECS Exec",
        if service.exec_enabled { "enabled for tasks started from now on" } else { "not enabled" },
    );
    if !service.subnets.is_empty() {
        page.field("Subnets", service.subnets.join(" "));
    }
    if !service.security_groups.is_empty() {
        page.field("Security groups", service.security_groups.join(" "));
    }
    if let Some(public) = service.public_ip {
        page.field("Public address", if public { "yes" } else { "no" });
    }
    if let Some(controller) = service.controller.as_deref().filter(|c| *c != "ECS") {
        page.field_in("Controller", controller, Role::Warn);
    }
    if let Some(at) = service.created_at {
        let by = service.created_by.as_deref().map_or_else(String::new, |b| format!(" by {b}"));
        page.field("Created", format!("{}{by}", at.rfc3339()));
    }
    for (key, value) in &service.tags {
        page.field("Tag", format!("{key} = {value}"));
    }
    page.field("ARN", service.arn.clone());
}

/// The name inside `arn:…:targetgroup/NAME/ID`.
fn target_group(arn: &str) -> Option<&str> {
    arn.split("targetgroup/").nth(1)?.split('/').next()
}
