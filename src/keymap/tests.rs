//! Keymaps: what shipped ones bind, what files may say, how keys resolve.

use proptest::prelude::*;

use super::*;
use Context::{Anywhere, List, Logs, Row, Service, Task};

fn keys(text: &str) -> Vec<Key> {
    key::parse_sequence(text).unwrap()
}

fn run(text: &str) -> Lookup {
    Lookup::Run(Invocation::parse(text).unwrap())
}

fn complaint(text: &str) -> String {
    Keymap::parse("my.toml", text.to_owned().leak(), &|_| None).unwrap_err().to_string()
}

fn one(row: &str) -> Keymap {
    let text = format!("keys = [\n{row}\n]");
    Keymap::parse("my.toml", text.leak(), &|_| None).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn shipped_keymaps_load() {
    for name in Keymap::names() {
        let text = Keymap::shipped(name).unwrap();
        let keymap =
            Keymap::parse(&format!("{name}.toml"), text, &|_| None).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(keymap.name, name);
        assert!(!keymap.description.is_empty());
    }
}

#[test]
fn every_console_command_has_a_key_in_every_keymap_or_is_for_the_palette() {
    for name in Keymap::names() {
        let keymap = Keymap::builtin(name).unwrap();
        for id in Id::ALL.iter().filter(|id| id.command().in_console()) {
            let bound = Context::ALL.iter().any(|context| !keymap.keys_for(*id, &[*context]).is_empty());
            assert_eq!(bound, !PALETTE_ONLY.contains(id), "{name}: {}", id.name());
            // A command that has keys has one in each context that it is made for.
            for context in id.command().contexts {
                let here = keymap.keys_for(*id, &[Anywhere, *context]);
                let elsewhere = *context == Anywhere && id.command().contexts.len() > 1;
                assert!(!bound || elsewhere || !here.is_empty(), "{name}: {} in {context:?}", id.name());
            }
        }
    }
    let text = Keymap::shipped("default").unwrap();
    let documented = PALETTE_ONLY.iter().map(|id| id.name()).collect::<Vec<_>>().join(", ");
    assert!(text.contains(&format!("By the palette only: {documented}.")), "the file's comment is wrong");
}

#[test]
fn the_default_keys_are_those_that_the_documentation_promises() {
    let keymap = Keymap::default();
    let service = [Anywhere, List, Row, Service];
    let logs = [Anywhere, Logs];
    let cases: &[(&str, &[Context], &str)] = &[
        ("?", &logs, "help"),
        (":", &service, "palette"),
        ("ctrl-c", &logs, "quit"),
        ("7", &service, "pane 7"),
        ("backtab", &service, "previous-pane"),
        ("enter", &service, "open"),
        ("l", &service, "logs"),
        ("l", &[Anywhere, List, Row, Task], "logs"),
        ("t", &service, "tasks"),
        ("t", &logs, "timestamps"),
        ("space", &logs, "follow"),
        ("ctrl-d", &logs, "page-down"),
        ("/", &logs, "filter"),
        ("g", &service, "top"),
        ("x", &[Anywhere, Context::TaskDefinition], "reveal"),
    ];
    for (typed, active, command) in cases {
        assert_eq!(keymap.resolve(&keys(typed), active), run(command), "{typed} in {active:?}");
    }
    assert_eq!(keymap.resolve(&keys("l"), &[Anywhere, List]), Lookup::None);
    assert_eq!(keymap.resolve(&keys("enter"), &[Anywhere]), Lookup::None);
    assert_eq!(keymap.resolve(&[], &service), Lookup::None);
}

#[test]
fn the_most_specific_context_decides_and_pending_keys_fall_through() {
    let vim = Keymap::builtin("vim").unwrap();
    let active = [Anywhere, List];
    assert_eq!(vim.resolve(&keys("g"), &active), Lookup::Pending, "a layer's `g g` takes the place of `g`");
    assert_eq!(vim.resolve(&keys("g g"), &active), run("top"));
    assert_eq!(vim.resolve(&keys("g t"), &active), run("next-pane"), "from the more general context");
    assert_eq!(vim.resolve(&keys("g x"), &active), Lookup::None);
    let followed: Vec<String> =
        vim.continuations(&keys("g"), &active).into_iter().flat_map(|line| line.keys).collect();
    assert_eq!(followed, ["g g", "g t", "g T"]);
    assert_eq!(vim.keys_for(Id::Logs, &[Anywhere, List, Row, Service]), ["l"]);
    assert_eq!(vim.resolve(&keys("l"), &[Anywhere, Logs]), run("right"));
}

#[test]
fn hints_leave_out_what_a_more_specific_context_takes() {
    let keymap = one("{ on = \"t\", run = \"theme\" }");
    assert_eq!(keymap.keys_for(Id::Theme, &[Anywhere]), ["T", "t"]);
    assert_eq!(keymap.keys_for(Id::Theme, &[Anywhere, Logs]), ["T"]);
    let keymap = one("{ on = \"t t\", run = \"theme\" }");
    assert_eq!(keymap.keys_for(Id::Theme, &[Anywhere, Logs]), ["T"], "`t` acts at once in logs");
    assert_eq!(keymap.keys_for(Id::Refresh, &[Anywhere]), ["r", "f5"]);
    let third = Invocation::parse("pane 3").unwrap();
    assert_eq!(keymap.keys_for_exactly(&third, &[Anywhere]), ["3"]);
}

#[test]
fn a_listing_groups_by_context_and_command() {
    let keymap = Keymap::default();
    let all = keymap.listing();
    assert_eq!(all.iter().map(|(context, _)| *context).collect::<Vec<_>>(), Context::ALL);
    let (_, anywhere) = &all[0];
    let panes = anywhere.iter().find(|line| line.invocation.id == Id::Pane).unwrap();
    assert_eq!(panes.keys_text(), "1 … 9");
    let help = &anywhere[0];
    assert_eq!((help.keys_text().as_str(), help.doc.as_str()), ("?, f1", "Show the keys that work here"));
    let here = keymap.listing_for(&[Anywhere, Logs]);
    assert_eq!(here[0].0, Logs);
    assert!(here.iter().all(|(context, _)| [Anywhere, Logs].contains(context)));
}

#[test]
fn layers_replace_and_take_away() {
    let keymap = one("{ on = \"q\", run = \"nothing\" },\n{ on = \"r\", run = \"zoom\" }");
    assert_eq!(keymap.resolve(&keys("q"), &[Anywhere]), Lookup::None);
    assert_eq!(keymap.resolve(&keys("r"), &[Anywhere]), run("zoom"));
    let keymap = keymap.extended("keys.toml", "keys = [{ on = \"q\", run = \"theme dark\" }]").unwrap();
    assert_eq!(keymap.resolve(&keys("q"), &[Anywhere]), run("theme dark"));
    let error = keymap.extended("keys.toml", "inherits = \"vim\"").unwrap_err().to_string();
    assert!(error.starts_with("keys.toml, line 1, inherits: "), "{error}");
}

#[test]
fn mistakes_name_file_line_and_key() {
    let row = |row: &str| complaint(&format!("keys = [\n{row}\n]"));
    assert_eq!(
        row("{ on = \"u\", run = \"refrehs\" }"),
        "my.toml, line 2, keys[1].run: there is no command `refrehs`; did you mean `refresh`?"
    );
    assert_eq!(
        row("{ on = \"u\", run = \"up\", when = \"lists\" }"),
        "my.toml, line 2, keys[1].when: there is no context `lists`; did you mean `list`?"
    );
    assert!(row("{ on = \"hyper-u\", run = \"help\" }").starts_with(
        "my.toml, line 2, keys[1].on: there is no key `hyper-u`; write a character, f1 to f12, or one of space,"
    ));
    assert_eq!(
        row("{ on = [\"u\", \"ctrl-i\"], run = \"help\" }"),
        "my.toml, line 2, keys[1].on[2]: a terminal sends the same for `ctrl-i` as for `tab`; write `tab`"
    );
    assert_eq!(
        row("{ on = \"u\", run = \"help\" },\n{ on = \"u\", run = \"quit\" }"),
        "my.toml, line 3, keys[2].on: `u` is bound twice in anywhere; first on line 2"
    );
    assert_eq!(
        row("{ on = \"u x\", run = \"help\" },\n{ on = \"u\", run = \"quit\" }"),
        "my.toml, line 3, keys[2].on: `u x` can never be typed in anywhere, since `u` acts at once (other row \
         on line 2)"
    );
    assert_eq!(
        row("{ on = \"u\", run = \"logs\", when = \"list\" }"),
        "my.toml, line 2, keys[1].run: `logs` does not work in list, but in: service, task"
    );
    assert_eq!(row("{ on = \"u\", run = \"pane\" }"), "my.toml, line 2, keys[1].run: `pane` wants NUMBER");
    assert_eq!(
        row("{ on = \"u\", run = \"service\" }"),
        "my.toml, line 2, keys[1].run: `service` wants NAME"
    );
    assert_eq!(row("{ on = \" \", run = \"help\" }"), "my.toml, line 2, keys[1].on: no key is named");
    assert!(row("{ run = \"help\" }").ends_with("`on` is missing"));
    assert!(
        row("{ on = \"u\", run = \"help\", if = \"x\" }").contains("line 2, keys[1].if: there is no setting")
    );
    assert!(row("{ on = \"u\", run = \"demo\" }").contains("works on the command line only"));
}

#[test]
fn a_keymap_without_a_way_out_is_refused() {
    let told = complaint("inherits = \"nothing\"\nkeys = [{ on = \"u\", run = \"help\" }]");
    assert!(told.ends_with("no key runs `quit` or `palette` anywhere: there would be no way out"), "{told}");
}

#[test]
fn inheritance_in_a_circle_or_from_nowhere_is_told() {
    let find = |name: &str| (name == "b").then_some("inherits = \"a\"");
    let error = Keymap::parse("a.toml", "inherits = \"b\"", &find).unwrap_err().to_string();
    assert_eq!(error, "b.toml, line 1, inherits: keymaps inherit in a circle: a → b → a");
    assert!(complaint("inherits = \"vimm\"").ends_with("did you mean `vim`?"));
}

#[test]
fn keys_are_read_and_written_in_one_form() {
    for text in
        ["ctrl-x", "G", "f12", "backtab", "-", "ctrl--", "alt-shift-up", "space", "ctrl-space", "é", "|"]
    {
        assert_eq!(Key::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(Key::parse("shift-tab").unwrap(), Key::plain(Code::BackTab));
    assert_eq!(Key::parse("shift-g").unwrap(), Key::plain(Code::Char('G')));
    assert_eq!(Key::parse("ctrl-D").unwrap(), Key::parse("ctrl-d").unwrap());
    assert_eq!(Key::new(Code::Char('?'), false, false, true), Key::plain(Code::Char('?')));
    for text in ["ctrl-", "ctrl-ctrl-x", "f13", "f0", "", "ctrl-m", "gg"] {
        assert!(Key::parse(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn what_parses_survives_a_round_trip(text in "((ctrl|alt|shift)-){0,3}(.|[a-z]{2,9}|f[0-9]{1,2})") {
        if let Ok(key) = Key::parse(&text) {
            prop_assert_eq!(Key::parse(&key.to_string()), Ok(key));
        }
    }

    #[test]
    fn no_text_breaks_the_reader(text in any::<String>()) {
        let _ = Key::parse(&text);
        let _ = Keymap::parse("x.toml", text.leak(), &|_| None);
    }
}
