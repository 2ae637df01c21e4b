//! Writing what the edge is asked, as the protocol's types would write themselves: their derived writers are 1 KB
//! more for a visitor to download. A field that is added to the types does not compile here until it is written.

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
    let json = Object::default()
        .text("site", site)
        .maybe("locale", locale.as_deref())
        .maybe("identity", identity.as_deref())
        .maybe("challenge", challenge.as_deref())
        .maybe("resume", resume.as_deref());
    let json = match page {
        Some(Page { url, title }) => {
            let page = Object::default().text("url", url).text("title", title);
            json.raw("page", &page.end())
        }
        None => json,
    };
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
    let json = Object::default()
        .text("id", &id.to_string())
        .text("text", text);
    let json = if *retry {
        json.raw("retry", "true")
    } else {
        json
    };
    let json = match attachments.is_empty() {
        true => json,
        false => {
            let ids: Vec<String> = attachments.iter().map(|id| format!("\"{id}\"")).collect();
            json.raw("attachments", &format!("[{}]", ids.join(",")))
        }
    };
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
