//! The container registry: which digest a tag points at now, and how the code behind a digest behaves.
//!
//! Must not know tasks. A deployment resolves tags once; later pushes change nothing for it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::sim::stack::ACCOUNT;
use crate::stdx::clock::Wall;

/// What a container built from an image does once it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// It works.
    #[default]
    Healthy,
    /// It exits by itself.
    Crash {
        /// After running for so long.
        after: Duration,
        /// With this exit code.
        exit_code: i32,
        /// Having written this to its log.
        text: Option<String>,
    },
    /// It is killed for memory after running for so long.
    OutOfMemory {
        /// How long that takes.
        after: Duration,
    },
    /// It runs, but its container health check fails.
    FailsContainerCheck,
    /// It runs, but the load balancer's health check fails.
    FailsTargetCheck,
    /// It runs, but answers the load balancer's health check with this status.
    AnswersCheck(u16),
    /// The platform cannot start it; the text is what AWS reports.
    CannotStart {
        /// `stoppedReason`.
        reason: String,
    },
}

/// An image as a deployment uses it: the tag resolved, once for all tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The container's name.
    pub container: String,
    /// The image as the task definition writes it.
    pub image: String,
    /// `sha256:…`, or `None` when it could not be resolved.
    pub digest: Option<String>,
}

/// The registry of one region.
#[derive(Debug, Default)]
pub struct Registry {
    tags: HashMap<String, String>,
    missing: HashSet<String>,
    behaviours: HashMap<String, Behaviour>,
    pushed: Vec<Pushed>,
    archived: HashSet<String>,
    removed: HashSet<String>,
}

/// A push since the world opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// `registry/repository`.
    pub repository: String,
    /// What the tag points at since then.
    pub digest: String,
    /// When.
    pub at: Wall,
}

impl Registry {
    /// Points a tag (`registry/repository:tag`) at what was built from `build`.
    pub fn push(&mut self, image: &str, build: &str, behaviour: Behaviour) -> String {
        let digest = digest(repository(image), build);
        self.missing.remove(image);
        self.removed.remove(&digest);
        self.behaviours.insert(digest.clone(), behaviour);
        self.tags.insert(image.to_owned(), digest.clone());
        digest
    }

    /// Remembers when something was pushed.
    pub fn note(&mut self, image: &str, digest: &str, at: Wall) {
        let repository = repository(image).to_owned();
        self.pushed.push(Pushed { repository, digest: digest.to_owned(), at });
    }

    /// What was pushed to a repository since the world opened, oldest first.
    pub fn pushed<'a>(&'a self, repository: &'a str) -> impl Iterator<Item = &'a Pushed> {
        self.pushed.iter().filter(move |pushed| pushed.repository == repository)
    }

    /// Points a tag at an image that is there already.
    pub fn tag(&mut self, image: &str, digest: String) {
        self.tags.insert(image.to_owned(), digest);
    }

    /// The tags of a repository that point somewhere, with the digest.
    pub fn tags<'a>(&'a self, repository: &'a str) -> impl Iterator<Item = (&'a str, &'a String)> {
        self.tags
            .iter()
            .filter(move |(image, _)| self::repository(image) == repository)
            .map(|(image, digest)| (tag(image), digest))
    }

    /// Whether a tag was taken away.
    #[must_use]
    pub fn is_missing(&self, image: &str) -> bool {
        self.missing.contains(image)
    }

    /// Archives an image.
    pub fn archive(&mut self, digest: &str) {
        self.archived.insert(digest.to_owned());
    }

    /// Whether an image is archived.
    #[must_use]
    pub fn is_archived(&self, digest: &str) -> bool {
        self.archived.contains(digest)
    }

    /// Takes an image away, with its tags.
    pub fn remove(&mut self, digest: &str) {
        let tags: Vec<String> =
            self.tags.iter().filter(|(_, known)| *known == digest).map(|(image, _)| image.clone()).collect();
        for image in tags {
            self.delete(&image);
        }
        self.removed.insert(digest.to_owned());
    }

    /// Whether an image was taken away.
    #[must_use]
    pub fn is_removed(&self, digest: &str) -> bool {
        self.removed.contains(digest)
    }

    /// Says how the code behind a digest behaves from the next start on.
    pub fn set_behaviour(&mut self, digest: &str, behaviour: Behaviour) {
        self.behaviours.insert(digest.to_owned(), behaviour);
    }

    /// Takes a tag away, as a lifecycle policy or a person does.
    pub fn delete(&mut self, image: &str) {
        self.tags.remove(image);
        self.missing.insert(image.to_owned());
    }

    /// The digest that an image reference means now. `known` says whether the tag ever existed.
    #[must_use]
    pub fn resolve(&self, image: &str, known: bool) -> Option<String> {
        if let Some((_, digest)) = image.split_once('@') {
            return Some(digest.to_owned());
        }
        if self.missing.contains(image) {
            return None;
        }
        if let Some(digest) = self.tags.get(image) {
            return Some(digest.clone());
        }
        // Registries of others hold everything; our own only what was pushed.
        (known || !is_own(image)).then(|| digest(repository(image), tag(image)))
    }

    /// How the code behind a digest behaves.
    #[must_use]
    pub fn behaviour(&self, digest: &str) -> Behaviour {
        self.behaviours.get(digest).cloned().unwrap_or_default()
    }
}

/// Whether the image lives in the account's own registry.
fn is_own(image: &str) -> bool {
    image.starts_with(ACCOUNT)
}

/// `registry/repository` of an image reference.
#[must_use]
pub fn repository(image: &str) -> &str {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

/// The tag of an image reference; `latest` when none is written.
#[must_use]
pub fn tag(image: &str) -> &str {
    match image.rsplit_once(':') {
        Some((_, tag)) if !tag.contains('/') => tag,
        _ => "latest",
    }
}

/// The digest of what was built from `build` in this repository: the same for every tag put on it.
#[must_use]
pub fn digest(repository: &str, build: &str) -> String {
    use std::fmt::Write as _;
    let mut seed = 0xcbf2_9ce4_8422_2325_u64;
    for byte in repository.bytes().chain([0]).chain(build.bytes()) {
        seed = (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut text = String::with_capacity(71);
    text.push_str("sha256:");
    for _ in 0..4 {
        let _ = write!(text, "{:016x}", dice.u64(..));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/api:latest";

    #[test]
    fn a_tag_means_what_was_pushed_last() {
        let mut registry = Registry::default();
        assert_eq!(registry.resolve(IMAGE, false), None);
        let first = registry.push(IMAGE, "aaa", Behaviour::Healthy);
        let second = registry.push(IMAGE, "bbb", Behaviour::FailsContainerCheck);
        assert_ne!(first, second);
        assert_eq!(registry.resolve(IMAGE, false), Some(second.clone()));
        assert_eq!(registry.behaviour(&second), Behaviour::FailsContainerCheck);
        registry.delete(IMAGE);
        assert_eq!(registry.resolve(IMAGE, true), None);
    }

    #[test]
    fn two_tags_on_one_build_share_its_digest() {
        let mut registry = Registry::default();
        let sha = registry.push(&IMAGE.replace("latest", "4f2c1d9"), "4f2c1d9", Behaviour::Healthy);
        assert_eq!(registry.push(IMAGE, "4f2c1d9", Behaviour::Healthy), sha);
    }

    #[test]
    fn image_references_are_taken_apart() {
        assert_eq!(
            (repository("localhost:5000/a/b"), tag("localhost:5000/a/b")),
            ("localhost:5000/a/b", "latest")
        );
        assert_eq!((repository(IMAGE).ends_with("/api"), tag(IMAGE)), (true, "latest"));
        assert_eq!(Registry::default().resolve("a@sha256:00", false).as_deref(), Some("sha256:00"));
    }
}
