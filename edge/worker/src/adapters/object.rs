//! Asking a Durable Object: a value as JSON goes in, a response comes out. A refusal is a problem, passed on.

use bulle_edge_core::json;
use bulle_protocol::problem::Problem;
use serde::{Serialize, de::DeserializeOwned};
use worker::{Method, Request, RequestInit, Response};

use super::Edge;

/// Why an object did not do what it was asked.
pub enum ObjectError {
    /// It could not be reached.
    Unreachable(worker::Error),
    /// It refused.
    Problem(Box<Problem>),
}

impl From<worker::Error> for ObjectError {
    fn from(error: worker::Error) -> Self {
        Self::Unreachable(error)
    }
}

/// What an object was asked. By way of text: readers of JSON exist already, and each other kind of them is code to upload.
///
/// # Errors
/// It is not what the object understands.
pub async fn asked<T: DeserializeOwned>(request: &mut Request) -> worker::Result<T> {
    Ok(json::read(&request.text().await?)?)
}

impl Edge {
    /// Asks the object of this binding with this name.
    ///
    /// # Errors
    /// It could not be reached, or refused.
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
