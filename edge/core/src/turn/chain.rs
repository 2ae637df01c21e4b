//! The chain: models are asked one after the other until one answers. Docs: docs/chain.md.
//!
//! Whatever is tried, what the visitor has seen of an answer is never replaced by another model's: a model that breaks
//! off after its first words ends the turn, honestly, and a retry goes on from there.

use bulle_api::notice::Answerer;
use bulle_protocol::{
    Id,
    event::{Finish, Usage},
    problem::Code,
};

use super::{
    Ask, Platform,
    draft::Draft,
    model::{self, Attempt, Interruption, Patience},
};
use crate::{
    attachments,
    budget::{self, Funding, Unfunded},
    guard::limit,
    notice::Notice,
    prompt::{self, Extras, Input, Memory, Prompt, Summary},
    provider::{self, Failure, Link, Model, breaker::Breaker, prices},
    quality::{
        Finished,
        validate::{self, Defect, Rules},
    },
    record::{Call, Outcome, Purpose},
    reply::trailer,
    retrieval::Passages,
    settings::Site,
};

/// How often the same model is asked again after a failure that may pass.
const RETRIES: u32 = 2;

/// Upper bound of the first wait between two tries, in milliseconds; the next ones are twice as long. The wait itself is
/// random below it, so that not all who failed together come back together ("full jitter", M. Brooker, 2015).
const BACKOFF_MS: u64 = 400;

/// The longest that a visitor waits for a vendor that says when to come back, in milliseconds.
const MAX_WAIT_MS: u64 = 3_000;

/// What is asked of the models, and what has come of it.
pub(super) struct Chain<'a, P> {
    pub ports: &'a P,
    pub ask: &'a Ask<'a>,
    pub passages: &'a Passages,
    pub draft: Draft<'a>,
    pub patience: Patience<'a, P>,
    /// Every step, in order.
    pub calls: Vec<Call>,
    /// Whether a model has taken a request: from then on the answer costs money.
    pub paid: bool,
    /// Whether the answer is not as it must be, and yet stays: it cannot be taken back.
    pub flawed: bool,
    /// What the owner should know.
    pub alerts: Vec<Alert>,
    /// What stands for the beginning of a long conversation.
    pub summary: Option<Summary>,
    /// The last prompt that a model was given.
    pub prompt: Option<Prompt>,
    /// How the first model was just now.
    pub circuit: Option<Breaker>,
    /// Reservations so far.
    reservations: u128,
}

/// Something that the owner should know.
pub(super) enum Alert {
    /// A budget is used up: the key of its line.
    Exhausted(String),
    /// A model is not asked for a while.
    Failing(Answerer, Outcome),
}

impl Alert {
    /// As a notice; `instead` has answered.
    pub fn notice(self, site: &Site, instead: Option<Answerer>, now_ms: u64) -> Notice {
        match self {
            Self::Exhausted(line) => Notice::budget_exhausted(site, &line, instead),
            Self::Failing(who, why) => Notice::model_failing(site, who, why, instead, now_ms),
        }
    }
}

/// An answer of a model.
pub(super) struct Answered {
    pub provider: &'static str,
    pub model: String,
    pub end: Result<Finish, Failure>,
}

impl<'a, P: Platform> Chain<'a, P> {
    pub fn new(
        ports: &'a P,
        ask: &'a Ask<'a>,
        passages: &'a Passages,
        draft: Draft<'a>,
        patience: Patience<'a, P>,
    ) -> Self {
        Self {
            ports,
            ask,
            passages,
            draft,
            patience,
            calls: Vec::new(),
            paid: false,
            flawed: false,
            alerts: Vec::new(),
            summary: None,
            prompt: None,
            circuit: None,
            reservations: 0,
        }
    }

    /// Asks one after the other; `None` when nobody has answered and the draft is as it was before.
    pub async fn answer(&mut self, links: &[Link<'_>]) -> Option<Answered> {
        self.draft.reset(self.passages.items().len(), false);
        self.draft.push(self.ports, self.ask.written);
        for link in links {
            let model = match link {
                Link::Model(model) => *model,
                Link::Unconfigured(provider) => {
                    self.skip(provider.name, "", Outcome::Unconfigured);
                    continue;
                }
            };
            if let Some(end) = self.answer_of(model).await {
                let name = self.calls.last().map(|call| call.model.clone());
                return Some(Answered {
                    provider: model.server.provider.name,
                    model: name.unwrap_or_default(),
                    end,
                });
            }
        }
        None
    }

    /// What one model answers, cut answers continued and bad ones repaired once; `None` to go on to the next.
    async fn answer_of(&mut self, model: Model<'_>) -> Option<Result<Finish, Failure>> {
        let mut purpose = match self.ask.written {
            "" => Purpose::Answer,
            _ => Purpose::Continuation,
        };
        let mut defect = None;
        let mut prompt = self.prompt(purpose, None);
        self.begin(&prompt);
        let mut continued = false;
        loop {
            let before = self.draft.text().len();
            let mut finish = match self.try_model(model, purpose, &prompt).await {
                Ok(Finish::Stopped) => {
                    // What was held back is not shown unproven.
                    if self.draft.is_held() {
                        self.draft.reset(0, false);
                    }
                    return Some(Ok(Finish::Stopped));
                }
                Ok(finish) => finish,
                // The rest of a cut answer did not come: what there is, is an answer that was cut.
                Err(_) if continued => Finish::Length,
                Err(failure) if self.draft.is_shown() && self.draft.text().len() > before => {
                    return Some(Err(failure));
                }
                // What broke off after its last word was whole.
                Err(failure)
                    if failure.outcome == Outcome::Empty && !self.ask.written.is_empty() =>
                {
                    return Some(Ok(Finish::Stop));
                }
                Err(failure) if failure.outcome == Outcome::Empty && defect.is_none() => {
                    purpose = Purpose::Repair;
                    prompt = self.prompt(purpose, Some(defect.insert(Defect::Empty)));
                    self.begin(&prompt);
                    continue;
                }
                Err(_) => return None,
            };
            self.draft.close(self.ports);
            // The line of suggestions is the end of an answer, even where that line is cut.
            if !self.draft.suggestions().is_empty() {
                finish = Finish::Stop;
            }
            if finish == Finish::Length && !continued && self.may_go_on() {
                continued = true;
                purpose = Purpose::Continuation;
                prompt = self.prompt(purpose, defect.as_ref());
                self.expect_suggestions();
                continue;
            }
            self.draft.complete(self.ports);
            let Err(found) = self.check(finish) else {
                return Some(Ok(finish));
            };
            let name = model.server.provider.name;
            self.draft.log(&format!("{name} answered badly: {found:?}"));
            if !self.may_begin_again() {
                self.flawed = true;
                return Some(Ok(finish));
            }
            if let Some(call) = self.calls.last_mut() {
                call.outcome = Outcome::Invalid;
            }
            if defect.is_some() {
                return None;
            }
            continued = false;
            purpose = Purpose::Repair;
            prompt = self.prompt(purpose, Some(defect.insert(found)));
            self.begin(&prompt);
        }
    }

    fn prompt(&self, purpose: Purpose, defect: Option<&Defect>) -> Prompt {
        let memory = Memory {
            summary: self.summary.as_ref(),
            exchanges: self.ask.history,
        };
        let repair = defect.map(validate::instruction);
        let material = attachments::quoted(self.ask.question.attachments());
        let extras = Extras {
            continuation: (purpose == Purpose::Continuation).then(|| self.draft.text()),
            repair: repair.as_deref(),
            system: self.ask.question.instructions(),
            suggest: self.ask.offers().then_some(trailer::INSTRUCTION),
            material: material.as_deref(),
        };
        let input = Input::of(self.ask.question);
        prompt::build(&input, self.passages, &memory, &extras)
    }

    /// An empty draft, but for what an earlier attempt at this turn has written. One that must cite is held back.
    fn begin(&mut self, prompt: &Prompt) {
        let written = self.ask.written;
        if self.draft.text() != written || !self.draft.is_shown() {
            let answers = &self.ask.question.site().bot.answers;
            let held = answers.citations_required && prompt.passages() > 0 && written.is_empty();
            self.draft.reset(prompt.passages(), held);
            self.draft.push(self.ports, written);
        }
        self.expect_suggestions();
    }

    fn expect_suggestions(&mut self) {
        if self.ask.offers() {
            self.draft.expect_suggestions(self.ask.question.text());
        }
    }

    /// Whether a cut answer is worth to be continued: who bounds it wants no more.
    fn may_go_on(&self) -> bool {
        self.ask.most.is_none() && !self.draft.is_full()
    }

    /// Whether the answer can be taken back. What a visitor has read before a retry is not.
    fn may_begin_again(&self) -> bool {
        !self.draft.is_shown() || (self.ask.restartable && self.ask.written.is_empty())
    }

    /// Whether the answer is as it must be.
    fn check(&self, finish: Finish) -> Result<(), Defect> {
        let bot = &self.ask.question.site().bot;
        validate::check(
            &Finished {
                question: self.ask.question.text(),
                blocks: self.draft.blocks(),
                cites: self.draft.cites(),
                passages: self.passages,
                finish,
            },
            &Rules::of(&bot.answers, &bot.persona),
        )
    }

    /// Asks a model, again where that may help, for money if there is some.
    pub async fn try_model(
        &mut self,
        mut model: Model<'_>,
        purpose: Purpose,
        prompt: &Prompt,
    ) -> Result<Finish, Failure> {
        let name = model.server.provider.name;
        let who = Answerer {
            provider: name.to_owned(),
            model: model.name.to_owned(),
        };
        if self.patience.left() == 0 {
            let why = "there is no time left for another model";
            self.draft.log(&format!("{name} was not asked: {why}"));
            return Err(Failure::new(Code::UpstreamTimeout, why));
        }
        let breaker = match self.circuit.take().filter(|circuit| circuit.is_of(&model)) {
            Some(seen) => seen,
            None => Breaker::look(self.ports, &model).await,
        };
        let Some(breaker) = breaker.admitted(self.ports).await else {
            self.skip(name, model.name, Outcome::CircuitOpen);
            // Whoever opened it may be another tenant.
            self.alerts.push(Alert::Failing(who, Outcome::CircuitOpen));
            return Err(Failure::new(
                Code::UpstreamUnavailable,
                "the circuit is open",
            ));
        };
        let reservation = match self.reserve(&model, purpose, prompt).await {
            Ok(reservation) => reservation,
            Err(why) => {
                self.skip(name, model.name, Outcome::Unfunded);
                self.draft.log(&format!("{name} was not asked: {why}"));
                if let Unfunded::Exhausted(line) = &why {
                    self.alerts.push(Alert::Exhausted(line.clone()));
                }
                return Err(Failure::new(Code::UpstreamUnavailable, why.to_string()));
            }
        };
        self.prompt = Some(prompt.clone());
        let funded = reservation.as_ref().map(|_| budget::MAX_OUTPUT_TOKENS);
        let most = self.ask.most.into_iter().chain(funded).min();
        // Whoever is first: the load is shared among the keys.
        model.key = usize::try_from(self.ports.random() % 64).unwrap_or_default();
        let mut spent = Some(Usage::default());
        let (mut keys, mut tries) = (1, 0);
        let before = self.draft.text().len();
        let attempt = loop {
            let mut attempt = model::ask(
                self.ports,
                &mut self.patience,
                model,
                prompt,
                most,
                &mut self.draft,
            )
            .await;
            self.paid |= attempt.paid;
            if attempt.paid {
                spent = spent.zip(attempt.usage).map(|(a, b)| {
                    Usage::counted(
                        a.input_tokens.saturating_add(b.input_tokens),
                        a.output_tokens.saturating_add(b.output_tokens),
                    )
                });
            }
            let text = self
                .draft
                .text()
                .get(before..)
                .unwrap_or_default()
                .to_owned();
            self.note(&model, purpose, prompt, &attempt, &text);
            let Err(failure) = &attempt.end else {
                break attempt;
            };
            self.draft.log(&format!("{name} failed: {failure}"));
            if attempt.wrote() {
                break attempt;
            }
            model.key += 1;
            if failure.is_of_the_key() && keys < model.server.api_keys.len() {
                keys += 1;
                continue;
            }
            let Some(wait) = self.wait(failure, tries) else {
                break attempt;
            };
            tries += 1;
            if let Err(Interruption::Stopped) = self.patience.pause(wait).await {
                attempt.end = Ok(Finish::Stopped);
                break attempt;
            }
        };
        if let (Some(reservation), Some(usage)) = (reservation, spent)
            && let Err(error) = reservation.settle(self.ports, usage).await
        {
            self.draft
                .log(&format!("the budget keeps its reservation: {error}"));
        }
        match &attempt.end {
            Ok(Finish::Stopped) => {}
            Err(failure) if failure.hasty => {}
            Err(failure) if failure.is_of_the_model() => {
                if breaker.failed(self.ports).await {
                    self.draft.log(&format!(
                        "{name} is not asked for a while: it failed too often"
                    ));
                    self.alerts.push(Alert::Failing(who, failure.outcome));
                }
            }
            _ => breaker.succeeded(self.ports).await,
        }
        attempt.end
    }

    async fn reserve(
        &mut self,
        model: &Model<'_>,
        purpose: Purpose,
        prompt: &Prompt,
    ) -> Result<Option<budget::Reservation>, Unfunded> {
        self.reservations += 1;
        let id = limit::ticket(
            self.ask.reply_id,
            Id::from_parts(purpose as u64, self.reservations),
        );
        match budget::reserve(self.ports, self.ask.question.site(), id, model, prompt).await {
            Funding::Unbounded => Ok(None),
            Funding::Reserved(reservation) => Ok(Some(reservation)),
            Funding::Refused(why) => Err(why),
        }
    }

    /// How long to wait before the same model is asked again, in milliseconds; `None` when that is not worth it.
    fn wait(&self, failure: &Failure, tries: u32) -> Option<u64> {
        if !failure.is_passing() || tries >= RETRIES {
            return None;
        }
        let most = BACKOFF_MS << tries;
        let jitter = u64::try_from(self.ports.random() % u128::from(most)).unwrap_or_default();
        let asked = failure
            .retry_after
            .map_or(0, |seconds| u64::from(seconds) * 1_000);
        let wait = asked + jitter;
        (asked <= MAX_WAIT_MS && wait < self.patience.left()).then_some(wait)
    }

    /// Records a model that was not asked.
    fn skip(&mut self, provider: &str, model: &str, outcome: Outcome) {
        let now = self.ports.now_ms();
        self.calls.push(Call::free(provider, model, outcome, now));
    }

    /// Records a model that was asked.
    fn note(
        &mut self,
        model: &Model<'_>,
        purpose: Purpose,
        prompt: &Prompt,
        attempt: &Attempt,
        text: &str,
    ) {
        let since =
            |ms: u64| u32::try_from(ms.saturating_sub(attempt.started_ms)).unwrap_or(u32::MAX);
        let usage = match attempt.usage {
            Some(usage) => usage,
            None if attempt.paid => provider::estimate(prompt.turns(), text),
            None => Usage::default(),
        };
        self.calls.push(Call {
            purpose,
            provider: model.server.provider.name.to_owned(),
            model: attempt
                .model
                .clone()
                .unwrap_or_else(|| model.name.to_owned()),
            outcome: match &attempt.end {
                Ok(Finish::Stopped) => Outcome::Stopped,
                Ok(Finish::Length) => Outcome::Truncated,
                Ok(_) => Outcome::Answered,
                Err(failure) => failure.outcome,
            },
            status: attempt.status,
            usage,
            microusd: prices::cost(model.price, model.name, usage),
            first_token_ms: attempt.first_ms.map(since),
            total_ms: since(attempt.ended_ms),
            at: attempt.started_ms,
        });
    }
}
