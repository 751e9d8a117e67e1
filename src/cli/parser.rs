//! The command line, made from the command table with clap's builder: a verb or flag that is not in the
//! table does not exist, and help, completions and documentation cannot drift from it.
//!
//! Must not perform anything: it turns words into a `Request`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, ValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, ArgMatches};

use crate::cli::exit::Problem;
use crate::command::wish::Flags;
use crate::command::{Arg, Command, GLOBAL_FLAGS, Id, Kind, TABLE};
use crate::stdx::span;

/// A verb with the values of its arguments, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The verb; `Console` when none was given.
    pub id: Id,
    /// Argument name → values, in the order given; a switch that is on has one empty value.
    values: BTreeMap<&'static str, Vec<String>>,
    /// The arguments that were given, not defaulted.
    given: Vec<&'static str>,
}

/// What came of reading a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// Something to do.
    Request(Request),
    /// Help or the version was asked for: print it and end well.
    Text(String),
}

impl Request {
    /// The last value of an argument.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.last().map(String::as_str)
    }

    /// All values of an argument.
    #[must_use]
    pub fn all(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a switch is on.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Whether the argument was given, rather than defaulted.
    #[must_use]
    pub fn is_given(&self, name: &str) -> bool {
        self.given.contains(&name)
    }

    /// A span's value; the parser has checked that it is one.
    #[must_use]
    pub fn span(&self, name: &str) -> Option<Duration> {
        self.text(name).and_then(|text| span::parse(text).ok())
    }

    /// A number's value; the parser has checked that it is one.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.text(name).and_then(|text| text.parse().ok())
    }

    /// A path's value.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }
}

impl Flags for Request {
    fn value(&self, name: &str) -> Option<&str> {
        self.text(name)
    }

    fn has(&self, name: &str) -> bool {
        self.is_on(name)
    }
}

/// The whole command line as clap sees it.
#[must_use]
pub fn command_line() -> clap::Command {
    let mut root = clap::Command::new("opsdeck")
        .version(env!("CARGO_PKG_VERSION"))
        .about("An operations console for systems on Amazon ECS; without a verb it opens the console")
        .disable_help_subcommand(true)
        .subcommand_value_name("VERB")
        .subcommand_help_heading("Verbs")
        .args(GLOBAL_FLAGS.iter().map(|row| argument(row).global(true)))
        .args(Id::Console.command().args.iter().map(argument));
    let rows = || TABLE.iter().filter(|row| row.on_command_line());
    let made = |name: &'static str, row: &Command| {
        clap::Command::new(name).about(row.doc).args(row.args.iter().map(argument))
    };
    // A name of two words is a verb below a verb.
    let below = |parent: &str| -> Vec<clap::Command> {
        rows()
            .filter_map(|row| Some((row.id.name().split_once(' ')?, row)))
            .filter(|((first, _), _)| *first == parent)
            .map(|((_, second), row)| made(second, row))
            .collect()
    };
    let mut parents: Vec<&str> = Vec::new();
    for row in rows() {
        let name = row.id.name();
        match name.split_once(' ') {
            None => {
                let below = below(name);
                let negates = !below.is_empty();
                let verb = made(name, row).subcommands(below);
                root = root.subcommand(verb.args_conflicts_with_subcommands(negates));
            }
            Some((parent, _)) if Id::named(parent).is_some() || parents.contains(&parent) => {}
            Some((parent, _)) => {
                parents.push(parent);
                let below = below(parent);
                let words: Vec<&str> = below.iter().map(clap::Command::get_name).collect();
                let about = format!("Change one {parent}: {}", words.join(", "));
                let verb = clap::Command::new(parent).about(about).subcommand_required(true);
                root = root.subcommand(verb.subcommands(below));
            }
        }
    }
    root
}

fn argument(row: &Arg) -> clap::Arg {
    let mut arg = clap::Arg::new(row.name).help(row.doc).required(row.required);
    if row.flag {
        arg = arg.long(row.name).value_name(value_name(row));
        if let Some(short) = row.short {
            arg = arg.short(short);
        }
    }
    if let Some(default) = row.default {
        arg = arg.default_value(default);
    }
    arg = match row.kind {
        Kind::Switch => return arg.action(ArgAction::SetTrue),
        Kind::Choice(words) => arg.value_parser(PossibleValuesParser::new(words)),
        Kind::Span => arg.value_parser(ValueParser::new(|text: &str| {
            span::parse(text).map(|_| text.to_owned()).map_err(|bad| bad.to_string())
        })),
        Kind::Number => arg.value_parser(ValueParser::new(|text: &str| {
            text.parse::<u64>().map(|_| text.to_owned()).map_err(|_| "it is not a whole number")
        })),
        Kind::ServiceName | Kind::Text | Kind::Path | Kind::Fault => {
            arg.value_parser(NonEmptyStringValueParser::new())
        }
    };
    if row.repeat {
        arg = arg.action(ArgAction::Append);
        // Commas mean something inside a fault.
        if row.flag && row.kind != Kind::Fault {
            arg = arg.value_delimiter(',');
        }
    }
    arg
}

/// What stands for a flag's value in help.
#[must_use]
pub fn value_name(row: &Arg) -> &'static str {
    match row.kind {
        Kind::Span => "SPAN",
        Kind::Number => "NUMBER",
        Kind::Path => "FILE",
        Kind::Fault => "FAULT",
        Kind::Choice(_) => "WORD",
        Kind::Switch => "",
        Kind::ServiceName | Kind::Text => match row.name {
            "listen" => "ADDRESS",
            "to" | "name" | "node-group" | "container" => "NAME",
            _ => "TEXT",
        },
    }
}

/// Reads a command line, the program's own name first.
///
/// # Errors
/// When it is not understood: exit code 2, with what is wrong and what to type instead.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Parsed, Problem> {
    match command_line().try_get_matches_from(words) {
        Ok(matches) => request(&matches).map(Parsed::Request),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(Parsed::Text(error.to_string())),
            _ => Err(explain(&error)),
        },
    }
}

fn request(root: &ArgMatches) -> Result<Request, Problem> {
    let console = Id::Console.command();
    let mut request = Request { id: Id::Console, values: BTreeMap::new(), given: Vec::new() };
    let Some((name, matches)) = root.subcommand() else {
        request.take(root, GLOBAL_FLAGS.iter().chain(console.args));
        return Ok(request);
    };
    let (name, matches) = match matches.subcommand() {
        Some((below, matches)) => (format!("{name} {below}"), matches),
        None => (name.to_owned(), matches),
    };
    // clap only hands over names of its subcommands, which come from the table.
    let id = Id::named(&name).ok_or_else(|| Problem::usage(format!("there is no verb `{name}`")))?;
    request.id = id;
    // The console's own flags may stand before the verb, where they count if the verb has them too.
    let early = |arg: &&Arg| is_given(root, arg);
    if let Some(stray) = console.args.iter().filter(early).find(|arg| !has(id.command(), arg.name)) {
        return Err(Problem::usage(format!("`{name}` has no flag --{}", stray.name))
            .hint(format!("opsdeck {name} --help shows its flags")));
    }
    request.take(root, console.args.iter().filter(early));
    request.take(matches, GLOBAL_FLAGS.iter().chain(id.command().args));
    Ok(request)
}

fn has(command: &Command, name: &str) -> bool {
    command.args.iter().any(|arg| arg.name == name)
}

fn is_given(matches: &ArgMatches, arg: &Arg) -> bool {
    matches.value_source(arg.name) == Some(clap::parser::ValueSource::CommandLine)
}

impl Request {
    fn take<'a>(&mut self, matches: &ArgMatches, args: impl Iterator<Item = &'a Arg>) {
        for arg in args {
            let values: Vec<String> = match arg.kind {
                Kind::Switch if matches.get_flag(arg.name) => vec![String::new()],
                Kind::Switch => continue,
                _ => matches.get_many::<String>(arg.name).into_iter().flatten().cloned().collect(),
            };
            if values.is_empty() {
                continue;
            }
            self.values.entry(arg.name).or_default().extend(values);
            if is_given(matches, arg) && !self.given.contains(&arg.name) {
                self.given.push(arg.name);
            }
        }
    }
}

/// clap's error in opsdeck's style: the sentence, then one hint.
fn explain(error: &clap::Error) -> Problem {
    let text = error.to_string();
    let mut paragraphs = text.split("\n\n");
    let sentence = paragraphs.next().unwrap_or_default();
    let mut lines = sentence.trim_start_matches("error: ").lines();
    let mut problem = Problem::usage(lines.next().unwrap_or("the command line is not understood").trim())
        .details(lines.map(|line| line.trim().to_owned()));
    let tip = text.lines().find_map(|line| line.trim().strip_prefix("tip: "));
    let usage = text.lines().find_map(|line| line.strip_prefix("Usage: "));
    problem.hint = match (tip, usage, suggested(error)) {
        (_, _, Some(word)) => Some(format!("did you mean `{word}`?")),
        (Some(tip), ..) => Some(tip.to_owned()),
        (None, Some(usage), _) => Some(format!("usage: {usage}")),
        (None, None, _) => Some("opsdeck --help shows verbs and flags".to_owned()),
    };
    problem
}

fn suggested(error: &clap::Error) -> Option<String> {
    let kinds = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    kinds.iter().find_map(|kind| match error.get(*kind)? {
        ContextValue::String(word) => Some(word.clone()),
        ContextValue::Strings(words) => words.last().cloned(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Parsed, Problem> {
        parse(std::iter::once("opsdeck").chain(line.split_whitespace()).map(OsString::from))
    }

    fn requested(line: &str) -> Request {
        match parsed(line) {
            Ok(Parsed::Request(request)) => request,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn clap_accepts_the_table() {
        command_line().debug_assert();
    }

    #[test]
    fn no_verb_is_the_console() {
        let request = requested("--cluster a,b --region eu-west-2");
        assert_eq!(request.id, Id::Console);
        assert_eq!(request.all("cluster"), ["a", "b"]);
        assert_eq!(request.text("output"), Some("table"));
        assert!(request.is_given("region") && !request.is_given("output"));
    }

    #[test]
    fn flags_may_stand_before_and_after_the_verb() {
        let request = requested("--cluster a --region r1 services web --cluster b -o json");
        assert_eq!(request.id, Id::Services);
        assert_eq!(request.all("cluster"), ["a", "b"]);
        assert_eq!(
            (request.text("NAME"), request.text("output"), request.text("region")),
            (Some("web"), Some("json"), Some("r1"))
        );
    }

    #[test]
    fn a_fault_keeps_its_commas() {
        let request = requested("sim --fault ecs:*:throttle=0.2,after --fault a:latency=1s");
        assert_eq!(request.all("fault"), ["ecs:*:throttle=0.2,after", "a:latency=1s"]);
    }

    #[test]
    fn spans_numbers_and_switches_are_typed() {
        let request = requested("logs web -f --since 1h30m --tail 20");
        assert_eq!(request.span("since"), Some(Duration::from_secs(5_400)));
        assert_eq!(request.number("tail"), Some(20));
        assert!(request.is_on("follow") && !request.is_on("raw"));
    }

    /// The words of a shell's line, without its comment; single quotes hold words together.
    fn words(line: &str) -> Vec<OsString> {
        let mut words = Vec::new();
        let mut word: Option<String> = None;
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '\'' => {
                    quoted = !quoted;
                    word.get_or_insert_default();
                }
                ' ' if !quoted => words.extend(word.take().map(OsString::from)),
                '#' if !quoted && word.is_none() => break,
                c => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word.map(OsString::from));
        words
    }

    /// Every command line of ours that a page shows: in blocks, and behind `cargo run … --`.
    fn shown(page: &str) -> Vec<Vec<OsString>> {
        let lines = page.lines().filter_map(|line| {
            let rest = match line.strip_prefix("cargo run ") {
                Some(rest) => rest.split_once("-- ")?.1,
                None if line == "opsdeck" => "",
                None => line.strip_prefix("opsdeck ")?,
            };
            Some(words(rest))
        });
        lines.collect()
    }

    #[test]
    fn what_the_pages_tell_to_type_is_understood() {
        let pages = [
            ("README.md", include_str!("../../README.md"), 10),
            ("docs/architecture.md", include_str!("../../docs/architecture.md"), 0),
        ];
        for (name, page, least) in pages {
            let lines = shown(page);
            assert!(lines.len() >= least, "{name} shows {} lines", lines.len());
            for line in lines {
                let understood = parse(std::iter::once("opsdeck".into()).chain(line.clone()));
                assert!(understood.is_ok(), "{name} tells to type {line:?}: {understood:?}");
            }
        }
        assert!(parse(std::iter::once("opsdeck".into()).chain(words("services --nope"))).is_err());
    }

    #[test]
    fn help_and_version_are_text() {
        assert!(matches!(parsed("--help"), Ok(Parsed::Text(text)) if text.contains("services")));
        assert!(matches!(parsed("logs -h"), Ok(Parsed::Text(text)) if text.contains("--follow")));
        assert!(matches!(parsed("--version"), Ok(Parsed::Text(text)) if text.starts_with("opsdeck ")));
    }

    #[test]
    fn what_is_not_understood_is_explained() {
        for (line, explained) in [
            ("servces", "opsdeck: unrecognized subcommand 'servces'\nhint: did you mean `services`?"),
            (
                "services --regoin x",
                "opsdeck: unexpected argument '--regoin' found\nhint: did you mean `--region`?",
            ),
            (
                "logs",
                "opsdeck: the following required arguments were not provided:\n  <NAME>\n\
                 hint: usage: opsdeck logs <NAME>",
            ),
            (
                "logs web --since 10",
                "opsdeck: invalid value '10' for '--since <SPAN>': `10` is not a span of time: \
                 write a number and a unit, such as 90s, 15m, 1h30m or 2d\nhint: opsdeck --help shows verbs and flags",
            ),
            (
                "services -o yaml",
                "opsdeck: invalid value 'yaml' for '--output <WORD>'\n  [possible values: table, json, ndjson]\n\
                 hint: opsdeck --help shows verbs and flags",
            ),
            (
                "--cluster x whoami",
                "opsdeck: `whoami` has no flag --cluster\nhint: opsdeck whoami --help shows its flags",
            ),
        ] {
            let problem = parsed(line).unwrap_err();
            assert_eq!(problem.to_string(), explained);
            assert_eq!(problem.exit as u8, 2);
        }
    }
}
