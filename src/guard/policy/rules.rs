//! The rules of a policy file: which targets are production, what is forbidden there, when, and how it is confirmed.
//!
//! Rules come in layers: the machine's first, then the user's. Within a target the strictest of all matching rules
//! holds; only the first layer may say that something is no production. Must not read files or clocks.

use std::time::Duration;

use super::{Friction, Headless, Lock, Policy};
use crate::domain::action::Action;
use crate::stdx::clock::Wall;

/// A pattern of a name: `*` stands for anything, nothing else is special.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether a name fits.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
        let mut rest = rest;
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            match rest.find(part) {
                Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
                None => return false,
            }
        }
        true
    }
}

/// A time in the week in which changes are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Days, Monday is 0.
    pub days: Vec<u8>,
    /// From this minute of the day.
    pub from: u16,
    /// To this one, exclusive; before `from` when it passes midnight.
    pub to: u16,
    /// In which time zone.
    pub zone: jiff::tz::TimeZone,
    /// As it was written.
    pub text: String,
}

impl Window {
    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self, now: Wall) -> bool {
        let Some(at) = now.timestamp() else { return false };
        let at = at.to_zoned(self.zone.clone());
        let minute = u16::try_from(i32::from(at.hour()) * 60 + i32::from(at.minute())).unwrap_or(0);
        let today = u8::try_from(at.weekday().to_monday_zero_offset()).unwrap_or(0);
        let has = |day: u8| self.days.contains(&day);
        if self.from < self.to {
            return has(today) && (self.from..self.to).contains(&minute);
        }
        // It passes midnight, and belongs to the day on which it began.
        (has(today) && minute >= self.from) || (has((today + 6) % 7) && minute < self.to)
    }
}

/// Where a rule holds: a name that is not given fits all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The account's name or id.
    pub account: Option<Pattern>,
    /// The region.
    pub region: Option<Pattern>,
    /// The cluster.
    pub cluster: Option<Pattern>,
    /// The service; of what is none, its own name.
    pub service: Option<Pattern>,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Where.
    pub place: Place,
    /// Whether it is production.
    pub production: Option<bool>,
    /// Never less than this.
    pub friction: Friction,
    /// Verbs that are forbidden; `*` is all.
    pub forbid: Vec<String>,
    /// When changes are allowed; always without.
    pub windows: Vec<Window>,
    /// What a command line may do.
    pub headless: Headless,
    /// Which layer it is from: 0 is the machine's.
    pub layer: u8,
    /// Where it was written, for the words of a refusal.
    pub source: String,
}

/// All rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// In the order of the layers.
    pub rules: Vec<Rule>,
    /// How long a console stays unlocked.
    pub unlock_for: Duration,
    /// Why the rules could not be read: then nothing may be changed.
    pub unread: Option<String>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { rules: Vec::new(), unlock_for: Duration::from_secs(30 * 60), unread: None }
    }
}

/// One target as rules see it.
struct Target<'a> {
    account: &'a str,
    id: Option<&'a str>,
    region: &'a str,
    cluster: &'a str,
    /// Its name; `None` fits every pattern: what is not known is held to all rules.
    name: Option<&'a str>,
}

impl Rule {
    /// Whether it may hold: what is not known of a target fits every pattern.
    fn holds(&self, target: &Target<'_>) -> bool {
        self.fits(target, true)
    }

    /// Whether it holds for sure: only such a rule may loosen.
    fn surely_holds(&self, target: &Target<'_>) -> bool {
        self.fits(target, false)
    }

    fn fits(&self, target: &Target<'_>, unknown: bool) -> bool {
        let fits = |pattern: &Option<Pattern>, name: &str| pattern.as_ref().is_none_or(|p| p.fits(name));
        let account = self.place.account.as_ref().is_none_or(|pattern| {
            pattern.fits(target.account) || target.id.map_or(unknown, |id| pattern.fits(id))
        });
        let service = self.place.service.as_ref().is_none_or(|p| target.name.map_or(unknown, |n| p.fits(n)));
        account
            && service
            && fits(&self.place.region, target.region)
            && fits(&self.place.cluster, target.cluster)
    }
}

impl Rules {
    /// Rules that could not be read: who only looks needs none.
    #[must_use]
    pub fn unread(why: impl Into<String>) -> Self {
        Self { unread: Some(why.into()), ..Self::default() }
    }

    /// What holds for an action. `account_id` is the account's id as far as it is known; `presumed` says whether
    /// account, cluster and service are production when no rule does.
    #[must_use]
    pub fn policy(
        &self,
        action: &Action,
        lock: Lock,
        account_id: Option<&str>,
        presumed: &dyn Fn(&str, &str, &str) -> bool,
        now: Wall,
    ) -> Policy {
        let mut policy = Policy::new(lock, false);
        policy.forbidden = self.unread.as_ref().map(|why| format!("the policy cannot be read: {why}"));
        for target in targets(action, account_id) {
            let one = self.of(&target, action.verb(), presumed, now);
            policy.production |= one.production;
            policy.at_least = policy.at_least.max(one.at_least);
            policy.headless = policy.headless.max(one.headless);
            policy.forbidden = policy.forbidden.or(one.forbidden);
        }
        policy
    }

    fn production(&self, target: &Target<'_>, presumed: &dyn Fn(&str, &str, &str) -> bool) -> bool {
        let holding: Vec<&Rule> = self.rules.iter().filter(|rule| rule.holds(target)).collect();
        // That it is no production has to be certain.
        let word =
            |rule: &&&Rule| rule.production.filter(|production| *production || rule.surely_holds(target));
        let says = |layer: fn(u8) -> bool| {
            holding.iter().filter(move |rule| layer(rule.layer)).filter_map(|rule| word(&rule))
        };
        // The machine's last word, then what is presumed; the user may only make it production.
        let last = says(|layer| layer == 0).next_back();
        let base =
            last.unwrap_or_else(|| presumed(target.account, target.cluster, target.name.unwrap_or_default()));
        base || says(|layer| layer > 0).any(|production| production)
    }

    fn of(
        &self,
        target: &Target<'_>,
        verb: &str,
        presumed: &dyn Fn(&str, &str, &str) -> bool,
        now: Wall,
    ) -> Policy {
        let mut policy = Policy::new(Lock::Unlocked, self.production(target, presumed));
        for rule in self.rules.iter().filter(|rule| rule.holds(target)) {
            policy.at_least = policy.at_least.max(rule.friction);
            policy.headless = policy.headless.max(rule.headless);
            if rule.forbid.iter().any(|word| word == verb || word == "*") {
                let why = format!("the policy forbids {verb} here ({})", rule.source);
                policy.forbidden.get_or_insert(why);
            }
            if !rule.windows.is_empty() && !rule.windows.iter().any(|window| window.is_open(now)) {
                let texts: Vec<&str> = rule.windows.iter().map(|window| window.text.as_str()).collect();
                let why = format!("outside the change window {} ({})", texts.join(", "), rule.source);
                policy.forbidden.get_or_insert(why);
            }
        }
        policy
    }
}

fn targets<'a>(action: &'a Action, id: Option<&'a str>) -> Vec<Target<'a>> {
    let services = action.services();
    let Some(scope) = action.scope() else { return Vec::new() };
    let (account, region) = (scope.account.as_str(), scope.region.as_str());
    if !services.is_empty() {
        let one = |service: &&'a crate::domain::ecs::ServiceId| Target {
            account: service.scope.account.as_str(),
            id,
            region: service.scope.region.as_str(),
            cluster: &service.cluster,
            name: Some(&service.name),
        };
        return services.iter().map(one).collect();
    }
    let (cluster, name) = match action {
        Action::StopTask { task, service, .. } => (task.cluster.as_str(), service.as_deref()),
        Action::Secret { secret, .. } => ("", Some(secret.name.as_str())),
        Action::Database { database, .. } => ("", Some(database.name.as_str())),
        Action::CacheFailover { cache, .. } => ("", Some(cache.name.as_str())),
        Action::Alarm { alarm, .. } => ("", Some(alarm.name.as_str())),
        _ => ("", None),
    };
    vec![Target { account, id, region, cluster, name }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ecs::ServiceId;
    use crate::domain::scope::Scope;

    const NOW: Wall = Wall(1_800_000_000_000);

    fn scale(account: &str, cluster: &str, name: &str) -> Action {
        let scope = Scope::new(account, "eu-west-2");
        let service = ServiceId { scope, cluster: cluster.into(), name: name.into() };
        Action::Scale { service, desired: 2, pools: Vec::new() }
    }

    fn policy(rules: Vec<Rule>, action: &Action) -> Policy {
        let presumed = |_: &str, cluster: &str, _: &str| !cluster.contains("staging");
        Rules { rules, ..Rules::default() }.policy(
            action,
            Lock::Unlocked,
            Some("123456789012"),
            &presumed,
            NOW,
        )
    }

    #[test]
    fn rules_that_cannot_be_read_forbid_everything() {
        let rules = Rules::unread("policy.toml: line 3");
        let of = |action: &Action| rules.policy(action, Lock::Unlocked, None, &|_, _, _| false, NOW);
        let forbidden = of(&scale("staging", "staging", "api")).forbidden;
        assert_eq!(forbidden.as_deref(), Some("the policy cannot be read: policy.toml: line 3"));
    }

    #[test]
    fn a_pattern_knows_the_star_alone() {
        let cases = [
            ("prod-*", "prod-eu", true),
            ("prod-*", "preprod-eu", false),
            ("*prod*", "preprod-eu", true),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("api", "api", true),
            ("api", "api2", false),
            ("ab*ba", "aba", false),
        ];
        for (pattern, name, fits) in cases {
            assert_eq!(Pattern::new(pattern).fits(name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn the_machine_may_loosen_and_the_user_only_tighten() {
        let says = |production, layer| Rule { production: Some(production), layer, ..Rule::default() };
        let staging = scale("default", "shop-staging", "api");
        let shop = scale("default", "shop", "api");
        assert!(!policy(vec![says(false, 0)], &shop).production);
        assert!(policy(vec![says(false, 1)], &shop).production);
        assert!(policy(vec![says(true, 1)], &staging).production);
        assert!(policy(vec![says(false, 0), says(true, 1)], &shop).production);
    }

    #[test]
    fn the_strictest_rule_that_matches_holds() {
        let of = |cluster: &str| Place { cluster: Some(Pattern::new(cluster)), ..Place::default() };
        let rules = vec![
            Rule { place: of("shop*"), friction: Friction::TypedNameAndReason, ..Rule::default() },
            Rule { place: of("*"), headless: Headless::Reason, layer: 1, ..Rule::default() },
            Rule {
                place: of("pay"),
                forbid: vec!["scale".into()],
                source: "policy.toml, rule 3".into(),
                ..Rule::default()
            },
        ];
        let shop = policy(rules.clone(), &scale("default", "shop", "api"));
        assert_eq!(
            (shop.at_least, shop.headless, shop.forbidden),
            (Friction::TypedNameAndReason, Headless::Reason, None)
        );
        let pay = policy(rules, &scale("default", "pay", "api"));
        assert_eq!(pay.forbids(), Some("the policy forbids scale here (policy.toml, rule 3)"));
    }

    #[test]
    fn a_services_rules_hold_for_its_tasks_and_for_those_whose_service_is_not_known() {
        let rule = Rule {
            place: Place { service: Some(Pattern::new("checkout")), ..Place::default() },
            forbid: vec!["stop-task".into()],
            ..Rule::default()
        };
        let forbidden = |service: Option<&str>| {
            let task = crate::domain::task::TaskId {
                scope: Scope::new("default", "eu-west-2"),
                cluster: "shop".into(),
                id: "0123".into(),
            };
            let service = service.map(ToOwned::to_owned);
            let action = Action::StopTask { task, service, reason: "x".into() };
            policy(vec![rule.clone()], &action).forbidden.is_some()
        };
        assert_eq!(
            [forbidden(Some("checkout")), forbidden(None), forbidden(Some("web"))],
            [true, true, false]
        );
    }

    #[test]
    fn what_is_not_known_tightens_and_never_loosens() {
        let of = |account: Option<&str>, service: Option<&str>| Place {
            account: account.map(Pattern::new),
            service: service.map(Pattern::new),
            ..Place::default()
        };
        // The account's id is not known: a rule about it may hold.
        let by_id =
            Rule { place: of(Some("999999999999"), None), forbid: vec!["*".into()], ..Rule::default() };
        let action = scale("default", "shop", "api");
        let held = |id: Option<&str>| {
            let rules = Rules { rules: vec![by_id.clone()], ..Rules::default() };
            rules.policy(&action, Lock::Unlocked, id, &|_, _, _| true, NOW).forbidden.is_some()
        };
        assert_eq!([held(None), held(Some("999999999999")), held(Some("1"))], [true, true, false]);
        // The task's service is not known: that sandboxes are no production says nothing about it.
        let production = Rule { production: Some(true), ..Rule::default() };
        let sandbox = Rule { place: of(None, Some("*-sandbox")), production: Some(false), ..Rule::default() };
        let task = crate::domain::task::TaskId {
            scope: Scope::new("default", "eu-west-2"),
            cluster: "shop".into(),
            id: "0123".into(),
        };
        let stop = |service: Option<&str>| Action::StopTask {
            task: task.clone(),
            service: service.map(ToOwned::to_owned),
            reason: "x".into(),
        };
        let rules = || vec![production.clone(), sandbox.clone()];
        assert!(policy(rules(), &stop(None)).production);
        assert!(!policy(rules(), &stop(Some("web-sandbox"))).production);
    }

    #[test]
    fn a_window_is_open_in_its_zone_and_may_pass_midnight() {
        let window = |days: &[u8], from, to| Window {
            days: days.to_vec(),
            from,
            to,
            zone: jiff::tz::TimeZone::UTC,
            text: "Fri 08:00-17:00 UTC".into(),
        };
        // 2027-01-15 08:00 UTC is a Friday.
        assert!(window(&[4], 480, 1020).is_open(NOW));
        assert!(!window(&[4], 481, 1020).is_open(NOW));
        assert!(!window(&[3], 480, 1020).is_open(NOW));
        assert!(window(&[3], 1320, 481).is_open(NOW));
        assert!(!window(&[3], 1320, 480).is_open(NOW));
        let rule = Rule { windows: vec![window(&[0], 0, 60)], source: "p".into(), ..Rule::default() };
        let why = policy(vec![rule], &scale("default", "shop", "api")).forbidden;
        assert_eq!(why.as_deref(), Some("outside the change window Fri 08:00-17:00 UTC (p)"));
    }
}
