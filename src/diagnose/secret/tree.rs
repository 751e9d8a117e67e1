//! Names with `/` as a tree: `codeguardians-gateway/production/database` stands under its system and stage.
//!
//! Must not change names: a row carries the whole path besides its label.

/// A row of the tree, in the order of drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeRow {
    /// What to draw: one part of the name, or several where nothing branches between them.
    pub label: String,
    /// The name from its beginning to this row.
    pub path: String,
    /// How far to indent.
    pub depth: usize,
    /// Which of the names it is; `None` for a row that only holds others.
    pub item: Option<usize>,
    /// How many names stand below it.
    pub below: usize,
}

/// The rows for a list of names, in the order of the names' text.
#[must_use]
pub fn tree<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<TreeRow> {
    let mut names: Vec<(usize, &str)> = names.into_iter().enumerate().collect();
    // Part by part, so that `a/b` stands beside `a/c` and not behind `a-b`.
    names.sort_by(|(_, a), (_, b)| a.split('/').cmp(b.split('/')));
    let mut rows = Vec::new();
    branch(&names, 0, 0, &mut rows);
    rows
}

/// Draws names that agree in their first `from` bytes, which end at a slash.
fn branch(names: &[(usize, &str)], from: usize, depth: usize, rows: &mut Vec<TreeRow>) {
    let mut rest = names;
    while let Some((_, first)) = rest.first() {
        let same = |to: usize| {
            let head = first.get(..to);
            rest.iter().take_while(move |(_, name)| {
                name.get(..to) == head && (name.len() == to || name.as_bytes().get(to) == Some(&b'/'))
            })
        };
        // As far as all that share the first part go together, and none of them ends.
        let mut end = part_end(first, from);
        let together = same(end).count();
        while end < first.len() && together > 1 && rest.first().is_none_or(|(_, name)| name.len() > end) {
            let further = part_end(first, end + 1);
            if same(further).count() < together {
                break;
            }
            end = further;
        }
        if together == 1 {
            end = first.len();
        }
        let (own, others) = rest.split_at(together.max(1));
        let leaves = own.iter().take_while(|(_, name)| name.len() == end).count();
        let path = first.get(..end).unwrap_or(first).to_owned();
        let label = first.get(from..end).unwrap_or(first).to_owned();
        let below = own.len() - leaves;
        let row = |item| TreeRow { label: label.clone(), path: path.clone(), depth, item, below };
        match own.get(..leaves) {
            Some(leaves) if !leaves.is_empty() => rows.extend(leaves.iter().map(|(at, _)| row(Some(*at)))),
            _ => rows.push(row(None)),
        }
        if let Some(inner) = own.get(leaves..)
            && !inner.is_empty()
        {
            branch(inner, end + 1, depth + 1, rows);
        }
        rest = others;
    }
}

fn part_end(name: &str, from: usize) -> usize {
    name.get(from..).and_then(|rest| rest.find('/')).map_or(name.len(), |at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drawn(names: &[&str]) -> Vec<String> {
        tree(names.iter().copied())
            .iter()
            .map(|row| {
                let what = row.item.map_or_else(|| format!("({})", row.below), |item| format!("#{item}"));
                format!("{}{} {what}", "  ".repeat(row.depth), row.label)
            })
            .collect()
    }

    #[test]
    fn a_hierarchy_is_a_tree() {
        let names = [
            "codeguardians-gateway/production/redis",
            "codeguardians-gateway/production/database",
            "cma-jwt",
            "codeguardians-gateway/staging/database",
        ];
        assert_eq!(
            drawn(&names),
            [
                "cma-jwt #2",
                "codeguardians-gateway (3)",
                "  production (2)",
                "    database #1",
                "    redis #0",
                "  staging/database #3",
            ]
        );
    }

    #[test]
    fn what_does_not_branch_is_one_row() {
        assert_eq!(drawn(&["a/b/c/one", "a/b/c/two"]), ["a/b/c (2)", "  one #0", "  two #1"]);
        assert_eq!(drawn(&["a/b", "a/b/c"]), ["a/b #0", "  c #1"]);
        assert_eq!(drawn(&["/app/key"]), ["/app/key #0"]);
    }

    proptest! {
        #[test]
        fn every_name_stands_once_under_its_own_path(names in prop::collection::vec("[ab/-]{1,8}", 0..12)) {
            let rows = tree(names.iter().map(String::as_str));
            let mut items: Vec<usize> = rows.iter().filter_map(|row| row.item).collect();
            items.sort_unstable();
            prop_assert_eq!(items, (0..names.len()).collect::<Vec<_>>());
            for row in &rows {
                if let Some(item) = row.item {
                    prop_assert_eq!(&row.path, &names[item]);
                }
            }
        }
    }
}
