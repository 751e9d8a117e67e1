//! What differs between two task definitions, field by field.
//!
//! Values of `environment` often hold secrets: only that one changed is said.

use std::collections::BTreeSet;

use crate::domain::plan::FieldChange;
use crate::domain::task_definition::{ContainerDefinition, TaskDefinition};

/// The differences.
pub(super) fn between(from: &TaskDefinition, to: &TaskDefinition) -> Vec<FieldChange> {
    let mut changes = Changes::default();
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let role = |arn: &Option<String>| {
        arn.as_deref()
            .map_or_else(|| "none".to_owned(), |arn| crate::domain::scope::Arn::last(arn).to_owned())
    };
    changes.field("cpu", or_none(&from.cpu), or_none(&to.cpu));
    changes.field("memory", or_none(&from.memory), or_none(&to.memory));
    changes.field("task role", role(&from.task_role_arn), role(&to.task_role_arn));
    changes.field("execution role", role(&from.execution_role_arn), role(&to.execution_role_arn));
    changes.field("network mode", or_none(&from.network_mode), or_none(&to.network_mode));
    changes.field("architecture", or_none(&from.cpu_architecture), or_none(&to.cpu_architecture));
    let names: BTreeSet<&str> =
        from.containers.iter().chain(&to.containers).map(|container| container.name.as_str()).collect();
    for name in names {
        let find = |of: &'_ TaskDefinition| of.containers.iter().position(|container| container.name == name);
        match (
            find(from).and_then(|at| from.containers.get(at)),
            find(to).and_then(|at| to.containers.get(at)),
        ) {
            (Some(from), Some(to)) => changes.container(name, from, to),
            (Some(_), None) => changes.field(&format!("container {name}"), "there".into(), "gone".into()),
            (None, Some(to)) => changes.field(&format!("container {name}"), "none".into(), to.image.clone()),
            (None, None) => {}
        }
    }
    changes.0
}

/// The same changes of several containers as one: `image of gateway and 6 more`.
pub(super) fn folded(changes: Vec<FieldChange>) -> Vec<FieldChange> {
    let mut found: Vec<(FieldChange, Vec<String>)> = Vec::new();
    for change in changes {
        // What belongs to one name of one container is told by that name: `secret of api: TOKEN`.
        let parts = change.field.split_once(" of ").filter(|(_, of)| !of.contains(": "));
        let same = |(known, _): &&mut (FieldChange, Vec<String>)| {
            let what = known.field.split_once(" of ").map(|(what, _)| what);
            parts.is_some()
                && what == parts.map(|(what, _)| what)
                && (&known.before, &known.after) == (&change.before, &change.after)
        };
        match (parts, found.iter_mut().find(same)) {
            (Some((_, of)), Some((_, more))) => more.push(of.to_owned()),
            _ => found.push((change, Vec::new())),
        }
    }
    let told = |(change, more): (FieldChange, Vec<String>)| match more.as_slice() {
        [] => change,
        [one] => FieldChange { field: format!("{} and {one}", change.field), ..change },
        several => FieldChange { field: format!("{} and {} more", change.field, several.len()), ..change },
    };
    found.into_iter().map(told).collect()
}

#[derive(Default)]
struct Changes(Vec<FieldChange>);

impl Changes {
    fn field(&mut self, field: &str, before: String, after: String) {
        if before != after {
            self.0.push(FieldChange::new(field, before, after));
        }
    }

    fn container(&mut self, name: &str, from: &ContainerDefinition, to: &ContainerDefinition) {
        let of = |what: &str| format!("{what} of {name}");
        self.field(&of("image"), from.image.clone(), to.image.clone());
        self.field(&of("cpu"), from.cpu.to_string(), to.cpu.to_string());
        let memory = |c: &ContainerDefinition| format!("{:?}/{:?}", c.memory, c.memory_reservation);
        if memory(from) != memory(to) {
            let mib = |c: &ContainerDefinition| {
                c.memory
                    .or(c.memory_reservation)
                    .map_or_else(|| "none".to_owned(), |mib| format!("{mib} MiB"))
            };
            self.field(&of("memory"), mib(from), mib(to));
        }
        self.field(&of("command"), from.command.join(" "), to.command.join(" "));
        let ports = |c: &ContainerDefinition| {
            let ports = c.ports.iter().filter_map(|p| p.container_port).map(|port| port.to_string());
            ports.collect::<Vec<_>>().join(", ")
        };
        self.field(&of("ports"), ports(from), ports(to));
        let health = |c: &ContainerDefinition| {
            c.health_check.as_ref().map_or_else(|| "none".to_owned(), |check| check.command.join(" "))
        };
        self.field(&of("health check"), health(from), health(to));
        self.named(&of("environment"), &from.environment, &to.environment, false);
        let secrets = |c: &ContainerDefinition| {
            c.references().map(|s| (s.name.to_owned(), s.value_from.to_owned())).collect::<Vec<_>>()
        };
        self.named(&of("secret"), &secrets(from), &secrets(to), true);
    }

    /// Names and values: shown, or only said to differ.
    fn named(&mut self, what: &str, from: &[(String, String)], to: &[(String, String)], shown: bool) {
        let names: BTreeSet<&String> = from.iter().chain(to).map(|(name, _)| name).collect();
        for name in names {
            let find =
                |list: &[(String, String)]| list.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
            let (before, after) = (find(from), find(to));
            if before == after {
                continue;
            }
            let told = |value: Option<String>, other: &str| match value {
                None => "none".to_owned(),
                Some(value) if shown => value,
                Some(_) => other.to_owned(),
            };
            self.field(&format!("{what}: {name}"), told(before, "a value"), told(after, "another value"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_change_of_several_containers_is_told_once() {
        let image =
            |container: &str, after: &str| FieldChange::new(format!("image of {container}"), "a", after);
        let told = |changes: Vec<FieldChange>| {
            folded(changes).into_iter().map(|change| change.field).collect::<Vec<String>>()
        };
        assert_eq!(
            told(vec![image("one", "b"), image("two", "c"), image("three", "b"), image("four", "b")]),
            ["image of one and 2 more", "image of two"]
        );
        assert_eq!(told(vec![image("one", "b"), image("two", "b")]), ["image of one and two"]);
        let variable =
            |name: &str| FieldChange::new(format!("environment of api: {name}"), "a value", "another value");
        assert_eq!(
            told(vec![variable("HOST"), variable("PORT")]),
            ["environment of api: HOST", "environment of api: PORT"],
            "which of them changed is what counts"
        );
    }
}
