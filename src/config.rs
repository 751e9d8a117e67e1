//! The configuration: layers of TOML text, each later one winning key by key, each value knowing where it came
//! from. A mistake names file, line and key, and what is allowed there.
//!
//! Floor 4. Must not read files or the environment: layers arrive as strings, and none ever comes from the
//! current directory.

mod database;
mod link;
mod policy;
mod value;

use std::collections::BTreeMap;
use std::time::Duration;

pub use link::{Link, Variable, image_sha, image_tag};
pub use policy::{POLICY_SAMPLE, policy};

use crate::diagnose::database::Declared;
use crate::stdx::document::{Document, Item, Mistake, Place, Table};
use value::{bytes, choice, means, span_of};

/// What is wrong with a configuration, with its place.
pub type ConfigError = Mistake;

/// Every setting with its default and its meaning; what `opsdeck docs config` prints.
pub const SAMPLE: &str = include_str!("config/sample.toml");

/// The text of one source.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'t> {
    /// Its name in messages: a path, `environment`, `command line`.
    pub source: &'t str,
    /// Its TOML.
    pub text: &'t str,
}

/// A configured account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountConfig {
    /// The profile whose credentials to use; the account's name when absent.
    pub profile: Option<String>,
    /// The account id that the credentials must belong to.
    pub id: Option<String>,
    /// What the header shows.
    pub label: Option<String>,
    /// Whether it is production; overrules the patterns.
    pub production: Option<bool>,
}

/// Automatic, or one of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// As the environment says.
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

/// How times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeStyle {
    /// In the machine's time zone.
    Local,
    /// In UTC.
    Utc,
}

/// `[ui]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ui {
    /// The theme's name.
    pub theme: String,
    /// The keymap's name.
    pub keymap: String,
    /// Whether to draw with ASCII signs.
    pub ascii: Choice,
    /// Whether to take the mouse.
    pub mouse: bool,
    /// How times are written.
    pub time: TimeStyle,
    /// Whether healthy rows fold away.
    pub fold_healthy: bool,
    /// Whether to ring when something turns critical.
    pub bell: bool,
    /// Whether the terminal's title tells how much is critical.
    pub title: bool,
}

/// `[refresh]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// The focused pane's interval.
    pub focused: Duration,
    /// The other visible panes' interval.
    pub visible: Duration,
    /// The interval of what is not visible.
    pub rest: Duration,
}

/// `[logs]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logs {
    /// Fields of JSON lines that are shown.
    pub fields: Vec<String>,
    /// Where the message is looked for.
    pub message_fields: Vec<String>,
    /// Where the level is looked for.
    pub level_fields: Vec<String>,
    /// Bytes kept per log.
    pub memory: u64,
    /// How far back a log begins.
    pub since: Duration,
}

/// `[production]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Production {
    /// What is production.
    pub patterns: Vec<String>,
    /// What of it is not.
    pub except: Vec<String>,
}

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `[accounts.NAME]`
    pub accounts: BTreeMap<String, AccountConfig>,
    /// `[regions]`: sets by name; `default` always exists.
    pub regions: BTreeMap<String, Vec<String>>,
    /// `[ui]`
    pub ui: Ui,
    /// `[refresh]`
    pub refresh: Refresh,
    /// `[logs]`
    pub logs: Logs,
    /// `[[links]]`
    pub links: Vec<Link>,
    /// `[production]`
    pub production: Production,
    /// `[databases.NAME]`: what AWS cannot know about databases, by instance or cluster.
    pub databases: BTreeMap<String, Declared>,
    origins: BTreeMap<String, Place>,
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

impl Default for Config {
    fn default() -> Self {
        Self {
            accounts: BTreeMap::new(),
            regions: BTreeMap::from([("default".to_owned(), Vec::new())]),
            ui: Ui {
                theme: "terminal".to_owned(),
                keymap: "default".to_owned(),
                ascii: Choice::Auto,
                mouse: true,
                time: TimeStyle::Local,
                fold_healthy: true,
                bell: false,
                title: true,
            },
            refresh: Refresh {
                focused: Duration::from_secs(5),
                visible: Duration::from_secs(15),
                rest: Duration::from_secs(60),
            },
            logs: Logs {
                fields: words(&["request_id", "duration_ms"]),
                message_fields: words(&["message", "msg", "event", "log"]),
                level_fields: words(&["level", "severity", "lvl", "log_level"]),
                memory: 64 << 20,
                since: Duration::from_secs(600),
            },
            links: Vec::new(),
            production: Production {
                patterns: words(&["*"]),
                except: words(&["dev", "development", "test", "testing", "staging", "sandbox"]),
            },
            databases: BTreeMap::new(),
            origins: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Lays the layers over the defaults, in order.
    ///
    /// # Errors
    /// At the first mistake.
    pub fn load(layers: &[Layer<'_>]) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        for layer in layers {
            let document = Document::parse(layer.source, layer.text)?;
            config.lay(&document.root())?;
        }
        Ok(config)
    }

    /// Where a setting was made; `None` for a default.
    #[must_use]
    pub fn provenance(&self, key: &str) -> Option<&Place> {
        self.origins.get(key)
    }

    /// All settings that were made, with where.
    pub fn origins(&self) -> impl Iterator<Item = (&str, &Place)> {
        self.origins.iter().map(|(key, place)| (key.as_str(), place))
    }

    /// The regions that a list of regions and names of sets means, each once, in its order.
    ///
    /// # Errors
    /// A sentence about the word that is neither.
    pub fn expand_regions(&self, list: &str) -> Result<Vec<String>, String> {
        let mut regions: Vec<String> = Vec::new();
        for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let found = match self.regions.get(word) {
                Some(set) => set.clone(),
                None if is_region(word) => vec![word.to_owned()],
                None => {
                    let sets: Vec<&str> = self.regions.keys().map(String::as_str).collect();
                    let sets = sets.join(", ");
                    return Err(format!("`{word}` is neither a region nor a set of regions (sets: {sets})"));
                }
            };
            for region in found {
                if !regions.contains(&region) {
                    regions.push(region);
                }
            }
        }
        Ok(regions)
    }

    /// Whether an account, or a cluster of it, is production.
    #[must_use]
    pub fn is_production(&self, account: &str, cluster: Option<&str>) -> bool {
        let configured = self.accounts.get(account);
        if let Some(production) = configured.and_then(|account| account.production) {
            return production;
        }
        let profile = configured.and_then(|account| account.profile.as_deref());
        let any = |patterns: &[String]| {
            [Some(account), profile, cluster]
                .into_iter()
                .flatten()
                .any(|name| patterns.iter().any(|pattern| means(pattern, name)))
        };
        any(&self.production.patterns) && !any(&self.production.except)
    }

    /// The databases that a service opens connections to, with how many each task opens at most, as far as declared.
    #[must_use]
    pub fn pools_of(&self, cluster: &str, service: &str) -> Vec<(String, u32)> {
        let whole = format!("{cluster}/{service}");
        let of = |(name, declared): (&String, &Declared)| {
            let pool = declared.pools.iter().find(|pool| pool.service == whole || pool.service == service)?;
            Some((name.clone(), pool.connections))
        };
        self.databases.iter().filter_map(of).collect()
    }

    /// Whether a service is presumed to be production, when no policy says.
    #[must_use]
    pub fn presumes_production(&self, account: &str, cluster: &str, service: &str) -> bool {
        let cluster = Some(cluster).filter(|name| !name.is_empty());
        let harmless = self.production.except.iter().any(|pattern| means(pattern, service));
        self.is_production(account, cluster) && (service.is_empty() || !harmless)
    }

    fn lay(&mut self, root: &Table<'_>) -> Result<(), Mistake> {
        root.only(&["accounts", "regions", "production", "databases", "ui", "refresh", "logs", "links"])?;
        for section in root.entries() {
            match section.key.as_str() {
                "accounts" => {
                    for account in section.table()?.entries() {
                        self.lay_account(&account)?;
                    }
                }
                "regions" => {
                    for set in section.table()?.entries() {
                        let regions = regions(&set)?;
                        self.made(&set);
                        self.regions.insert(set.key, regions);
                    }
                }
                "databases" => {
                    for item in section.table()?.entries() {
                        self.lay_database(&item)?;
                    }
                }
                "links" => {
                    let links = section.list()?;
                    self.links =
                        links.iter().map(|link| Link::read(&link.table()?)).collect::<Result<_, _>>()?;
                    self.made(&section);
                }
                name => {
                    for item in section.table()?.entries() {
                        match name {
                            "ui" => self.ui.lay(&item)?,
                            "refresh" => self.refresh.lay(&item)?,
                            "logs" => self.logs.lay(&item)?,
                            _ => self.production.lay(&item)?,
                        }
                        self.made(&item);
                    }
                }
            }
        }
        Ok(())
    }

    fn made(&mut self, item: &Item<'_>) {
        self.origins.insert(item.path.clone(), item.place());
    }

    fn lay_account(&mut self, item: &Item<'_>) -> Result<(), Mistake> {
        let table = item.table()?;
        table.only(&["profile", "id", "label", "production"])?;
        let mut account = self.accounts.remove(&item.key).unwrap_or_default();
        for part in table.entries() {
            match part.key.as_str() {
                "profile" => account.profile = Some(part.text()?.to_owned()),
                "id" => {
                    let id = part.text()?;
                    if id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
                        return Err(
                            part.mistake(format!("`{id}` is not an account id, which has twelve digits"))
                        );
                    }
                    account.id = Some(id.to_owned());
                }
                "label" => account.label = Some(part.text()?.to_owned()),
                _ => account.production = Some(part.flag()?),
            }
            self.made(&part);
        }
        self.accounts.insert(item.key.clone(), account);
        Ok(())
    }
}

impl Ui {
    fn lay(&mut self, item: &Item<'_>) -> Result<(), Mistake> {
        match item.key.as_str() {
            "theme" => self.theme = item.text()?.to_owned(),
            "keymap" => self.keymap = item.text()?.to_owned(),
            "ascii" => {
                let choices = [("auto", Choice::Auto), ("always", Choice::Always), ("never", Choice::Never)];
                self.ascii = choice(item, &choices)?;
            }
            "mouse" => self.mouse = item.flag()?,
            "time" => self.time = choice(item, &[("local", TimeStyle::Local), ("utc", TimeStyle::Utc)])?,
            "fold_healthy" => self.fold_healthy = item.flag()?,
            "bell" => self.bell = item.flag()?,
            "title" => self.title = item.flag()?,
            _ => {
                let known = ["theme", "keymap", "ascii", "mouse", "time", "fold_healthy", "bell", "title"];
                return Err(item.unknown("setting", known));
            }
        }
        Ok(())
    }
}

impl Refresh {
    fn lay(&mut self, item: &Item<'_>) -> Result<(), Mistake> {
        let least = Duration::from_secs(1);
        match item.key.as_str() {
            "focused" => self.focused = span_of(item, least)?,
            "visible" => self.visible = span_of(item, least)?,
            "rest" => self.rest = span_of(item, least)?,
            _ => return Err(item.unknown("setting", ["focused", "visible", "rest"])),
        }
        Ok(())
    }
}

impl Logs {
    fn lay(&mut self, item: &Item<'_>) -> Result<(), Mistake> {
        match item.key.as_str() {
            "since" => self.since = span_of(item, Duration::ZERO)?,
            "memory" => self.memory = bytes(item, 1 << 20)?,
            "fields" => self.fields = item.texts()?,
            "message_fields" => self.message_fields = item.texts()?,
            "level_fields" => self.level_fields = item.texts()?,
            _ => {
                let known = ["since", "memory", "fields", "message_fields", "level_fields"];
                return Err(item.unknown("setting", known));
            }
        }
        Ok(())
    }
}

impl Production {
    fn lay(&mut self, item: &Item<'_>) -> Result<(), Mistake> {
        match item.key.as_str() {
            "patterns" => self.patterns = item.texts()?,
            "except" => self.except = item.texts()?,
            _ => return Err(item.unknown("setting", ["patterns", "except"])),
        }
        Ok(())
    }
}

fn regions(set: &Item<'_>) -> Result<Vec<String>, Mistake> {
    if set.key.contains(',') || is_region(&set.key) {
        return Err(set.mistake("a set's name must not look like a region or a list"));
    }
    let mut regions = Vec::new();
    for item in set.list()? {
        let name = item.text()?;
        if !is_region(name) {
            return Err(item.mistake(format!("`{name}` is not a region such as eu-west-2")));
        }
        regions.push(name.to_owned());
    }
    Ok(regions)
}

/// Whether a word has the form of a region's name: `eu-west-2`, `us-gov-east-1`. Which ones exist, AWS knows.
fn is_region(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let [names @ .., number] = parts.as_slice() else { return false };
    (2..=4).contains(&names.len())
        && names.iter().all(|part| part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_lowercase()))
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
