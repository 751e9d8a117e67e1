//! One verdict of several: the worst, with what became of each.
//!
//! Must not hide one: a release of which a part failed has failed.

use crate::domain::verdict::Verdict;

fn rank(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Failed { .. } => 7,
        Verdict::RolledBack { .. } => 6,
        Verdict::Unknown { .. } => 5,
        Verdict::Superseded { .. } => 4,
        Verdict::Changed { .. } => 3,
        Verdict::Refused { .. } => 2,
        Verdict::Accepted => 1,
        Verdict::Succeeded => 0,
    }
}

/// The verdict of all parts.
pub(super) fn together(parts: Vec<(String, Verdict)>) -> Verdict {
    // What ended at once, such as a registration, has no name and says nothing beside the others.
    let named: Vec<&(String, Verdict)> =
        parts.iter().filter(|(name, verdict)| !name.is_empty() || *verdict != Verdict::Succeeded).collect();
    let worst = named.iter().map(|(_, verdict)| verdict).max_by_key(|verdict| rank(verdict));
    let Some(worst) = worst.cloned() else { return Verdict::Succeeded };
    if named.len() < 2 {
        return worst;
    }
    let told: Vec<String> = named
        .iter()
        .map(
            |(name, verdict)| {
                if name.is_empty() { verdict.to_string() } else { format!("{name}: {verdict}") }
            },
        )
        .collect();
    let text = told.join("; ");
    // Refused means that AWS was not asked: a part that was carried out is no refusal.
    let untouched = |verdict: &Verdict| matches!(verdict, Verdict::Refused { .. } | Verdict::Changed { .. });
    if untouched(&worst) && !named.iter().all(|(_, verdict)| untouched(verdict)) {
        return Verdict::Failed { why: text };
    }
    match worst {
        Verdict::Failed { .. } => Verdict::Failed { why: text },
        Verdict::RolledBack { .. } => Verdict::RolledBack { why: text },
        Verdict::Unknown { .. } => Verdict::Unknown { how_to_find_out: text },
        Verdict::Superseded { .. } => Verdict::Superseded { by: text },
        Verdict::Refused { .. } => Verdict::Refused { why: text },
        Verdict::Changed { .. } => Verdict::Changed { difference: text },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_in_part_is_no_refusal() {
        let unmade = || Verdict::Refused { why: "1 call of the plan not made".to_owned() };
        let half = together(vec![("api".into(), Verdict::Accepted), (String::new(), unmade())]);
        assert!(
            matches!(&half, Verdict::Failed { why } if why.contains("1 call of the plan not made")),
            "{half:?}"
        );
        let changed = Verdict::Changed { difference: "x".into() };
        let none = together(vec![("a".into(), unmade()), ("b".into(), changed)]);
        assert!(matches!(none, Verdict::Changed { .. }), "{none:?}");
    }
}
