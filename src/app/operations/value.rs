//! The input of a secret's new value: masked, wiped from memory when it is gone, and never drawn, copied or kept.
//!
//! Must not be a text area, nor go through the input line: those keep what was typed.

use crate::app::overlay::Overlay;
use crate::app::{Effect, Model};
use crate::domain::action::{Action, SecretWork};
use crate::domain::secret::{SecretId, SecretValue};
use crate::keymap::{Code, Key};

/// AWS takes so many bytes.
const LONGEST: usize = 65_536;

const CUT: &str = "More than 65,536 bytes: nothing is stored until Ctrl-U empties it";

/// The input.
#[derive(Clone, Debug)]
pub struct ValueInput {
    /// The secret.
    pub secret: SecretId,
    /// What was typed.
    value: SecretValue,
    /// Whether something was left out: the rest must not be stored as if it were all.
    cut: bool,
    /// What is wrong.
    pub said: Option<&'static str>,
}

impl ValueInput {
    /// An empty one.
    #[must_use]
    pub fn new(secret: SecretId) -> Self {
        Self { secret, value: SecretValue::default(), cut: false, said: None }
    }

    /// How many characters it has.
    #[must_use]
    pub fn chars(&self) -> usize {
        self.value.chars()
    }

    /// Its JSON keys, when it is an object.
    #[must_use]
    pub fn keys(&self) -> Option<Vec<String>> {
        self.value.keys()
    }

    fn push(&mut self, c: char) {
        if self.value.expose().len() + c.len_utf8() > LONGEST {
            self.cut = true;
            self.said = Some(CUT);
        } else {
            self.value.push(c);
        }
    }
}

/// A key while the input is open.
pub fn press(model: &mut Model, key: Key) -> Vec<Effect> {
    let Some(Overlay::Value(input)) = model.overlay.as_mut() else { return Vec::new() };
    input.said = None;
    match (key.code, key.ctrl, key.alt) {
        (Code::Esc, ..) | (Code::Char('c' | 'g'), true, _) => {
            model.overlay = None;
            model.say("Cancelled: nothing was stored");
        }
        (Code::Char('u'), true, _) => {
            input.value = SecretValue::default();
            input.cut = false;
        }
        (Code::Backspace, ..) => {
            input.value.pop();
            input.cut &= !input.value.expose().is_empty();
        }
        (Code::Enter, ..) if input.cut => input.said = Some(CUT),
        (Code::Enter, ..) => {
            // What is copied from a terminal or an editor brings its line's end along; the command line takes it off too.
            let value = std::mem::take(&mut input.value).without_last_line_feed();
            if value.expose().is_empty() {
                input.said = Some("A value has one character at least");
                return Vec::new();
            }
            let secret = input.secret.clone();
            let work = SecretWork::Put { keys: value.keys() };
            return super::begin(model, Action::Secret { secret, work }, None, Some(value));
        }
        (Code::Char(c), false, false) => input.push(c),
        _ => {}
    }
    Vec::new()
}

/// A paste: values are seldom typed.
pub fn paste(model: &mut Model, text: &str) {
    let Some(Overlay::Value(input)) = model.overlay.as_mut() else { return };
    // Terminals paste a line's end as the key Enter sends it.
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let alone = c == '\r' && chars.peek() != Some(&'\n');
        input.push(if alone { '\n' } else { c });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Msg;
    use crate::app::fixtures::{self, Aws, Bench};
    use crate::domain::action::Action;

    /// An open input into which this was pasted.
    fn pasted(texts: &[&str]) -> Bench {
        let mut bench =
            Bench::with(fixtures::model(fixtures::session(&["eu-west-2"]), "", 100, 30), Aws::small());
        let secret = SecretId { scope: fixtures::home(), name: "shop/db".into() };
        bench.model.overlay = Some(Overlay::Value(Box::new(ValueInput::new(secret))));
        for text in texts {
            bench.send(Msg::Paste((*text).to_owned()));
        }
        bench
    }

    fn open(bench: &Bench) -> &ValueInput {
        match &bench.model.overlay {
            Some(Overlay::Value(input)) => input,
            other => panic!("no input: {other:?}"),
        }
    }

    /// What Enter goes on to store.
    fn entered(mut bench: Bench) -> String {
        bench.press("enter");
        let running = bench.model.operations.list.last().expect("an operation");
        assert!(matches!(running.operation.action(), Action::Secret { work: SecretWork::Put { .. }, .. }));
        running.value.as_ref().expect("a value").expose().to_owned()
    }

    #[test]
    fn a_pasted_value_is_stored_without_the_end_of_its_line() {
        for end in ["", "\n", "\r\n", "\r"] {
            assert_eq!(entered(pasted(&[&format!("pass word{end}")])), "pass word", "{end:?}");
        }
        assert_eq!(entered(pasted(&["one\rtwo\r\nthree\n\n"])), "one\ntwo\r\nthree\n");
        let mut bare = pasted(&["\n"]);
        bare.press("enter");
        assert!(bare.model.operations.list.is_empty() && open(&bare).said.is_some(), "nothing is no value");
    }

    #[test]
    fn a_value_that_was_cut_is_not_stored_until_the_input_was_emptied() {
        let long = "x".repeat(LONGEST + 1);
        let mut bench = pasted(&[&long]);
        // Twice: whoever missed the sentence presses Enter again.
        for key in ["enter", "backspace", "enter", "enter"] {
            bench.press(key);
            assert!(bench.model.operations.list.is_empty(), "{key}");
        }
        assert_eq!(open(&bench).said, Some(CUT));
        bench.press("ctrl-u");
        bench.send(Msg::Paste("short".to_owned()));
        assert_eq!(entered(bench), "short");
        assert_eq!(entered(pasted(&[&"x".repeat(LONGEST)])).len(), LONGEST, "as much as AWS takes is taken");
    }
}
