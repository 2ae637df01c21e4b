//! Asks one model: checks its circuit breaker, reserves the cost in the budgets, chooses a key of the vendor, and sends
//! the request again where that may help.

use bulle_api::notice::Answerer;
use bulle_protocol::{
    Id,
    event::{Finish, Usage},
    problem::Code,
};
use std::rc::Rc;

use super::{
    Ask, Platform,
    deadlines::{Deadlines, Interruption},
    draft::Draft,
    request::{self, Attempt},
};
use crate::{
    budget::{self, Funding, Reservation, Unfunded},
    guard::limit,
    model::Site,
    notice::{NewNotice, reason},
    prompt::Prompt,
    provider::{
        self, Failure, Model,
        breaker::{Breaker, Why},
        prices,
    },
    record::{ModelCall, Outcome, Purpose},
};

/// How often the same model is asked again after a failure that may pass.
const RETRIES: u32 = 2;

/// Upper bound of the first wait between two tries, in milliseconds; each further bound is twice as long. The wait is
/// random below its bound, so that requests which failed together are not repeated together ("full jitter", M. Brooker,
/// 2015).
const BACKOFF_MS: u64 = 400;

/// Longest wait before a retry when the vendor says how long to wait (`Retry-After`), in milliseconds.
const MAX_WAIT_MS: u64 = 3_000;

/// The requests of a turn to models, with their cost.
#[derive(Default)]
pub(super) struct Account {
    /// Every call of a model, in order.
    pub calls: Vec<ModelCall>,
    /// Whether a model has taken a request: from then on the answer costs money.
    pub paid: bool,
    /// The prompt of the last request.
    pub prompt: Option<Rc<Prompt>>,
    /// The events of which the owner gets a notice.
    pub alerts: Vec<Alert>,
    /// Whether a model that has failed may answer a later try.
    pub may_pass: bool,
    /// The adaptations of the requests to the last model.
    pub adapted: Vec<String>,
}

/// An event of which the owner gets a notice.
pub(super) enum Alert {
    /// A budget is used up. The string is the key of its counter in the meter.
    Exhausted(String),
    /// A model does not answer: the recorded outcome and the reason, if it is known.
    Failing(Answerer, Outcome, Option<Why>),
}

impl Alert {
    /// The notice of this alert. `instead` wrote the answer in place of the model.
    pub fn notice(self, site: &Site, instead: Option<Answerer>, now_ms: u64) -> NewNotice {
        match self {
            Self::Exhausted(line) => NewNotice::budget_exhausted(site, &line, instead),
            Self::Failing(who, outcome, why) => {
                NewNotice::model_failing(site, who, (outcome, why), instead, now_ms)
            }
        }
    }
}

/// Asks the models of a turn, and keeps the account of it.
pub(super) struct ModelClient<'a, P> {
    ports: &'a P,
    ask: &'a Ask<'a>,
    deadlines: Deadlines<'a, P>,
    /// The first model's circuit, which `prepare` has read during the search.
    circuit: Option<Breaker>,
    /// The number of reservations made so far.
    reservations: u128,
    account: Account,
}

impl<'a, P: Platform> ModelClient<'a, P> {
    pub fn new(
        ports: &'a P,
        ask: &'a Ask<'a>,
        deadlines: Deadlines<'a, P>,
        circuit: Option<Breaker>,
    ) -> Self {
        Self {
            ports,
            ask,
            deadlines,
            circuit,
            reservations: 0,
            account: Account::default(),
        }
    }

    /// Ends the turn's calls, and gives their account.
    pub fn close(self) -> Account {
        self.account
    }

    /// Asks a model if its circuit is closed and its cost can be reserved; sends the request again where that may help.
    pub async fn ask(
        &mut self,
        mut model: Model<'_>,
        purpose: Purpose,
        prompt: &Rc<Prompt>,
        draft: &mut Draft<'_>,
    ) -> Result<Finish, Failure> {
        if self.deadlines.left() == 0 {
            let why = "there is no time left for another model";
            let name = model.server.provider.name;
            draft.log(&format!("{name} was not asked: {why}"));
            self.account.may_pass = true;
            return Err(Failure::new(Code::UpstreamTimeout, why));
        }
        let breaker = self.breaker(&model).await?;
        model.habits = breaker.habits();
        let reservation = self.reserve(&model, purpose, prompt, draft).await?;
        self.account.prompt = Some(Rc::clone(prompt));
        let funded = reservation.as_ref().map(|_| budget::MAX_OUTPUT_TOKENS);
        let most = self.ask.most.into_iter().chain(funded).min();
        let (end, spent) = self.tries(&mut model, purpose, prompt, most, draft).await;
        self.account.adapted = model.differences();
        if let (Some(reservation), Some(usage)) = (reservation, spent)
            && let Err(error) = reservation.settle(self.ports, usage).await
        {
            draft.log(&format!("the budget keeps its reservation: {error}"));
        }
        self.report(&model, breaker, &end, draft);
        end
    }

    /// The model's circuit breaker.
    ///
    /// # Errors
    /// The circuit is open.
    async fn breaker(&mut self, model: &Model<'_>) -> Result<Breaker, Failure> {
        let breaker = match self.circuit.take().filter(|circuit| circuit.is_of(model)) {
            Some(seen) => seen,
            None => Breaker::look(self.ports, model).await,
        };
        let why = match breaker.admitted(self.ports) {
            Ok(breaker) => return Ok(breaker),
            Err(why) => why,
        };
        self.skip(model.server.provider.name, model.name, Outcome::CircuitOpen);
        self.account.may_pass |= why.is_none_or(|why| !why.lasting);
        // Another tenant's turns may have opened this circuit, so this owner may not have had a notice yet.
        let alert = Alert::Failing(answerer(model), Outcome::CircuitOpen, why);
        self.account.alerts.push(alert);
        let detail = "the circuit is open";
        Err(Failure::new(Code::UpstreamUnavailable, detail))
    }

    /// Reserves the cost of a request in all budgets; `None` when the bot and its tenant have no budget.
    ///
    /// # Errors
    /// A budget is used up, or cannot be read, or the price is unknown.
    async fn reserve(
        &mut self,
        model: &Model<'_>,
        purpose: Purpose,
        prompt: &Prompt,
        draft: &mut Draft<'_>,
    ) -> Result<Option<Reservation>, Failure> {
        self.reservations += 1;
        // Each reservation is a charge of its own, also in another attempt at the same reply.
        let number = (purpose as u128) << 64 | self.reservations;
        let attempt = Id::from_parts(self.ports.now_ms(), number);
        let id = limit::dedup_key(self.ask.reply_id, attempt);
        let site = self.ask.question.site();
        let why = match budget::reserve(self.ports, site, id, model, prompt).await {
            Funding::Unbounded => return Ok(None),
            Funding::Reserved(reservation) => return Ok(Some(reservation)),
            Funding::Refused(why) => why,
        };
        let name = model.server.provider.name;
        self.skip(name, model.name, Outcome::Unfunded);
        draft.log(&format!("{name} was not asked: {why}"));
        let failure = Failure::new(Code::UpstreamUnavailable, why.to_string());
        if let Unfunded::Exhausted(line) = why {
            self.account.alerts.push(Alert::Exhausted(line));
        }
        Err(failure)
    }

    /// Sends requests until one writes text or a retry cannot help. Gives how the last request ended, and the tokens of
    /// all requests, unless the vendor has not counted them.
    async fn tries(
        &mut self,
        model: &mut Model<'_>,
        purpose: Purpose,
        prompt: &Prompt,
        most: Option<u32>,
        draft: &mut Draft<'_>,
    ) -> (Result<Finish, Failure>, Option<Usage>) {
        // The first key is drawn at random, so that the vendor's keys share the load.
        model.key = usize::try_from(self.ports.random() % 64).unwrap_or_default();
        let mut spent = Some(Usage::default());
        let (mut keys, mut tries) = (1, 0);
        let before = draft.text().len();
        loop {
            let deadlines = &mut self.deadlines;
            let attempt = request::send(self.ports, deadlines, *model, prompt, most, draft).await;
            self.account.paid |= attempt.paid;
            if attempt.paid {
                spent = spent.zip(attempt.usage).map(|(a, b)| sum(a, b));
            }
            let text = draft.text().get(before..).unwrap_or_default();
            let call = call(model, purpose, prompt, &attempt, text);
            self.account.calls.push(call);
            if let Some(thinking) = attempt.learned
                && thinking != model.expect()
            {
                model.habits.thinking = thinking;
            }
            let Err(failure) = &attempt.end else {
                return (attempt.end, spent);
            };
            let name = model.server.provider.name;
            draft.log(&format!("{name} failed: {failure}"));
            if attempt.wrote() {
                return (attempt.end, spent);
            }
            if let Some(habits) = model.after(failure, most.is_some()) {
                model.habits = habits;
                let how = model.differences().join(", ");
                draft.log(&format!("{name} is asked otherwise: {how}"));
                continue;
            }
            model.key += 1;
            if failure.is_of_the_key() && keys < model.server.api_keys.len() {
                keys += 1;
                continue;
            }
            let Some(wait) = self.backoff(failure, tries) else {
                return (attempt.end, spent);
            };
            tries += 1;
            if let Err(Interruption::Stopped) = self.deadlines.pause(wait).await {
                return (Ok(Finish::Stopped), spent);
            }
        }
    }

    /// How long to wait before the same model is asked again, in milliseconds; `None` when a retry cannot help.
    fn backoff(&self, failure: &Failure, tries: u32) -> Option<u64> {
        if !failure.is_passing() || tries >= RETRIES {
            return None;
        }
        let most = BACKOFF_MS << tries;
        let jitter = u64::try_from(self.ports.random() % u128::from(most)).unwrap_or_default();
        let asked = failure
            .retry_after
            .map_or(0, |seconds| u64::from(seconds) * 1_000);
        let wait = asked + jitter;
        (asked <= MAX_WAIT_MS && wait < self.deadlines.left()).then_some(wait)
    }

    /// Reports the outcome to the circuit breaker, and keeps an alert for the owner if one is due.
    fn report(
        &mut self,
        model: &Model<'_>,
        breaker: Breaker,
        end: &Result<Finish, Failure>,
        draft: &mut Draft<'_>,
    ) {
        let failure = match end {
            Ok(Finish::Stopped) => return,
            Ok(_) => return breaker.succeeded(self.ports, model.habits),
            Err(failure) => failure,
        };
        self.account.may_pass |= !failure.is_lasting();
        let why = Why::of(failure);
        let name = model.server.provider.name;
        let verdict = if failure.hasty {
            return;
        } else if failure.is_of_the_model() {
            breaker.failed(self.ports, why)
        } else if failure.is_lasting() {
            breaker.refused(self.ports, why)
        } else {
            return breaker.succeeded(self.ports, model.habits);
        };
        if verdict.opened {
            draft.log(&format!(
                "{name} is not asked for a while: it failed too often"
            ));
        }
        if verdict.alerts {
            draft.log(&format!("{name}: {}", reason::in_english(model, why)));
            let alert = Alert::Failing(answerer(model), failure.outcome, Some(why));
            self.account.alerts.push(alert);
        }
    }

    /// Records that a model was passed over without a request.
    pub fn skip(&mut self, provider: &str, model: &str, outcome: Outcome) {
        let now = self.ports.now_ms();
        let call = ModelCall::free(provider, model, outcome, now);
        self.account.calls.push(call);
    }

    /// Records that the last answer had a defect.
    pub fn last_was_invalid(&mut self) {
        if let Some(call) = self.account.calls.last_mut() {
            call.outcome = Outcome::Invalid;
        }
    }
}

fn answerer(model: &Model<'_>) -> Answerer {
    Answerer {
        provider: model.server.provider.name.to_owned(),
        model: model.name.to_owned(),
    }
}

fn sum(a: Usage, b: Usage) -> Usage {
    Usage::counted(
        a.input_tokens.saturating_add(b.input_tokens),
        a.output_tokens.saturating_add(b.output_tokens),
    )
}

/// The step of a model that was asked, and wrote this text.
fn call(
    model: &Model<'_>,
    purpose: Purpose,
    prompt: &Prompt,
    attempt: &Attempt,
    text: &str,
) -> ModelCall {
    let since = |ms: u64| u32::try_from(ms.saturating_sub(attempt.started_ms)).unwrap_or(u32::MAX);
    let usage = match attempt.usage {
        Some(usage) => usage,
        None if attempt.paid => provider::estimate(prompt.turns(), text),
        None => Usage::default(),
    };
    ModelCall {
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
    }
}
