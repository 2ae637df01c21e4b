//! The syntax of instruction templates: text in which `{field}` stands for a field of the persona. A line whose field
//! is empty is left out; one with `{!field}` is included only when that field is empty. `{{` and `}}` are braces.

/// The fields that a template can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The bot's name.
    Name,
    /// `persona.role`.
    Role,
    /// `persona.tone`.
    Tone,
    /// `persona.expertise`, with commas between.
    Expertise,
    /// `persona.signature`.
    Signature,
    /// `persona.languages`, with commas between.
    Languages,
    /// `persona.rules`, each on a line of its own after a dash.
    Rules,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 7] = [
        Self::Name,
        Self::Role,
        Self::Tone,
        Self::Expertise,
        Self::Signature,
        Self::Languages,
        Self::Rules,
    ];

    /// The name in a template.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Role => "role",
            Self::Tone => "tone",
            Self::Expertise => "expertise",
            Self::Signature => "signature",
            Self::Languages => "languages",
            Self::Rules => "rules",
        }
    }
}

/// A part of a template's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'t> {
    /// Text that stays as it is.
    Text(&'t str),
    /// `{field}`
    Field(Field),
    /// `{!field}`: writes nothing.
    Without(Field),
}

/// Longest name that is repeated in an error, in characters.
const SHOWN_CHARS: usize = 40;

/// The parts of a line.
///
/// # Errors
/// A sentence that names the unknown field, or the single brace.
pub fn parts(line: &str) -> Result<Vec<Part<'_>>, String> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some((text, marked)) = rest
        .find(['{', '}'])
        .and_then(|at| rest.split_at_checked(at))
    {
        found.push(Part::Text(text));
        rest = if let Some(after) = marked.strip_prefix("{{") {
            found.push(Part::Text("{"));
            after
        } else if let Some(after) = marked.strip_prefix("}}") {
            found.push(Part::Text("}"));
            after
        } else if let Some((name, after)) = marked
            .strip_prefix('{')
            .and_then(|inside| inside.split_once('}'))
        {
            found.push(part(name)?);
            after
        } else {
            let brace = marked.chars().next().unwrap_or_default();
            return Err(format!(
                "`{brace}` stands alone: for a brace in the text write `{brace}{brace}`."
            ));
        };
    }
    found.push(Part::Text(rest));
    found.retain(|part| *part != Part::Text(""));
    Ok(found)
}

fn part<'t>(name: &str) -> Result<Part<'t>, String> {
    let (bare, part): (&str, fn(Field) -> Part<'t>) = match name.strip_prefix('!') {
        Some(bare) => (bare, Part::Without),
        None => (name, Part::Field),
    };
    let field = Field::ALL.into_iter().find(|field| field.as_str() == bare);
    field.map(part).ok_or_else(|| {
        let shown: String = name.chars().take(SHOWN_CHARS).collect();
        let known = Field::ALL.map(|field| format!("{{{}}}", field.as_str()));
        format!(
            "`{{{shown}}}` is no field. Fields are {}; for braces in the text write `{{{{` and `}}}}`.",
            known.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_in_parts() {
        use Part::{Text, Without};
        for (line, expected) in [
            ("", vec![]),
            ("plain", vec![Text("plain")]),
            (
                "I am {name}.",
                vec![Text("I am "), Part::Field(Field::Name), Text(".")],
            ),
            (
                "{!role}{rules}",
                vec![Without(Field::Role), Part::Field(Field::Rules)],
            ),
            ("{{\"é\": 1}}", vec![Text("{"), Text("\"é\": 1"), Text("}")]),
            (
                "{{{tone}}}",
                vec![Text("{"), Part::Field(Field::Tone), Text("}")],
            ),
        ] {
            assert_eq!(parts(line).as_ref(), Ok(&expected), "{line}");
        }
        for field in Field::ALL {
            let line = format!("{{{}}}", field.as_str());
            assert_eq!(parts(&line), Ok(vec![Part::Field(field)]));
        }
    }

    #[test]
    fn what_is_no_field_is_refused_with_the_way_out() {
        for (line, says) in [
            ("{nmae}", "`{nmae}` is no field. Fields are {name}, {role}"),
            ("{!nmae}", "`{!nmae}` is no field"),
            ("{ name }", "`{ name }` is no field"),
            ("{}", "`{}` is no field"),
            ("{Name}", "`{Name}` is no field"),
            ("{a{name}", "`{a{name}` is no field"),
            ("{\"json\": 1}", "write `{{` and `}}`"),
            ("{name", "`{` stands alone"),
            (
                "name}",
                "`}` stands alone: for a brace in the text write `}}`",
            ),
            ("{{name}", "`}` stands alone"),
        ] {
            let error = parts(line).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
        let long = format!("{{{}}}", "é".repeat(2_000));
        assert!(parts(&long).unwrap_err().chars().count() < 250);
    }
}
