use super::*;
use crate::testing::vendors;

/// A deployment with these providers; each model has the name of its provider.
fn having(names: &[&str]) -> Deployment {
    let known = PROVIDERS
        .iter()
        .filter(|provider| names.contains(&provider.name));
    let servers = known.map(|provider| vendors::server(provider.name, "https://m.test", None));
    Deployment {
        servers: servers.collect(),
        ..Deployment::default()
    }
}

fn bot(json: &str) -> BotSettings {
    serde_json::from_str(&format!("{{\"name\":\"b\",\"model\":{json}}}")).unwrap()
}

fn names(deployment: &Deployment, json: &str) -> Vec<String> {
    let name = |link: &Link| match link {
        Link::Model(model) => format!("{}/{}", model.server.provider.name, model.name),
        Link::Unconfigured(provider) => format!("no {}", provider.name),
    };
    deployment.chain(&bot(json)).iter().map(name).collect()
}

#[test]
fn a_bot_is_answered_by_whom_it_names_or_by_the_first_there_is() {
    let all = having(&["openai", "anthropic", "gemini", "workers_ai"]);
    let last = having(&["gemini"]);
    for (deployment, json, expected) in [
        (&all, "{}", vec!["openai/openai-model"]),
        (
            &all,
            r#"{"provider":"anthropic"}"#,
            vec!["anthropic/anthropic-model"],
        ),
        (
            &all,
            r#"{"provider":"workers_ai","name":"@cf/x"}"#,
            vec!["workers_ai/@cf/x"],
        ),
        (&all, r#"{"provider":"extractive"}"#, vec![]),
        (&last, "{}", vec!["gemini/gemini-model"]),
        (&last, r#"{"provider":"mistral"}"#, vec!["no mistral"]),
        (&Deployment::default(), "{}", vec![]),
        (
            &all,
            r#"{"name":"x","alternatives":[{"provider":"openai","name":"y"},{"provider":"groq"},{"provider":"gemini"}]}"#,
            vec!["openai/x", "openai/y", "no groq", "gemini/gemini-model"],
        ),
        (
            &all,
            r#"{"alternatives":[{"provider":"extractive"},{"provider":"gemini"}]}"#,
            vec!["openai/openai-model"],
        ),
    ] {
        assert_eq!(names(deployment, json), expected, "{json}");
    }
}

#[test]
fn every_choice_has_a_provider_and_a_name_of_its_own() {
    for provider in &PROVIDERS {
        let json = format!("\"{}\"", provider.name);
        assert_eq!(
            serde_json::from_str::<ProviderChoice>(&json).unwrap(),
            provider.choice
        );
    }
}

#[test]
fn an_owner_may_be_less_patient() {
    let own = TimeoutSettings {
        first_token_ms: Some(700),
        ..TimeoutSettings::default()
    };
    let timeouts = Timeouts::default().with(own);
    assert_eq!((timeouts.first_token, timeouts.total), (700, 180_000));
}

#[test]
fn what_is_worth_another_try() {
    let refused = |status| decoder::refusal(status, None, b"{}");
    for (failure, passing, of_the_key, of_the_model) in [
        (refused(429), true, true, true),
        (refused(503), true, false, true),
        (refused(401), false, true, true),
        (refused(404), false, false, true),
        (refused(400), false, false, false),
        (
            Failure::new(Code::UpstreamUnavailable, ""),
            true,
            false,
            true,
        ),
        (Failure::new(Code::UpstreamTimeout, ""), false, false, true),
        (Failure::filtered("SAFETY"), false, false, false),
    ] {
        let got = (
            failure.is_passing(),
            failure.is_of_the_key(),
            failure.is_of_the_model(),
        );
        assert_eq!(got, (passing, of_the_key, of_the_model), "{failure}");
    }
}

#[test]
fn what_nobody_counted_is_estimated_and_marked() {
    let turn = |content: &str| prompt::Turn {
        role: prompt::Role::User,
        content: content.into(),
    };
    let turns = [turn("You are kind."), turn("Où as-tu étudié ?")];
    let expected = Usage {
        input_tokens: 3 + 4 + 4 + 4,
        output_tokens: 0,
        estimated: true,
    };
    assert_eq!(estimate(&turns, ""), expected);
    // The texts have 9 and 8 tokens of OpenAI's o200k_base.
    assert_eq!(estimate(&[], "J’ai étudié à Lannion.").output_tokens, 9);
    assert_eq!(estimate(&[], "我在兰尼翁学习过。").output_tokens, 13);
    assert_eq!(estimate(&[], "").input_tokens, 0);
}
