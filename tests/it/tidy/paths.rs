//! Which modules a file reaches: every path that starts with `crate`, or with `super` and leaves its module,
//! in `use` trees, expressions, types, patterns and inside macros.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

/// A path as written, with its line.
#[derive(Debug, PartialEq, Eq)]
pub struct Reach {
    /// The segments from the crate's root: `["domain", "scope"]`.
    pub path: Vec<String>,
    /// Where it stands.
    pub line: usize,
}

/// The module of a file: `src/app/world.rs` → `["app", "world"]`.
pub fn module(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    if inner == "lib" || inner == "main" {
        return Vec::new();
    }
    inner.split('/').map(str::to_owned).collect()
}

/// All that a file reaches by `crate` and `super`.
pub fn reaches(path: &str, text: &str) -> Vec<Reach> {
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut finder = Finder { module: module(path), found: Vec::new() };
    finder.visit_file(&file);
    finder.found
}

/// Names of the crates (or anything else) that paths begin with: `ratatui::…`, `aws_sdk_ecs::…`.
pub fn heads(path: &str, text: &str) -> Vec<(String, usize)> {
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut finder = Heads { found: Vec::new() };
    finder.visit_file(&file);
    finder.found
}

struct Finder {
    module: Vec<String>,
    found: Vec<Reach>,
}

impl Finder {
    /// Resolves leading `crate`, `self` and `super` against the module that the path stands in.
    fn note(&mut self, segments: &[String], line: usize) {
        let mut base = match segments.first().map(String::as_str) {
            Some("crate" | "$crate") => Vec::new(),
            Some("super" | "self") => self.module.clone(),
            _ => return,
        };
        let mut rest = segments;
        while let Some((first, others)) = rest.split_first() {
            match first.as_str() {
                "crate" | "$crate" | "self" => {}
                "super" => {
                    base.pop();
                }
                _ => break,
            }
            rest = others;
        }
        base.extend(rest.iter().cloned());
        self.found.push(Reach { path: base, line });
    }

    fn tree(&mut self, prefix: &mut Vec<String>, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.tree(prefix, &path.tree);
                prefix.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(prefix, tree)),
            syn::UseTree::Name(name) => self.leaf(prefix, &name.ident),
            syn::UseTree::Rename(rename) => self.leaf(prefix, &rename.ident),
            syn::UseTree::Glob(glob) => {
                let line = glob.star_token.spans[0].start().line;
                self.note(prefix, line);
            }
        }
    }

    fn leaf(&mut self, prefix: &[String], ident: &syn::Ident) {
        let mut whole = prefix.to_vec();
        whole.push(ident.to_string());
        self.note(&whole, ident.span().start().line);
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&mut Vec::new(), &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if let Some(first) = path.segments.first() {
            self.note(&segments, first.ident.span().start().line);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let mut runs = Vec::new();
        token_paths(item.tokens.clone(), &mut runs);
        for (segments, line) in runs {
            self.note(&segments, line);
        }
        syn::visit::visit_macro(self, item);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {
        // `pub(in super)` and `pub(crate)` reach nothing.
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }
}

struct Heads {
    found: Vec<(String, usize)>,
}

impl Heads {
    fn tree(&mut self, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                self.found.push((path.ident.to_string(), path.ident.span().start().line));
            }
            syn::UseTree::Name(name) => {
                self.found.push((name.ident.to_string(), name.ident.span().start().line));
            }
            syn::UseTree::Rename(rename) => {
                self.found.push((rename.ident.to_string(), rename.ident.span().start().line));
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree)),
            syn::UseTree::Glob(_) => {}
        }
    }
}

impl<'ast> Visit<'ast> for Heads {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(first) = path.segments.first() {
            self.found.push((first.ident.to_string(), first.ident.span().start().line));
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let mut runs = Vec::new();
        token_paths(item.tokens.clone(), &mut runs);
        self.found.extend(
            runs.into_iter()
                .filter_map(|(mut run, line)| (!run.is_empty()).then(|| (run.swap_remove(0), line))),
        );
        syn::visit::visit_macro(self, item);
    }
}

/// Runs of `a::b::c` in a token stream, `$crate` included.
fn token_paths(tokens: TokenStream, found: &mut Vec<(Vec<String>, usize)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Group(group) => token_paths(group.stream(), found),
            TokenTree::Ident(first) => {
                let mut run = vec![first.to_string()];
                while is(&tokens, at + 1, ':') && is(&tokens, at + 2, ':') {
                    match tokens.get(at + 3) {
                        Some(TokenTree::Ident(next)) => {
                            run.push(next.to_string());
                            at += 3;
                        }
                        _ => break,
                    }
                }
                if run.len() > 1 {
                    found.push((run, first.span().start().line));
                }
            }
            _ => {}
        }
        at += 1;
    }
}

fn is(tokens: &[TokenTree], at: usize, wanted: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let text = r#"
        use crate::{domain::{scope::Scope, query}, stdx};
        use super::super::cloud::Cloud;
        use self::inner::Thing;
        fn f(x: crate::app::Model) -> u8 {
            if let crate::view::Drawn { .. } = x {}
            let _ = format!("{}", crate::runtime::now());
            super::sibling()
        }
        mod tests { use super::*; use super::super::other; }
    "#;
    let found: Vec<String> = reaches("src/app/world.rs", text).iter().map(|r| r.path.join("::")).collect();
    assert_eq!(
        found,
        [
            "domain::scope::Scope",
            "domain::query",
            "stdx",
            "cloud::Cloud",
            "app::world::inner::Thing",
            "app::Model",
            "view::Drawn",
            "runtime::now",
            "app::sibling",
            "app::world",
            "app::other",
        ]
    );
}

#[test]
fn heads_are_found_in_groups_and_macros() {
    let text =
        "use {ratatui::style, std::fmt};\nfn f() { vec![aws_sdk_ecs::Client::new()]; tokio::spawn(x) }";
    let found: Vec<String> = heads("src/x.rs", text).into_iter().map(|(head, _)| head).collect();
    assert_eq!(found, ["ratatui", "std", "aws_sdk_ecs", "vec", "tokio", "x"]);
}
