//! The Durable Object.

use worker::{
    DurableObject, Env, Fetch, Method, Request, RequestInit, Response, Result, State,
    durable_object,
};

/// The object of a conversation.
#[durable_object]
pub struct Conversation {
    env: Env,
}

impl DurableObject for Conversation {
    fn new(_: State, env: Env) -> Self {
        Self { env }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let in_rust = request.path().starts_with("/pieces/");
        let question = request.text().await?;
        let url = format!("{}/chat/completions", self.env.var("UPSTREAM")?);
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_body(Some(question.into()));
        let mut answer = Fetch::Request(Request::new_with_init(&url, &init)?)
            .send()
            .await?;
        if in_rust {
            return Response::from_stream(answer.stream()?);
        }
        Ok(answer)
    }
}
