//! What a service can return to: what its deployments of the last 90 days really ran.
//!
//! Must not propose what never completed, nor call a guess anything else.

use super::running::Running;
use crate::domain::action::Back;
use crate::domain::ecs::{RevisionImage, ServiceDeployment, ServiceId, ServiceRevision};
use crate::domain::plan::{Check, FieldChange, Finding, Target};
use crate::domain::query::{Answer, Query};
use crate::domain::registry::EcrImage;
use crate::domain::scope::Arn;
use crate::guard::check::short;
use crate::guard::draft::NoPlan;
use crate::guard::facts::{Facts, revisions_query};
use crate::stdx::clock::Wall;
use crate::stdx::span::brief;

use super::running;

/// Service revisions that are described at once.
const DESCRIBED: usize = 20;

/// One thing to return to.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::guard) struct Candidate {
    /// Its task definition: an ARN, or `family:number`.
    pub definition: String,
    /// The digests that ran.
    pub images: Vec<RevisionImage>,
    /// When its deployment was begun.
    pub begun_at: Option<Wall>,
    /// When its deployment ended well.
    pub deployed_at: Option<Wall>,
    /// When the next deployment replaced it.
    pub replaced_at: Option<Wall>,
    /// Where it comes from.
    pub origin: Origin,
    /// What runs now ran before it, too: somebody has already returned from it.
    pub left: bool,
}

/// Where a candidate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::guard) enum Origin {
    /// This deployment completed.
    Deployment(String),
    /// The operator named it.
    Named,
    /// The revision before, which may never have run.
    Guess,
}

pub(super) fn history(id: &ServiceId) -> Query {
    Query::ListServiceDeployments {
        scope: id.scope.clone(),
        cluster: id.cluster.clone(),
        service: id.name.clone(),
        page: None,
    }
}

/// The deployments that completed, newest first, each with when the one after it began.
fn completed(history: &[ServiceDeployment]) -> Vec<(&ServiceDeployment, Option<Wall>)> {
    let mut list: Vec<&ServiceDeployment> = history.iter().collect();
    list.sort_by_key(|deployment| std::cmp::Reverse(deployment.created_at));
    let mut after = None;
    let mut found = Vec::new();
    for deployment in list {
        if deployment.status == "SUCCESSFUL" {
            found.push((deployment, after));
        }
        after = deployment.created_at;
    }
    found
}

fn targets(id: &ServiceId, facts: &Facts) -> Vec<String> {
    let mut arns: Vec<String> = Vec::new();
    for (deployment, _) in completed(facts.deployments(&history(id))) {
        if let Some(arn) = deployment.target_revision_arn.clone().filter(|arn| !arns.contains(arn)) {
            arns.push(arn);
        }
    }
    arns
}

/// The questions about them.
fn questions(id: &ServiceId, facts: &Facts) -> Vec<Query> {
    targets(id, facts).chunks(DESCRIBED).map(|some| revisions_query(id, some)).collect()
}

/// What to ask to know the candidates.
pub(super) fn wants(id: &ServiceId, facts: &Facts) -> Vec<Query> {
    let mut wants = vec![history(id)];
    wants.extend(questions(id, facts));
    wants
}

/// All that completed and differs from what runs, newest first.
pub(super) fn candidates(running: &Running<'_>, facts: &Facts) -> Vec<Candidate> {
    let id = &running.service.id;
    let arns = targets(id, facts);
    let revisions: Vec<&ServiceRevision> =
        arns.chunks(DESCRIBED).flat_map(|some| facts.revisions(id, some)).collect();
    let find = |arn: &str| revisions.iter().copied().find(|revision| revision.arn == arn);
    of(running, facts.deployments(&history(id)), find)
}

/// The same, of a history and the revisions that are found of it.
pub(super) fn of<'r>(
    running: &Running<'_>,
    history: &[ServiceDeployment],
    find: impl Fn(&str) -> Option<&'r ServiceRevision>,
) -> Vec<Candidate> {
    let mut list: Vec<Candidate> = Vec::new();
    for (deployment, replaced_at) in completed(history) {
        let Some(revision) = deployment.target_revision_arn.as_deref().and_then(&find) else { continue };
        let candidate = Candidate {
            definition: revision.revision.to_string(),
            images: revision.images.clone(),
            begun_at: deployment.created_at,
            deployed_at: deployment.finished_at.or(deployment.created_at),
            replaced_at,
            origin: Origin::Deployment(deployment.arn.clone()),
            left: false,
        };
        if candidate.runs(running) {
            // All that was deployed since, and is not what runs, was left again for it.
            list.iter_mut().for_each(|newer| newer.left = true);
        }
        let known = list.iter().any(|known| known.is_same(&candidate));
        if !known && candidate.differs(running) {
            list.push(candidate);
        }
    }
    list
}

/// The one that was asked for.
pub(super) fn chosen(running: &Running<'_>, to: &Back, facts: &Facts) -> Result<Candidate, NoPlan> {
    let all = candidates(running, facts);
    let service = running.service;
    match to {
        Back::Usual => {
            let left = all.iter().find(|candidate| candidate.left).cloned();
            match (all.into_iter().find(|candidate| !candidate.left), left) {
                (Some(newest), _) => Ok(newest),
                (None, Some(left)) => Err(NoPlan::Refused(format!(
                    "what runs is what ran before {}, from which it was returned, and nothing older is known: name what to run, with --to-deployment or --to-revision",
                    left.definition
                ))),
                (None, None) => guess(running, facts),
            }
        }
        Back::Deployment(text) => {
            let named = |candidate: &Candidate| match &candidate.origin {
                Origin::Deployment(arn) => arn == text || Arn::last(arn) == text,
                _ => false,
            };
            let known: Vec<String> = all.iter().filter_map(Candidate::deployment).collect();
            all.into_iter().find(named).ok_or_else(|| {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                NoPlan::Refused(format!(
                    "no deployment {text} that completed and differs is among the newest {}; there are: {known}",
                    facts.deployments(&history(&service.id)).len()
                ))
            })
        }
        Back::Digest(text) => {
            let wanted = text.strip_prefix("sha256:").unwrap_or(text);
            if wanted.len() < 6 || !wanted.chars().all(|c| c.is_ascii_hexdigit()) {
                return Err(NoPlan::Refused(format!(
                    "`{text}` is no digest: write sha256:… or its first characters"
                )));
            }
            let has = |image: &RevisionImage| {
                image
                    .digest
                    .as_deref()
                    .and_then(|d| d.strip_prefix("sha256:"))
                    .is_some_and(|d| d.starts_with(wanted))
            };
            let mut found = all.into_iter().filter(|candidate| candidate.images.iter().any(has));
            found.next().ok_or_else(|| {
                NoPlan::Refused(format!(
                    "of the newest {} deployments, none that completed ran {text} and differs from what runs",
                    facts.deployments(&history(&service.id)).len()
                ))
            })
        }
        Back::Revision(text) => {
            let name = running::named(service, text)?;
            let short = crate::domain::ecs::Revision::of(&name).to_string();
            if short == service.revision.to_string() {
                let why = format!("{short} runs now: name the deployment or the digest to return to");
                return Err(NoPlan::Refused(why));
            }
            // What it ran as, when it is known.
            let known = all.into_iter().find(|candidate| candidate.definition == short);
            Ok(Candidate {
                definition: name,
                origin: Origin::Named,
                ..known.unwrap_or(Candidate {
                    definition: String::new(),
                    images: Vec::new(),
                    begun_at: None,
                    deployed_at: None,
                    replaced_at: None,
                    origin: Origin::Named,
                    left: false,
                })
            })
        }
    }
}

/// Why some of what was asked for is not known.
pub(super) fn unread(query: &Query, facts: &Facts) -> Option<String> {
    match (facts.answer(query), facts.fault(query)) {
        (_, Some(fault)) => Some(fault.to_string()),
        (Some(Answer::Revisions { failures, .. }), _) => {
            failures.first().map(|failure| failure.reason.clone())
        }
        _ => None,
    }
}

/// Whether what runs is itself what was returned to, so that this would go one further back.
pub(super) fn further_back(
    id: &ServiceId,
    candidates: &[Candidate],
    facts: &Facts,
    now: Wall,
) -> Option<Check> {
    let name = "way back";
    let newest = facts.deployments(&history(id)).iter().max_by_key(|d| d.created_at);
    if let Some(deployment) = newest.filter(|deployment| deployment.status == "ROLLBACK_SUCCESSFUL") {
        let age =
            deployment.finished_at.map_or_else(String::new, |at| format!(" {} ago", brief(at.age_at(now))));
        let why = format!(
            "ECS rolled the last deployment back{age}: what runs is what ran before it, and this goes further back"
        );
        return Some(Check::new(name, Finding::Warn, why));
    }
    let left = candidates.iter().find(|candidate| candidate.left)?;
    let why = format!(
        "what runs is what ran before {}, from which it was returned: this goes further back",
        left.definition
    );
    Some(Check::new(name, Finding::Warn, why))
}

/// The revision before, when nothing better is known.
fn guess(running: &Running<'_>, facts: &Facts) -> Result<Candidate, NoPlan> {
    let service = running.service;
    let revision = &service.revision;
    if let Some(fault) = facts.fault(&history(&service.id)) {
        let why =
            format!("the deployment history could not be read ({fault}): name a revision with --to-revision");
        return Err(NoPlan::Failed(why));
    }
    if let Some(why) = questions(&service.id, facts).iter().find_map(|query| unread(query, facts)) {
        let why = format!("what ran before could not be read ({why}): name a revision with --to-revision");
        return Err(NoPlan::Failed(why));
    }
    if revision.number < 2 {
        return Err(NoPlan::Refused(format!("nothing is known that ran before {revision}")));
    }
    Ok(Candidate {
        definition: format!("{}:{}", revision.family, revision.number - 1),
        images: Vec::new(),
        begun_at: None,
        deployed_at: None,
        replaced_at: None,
        origin: Origin::Guess,
        left: false,
    })
}

/// What containers ran, those of one image together: `gateway and 6 more latest@c2756db8756e`.
fn codes(images: &[RevisionImage]) -> Vec<String> {
    let mut found: Vec<(String, Vec<&str>)> = Vec::new();
    for image in images {
        let tag = EcrImage::parse(&image.image).and_then(|parsed| parsed.tag);
        let tag = tag.map_or_else(String::new, |tag| format!("{tag}@"));
        let code = image.digest.as_deref().map(|digest| format!("{tag}{}", short(digest)));
        let code = code.unwrap_or_else(|| image.image.clone());
        match found.iter_mut().find(|(known, _)| *known == code) {
            Some((_, containers)) => containers.push(&image.container),
            None => found.push((code, vec![&image.container])),
        }
    }
    let told = |(code, containers): (String, Vec<&str>)| match containers.as_slice() {
        [first, _, _, ..] => format!("{first} and {} more {code}", containers.len() - 1),
        few => format!("{} {code}", few.join(" and ")),
    };
    found.into_iter().map(told).collect()
}

impl Candidate {
    /// The digest that a container ran.
    pub fn digest(&self, container: &str) -> Option<&str> {
        self.images.iter().find(|image| image.container == container)?.digest.as_deref()
    }

    fn deployment(&self) -> Option<String> {
        match &self.origin {
            Origin::Deployment(arn) => Some(Arn::last(arn).to_owned()),
            _ => None,
        }
    }

    fn digests(images: &[RevisionImage]) -> Vec<(&str, &str)> {
        let mut digests: Vec<(&str, &str)> = images
            .iter()
            .map(|image| (image.container.as_str(), image.digest.as_deref().unwrap_or(image.image.as_str())))
            .collect();
        digests.sort_unstable();
        digests
    }

    /// As a plan lists it.
    pub fn target(&self) -> Target {
        Target {
            deployment: self.deployment(),
            revision: self.definition.clone(),
            images: codes(&self.images),
            begun_at: self.begun_at,
            deployed_at: self.deployed_at,
            chosen: false,
        }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.definition == other.definition && Self::digests(&self.images) == Self::digests(&other.images)
    }

    /// Whether it is the code that runs now.
    fn runs(&self, running: &Running<'_>) -> bool {
        match running.revision {
            Some(revision) => Self::digests(&revision.images) == Self::digests(&self.images),
            None => self.definition == running.service.revision.to_string(),
        }
    }

    /// Whether it is something else than what runs: other digests, or another revision that is not its pin.
    fn differs(&self, running: &Running<'_>) -> bool {
        let other_revision = self.definition != running.service.revision.to_string();
        let pinned_from = running.definition.and_then(|definition| definition.pinned_from());
        match running.revision.map(|revision| Self::digests(&revision.images) == Self::digests(&self.images))
        {
            Some(true) => other_revision && pinned_from != Some(self.definition.as_str()),
            Some(false) => true,
            None => other_revision,
        }
    }

    /// The digests that change, for a preview.
    pub(super) fn changes(&self, running: &Running<'_>) -> Vec<FieldChange> {
        let changed = |image: &RevisionImage| {
            let digest = image.digest.as_deref()?;
            let now = running.digest(&image.container);
            (now != Some(digest)).then(|| {
                let now = now.map_or_else(|| "an unknown digest".to_owned(), |now| short(now).to_owned());
                FieldChange::new(format!("digest of {}", image.container), now, short(digest))
            })
        };
        self.images.iter().filter_map(changed).collect()
    }

    /// What it is, in a sentence.
    pub fn told(&self, now: Wall) -> String {
        match (&self.origin, self.deployed_at) {
            (Origin::Deployment(arn), Some(at)) => format!(
                "it returns to {} of deployment {}, which completed {} ago",
                self.definition,
                Arn::last(arn),
                brief(at.age_at(now))
            ),
            (Origin::Deployment(arn), None) => {
                format!("it returns to {} of deployment {}", self.definition, Arn::last(arn))
            }
            (Origin::Named, Some(at)) => {
                format!("it returns to {}, which was deployed {} ago", self.definition, brief(at.age_at(now)))
            }
            (Origin::Named, None) => {
                format!("it returns to {}, of which no deployment is known", self.definition)
            }
            (Origin::Guess, _) => format!("it returns to {}, the revision before: a guess", self.definition),
        }
    }

    /// Whether the choice rests on anything.
    pub fn check(&self) -> Check {
        let name = "target";
        match &self.origin {
            Origin::Deployment(_) => Check::new(name, Finding::Pass, "its deployment completed"),
            Origin::Named if self.deployed_at.is_some() => {
                Check::new(name, Finding::Pass, "you named it, and its deployment completed")
            }
            Origin::Named => Check::new(
                name,
                Finding::Warn,
                "you named it; no deployment of it that completed is known, so it may never have run",
            ),
            Origin::Guess => Check::new(
                name,
                Finding::Warn,
                "a guess: no deployment that completed and differs is known, and this revision may never have run",
            ),
        }
    }
}
