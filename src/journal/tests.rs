//! The journal: its chain under tearing and tampering, and its time line.

use super::*;
use crate::domain::ecs::ServiceId;
use crate::domain::mutation::ServiceChange;
use crate::domain::scope::Scope;
use proptest::prelude::*;

struct Memory {
    text: String,
    full: bool,
}

impl Sink for Memory {
    fn append(&mut self, text: &str) -> std::io::Result<()> {
        if self.full {
            return Err(std::io::Error::other("no space left on device"));
        }
        self.text.push_str(text);
        Ok(())
    }
}

fn intent(operation: &str, reason: &str) -> Entry {
    let service =
        ServiceId { scope: Scope::new("prod", "eu-west-2"), cluster: "c".into(), name: "api".into() };
    Entry {
        at: Wall(1_800_000_000_000),
        who: Who { os_user: Some("kim".into()), ..Who::default() },
        operation: operation.into(),
        incident: None,
        event: Event::Intent(Box::new(Intent {
            mutation: Mutation::UpdateService {
                service,
                change: ServiceChange { force: true, ..ServiceChange::default() },
            },
            verb: "deploy".into(),
            target: "c/api".into(),
            step: 1,
            steps: 1,
            before: "deployment ecs-svc/1 of api:7".into(),
            after: "a new deployment of api:7".into(),
            reason: Some(reason.into()),
        })),
    }
}

fn outcome(operation: &str, verdict: Verdict) -> Entry {
    let event = Event::Outcome(Outcome { verdict });
    Entry { event, ..intent(operation, "") }
}

fn written(entries: &[Entry]) -> String {
    let mut sink = Memory { text: String::new(), full: false };
    let mut chain = Chain::default();
    for entry in entries {
        chain.append(entry, &mut sink).unwrap();
    }
    sink.text
}

#[test]
fn what_was_written_reads_back_and_holds() {
    let entries = [intent("1", "stuck"), outcome("1", Verdict::Succeeded)];
    let text = written(&entries);
    let report = verify(&text);
    assert_eq!((report.entries.as_slice(), &report.broken, &report.torn), (&entries[..], &None, &vec![]));
    assert_eq!(Chain::resume(&text).head(), report.head);
    let mut sink = Memory { text, full: false };
    Chain::resume(&sink.text.clone()).append(&intent("2", "again"), &mut sink).unwrap();
    assert_eq!(verify(&sink.text).entries.len(), 3);
}

#[test]
fn what_the_sink_refused_is_not_part_of_the_chain() {
    let mut sink = Memory { text: String::new(), full: true };
    let mut chain = Chain::default();
    assert!(chain.append(&intent("1", "x"), &mut sink).is_err());
    assert_eq!(chain, Chain::default());
    sink.full = false;
    chain.append(&intent("1", "x"), &mut sink).unwrap();
    assert_eq!(verify(&sink.text).broken, None);
}

#[test]
fn altered_removed_and_moved_lines_are_named() {
    let text = written(&[intent("1", "aaa"), intent("2", "bbb"), intent("3", "ccc")]);
    let lines: Vec<&str> = text.lines().collect();
    let broken = |text: &str| verify(text).broken.unwrap().to_string();
    assert!(broken(&text.replace("bbb", "bXb")).starts_with("line 2 was altered"));
    assert!(broken(&format!("{}\n{}\n", lines[0], lines[2])).starts_with("line 2 does not follow"));
    assert!(
        broken(&format!("{}\n{}\n{}\n", lines[1], lines[0], lines[2])).starts_with("line 1 does not follow")
    );
    assert!(broken(&format!("{}\nrubbish\n{}\n", lines[0], lines[1])).starts_with("line 2 is not an entry"));
}

#[test]
fn a_journal_says_what_is_unknown_and_exports_as_a_time_line() {
    let entries = [
        intent("1", "p99 | <b>"),
        outcome("1", Verdict::RolledBack { why: "tasks failed to start".into() }),
        intent("2", "again\u{202e}"),
    ];
    let open = unfinished(&entries);
    assert_eq!(
        open.iter().map(|o| (o.intent.operation.as_str(), o.reached)).collect::<Vec<_>>(),
        [("2", Reached::Intended)]
    );
    let note = Acknowledged { step: 1, lost: None, receipt: Receipt::default() };
    let noted = Entry { event: Event::Acknowledged(note), ..intent("2", "") };
    let entries_after = [entries[2].clone(), noted];
    assert!(unfinished(&entries_after)[0].words().starts_with("AWS answered"));
    let text = markdown("checkout 5xx", &entries, "abc");
    assert!(text.contains("| 2027-01-15T08:00:00.000Z | kim | c/api: deploy (ecs:UpdateService)."), "{text}");
    assert!(text.contains("rolled back: tasks failed to start") && text.contains("Reason: p99 \\| \\<b\\>"));
    assert!(text.contains("Operation 2 has no outcome") && text.ends_with("`abc`\n"));
    assert!(!text.contains('\u{202e}'));
}

fn told(at: i64, operation: &str, event: Event) -> Entry {
    Entry { at: Wall(at), event, ..intent(operation, "") }
}

fn report(entries: Vec<Entry>) -> Report {
    Report { entries, torn: Vec::new(), broken: None, head: String::new() }
}

fn accepted(step: usize, lost: Option<&str>) -> Event {
    Event::Acknowledged(Acknowledged { step, lost: lost.map(str::to_owned), receipt: Receipt::default() })
}

#[test]
fn entries_are_joined_by_operation_the_newest_first() {
    let mark = IncidentMark { id: "inc-1".into(), title: "checkout 5xx".into() };
    let entries = vec![
        told(1, "0", Event::IncidentOpened(mark.clone())),
        Entry { incident: Some("inc-1".into()), ..intent("1", "stuck") },
        intent("2", "again"),
        Entry {
            who: Who { caller_arn: Some("arn:aws:sts::1:assumed-role/oncall/kim".into()), ..Who::default() },
            ..told(4, "1", accepted(1, None))
        },
        told(5, "1", Event::Outcome(Outcome { verdict: Verdict::Succeeded })),
    ];
    let history = History::of(report(entries), 10);
    let rows: Vec<(&str, &str, Vec<&str>, usize)> = history
        .deeds
        .iter()
        .map(|deed| (deed.operation(), deed.verb(), deed.targets(), deed.entries().count()))
        .collect();
    assert_eq!(
        rows,
        [
            ("2", "deploy", vec!["c/api"], 1),
            ("1", "deploy", vec!["c/api"], 3),
            ("0", "incident open", vec!["checkout 5xx"], 1)
        ]
    );
    let ends: Vec<End<'_>> = history.deeds.iter().map(Deed::end).collect();
    assert_eq!(ends, [End::Open(Reached::Intended), End::Known(&Verdict::Succeeded), End::Mark]);
    let deed = &history.deeds[1];
    assert_eq!((deed.incident(), deed.reason()), (Some("inc-1"), Some("stuck")));
    assert!(deed.who().caller_arn.is_some(), "who it was became known with the answer");
    assert_eq!((history.deeds[2].incident(), history.incident), (Some("inc-1"), Some(mark)));
}

#[test]
fn an_operation_without_an_outcome_says_how_far_it_came() {
    let end = |entries: Vec<Entry>| {
        let open: Vec<Reached> = unfinished(&entries).iter().map(|open| open.reached).collect();
        let history = History::of(report(entries), 10);
        match history.deeds[0].end() {
            End::Open(reached) => {
                assert_eq!(open, [reached], "both tell the same");
                Some(reached)
            }
            _ => None,
        }
    };
    let (first, second) = (intent("1", ""), intent("1", ""));
    let answered = told(2, "1", accepted(1, None));
    let lost = told(2, "1", accepted(1, Some("timed out")));
    assert_eq!(end(vec![first.clone()]), Some(Reached::Intended));
    assert_eq!(end(vec![first.clone(), answered.clone()]), Some(Reached::Answered));
    assert_eq!(end(vec![first.clone(), lost.clone()]), Some(Reached::Lost));
    assert_eq!(end(vec![first.clone(), answered, second]), Some(Reached::Intended));
    assert_eq!(end(vec![first, lost, outcome("1", Verdict::Succeeded)]), None);
}

#[test]
fn a_definition_registered_on_the_way_is_not_the_target() {
    let scope = Scope::new("prod", "eu-west-2");
    let mutation = Mutation::RegisterTaskDefinition {
        scope,
        from: "arn:aws:ecs:eu-west-2:1:task-definition/api:7".into(),
        edit: crate::domain::mutation::DefinitionEdit::default(),
    };
    let Event::Intent(whole) = intent("1", "").event else { return };
    let registers = Intent { target: mutation.target(), mutation, ..(*whole).clone() };
    let entries = vec![told(1, "1", Event::Intent(Box::new(registers))), intent("1", "")];
    assert_eq!(History::of(report(entries[..1].to_vec()), 10).deeds[0].targets(), ["api:7"]);
    assert_eq!(History::of(report(entries), 10).deeds[0].targets(), ["c/api"]);
}

#[test]
fn what_is_not_kept_is_counted() {
    let mut entries: Vec<Entry> = (0..30).map(|number| intent(&number.to_string(), "")).collect();
    entries.push(outcome("3", Verdict::Succeeded));
    entries.push(outcome("25", Verdict::Succeeded));
    let history = History::of(report(entries), 10);
    let kept: Vec<&str> = history.deeds.iter().map(Deed::operation).collect();
    assert_eq!(kept, ["29", "28", "27", "26", "25", "24", "23", "22", "21", "20"]);
    assert_eq!((history.older, history.older_open), (20, 19));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_journal_torn_anywhere_goes_on_and_tells(reasons in proptest::collection::vec(any::<String>(), 1..5), cut in any::<prop::sample::Index>()) {
        let entries: Vec<Entry> = reasons.iter().map(|reason| intent("1", reason)).collect();
        let text = written(&entries);
        let mut end = cut.index(text.len() + 1);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let torn = text[..end].to_owned();
        let whole = torn.lines().filter(|line| line.ends_with("\"}")).count();
        let after_crash = verify(&torn);
        prop_assert_eq!(&after_crash.broken, &None);
        prop_assert!(after_crash.entries.len() >= torn.matches('\n').count());
        prop_assert!(after_crash.entries.len() <= whole);
        let mut sink = Memory { text: torn, full: false };
        let mut chain = Chain::resume(&sink.text.clone());
        chain.append(&intent("2", "next"), &mut sink).unwrap();
        let report = verify(&sink.text);
        prop_assert_eq!(&report.broken, &None);
        prop_assert_eq!(report.torn.len(), after_crash.torn.len());
        prop_assert_eq!(report.entries.len(), after_crash.entries.len() + 1);
    }

    #[test]
    fn no_single_byte_can_be_changed_unseen(at in any::<prop::sample::Index>(), to in b'0'..b'z') {
        let text = written(&[intent("1", "aaa"), intent("2", "bbb"), intent("3", "ccc")]);
        let mut bytes = text.clone().into_bytes();
        let index = at.index(bytes.len());
        prop_assume!(bytes[index] != to);
        bytes[index] = to;
        let report = verify(&String::from_utf8(bytes).unwrap());
        // A torn last line is all that damage to the end can be told from.
        prop_assert!(report.broken.is_some() || !report.torn.is_empty());
    }
}
