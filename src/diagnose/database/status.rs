//! RDS's statuses. The list grows: a new one is a warning, shown raw.
//!
//! Must not look at anything but the word.

use crate::diagnose::Severity::{self, Critical, Idle, Ok, Progress, Warning};

/// Status, how bad it is, whether clients can usually connect, and what it means where the word does not say it.
const OF_BOTH: &[(&str, Severity, bool, &str)] = &[
    ("available", Ok, true, ""),
    ("backing-up", Ok, true, ""),
    ("storage-optimization", Ok, true, "slower, and no further storage change for hours"),
    ("modifying", Progress, true, ""),
    ("renaming", Progress, true, ""),
    ("resetting-master-credentials", Progress, true, ""),
    ("creating", Progress, false, "nothing connects yet"),
    ("starting", Progress, false, "nothing connects yet"),
    ("upgrading", Warning, true, "it may be down meanwhile"),
    ("maintenance", Warning, true, "it may be down meanwhile"),
    ("rebooting", Warning, false, "nothing connects meanwhile"),
    ("stopping", Warning, false, "nothing connects any more"),
    ("deleting", Warning, false, "nothing connects any more"),
    ("stopped", Idle, false, "it starts by itself after 7 days"),
    ("failed", Critical, false, "it cannot be recovered in place: restore to a point in time"),
    ("inaccessible-encryption-credentials", Critical, false, "its KMS key is lost or disabled"),
    (
        "inaccessible-encryption-credentials-recoverable",
        Critical,
        false,
        "its KMS key is disabled: enable it, then start the database",
    ),
    ("upgrade_failed", Critical, false, "the engine's upgrade failed"),
];

const OF_INSTANCES: &[(&str, Severity, bool, &str)] = &[
    ("storage-initialization", Ok, true, ""),
    ("configuring-enhanced-monitoring", Ok, true, ""),
    ("configuring-iam-database-auth", Ok, true, ""),
    ("configuring-log-exports", Ok, true, ""),
    ("converting-to-vpc", Progress, true, ""),
    ("moving-to-vpc", Progress, true, ""),
    ("delete-precheck", Progress, true, "it is about to be deleted"),
    ("storage-config-upgrade", Progress, true, ""),
    ("storage-full", Critical, false, "grow its storage by 10 % or more"),
    ("incompatible-parameters", Critical, false, "its parameters do not fit its engine or class"),
    ("incompatible-network", Critical, false, "its subnets have no address left, or are gone"),
    ("incompatible-option-group", Critical, false, "its option group cannot be applied"),
    ("incompatible-restore", Critical, false, "it cannot be restored to this point"),
    ("incompatible-create", Critical, false, "it cannot be created with these settings"),
    ("restore-error", Critical, false, "restoring it failed"),
    ("insufficient-capacity", Critical, false, "AWS has no capacity for its class in its zones"),
];

const OF_CLUSTERS: &[(&str, Severity, bool, &str)] = &[
    ("update-iam-db-auth", Ok, true, ""),
    ("migrating", Progress, true, ""),
    ("promoting", Progress, true, ""),
    ("preparing-data-migration", Progress, true, ""),
    ("backtracking", Warning, false, "nothing connects meanwhile"),
    ("failing-over", Critical, false, "nothing can be written until a reader is promoted"),
    ("cloning-failed", Critical, false, ""),
    ("migration-failed", Critical, false, ""),
];

fn find(status: &str, cluster: bool) -> Option<&'static (&'static str, Severity, bool, &'static str)> {
    let own = if cluster { OF_CLUSTERS } else { OF_INSTANCES };
    OF_BOTH.iter().chain(own).find(|(word, ..)| *word == status)
}

/// How bad a status of an instance or a cluster is; a word that is new to us is a warning.
#[must_use]
pub fn severity_of_status(status: &str, cluster: bool) -> Severity {
    find(status, cluster).map_or(Warning, |(_, severity, ..)| *severity)
}

/// Whether clients can usually connect in this status; a word that is new to us does not say.
#[must_use]
pub fn is_up(status: &str, cluster: bool) -> Option<bool> {
    find(status, cluster).map(|(_, _, up, _)| *up)
}

/// What a status means, where the word alone does not say it.
#[must_use]
pub fn status_meaning(status: &str, cluster: bool) -> Option<&'static str> {
    find(status, cluster).map(|(.., meaning)| *meaning).filter(|meaning| !meaning.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of the facts, by what they say there.
    const WORDS: &[(Severity, bool, &str)] = &[
        (
            Ok,
            false,
            "available backing-up storage-optimization storage-initialization configuring-enhanced-monitoring \
             configuring-iam-database-auth configuring-log-exports",
        ),
        (
            Progress,
            false,
            "modifying renaming resetting-master-credentials converting-to-vpc moving-to-vpc delete-precheck \
             storage-config-upgrade creating starting",
        ),
        (Warning, false, "upgrading maintenance rebooting stopping deleting"),
        (Idle, false, "stopped"),
        (
            Critical,
            false,
            "failed storage-full incompatible-parameters incompatible-network incompatible-option-group \
             incompatible-restore incompatible-create restore-error insufficient-capacity \
             inaccessible-encryption-credentials inaccessible-encryption-credentials-recoverable upgrade_failed",
        ),
        (Ok, true, "available backing-up storage-optimization update-iam-db-auth"),
        (
            Progress,
            true,
            "creating migrating modifying promoting preparing-data-migration renaming starting \
             resetting-master-credentials",
        ),
        (Warning, true, "backtracking deleting maintenance stopping upgrading"),
        (Idle, true, "stopped"),
        (
            Critical,
            true,
            "cloning-failed failing-over inaccessible-encryption-credentials migration-failed upgrade_failed \
             inaccessible-encryption-credentials-recoverable",
        ),
    ];

    #[test]
    fn every_documented_status_has_its_severity() {
        for (severity, cluster, words) in WORDS {
            for word in words.split_whitespace() {
                assert_eq!(severity_of_status(word, *cluster), *severity, "{word}");
                assert!(is_up(word, *cluster).is_some(), "{word} is not in the map");
            }
        }
        let listed: usize = WORDS.iter().map(|(_, _, words)| words.split_whitespace().count()).sum();
        // `failed` and `rebooting` are not among RDS's words for clusters, but harmless there.
        assert_eq!(listed + 2, 2 * OF_BOTH.len() + OF_INSTANCES.len() + OF_CLUSTERS.len());
    }

    #[test]
    fn a_new_status_is_a_warning() {
        assert_eq!(severity_of_status("configuring-quantum-storage", false), Warning);
        assert_eq!(severity_of_status("failing-over", false), Warning);
        assert_eq!(is_up("configuring-quantum-storage", false), None);
    }
}
