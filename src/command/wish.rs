//! What flags of a changing verb ask for: the same in the palette and on a command line.
//!
//! Must not find the target: the console looks at its selection, the command line asks AWS. A flag that means
//! nothing beside the others is an error and never ignored.

use super::Id;
use crate::domain::action::{AlarmWork, Back, DatabaseWork, Deploy, SecretWork, snapshot_name};
use crate::domain::database::DatabaseId;
use crate::domain::mutation::ScalingChange;
use crate::stdx::clock::Wall;
use crate::stdx::span;

/// The flags that were given.
pub trait Flags {
    /// A flag's value.
    fn value(&self, name: &str) -> Option<&str>;
    /// Whether a switch was given.
    fn has(&self, name: &str) -> bool;
}

/// Flags that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// One means something only beside another.
    #[error("--container names the container of --image")]
    ContainerAlone,
    /// Two of `deploy`.
    #[error("--image, --cpu and --memory, --revision and --unpin exclude each other")]
    Deploy,
    /// Two of `rollback`.
    #[error("--to-deployment, --to-digest and --to-revision exclude each other")]
    Back,
    /// Two of `autoscaling`.
    #[error("--suspend and --resume contradict each other")]
    Scaling,
    /// A time that is none.
    #[error("{0}")]
    Span(String),
}

impl Unfit {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        (*self == Self::ContainerAlone).then_some("give --image too")
    }
}

/// What `deploy` is to deploy.
///
/// # Errors
/// When the flags do not fit together.
pub fn deploy(flags: &impl Flags) -> Result<Deploy, Unfit> {
    let text = |name: &str| flags.value(name).map(ToOwned::to_owned);
    let edits = ["image", "cpu", "memory"].iter().any(|flag| flags.value(flag).is_some());
    if flags.value("container").is_some() && flags.value("image").is_none() {
        return Err(Unfit::ContainerAlone);
    }
    match (edits, text("revision"), flags.has("unpin")) {
        (true, None, false) => Ok(Deploy::Edit {
            image: text("image"),
            container: text("container"),
            cpu: text("cpu"),
            memory: text("memory"),
        }),
        (false, Some(revision), false) => Ok(Deploy::Revision(revision)),
        (false, None, true) => Ok(Deploy::Unpin),
        (false, None, false) => Ok(Deploy::Force),
        _ => Err(Unfit::Deploy),
    }
}

/// What `rollback` is to return to.
///
/// # Errors
/// When more than one is named.
pub fn back(flags: &impl Flags) -> Result<Back, Unfit> {
    let text = |name: &str| flags.value(name).map(ToOwned::to_owned);
    match (text("to-deployment"), text("to-digest"), text("to-revision")) {
        (None, None, None) => Ok(Back::Usual),
        (Some(deployment), None, None) => Ok(Back::Deployment(deployment)),
        (None, Some(digest), None) => Ok(Back::Digest(digest)),
        (None, None, Some(revision)) => Ok(Back::Revision(revision)),
        _ => Err(Unfit::Back),
    }
}

/// What `autoscaling` is to change; nothing when no flag was given.
///
/// # Errors
/// When the flags contradict each other.
pub fn scaling(flags: &impl Flags) -> Result<Option<ScalingChange>, Unfit> {
    let suspended = match (flags.has("suspend"), flags.has("resume")) {
        (true, true) => return Err(Unfit::Scaling),
        (true, false) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    };
    let number = |name: &str| flags.value(name).and_then(|text| text.parse().ok());
    let change = ScalingChange { min: number("min"), max: number("max"), suspended };
    Ok((change != ScalingChange::default()).then_some(change))
}

/// What a verb of a secret does; `None` of any other.
#[must_use]
pub fn secret(id: Id) -> Option<SecretWork> {
    match id {
        Id::Rotate => Some(SecretWork::Rotate),
        Id::SecretRestore => Some(SecretWork::Restore),
        Id::SecretUnstick => Some(SecretWork::Unstick),
        _ => None,
    }
}

/// What a verb of a database does; `grow_to` is the size in GiB that `rds grow` was given. `None` when that is
/// missing, and of any other verb.
#[must_use]
pub fn database(
    id: Id,
    flags: &impl Flags,
    database: &DatabaseId,
    grow_to: Option<u32>,
    now: Wall,
) -> Option<DatabaseWork> {
    let text = |name: &str| flags.value(name).map(ToOwned::to_owned);
    match id {
        Id::RdsReboot => Some(DatabaseWork::Reboot { failover: flags.has("failover") }),
        Id::RdsFailover => Some(DatabaseWork::Failover { to: text("to") }),
        Id::RdsSnapshot => {
            let name = text("name").unwrap_or_else(|| snapshot_name(database, now));
            Some(DatabaseWork::Snapshot { name })
        }
        Id::RdsGrow => grow_to.map(|to| DatabaseWork::Grow { to }),
        _ => None,
    }
}

/// What a verb of an alarm does.
///
/// # Errors
/// When its time is none.
pub fn alarm(id: Id, flags: &impl Flags) -> Result<Option<AlarmWork>, Unfit> {
    Ok(match id {
        Id::AlarmMute => {
            let time = span::parse(flags.value("for").unwrap_or("1h"))
                .map_err(|bad| Unfit::Span(bad.to_string()))?;
            let minutes = u32::try_from(time.as_secs().div_ceil(60)).unwrap_or(u32::MAX);
            Some(AlarmWork::Mute { minutes })
        }
        Id::AlarmEnable => Some(AlarmWork::Enable),
        Id::AlarmDisable => Some(AlarmWork::Disable),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Given(&'static [(&'static str, &'static str)]);

    impl Flags for Given {
        fn value(&self, name: &str) -> Option<&str> {
            self.0.iter().find(|(flag, _)| *flag == name).map(|(_, value)| *value)
        }

        fn has(&self, name: &str) -> bool {
            self.value(name).is_some()
        }
    }

    #[test]
    fn flags_that_do_not_fit_are_refused_and_never_ignored() {
        assert_eq!(deploy(&Given(&[])), Ok(Deploy::Force));
        assert_eq!(deploy(&Given(&[("container", "app")])), Err(Unfit::ContainerAlone));
        assert_eq!(deploy(&Given(&[("container", "app"), ("cpu", "256")])), Err(Unfit::ContainerAlone));
        assert_eq!(deploy(&Given(&[("image", "v2"), ("revision", "3")])), Err(Unfit::Deploy));
        assert_eq!(deploy(&Given(&[("unpin", ""), ("memory", "512")])), Err(Unfit::Deploy));
        assert_eq!(deploy(&Given(&[("revision", "3")])), Ok(Deploy::Revision("3".to_owned())));
        assert_eq!(back(&Given(&[("to-digest", "sha256:a"), ("to-revision", "3")])), Err(Unfit::Back));
        assert_eq!(back(&Given(&[("to-revision", "3")])), Ok(Back::Revision("3".to_owned())));
        let both = Given(&[("suspend", ""), ("resume", ""), ("max", "5")]);
        assert_eq!(scaling(&both), Err(Unfit::Scaling));
        assert_eq!(scaling(&Given(&[])), Ok(None));
        let most = ScalingChange { max: Some(5), ..ScalingChange::default() };
        assert_eq!(scaling(&Given(&[("max", "5")])), Ok(Some(most)));
    }

    #[test]
    fn a_mute_has_whole_minutes_and_an_hour_unless_said() {
        assert_eq!(alarm(Id::AlarmMute, &Given(&[])), Ok(Some(AlarmWork::Mute { minutes: 60 })));
        assert_eq!(alarm(Id::AlarmMute, &Given(&[("for", "90s")])), Ok(Some(AlarmWork::Mute { minutes: 2 })));
        assert!(matches!(alarm(Id::AlarmMute, &Given(&[("for", "soon")])), Err(Unfit::Span(_))));
        assert_eq!(alarm(Id::Deploy, &Given(&[])), Ok(None));
    }
}
