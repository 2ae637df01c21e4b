//! A turn's answer for a client of OpenAI's API: streamed in pieces, or whole at its end.

use bulle_api::completion::{
    Answer, Choice, Chunk, ChunkChoice, Completion, CompletionUsage, Delta, Extra,
};
use bulle_protocol::{
    Id,
    event::{Done, Finish, ServerEvent, Source, TurnError},
    problem::{Code, Problem},
};
use serde::Serialize;

use super::{citations::Citations, error, request::Request};
use crate::turn::Sink;

/// The output of a completion.
pub trait Client {
    /// Takes the next piece of a stream.
    fn tell(&mut self, piece: String);
    /// Takes a line for the log.
    fn log(&mut self, line: &str);
}

/// The sink of a turn that writes OpenAI's format.
pub struct Writer<C> {
    client: C,
    stream: bool,
    include_usage: bool,
    id: String,
    created: u64,
    model: String,
    begun: bool,
    /// True when streamed text should have been taken back, which a stream cannot do.
    broken: bool,
    text: String,
    citations: Option<Citations>,
    sources: Vec<Source>,
    suggestions: Vec<String>,
    last: Option<Result<Done, TurnError>>,
}

impl<C: Client> Writer<C> {
    /// An answer without text. `reply` is the id of the answer; `now_ms` is Unix milliseconds.
    pub fn new(client: C, request: &Request, reply: Id, now_ms: u64) -> Self {
        Self {
            client,
            stream: request.stream,
            include_usage: request.include_usage,
            id: format!("chatcmpl-{reply}"),
            created: now_ms / 1_000,
            model: request.model.clone(),
            begun: false,
            broken: false,
            text: String::new(),
            citations: None,
            sources: Vec::new(),
            suggestions: Vec::new(),
            last: None,
        }
    }

    fn add(&mut self, text: String) {
        if text.is_empty() || self.broken {
            return;
        }
        self.text.push_str(&text);
        self.delta(Delta {
            content: Some(text),
            ..Delta::default()
        });
    }

    fn delta(&mut self, delta: Delta) {
        let choice = ChunkChoice {
            index: 0,
            delta,
            finish_reason: None,
            logprobs: None,
        };
        self.piece(vec![choice], None, None);
    }

    fn piece(
        &mut self,
        choices: Vec<ChunkChoice>,
        usage: Option<CompletionUsage>,
        bulle: Option<Extra>,
    ) {
        if !self.stream {
            return;
        }
        self.tell(&Chunk {
            id: self.id.clone(),
            object: "chat.completion.chunk".to_owned(),
            created: self.created,
            model: self.model.clone(),
            choices,
            usage,
            bulle,
        });
    }

    fn tell<T: Serialize>(&mut self, value: &T) {
        match serde_json::to_string(value) {
            Ok(json) => self.client.tell(format!("data: {json}\n\n")),
            Err(error) => self
                .client
                .log(&format!("a piece could not be written: {error}")),
        }
    }

    /// Ends the answer of a turn that cites these passages: sends the end of a stream, and gives the whole answer.
    ///
    /// # Errors
    /// The turn failed; a stream has already got the error.
    pub fn end(mut self, cites: &[u32]) -> Result<Completion, Problem> {
        if let Some(mut citations) = self.citations.take() {
            let rest = citations.finish();
            self.add(rest);
        }
        let done = match self.last.take() {
            Some(Ok(done)) if !self.broken => done,
            other => {
                let (code, retry_after) = match other {
                    Some(Err(failed)) => (failed.code, failed.retry_after),
                    _ => (Code::UpstreamInterrupted, None),
                };
                let detail = format!("{}: there is no whole answer. Ask again.", code.title());
                let mut problem = Problem::new(code, detail);
                problem.retry_after = retry_after;
                if self.stream {
                    let body = error(&problem, None);
                    self.tell(&body);
                }
                return Err(problem);
            }
        };
        let usage = CompletionUsage {
            prompt_tokens: done.usage.input_tokens,
            completion_tokens: done.usage.output_tokens,
            total_tokens: done
                .usage
                .input_tokens
                .saturating_add(done.usage.output_tokens),
        };
        let reason = match done.finish {
            Finish::Length => "length",
            _ => "stop",
        };
        let sources = std::mem::take(&mut self.sources);
        let extra = Extra {
            finish: done.finish,
            provider: done.provider,
            sources: renumbered(sources, cites),
            suggestions: std::mem::take(&mut self.suggestions),
            confidence: done.confidence,
            cached: done.cached,
        };
        if self.stream {
            let last = ChunkChoice {
                index: 0,
                delta: Delta::default(),
                finish_reason: Some(reason.to_owned()),
                logprobs: None,
            };
            self.piece(vec![last], None, Some(extra.clone()));
            if self.include_usage {
                self.piece(Vec::new(), Some(usage), None);
            }
            self.client.tell("data: [DONE]\n\n".to_owned());
        }
        let message = Answer {
            role: "assistant".to_owned(),
            content: self.text,
            refusal: None,
        };
        Ok(Completion {
            id: self.id,
            object: "chat.completion".to_owned(),
            created: self.created,
            model: self.model,
            choices: vec![Choice {
                index: 0,
                message,
                finish_reason: reason.to_owned(),
                logprobs: None,
            }],
            usage,
            bulle: extra,
        })
    }
}

/// The sources under their numbers in the Markdown.
fn renumbered(sources: Vec<Source>, cites: &[u32]) -> Vec<Source> {
    let number = |shown: u32| {
        let at = usize::try_from(shown).ok()?.checked_sub(1)?;
        cites.get(at).copied()
    };
    let mut all: Vec<Source> = sources
        .into_iter()
        .map(|source| Source {
            n: number(source.n).unwrap_or(source.n),
            ..source
        })
        .collect();
    all.sort_by_key(|source| source.n);
    all
}

impl<C: Client> Sink for Writer<C> {
    fn emit(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::Start(_) if !self.begun => {
                self.begun = true;
                self.delta(Delta {
                    role: Some("assistant".to_owned()),
                    content: Some(String::new()),
                });
            }
            // Text that was streamed cannot be taken back.
            ServerEvent::Start(_) if self.stream && !self.text.is_empty() => self.broken = true,
            ServerEvent::Start(_) => {
                self.text.clear();
                self.citations = None;
            }
            ServerEvent::Sources(sources) => self.sources = sources.items,
            ServerEvent::Suggestions(suggestions) => self.suggestions = suggestions.items,
            ServerEvent::Done(done) => self.last = Some(Ok(done)),
            ServerEvent::Error(error) => self.last = Some(Err(error)),
            ServerEvent::Block(_) | ServerEvent::Append(_) => {}
        }
    }

    fn wrote(&mut self, text: &str, passages: usize) {
        let citations = self
            .citations
            .get_or_insert_with(|| Citations::new(passages));
        let known = citations.push(text);
        self.add(known);
    }

    fn log(&mut self, line: &str) {
        self.client.log(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulle_protocol::event::{Remaining, Sources, Start, Suggestions, Usage};
    use std::{cell::RefCell, rc::Rc};

    #[derive(Clone, Default)]
    struct Told(Rc<RefCell<String>>);

    impl Client for Told {
        fn tell(&mut self, piece: String) {
            self.0.borrow_mut().push_str(&piece);
        }
        fn log(&mut self, _: &str) {}
    }

    fn id(n: u128) -> Id {
        Id::from_parts(1, n)
    }

    fn start() -> ServerEvent {
        ServerEvent::Start(Start {
            conversation_id: id(1),
            message_id: id(2),
            reply_id: id(3),
        })
    }

    fn done() -> ServerEvent {
        ServerEvent::Done(Done {
            reply_id: id(3),
            finish: Finish::Stop,
            provider: "openai".into(),
            model: "m".into(),
            confidence: Some(0.5),
            cached: false,
            unanswered: false,
            usage: Usage::counted(7, 5),
            remaining: Remaining::default(),
            kept: true,
        })
    }

    fn failed() -> ServerEvent {
        ServerEvent::Error(TurnError {
            code: Code::UpstreamInterrupted,
            message: "Coupé.".into(),
            retry_after: Some(3),
            action: None,
            kept: true,
        })
    }

    fn source(n: u32) -> Source {
        Source {
            n,
            title: format!("Titre {n}"),
            url: None,
            snippet: String::new(),
        }
    }

    fn writer(stream: bool) -> (Told, Writer<Told>) {
        let told = Told::default();
        let request = Request {
            model: "bot".into(),
            messages: Vec::new(),
            stream,
            include_usage: true,
            most: None,
        };
        let mut writer = Writer::new(told.clone(), &request, id(3), 1_500);
        writer.emit(start());
        (told, writer)
    }

    fn tell(mut writer: Writer<Told>) -> Result<Completion, Problem> {
        writer.wrote("Oui [", 3);
        writer.wrote("3], non [1", 3);
        writer.wrote("][7].", 3);
        let items = vec![source(1), source(2)];
        writer.emit(ServerEvent::Sources(Sources { items }));
        let items = vec!["Et ?".into()];
        writer.emit(ServerEvent::Suggestions(Suggestions { items }));
        writer.emit(done());
        writer.end(&[3, 1])
    }

    #[test]
    fn a_whole_answer() {
        let (told, writer) = writer(false);
        insta::assert_json_snapshot!(tell(writer).unwrap());
        assert_eq!(*told.0.borrow(), "");
    }

    #[test]
    fn an_answer_in_pieces() {
        let (told, writer) = writer(true);
        tell(writer).unwrap();
        insta::assert_snapshot!(told.0.borrow());
    }

    #[test]
    fn what_fails_after_its_first_words_ends_with_an_error() {
        let (told, mut writer) = writer(true);
        writer.wrote("Oui", 0);
        writer.emit(failed());
        let problem = writer.end(&[]).unwrap_err();
        assert_eq!((problem.status, problem.retry_after), (502, Some(3)));
        let told = told.0.borrow();
        let last = told.trim_end().rsplit("\n\n").next().unwrap();
        assert!(
            last.starts_with("data: {\"error\":{\"message\":\"Answer interrupted: "),
            "{last}"
        );
        assert!(!told.contains("Coupé") && !told.contains("DONE"));
    }

    #[test]
    fn what_is_begun_again_is_told_once_or_not_at_all() {
        let (_, mut whole) = writer(false);
        whole.wrote("Faux", 0);
        whole.emit(start());
        whole.wrote("Vrai", 0);
        whole.emit(done());
        assert_eq!(whole.end(&[]).unwrap().choices[0].message.content, "Vrai");
        let (told, mut pieces) = writer(true);
        pieces.wrote("Faux", 0);
        pieces.emit(start());
        pieces.wrote("Vrai", 0);
        pieces.emit(done());
        assert_eq!(pieces.end(&[]).unwrap_err().code, Code::UpstreamInterrupted);
        assert!(!told.0.borrow().contains("Vrai"));
    }
}
