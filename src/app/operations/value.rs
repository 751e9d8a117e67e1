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

/// The input.
#[derive(Clone, Debug)]
pub struct ValueInput {
    /// The secret.
    pub secret: SecretId,
    /// What was typed.
    value: SecretValue,
    /// What is wrong.
    pub said: Option<&'static str>,
}

impl ValueInput {
    /// An empty one.
    #[must_use]
    pub fn new(secret: SecretId) -> Self {
        Self { secret, value: SecretValue::default(), said: None }
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
            self.said = Some("A secret holds 65,536 bytes at most: the rest was left out");
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
        (Code::Char('u'), true, _) => input.value = SecretValue::default(),
        (Code::Backspace, ..) => input.value.pop(),
        (Code::Enter, ..) if input.value.expose().is_empty() => {
            input.said = Some("A value has one character at least");
        }
        (Code::Enter, ..) => {
            let (secret, value) = (input.secret.clone(), std::mem::take(&mut input.value));
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
    text.chars().for_each(|c| input.push(c));
}
