//! Who sends requests, and who names their addresses: what an owner or a stranger names passes the address policy of
//! `edge/core/src/outbound.rs`, and a redirect is followed by hand.

use anyhow::Result;

use crate::tokens::{starts_with, tokens};
use crate::{Finding, check_rust};

/// The files that may send requests.
const SENDERS: &[Sender] = &[
    Sender {
        file: "edge/worker/src/ingest/fetch_page.rs",
        judged: true,
        reason: "owners, links and redirects name sources",
    },
    Sender {
        file: "edge/worker/src/adapters/notices.rs",
        judged: true,
        reason: "owners name webhooks; the operator names the mail service, which the core does not judge",
    },
    Sender {
        file: "edge/worker/src/adapters/models.rs",
        judged: false,
        reason: "the operator names the servers of models",
    },
    Sender {
        file: "edge/worker/src/adapters/challenges.rs",
        judged: false,
        reason: "the operator names where Turnstile is asked",
    },
];

struct Sender {
    file: &'static str,
    /// Whether others than the operator name addresses.
    judged: bool,
    reason: &'static str,
}

#[test]
fn requests_are_sent_where_it_is_known_who_names_the_address() -> Result<()> {
    check_rust(
        |file| file.starts_with("edge/worker/src/"),
        |file, source| {
            let sender = SENDERS.iter().find(|sender| sender.file == file);
            faults(source, sender)
        },
    )
}

fn faults(source: &str, sender: Option<&Sender>) -> Vec<Finding> {
    let tokens = tokens(source);
    let find = |what: &[&str]| {
        let mut places = (0..tokens.len()).filter_map(|at| tokens.get(at..));
        places
            .find(|here| starts_with(here, what))
            .and_then(|here| here.first())
    };
    let has = |what: &[&str]| find(what).is_some();
    let Some(sent) = find(&["Fetch", ":", ":"]) else {
        return Vec::new();
    };
    let advice = match sender {
        None => {
            "requests are sent by the files that xtask/tests/tidy/outbound.rs lists: say there who names the address"
        }
        Some(sender) if sender.reason.is_empty() => "say who names the address",
        Some(sender) if sender.judged && !has(&["RequestRedirect", ":", ":", "Manual"]) => {
            "every hop of an address that others name is judged: follow redirects by hand"
        }
        Some(sender) if sender.judged && !has(&["AddressPolicy"]) && !has(&["address_policy"]) => {
            "an address that others name passes the address policy"
        }
        Some(_) => return Vec::new(),
    };
    vec![Finding::new(sent.line, advice)]
}

#[test]
fn the_rule_sees_what_it_should() {
    let judged = SENDERS.iter().find(|sender| sender.judged);
    let free = SENDERS.iter().find(|sender| !sender.judged);
    let sends = "Fetch::Request(request).send()";
    let by_hand = format!("RequestRedirect::Manual; {sends}");
    let good = format!("AddressPolicy; {by_hand}");
    for (source, sender, expected) in [
        ("fn a() {}", None, 0),
        (sends, None, 1),
        (sends, free, 0),
        (sends, judged, 1),
        (&by_hand, judged, 1),
        (&good, judged, 0),
    ] {
        assert_eq!(faults(source, sender).len(), expected, "{source}");
    }
}
