//! The guard for requests of an owner's own server. The API key identifies the caller: there is no session, no origin
//! and no limit of a tier. Only the budget bounds these requests.

use bulle_edge_text::{language, visible};
use bulle_protocol::{
    Id, MAX_MESSAGE_CHARS,
    problem::{Code, Problem},
};

use super::{
    Checked, Question, check_active, input,
    limit::{Counted, dedup_key},
};
use crate::{
    completion::{
        Unfit,
        request::{ClientMessage, Speaker},
    },
    model::{Exchange, Site, is_id},
    ports::{Clock, Entropy, Tenants},
    strings,
};

/// Longest conversation before the last message, and longest instructions, in characters.
pub const MAX_HISTORY_CHARS: usize = 32_000;
/// See [`MAX_HISTORY_CHARS`].
pub const MAX_INSTRUCTIONS_CHARS: usize = 8_000;

/// The bot that a request names as its model.
///
/// # Errors
/// `not_found`, `paused`, `storage_unavailable`.
pub async fn bot<P: Tenants>(ports: &P, tenant_id: &str, model: &str) -> Result<Site, Unfit> {
    let found = match is_id(model) {
        true => ports.bot(tenant_id, model).await,
        false => Ok(None),
    };
    let found = found.map_err(|_| {
        let detail = "The bot's settings cannot be read now. Try again in a few seconds.";
        Problem::new(Code::StorageUnavailable, detail).retry_after(5)
    })?;
    let site = found.ok_or_else(|| {
        let shown: String = model.chars().take(80).collect();
        let detail =
            format!("This tenant has no bot `{shown}`. GET /v1/models lists those that it has.");
        Unfit::of("model", Problem::new(Code::NotFound, detail))
    })?;
    check_active(&site)?;
    Ok(site)
}

/// Admits the messages of a request: the last one is the question, those before it are the history.
///
/// # Errors
/// `message_empty`, `message_too_long`, `invalid_value`.
pub fn admit<P: Clock + Entropy>(
    ports: &P,
    site: Site,
    key: Id,
    messages: &[ClientMessage],
) -> Result<(Question, Vec<Exchange>), Unfit> {
    let said = Said::of(messages);
    let at = |problem| Unfit::of("messages", problem);
    let Some(asked) = said.asked else {
        return Err(Unfit::value(
            "messages",
            "the last message must be one of the user.",
        ));
    };
    let question = input::clean(&asked).map_err(at)?;
    let long = |what: &str, most: usize| {
        let detail = format!("At most {most} characters of {what}; leave out the oldest.");
        Err(at(Problem::new(Code::MessageTooLong, detail)))
    };
    let count = |text: &str| text.chars().count();
    let history = said.history.iter();
    let length: usize = history.map(|e| count(&e.question) + count(&e.answer)).sum();
    if length > MAX_HISTORY_CHARS {
        return long("earlier messages", MAX_HISTORY_CHARS);
    }
    if count(&said.instructions) > MAX_INSTRUCTIONS_CHARS {
        return long("system and developer messages", MAX_INSTRUCTIONS_CHARS);
    }
    let id = Id::from_parts(ports.now_ms(), ports.random());
    let locale = strings::negotiate(&[
        language::guess(&question, &site.bot.locale),
        &site.bot.locale,
    ]);
    let question = Question(Checked {
        site,
        // All conversations of a key belong to one visitor, whose id cannot be guessed from outside.
        visitor_id: dedup_key(key, Id::from_parts(0, 0)),
        identified: false,
        locale: locale.to_owned(),
        tier: String::new(),
        memory: None,
        instructions: visible(&said.instructions),
        id,
        charge_id: id,
        text: question,
        attachments: Vec::new(),
        retry: false,
        quotas: Vec::new(),
        in_kv: Vec::new(),
    });
    Ok((question, said.history))
}

/// The count of a request of an owner's own server: only a budget bounds it.
pub fn counted() -> Counted {
    Counted::without_limits()
}

/// Messages of a conversation as exchanges.
#[derive(Default)]
struct Said {
    instructions: String,
    history: Vec<Exchange>,
    /// The user's messages that have no answer yet.
    asked: Option<String>,
}

impl Said {
    /// Consecutive messages of one speaker are joined. A message of the bot before the first question is not part of an
    /// exchange.
    fn of(messages: &[ClientMessage]) -> Self {
        let mut said = Self::default();
        for (n, message) in (1..).zip(messages) {
            if message.speaker == Speaker::Owner {
                join(&mut said.instructions, &message.text);
                continue;
            }
            // The last message is validated and not only cleaned, so that the caller gets the reason of a refusal.
            let last = n == messages.len() && message.speaker == Speaker::User;
            let cleaned = visible(&message.text);
            let text = match (
                cleaned,
                last && message.text.chars().count() > MAX_MESSAGE_CHARS,
            ) {
                (_, true) => message.text.clone(),
                (Some(text), false) => text,
                (None, false) if last => String::new(),
                (None, false) => continue,
            };
            match message.speaker {
                Speaker::User => join(said.asked.get_or_insert_default(), &text),
                _ => match (said.asked.take(), said.history.last_mut()) {
                    (Some(question), earlier) => {
                        let position = earlier.map_or(0, |earlier| earlier.position + 2);
                        said.history.push(Exchange {
                            position,
                            question,
                            answer: text,
                        });
                    }
                    (None, Some(earlier)) => join(&mut earlier.answer, &text),
                    (None, None) => {}
                },
            }
        }
        said
    }
}

fn join(all: &mut String, more: &str) {
    if !all.is_empty() && !more.is_empty() {
        all.push_str("\n\n");
    }
    all.push_str(more);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fakes, block_on, site};

    const KEY: Id = Id::from_parts(1, 1);

    fn messages(said: &[(Speaker, &str)]) -> Vec<ClientMessage> {
        let message = |(speaker, text): &(Speaker, &str)| ClientMessage {
            speaker: *speaker,
            text: (*text).to_owned(),
        };
        said.iter().map(message).collect()
    }

    fn asked(said: &[(Speaker, &str)]) -> Result<(Question, Vec<Exchange>), Unfit> {
        admit(&Fakes::default(), site(), KEY, &messages(said))
    }

    use Speaker::{Assistant, Owner, User};

    #[test]
    fn messages_become_a_question_with_its_history() {
        let (question, history) = asked(&[
            (Owner, "Be brief."),
            (Assistant, "Hello!"),
            (User, " One\u{202e} "),
            (User, "and two"),
            (Assistant, "Yes."),
            (Assistant, "Really."),
            (Owner, "Be kind."),
            (User, "\u{200b}"),
            (User, "What is it?\r\n"),
            (User, "Say it."),
        ])
        .unwrap();
        assert_eq!(question.text(), "What is it?\n\nSay it.");
        assert_eq!(question.locale(), "en");
        assert_eq!(question.instructions(), Some("Be brief.\n\nBe kind."));
        assert_eq!(question.memory(), None);
        assert_eq!(
            history,
            [Exchange {
                position: 0,
                question: "One\n\nand two".into(),
                answer: "Yes.\n\nReally.".into()
            }]
        );
        let (other, _) = asked(&[(User, "Bonjour")]).unwrap();
        assert_eq!(question.visitor_id(), other.visitor_id());
        assert_ne!(question.visitor_id(), KEY);
    }

    #[test]
    fn what_cannot_be_a_question_is_refused() {
        let long = "é".repeat(MAX_MESSAGE_CHARS + 1);
        let half = "é".repeat(MAX_MESSAGE_CHARS / 2);
        let history: Vec<_> = (0..9)
            .flat_map(|_| [(User, long.as_str()), (Assistant, "ok")])
            .collect();
        let too_long = Code::MessageTooLong;
        for (said, code) in [
            (vec![(User, " ")], Code::MessageEmpty),
            (vec![(User, "a"), (Assistant, "b")], Code::InvalidValue),
            (vec![(Owner, "a")], Code::InvalidValue),
            (vec![(User, long.as_str())], too_long),
            (vec![(User, half.as_str()), (User, half.as_str())], too_long),
            (
                vec![(Owner, long.as_str()), (Owner, long.as_str()), (User, "a")],
                too_long,
            ),
            ([history, vec![(User, "a")]].concat(), too_long),
        ] {
            let unfit = asked(&said).unwrap_err();
            assert_eq!(
                (unfit.problem.code, unfit.param.as_deref()),
                (code, Some("messages"))
            );
        }
    }

    #[test]
    fn a_bot_is_found_by_its_own_tenant_while_it_is_active() {
        let ports = Fakes::default();
        let code = |tenant: &str, model: &str| {
            let found = block_on(bot(&ports, tenant, model));
            found.err().map(|unfit| (unfit.problem.code, unfit.param))
        };
        let model = Some("model".to_owned());
        assert_eq!(code("tenant", "bot"), None);
        assert_eq!(code("other", "bot"), Some((Code::NotFound, model.clone())));
        assert_eq!(code("tenant", "gpt\u{0}"), Some((Code::NotFound, model)));
        let mut paused = site();
        paused.active = false;
        ports.add_site(paused);
        assert_eq!(code("tenant", "bot"), Some((Code::Paused, None)));
        ports.fail("tenants");
        assert_eq!(
            code("tenant", "bot"),
            Some((Code::StorageUnavailable, None))
        );
    }
}
