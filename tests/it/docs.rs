//! The pages: those that the program prints are current, and every link to a file leads to one.

use std::collections::BTreeSet;

use crate::program::Program;
use crate::tidy::{read, root};

const PAGES: [&str; 5] = ["cli", "keys", "config", "json", "policy"];

#[test]
fn the_printed_pages_are_current() {
    for page in PAGES {
        let printed = Program::new().run(&["docs", page]);
        assert_eq!(printed.code, 0, "{printed:?}");
        let kept = read(&root().join(format!("docs/{page}.md")));
        assert!(
            printed.out == kept,
            "docs/{page}.md is not what is printed: cargo run -- docs {page} > docs/{page}.md"
        );
    }
}

/// The targets of a page's links and pictures that are files.
fn files(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    let local = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    local.map(|target| target.split('#').next().unwrap_or(target)).collect()
}

#[test]
fn every_link_to_a_file_leads_to_one() {
    let root = root();
    let mut pages = vec![root.join("README.md"), root.join("CHANGELOG.md")];
    for entry in std::fs::read_dir(root.join("docs")).unwrap() {
        pages.push(entry.unwrap().path());
    }
    pages.retain(|page| page.extension().is_some_and(|end| end == "md"));
    let mut seen = 0;
    for page in pages {
        let text = read(&page);
        for file in files(&text) {
            seen += 1;
            let path = page.parent().unwrap().join(file);
            assert!(path.exists(), "{} links to {file}, which is not there", page.display());
        }
    }
    assert!(seen > 10, "only {seen} links were found");
    assert_eq!(files("[a](b.md#c) [d](https://e) [f](#g) ![h](i/j.svg)"), ["b.md", "i/j.svg"]);
}

/// The IAM actions that a text names between quotes.
fn actions(text: &str) -> BTreeSet<&str> {
    let services = [
        "ecs",
        "logs",
        "cloudwatch",
        "rds",
        "elasticache",
        "secretsmanager",
        "ssm",
        "cloudtrail",
        "ecr",
        "iam",
        "sts",
        "application-autoscaling",
        "elasticloadbalancing",
    ];
    let is_action = |word: &&str| {
        word.split_once(':').is_some_and(|(service, action)| {
            services.contains(&service)
                && action.starts_with(|c: char| c.is_ascii_uppercase())
                && action.chars().all(|c| c.is_ascii_alphanumeric())
        })
    };
    text.split('"').filter(is_action).collect()
}

#[test]
fn the_readme_names_every_action_that_is_asked_and_no_other() {
    let readme = read(&root().join("README.md"));
    let source = read(&root().join("src/domain/query.rs"));
    let (mut asked, named) = (actions(&source), actions(&readme));
    assert!(asked.remove("sts:GetCallerIdentity"), "it needs no permission, and stands in a sentence");
    assert!(asked.len() > 10, "{asked:?}");
    assert_eq!(asked, named);
}
