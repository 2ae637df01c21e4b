//! `/v1/messages/{id}/feedback`: visitors' ratings of answers.

use bulle_edge_core::guard::visitor::{Feature, offered};
use bulle_edge_text::visible;
use bulle_protocol::{
    conversation::Feedback,
    problem::{Code, Problem},
};

use super::context::VisitorContext;
use crate::http::{Answer, nothing, read_json, storage_unavailable};

/// Longest comment, in characters.
const MAX_COMMENT: usize = 1_000;

/// Rates an answer, or replaces an earlier rating. A question whose answer is rated down becomes one of the bot's gaps.
#[cfg_attr(test, utoipa::path(post, path = "/v1/messages/{id}/feedback", tag = "visitor", security(("session" = [])),
    params(("id" = String, Path, description = "Id of the answer")), request_body = Feedback, responses(
    (status = 204, description = "Kept"),
    (status = "4XX", description = "not_found, invalid_json, invalid_value, feature_disabled, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
pub async fn post(context: VisitorContext) -> Answer {
    offered(&context.admitted, Feature::Feedback)?;
    let owner = context.admitted.owner();
    let id = context.id()?;
    let mut feedback: Feedback = read_json(context.body).await?;
    feedback.comment = feedback.comment.as_deref().and_then(visible);
    let long = |comment: &String| comment.chars().count() > MAX_COMMENT;
    if feedback.comment.as_ref().is_some_and(long) {
        let detail = format!("comment: at most {MAX_COMMENT} characters.");
        return Err(Problem::new(Code::InvalidValue, detail).into());
    }
    let kept = context.edge.gaps().rate(&owner, id, &feedback).await;
    if !kept.map_err(|e| storage_unavailable(&e))? {
        let detail = "There is no such answer. One that was just given is here in a few seconds.";
        return Err(Problem::new(Code::NotFound, detail).into());
    }
    Ok(nothing())
}
