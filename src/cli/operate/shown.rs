//! What a change prints: its plan, its verdict, and both as an item.
//!
//! Must not decide anything.

use crate::cli::item::{Shape, Shaped, Time, shape};
use crate::cli::printer::Printer;
use crate::cli::table::{Tone, wrapped};
use crate::domain::plan::{Finding, Plan};
use crate::domain::verdict::Verdict;

shape! {
    /// What was asked for, what it would do, and how it ended.
    Item {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The region.
        region: String = "text",
        /// The verb: `deploy`, `rollback`, `scale`.
        verb: String = "text",
        /// The target: `cluster/service`, a database's name; several separated by commas.
        target: String = "text",
        /// Its name in the journal.
        operation: String = "text",
        /// The calls that the plan makes, in order.
        calls: Vec<Call> = "list of Call",
        /// What changes, field by field.
        changes: Vec<Change> = "list of Change",
        /// What else is felt, a sentence each.
        reach: Vec<String> = "list of text",
        /// What was checked before.
        checks: Vec<Check> = "list of Check",
        /// What could be done instead or besides.
        advice: Vec<String> = "list of text",
        /// `succeeded`, `accepted` (not watched), `failed`, `rolled_back`, `superseded`, `unknown`, `refused`, `changed`; null for a plan alone.
        verdict: Option<&'static str> = "text or null",
        /// Why, or how to find out.
        detail: Option<String> = "text or null",
        /// The deployments that were started.
        deployments: Vec<String> = "list of text",
        /// The task that was started.
        task: Option<String> = "text or null",
        /// The exit code of the task that was run to its end.
        exit_code: Option<i32> = "number or null",
        /// What a rollback could return to, newest first.
        targets: Vec<Target> = "list of Target",
        /// AWS's request ids.
        request_ids: Vec<String> = "list of text",
    }

    /// Something that a rollback can return to.
    Target {
        /// The service deployment's id, for `--to-deployment`.
        deployment: Option<String> = "text or null",
        /// Its task definition: `family:revision`.
        revision: String = "text",
        /// Containers with the beginning of the digest that they ran.
        images: Vec<String> = "list of text",
        /// When its deployment ended well.
        deployed_at: Option<Time> = "time or null",
        /// Whether this plan returns to it.
        chosen: bool = "true or false",
    }

    /// One call of a plan.
    Call {
        /// The IAM action: `ecs:UpdateService`.
        action: String = "text",
        /// What it is about.
        target: String = "text",
    }

    /// A field as it is and as it would be.
    Change {
        /// AWS's name of it.
        field: String = "text",
        /// What it is.
        before: String = "text",
        /// What it would be.
        after: String = "text",
    }

    /// One check before a change.
    Check {
        /// What was checked.
        name: String = "text",
        /// `pass`, `not_verified`, `warn`, `block`.
        finding: Finding = "text",
        /// What that rests on.
        evidence: String = "text",
    }
}

/// The shapes of all verbs that change something.
#[must_use]
pub fn shapes() -> Vec<Shape> {
    vec![Item::SHAPE, Target::SHAPE, Call::SHAPE, Change::SHAPE, Check::SHAPE]
}

impl Item {
    /// A plan with its verdict; what else is known of it is filled in by whoever knows.
    pub fn of(plan: &Plan, verdict: Option<&Verdict>) -> Self {
        let (word, detail) = verdict.map_or((None, None), |verdict| {
            let (word, detail) = worded(verdict);
            (Some(word), detail)
        });
        Self {
            account: String::new(),
            region: String::new(),
            verb: String::new(),
            target: String::new(),
            operation: String::new(),
            calls: plan
                .calls
                .iter()
                .map(|call| Call { action: call.action().to_owned(), target: call.target() })
                .collect(),
            changes: plan
                .changes
                .iter()
                .map(|c| Change { field: c.field.clone(), before: c.before.clone(), after: c.after.clone() })
                .collect(),
            reach: plan.reach.clone(),
            checks: plan
                .checks
                .iter()
                .map(|c| Check { name: c.name.clone(), finding: c.finding, evidence: c.evidence.clone() })
                .collect(),
            advice: plan.advice.clone(),
            verdict: word,
            detail,
            deployments: Vec::new(),
            task: None,
            exit_code: None,
            targets: plan
                .targets
                .iter()
                .map(|target| Target {
                    deployment: target.deployment.clone(),
                    revision: target.revision.clone(),
                    images: target.images.clone(),
                    deployed_at: target.deployed_at.map(Time),
                    chosen: target.chosen,
                })
                .collect(),
            request_ids: Vec::new(),
        }
    }
}

fn worded(verdict: &Verdict) -> (&'static str, Option<String>) {
    match verdict {
        Verdict::Succeeded => ("succeeded", None),
        Verdict::Accepted => ("accepted", None),
        Verdict::Failed { why } => ("failed", Some(why.clone())),
        Verdict::RolledBack { why } => ("rolled_back", Some(why.clone())),
        Verdict::Superseded { by } => ("superseded", Some(by.clone())),
        Verdict::Unknown { how_to_find_out } => ("unknown", Some(how_to_find_out.clone())),
        Verdict::Refused { why } => ("refused", Some(why.clone())),
        Verdict::Changed { difference } => ("changed", Some(difference.clone())),
    }
}

pub(super) fn verdict_line(title: &str, verdict: &Verdict, printer: &Printer) -> String {
    let tone = match verdict {
        Verdict::Succeeded => Tone::Good,
        Verdict::Accepted | Verdict::Superseded { .. } | Verdict::Unknown { .. } => Tone::Notice,
        _ => Tone::Bad,
    };
    printer.paint(tone, &format!("{title}: {verdict}"))
}

/// A plan as people read it.
pub(super) fn plan_lines(plan: &Plan, printer: &Printer) -> Vec<String> {
    let room = printer.room.unwrap_or(100).clamp(40, 120);
    let mut lines = vec![printer.paint(Tone::Title, &plan.title)];
    let mut add = |sign: &str, tone: Tone, text: &str| {
        for (index, line) in wrapped(text, room.saturating_sub(4)).iter().enumerate() {
            let head = if index == 0 { sign } else { " " };
            lines.push(format!("  {} {}", printer.paint(tone, head), printer.paint(Tone::Plain, line)));
        }
    };
    for change in &plan.changes {
        add("~", Tone::Title, &format!("{}: {} -> {}", change.field, change.before, change.after));
    }
    for sentence in &plan.reach {
        add("-", Tone::Quiet, sentence);
    }
    let mut checks: Vec<_> = plan.checks.iter().collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.finding));
    for check in checks {
        let (sign, tone) = match check.finding {
            Finding::Block => ("x", Tone::Bad),
            Finding::Warn => ("!", Tone::Notice),
            Finding::NotVerified => ("?", Tone::Quiet),
            Finding::Pass => ("+", Tone::Good),
        };
        add(sign, tone, &format!("{}: {}", check.name, check.evidence));
    }
    for target in plan.targets.iter().filter(|_| plan.targets.len() > 1) {
        let mark = if target.chosen { "returns to" } else { "could return to" };
        let deployment = target.deployment.as_deref().unwrap_or("unknown");
        let age = target.deployed_at.map_or_else(String::new, |at| format!(" of {}", at.rfc3339()));
        let text = format!(
            "{mark} --to-deployment {deployment}: {} {}{age}",
            target.revision,
            target.images.join(", ")
        );
        add("<", Tone::Quiet, &text);
    }
    for sentence in &plan.advice {
        add(">", Tone::Quiet, sentence);
    }
    lines
}
