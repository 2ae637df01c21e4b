//! Tests of streams that are the same for every vendor.

use crate::ports::{Destination, ModelRequest};
use crate::{
    provider::{
        Delta, Failure, Model, PROVIDERS, Server,
        decoder::{Decoder, Read},
        habits::Habits,
    },
    thinking::Expect,
};

/// A provider with a server at this address and at most one key.
pub fn server(name: &str, base_url: &str, key: Option<&str>) -> Server {
    Server {
        provider: PROVIDERS
            .iter()
            .find(|provider| provider.name == name)
            .unwrap(),
        base_url: base_url.into(),
        api_keys: key.map(str::to_owned).into_iter().collect(),
        model: format!("{name}-model"),
    }
}

/// A model of a server.
pub fn model<'a>(server: &'a Server, name: &'a str) -> Model<'a> {
    Model {
        server,
        name,
        price: None,
        key: 0,
        habits: Habits::default(),
    }
}

/// Address and headers of a request over HTTP.
pub fn http(request: &ModelRequest) -> (&str, &[(&'static str, String)]) {
    match &request.to {
        Destination::Http { url, headers } => (url, headers),
        Destination::Binding { .. } => panic!("not over HTTP"),
    }
}

/// The deltas of a whole body that comes in these pieces.
pub fn decode<R: Read + Default + 'static>(pieces: &[&[u8]]) -> Result<Vec<Delta>, Failure> {
    let mut decoder = Decoder::new(Box::new(R::default()), Expect::Marked);
    let mut deltas = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut deltas)?;
    }
    decoder.end(false, &mut deltas)?;
    Ok(deltas)
}

/// Checks that the stream gives these deltas, wherever it is cut.
pub fn says<R: Read + Default + 'static>(stream: &str, expected: &[Delta]) {
    for cut in 0..=stream.len() {
        let (a, b) = stream.as_bytes().split_at(cut);
        assert_eq!(decode::<R>(&[a, b]).unwrap(), expected, "cut at {cut}");
    }
}
