//! What visitors may do beside sending messages, and the conditions for sending one: business hours, form, files.

use bulle_protocol::{
    Id,
    problem::{Code, Problem},
    session::Form,
};

use super::{Admitted, Platform, limit};
use crate::{
    attachments::MAX_PER_MESSAGE,
    hours,
    model::Material,
    ports::{PortError, Profiles},
    settings::Outside,
    strings,
};

/// The features that owners may turn off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Attached files.
    Attachments,
    /// Ratings of answers.
    Feedback,
    /// Earlier conversations.
    History,
    /// Export and erasure of the visitor's own data.
    Export,
}

/// Refuses a feature that the owner has turned off.
///
/// # Errors
/// `feature_disabled`.
pub fn offered(admitted: &Admitted, feature: Feature) -> Result<(), Problem> {
    let features = admitted.site.bot.features;
    let (name, on) = match feature {
        Feature::Attachments => ("attachments", features.attachments),
        Feature::Feedback => ("feedback", features.feedback),
        Feature::History => ("history", features.history),
        Feature::Export => ("export", features.export),
    };
    if on {
        return Ok(());
    }
    let detail = format!("The owner does not offer this: settings.features.{name} is off.");
    Err(Problem::new(Code::FeatureDisabled, detail))
}

/// Refuses a visitor whose data was erased: data stored for them now could never be shown or erased.
///
/// # Errors
/// `token_invalid`, `storage_unavailable`.
pub async fn remembered<P: Platform>(ports: &P, admitted: &Admitted) -> Result<(), Problem> {
    let (tenant, visitor) = (&admitted.site.tenant_id, admitted.visitor_id);
    match ports.is_erased(tenant, visitor).await {
        Ok(false) => Ok(()),
        Ok(true) => Err(Problem::new(
            Code::TokenInvalid,
            "This visitor's data was erased. Open a session without `resume`.",
        )),
        Err(_) => Err(unavailable()),
    }
}

/// Admits a file that a visitor attaches.
///
/// # Errors
/// `feature_disabled`, `rate_limited`, `token_invalid`, `storage_unavailable`.
pub async fn admit_attachment<P: Platform>(
    ports: &P,
    admitted: &Admitted,
    id: Id,
) -> Result<(), Problem> {
    offered(admitted, Feature::Attachments)?;
    super::admit_new(ports, admitted, limit::Beginning::Attachment, id).await?;
    remembered(ports, admitted).await
}

/// The bot's form in the visitor's language.
pub fn form(admitted: &Admitted) -> Option<Form> {
    let bot = &admitted.site.bot;
    let submit = strings::bubble(bot, &admitted.locale).send;
    let form = bot.form.as_ref()?;
    Some(form.localized(&admitted.locale, &bot.locale, &submit))
}

/// The bot's form, unless the visitor has filled it in; `new` visitors have not. When the database cannot tell, the
/// form is left out: the check before a message asks again.
pub async fn open_form<P: Profiles>(ports: &P, admitted: &Admitted, new: bool) -> Option<Form> {
    let form = form(admitted)?;
    let filled = !new && ports.has_filled(&admitted.owner()).await.unwrap_or(true);
    (!filled).then_some(form)
}

/// Checks that a visitor may send a message now: within business hours where the bot is closed otherwise, and after the
/// form where it is required.
///
/// # Errors
/// `closed`, `form_required`, `storage_unavailable`; with a `message` in the visitor's language.
pub(super) async fn may_speak<P: Platform>(ports: &P, admitted: &Admitted) -> Result<(), Problem> {
    let bot = &admitted.site.bot;
    let explain = |problem| strings::explain(problem, Some(bot), &admitted.locale);
    if let Some(hours) = &bot.hours
        && hours.outside == Outside::Closed
        && !hours::open_now(ports, hours)
    {
        let detail = "It is outside business hours (settings.hours), and the bot is closed then.";
        return Err(explain(Problem::new(Code::Closed, detail)));
    }
    if bot.form.as_ref().is_some_and(|form| form.required) {
        let filled = ports.has_filled(&admitted.owner()).await;
        if !filled.map_err(|_| unavailable())? {
            let detail = "Fill in the form first: `bot.form` of the session, with PUT /v1/me.";
            return Err(explain(Problem::new(Code::FormRequired, detail)));
        }
    }
    Ok(())
}

/// The files of a message, and those that were given earlier in the conversation.
///
/// # Errors
/// `feature_disabled`, `invalid_value`, `storage_unavailable`.
pub(super) async fn material<P: Platform>(
    ports: &P,
    admitted: &Admitted,
    conversation: Id,
    message: Id,
    ids: &[Id],
) -> Result<Vec<Material>, Problem> {
    if !admitted.site.bot.features.attachments {
        let refused = offered(admitted, Feature::Attachments);
        return match ids.is_empty() {
            true => Ok(Vec::new()),
            false => refused.map(|()| Vec::new()),
        };
    }
    if ids.len() > MAX_PER_MESSAGE {
        let detail = format!("attachments: at most {MAX_PER_MESSAGE} a message.");
        return Err(Problem::new(Code::InvalidValue, detail));
    }
    let found: Result<_, PortError> = ports
        .attach(&admitted.owner(), conversation, message, ids)
        .await;
    let found = found.map_err(|_| unavailable())?;
    let missing = |id: &&Id| !found.iter().any(|file: &Material| file.id == **id);
    if let Some(id) = ids.iter().find(missing) {
        let detail = format!(
            "attachments: there is no file {id} that this visitor has not sent yet. Files are kept for a day until they are sent."
        );
        return Err(Problem::new(Code::InvalidValue, detail));
    }
    Ok(found)
}

fn unavailable() -> Problem {
    let detail = "What is stored of the visitor cannot be read now. Try again in a few seconds.";
    Problem::new(Code::StorageUnavailable, detail).retry_after(5)
}
