//! Lists that AWS pages and then describes in batches, as one pure machine: which request comes next, what
//! was seen, what failed, whether it is complete.
//!
//! The console and the headless verbs both drive it; it performs nothing itself and never trusts AWS to stop
//! paging (a repeated token ends the list as partial).

use std::collections::HashSet;

use crate::domain::fault::{Failure, Fault, FaultKind};
use crate::domain::query::{Answer, PageToken, Query};
use crate::domain::scope::{Arn, Scope};

/// How many names one describe call takes.
pub const SERVICES_PER_CALL: usize = 10;
/// How many names one describe call takes.
pub const TASKS_PER_CALL: usize = 100;
/// How many names one describe call takes.
pub const CLUSTERS_PER_CALL: usize = 100;
/// How many ARNs one describe call takes.
pub const DEPLOYMENTS_PER_CALL: usize = 20;
/// How many ARNs one describe call takes.
pub const REVISIONS_PER_CALL: usize = 20;
/// How many ARNs one describe call takes.
pub const TARGET_GROUPS_PER_CALL: usize = 20;
/// How many queries one `GetMetricData` takes.
pub const METRICS_PER_CALL: usize = 500;

/// What a sweep wants to know completely.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Goal {
    /// Every cluster of a scope.
    Clusters { scope: Scope },
    /// Every service of a cluster.
    Services { scope: Scope, cluster: String },
    /// The tasks of a service (or of the cluster), running or stopped.
    Tasks { scope: Scope, cluster: String, service: Option<String>, stopped: bool },
    /// The 90-day deployment history of a service.
    Deployments { scope: Scope, cluster: String, service: String },
    /// All pages of a list whose items need no describing, from its first request on.
    Pages(Box<Query>),
}

/// A sweep under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    goal: Goal,
    /// All that was listed, in AWS's order.
    pub listed: Vec<String>,
    /// How many of them have been described, found or failed.
    pub described: usize,
    /// Requests that have not been answered.
    pub outstanding: usize,
    /// Per-item failures.
    pub failures: Vec<Failure>,
    /// Requests that failed for good.
    pub faults: Vec<Fault>,
    listing: bool,
    /// How many more pages may be asked for.
    pages_left: usize,
    seen: HashSet<PageToken>,
}

impl Sweep {
    /// A sweep and its first request.
    #[must_use]
    pub fn start(goal: Goal) -> (Self, Query) {
        let first = goal.list(None);
        let sweep = Self {
            goal,
            listed: Vec::new(),
            described: 0,
            outstanding: 1,
            failures: Vec::new(),
            faults: Vec::new(),
            listing: true,
            pages_left: usize::MAX,
            seen: HashSet::new(),
        };
        (sweep, first)
    }

    /// A sweep of a list that is told newest first and has no useful end: it stops after so many pages.
    #[must_use]
    pub fn newest(first: Query, pages: usize) -> (Self, Query) {
        let (sweep, first) = Self::start(Goal::Pages(Box::new(first)));
        (Self { pages_left: pages.saturating_sub(1), ..sweep }, first)
    }

    /// What it wants.
    #[must_use]
    pub fn goal(&self) -> &Goal {
        &self.goal
    }

    /// Takes the outcome of one of its requests and says what to ask next: describe batches for what was
    /// listed first, then the next page, so that the first screenful has its status earliest.
    pub fn absorb(&mut self, query: &Query, outcome: &Result<Answer, Fault>) -> Vec<Query> {
        self.outstanding = self.outstanding.saturating_sub(1);
        let is_list = self.goal.is_list(query);
        let next = match outcome {
            Err(fault) => {
                if is_list {
                    self.listing = false;
                }
                self.faults.push(fault.clone());
                Vec::new()
            }
            Ok(answer) if matches!(self.goal, Goal::Pages(_)) && is_list => {
                let keys = answer.keys();
                self.described += keys.len();
                self.absorb_page(keys, answer.next())
            }
            Ok(Answer::Names { names, next }) if is_list => self.absorb_page(names.clone(), next.as_ref()),
            Ok(Answer::Deployments { found, next, .. }) if is_list => {
                self.absorb_page(found.iter().map(|d| d.arn.clone()).collect(), next.as_ref())
            }
            Ok(Answer::Clusters { found, failures }) => self.absorb_batch(found.len(), failures),
            Ok(Answer::Services { found, failures }) => self.absorb_batch(found.len(), failures),
            Ok(Answer::Tasks { found, failures }) => self.absorb_batch(found.len(), failures),
            Ok(Answer::Deployments { found, failures, .. }) => self.absorb_batch(found.len(), failures),
            Ok(_) => {
                self.faults
                    .push(Fault::new(FaultKind::Garbled, "an answer of another kind than the question"));
                Vec::new()
            }
        };
        self.outstanding += next.len();
        next
    }

    fn absorb_page(&mut self, names: Vec<String>, next: Option<&PageToken>) -> Vec<Query> {
        let mut queries = self.goal.describe(&names);
        self.listed.extend(names);
        match next {
            None => self.listing = false,
            Some(_) if self.pages_left == 0 => {}
            Some(token) if self.seen.insert(token.clone()) => {
                self.pages_left -= 1;
                queries.push(self.goal.list(Some(token.clone())));
            }
            Some(_) => {
                self.listing = false;
                self.faults.push(Fault::new(
                    FaultKind::Garbled,
                    "AWS returned the same page token twice, so the list may be incomplete",
                ));
            }
        }
        queries
    }

    fn absorb_batch(&mut self, found: usize, failures: &[Failure]) -> Vec<Query> {
        self.described += found + failures.len();
        self.failures.extend_from_slice(failures);
        Vec::new()
    }

    /// Whether the list itself is known to its end (its items may still be undescribed).
    #[must_use]
    pub fn is_listed(&self) -> bool {
        !self.listing
    }

    /// Whether nothing more will come.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.outstanding == 0
    }

    /// Whether all that exists was seen and described.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_done()
            && self.faults.is_empty()
            && self.failures.is_empty()
            && self.described >= self.listed.len()
    }
}

impl Goal {
    /// Where it asks.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        match self {
            Self::Clusters { scope }
            | Self::Services { scope, .. }
            | Self::Tasks { scope, .. }
            | Self::Deployments { scope, .. } => scope,
            Self::Pages(first) => first.scope(),
        }
    }

    fn list(&self, page: Option<PageToken>) -> Query {
        match self.clone() {
            Self::Clusters { scope } => Query::ListClusters { scope, page },
            Self::Services { scope, cluster } => Query::ListServices { scope, cluster, page },
            Self::Tasks { scope, cluster, service, stopped } => {
                Query::ListTasks { scope, cluster, service, stopped, page }
            }
            Self::Deployments { scope, cluster, service } => {
                Query::ListServiceDeployments { scope, cluster, service, page }
            }
            Self::Pages(first) => match page {
                Some(token) => first.turned_to(token).unwrap_or(*first),
                None => *first,
            },
        }
    }

    fn is_list(&self, query: &Query) -> bool {
        if let Self::Pages(first) = self {
            return query.action() == first.action();
        }
        matches!(
            (self, query),
            (Self::Clusters { .. }, Query::ListClusters { .. })
                | (Self::Services { .. }, Query::ListServices { .. })
                | (Self::Tasks { .. }, Query::ListTasks { .. })
                | (Self::Deployments { .. }, Query::ListServiceDeployments { .. })
        )
    }

    fn describe(&self, names: &[String]) -> Vec<Query> {
        match self {
            Self::Clusters { scope } => names
                .chunks(CLUSTERS_PER_CALL)
                .map(|c| Query::DescribeClusters { scope: scope.clone(), clusters: c.to_vec() })
                .collect(),
            Self::Services { scope, cluster } => names
                .chunks(SERVICES_PER_CALL)
                .map(|c| Query::DescribeServices {
                    scope: scope.clone(),
                    cluster: cluster.clone(),
                    services: c.iter().map(|arn| Arn::last(arn).to_owned()).collect(),
                })
                .collect(),
            Self::Tasks { scope, cluster, .. } => names
                .chunks(TASKS_PER_CALL)
                .map(|c| Query::DescribeTasks {
                    scope: scope.clone(),
                    cluster: cluster.clone(),
                    tasks: c.to_vec(),
                })
                .collect(),
            Self::Deployments { scope, .. } => names
                .chunks(DEPLOYMENTS_PER_CALL)
                .map(|c| Query::DescribeServiceDeployments { scope: scope.clone(), arns: c.to_vec() })
                .collect(),
            Self::Pages(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::StoredParameter;
    use proptest::prelude::*;

    fn scope() -> Scope {
        Scope::new("default", "eu-west-2")
    }

    /// Answers a cluster sweep over `total` names in pages of `page`.
    fn run(total: usize, page: usize) -> (Sweep, usize) {
        let (mut sweep, first) = Sweep::start(Goal::Clusters { scope: scope() });
        let mut queue = std::collections::VecDeque::from([first]);
        let mut calls = 0;
        while let Some(query) = queue.pop_front() {
            calls += 1;
            let outcome = Ok(match &query {
                Query::ListClusters { page: token, .. } => {
                    let from: usize = token.as_ref().map_or(0, |t| t.0.parse().unwrap());
                    let to = (from + page).min(total);
                    Answer::Names {
                        names: (from..to).map(|n| format!("c{n}")).collect(),
                        next: (to < total).then(|| PageToken(to.to_string())),
                    }
                }
                Query::DescribeClusters { clusters, .. } => Answer::Clusters {
                    found: Vec::new(),
                    failures: clusters
                        .iter()
                        .map(|arn| Failure { arn: arn.clone(), reason: "MISSING".into(), detail: None })
                        .collect(),
                },
                other => panic!("unexpected {other:?}"),
            });
            queue.extend(sweep.absorb(&query, &outcome));
        }
        (sweep, calls)
    }

    proptest! {
        #[test]
        fn every_name_is_listed_and_described_once(total in 0usize..350, page in 1usize..120) {
            let (sweep, _) = run(total, page);
            prop_assert!(sweep.is_done());
            prop_assert_eq!(sweep.listed.len(), total);
            prop_assert_eq!(sweep.described, total);
            prop_assert_eq!(sweep.is_complete(), total == 0, "all answers were failures");
        }
    }

    #[test]
    fn a_list_that_needs_no_describing_is_read_page_by_page() {
        let first = Query::ListSecrets { scope: scope(), page: None };
        let (mut sweep, asked) = Sweep::start(Goal::Pages(Box::new(first)));
        let page = |next: Option<&str>| {
            Ok(Answer::Parameters {
                found: vec![StoredParameter {
                    scope: scope(),
                    name: format!("/before/{next:?}"),
                    arn: None,
                    kind: "String".into(),
                    version: 1,
                    tier: None,
                    modified_at: None,
                    modified_by: None,
                    description: None,
                }],
                next: next.map(|token| PageToken(token.to_owned())),
            })
        };
        let second = sweep.absorb(&asked, &page(Some("2")));
        let turned = Query::ListSecrets { scope: scope(), page: Some(PageToken("2".into())) };
        assert_eq!(second, [turned]);
        assert!(sweep.absorb(&second[0], &page(None)).is_empty());
        assert!(sweep.is_complete() && sweep.listed.len() == 2);
    }

    #[test]
    fn a_repeated_token_ends_the_list_as_partial() {
        let (mut sweep, first) = Sweep::start(Goal::Services { scope: scope(), cluster: "c".into() });
        let page = Ok(Answer::Names { names: Vec::new(), next: Some(PageToken("same".into())) });
        let second = sweep.absorb(&first, &page);
        assert_eq!(second.len(), 1, "an empty page with a token is not the end");
        assert!(sweep.absorb(&second[0], &page).is_empty());
        assert!(sweep.is_done() && !sweep.is_complete());
        assert_eq!(sweep.faults.len(), 1);
    }

    #[test]
    fn a_failed_page_keeps_what_was_seen_and_is_not_complete() {
        let (mut sweep, first) = Sweep::start(Goal::Services { scope: scope(), cluster: "c".into() });
        let arn = "arn:aws:ecs:eu-west-2:1:service/c/web".to_owned();
        let next =
            sweep.absorb(&first, &Ok(Answer::Names { names: vec![arn], next: Some(PageToken("2".into())) }));
        assert_eq!(
            next[0],
            Query::DescribeServices { scope: scope(), cluster: "c".into(), services: vec!["web".into()] },
            "what was listed is described before the next page is asked for"
        );
        sweep.absorb(&next[1], &Err(Fault::new(FaultKind::Throttled, "Rate exceeded")));
        assert_eq!(sweep.listed.len(), 1);
        assert!(!sweep.is_complete() && sweep.is_listed());
    }
}
