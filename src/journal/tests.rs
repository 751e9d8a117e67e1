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
        open.iter().map(|o| (o.intent.operation.as_str(), o.acknowledged)).collect::<Vec<_>>(),
        [("2", false)]
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
