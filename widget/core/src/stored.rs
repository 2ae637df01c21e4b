//! The formats in storage: the visitor under `bulle:{site}`, and for the tab, messages that the edge has not
//! acknowledged under `bulle-outbox:{site}`.

use bulle_protocol::{Id, conversation::SendMessage};

use crate::{
    json::{self, Value},
    message::ChatMessage,
    requests, wire,
};

/// The visitor's token and conversation. Written from the first message on, never before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredVisitor {
    /// The token for `resume`.
    pub token: String,
    /// The open conversation; absent after the visitor asked for a new one.
    pub conversation: Option<Id>,
}

impl StoredVisitor {
    /// Parses a stored visitor; an unreadable one counts as none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut v = json::parse(text)?;
        Some(Self {
            conversation: wire::id(&v, "conversation"),
            token: wire::string(&mut v, "token")?,
        })
    }

    /// The text to store.
    pub fn to_json(&self) -> String {
        let json = json::Object::default().text("token", &self.token);
        match self.conversation {
            Some(id) => json.text("conversation", &id.to_string()).end(),
            None => json.raw("conversation", "null").end(),
        }
    }
}

/// The unsent messages as text to store; empty without any. Their ids make it safe to post them again.
pub(crate) fn outbox_to_json(messages: &[ChatMessage]) -> String {
    let mut json = String::new();
    for message in messages.iter().filter(|message| message.is_unsent()) {
        let unsent = SendMessage {
            id: message.id,
            text: message.text.clone(),
            retry: false,
            attachments: message.attachments.iter().map(|file| file.id).collect(),
        };
        json.push(if json.is_empty() { '[' } else { ',' });
        json.push_str(&requests::send(&unsent));
    }
    if !json.is_empty() {
        json.push(']');
    }
    json
}

/// Parses the stored outbox of an earlier page of this tab; unreadable messages are skipped.
pub(crate) fn parse_outbox(text: &str, now: u64) -> Vec<ChatMessage> {
    let Some(Value::Array(items)) = json::parse(text) else {
        return Vec::new();
    };
    let read = |mut item: Value| {
        let id = wire::id(&item, "id")?;
        Some(ChatMessage {
            attachments: wire::files(&mut item),
            ..ChatMessage::waiting(id, wire::string(&mut item, "text")?, now)
        })
    };
    let mut messages: Vec<ChatMessage> = Vec::new();
    for message in items.into_iter().filter_map(read) {
        if messages.iter().all(|known| known.id != message.id) {
            messages.push(message);
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_is_read_as_written_each_message_once() {
        let waiting = |n: u64| ChatMessage::waiting(Id::from_parts(n, 1), format!("\"{n}\"\n"), 5);
        let both = [waiting(1), waiting(2)];
        let text = outbox_to_json(&both);
        assert_eq!(parse_outbox(&text, 5), both);
        let twice = format!(
            "{},{}",
            text.trim_end_matches(']'),
            text.trim_start_matches('[')
        );
        assert_eq!(parse_outbox(&twice, 5), both);
        assert_eq!(outbox_to_json(&[]), "");
        assert_eq!(parse_outbox("[1,{},{\"id\":\"x\"}]", 5), []);
        assert_eq!(parse_outbox("", 5), []);
    }

    #[test]
    fn reads_what_it_writes_and_shrugs_at_the_rest() {
        let stored = StoredVisitor {
            token: "t".into(),
            conversation: Some(Id::from_parts(1, 1)),
        };
        assert_eq!(StoredVisitor::parse(&stored.to_json()), Some(stored));
        assert_eq!(StoredVisitor::parse("{}"), None);
        assert_eq!(StoredVisitor::parse("nonsense"), None);
        assert_eq!(
            StoredVisitor::parse("{\"token\":\"t\"}").map(|s| s.conversation),
            Some(None)
        );
    }
}
