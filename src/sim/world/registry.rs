//! The container registry as ECR shows it: repositories, and the images that stacks and pushes have brought.
//!
//! Must not decide what a tag means; `image::Registry` does.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::sim::stack::{ACCOUNT, Container, DeployHabit, Outcome, Stack, TaskDefinition};
use crate::sim::world::World;
use crate::sim::world::image::{self, digest};
use crate::stdx::clock::Wall;

/// An image of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `sha256:…`.
    pub digest: String,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// When it was pushed.
    pub pushed_at: Wall,
    /// Whether it was archived: it cannot be pulled then.
    pub archived: bool,
}

/// One use of a repository by a stack: what was deployed from it, newest first.
struct Deployed {
    tag: String,
    build: String,
    at: Wall,
    habit: DeployHabit,
    good: bool,
}

impl World {
    /// The account's repositories in a region, by name, with the instant of their creation.
    #[must_use]
    pub fn repositories(&self, region: &str) -> BTreeMap<String, Wall> {
        let mut found = BTreeMap::new();
        for stack in self.stacks.iter().filter(|stack| stack.region == region) {
            let mut deployed = self.deployed(stack, None);
            for container in stack.task_definitions.iter().flat_map(|definition| &definition.containers) {
                let image = stack.image(container);
                deployed.entry(image::repository(&image).to_owned()).or_default();
            }
            for (repository, uses) in deployed {
                let oldest = uses.last().map_or(self.opened, |oldest| oldest.at);
                if let Some(name) = own_name(&repository, region) {
                    let created = oldest.minus(Duration::from_secs(86_400));
                    let known = found.entry(name.to_owned()).or_insert(created);
                    *known = created.min(*known);
                }
            }
        }
        found
    }

    /// The images of a repository, newest first; `None` when there is no such repository.
    #[must_use]
    pub fn repository_images(&self, region: &str, name: &str) -> Option<Vec<Image>> {
        let full = format!("{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/{name}");
        let uses = |stack: &&Arc<Stack>| {
            let mut containers = stack.task_definitions.iter().flat_map(|definition| &definition.containers);
            stack.region == region && containers.any(|c| image::repository(&stack.image(c)) == full)
        };
        self.stacks.iter().find(uses)?;
        let mut images: BTreeMap<String, Image> = BTreeMap::new();
        for stack in self.stacks.iter().filter(|stack| stack.region == region) {
            for deployed in self.deployed(stack, Some(&full)).into_values().flatten() {
                // The pipeline pushes some minutes before it deploys.
                let at = deployed.at.minus(Duration::from_secs(200));
                if deployed.tag == "latest" {
                    let image = see(&mut images, digest(&full, &deployed.build), at);
                    if deployed.habit == DeployHabit::LatestAndSha {
                        image.tags.insert(deployed.build);
                    }
                } else {
                    see(&mut images, digest(&full, &deployed.tag), at).tags.insert(deployed.tag);
                }
            }
        }
        let registry = self.regions.get(region).map(|region| &region.images)?;
        for pushed in registry.pushed(&full) {
            see(&mut images, pushed.digest.clone(), pushed.at);
        }
        for (tag, digest) in registry.tags(&full) {
            for image in images.values_mut() {
                image.tags.remove(tag);
            }
            if let Some(image) = images.get_mut(digest) {
                image.tags.insert(tag.to_owned());
            }
        }
        for image in images.values_mut() {
            image.tags.retain(|tag| !registry.is_missing(&format!("{full}:{tag}")));
            image.archived = registry.is_archived(&image.digest);
        }
        let mut images: Vec<Image> =
            images.into_values().filter(|i| !registry.is_removed(&i.digest)).collect();
        images.sort_by_key(|image| (std::cmp::Reverse(image.pushed_at), image.digest.clone()));
        Some(images)
    }

    /// Whether an image that is named by its digest is there; registries of others hold everything.
    pub(crate) fn has_digest(&self, region: &str, image: &str) -> bool {
        let Some((_, digest)) = image.split_once('@') else { return true };
        own_name(image::repository(image), region).is_none_or(|name| {
            let images = self.repository_images(region, name);
            images.is_some_and(|images| images.iter().any(|image| image.digest == digest))
        })
    }

    /// What a stack has deployed from each repository, or from one, newest first. One pass: a fleet has
    /// thousands.
    fn deployed(&self, stack: &Arc<Stack>, only: Option<&str>) -> BTreeMap<String, Vec<Deployed>> {
        let families: HashMap<&str, &TaskDefinition> =
            stack.task_definitions.iter().map(|family| (family.family.as_str(), family)).collect();
        let mut all: BTreeMap<String, Vec<Deployed>> = BTreeMap::new();
        for service in &stack.services {
            let Some(family) = families.get(service.task_definition.as_str()) else { continue };
            // A container keeps its repository through all revisions.
            let wanted = |container: &Container| {
                only.is_none_or(|only| image::repository(&stack.image(container)) == only)
            };
            if !family.containers.iter().any(wanted) {
                continue;
            }
            for revision in family.revisions() {
                for container in revision.containers.iter().filter(|container| wanted(container)) {
                    let image = stack.image(container);
                    let uses = all.entry(image::repository(&image).to_owned()).or_default();
                    for deployment in service.deployments.iter().filter(|d| d.revision == revision.number) {
                        uses.push(Deployed {
                            tag: container.tag.clone(),
                            build: deployment.build.clone(),
                            at: self.opened.minus(deployment.age.0),
                            habit: service.habit,
                            good: deployment.outcome == Outcome::Successful,
                        });
                    }
                }
            }
        }
        for uses in all.values_mut() {
            uses.sort_by_key(|deployed| std::cmp::Reverse(deployed.at));
        }
        all
    }

    /// Points `:latest` of each repository at what was deployed last and stayed: a deployment that is forced
    /// without a push brings what already runs.
    pub(crate) fn tag_latest(&mut self, stack: &Arc<Stack>) {
        for (repository, uses) in self.deployed(stack, None) {
            let newest = uses.iter().find(|deployed| deployed.good && deployed.tag == "latest");
            if let (Some(newest), Some(region)) = (newest, self.regions.get_mut(&stack.region))
                && repository.starts_with(ACCOUNT)
            {
                region.images.tag(&format!("{repository}:latest"), digest(&repository, &newest.build));
            }
        }
    }

    /// Takes an image out of the registry for good, as a lifecycle policy does.
    pub fn remove_image(&mut self, region: &str, digest: &str) {
        if let Some(region) = self.regions.get_mut(region) {
            region.images.remove(digest);
        }
    }

    /// Archives an image: it is still listed, and cannot be pulled.
    pub fn archive_image(&mut self, region: &str, digest: &str) {
        if let Some(region) = self.regions.get_mut(region) {
            region.images.archive(digest);
        }
    }
}

/// The image of a digest, pushed at this instant or earlier.
fn see(images: &mut BTreeMap<String, Image>, digest: String, at: Wall) -> &mut Image {
    let new = Image { digest: digest.clone(), tags: BTreeSet::new(), pushed_at: at, archived: false };
    let image = images.entry(digest).or_insert(new);
    image.pushed_at = image.pushed_at.min(at);
    image
}

/// The repository's name, when it is the account's own in this region.
fn own_name<'a>(repository: &'a str, region: &str) -> Option<&'a str> {
    repository.strip_prefix(&format!("{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/"))
}
