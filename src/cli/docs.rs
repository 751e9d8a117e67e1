//! `docs PAGE`: the reference in Markdown, made from the tables that the program itself works by. The pages
//! under `docs/` are this output; a test holds them current.
//!
//! Must not say anything that is not in a table, but for the paragraphs that open a page.

use std::fmt::Write as _;

use crate::cli::envelope::{Missing, ScopeState};
use crate::cli::exit::CODES;
use crate::cli::item::{Field, Shape, Shaped};
use crate::cli::look;
use crate::cli::parser::value_name;
use crate::cli::verb;
use crate::command::{Arg, Command, GLOBAL_FLAGS, Kind, TABLE};
use crate::config::{POLICY_SAMPLE, SAMPLE};
use crate::keymap::Keymap;

/// A page's text; `None` for an unknown page.
#[must_use]
pub fn page(name: &str) -> Option<String> {
    let body = match name {
        "cli" => command_line(),
        "keys" => keys(),
        "config" => config(),
        "json" => json(),
        "policy" => policy(),
        _ => return None,
    };
    let origin = format!("<!-- Printed by `opsdeck docs {name}`. Do not edit: a test compares. -->\n\n");
    Some(format!("{origin}{}\n", body.trim_end()))
}

fn command_line() -> String {
    let mut text = String::from(
        "# The command line\n\n\
         `opsdeck` without a verb opens the console. Every verb without NAME lists all. NAME is SERVICE, \
         CLUSTER/SERVICE or a service's ARN; of verbs that list something else it is the name or the ARN of one of \
         those. One that means several things lists them and fails with 2, one that means none names the nearest \
         ones and fails with 3. An ARN says its region, so none has to be given.\n\n\
         Results go to stdout, everything else to stderr as `opsdeck: what` and `hint: what to do`. \
         `--output json` prints one object, `ndjson` one object a line and then a trailer ([json.md](json.md)). \
         Scopes are asked at the same time; one that fails does not hide the others, and the exit code is then 6. \
         What could not be read is never printed as an empty list: it is null in JSON, said in the text, and stands \
         with its reason in `failures` and on stderr.\n\n",
    );
    text.push_str("## Flags of every verb\n\n");
    args(&mut text, GLOBAL_FLAGS);
    text.push_str("\n## Verbs\n");
    for row in TABLE.iter().filter(|row| row.on_command_line()) {
        let _ = write!(text, "\n### `{}`\n\n{}.\n", usage(row), row.doc);
        if !row.args.is_empty() {
            text.push('\n');
            args(&mut text, row.args);
        }
    }
    text.push_str("\n## Exit codes\n\n| code | meaning |\n|---|---|\n");
    for (code, meaning) in CODES {
        let _ = writeln!(text, "| {code} | {} |", cell(meaning));
    }
    text
}

fn policy() -> String {
    format!(
        "# Policies\n\n`/etc/opsdeck/policy.toml` holds for everybody on the machine; `policy.toml` in the configuration \
         folder may only tighten it. A policy that cannot be read forbids every change.\n\n```toml\n{}\n```\n",
        POLICY_SAMPLE.trim_end()
    )
}

fn usage(row: &Command) -> String {
    let places = row.args.iter().filter(|arg| !arg.flag).map(|arg| match arg.required {
        true => arg.name.to_owned(),
        false => format!("[{}]", arg.name),
    });
    let flags = row.args.iter().any(|arg| arg.flag).then(|| "[flags]".to_owned());
    ["opsdeck".to_owned(), row.id.name().to_owned()]
        .into_iter()
        .chain(places)
        .chain(flags)
        .collect::<Vec<_>>()
        .join(" ")
}

fn args(text: &mut String, args: &[Arg]) {
    text.push_str("| argument | meaning | values | default |\n|---|---|---|---|\n");
    for arg in args {
        let name = match (arg.flag, arg.short) {
            (false, _) => arg.name.to_owned(),
            (true, None) => format!("--{}", arg.name),
            (true, Some(short)) => format!("-{short}, --{}", arg.name),
        };
        let name = match arg.kind {
            Kind::Switch => name,
            _ if arg.flag => format!("{name} {}", value_name(arg)),
            _ => name,
        };
        let _ = writeln!(
            text,
            "| `{name}` | {} | {} | {} |",
            cell(arg.doc),
            cell(&values(arg)),
            arg.default.map_or_else(String::new, |default| format!("`{default}`"))
        );
    }
}

fn values(arg: &Arg) -> String {
    let kind = match arg.kind {
        Kind::ServiceName => "a service".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Span => "a span: `90s`, `15m`, `1h30m`, `2d`".to_owned(),
        Kind::Number => "a whole number".to_owned(),
        Kind::Choice(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Kind::Path => "a path".to_owned(),
        Kind::Fault => "a fault".to_owned(),
        Kind::Switch => String::new(),
    };
    match (arg.repeat, arg.flag && arg.kind != Kind::Fault) {
        (true, true) => format!("{kind}; several by commas or by repeating"),
        (true, false) => format!("{kind}; may be repeated"),
        (false, _) => kind,
    }
}

fn keys() -> String {
    let mut text = String::from(
        "# Keys\n\n\
         Keymaps are files: the shipped ones lie in `keymaps/`, your own in `~/.config/opsdeck/keymaps/`. \
         `opsdeck keys NAME` shows one, `opsdeck keys --check FILE` checks one. In the console `?` shows the \
         keys that work where you are.\n",
    );
    for keymap in Keymap::names().filter_map(Keymap::builtin) {
        let _ = write!(text, "\n## {}\n\n{}.\n", keymap.name, keymap.description.trim_end_matches('.'));
        for (context, lines) in keymap.listing() {
            let _ = write!(
                text,
                "\n### {}\n\n| keys | command | what it does |\n|---|---|---|\n",
                context.name()
            );
            for line in lines {
                let keys =
                    line.keys.iter().map(|key| format!("`{}`", cell(key))).collect::<Vec<_>>().join(" ");
                let _ = writeln!(text, "| {keys} | `{}` | {} |", line.invocation, cell(&line.doc));
            }
        }
    }
    text
}

fn config() -> String {
    format!(
        "# Configuration\n\n\
         Flags win over environment variables, those over the file. Themes and keymaps of your own lie beside \
         the file, in `themes/` and `keymaps/`.\n\n\
         ```toml\n{}\n```\n\n\
         ## Environment variables\n\n\
         The SDK's own are honoured: `AWS_PROFILE`, `AWS_REGION`, `AWS_DEFAULT_REGION`, `AWS_ENDPOINT_URL`, \
         `AWS_ENDPOINT_URL_` with `ECS`, `CLOUDWATCH_LOGS`, `STS`, `CLOUDWATCH`, `RDS`, `ELASTICACHE`, \
         `SECRETS_MANAGER`, `SSM`, `CLOUDTRAIL`, `APPLICATION_AUTO_SCALING`, `ECR`, `IAM` or \
         `ELASTIC_LOAD_BALANCING_V2` behind it, credentials and \
         the places of the SDK's files. Besides: `NO_COLOR`, `COLORTERM`, `TERM`, `LANG`, `LC_ALL`, `LC_CTYPE`, \
         `COLUMNS`, `XDG_CONFIG_HOME`, `XDG_STATE_HOME`, `XDG_RUNTIME_DIR`; and \
         `OPSDECK_READ_ONLY=1`, with which nothing can be changed.\n",
        SAMPLE.trim_end()
    )
}

fn json() -> String {
    let mut text = String::from(
        "# Machine-readable output\n\n\
         Names never change their meaning; new fields may be added. Every documented key is always there; what \
         AWS did not say is null. Times are RFC 3339 in UTC with milliseconds. Sentences and names come from \
         AWS as they are: they are data, not fit for a terminal.\n\n\
         ## The envelope\n\n\
         `--output json` prints one object. `--output ndjson` prints each item on a line of its own and then \
         one trailer line: the envelope without `items`.\n\n",
    );
    fields(
        &mut text,
        &[
            Field {
                name: "as_of",
                kind: "time",
                doc: "The moment before the first request: nothing in it is older",
            },
            Field { name: "scopes", kind: "list of ScopeState", doc: "Where it was asked" },
            Field { name: "complete", kind: "boolean", doc: "Whether nothing is missing" },
            Field { name: "failures", kind: "list of Missing", doc: "What is missing" },
            Field { name: "items", kind: "list", doc: "What was found; not in the trailer of ndjson" },
        ],
    );
    for shape in [ScopeState::SHAPE, Missing::SHAPE] {
        section(&mut text, &shape, "###");
    }
    for (id, shapes) in verb::shapes() {
        let _ = write!(text, "\n## `{}`\n", id.name());
        for shape in shapes {
            section(&mut text, &shape, "###");
        }
    }
    text.push_str(
        "\n## `keys` and `themes`\n\nThey ask nobody, so `json` is a plain array and `ndjson` has no trailer.\n",
    );
    for shape in look::shapes() {
        section(&mut text, &shape, "###");
    }
    text
}

fn section(text: &mut String, shape: &Shape, head: &str) {
    let _ = write!(text, "\n{head} {}\n\n{}\n\n", shape.name, shape.doc.trim());
    fields(text, shape.fields);
}

fn fields(text: &mut String, fields: &[Field]) {
    text.push_str("| field | value | meaning |\n|---|---|---|\n");
    for field in fields {
        let _ = writeln!(text, "| `{}` | {} | {} |", field.name, cell(field.kind), cell(field.doc.trim()));
    }
}

/// Text fit for a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
