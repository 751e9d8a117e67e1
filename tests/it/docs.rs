//! The pages: those that the program prints are current, and every link to a file leads to one.

use crate::program::Program;

const PAGES: [&str; 4] = ["cli", "keys", "config", "json"];

#[test]
fn the_printed_pages_are_current() {
    for page in PAGES {
        let printed = Program::new().run(&["docs", page]);
        assert_eq!(printed.code, 0, "{printed:?}");
        let kept = crate::tidy::read(&crate::tidy::root().join(format!("docs/{page}.md")));
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
    let root = crate::tidy::root();
    let mut pages = vec![root.join("README.md"), root.join("CHANGELOG.md")];
    for entry in std::fs::read_dir(root.join("docs")).unwrap() {
        pages.push(entry.unwrap().path());
    }
    pages.retain(|page| page.extension().is_some_and(|end| end == "md"));
    let mut seen = 0;
    for page in pages {
        let text = crate::tidy::read(&page);
        for file in files(&text) {
            seen += 1;
            let path = page.parent().unwrap().join(file);
            assert!(path.exists(), "{} links to {file}, which is not there", page.display());
        }
    }
    assert!(seen > 10, "only {seen} links were found");
    assert_eq!(files("[a](b.md#c) [d](https://e) [f](#g) ![h](i/j.svg)"), ["b.md", "i/j.svg"]);
}
