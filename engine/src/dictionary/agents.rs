//! Templates of user agents to the values of one dimension, for all codes at once.
//!
//! # Limits
//!
//! At most `KEPT_MAX` dimensions are kept: keys of user agents are named by queries.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{TextDictionary, template};
use crate::schema::{Dimension, agent};

/// Most dimensions whose values are kept.
const KEPT_MAX: usize = 8;
/// Two session ids without a digit in common.
const SESSION_SAMPLES: [[u8; 16]; 2] = [[0x5a; 16], [0xc3; 16]];

/// The value of a dimension of user agents.
#[must_use]
pub fn agent_value<'a>(dimension: &Dimension, text: &'a str) -> &'a str {
    match dimension {
        Dimension::Client => agent::client(text).0,
        Dimension::ClientVersion => agent::client(text).1,
        Dimension::Ci => agent::ci(text),
        Dimension::UaKey(key) => agent::key(text, key),
        _ if agent::is_absent(text) => "",
        _ => text,
    }
}

/// The values of a dimension for all templates.
#[derive(Debug, Default)]
pub struct AgentValues {
    /// Each value once, in the order in which templates have them; the first one is absent.
    pub texts: Vec<String>,
    /// By code of the template: where its value is, 0 if the session decides.
    pub places: Vec<u32>,
    /// By code of the template: whether the session that was cut out decides.
    pub asks_session: Vec<bool>,
}

impl AgentValues {
    fn of(dimension: &Dimension, templates: &TextDictionary) -> Self {
        let mut values = Self {
            texts: vec![String::new()],
            ..Self::default()
        };
        let mut known: HashMap<String, u32> = HashMap::from([(String::new(), 0)]);
        for template in templates.texts() {
            let value = value(dimension, template);
            let place = match &value {
                None => 0,
                Some(value) => *known.entry(value.clone()).or_insert_with(|| {
                    values.texts.push(value.clone());
                    u32::try_from(values.texts.len() - 1).unwrap_or(u32::MAX)
                }),
            };
            values.places.push(place);
            values.asks_session.push(value.is_none());
        }
        values
    }
}

/// The value for a template; `None` if the session decides.
fn value(dimension: &Dimension, template: &str) -> Option<String> {
    if !template.contains('\0') {
        return Some(agent_value(dimension, template).to_owned());
    }
    let [one, other] = SESSION_SAMPLES.map(|session| template::join(template, Some(session)));
    let value = agent_value(dimension, &one);
    (value == agent_value(dimension, &other)).then(|| value.to_owned())
}

/// Values of the dimensions that were asked for.
#[derive(Debug, Default)]
pub struct KeptAgents(Mutex<HashMap<Dimension, Arc<AgentValues>>>);

impl KeptAgents {
    /// The values of a dimension for `templates`, which are always the same.
    #[must_use]
    pub fn get(&self, dimension: &Dimension, templates: &TextDictionary) -> Arc<AgentValues> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(dimension) {
            return Arc::clone(known);
        }
        let values = Arc::new(AgentValues::of(dimension, templates));
        let mut kept = lock();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(dimension.clone(), Arc::clone(&values));
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_decides_where_it_is_part_of_the_value() {
        let template = "transformers/4.44.0; session_id/\0; is_ci/true";
        let of = |dimension| value(&dimension, template);
        assert_eq!(of(Dimension::Client).as_deref(), Some("transformers"));
        assert_eq!(of(Dimension::Ci).as_deref(), Some("flagged"));
        assert_eq!(of(Dimension::UserAgent), None);
        assert_eq!(of(Dimension::UaKey("session_id".to_owned())), None);
        assert_eq!(value(&Dimension::UserAgent, "-").as_deref(), Some(""));
    }

    #[test]
    fn each_value_is_kept_once() {
        let mut templates = TextDictionary::default();
        for text in ["-", "a/1", "a/2; session_id/\0", "b/1"] {
            templates.intern(text).unwrap();
        }
        let kept = KeptAgents::default();
        let values = kept.get(&Dimension::Client, &templates);
        assert_eq!(values.texts, ["", "a", "b"]);
        assert!(Arc::ptr_eq(
            &values,
            &kept.get(&Dimension::Client, &templates)
        ));
        for key in 0..=KEPT_MAX {
            let _ = kept.get(&Dimension::UaKey(key.to_string()), &templates);
        }
        assert!(kept.0.lock().unwrap().len() <= KEPT_MAX);
    }
}
