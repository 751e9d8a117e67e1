//! The pages under `docs/` that the program prints: current, and complete about what is printed.

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
