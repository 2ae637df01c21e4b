//! Serves the example sites on an origin of their own, as a customer's pages would be.

use std::fs;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread;

use anyhow::{Context, Result, anyhow};
use percent_encoding::percent_decode_str;
use tiny_http::{Header, Request, Response, Server};

use crate::{paths, servers};

/// The placeholder of the edge's origin in the examples' pages.
const EDGE: &str = "{{edge}}";

/// Browsers ask for several files at once.
const THREADS: usize = 4;

/// The origin of the edge that the pages name; empty until it is set.
pub type EdgeOrigin = Arc<OnceLock<String>>;

/// Serves `folder` until the process ends. Returns the port, which the system chooses when that of `address` is 0.
pub fn start(folder: &Path, address: SocketAddr, edge: &EdgeOrigin) -> Result<u16> {
    let server = Server::http(address)
        .map_err(|error| anyhow!("the examples cannot be served on {address}: {error}"))?;
    let port = server.server_addr().to_ip().map(|address| address.port());
    let server = Arc::new(server);
    for _ in 0..THREADS {
        let (server, folder, edge) = (Arc::clone(&server), folder.to_owned(), Arc::clone(edge));
        thread::spawn(move || {
            while let Ok(request) = server.recv() {
                answer(request, &folder, edge.get().map_or("", String::as_str));
            }
        });
    }
    port.context("the examples are served without a port")
}

/// `cargo xtask examples`: serves the examples on a free port and prints their origin. The origin of the edge is read from the
/// standard input; when that closes, the server ends.
pub fn run() -> Result<()> {
    let edge = EdgeOrigin::default();
    let port = start(&paths::root().join("examples"), servers::local(0), &edge)?;
    println!("http://localhost:{port}");
    for line in std::io::stdin().lines() {
        // An edge that is started again keeps its origin.
        let _ = edge.set(line?.trim().to_owned());
    }
    Ok(())
}

fn answer(request: Request, folder: &Path, edge: &str) {
    let page = page(folder, request.url(), edge);
    let mut response = Response::from_data(page.body).with_status_code(page.status);
    let headers = [
        ("Content-Type", Some(page.content_type)),
        // An edited example is visible at the next reload.
        ("Cache-Control", Some("no-store")),
        ("Location", page.location.as_deref()),
    ];
    for (name, value) in headers {
        if let Some(Ok(header)) = value.map(|value| Header::from_bytes(name, value)) {
            response.add_header(header);
        }
    }
    for (name, value) in &page.headers {
        if let Ok(header) = Header::from_bytes(name.as_str(), value.as_str()) {
            response.add_header(header);
        }
    }
    // The browser has closed the connection.
    let _ = request.respond(response);
}

struct Page {
    status: u16,
    content_type: &'static str,
    location: Option<String>,
    /// The headers of the file in the example's `_headers`.
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn page(folder: &Path, url: &str, edge: &str) -> Page {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let Some(mut file) = inside(folder, path) else {
        return not_found(path);
    };
    if file.is_dir() {
        if !path.ends_with('/') {
            // Without the trailing slash, the page's relative links would be resolved wrongly.
            let query = if query.is_empty() {
                String::new()
            } else {
                format!("?{query}")
            };
            return Page {
                status: 301,
                content_type: "text/plain; charset=utf-8",
                // A single slash in front, because two would begin another host's name.
                location: Some(format!("/{}/{query}", path.trim_start_matches('/'))),
                headers: Vec::new(),
                body: Vec::new(),
            };
        }
        file.push("index.html");
    }
    let Ok(body) = fs::read(&file) else {
        return not_found(path);
    };
    let content_type = content_type(&file);
    let body = match std::str::from_utf8(&body) {
        Ok(text) if content_type.starts_with("text/html") => text.replace(EDGE, edge).into_bytes(),
        _ => body,
    };
    Page {
        status: 200,
        content_type,
        location: None,
        headers: headers(&file, edge),
        body,
    }
}

/// The headers of a file, from the file `_headers` beside it: lines with the name of a file, `/index.html`, and below each the
/// headers of that file, indented: `  Name: value`.
fn headers(file: &Path, edge: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(file.with_file_name("_headers")).unwrap_or_default();
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut headers = Vec::new();
    let mut of_file = false;
    for line in text.lines() {
        if !line.starts_with(' ') {
            of_file = line.trim().trim_start_matches('/') == name;
        } else if let (true, Some((name, value))) = (of_file, line.split_once(':')) {
            headers.push((name.trim().to_owned(), value.trim().replace(EDGE, edge)));
        }
    }
    headers
}

/// The file at a path, if it is inside the folder, also after symbolic links are followed.
fn inside(folder: &Path, path: &str) -> Option<PathBuf> {
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    let relative = Path::new(decoded.trim_start_matches('/'));
    let plain = relative.components().all(|part| match part {
        Component::Normal(name) => !name.to_string_lossy().starts_with('.'),
        _ => false,
    });
    if !plain || decoded.contains(['\\', '\0']) {
        return None;
    }
    let folder = folder.canonicalize().ok()?;
    let file = folder.join(relative).canonicalize().ok()?;
    file.starts_with(&folder).then_some(file)
}

fn not_found(path: &str) -> Page {
    let shown = path
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;");
    Page {
        status: 404,
        content_type: "text/html; charset=utf-8",
        location: None,
        headers: Vec::new(),
        body: format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Not found</title>\
             <p>There is no example at <code>{shown}</code>."
        )
        .into_bytes(),
    }
}

fn content_type(file: &Path) -> &'static str {
    let extension = file
        .extension()
        .map(|extension| extension.to_string_lossy());
    match extension.as_deref().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "md" => "text/markdown; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "xml" => "application/xml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "pdf" => "application/pdf",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> PathBuf {
        let folder = std::env::temp_dir().join(format!("bulle-site-{}", std::process::id()));
        fs::create_dir_all(folder.join("site/shop")).unwrap();
        fs::write(folder.join("secret.txt"), "secret").unwrap();
        fs::write(folder.join("site/.hidden"), "secret").unwrap();
        fs::write(folder.join("site/shop/index.html"), "<b>{{edge}}</b>").unwrap();
        fs::write(folder.join("site/shop/a b.css"), "{{edge}}").unwrap();
        folder.join("site")
    }

    #[test]
    fn pages_are_served_and_nothing_outside() {
        let folder = site();
        let check = |url: &str, status: u16, body: &str| {
            let page = page(&folder, url, "http://edge");
            assert_eq!(page.status, status, "{url}");
            if status == 200 {
                assert_eq!(String::from_utf8(page.body).unwrap(), body, "{url}");
            }
        };
        check("/shop/", 200, "<b>http://edge</b>");
        check("/shop/index.html?x=1", 200, "<b>http://edge</b>");
        check("/shop/a%20b.css", 200, "{{edge}}");
        check("/shop", 301, "");
        check("/", 404, "");
        check("/none", 404, "");
        for outside in [
            "/../secret.txt",
            "/%2e%2e/secret.txt",
            "/shop/..%2f..%2fsecret.txt",
            "/shop/..\\..\\secret.txt",
            "//../secret.txt",
            "/.hidden",
            "/shop/%00",
        ] {
            check(outside, 404, "");
        }
        assert_eq!(
            page(&folder, "/shop?x=1", "").location.as_deref(),
            Some("/shop/?x=1")
        );
        fs::remove_dir_all(folder.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_page_has_the_headers_that_stand_beside_it() {
        let folder = std::env::temp_dir().join(format!("bulle-headers-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let text = "/a.html\n  Content-Security-Policy: connect-src {{edge}}\n  X-A: b: c\n/b.html\n  X-B: 1\n";
        fs::write(folder.join("_headers"), text).unwrap();
        fs::write(folder.join("a.html"), "").unwrap();
        fs::write(folder.join("c.html"), "").unwrap();
        let told = page(&folder, "/a.html", "http://edge").headers;
        let expected = [
            ("Content-Security-Policy", "connect-src http://edge"),
            ("X-A", "b: c"),
        ];
        assert_eq!(
            told,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert!(page(&folder, "/c.html", "").headers.is_empty());
        fs::remove_dir_all(folder).unwrap();
    }
}
