//! Requests to a Durable Object: a JSON value goes in, a response comes out. The object's refusal is a problem, which
//! is passed on.

use bulle_protocol::problem::Problem;
use serde::{Serialize, de::DeserializeOwned};
use worker::{Method, Request, RequestInit, Response};

use super::Edge;

/// Why a request to an object failed.
pub enum ObjectError {
    /// The object could not be reached.
    Unreachable(worker::Error),
    /// The object refused the request.
    Problem(Box<Problem>),
}

impl From<worker::Error> for ObjectError {
    fn from(error: worker::Error) -> Self {
        Self::Unreachable(error)
    }
}

/// Reads the request to an object. It is read as text, because readers of JSON text are in the Worker already, and any
/// other reader would be more code to upload.
///
/// # Errors
/// The body is not a request of this object.
pub async fn asked<T: DeserializeOwned>(request: &mut Request) -> worker::Result<T> {
    Ok(serde_json::from_str(&request.text().await?)?)
}

impl Edge {
    /// Asks the object of this binding with this name.
    ///
    /// # Errors
    /// The object could not be reached, or refused.
    pub async fn ask<T: Serialize>(
        &self,
        binding: &str,
        name: &str,
        what: &T,
    ) -> Result<Response, ObjectError> {
        let body = serde_json::to_string(what).map_err(worker::Error::from)?;
        let mut init = RequestInit::new();
        init.with_method(Method::Post).with_body(Some(body.into()));
        let stub = self.env.durable_object(binding)?.get_by_name(name)?;
        let request = Request::new_with_init("https://object.local/", &init)?;
        let mut response = stub.fetch_with_request(request).await?;
        if response.status_code() >= 400 {
            return Err(ObjectError::Problem(Box::new(response.json().await?)));
        }
        Ok(response)
    }
}
