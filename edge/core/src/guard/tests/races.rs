//! Races of one visitor's requests: in any order, the day counts each answered message once.
//!
//! A request has three steps: the guard admits it, the conversation's object begins a turn or does not, and the turn's message
//! is counted. Steps of other requests come between them. The model of the object here follows `edge/worker/src/conversation`:
//! one turn at a time, the same message attaches to its turn, a failed turn may be tried again, and what the object has in
//! memory may be lost at any time.

use super::*;
use crate::settings::{LimitStore, Tier};
use proptest::prelude::*;
use std::collections::BTreeMap;

const PER_DAY: u32 = 5;
const STORES: [LimitStore; 2] = [LimitStore::Kv, LimitStore::Exact];

/// A message as a client sends it.
#[derive(Clone, Copy, Debug)]
struct Post {
    conversation: u128,
    message: u128,
    retry: bool,
}

/// How a turn ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// It has answered, or a model was paid: it counts.
    Counts,
    /// It has failed and cost nothing, or was stopped before anything was asked.
    Free,
}

/// Something that happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The n-th request goes on by one step.
    Request(usize),
    /// The turn that runs in a conversation ends.
    End(u128, Ending),
    /// The object of a conversation is gone, with its turn.
    Crash(u128),
}

/// How far a request is.
enum Progress {
    Sent,
    Admitted(Box<Question>),
    /// Its turn has begun, and its message is being counted.
    Counting,
    Over,
}

#[derive(Default)]
struct Conversation {
    /// The turn of a message, and whether it was counted.
    running: Option<(u128, Box<Question>, bool)>,
    /// By message; whether it may be tried again.
    ended: BTreeMap<u128, bool>,
}

struct Race {
    ports: Fakes,
    visitor: Admitted,
    conversations: BTreeMap<u128, Conversation>,
    requests: Vec<(Post, Progress)>,
    /// Turns that count.
    counted: u64,
    /// Turns that were counted and have crashed.
    lost: u64,
    refused: usize,
}

impl Race {
    fn new(store: LimitStore, per_day: u32, posts: impl IntoIterator<Item = Post>) -> Self {
        let ports = Fakes::default();
        let mut site = site();
        site.bot.limits.store = store;
        let tier = Tier {
            per_minute: 10_000,
            per_day: Some(per_day),
            ..site.bot.limits.tiers["free"].clone()
        };
        site.bot.limits.tiers.insert("free".to_owned(), tier);
        site.bot.limits.address.messages_per_minute = 10_000;
        site.bot.limits.address.messages_per_day = 100_000;
        ports.add_site(site);
        let visitor = open(&ports, &request("demo")).unwrap().admitted;
        Self {
            ports,
            visitor,
            conversations: BTreeMap::new(),
            requests: posts
                .into_iter()
                .map(|post| (post, Progress::Sent))
                .collect(),
            counted: 0,
            lost: 0,
            refused: 0,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Request(n) => self.go_on(n),
            Step::End(conversation, ending) => self.end(conversation, ending),
            Step::Crash(conversation) => self.crash(conversation),
        }
    }

    fn go_on(&mut self, n: usize) {
        let Some((post, progress)) = self.requests.get_mut(n) else {
            return;
        };
        let post = *post;
        let now = std::mem::replace(progress, Progress::Over);
        let next = match now {
            Progress::Sent => self.admit(post),
            Progress::Admitted(question) => self.ask(post, question),
            Progress::Counting => self.count(post),
            Progress::Over => Progress::Over,
        };
        self.requests[n].1 = next;
    }

    fn admit(&mut self, post: Post) -> Progress {
        let message = SendMessage {
            id: Id::from_parts(0, post.message),
            text: "Bonjour".to_owned(),
            retry: post.retry,
            attachments: Vec::new(),
        };
        let conversation = Id::from_parts(0, post.conversation);
        let admitted = admit_message(&self.ports, self.visitor.clone(), conversation, message);
        match block_on(admitted) {
            Ok(question) => Progress::Admitted(Box::new(question)),
            Err(problem) => panic!("{problem:?}"),
        }
    }

    fn count(&mut self, post: Post) -> Progress {
        let conversation = self.conversations.entry(post.conversation).or_default();
        let Some((message, question, counted)) = &mut conversation.running else {
            return Progress::Over;
        };
        if *message != post.message || *counted {
            return Progress::Over;
        }
        match block_on(limit::count(&self.ports, question)) {
            Ok(_) => *counted = true,
            Err(problem) => {
                assert_eq!(problem.code, Code::QuotaExceeded);
                self.refused += 1;
                conversation.running = None;
            }
        }
        Progress::Over
    }

    fn ask(&mut self, post: Post, question: Box<Question>) -> Progress {
        let conversation = self.conversations.entry(post.conversation).or_default();
        let again = match conversation.ended.get(&post.message) {
            None => true,
            Some(failed) => *failed && post.retry,
        };
        if conversation.running.is_some() || !again {
            return Progress::Over;
        }
        conversation.running = Some((post.message, question, false));
        Progress::Counting
    }

    fn end(&mut self, conversation: u128, ending: Ending) {
        let conversation = self.conversations.entry(conversation).or_default();
        let Some((message, question, _)) = conversation.running.take_if(|(_, _, counted)| *counted)
        else {
            return;
        };
        conversation.ended.insert(message, ending == Ending::Free);
        match ending {
            Ending::Counts => self.counted += 1,
            Ending::Free => block_on(limit::refund(&self.ports, &question)).unwrap(),
        }
    }

    /// The object is gone: a turn that was counted is stored and has failed, another one has never been.
    fn crash(&mut self, conversation: u128) {
        let conversation = self.conversations.entry(conversation).or_default();
        if let Some((message, _, true)) = conversation.running.take() {
            conversation.ended.insert(message, true);
            self.lost += 1;
        }
    }

    /// What the visitor has used of the day.
    fn used(&self) -> u64 {
        self.ports.counted("bot/bot/visitor/")
    }

    fn running(&self) -> u64 {
        let all = self.conversations.values();
        let turns = all.filter_map(|conversation| conversation.running.as_ref());
        turns.filter(|(_, _, counted)| *counted).count() as u64
    }

    /// Lets everything come to its end.
    fn finish(&mut self) {
        for _ in 0..3 {
            (0..self.requests.len()).for_each(|n| self.go_on(n));
        }
        for conversation in self.conversations.keys().copied().collect::<Vec<_>>() {
            self.end(conversation, Ending::Counts);
        }
    }
}

const FIRST: Post = Post {
    conversation: 1,
    message: 1,
    retry: false,
};

#[test]
fn the_same_message_twice_is_counted_by_its_turn() {
    for store in STORES {
        let mut race = Race::new(store, 100, [FIRST; 2]);
        // Both are admitted; the second one overtakes the first.
        for n in [0, 1, 1, 0, 1, 0] {
            race.step(Step::Request(n));
        }
        assert_eq!(race.used(), 1, "{store:?}");
        race.finish();
        assert_eq!((race.counted, race.used()), (1, 1), "{store:?}");
    }
}

#[test]
fn a_day_of_five_is_five_answers_whatever_is_sent_twice_and_cancelled() {
    for store in STORES {
        let twice = |conversation| {
            [Post {
                conversation,
                ..FIRST
            }; 2]
        };
        let mut race = Race::new(store, PER_DAY, (0..100).flat_map(twice));
        for pair in (0..200).step_by(2) {
            for n in [0, 1, 1, 0, 0, 1] {
                race.step(Step::Request(pair + n));
            }
        }
        race.finish();
        assert_eq!((race.counted, race.used()), (5, 5), "{store:?}");
        assert_eq!(race.refused, 95);
        // Stopped before a model was asked: as if it had not been.
        let mut race = Race::new(store, PER_DAY, (0..100).flat_map(twice));
        for conversation in 0..100 {
            for n in [0, 1, 1, 1] {
                race.step(Step::Request(2 * conversation + n));
            }
            race.end(conversation as u128, Ending::Free);
            race.step(Step::Request(2 * conversation));
            race.step(Step::Request(2 * conversation));
            assert_eq!(race.used(), 0, "{store:?}");
        }
        assert_eq!(race.refused, 0);
    }
}

#[test]
fn a_hundred_messages_to_a_busy_conversation_cost_nothing() {
    for store in STORES {
        let busy = (1..=100).map(|message| Post { message, ..FIRST });
        let mut race = Race::new(store, 1_000, busy);
        for _ in 0..3 {
            race.step(Step::Request(0));
        }
        for _ in 0..3 {
            (1..100).for_each(|n| race.step(Step::Request(n)));
        }
        assert_eq!((race.running(), race.used()), (1, 1), "{store:?}");
    }
}

#[test]
fn a_retry_that_is_sent_twice_is_one_attempt() {
    for store in STORES {
        let retry = Post {
            retry: true,
            ..FIRST
        };
        let mut race = Race::new(store, 100, [FIRST, retry, retry]);
        for _ in 0..3 {
            race.step(Step::Request(0));
        }
        race.end(1, Ending::Free);
        assert_eq!(race.used(), 0, "{store:?}");
        for n in [1, 2, 2, 1, 1, 2] {
            race.step(Step::Request(n));
        }
        race.finish();
        assert_eq!((race.counted, race.used()), (1, 1), "{store:?}");
    }
}

#[test]
fn a_message_that_was_counted_before_a_crash_is_not_counted_again() {
    for store in STORES {
        let mut race = Race::new(store, 100, [FIRST; 2]);
        race.step(Step::Request(0));
        race.step(Step::Request(0));
        let question = race.conversations[&1].running.as_ref().unwrap().1.clone();
        // Counted; the object is gone before it has stored the turn.
        block_on(limit::count(&race.ports, &question)).unwrap();
        race.step(Step::Crash(1));
        race.finish();
        assert_eq!((race.counted, race.used()), (1, 1), "{store:?}");
    }
}

fn posts() -> impl Strategy<Value = Vec<Post>> {
    let post = (0u128..3, 0u128..3, any::<bool>());
    let post = post.prop_map(|(conversation, message, retry)| Post {
        conversation,
        message,
        retry,
    });
    proptest::collection::vec(post, 1..24)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ending = prop_oneof![Just(Ending::Counts), Just(Ending::Free)];
    let step = prop_oneof![
        4 => (0usize..24).prop_map(Step::Request),
        1 => (0u128..3, ending).prop_map(|(conversation, ending)| Step::End(conversation, ending)),
        1 => (0u128..3).prop_map(Step::Crash),
    ];
    proptest::collection::vec(step, 0..120)
}

proptest! {
    #[test]
    fn in_any_order_the_day_has_counted_what_counts(posts in posts(), steps in steps(), exact: bool, tight: bool) {
        let store = STORES[usize::from(exact)];
        let per_day = if tight { PER_DAY } else { 1_000 };
        let mut race = Race::new(store, per_day, posts);
        for step in steps {
            race.step(step);
            prop_assert!(race.used() >= race.counted + race.running());
            prop_assert!(race.used() <= u64::from(per_day));
        }
        race.finish();
        prop_assert_eq!(race.used(), race.counted + race.lost);
        prop_assert!(tight || race.refused == 0);
    }
}
