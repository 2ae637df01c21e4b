//! The chain: models are asked one after the other until one answers. Docs: docs/chain.md.
//!
//! What the visitor has seen of an answer is never replaced by another model's: a model that breaks off after its first
//! words ends the turn with an error, and a retry continues that answer.

use bulle_protocol::event::Finish;
use std::rc::Rc;

use super::{
    Ask, Platform, Reader,
    client::{Account, ModelClient},
    draft::Draft,
    prepare::{self, Brief, Found},
    written::Written,
};
use crate::{
    prompt::Prompt,
    provider::{Failure, Link, Model},
    quality::{
        Finished,
        validate::{self, Defect, Rules},
    },
    record::{Outcome, Purpose},
};

/// The chain of a turn with the draft that its models write.
pub(super) struct Chain<'a, 's, P> {
    ports: &'a P,
    ask: &'a Ask<'a>,
    found: &'a Found<'a>,
    brief: &'a Brief<'a>,
    draft: &'a mut Draft<'s>,
    client: ModelClient<'a, P>,
    flawed: bool,
}

/// One request of the turn to a model: its purpose and its prompt.
struct Round {
    purpose: Purpose,
    prompt: Rc<Prompt>,
    /// The defect of the model's answer before, which this one is to avoid.
    defect: Option<Defect>,
    /// Whether the model continues an answer that was cut at its limit of tokens.
    continued: bool,
}

/// What the chain does after a round.
enum Next {
    /// The answer has ended.
    End(Result<Finish, Failure>),
    /// The same model is asked again.
    Again(Round),
    /// The next model is asked.
    Pass,
}

impl<'a, 's, P: Platform> Chain<'a, 's, P> {
    pub fn new(
        ports: &'a P,
        ask: &'a Ask<'a>,
        found: &'a Found<'a>,
        brief: &'a Brief<'a>,
        draft: &'a mut Draft<'s>,
        client: ModelClient<'a, P>,
    ) -> Self {
        Self {
            ports,
            ask,
            found,
            brief,
            draft,
            client,
            flawed: false,
        }
    }

    /// Asks one model after the other. When none has answered, the draft is as it was before, and the error is the
    /// account of their calls.
    pub async fn run(mut self) -> Result<Written, Account> {
        self.draft.reset(self.found.passages.items().len(), false);
        self.draft.push(self.ports, self.ask.written);
        for link in &self.brief.links {
            let model = match link {
                Link::Model(model) => *model,
                Link::Unconfigured(provider) => {
                    self.client.skip(provider.name, "", Outcome::Unconfigured);
                    continue;
                }
            };
            if let Some(end) = self.answer_of(model).await {
                return Ok(self.written(model, end));
            }
        }
        Err(self.client.close())
    }

    fn written(self, model: Model<'_>, end: Result<Finish, Failure>) -> Written {
        let account = self.client.close();
        let last = account.calls.last();
        Written {
            end,
            provider: model.server.provider.name.to_owned(),
            model: last.map(|call| call.model.clone()).unwrap_or_default(),
            suggestions: self.draft.suggestions().to_vec(),
            flawed: self.flawed,
            account,
        }
    }

    /// The answer of one model, continued when it is cut and repaired once when it has a defect; `None` when the next
    /// model is to be asked.
    async fn answer_of(&mut self, model: Model<'_>) -> Option<Result<Finish, Failure>> {
        let purpose = match self.ask.written {
            "" => Purpose::Answer,
            _ => Purpose::Continuation,
        };
        let prompt = Rc::clone(&self.brief.prompt);
        let mut round = self.round(purpose, prompt, None);
        loop {
            let before = self.draft.text().len();
            let asked = self
                .client
                .ask(model, round.purpose, &round.prompt, self.draft)
                .await;
            let next = match asked {
                Ok(Finish::Stopped) => self.stopped(),
                Ok(finish) => self.wrote(model, round, finish),
                // The continuation failed: the text that was written so far counts as an answer cut at its limit.
                Err(_) if round.continued => self.wrote(model, round, Finish::Length),
                Err(failure) => self.failed(&round, failure, before),
            };
            match next {
                Next::End(end) => return Some(end),
                Next::Again(again) => round = again,
                Next::Pass => return None,
            }
        }
    }

    /// The visitor has stopped the answer.
    fn stopped(&mut self) -> Next {
        // Held text was not checked against the bot's rules, so it is not shown.
        if self.draft.is_held() {
            self.draft.reset(0, false);
        }
        Next::End(Ok(Finish::Stopped))
    }

    /// The model has failed; the draft was `before` bytes long.
    fn failed(&mut self, round: &Round, failure: Failure, before: usize) -> Next {
        let is_empty = failure.outcome == Outcome::Empty;
        if self.draft.is_shown() && self.draft.text().len() > before {
            Next::End(Err(failure))
        } else if is_empty && !self.ask.written.is_empty() {
            // The model had nothing to add: the earlier attempt broke off after the answer's last word.
            Next::End(Ok(Finish::Stop))
        } else if is_empty && round.defect.is_none() {
            self.repair(Defect::Empty)
        } else {
            Next::Pass
        }
    }

    /// The model has written to its end, or to its limit.
    fn wrote(&mut self, model: Model<'_>, round: Round, mut finish: Finish) -> Next {
        self.draft.close(self.ports);
        // The line of suggestions comes last, so the answer is complete even when that line is cut.
        if !self.draft.suggestions().is_empty() {
            finish = Finish::Stop;
        }
        if finish == Finish::Length && !round.continued && self.may_go_on() {
            return self.go_on(round.defect);
        }
        self.draft.complete(self.ports);
        let Err(found) = self.check(finish) else {
            return Next::End(Ok(finish));
        };
        let name = model.server.provider.name;
        self.draft.log(&format!("{name} answered badly: {found:?}"));
        if !self.may_begin_again() {
            self.flawed = true;
            return Next::End(Ok(finish));
        }
        self.client.last_was_invalid();
        if round.defect.is_some() {
            return Next::Pass;
        }
        self.repair(found)
    }

    /// Has the model continue its answer, which was cut at its limit of tokens.
    fn go_on(&mut self, defect: Option<Defect>) -> Next {
        let prompt = self.prompt(Some(self.draft.text()), defect.as_ref());
        self.expect_suggestions();
        Next::Again(Round {
            purpose: Purpose::Continuation,
            prompt: Rc::new(prompt),
            defect,
            continued: true,
        })
    }

    /// Has the model write the answer anew, without this defect.
    fn repair(&mut self, defect: Defect) -> Next {
        let prompt = Rc::new(self.prompt(None, Some(&defect)));
        Next::Again(self.round(Purpose::Repair, prompt, Some(defect)))
    }

    fn prompt(&self, so_far: Option<&str>, defect: Option<&Defect>) -> Prompt {
        let summary = self.brief.summary.as_ref();
        prepare::prompt(self.ask, &self.found.passages, summary, so_far, defect)
    }

    /// Begins a round. Its draft is empty, except for the text that an earlier attempt at this turn has written. An
    /// answer that must cite is held back until it is checked.
    fn round(&mut self, purpose: Purpose, prompt: Rc<Prompt>, defect: Option<Defect>) -> Round {
        let written = self.ask.written;
        if self.draft.text() != written || !self.draft.is_shown() {
            let answers = &self.ask.question.site().bot.answers;
            let held = answers.citations_required && prompt.passages() > 0 && written.is_empty();
            self.draft.reset(prompt.passages(), held);
            self.draft.push(self.ports, written);
        }
        self.expect_suggestions();
        Round {
            purpose,
            prompt,
            defect,
            continued: false,
        }
    }

    fn expect_suggestions(&mut self) {
        if self.ask.offers() {
            self.draft.expect_suggestions(self.found.asked.words());
        }
    }

    /// Whether an answer that was cut at its limit may be continued: only where the caller has set no limit.
    fn may_go_on(&self) -> bool {
        self.ask.most.is_none() && !self.draft.is_full()
    }

    /// Whether the answer can be taken back and written anew. Text that the visitor has read before a retry cannot.
    fn may_begin_again(&self) -> bool {
        let is_page = self.ask.reader == Reader::Page;
        !self.draft.is_shown() || (is_page && self.ask.written.is_empty())
    }

    /// Checks the answer against the bot's rules.
    fn check(&self, finish: Finish) -> Result<(), Defect> {
        let bot = &self.ask.question.site().bot;
        validate::check(
            &Finished {
                question: self.ask.question.text(),
                blocks: self.draft.blocks(),
                cites: self.draft.cites(),
                passages: &self.found.passages,
                finish,
            },
            &Rules::of(&bot.answers, &bot.persona),
        )
    }
}
