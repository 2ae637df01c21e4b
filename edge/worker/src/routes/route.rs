//! A route as data: its path, whom it is for, how large its body may be, and its handlers.

use axum::{
    Router,
    body::Body,
    http::{Request, Response},
    routing::MethodRouter,
};
use bulle_protocol::problem::{Code, Problem};
use tower_service::Service;

use crate::{adapters::Edge, http::Refusal};

/// The audience of a route. The OpenAPI document groups routes by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Pages that hold the bubble: its scripts, files and texts.
    Page,
    /// Visitors, with the token of a session.
    Visitor,
    /// People who sign in, about their own account.
    Account,
    /// Owners, with an API key or signed in.
    Owner,
    /// Owners' servers, with an API key, as OpenAI's API.
    OwnerServer,
    /// Operators of the edge and of sites that its crawler visits, without a key.
    Operator,
}

/// Where addresses that only API keys and sessions of people open begin. It decides for addresses without a route; `each_route_is_declared_for_
/// the_audience_of_its_address` holds routes to it.
const KEYED: [(&str, Audience); 4] = [
    ("/v1/account", Audience::Account),
    ("/v1/admin", Audience::Owner),
    ("/v1/chat/", Audience::OwnerServer),
    ("/v1/models/", Audience::OwnerServer),
];

impl Audience {
    /// Whether scripts of pages may read the responses (CORS). Responses for API keys and sessions of people are never
    /// readable by pages of other origins: neither permission nor preflight is ever granted.
    pub fn is_pages(self) -> bool {
        !matches!(self, Self::Account | Self::Owner | Self::OwnerServer)
    }

    /// A route for this audience.
    pub fn at(self, path: impl Into<String>, methods: MethodRouter<Edge>) -> Route {
        Route {
            path: path.into(),
            rules: Rules {
                audience: self,
                max_upload: None,
            },
            methods,
        }
    }
}

/// The rules for a request before its handler runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The audience of the route.
    pub audience: Audience,
    /// Most bytes of a body that the handler reads itself. Other bodies are read before the handler runs, at most
    /// `MAX_BODY_BYTES` of them.
    pub max_upload: Option<usize>,
}

impl Rules {
    /// The rules for an address without a route.
    fn unknown(path: &str) -> Self {
        let audience = KEYED
            .iter()
            .find(|(prefix, _)| path.starts_with(prefix))
            .map_or(Audience::Page, |(_, audience)| *audience);
        Self {
            audience,
            max_upload: None,
        }
    }
}

/// A path of the edge with its rules and handlers.
pub struct Route {
    path: String,
    rules: Rules,
    methods: MethodRouter<Edge>,
}

impl Route {
    /// The route with a body that its handler reads itself, of at most this many bytes.
    pub fn max_upload(mut self, bytes: usize) -> Self {
        self.rules.max_upload = Some(bytes);
        self
    }
}

/// The routes, ready to serve requests.
pub struct Routes {
    router: Router,
    rules: matchit::Router<Rules>,
}

impl Routes {
    /// Builds the router.
    pub fn new(routes: Vec<Route>, edge: Edge) -> Self {
        Self {
            rules: index(&routes),
            router: routes
                .into_iter()
                .fold(Router::new(), |router, route| {
                    router.route(&route.path, route.methods)
                })
                .fallback(not_found)
                .method_not_allowed_fallback(method_not_allowed)
                .with_state(edge),
        }
    }

    /// The rules for requests to this path.
    pub fn rules(&self, path: &str) -> Rules {
        rules(&self.rules, path)
    }

    /// Runs the handler of a request.
    pub async fn respond(&self, request: Request<Body>) -> Response<Body> {
        match self.router.clone().call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// The rules by path. The router finds handlers by the same paths, but not before the body is read.
fn index(routes: &[Route]) -> matchit::Router<Rules> {
    let mut index = matchit::Router::new();
    for route in routes {
        // A path that is refused here is refused by the router, too, and a test builds both.
        let _ = index.insert(route.path.as_str(), route.rules);
    }
    index
}

fn rules(index: &matchit::Router<Rules>, path: &str) -> Rules {
    index
        .at(path)
        .map_or_else(|_| Rules::unknown(path), |found| *found.value)
}

async fn not_found() -> Refusal {
    Problem::new(Code::NotFound, "There is nothing at this address.").into()
}

async fn method_not_allowed() -> Refusal {
    Problem::new(
        Code::MethodNotAllowed,
        "This address exists, but not for this method.",
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::all;
    use bulle_edge_core::{attachments::MAX_BYTES, sources::MAX_FILE_BYTES};
    use std::collections::{BTreeMap, BTreeSet};

    /// The routes of the committed document: each path with the audience that its tag names.
    fn documented() -> BTreeMap<String, Audience> {
        let document = include_str!("../../openapi.json");
        let document: serde_json::Value = serde_json::from_str(document).unwrap();
        let audience = |operations: &serde_json::Value| {
            let tags: BTreeSet<_> = operations
                .as_object()
                .unwrap()
                .values()
                .map(|operation| operation["tags"][0].as_str().unwrap())
                .collect();
            assert_eq!(tags.len(), 1, "one audience a path");
            match tags.first().copied().unwrap() {
                "page" => Audience::Page,
                "visitor" => Audience::Visitor,
                "account" => Audience::Account,
                "owner" => Audience::Owner,
                "owner server" => Audience::OwnerServer,
                "operator" => Audience::Operator,
                other => panic!("{other} is no audience"),
            }
        };
        document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(path, operations)| (path.clone(), audience(operations)))
            .collect()
    }

    #[test]
    fn routes_are_those_of_the_document_for_the_same_audiences() {
        let declared: BTreeMap<_, _> = all()
            .into_iter()
            .map(|route| (route.path, route.rules.audience))
            .filter(|(path, _)| path != "/bot")
            .collect();
        assert_eq!(declared, documented());
    }

    #[test]
    fn every_route_is_found_by_its_own_path() {
        let routes = all();
        let index = index(&routes);
        for route in &routes {
            assert_eq!(rules(&index, &route.path), route.rules, "{}", route.path);
        }
    }

    #[test]
    fn each_route_is_declared_for_the_audience_of_its_address() {
        for route in all() {
            // `/v1/models` has routes below it.
            let unknown = Rules::unknown(&format!("{}/", route.path)).audience;
            let declared = route.rules.audience;
            assert_eq!(declared.is_pages(), unknown.is_pages(), "{}", route.path);
            assert!(declared.is_pages() || declared == unknown, "{}", route.path);
        }
    }

    #[test]
    fn no_page_may_read_what_api_keys_open_also_where_there_is_no_route() {
        let index = index(&all());
        for (path, audience) in [
            ("/v1/admin", Audience::Owner),
            ("/v1/admin/tenants/t/nothing", Audience::Owner),
            ("/v1/models", Audience::OwnerServer),
            ("/v1/models/a/b", Audience::OwnerServer),
            ("/v1/chat/nothing", Audience::OwnerServer),
            ("/nothing", Audience::Page),
            ("/v1/modelsandmore", Audience::Page),
        ] {
            assert_eq!(rules(&index, path).audience, audience, "{path}");
        }
    }

    #[test]
    fn only_uploads_may_be_larger_than_json() {
        let mut uploads: Vec<_> = all()
            .into_iter()
            .filter_map(|route| Some((route.path, route.rules.max_upload?)))
            .collect();
        uploads.sort();
        let sources = "/v1/admin/tenants/{tenant}/bots/{bot}";
        assert_eq!(
            uploads,
            [
                (format!("{sources}/files"), MAX_FILE_BYTES),
                (format!("{sources}/sources/{{source}}/file"), MAX_FILE_BYTES),
                ("/v1/attachments".to_owned(), MAX_BYTES),
            ]
        );
    }
}
