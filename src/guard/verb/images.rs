//! Whether the code that would start is still where it is pulled from.
//!
//! Must not resolve a tag where the digest is known: tasks of a deployment start what it resolved.

use crate::domain::ecs::RevisionImage;
use crate::domain::plan::{Check, Finding};
use crate::domain::query::Query;
use crate::domain::registry::{EcrImage, ImageName};
use crate::domain::scope::Scope;
use crate::domain::task_definition::{ContainerDefinition, TaskDefinition};
use crate::guard::check::{self, InRegistry, short};
use crate::guard::facts::Facts;

/// What is asked of the registry about a container: by the digest that was resolved, else by what it names.
fn name<'c>(
    container: &'c ContainerDefinition,
    resolved: &[RevisionImage],
) -> Option<(EcrImage<'c>, ImageName)> {
    let image = EcrImage::parse(&container.image)?;
    let known = resolved.iter().find(|image| image.container == container.name);
    let name = image.name(known.and_then(|image| image.digest.as_deref()));
    Some((image, name))
}

/// What to ask.
pub(super) fn queries(scope: &Scope, definition: &TaskDefinition, resolved: &[RevisionImage]) -> Vec<Query> {
    let named = definition.containers.iter().filter_map(|container| name(container, resolved));
    named.map(|(image, name)| check::image_query(scope, &image, name)).collect()
}

/// What came of it.
pub(super) fn checks(
    scope: &Scope,
    definition: &TaskDefinition,
    resolved: &[RevisionImage],
    facts: &Facts,
) -> Vec<Check> {
    let of = |container: &ContainerDefinition| {
        let title = format!("image of {}", container.name);
        let Some((image, name)) = name(container, resolved) else {
            let why = format!("{} is not in ECR: whether it can still be pulled is unknown", container.image);
            return Check::new(title, Finding::NotVerified, why);
        };
        let said = match &name {
            ImageName::Tag(tag) => format!("{}:{tag}", image.repository),
            ImageName::Digest(digest) => format!("{}@{}", image.repository, short(digest)),
        };
        match check::image(facts, &check::image_query(scope, &image, name)) {
            InRegistry::Found(found) => match found.status.as_deref() {
                None | Some("ACTIVE") => Check::new(title, Finding::Pass, format!("{said} is in ECR")),
                Some(status) => {
                    let why = format!("{said} is {status} in ECR: no new task could start");
                    Check::new(title, Finding::Block, why)
                }
            },
            InRegistry::Gone => check::missing(title, &said, image.repository),
            InRegistry::Unread(fault) => {
                let why = fault.map_or_else(|| "ECR was not asked".to_owned(), ToString::to_string);
                Check::new(title, Finding::NotVerified, format!("{said}: {why}"))
            }
        }
    };
    definition.containers.iter().map(of).collect()
}
