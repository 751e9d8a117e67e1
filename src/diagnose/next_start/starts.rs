//! How the last start of a service's running revision went: what cannot be looked up without reading values, such as
//! the keys of a secret, is told by the task that failed over it.
//!
//! Must not take a task for failed that came to run: why it ended is another question.

use super::super::stopped::stopped_groups;
use super::{Check, CheckVerdict};
use crate::domain::ecs::Service;
use crate::domain::task::Task;
use crate::stdx::clock::Wall;
use crate::stdx::span::brief;

/// ECS's stop code of a task that never ran.
const FAILED_TO_START: &str = "TaskFailedToStart";

/// The check of the last start, by the tasks that were read: blocked when the newest task failed to start, passed
/// when it runs or ran. `None` when no task of this revision is known, or the newest is still on its way.
pub fn last_start<'t>(
    service: &Service,
    tasks: impl IntoIterator<Item = &'t Task>,
    now: Wall,
) -> Option<Check> {
    let own = |task: &&Task| task.is_of(&service.id) && task.revision == service.revision;
    let failed = |task: &Task| task.is_stopped() && task.stop_code.as_deref() == Some(FAILED_TO_START);
    let told = tasks.into_iter().filter(own).filter(|task| failed(task) || task.started_at.is_some());
    let newest = told.max_by_key(|task| (task.created_at, task.id.clone()))?;
    let ago = |at: Option<Wall>| at.map_or_else(String::new, |at| format!(" {} ago", brief(at.age_at(now))));
    let (verdict, evidence) = if failed(newest) {
        let reason = newest.stopped_reason.as_deref().filter(|reason| !reason.is_empty());
        let cause = stopped_groups([newest]).into_iter().next().map(|group| group.cause);
        let why = reason.map(str::to_owned).or(cause).unwrap_or_else(|| "ECS gave no reason".to_owned());
        let text = format!("task {} failed to start{}: {why}", newest.id.short(), ago(newest.stopped_at));
        (CheckVerdict::Block, text)
    } else {
        (CheckVerdict::Pass, format!("task {} started{}", newest.id.short(), ago(newest.started_at)))
    };
    Some(Check { what: "last start".to_owned(), verdict, evidence })
}

#[cfg(test)]
mod tests {
    use super::super::super::database::fixtures::service;
    use super::super::super::fixtures::task;
    use super::*;
    use std::time::Duration;

    const NOW: Wall = Wall(1_795_000_000_000);

    fn at(minutes: u64) -> Option<Wall> {
        Some(NOW.minus(Duration::from_secs(minutes * 60)))
    }

    fn failed(id: &str, minutes: u64) -> Task {
        Task {
            last_status: "STOPPED".into(),
            started_at: None,
            stopped_at: at(minutes),
            stop_code: Some(FAILED_TO_START.into()),
            stopped_reason: Some("ResourceInitializationError: no json key DATABASE_URL".into()),
            ..task("api", id, at(minutes))
        }
    }

    fn api() -> Service {
        let revision = task("api", "a", None).revision;
        Service { revision, ..service("api", 2) }
    }

    #[test]
    fn the_newest_start_decides() {
        let check = |tasks: &[Task]| last_start(&api(), tasks, NOW);
        let bad = check(&[task("api", "aaaa", at(90)), failed("bbbb", 4)]).unwrap();
        assert_eq!(
            (bad.verdict, bad.evidence.as_str()),
            (
                CheckVerdict::Block,
                "task bbbb failed to start 4 min ago: ResourceInitializationError: no json key DATABASE_URL"
            )
        );
        let good = check(&[failed("bbbb", 40), task("api", "aaaa", at(9))]).unwrap();
        assert_eq!(
            (good.verdict, good.evidence.as_str()),
            (CheckVerdict::Pass, "task aaaa started 9 min ago")
        );
    }

    #[test]
    fn tasks_of_others_and_on_their_way_tell_nothing() {
        let mut old = failed("bbbb", 4);
        old.revision.number -= 1;
        let coming = Task { started_at: None, ..task("api", "cccc", at(1)) };
        let coming = Task { created_at: at(1), last_status: "PENDING".into(), ..coming };
        let tasks = [old, failed("dddd", 3), coming];
        assert_eq!(last_start(&api(), &tasks[..1], NOW), None);
        assert_eq!(last_start(&api(), [&tasks[0], &tasks[2]], NOW), None);
        let other = Task { group: Some("service:web".into()), ..tasks[1].clone() };
        assert_eq!(last_start(&api(), [&other], NOW), None);
        assert!(last_start(&api(), &tasks, NOW).is_some_and(|check| check.verdict == CheckVerdict::Block));
    }

    #[test]
    fn a_task_that_ran_and_crashed_had_started() {
        let mut crashed = task("api", "aaaa", at(5));
        crashed.last_status = "STOPPED".into();
        crashed.stop_code = Some("EssentialContainerExited".into());
        let check = last_start(&api(), [&crashed], NOW).unwrap();
        assert_eq!(check.verdict, CheckVerdict::Pass);
    }
}
