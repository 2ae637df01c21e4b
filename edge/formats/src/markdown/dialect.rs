//! Removes markup of Markdown dialects that is not text: imports of MDX, admonition fences of Docusaurus, comments and links of
//! Obsidian, shortcodes of Hugo and Jekyll.

/// The Markdown without that markup. Code blocks are not changed.
pub(super) fn plain(body: &str) -> String {
    const SIGNS: [&str; 8] = ["import ", "export ", ":::", "{/*", "%%", "[[", "[!", "{{"];
    if !SIGNS.iter().any(|sign| body.contains(sign)) && !body.contains("{%") {
        return body.to_owned();
    }
    let mut out = String::with_capacity(body.len());
    let mut fence: Option<String> = None;
    // The end of a comment that spans lines.
    let mut comment: Option<&'static str> = None;
    let mut starts = true;
    for line in body.split_inclusive('\n') {
        let trimmed = line.trim_start();
        let run = |mark: char| trimmed.chars().take_while(|c| *c == mark).count();
        let longest = run('`').max(run('~'));
        match &fence {
            Some(open) if trimmed.starts_with(open.as_str()) => fence = None,
            None if longest >= 3 && comment.is_none() => {
                fence = trimmed.get(..longest).map(str::to_owned);
            }
            Some(_) => {}
            None => {
                let read = without_comments(line, &mut comment);
                read_line(&mut out, &read, starts);
                starts = line.trim().is_empty() || (starts && is_module(line.trim()));
                continue;
            }
        }
        out.push_str(line);
        starts = false;
    }
    out
}

/// The line without `%%…%%` and `{/*…*/}`.
fn without_comments(line: &str, comment: &mut Option<&'static str>) -> String {
    let mut out = String::new();
    let mut rest = line;
    loop {
        if let Some(end) = *comment {
            let Some((_, after)) = rest.split_once(end) else {
                return out + if rest.ends_with('\n') { "\n" } else { "" };
            };
            (*comment, rest) = (None, after);
        }
        let begins = [("%%", "%%"), ("{/*", "*/}")]
            .into_iter()
            .filter_map(|(start, end)| Some((rest.find(start)?, start, end)))
            .filter(|(at, start, _)| *start != "%%" || opens_comment(rest, *at))
            .min();
        let Some((at, start, end)) = begins else {
            return out + rest;
        };
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + start.len()..).unwrap_or_default();
        *comment = Some(end);
    }
}

/// Whether `%%` begins a comment: it ends in the same line, or stands alone.
fn opens_comment(line: &str, at: usize) -> bool {
    let after = line.get(at + 2..).unwrap_or_default();
    after.contains("%%") || line.trim() == "%%"
}

fn read_line(out: &mut String, line: &str, starts: bool) {
    let trimmed = line.trim();
    if starts && is_module(trimmed) {
        return;
    }
    // `:::tip Title` … `:::`
    if let Some(rest) = trimmed.strip_prefix(":::") {
        let rest = rest.trim_start_matches(':').trim();
        let title = rest
            .strip_suffix(']')
            .and_then(|rest| rest.split_once('[').map(|(_, title)| title))
            .or_else(|| rest.split_once(' ').map(|(_, title)| title))
            .filter(|title| !title.starts_with('{'));
        out.push_str(&format!("\n{}\n\n", title.unwrap_or_default()));
        return;
    }
    // `> [!note] Title`
    let quoted = trimmed.trim_start_matches(['>', ' ']);
    if trimmed.starts_with('>')
        && let Some((kind, title)) = quoted.strip_prefix("[!").and_then(|it| it.split_once(']'))
        && kind
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '|'))
    {
        let marks = trimmed.strip_suffix(quoted).unwrap_or(">").trim_end();
        out.push_str(&format!(
            "{marks} {}\n{marks}\n",
            title.trim_start_matches(['-', '+']).trim()
        ));
        return;
    }
    out.push_str(&links(&without_shortcodes(line)));
}

/// A line of a program that MDX holds.
fn is_module(line: &str) -> bool {
    let quoted = |text: &str| {
        let text = text.trim().trim_end_matches(';');
        text.len() > 2 && text.starts_with(['"', '\'']) && text.ends_with(['"', '\''])
    };
    let Some(rest) = line.strip_prefix("import ") else {
        let export = line.strip_prefix("export ");
        return export.is_some_and(|rest| {
            rest.contains('=')
                && ["const ", "let ", "default "]
                    .iter()
                    .any(|it| rest.starts_with(it))
        });
    };
    quoted(rest)
        || rest
            .rsplit_once(" from ")
            .is_some_and(|(_, module)| quoted(module))
}

/// `{{< youtube x >}}`, `{{% notice %}}`, `{% include x %}`: what is between such marks stays.
fn without_shortcodes(line: &str) -> String {
    let mut out = line.to_owned();
    for (start, end) in [("{{<", ">}}"), ("{{%", "%}}"), ("{%", "%}")] {
        while let Some(from) = out.find(start) {
            let Some(to) = out.get(from..).and_then(|rest| rest.find(end)) else {
                break;
            };
            out.replace_range(from..from + to + end.len(), "");
        }
    }
    out
}

/// `[[Page]]`, `[[Page#Part|its name]]` and `![[Page]]` as what is shown of them.
fn links(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("[[") {
        let Some((inside, tail)) = after.split_once("]]").filter(|(it, _)| !it.contains('['))
        else {
            break;
        };
        // Within code, and before the address of a link, it is no link of this kind.
        if before.matches('`').count() % 2 == 1 || tail.starts_with('(') {
            out.push_str(&format!("{before}[[{inside}]]"));
        } else if let Some(before) = before.strip_suffix('!') {
            // A picture or a page that is shown in place is not here.
            out.push_str(before);
        } else {
            let shown = inside.rsplit_once('|').map_or(inside, |(_, name)| name);
            out.push_str(before);
            out.push_str(shown.trim_end_matches('\\'));
        }
        rest = tail;
    }
    out + rest
}
