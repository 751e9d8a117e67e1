//! What holds for every model at every size: no panic, nothing outside the screen, nothing that a terminal
//! would act on.

use std::sync::OnceLock;
use std::time::Duration;

use proptest::prelude::*;

use super::{draw, size};
use crate::app::Msg;
use crate::app::fixtures::{self, Aws, Bench};
use crate::domain::fault::FaultKind;
use crate::view::{Drawn, view};

/// Consoles in many states.
fn states() -> &'static [Bench] {
    static STATES: OnceLock<Vec<Bench>> = OnceLock::new();
    STATES.get_or_init(|| {
        let mut states = vec![
            Bench::with(fixtures::model(fixtures::session(&[]), "", 80, 24), Aws::default()),
            Bench::new(Aws::small(), 80, 24),
            Bench::small(80, 24),
            Bench::new(Aws::fleet(200), 140, 40),
        ];
        states[3].settle();
        for keys in [
            "enter",
            "enter t",
            "enter e",
            "l",
            "d x",
            "D",
            "8",
            "a",
            "?",
            ":",
            ": s e r tab",
            "/ x",
            "enter t enter",
            "enter e enter",
            "l enter",
            "l w",
            "l space k k",
            "l right right",
            "z",
            "l /",
        ] {
            let mut bench = Bench::small(220, 60);
            for key in keys.split_whitespace() {
                bench.press(key).settle();
            }
            states.push(bench);
        }
        for kind in [FaultKind::Expired, FaultKind::Denied, FaultKind::Network] {
            for action in ["ecs:ListClusters", "ecs:ListServices", "ecs:ListTasks", "logs:FilterLogEvents"] {
                let mut bench = Bench::small(220, 60);
                bench.press("enter").settle();
                bench.aws.faults.insert(action.into(), fixtures::fault(kind));
                for _ in 0..20 {
                    bench.pass(Duration::from_secs(10)).answer_all();
                }
                states.push(bench);
            }
        }
        states
    })
}

fn check(drawn: &Drawn, width: u16, height: u16) -> Result<(), TestCaseError> {
    prop_assert_eq!((drawn.buffer.area.width, drawn.buffer.area.height), (width, height));
    for (area, target) in &drawn.hits {
        prop_assert!(!area.is_empty(), "{target:?} has no area");
        prop_assert!(
            area.right() <= width && area.bottom() <= height,
            "{target:?} at {area:?} on {width}x{height}"
        );
    }
    if let Some((x, y)) = drawn.cursor {
        prop_assert!(x < width && y < height, "the cursor stands at {x},{y}");
    }
    for cell in &drawn.buffer.content {
        prop_assert!(!cell.symbol().chars().any(char::is_control), "{:?}", cell.symbol());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_state_panics_or_leaves_the_screen_at_any_size(
        state in 0usize..36,
        width in 0u16..=300,
        height in 0u16..=100,
    ) {
        let bench = &states()[state % states().len()];
        // Drawn before the model knows of the new size, as a resize may be, and after.
        let drawn = view(&bench.model, &bench.model.theme, size(width, height));
        check(&drawn, width, height)?;
        let mut bench = bench.clone();
        bench.send(Msg::Resize(size(width, height)));
        check(&draw(&bench.model), width, height)?;
    }

    #[test]
    fn whatever_is_typed_fits_the_footer(text in any::<String>(), left in 0usize..30, width in 40u16..100) {
        let mut bench = Bench::small(width, 10);
        bench.press(":");
        bench.send(Msg::Paste(text));
        for _ in 0..left {
            bench.press_blind("left");
        }
        check(&draw(&bench.model), width, 10)?;
    }

    #[test]
    fn whatever_a_program_writes_can_be_shown(text in any::<String>(), width in 40u16..120, wrap: bool) {
        let mut aws = Aws::small();
        let task = aws.tasks[0].clone();
        aws.lines = vec![
            fixtures::line(&task, 1, 2_000, &text),
            fixtures::line(&task, 2, 1_000, &format!("{{\"msg\":{text:?},\"level\":\"warn\"}}")),
        ];
        let mut bench = Bench::new(aws, width, 12);
        bench.settle().press("l").settle();
        if wrap {
            bench.press("w");
        }
        check(&draw(&bench.model), width, 12)?;
        bench.press("enter");
        check(&draw(&bench.model), width, 12)?;
    }
}

#[test]
fn random_keys_never_draw_outside_the_screen() {
    for seed in 0..6 {
        fixtures::soak(seed, 250, |bench| {
            let model = &bench.model;
            check(&draw(model), model.size.width, model.size.height).unwrap();
        });
    }
}
