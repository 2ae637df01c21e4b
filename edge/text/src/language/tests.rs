//! Texts as visitors and models write them.

use proptest::prelude::*;

use super::*;

/// A longer text of each language, as an answer may be.
const ANSWERS: [(&str, &str); 30] = [
    (
        "en",
        "We are open from Tuesday to Saturday, from 7:00 to 19:00, and on Sunday until 13:00. The shop is closed on Monday [1].",
    ),
    (
        "fr",
        "Je travaille avec Kubernetes depuis mars 2017. Chez Cartovent, j'exploite neuf clusters et 410 nœuds, avec une équipe de six personnes [1].",
    ),
    (
        "es",
        "Sí, hacemos entregas a domicilio en un radio de cinco kilómetros. El envío cuesta 3,50 € y es gratuito para los pedidos de más de 30 € [2].",
    ),
    (
        "pt",
        "A loja abre de terça a sábado, das 7h às 19h, e não fecha para o almoço. Aos domingos, você pode nos visitar até as 13h [1].",
    ),
    (
        "gl",
        "A tenda abre de martes a sábado e os domingos ata as 13 horas. Non pecha ao mediodía, pero os luns non hai servizo [1].",
    ),
    (
        "ca",
        "La botiga és oberta de dimarts a dissabte i també els diumenges fins a la una. Amb la comanda es pot pagar en efectiu o amb targeta [1].",
    ),
    (
        "it",
        "Il negozio è aperto dal martedì al sabato, dalle 7 alle 19. La domenica siamo aperti fino alle 13 e il lunedì è il giorno di chiusura [1].",
    ),
    (
        "de",
        "Die Bäckerei ist von Dienstag bis Samstag geöffnet und am Montag geschlossen. Sie können Ihre Bestellung auch per E-Mail aufgeben [1].",
    ),
    (
        "nl",
        "De winkel is open van dinsdag tot en met zaterdag. Op zondag kunt u tot één uur bij ons terecht, maar op maandag zijn we gesloten [1].",
    ),
    (
        "sv",
        "Butiken är öppen från tisdag till lördag, och på söndag till klockan ett. Det är inte möjligt att beställa på måndagar, men du kan skriva till oss [1].",
    ),
    (
        "da",
        "Butikken er åben fra tirsdag til lørdag, og om søndagen til klokken et. Det er ikke muligt at bestille om mandagen, men du kan skrive til os [1].",
    ),
    (
        "nb",
        "Butikken er åpen fra tirsdag til lørdag, og på søndag til klokken ett. Det er ikke mulig å bestille på mandager, men du kan skrive til oss [1].",
    ),
    (
        "fi",
        "Kauppa on avoinna tiistaista lauantaihin, ja sunnuntaisin se on auki kello yhteen. Maanantaina emme ole auki, mutta voit tilata myös sähköpostilla [1].",
    ),
    (
        "pl",
        "Sklep jest otwarty od wtorku do soboty, a w niedzielę tylko do trzynastej. Zamówienie można złożyć przez e-mail lub na miejscu [1].",
    ),
    (
        "cs",
        "Obchod je otevřen od úterý do soboty a v neděli jen do jedné hodiny. Objednávku je možné zaplatit na místě nebo kartou, ale šeky se nepřijímají [1].",
    ),
    (
        "hr",
        "Trgovina je otvorena od utorka do subote, a u nedjelju samo do jedan sat. Narudžbu možete platiti na licu mjesta ili karticom, ali ne i čekom [1].",
    ),
    (
        "hu",
        "Az üzlet keddtől szombatig van nyitva, és vasárnap csak egy óráig. A rendelést nem lehet csekkel fizetni, de a kártya is jó, ha van elég pénz [1].",
    ),
    (
        "ro",
        "Magazinul este deschis de marți până sâmbătă și duminica până la ora unu. Comanda se poate plăti la fața locului sau cu cardul, dar nu cu cecuri [1].",
    ),
    (
        "tr",
        "Dükkân salı gününden cumartesiye kadar açık, pazar günü ise saat bire kadar. Siparişiniz için kart veya nakit olarak ödeme yapabilirsiniz ama çek kabul edilmez [1].",
    ),
    (
        "vi",
        "Cửa hàng mở cửa từ thứ ba đến thứ bảy và chủ nhật đến một giờ chiều. Bạn có thể đặt hàng qua email, nhưng không được trả bằng séc [1].",
    ),
    (
        "id",
        "Toko buka dari hari Selasa sampai Sabtu, dan pada hari Minggu hanya sampai jam satu. Anda dapat memesan melalui email atau di toko, tetapi tidak dengan cek [1].",
    ),
    (
        "ru",
        "Магазин работает со вторника по субботу, а в воскресенье только до часа дня. Заказ можно оплатить картой или наличными, но не чеком [1].",
    ),
    (
        "uk",
        "Крамниця працює з вівторка до суботи, а в неділю тільки до першої години. Замовлення можна оплатити карткою або готівкою, але не чеком [1].",
    ),
    (
        "ar",
        "المتجر مفتوح من الثلاثاء إلى السبت، ويوم الأحد حتى الساعة الواحدة. يمكنك الطلب عبر البريد الإلكتروني أو في المتجر، لكن لا يمكن الدفع بالشيكات بعد ذلك [1].",
    ),
    (
        "fa",
        "فروشگاه از سه‌شنبه تا شنبه باز است و در روز یکشنبه تا ساعت یک. شما می‌توانید با کارت یا پول نقد پرداخت کنید، اما چک برای این سفارش پذیرفته نیست [1].",
    ),
    (
        "hi",
        "दुकान मंगलवार से शनिवार तक खुली है और रविवार को केवल एक बजे तक। आप ऑनलाइन या दुकान में ऑर्डर कर सकते हैं, लेकिन चेक से भुगतान नहीं कर सकते [1]।",
    ),
    (
        "ja",
        "私は2017年3月からKubernetesを使っています。CartoventではHelmとArgo CDで9つのclusterと410のnodeを運用しています [1]。",
    ),
    (
        "zh",
        "我们的商店星期二到星期六营业，星期天营业到下午一点。您可以用现金或者银行卡付款，但是我们不接受支票 [1]。",
    ),
    (
        "ko",
        "가게는 화요일부터 토요일까지 열려 있으며 일요일에는 오후 한 시까지 영업합니다. 이메일로도 주문하실 수 있습니다 [1].",
    ),
    (
        "th",
        "ร้านเปิดตั้งแต่วันอังคารถึงวันเสาร์ และวันอาทิตย์เปิดถึงบ่ายโมง คุณสามารถสั่งซื้อทางอีเมลได้ [1]",
    ),
];

/// Visitors' questions with their languages, where they are certain.
const QUESTIONS: [(&str, &str); 58] = [
    ("Where did you study?", "en"),
    ("What is your experience with Kubernetes?", "en"),
    ("do you deliver to my street and how much is it", "en"),
    ("Quelle est ton expérience avec Kubernetes ?", "fr"),
    ("quelle est ton experience avec kubernetes", "fr"),
    (
        "À quelle heure est-ce que la boutique ouvre le lundi ?",
        "fr",
    ),
    ("Est-ce que vous livrez le dimanche dans le centre ?", "fr"),
    ("¿Cuánto cuesta el envío y qué formas de pago hay?", "es"),
    ("Quanto custa o pão e como é que eu posso pagar?", "pt"),
    (
        "Qual è il prezzo della consegna e dove si trova il negozio?",
        "it",
    ),
    ("Wann haben Sie geöffnet und was kostet ein Brot?", "de"),
    ("Hoeveel kost het brood en wanneer zijn jullie open?", "nl"),
    (
        "Vad kostar det att få hem brödet och när har ni öppet?",
        "sv",
    ),
    (
        "Hvor mye koster det å få levert, og når er dere åpne?",
        "nb",
    ),
    ("Milloin te olette auki ja mitä leipä maksaa?", "fi"),
    ("Ile kosztuje dostawa i czy można zapłacić kartą?", "pl"),
    ("Kolik to stojí a jak je možné zaplatit?", "cs"),
    ("Koliko to košta i kako je moguće platiti?", "hr"),
    ("Mennyi az ára, és hogyan lehet fizetni?", "hu"),
    ("Cât costă și cum se poate plăti la livrare?", "ro"),
    ("Ne kadar tutuyor ve nasıl ödeme yapabilirim?", "tr"),
    ("Cửa hàng của bạn mở cửa khi nào?", "vi"),
    ("Berapa harganya dan bagaimana saya bisa membayar?", "id"),
    ("Сколько это стоит и как можно оплатить?", "ru"),
    ("Скільки це коштує і як можна оплатити?", "uk"),
    ("كم يكلف هذا وكيف يمكنني الدفع عن طريق البطاقة؟", "ar"),
    ("قیمت این چند است و چگونه می توانم پرداخت کنم؟", "fa"),
    ("اس کی قیمت کیا ہے اور میں کیسے ادا کر سکتا ہوں؟", "ur"),
    ("इसकी कीमत क्या है और मैं भुगतान कैसे कर सकता हूँ?", "hi"),
    ("営業時間を教えてください。", "ja"),
    ("Kubernetesの経験はありますか？", "ja"),
    ("你们几点开门？可以用银行卡付款吗？", "zh"),
    ("請問你們星期天有營業嗎？", "zh"),
    ("영업 시간이 어떻게 되나요?", "ko"),
    ("ร้านเปิดกี่โมงครับ", "th"),
    ("Πόσο κοστίζει και πώς μπορώ να πληρώσω;", "el"),
    ("כמה זה עולה ואיך אפשר לשלם?", "he"),
    ("Quanto costa la consegna e come posso pagare?", "it"),
    // Texts that are too short, consist of names or code, or mix languages.
    ("", ""),
    ("ok", ""),
    ("Hello!", ""),
    ("Bonjour", ""),
    ("Kubernetes ?", ""),
    ("Et toi ?", ""),
    ("iPhone 15 Pro Max 256 GB", ""),
    ("Docker Compose Kubernetes Helm Terraform Ansible", ""),
    ("営業時間", ""),
    ("東京本社", ""),
    ("12 345 678", ""),
    ("https://example.com/the/of/and/to/in", ""),
    ("```\nif this is not that then do the other\n```", ""),
    ("`what is the name of this and that`", ""),
    ("« what is the name of this and that »", ""),
    ("> what is the name of this and of that", ""),
    (
        "Comment dire the name of the shop is on the door and it is red ou bien autre chose de ce genre ?",
        "",
    ),
    ("Lorem ipsum dolor sit amet consectetur adipiscing elit", ""),
    ("mera order kahan hai bhai jaldi batao", ""),
    ("asdf qwer zxcv uiop hjkl", ""),
];

fn answer(tag: &str) -> &'static str {
    ANSWERS.iter().find(|(known, _)| *known == tag).unwrap().1
}

#[test]
fn answers_and_questions_are_recognised_or_doubtful() {
    let wrong: Vec<_> = (ANSWERS.into_iter().map(|(tag, text)| (text, tag)))
        .chain(QUESTIONS)
        .map(|(text, tag)| (text, tag, detect(text).map_or("", |found| found.tag)))
        .filter(|(_, tag, found)| tag != found)
        .map(|(text, tag, found)| format!("{text}\n  {tag} is {found:?}: {:?}", top(text)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn top(text: &str) -> Vec<(&'static str, usize, usize)> {
    let census = Census::of(&prose(text));
    let ranking = census.ranking(census.main()).into_iter().take(4);
    ranking
        .map(|one| (one.language.tag, one.hits, one.weight))
        .collect()
}

#[test]
fn an_answer_in_the_language_of_the_question_is_right_and_in_no_other() {
    let mut wrong = Vec::new();
    for (at, (question, asked)) in QUESTIONS.into_iter().enumerate() {
        let asked = Language::of_tag(asked);
        for (tag, text) in ANSWERS.into_iter().skip(at % 3).step_by(3) {
            let spoken = Language::of_tag(tag).unwrap();
            let expected = asked.filter(|asked| !asked.is_close(&spoken));
            let found = off_language(question, text, &[]);
            if found.as_deref() != expected.map(|e| e.tag) {
                wrong.push(format!("{question} / {text}: {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Answers that are in the right language although much of them is not.
#[test]
fn quotations_code_and_terms_are_no_other_language() {
    for (question, answer) in [
        (
            "Que dit la documentation sur les commandes ?",
            "Voici ce que la documentation en dit :\n\n> Orders must be placed before 17:00 the day before collection, and \
             orders for 20 pieces or more must be placed 3 days before that.",
        ),
        (
            "Que dit la documentation sur les commandes ?",
            "Le document est en anglais et il dit ceci sur les commandes :\n\n- Orders must be placed before 17:00 the day \
             before.\n- Orders for 20 pieces or more must be placed 3 days before collection.\n- We keep an order until the \
             shop is closed.",
        ),
        (
            "Comment est-ce que je peux installer le projet ?",
            "Voici la commande :\n\n```sh\n# this will install all of the tools that you need, and then it is done\nnpm install \
             # if you do not have it, this is how you get it\n```",
        ),
        (
            "Wie kann ich das Programm auf meinem Rechner installieren?",
            "Run it as `sudo apt install the-tool` – das ist alles, was Sie für die Installation brauchen, und es geht schnell.",
        ),
        (
            "Kubernetesの経験はありますか？",
            "はい、Kubernetes、Docker、Helm、Terraform、Prometheus、Grafana、Argo CD、GitLab CIを使っています。",
        ),
        (
            "¿Qué tecnologías usa y con cuáles tiene más experiencia?",
            "Kubernetes, Helm, Argo CD, Karpenter, Terraform, Ansible, Prometheus, Thanos, Grafana, OpenTelemetry, Go, Rust, Python.",
        ),
        // Close languages.
        (answer("es"), answer("gl")),
        (answer("pt"), answer("es")),
        (answer("da"), answer("nb")),
        (answer("sv"), answer("da")),
        (
            answer("cs"),
            "Obchod je otvorený od utorka do soboty a v nedeľu len do jednej hodiny, ale objednávku môžete zaplatiť aj na mieste.",
        ),
        (
            answer("hr"),
            "Продавница је отворена од уторка до суботе, а у недељу само до један сат, али не и за празник.",
        ),
        (
            answer("id"),
            "Kedai dibuka dari hari Selasa hingga Sabtu dan anda boleh membuat pesanan melalui emel atau di kedai kerana mudah.",
        ),
        // Short.
        (
            "Quel est le prix de la baguette et du pain ?",
            "The price is €1.30.",
        ),
        (
            "What is the name of your first employer?",
            "Société Générale",
        ),
        (
            "What is the name of your first employer?",
            "株式会社カルトヴァン",
        ),
        // The language that the question asked for.
        (
            "Comment est-ce que l'on dit en anglais « Où est la gare, s'il vous plaît ? »",
            answer("en"),
        ),
        (
            "Can you please write this text in French for me?",
            answer("fr"),
        ),
        (
            "Réponds en espagnol : à quelle heure est-ce que vous ouvrez ?",
            answer("es"),
        ),
        (
            "Please tell me about it in Japanese, if you can.",
            answer("ja"),
        ),
        ("これを英語で書いてください。", answer("en")),
        ("请用法语回答我：你们几点开门？", answer("fr")),
        // Doubtful questions.
        ("Kubernetes ?", answer("en")),
        ("", answer("ar")),
    ] {
        assert_eq!(
            off_language(question, answer, &[]),
            None,
            "{question}\n{answer}"
        );
    }
}

#[test]
fn the_owners_languages_come_first() {
    let allowed = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    for (question, given, languages, expected) in [
        // Asked in a language of the bot's.
        ("Where did you study?", "fr", vec!["fr", "en"], Some("en")),
        ("Where did you study?", "en", vec!["fr", "en-GB"], None),
        ("Where did you study?", "de", vec!["fr", "en"], Some("en")),
        // The question is in another language: any of the bot's languages is right.
        (
            "Wann haben Sie geöffnet und was kostet ein Brot?",
            "fr",
            vec!["fr", "en"],
            None,
        ),
        (
            "Wann haben Sie geöffnet und was kostet ein Brot?",
            "en",
            vec!["fr", "en"],
            None,
        ),
        (
            "Wann haben Sie geöffnet und was kostet ein Brot?",
            "de",
            vec!["fr-CA", "en"],
            Some("fr-CA"),
        ),
        // The question's own language is unknown.
        ("Kubernetes ?", "de", vec!["fr"], Some("fr")),
        ("Kubernetes ?", "fr", vec!["fr"], None),
        ("Kubernetes ?", "pt", vec!["es"], None),
        // A language that the table does not have.
        ("Where did you study?", "en", vec!["br"], Some("br")),
        ("Can you say it in German, please?", "de", vec!["en"], None),
    ] {
        let found = off_language(question, answer(given), &allowed(&languages));
        assert_eq!(
            found.as_deref(),
            expected,
            "{question} {given} {languages:?}"
        );
    }
}

#[test]
fn lines_of_the_table_of_languages_are_whole() {
    let mut tags: Vec<(&str, Option<Script>)> = Vec::new();
    for language in &TABLE.languages {
        let script = Script::of_word(language.words);
        assert!(
            !tags.contains(&(language.tag, script)),
            "{} twice",
            language.tag
        );
        tags.push((language.tag, script));
        assert!(
            !language.name.is_empty() && !language.called.starts_with(' '),
            "{}",
            language.tag
        );
        let kin = (TABLE.languages.iter())
            .filter(|other| other.kin == language.kin)
            .count();
        assert!(
            language.kin == "-" || kin > 1 || language.kin.len() == 1,
            "{}",
            language.tag
        );
        let words: Vec<&str> = language.words.split(' ').collect();
        for word in &words {
            assert_eq!(*word, word.to_lowercase(), "{}", language.tag);
            assert_eq!(
                words.iter().filter(|other| other == &word).count(),
                1,
                "{}: {word}",
                language.tag
            );
            let whole = word.chars().all(|c| c.is_alphabetic() || is_mark(c));
            assert!(whole, "{}: {word}", language.tag);
        }
        let has_words = !language.words.is_empty();
        assert!(
            has_words || ONE_SCRIPT.contains(&language.tag),
            "{}",
            language.tag
        );
    }
}

/// Languages that are recognised by their script, without words.
const ONE_SCRIPT: [&str; 10] = ["el", "he", "ja", "zh", "ko", "th", "ka", "hy", "bn", "ta"];

#[test]
fn questions_have_a_language_in_any_case() {
    for (question, hint, expected) in [
        ("Quelle est ton expérience avec Kubernetes ?", "en", "fr"),
        ("What is your experience with Kubernetes?", "fr-FR", "en"),
        ("Kubernetes", "fr-FR", "fr"),
        ("Was ist deine Erfahrung mit Kubernetes?", "en", "de"),
        ("東京", "ja", "ja"),
        ("東京", "en", "zh"),
        ("ใครคือผู้จัดการ", "en", "th"),
        ("मोटर की कीमत", "en", "hi"),
        ("मोटर की कीमत", "mr", "mr"),
        ("எப்போது", "en", "ta"),
    ] {
        assert_eq!(guess(question, hint), expected, "{question}");
    }
}

#[test]
fn tags_and_names() {
    for (tag, expected) in [
        ("fr-CA", "French"),
        ("NO", "Norwegian"),
        ("zh_TW", "Chinese"),
        ("xx", "xx"),
        ("", ""),
    ] {
        assert_eq!(name(tag), expected);
    }
}

#[test]
fn a_text_in_two_languages_is_in_neither() {
    let (mut all, mut known) = (0, 0);
    for (tag, one) in ANSWERS {
        let first = Language::of_tag(tag).unwrap();
        let asked = QUESTIONS.into_iter().find(|(_, asked)| *asked == tag);
        let is_other = |(tag, _): &(&str, &str)| !first.is_close(&Language::of_tag(tag).unwrap());
        for (_, two) in ANSWERS.into_iter().filter(is_other) {
            let text = format!("{one}\n\n{two}");
            all += 1;
            known += usize::from(detect(&text).is_some());
            let question = asked.map_or("", |(question, _)| question);
            assert_eq!(off_language(question, &text, &[]), None, "{text}");
        }
    }
    // Languages where one text is much longer, or one has few common words: Japanese and Chinese, Catalan and Finnish.
    assert!(all > 800 && known * 100 < all, "{known} of {all}");
}

proptest! {
    #[test]
    fn any_text_has_a_language_or_none(question in any::<String>(), answer in ".*\n.*[a-z «»`>的क]{0,200}") {
        let _ = (detect(&answer), off_language(&question, &answer, &["fr".to_owned()]));
    }

    #[test]
    fn few_words_are_in_no_language(words in prop::collection::vec("the|is|le|que|не|और|في|[a-zé]{1,9}", 0..MIN_WORDS)) {
        prop_assert_eq!(detect(&words.join(" ")), None);
    }

    #[test]
    fn what_is_not_prose_is_in_no_language(text in "[0-9 .,:;!?()€%+*/=|-]{0,80}", code in "[a-z ]{0,80}") {
        let text = format!("{text}\n`{code}`\n« {code} »\n> {code}\n```\n{code}\n```\nhttps://{}", code.replace(' ', "/"));
        prop_assert_eq!(detect(&text), None);
    }
}
