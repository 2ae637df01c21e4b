//! JSON merge patches ([RFC 7396](https://www.rfc-editor.org/rfc/rfc7396)) applied to Rust types: the type decides
//! which results are valid.

use bulle_protocol::problem::{Code, Problem};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// The value with the patch applied. Fields that the patch does not mention stay.
///
/// # Errors
/// `invalid_json`, when the result is not a value of the type, or the patch names a field that the type does not have.
pub fn apply<T: Serialize + DeserializeOwned>(current: &T, patch: Value) -> Result<T, Problem> {
    if !patch.is_object() {
        return Err(Problem::new(
            Code::InvalidJson,
            "A change is a JSON object with the fields to change.",
        ));
    }
    // The patch is applied to JSON text: the type's readers and writers for text are in the Worker already, and those
    // for another form would be more code to upload.
    let broken = |_| Problem::new(Code::Internal, "The current value is no JSON.");
    let text = serde_json::to_string(current).map_err(broken)?;
    let mut value = serde_json::from_str(&text).map_err(broken)?;
    merge(&mut value, patch);
    serde_json::from_str(&value.to_string())
        .map_err(|e| Problem::new(Code::InvalidJson, format!("{e}.")))
}

/// `MergePatch` of the RFC's section 2.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(&name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulle_api::{
        admin::{BotChange, Status, TenantChange},
        settings::{BotSettings, TenantSettings},
    };
    use serde_json::json;

    #[test]
    fn the_examples_of_the_rfc() {
        for (mut target, patch, expected) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (
                json!({"a":"b","b":"c"}),
                json!({"a":null}),
                json!({"b":"c"}),
            ),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (
                json!({"a":{"b":"c"}}),
                json!({"a":{"b":"d","c":null}}),
                json!({"a":{"b":"d"}}),
            ),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), Value::Null, Value::Null),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (
                json!({}),
                json!({"a":{"bb":{"ccc":null}}}),
                json!({"a":{"bb":{}}}),
            ),
        ] {
            merge(&mut target, patch.clone());
            assert_eq!(target, expected, "{patch}");
        }
    }

    #[test]
    fn a_change_stays_within_its_type() {
        let tenant = TenantChange {
            name: "Ada".into(),
            status: Status::Active,
            settings: TenantSettings::default(),
        };
        let changed = apply(&tenant, json!({"status":"paused"})).unwrap();
        assert_eq!(changed.status, Status::Paused);
        assert_eq!(changed.name, "Ada");
        let changed = apply(&tenant, json!({"settings":{"budget":{"tokens_per_day":5}}})).unwrap();
        assert_eq!(changed.settings.budget.tokens_per_day, Some(5));
        let back = apply(
            &changed,
            json!({"settings":{"budget":{"tokens_per_day":null}}}),
        );
        assert_eq!(back.unwrap(), tenant);
        assert_eq!(apply(&changed, json!({"settings":null})).unwrap(), tenant);
        for refused in [
            json!({"id":"other"}),
            json!({"name":null}),
            json!({"status":"gone"}),
            json!({"settings":{"nope":1}}),
            json!([]),
            json!("x"),
            Value::Null,
        ] {
            let problem = apply(&tenant, refused.clone()).unwrap_err();
            assert_eq!(problem.code, Code::InvalidJson, "{refused}");
        }
    }

    #[test]
    fn a_map_in_the_settings_loses_and_wins_entries() {
        let bot = BotChange {
            status: Status::Active,
            settings: BotSettings::default(),
        };
        let patch = json!({"settings":{"limits":{"tiers":{
            "premium":null, "gold":{"per_minute":9},
        }}}});
        let tiers = apply(&bot, patch).unwrap().settings.limits.tiers;
        assert_eq!(tiers.keys().collect::<Vec<_>>(), ["free", "gold"]);
    }
}
