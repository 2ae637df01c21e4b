//! The floor of `cargo xtask bench edge`: a Worker in Rust that gives each message to the Durable Object of its
//! conversation, which asks the model and passes the stream on. It does nothing else: no token, no storage, no search.
//!
//! `/passed/{conversation}` passes the platform's own stream on; `/pieces/{conversation}` takes each piece into Rust and gives
//! it out again, as a Worker must that looks at the text. It is never deployed.

mod conversation;

use worker::{Context, Env, Request, Response, Result, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _: Context) -> Result<Response> {
    let path = request.path();
    if path == "/health" {
        return Response::ok("ok");
    }
    let objects = env.durable_object("CONVERSATIONS")?;
    let object = objects.id_from_name(&path)?.get_stub()?;
    object.fetch_with_request(request).await
}
