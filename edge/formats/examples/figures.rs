//! Measures the time and memory of reading: `cargo run --release --example figures -p bulle-edge-formats [FILE…]`.
//!
//! Without files, it reads a PDF of 300 pages, a table, a page and a site of 1,000 pages that it generates. Memory is
//! the process's peak so far (Linux), so each line's is at least that of the line before.

#![expect(
    clippy::print_stdout,
    reason = "an example that prints what it measured"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a measurement reads clocks and files"
)]

use std::{fmt::Write as _, fs, time::Instant};

use bulle_edge_formats::{File, page, read};

fn main() {
    println!(
        "{:<28}{:>10}{:>12}{:>12}{:>12}",
        "what", "KB", "documents", "ms", "peak MB"
    );
    let names: Vec<String> = std::env::args().skip(1).collect();
    if names.is_empty() {
        measure("table of 20,000 rows.csv", &table());
        measure("page of 1,000 sections.html", web_page(1_000).as_bytes());
        site();
        measure("300 pages.pdf", &pdf(300));
        return;
    }
    for name in names {
        match fs::read(&name) {
            Ok(bytes) => measure(name.rsplit('/').next().unwrap_or_default(), &bytes),
            Err(error) => println!("{name}: {error}"),
        }
    }
}

fn measure(name: &str, bytes: &[u8]) {
    let file = File {
        name,
        content_type: None,
        url: "",
        bytes,
    };
    let start = Instant::now();
    let result = read(&file);
    let count = match &result {
        Ok(documents) => documents.len().to_string(),
        Err(error) => error.code.to_string(),
    };
    line(name, bytes.len(), &count, start);
}

fn line(name: &str, bytes: usize, count: &str, start: Instant) {
    let time = start.elapsed().as_secs_f64() * 1_000.0;
    println!(
        "{name:<28}{:>10}{count:>12}{time:>12.1}{:>12}",
        bytes / 1_024,
        peak()
    );
}

/// Peak memory so far, in MB.
fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kilobytes.map_or_else(
        || "?".to_owned(),
        |kilobytes| (kilobytes / 1_024).to_string(),
    )
}

fn site() {
    let pages: Vec<String> = (0..1_000).map(|_| web_page(8)).collect();
    let start = Instant::now();
    let read = pages
        .iter()
        .filter(|html| page(html.as_bytes(), "https://a.example/", None).is_ok())
        .count();
    line(
        "site of 1,000 pages",
        pages.iter().map(String::len).sum(),
        &read.to_string(),
        start,
    );
}

const SENTENCE: &str = "The bakery opens at seven in the morning and sells bread, cakes and coffee until the evening. ";

fn table() -> Vec<u8> {
    let mut out = "Product,Price,Remark\n".to_owned();
    for row in 0..20_000 {
        let _ = writeln!(out, "Bread {row},{row}.50,\"{SENTENCE}\"");
    }
    out.into_bytes()
}

fn web_page(sections: usize) -> String {
    let mut out = "<!doctype html><title>Site</title><nav><a href=/a>A</a></nav><main>".to_owned();
    for section in 0..sections {
        let _ = write!(
            out,
            "<section id=s{section}><h2>Section {section}</h2><p>{}</p><ul><li>One<li>Two</ul></section>",
            SENTENCE.repeat(4)
        );
    }
    out.push_str("</main>");
    out
}

fn pdf(pages: usize) -> Vec<u8> {
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!(
            "<</Type/Pages/Count {pages}/Kids[{}]/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>>>",
            (0..pages)
                .map(|page| format!("{} 0 R ", 4 + page * 2))
                .collect::<String>()
        ),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
    ];
    for page in 0..pages {
        let mut content =
            format!("BT /F 18 Tf 60 790 Td (Chapter {page}) Tj ET BT /F 10 Tf 14 TL 60 760 Td ");
        for line in 0..48 {
            let _ = writeln!(content, "({line} {SENTENCE}) Tj T*");
        }
        content.push_str("ET");
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/Contents {} 0 R>>",
            5 + page * 2
        ));
        objects.push(format!(
            "<</Length {}>>stream\n{content}\nendstream",
            content.len()
        ));
    }
    let mut out = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (object, number) in objects.iter().zip(1..) {
        places.push(out.len());
        let _ = write!(out, "{number} 0 obj\n{object}\nendobj\n");
    }
    let start = out.len();
    let _ = write!(out, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for place in places {
        let _ = writeln!(out, "{place:010} 00000 n ");
    }
    let _ = write!(
        out,
        "trailer<</Size {}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF",
        objects.len() + 1
    );
    out.into_bytes()
}
