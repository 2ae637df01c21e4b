//! What texts say of days, and what that means for a question.

use super::*;

fn told(text: &str, question: &str, language: &str) -> Option<bool> {
    let when = When::of(question, language)?;
    let negated = |clause: &str| clause.contains(" not ") || clause.contains("no lessons");
    let all: Vec<((), Statement)> = (statements(text, language, negated).into_iter())
        .map(|statement| ((), statement))
        .collect();
    verdict(&when, &all).map(|(says, ())| says)
}

#[test]
fn a_day_is_open_or_closed_or_not_told() {
    for (language, text, question, expected) in [
        (
            "en",
            "We are open every day from 9:00 to 18:00.",
            "are u open on sundays",
            Some(true),
        ),
        (
            "en",
            "Open Monday to Friday, 9 am to 5 pm.",
            "Are you open on Sunday?",
            Some(false),
        ),
        (
            "en",
            "Open Monday to Friday, 9 am to 5 pm.",
            "Are you open on Fridays?",
            Some(true),
        ),
        (
            "en",
            "Tue-Sun 10:00-17:00, closed on Mondays",
            "open monday?",
            Some(false),
        ),
        (
            "en",
            "Tue-Sun 10:00-17:00, closed on Mondays",
            "open saturday?",
            Some(true),
        ),
        (
            "en",
            "We are open daily except Tuesday.",
            "open on tuesday?",
            Some(false),
        ),
        (
            "en",
            "We are open daily except Tuesday.",
            "open on the weekend?",
            Some(true),
        ),
        (
            "en",
            "Saturday we are not open.",
            "open on saturday?",
            Some(false),
        ),
        (
            "en",
            "Tours start on Saturdays at 11 am.",
            "is there a tour on friday?",
            None,
        ),
        ("en", "Sun cream and water.", "open on sunday?", None),
        (
            "de",
            "Montag bis Freitag von 14 bis 23 Uhr, Samstag und Sonntag von 10 bis 22 Uhr.",
            "Habt ihr sonntags offen?",
            Some(true),
        ),
        (
            "de",
            "Mo–Fr 9–18 Uhr",
            "Habt ihr samstags auf?",
            Some(false),
        ),
        ("de", "Mo–Fr 9–18 Uhr", "mittwochs offen?", Some(true)),
        (
            "fr",
            "Du mardi au samedi : 12 h à 14 h et 19 h à 22 h 30",
            "ouvert le mercredi ?",
            Some(true),
        ),
        (
            "fr",
            "Fermé le lundi",
            "vous êtes ouverts le lundi ?",
            Some(false),
        ),
        (
            "es",
            "Abierto todos los días de 8:00 a 23:00.",
            "¿Está abierta los domingos?",
            Some(true),
        ),
        (
            "it",
            "Siamo aperti dal lunedì al venerdì dalle 7 alle 22 e il sabato dalle 9 alle 18.",
            "Siete aperti il sabato?",
            Some(true),
        ),
        (
            "nl",
            "Wij zijn open van dinsdag tot en met zaterdag van 10.00 tot 18.00 uur.",
            "zijn jullie zondag open?",
            Some(false),
        ),
        (
            "pt",
            "Aberto de segunda a sexta, das 9:00 às 18:00.",
            "Abrem ao domingo?",
            Some(false),
        ),
        (
            "pl",
            "Otwarte od poniedziałku do piątku.",
            "Czy jest otwarte w sobotę?",
            Some(false),
        ),
        (
            "ja",
            "月曜日から金曜日まで営業しています。",
            "日曜日は営業していますか",
            Some(false),
        ),
        ("zh", "周一至周五营业。", "周三营业吗", Some(true)),
        ("ko", "매일 영업합니다.", "일요일에 영업하나요?", Some(true)),
        ("he", "פתוח כל יום", "פתוח בשבת?", None),
        ("xx", "Open every day.", "open on sunday?", None),
    ] {
        assert_eq!(
            told(text, question, language),
            expected,
            "{text} {question}"
        );
    }
}

#[test]
fn a_date_is_in_a_closed_range_or_not() {
    for (language, text, question, expected) in [
        (
            "en",
            "The shop is closed from 16 November to the end of February.",
            "Are you open in December?",
            Some(false),
        ),
        (
            "en",
            "The shop is closed from 16 November to the end of February.",
            "Are you open in November?",
            None,
        ),
        (
            "en",
            "The shop is closed from 16 November to the end of February.",
            "Are you open on 20 January?",
            Some(false),
        ),
        (
            "en",
            "Open every day. Closed from 16 November to the end of February.",
            "open in may?",
            Some(true),
        ),
        (
            "en",
            "We are open from April to October.",
            "Are you open in January?",
            Some(false),
        ),
        (
            "en",
            "We are open from April to October.",
            "Are you open in June?",
            Some(true),
        ),
        (
            "en",
            "Closed on 24, 25 and 26 December.",
            "Are you open on Christmas Day?",
            Some(false),
        ),
        (
            "en",
            "Closed on 24, 25 and 26 December.",
            "open on december 26?",
            Some(false),
        ),
        ("en", "We are open every day.", "open at christmas?", None),
        (
            "en",
            "There are no lessons in July and August.",
            "lessons in August?",
            Some(false),
        ),
        (
            "en",
            "In July and August we stay open until 20:00.",
            "open in March?",
            None,
        ),
        (
            "de",
            "Vom 23. Dezember bis zum 6. Januar machen wir Urlaub.",
            "am 27. dezember offen?",
            Some(false),
        ),
        (
            "de",
            "Am 24. und 31. Dezember bleibt die Halle zu.",
            "am 24. Dezember geöffnet?",
            Some(false),
        ),
        (
            "fr",
            "Fermeture annuelle du 2 au 20 janvier.",
            "ouvert le 10 janvier ?",
            Some(false),
        ),
        (
            "fr",
            "Le camping est ouvert du 1er avril au 15 octobre.",
            "ouvert en novembre ?",
            Some(false),
        ),
        (
            "fr",
            "Le camping est ouvert du 1er avril au 15 octobre.",
            "ouvert en mai ?",
            Some(true),
        ),
        (
            "fr",
            "Ouverte de mai à septembre, de 10 h à 19 h.",
            "ouverte en avril ?",
            Some(false),
        ),
        (
            "es",
            "El hostal cierra del 10 de enero al 15 de febrero.",
            "¿abierto el 20 de enero?",
            Some(false),
        ),
        (
            "it",
            "In agosto siamo chiusi dal 10 al 24.",
            "aperti il 15 agosto?",
            Some(false),
        ),
        (
            "ja",
            "12月29日から1月3日まで休業します。",
            "12月30日は営業していますか",
            Some(false),
        ),
        (
            "zh",
            "12月24日至12月26日休息。",
            "12月25日营业吗",
            Some(false),
        ),
    ] {
        assert_eq!(
            told(text, question, language),
            expected,
            "{text} {question}"
        );
    }
}

#[test]
fn a_time_of_the_day_is_within_the_hours_or_not() {
    for (language, text, question, expected) in [
        (
            "en",
            "Open Monday to Friday from 9 am to 5 pm.",
            "Are you open on Friday at 8 pm?",
            Some(false),
        ),
        (
            "en",
            "Open Monday to Friday from 9 am to 5 pm.",
            "Are you open on Friday at 10 am?",
            Some(true),
        ),
        (
            "fr",
            "Dimanche : 12 h à 15 h",
            "ouvert dimanche soir ?",
            Some(false),
        ),
        (
            "fr",
            "Du mardi au samedi : 12 h à 14 h et 19 h à 22 h 30",
            "ouvert mercredi midi ?",
            Some(true),
        ),
        (
            "de",
            "Montag 8–12 Uhr",
            "Montag nachmittag offen?",
            Some(false),
        ),
    ] {
        assert_eq!(
            told(text, question, language),
            expected,
            "{text} {question}"
        );
    }
}
