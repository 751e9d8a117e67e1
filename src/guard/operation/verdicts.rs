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
