//! The configuration: its sample, its layers, its complaints.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn load(text: &str) -> Config {
    Config::load(&[Layer { source: "config.toml", text }]).unwrap_or_else(|error| panic!("{error}"))
}

fn complaint(text: &str) -> String {
    Config::load(&[Layer { source: "config.toml", text }]).unwrap_err().to_string()
}

/// Lines that begin with `#` and no blank are examples.
fn sample_with_examples() -> String {
    let uncommented = SAMPLE.lines().map(|line| match line.strip_prefix('#') {
        Some(example) if !example.is_empty() && !example.starts_with(' ') => example,
        _ => line,
    });
    uncommented.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_sample_says_every_default() {
    let sample = load(SAMPLE);
    let made: BTreeSet<&str> = sample.origins().map(|(key, _)| key).collect();
    let settings = [
        "regions.default",
        "production.patterns",
        "production.except",
        "ui.theme",
        "ui.keymap",
        "ui.ascii",
        "ui.mouse",
        "ui.time",
        "ui.fold_healthy",
        "ui.bell",
        "ui.title",
        "refresh.focused",
        "refresh.visible",
        "refresh.rest",
        "logs.since",
        "logs.memory",
        "logs.fields",
        "logs.message_fields",
        "logs.level_fields",
    ];
    assert_eq!(made, settings.into_iter().collect());
    assert_eq!(Config { origins: BTreeMap::new(), ..sample.clone() }, Config::default());
    // The list above holds what the reader knows: each complaint about an unknown key names all of them.
    for section in ["production", "ui", "refresh", "logs"] {
        let told = complaint(&format!("[{section}]\nqqqqqq = 1"));
        let allowed: BTreeSet<&str> = told.split_once("allowed: ").unwrap().1.split(", ").collect();
        let listed = settings.iter().filter_map(|key| key.strip_prefix(section)?.strip_prefix('.'));
        assert_eq!(allowed, listed.collect(), "{section}");
    }
}

#[test]
fn the_samples_examples_are_true() {
    let config = load(&sample_with_examples());
    let shop = &config.accounts["shop"];
    assert_eq!(shop.profile.as_deref(), Some("shop-admin"));
    assert_eq!((shop.id.as_deref(), shop.production), (Some("123456789012"), Some(true)));
    assert_eq!(config.regions["work"], ["eu-west-2", "us-east-1"]);
    assert_eq!(config.links.len(), 1);
    let database = &config.databases["cma-production-db"];
    assert_eq!(database.rpo, Some(Duration::from_secs(3_600)));
    let pool = &database.pools[0];
    assert_eq!(pool.service, "cma-production/cma-api-production");
    assert_eq!((pool.connections, pool.max_tasks), (15, Some(6)));
    for (name, _) in Variable::ALL {
        assert!(SAMPLE.contains(&format!("{{{name}}}")), "{name} is not in the sample");
    }
}

#[test]
fn the_default_theme_and_keymap_exist() {
    let config = Config::default();
    assert!(crate::theme::Theme::builtin(&config.ui.theme).is_some());
    assert!(crate::keymap::Keymap::builtin(&config.ui.keymap).is_some());
}

#[test]
fn later_layers_win_key_by_key_and_each_value_knows_its_source() {
    let config = Config::load(&[
        Layer {
            source: "a.toml",
            text: "[ui]\ntheme = \"dark\"\nbell = true\n[accounts.x]\nid = \"123456789012\"",
        },
        Layer { source: "b.toml", text: "\n[ui]\ntheme = \"light\"\n[accounts.x]\nlabel = \"X\"" },
    ])
    .unwrap();
    assert_eq!((config.ui.theme.as_str(), config.ui.bell), ("light", true));
    let from = |key: &str| config.provenance(key).map(|place| (place.source.as_str(), place.line));
    assert_eq!(from("ui.theme"), Some(("b.toml", 3)));
    assert_eq!(from("ui.bell"), Some(("a.toml", 3)));
    assert_eq!(from("ui.mouse"), None);
    let account = &config.accounts["x"];
    assert_eq!((account.id.as_deref(), account.label.as_deref()), (Some("123456789012"), Some("X")));
}

#[test]
fn mistakes_name_file_line_key_and_what_is_allowed() {
    let cases = [
        ("[ui]\ntheem = \"x\"", "line 2, ui.theem: there is no setting `theem`; did you mean `theme`?"),
        ("[ui]\ntime = \"zulu\"", "line 2, ui.time: there is no choice `zulu`; allowed: local, utc"),
        ("[ui]\nmouse = \"yes\"", "line 2, ui.mouse: this is a text, but true or false is wanted"),
        ("ui = 3", "line 1, ui: this is a whole number, but a table is wanted"),
        (
            "[refresh]\nrest = \"60\"",
            "line 2, refresh.rest: `60` is not a span of time: write a number and a unit, such as 90s, 15m, 1h30m \
             or 2d",
        ),
        ("[refresh]\nrest = \"10ms\"", "line 2, refresh.rest: the least that is allowed is 1 s"),
        ("[logs]\nmemory = \"1KiB\"", "line 2, logs.memory: the least that is allowed is 1MiB"),
        (
            "[logs]\nmemory = \"64MB\"",
            "line 2, logs.memory: `64MB` is not an amount of memory: write a number and KiB, MiB or GiB, such as \
             64MiB",
        ),
        (
            "[logs]\nfields = [\n\"a\",\n1]",
            "line 4, logs.fields[2]: this is a whole number, but a text in quotes is wanted",
        ),
        (
            "[accounts.x]\nid = \"12345678901\"",
            "line 2, accounts.x.id: `12345678901` is not an account id, which has twelve digits",
        ),
        (
            "[regions]\nwork = [\"London\"]",
            "line 2, regions.work[1]: `London` is not a region such as eu-west-2",
        ),
        (
            "[regions]\neu-west-2 = []",
            "line 2, regions.eu-west-2: a set's name must not look like a region or a list",
        ),
        ("[[links]]\nlabel = \"x\"", "line 1, links[1]: `url` is missing"),
        (
            "[[links]]\nlabel = \"x\"\nurl = \"https://x/{tag}\"",
            "line 3, links[1].url: there is no variable `tag`; allowed: region, cluster, service, account_id, \
             image_tag, image_sha, task_definition",
        ),
        (
            "[[links]]\nlabel = \"x\"\nurl = \"https://{service}.x/\"",
            "line 3, links[1].url: a variable may stand only behind the first `/` after the host",
        ),
        (
            "[[links]]\nlabel = \"x\"\nurl = \"file:///etc/passwd\"",
            "line 3, links[1].url: a link begins with https:// or http://",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(complaint(text), format!("config.toml, {expected}"));
    }
    assert!(complaint("[ui").starts_with("config.toml, line 1: "));
}

#[test]
fn regions_are_expanded_from_sets_each_once() {
    let config = load("[regions]\nwork = [\"eu-west-2\", \"us-east-1\"]");
    let expanded = config.expand_regions("us-east-1, work,us-gov-east-1").unwrap();
    assert_eq!(expanded, ["us-east-1", "eu-west-2", "us-gov-east-1"]);
    assert_eq!(config.expand_regions(""), Ok(vec![]));
    assert_eq!(
        config.expand_regions("wrok").unwrap_err(),
        "`wrok` is neither a region nor a set of regions (sets: default, work)"
    );
}

#[test]
fn everything_is_production_that_is_not_named_otherwise() {
    let config = load("[accounts.shop]\nprofile = \"shop-staging\"\n[accounts.lab]\nproduction = false");
    for (account, cluster, production) in [
        ("default", None, true),
        ("default", Some("cma-production"), true),
        ("default", Some("cma-staging"), false),
        ("default", Some("DEV"), false),
        ("default", Some("devices"), true),
        ("my_sandbox", Some("web"), false),
        ("shop", None, false),
        ("lab", Some("cma-production"), false),
    ] {
        assert_eq!(config.is_production(account, cluster), production, "{account} {cluster:?}");
    }
    let config = load("[production]\npatterns = [\"*prod*\"]\nexcept = []");
    assert!(config.is_production("default", Some("preprod-2")));
    assert!(!config.is_production("default", Some("web")));
}

#[test]
fn links_are_rendered_when_all_their_values_are_known() {
    let text = "[[links]]\nmatch = \"cma-*/*-api\"\nlabel = \"Commit\"\nurl = \
                \"https://git.example/{cluster}/c/{image_sha}?td={task_definition}\"";
    let config = load(text);
    let link = &config.links[0];
    assert!(link.applies_to("cma-production", "cma-api"));
    assert!(!link.applies_to("gov-cluster", "cma-api"));
    let image = "123456789012.dkr.ecr.eu-west-2.amazonaws.com:443/cma/api:sha-0a1b2c3d@sha256:ff";
    let value = |variable| match variable {
        Variable::Cluster => Some("a/b c".to_owned()),
        Variable::ImageSha => image_sha(image).map(str::to_owned),
        Variable::TaskDefinition => Some("api:7".to_owned()),
        _ => None,
    };
    assert_eq!(link.render(value).unwrap(), "https://git.example/a%2Fb%20c/c/0a1b2c3d?td=api:7");
    assert_eq!(link.render(|variable| (variable != Variable::ImageSha).then(|| "x".to_owned())), None);
}

#[test]
fn tags_and_commits_are_read_from_images() {
    for (image, tag, sha) in [
        ("repo/api:latest", Some("latest"), None),
        ("host:5000/api", None, None),
        ("host:5000/api:0123abc", Some("0123abc"), Some("0123abc")),
        ("api:v1.2-0123abcdef", Some("v1.2-0123abcdef"), Some("0123abcdef")),
        ("api:0123ab", Some("0123ab"), None),
        ("api@sha256:0123456", None, None),
        ("api:", None, None),
        ("", None, None),
    ] {
        assert_eq!((image_tag(image), image_sha(image)), (tag, sha), "{image}");
    }
}

proptest! {
    #[test]
    fn a_star_matches_what_it_replaces(before in "[a-z]{0,4}", middle in "[a-z/]{0,6}", after in "[a-z]{0,4}") {
        let (pattern, name) = (format!("{before}*{after}"), format!("{before}{middle}{after}"));
        prop_assert!(value::glob(&pattern, &name));
        let (longer, other) = (format!("{pattern}?"), format!("{name}x"));
        prop_assert!(value::glob(&longer, &other));
        let foreign = format!("{name}!");
        prop_assert!(!value::glob(&name, &foreign));
    }

    #[test]
    fn no_text_breaks_the_reader(text in any::<String>()) {
        let _ = Config::load(&[Layer { source: "x.toml", text: &text }]);
    }
}

#[test]
fn databases_are_declared_and_mistakes_named() {
    let config = load("[databases.db]\nrpo = \"15m\"\npools = [{ service = \"api\", connections = 5 }]");
    assert_eq!(config.databases["db"].pools[0].max_tasks, None);
    assert_eq!(config.provenance("databases.db.rpo").map(|place| place.line), Some(2));
    // A later layer wins key by key.
    let layers = [
        Layer { source: "a", text: "[databases.db]\nrpo = \"15m\"\npools = []" },
        Layer { source: "b", text: "[databases.db]\nrpo = \"1h\"" },
    ];
    assert_eq!(Config::load(&layers).unwrap().databases["db"].rpo, Some(Duration::from_secs(3_600)));
    for (text, told) in [
        (
            "[databases.db]\nrpo = \"soon\"",
            "config.toml, line 2, databases.db.rpo: `soon` is not a span of time",
        ),
        ("[databases.db]\nrto = \"1h\"", "config.toml, line 2, databases.db.rto: there is no setting `rto`"),
        (
            "[[databases.db.pools]]\nservice = \"a/b/c\"\nconnections = 1",
            "config.toml, line 2, databases.db.pools[1].service: `a/b/c` is not SERVICE or CLUSTER/SERVICE",
        ),
        (
            "[[databases.db.pools]]\nservice = \"a\"\nconnections = 0",
            "config.toml, line 3, databases.db.pools[1].connections: the least that is allowed is 1",
        ),
        ("[[databases.db.pools]]\nservice = \"a\"", "databases.db.pools[1]: `connections` is missing"),
        ("[databases]\ndb = 3", "config.toml, line 2, databases.db: this is a whole number"),
    ] {
        let complaint = complaint(text);
        assert!(complaint.contains(told), "{complaint}");
    }
}
