//! A database in use: tenants with rows in every table, made by the repositories themselves.

use bulle_api::{
    admin::golden::NewGoldenQuestion,
    notice::{Channel, Delivery, Detail, Kind, Notice, Outcome as DeliveryOutcome},
    people::Role as MemberRole,
};
use bulle_edge_core::{
    admin::Principal,
    model::{Identity, Material, Owner, Secret, Summary},
    outbound::AddressPolicy,
    ports::{Kept, PortError},
    record::{Evidence, ModelCall, Outcome, PromptReference, Purpose, Record, StoredMessage},
    search::Scope,
    sources::content::Prepared,
};
use bulle_edge_text::Document;
use bulle_protocol::{
    Id,
    block::Block,
    conversation::{Feedback, Rating, Role, Status},
    event::{Finish, Usage},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::{
    d1::sqlite::Sqlite,
    repositories::{
        golden::{Added, Looked},
        library::{BotKey, Target, Validators},
        owners::{
            CreateContext, Creation, NewResource, Remembered, bots, identity_secrets, keys, sites,
            sources, tenants,
        },
        *,
    },
};

pub use super::members::join;

/// 2026-11-21T12:00:00Z in Unix milliseconds.
pub const NOW: u64 = 1_795_262_400_000;

/// The bot of every tenant.
pub const BOT: &str = "guide";

/// The subject of every tenant's document.
pub const WORD: &str = "xylophone";

/// The tenant of most tests.
pub const ACME: &str = "acme";

/// A tenant with the same rows under the same ids.
pub const GLOBEX: &str = "globex";

/// A tenant with a bot, and nothing else.
pub const EMPTY: &str = "initech";

/// A database with these three tenants. When it is dropped at the end of a test, the rows of the second one must be
/// unchanged: no statement of any test may touch another tenant.
pub struct World {
    /// The database.
    pub database: Sqlite,
    /// The key of the first tenant's site.
    pub site: String,
    others: BTreeMap<String, Vec<Value>>,
}

impl World {
    /// The database.
    pub fn new() -> Self {
        let database = Sqlite::new();
        let site = fill(&database, ACME);
        fill(&database, GLOBEX);
        found(&database, EMPTY);
        database.round_trips();
        Self {
            others: database.rows_of_tenant(GLOBEX),
            database,
            site,
        }
    }

    /// The number of a statement without parameters.
    pub fn number(&self, sql: &str) -> i64 {
        self.database.number(sql)
    }

    /// The only source of the tenant.
    pub fn source(&self, tenant_id: &str) -> String {
        let sql = format!(
            "SELECT id FROM source WHERE tenant_id = '{tenant_id}' AND parent IS NULL ORDER BY id"
        );
        self.database.query(&sql)[0]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.database.rows_of_tenant(GLOBEX), self.others);
        }
    }
}

/// Waits for a repository's result.
pub fn wait<T>(done: impl Future<Output = Result<T, PortError>>) -> T {
    pollster::block_on(done).unwrap()
}

/// The problem of a repository that fails.
pub fn error<T>(done: impl Future<Output = Result<T, PortError>>) -> String {
    match pollster::block_on(done) {
        Ok(_) => panic!("it did not fail"),
        Err(PortError(text)) => text,
    }
}

/// The same id in every tenant, so that a statement without the tenant would reach the other's row.
pub fn id(number: u128) -> Id {
    Id::from_parts(NOW, number)
}

pub const VISITOR: u128 = 1;
pub const CONVERSATION: u128 = 2;
pub const QUESTION: u128 = 3;
pub const REPLY: u128 = 4;
pub const FILE: u128 = 5;
pub const FORM: u128 = 6;
pub const GOLDEN: u128 = 7;
pub const NOTICE: u128 = 8;
pub const SOURCE: u128 = 9;
pub const SECRET: u128 = 10;
pub const KEY: u128 = 11;
pub const ERASED: u128 = 12;
pub const NOTE: u128 = 13;

/// The owner of the conversation.
pub fn owner(tenant_id: &str) -> Owner {
    Owner {
        tenant_id: tenant_id.to_owned(),
        bot_id: BOT.to_owned(),
        bot_since: NOW,
        visitor_id: id(VISITOR),
    }
}

pub fn bot_key(tenant_id: &str) -> BotKey {
    BotKey {
        tenant_id: tenant_id.to_owned(),
        bot_id: BOT.to_owned(),
    }
}

/// The source of the tenant's bot, in its first revision.
pub fn target(id: &str) -> Target<'_> {
    Target { id, revision: 1 }
}

/// Makes a resource from the body of a request.
pub fn made(creation: &Creation, tenant_id: &str, body: &Value, number: u128) -> NewResource {
    let maker = CreateContext {
        caller: &Principal::Operator,
        tenant_id,
        now_ms: NOW,
        random: [number, 1, 2],
        secret: Secret::new(Some(&"s".repeat(32))),
        policy: AddressPolicy::default(),
    };
    match (creation.make)(&body.to_string(), &maker) {
        Ok(made) => made,
        Err(problem) => panic!("{}", problem.detail),
    }
}

/// Creates a resource: its id.
pub fn create(
    database: &Sqlite,
    creation: &Creation,
    tenant_id: &str,
    body: &Value,
    number: u128,
) -> String {
    let made = made(creation, tenant_id, body, number);
    wait(Owned(database).create(creation, tenant_id, &made, None, NOW));
    made.id
}

/// A turn with a question and its answer from the passages with these ids.
pub fn record(tenant_id: &str, passages: &[i64]) -> Record {
    let question = StoredMessage {
        id: id(QUESTION),
        position: 0,
        role: Role::User,
        text: "What is a xylophone?".into(),
        blocks: vec![Block::paragraph("What is a xylophone?")],
        sources: Vec::new(),
        status: Status::Complete,
        finish: None,
        error: None,
        provider: String::new(),
        model: String::new(),
        usage: Usage::default(),
        evidence: Evidence::default(),
        created_at: NOW,
    };
    let reply = StoredMessage {
        id: id(REPLY),
        position: 1,
        role: Role::Assistant,
        text: "An instrument.".into(),
        blocks: vec![Block::paragraph("An instrument.")],
        status: Status::Complete,
        finish: Some(Finish::Stop),
        provider: "openai".into(),
        model: "m".into(),
        usage: Usage::counted(10, 20),
        evidence: Evidence {
            unanswered: true,
            prompt: Some(PromptReference {
                bot_version: 1,
                template: 1,
                passages: passages.to_vec(),
                ..PromptReference::default()
            }),
            ..Evidence::default()
        },
        created_at: NOW + 1_000,
        ..question.clone()
    };
    Record {
        owner: owner(tenant_id),
        conversation_id: id(CONVERSATION),
        title: "What is a xylophone?".into(),
        question,
        reply: Some(reply),
        calls: vec![call(Purpose::Answer, Some(300), 900, Some(5))],
    }
}

/// A call of a model that has answered.
pub fn call(
    purpose: Purpose,
    first_token_ms: Option<u32>,
    total_ms: u32,
    microusd: Option<u64>,
) -> ModelCall {
    ModelCall {
        purpose,
        provider: "openai".into(),
        model: "m".into(),
        outcome: Outcome::Answered,
        status: Some(200),
        usage: Usage::counted(10, 20),
        microusd,
        first_token_ms,
        total_ms,
        at: NOW,
    }
}

pub fn notice(number: u128, about: &str) -> Notice {
    Notice {
        id: id(number),
        kind: Kind::ModelFailing,
        about: about.into(),
        bot_id: Some(BOT.into()),
        detail: Detail::default(),
        created_at: NOW,
        deliveries: Vec::new(),
    }
}

pub fn delivery() -> Delivery {
    Delivery {
        channel: Channel::Webhook,
        outcome: DeliveryOutcome::Delivered,
        status: Some(200),
        tries: 1,
        at: NOW,
    }
}

pub fn golden_question() -> NewGoldenQuestion {
    let json = json!({ "question": "What is a xylophone?", "expected": { "title": "Music" } });
    serde_json::from_value(json).unwrap()
}

/// A document that is ready to be indexed.
pub fn prepared(text: &str) -> Prepared {
    let document = Document {
        title: "Music".into(),
        language: "en".into(),
        url: "https://example.com/music".into(),
        body: format!("# Instruments\n\n{text}\n"),
    };
    let checksum = bulle_edge_core::digest::sha256_hex([text.as_bytes()]);
    Prepared::new(document, checksum, text.len() as u64)
}

/// Indexes a source; true when the new text answers.
pub fn index(database: &Sqlite, tenant_id: &str, target: Target<'_>, text: &str) -> bool {
    index_prepared(database, tenant_id, target, &prepared(text))
}

/// Indexes the content of a source, batch by batch; true when it answers.
pub fn index_prepared(
    database: &Sqlite,
    tenant_id: &str,
    target: Target<'_>,
    prepared: &Prepared,
) -> bool {
    let (library, bot_key) = (Library(database), bot_key(tenant_id));
    let scope = Scope::of(tenant_id, BOT);
    let staged = || wait(library.stage(&bot_key, target, prepared));
    let Some(mut staged_now) = staged() else {
        return false;
    };
    loop {
        let batch = prepared.batch(staged_now.written, &scope);
        if batch.is_empty() {
            break;
        }
        wait(library.write(&bot_key, target, (prepared, &staged_now), &batch));
        let Some(again) = staged() else {
            return false;
        };
        staged_now = again;
    }
    let staged = staged_now;
    let validators = Validators::default();
    let next = (None, &validators);
    let swapped = wait(library.swap(&bot_key, target, (prepared, &staged), next, NOW));
    wait(library.sweep(&bot_key, &[target.id.to_owned()]));
    swapped
}

/// The ids of all chunks of a tenant.
pub fn chunks(database: &Sqlite, tenant_id: &str) -> Vec<i64> {
    let sql = format!("SELECT id FROM chunk WHERE tenant_id = '{tenant_id}' ORDER BY id");
    let rows = database.query(&sql);
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

/// A tenant with a bot, and nothing else.
pub fn found(database: &Sqlite, tenant_id: &str) {
    let tenant = json!({ "id": tenant_id, "name": "Tenant" });
    let bot = json!({ "id": BOT, "settings": { "name": "Guide" } });
    create(database, &tenants::CREATION, "", &tenant, 0);
    create(database, &bots::CREATION, tenant_id, &bot, 0);
}

/// A tenant with rows in every table, and the public key of its site.
pub fn fill(database: &Sqlite, tenant_id: &str) -> String {
    let owned = Owned(database);
    // The answers to the operator's creation of the tenant, and to the tenant's own creation, are stored.
    let tenant = json!({ "id": tenant_id, "name": "Tenant" });
    let tenant = made(&tenants::CREATION, "", &tenant, 0);
    let remembered = remembered(&format!("create {tenant_id}"), &tenant);
    wait(owned.create(&tenants::CREATION, "", &tenant, Some(&remembered), NOW));
    let bot = json!({ "id": BOT, "settings": { "name": "Guide" } });
    let bot = made(&bots::CREATION, tenant_id, &bot, 0);
    let remembered = self::remembered("create", &bot);
    wait(owned.create(&bots::CREATION, tenant_id, &bot, Some(&remembered), NOW));

    // Keys of sites are unique over all tenants.
    let number = tenant_id
        .bytes()
        .fold(1, |sum, byte| sum * 131 + u128::from(byte))
        << 60;
    let site = json!({ "bot_id": BOT, "name": "Site", "origins": ["https://example.com"] });
    let site = create(database, &sites::CREATION, tenant_id, &site, number);
    let key = json!({ "name": "CI", "scopes": ["bots:read"] });
    create(database, &keys::CREATION, tenant_id, &key, KEY);
    create(
        database,
        &identity_secrets::CREATION,
        tenant_id,
        &json!({}),
        SECRET,
    );

    let source = json!({ "bot_id": BOT, "new": { "kind": "text", "title": "Music", "text": "…" } });
    let source = create(database, &sources::CREATION, tenant_id, &source, SOURCE);
    wait(Library(database).begin(&bot_key(tenant_id), target(&source), NOW));
    let text = format!("A {WORD} is an instrument of {tenant_id}.");
    assert!(index(database, tenant_id, target(&source), &text));

    let identity = Identity {
        subject: "user-42".into(),
        tier: "free".into(),
        name: "Ada".into(),
        email: "ada@example.com".into(),
    };
    wait(Visitors(database).known(tenant_id, &identity, id(VISITOR), NOW));
    let (profiles, owner) = (Profiles(database), owner(tenant_id));
    let fields = [("name".to_owned(), "Ada".to_owned())].into();
    wait(profiles.keep_form(&owner, id(FORM), &fields, Some("yes"), NOW));
    let file = Material {
        id: id(FILE),
        name: "cv.txt".into(),
        text: "My CV".into(),
    };
    wait(profiles.keep_file(&owner, &file, 5, NOW));
    wait(profiles.attach(&owner, id(CONVERSATION), id(QUESTION), &[id(FILE)], NOW));
    wait(profiles.begin_erasing(tenant_id, id(ERASED), NOW));

    let record = record(tenant_id, &chunks(database, tenant_id));
    assert_eq!(
        wait(Transcripts(database).record(&record)),
        Kept::Everything
    );
    let summary = Summary {
        text: "They spoke of music.".into(),
        until: 0,
    };
    wait(Summaries(database).keep(&owner, id(CONVERSATION), &summary, NOW));
    let feedback = Feedback {
        rating: Rating::Down,
        comment: Some("too short".into()),
    };
    assert!(wait(Gaps(database).rate(&owner, id(REPLY), &feedback)));

    let golden = Golden(database);
    let added = Added {
        id: id(GOLDEN),
        new: &golden_question(),
    };
    assert!(wait(golden.add(tenant_id, BOT, &[added])));
    let looked = Looked {
        id: id(GOLDEN),
        place: 1,
        first: Some("Music".into()),
    };
    wait(golden.keep((tenant_id, BOT), 2, &[looked], NOW));
    let notices = Notices(database);
    assert!(wait(notices.insert(tenant_id, &notice(NOTICE, "openai/m"))));
    wait(notices.delivered(tenant_id, id(NOTICE), &delivery()));
    let email = format!("ada@{tenant_id}.example");
    let token = join(database, tenant_id, &email, MemberRole::Owner, None);
    let ada = wait(People(database).signed(&token, None, NOW)).map(|ada| ada.person_id);
    let (conversations, at) = (OwnerConversations(database), (tenant_id, id(CONVERSATION)));
    wait(conversations.label(tenant_id, at.1, &["important".into()]));
    assert!(wait(conversations.annotate(at, id(NOTE), ada, "Call back", (NOW, 9))).is_some());
    super::audit::write(database, tenant_id, NOTE, ada);
    site
}

/// The row of a creation with an `Idempotency-Key`.
pub fn remembered(key: &str, made: &NewResource) -> Remembered {
    let [key, etag] = [key, "\"1\""].map(str::to_owned);
    Remembered {
        key,
        fingerprint: "f".repeat(64),
        response: made.remembered.clone(),
        etag,
    }
}
