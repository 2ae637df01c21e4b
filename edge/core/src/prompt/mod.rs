//! The model's prompt: the persona, the passages as quoted data, the recent conversation (with a summary of the part
//! before it) and the question, within a budget of tokens. From a [`PromptReference`] and the stored data, the same
//! prompt can be built again ([`rebuild()`]).

mod memory;
mod rebuild;
mod summary;
mod template;

pub use memory::{MAX_EXCHANGES, MAX_HISTORY_CHARS, PromptHistory};
pub use rebuild::{PromptInputs, RebuiltPrompt, rebuild};
pub use summary::summary;
pub use template::CURRENT;

/// A message of a prompt, with its speaker. Visitors' text is never put into a message of [`Role::System`].
pub use bulle_api::admin::prompt::{PromptMessage as Turn, PromptRole as Role};

use crate::{
    digest::sha256_hex,
    guard::Question,
    model::Summary,
    record::{PromptAdditions, PromptReference},
    retrieval::{Passage, Passages},
    settings::BotSettings,
};
use bulle_edge_text::tokens;
use template::{Section, Template, fill};

/// Estimated tokens of the whole prompt. The text so far of an answer that is continued is not included.
pub const BUDGET_TOKENS: usize = 6_000;

/// Hexadecimal digits of a fingerprint.
const FINGERPRINT_DIGITS: usize = 16;

/// The input of a prompt beside passages and memory.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The bot's settings.
    pub bot: &'a BotSettings,
    /// The version of the settings.
    pub bot_version: u32,
    /// The visitor's words.
    pub text: &'a str,
    /// Earlier exchanges that the visitor's tier remembers; `None` for as many as fit.
    pub memory: Option<u32>,
}

impl<'a> Input<'a> {
    /// The input from a question that the guard has admitted.
    pub fn of(question: &'a Question) -> Self {
        Self {
            bot: &question.site().bot,
            bot_version: question.site().bot_version,
            text: question.text(),
            memory: question.memory(),
        }
    }
}

/// Optional additions to a prompt.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras<'a> {
    /// The text so far of an answer that was cut; the model is to continue it.
    pub continuation: Option<&'a str>,
    /// A sentence at the end of the instructions: the defect that the model is to avoid this time.
    pub repair: Option<&'a str>,
    /// The instructions of an API client: the owner's own words.
    pub system: Option<&'a str>,
    /// A sentence that asks for questions which the visitor may ask next.
    pub suggest: Option<&'a str>,
    /// Files that the visitor has attached, quoted; see [`crate::attachments::quoted`].
    pub material: Option<&'a str>,
}

impl<'a> From<&'a PromptAdditions> for Extras<'a> {
    fn from(added: &'a PromptAdditions) -> Self {
        Self {
            continuation: added.continuation.as_deref(),
            repair: added.repair.as_deref(),
            system: added.system.as_deref(),
            suggest: added.suggest.as_deref(),
            material: added.material.as_deref(),
        }
    }
}

impl PromptAdditions {
    /// The parts of a prompt.
    pub fn of(extras: &Extras<'_>) -> Self {
        Self {
            continuation: extras.continuation.map(str::to_owned),
            repair: extras.repair.map(str::to_owned),
            system: extras.system.map(str::to_owned),
            suggest: extras.suggest.map(str::to_owned),
            material: extras.material.map(str::to_owned),
        }
    }
}

/// A prompt. Only [`build`], [`summary()`] and [`rebuild()`] make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    turns: Vec<Turn>,
    dropped: usize,
    covers: Option<u32>,
    /// The reference for [`rebuild()`], without its fingerprint.
    reference: PromptReference,
}

impl Prompt {
    /// The messages: instructions first, then a user's and the assistant's in turn, a user's last.
    pub fn turns(&self) -> &[Turn] {
        &self.turns
    }

    /// Its length in bytes, with the text that vendors add to each message: an upper bound of its tokens.
    pub fn bytes(&self) -> usize {
        const FRAME: usize = 16;
        self.turns
            .iter()
            .map(|turn| turn.content.len() + FRAME)
            .sum()
    }

    /// The number of passages in the prompt; only these can be cited.
    pub fn passages(&self) -> usize {
        self.reference.passages.len()
    }

    /// The number of answered exchanges that are in the prompt neither as they are nor by the summary, because they do
    /// not fit. 0 where the visitor's tier limits what is remembered, because a summary would not change that.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// For the prompt of a [`summary()`]: the position up to which (exclusive) that summary will cover the
    /// conversation.
    pub fn covers(&self) -> Option<u32> {
        self.covers
    }

    /// The reference from which [`rebuild()`] can build the prompt again.
    pub fn reference(&self) -> PromptReference {
        PromptReference {
            fingerprint: fingerprint(&self.turns),
            ..self.reference.clone()
        }
    }
}

/// First digits of the SHA-256 of the messages as JSON.
fn fingerprint(turns: &[Turn]) -> String {
    let json = serde_json::to_vec(turns).unwrap_or_default();
    let mut hash = sha256_hex([json.as_slice()]);
    hash.truncate(FINGERPRINT_DIGITS);
    hash
}

/// Builds the prompt. Instructions, passages and question are always included, and the summary where the tier remembers
/// the whole conversation. Of the exchanges after the summary, the newest are included: as many as fit and as the tier
/// remembers.
pub fn build(
    input: &Input<'_>,
    passages: &Passages,
    memory: &PromptHistory<'_>,
    extras: &Extras<'_>,
) -> Prompt {
    write(Template::current(), input, passages.items(), memory, extras)
}

fn write(
    template: Template,
    input: &Input<'_>,
    passages: &[Passage],
    memory: &PromptHistory<'_>,
    extras: &Extras<'_>,
) -> Prompt {
    let summary = memory.summary.filter(|_| input.memory.is_none());
    let (system, held) = instructions(template, input.bot, passages, summary.is_some(), extras);
    let quoted = summary.map(Summary::quoted).unwrap_or_default();
    let material = extras.material.unwrap_or_default();
    let taken = tokens(&system) + tokens(&quoted) + tokens(material) + tokens(input.text);
    let left = BUDGET_TOKENS.saturating_sub(taken);
    let recalled = memory.recall(summary, input.memory, left);
    let mut turns = Turns::new(system);
    turns.push(Role::User, &quoted);
    for (exchange, answer) in &recalled.exchanges {
        turns.push(Role::User, &exchange.question);
        turns.push(Role::Assistant, answer);
    }
    turns.push(Role::User, material);
    turns.push(Role::User, input.text);
    if let Some(so_far) = extras.continuation.filter(|text| !text.trim().is_empty()) {
        turns.push(Role::Assistant, so_far);
        turns.push(Role::User, template.section(Section::Continuation));
    }
    Prompt {
        turns: turns.0,
        dropped: recalled.dropped,
        covers: None,
        reference: PromptReference {
            bot_version: input.bot_version,
            template: template.number,
            passages: held,
            history_from: recalled.exchanges.first().map(|(first, _)| first.position),
            summary_until: summary.map(|summary| summary.until),
            added: PromptAdditions::of(extras),
            fingerprint: String::new(),
        },
    }
}

/// Joins consecutive messages of the same speaker, which some vendors do not accept.
struct Turns(Vec<Turn>);

impl Turns {
    fn new(system: String) -> Self {
        Self(vec![Turn {
            role: Role::System,
            content: system,
        }])
    }

    fn push(&mut self, role: Role, content: &str) {
        match self.0.last_mut() {
            _ if content.is_empty() => {}
            Some(last) if last.role == role => {
                last.content.push_str("\n\n");
                last.content.push_str(content);
            }
            _ => self.0.push(Turn {
                role,
                content: content.to_owned(),
            }),
        }
    }
}

/// The instructions, and the rows of the passages in them. The parts that change from question to question come last,
/// because vendors cache the common beginning of prompts.
fn instructions(
    template: Template,
    bot: &BotSettings,
    passages: &[Passage],
    summarised: bool,
    extras: &Extras<'_>,
) -> (String, Vec<i64>) {
    let own = bot.persona.template.as_deref();
    let persona = own.unwrap_or_else(|| template.section(Section::Persona));
    let mut out = fill(persona, bot);
    out.push_str(&fill(template.section(Section::Always), bot));
    if summarised {
        out.push_str(template.section(Section::WithSummary));
        out.push('\n');
    }
    if let Some(suggest) = extras.suggest {
        out.push_str(&format!("- {suggest}\n"));
    }
    if let Some(system) = extras.system {
        let owner = template.section(Section::Owner);
        out.push_str(&format!("\n{owner}\n{system}\n"));
    }
    let mut held = Vec::new();
    if passages.is_empty() && extras.material.is_none() {
        let nothing = template.section(Section::WithoutPassages);
        out.push_str(&format!("\n{nothing}\n"));
    }
    // The visitor's files take some of the room.
    let mut left = match extras.material {
        Some(_) => BUDGET_TOKENS / 4,
        None => BUDGET_TOKENS / 2,
    };
    for passage in passages {
        // A document must not be able to close its own quotation.
        let text = passage.hit.text.replace("</passage", "< /passage");
        let cost = tokens(&text);
        if cost > left {
            break;
        }
        left -= cost;
        held.push(passage.hit.id);
        out.push_str(&format!(
            "\n<passage n=\"{}\" title=\"{}\" section=\"{}\">\n{text}\n</passage>\n",
            passage.n,
            passage.hit.title.replace('"', "'"),
            passage.hit.heading.replace('"', "'"),
        ));
    }
    if let Some(repair) = extras.repair {
        out.push_str(&format!("\n{repair}\n"));
    }
    (out, held)
}

#[cfg(test)]
mod tests;
