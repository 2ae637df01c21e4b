//! Serialisation of request bodies. The protocol's derived serialisers would cost a visitor 1 KB more. Every type is
//! destructured completely, so a field that is added to it does not compile here until it is written.

use bulle_protocol::{
    conversation::SendMessage,
    session::{Page, SessionRequest},
};

use crate::json::Object;

/// The body of `POST /v1/sessions`.
pub(crate) fn open_session(request: &SessionRequest) -> String {
    let SessionRequest {
        site,
        locale,
        identity,
        challenge,
        resume,
        page,
    } = request;
    let mut json = Object::default()
        .text("site", site)
        .maybe("locale", locale.as_deref())
        .maybe("identity", identity.as_deref())
        .maybe("challenge", challenge.as_deref())
        .maybe("resume", resume.as_deref());
    if let Some(Page { url, title }) = page {
        let page = Object::default().text("url", url).text("title", title);
        json = json.raw("page", &page.end());
    }
    json.end()
}

/// The body of `POST /v1/conversations/{id}/messages`.
pub(crate) fn send(message: &SendMessage) -> String {
    let SendMessage {
        id,
        text,
        retry,
        attachments,
    } = message;
    let mut json = Object::default()
        .text("id", &id.to_string())
        .text("text", text);
    if *retry {
        json = json.raw("retry", "true");
    }
    if !attachments.is_empty() {
        let ids: Vec<String> = attachments.iter().map(|id| format!("\"{id}\"")).collect();
        json = json.raw("attachments", &format!("[{}]", ids.join(",")));
    }
    json.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulle_protocol::Id;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn requests_are_those_that_the_types_write(
            texts in prop::collection::vec(prop::option::of("(?s).{0,9}"), 6),
            retry in any::<bool>(),
            files in 0_usize..3,
        ) {
            let text = |at: usize| texts[at].clone();
            let request = SessionRequest {
                site: text(0).unwrap_or_default(),
                locale: text(1),
                identity: text(2),
                challenge: text(3),
                resume: text(4),
                page: text(5).map(|title| Page { url: title.clone(), title }),
            };
            prop_assert_eq!(serde_json::from_str(&open_session(&request)).ok(), Some(request));
            let message = SendMessage { id: Id::from_parts(1, 2), text: text(0).unwrap_or_default(), retry, attachments: vec![Id::from_parts(3, 4); files] };
            prop_assert_eq!(serde_json::from_str(&send(&message)).ok(), Some(message));
        }
    }
}
