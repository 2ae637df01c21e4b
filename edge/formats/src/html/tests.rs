//! Pages as real sites write them.

use super::*;

fn body(html: &str) -> String {
    page(html.as_bytes(), "https://a.example/dir/page", None)
        .unwrap()
        .document
        .body
}

const PAGE: &str = r##"<!doctype html><html lang="fr-FR"><head><meta charset=utf-8><title> Boulangerie
 Durand </title><link rel=canonical href="/prix?x#y"><link rel=alternate type="application/rss+xml" href="/feed">
<meta name=robots content="NOINDEX, nofollow"><script>alert("<p>no</p>")</script><style>p{}</style></head><body>
<header><a href="/">Accueil</a></header><nav><a href=prix>Prix</a><a href="/x" rel="nofollow">X</a></nav>
<main><h1 id=prix>Prix &amp; horaires</h1><p>Le pain <b>coûte</b> 2&nbsp;€. <!-- rien --> Voir
<a href="carte.pdf#page=2">la carte</a> ou <a href="javascript:alert(1)">ceci</a>, <code>a|b`c</code>.</p>
<section id="four"><div><h2>Le four<a class="headerlink" href="#four">¶</a></h2>* pas une liste<br># ni un titre</div></section>
<ul><li>Pain<ul><li>complet<li>de seigle</ul><li><p>Tarte</p><p>aux pommes</p></ul>
<table><caption>Prix 2026</caption><thead><tr><th>Produit<th>Prix<tbody><tr><td rowspan=2>Pain<td>2 €<tr><td>3 € | 4 €</table>
<table><tr><th>Ville<td>Rennes<tr><th>Rue<td>du Four</table>
<dl><dt>Ouvert ?<dd>Oui<dt>Quand<dd>7 h<dd>le matin</dl>
<pre><code class="language-rust">fn main() {
    // ```
}</code></pre>
<details id=faq1><summary>Livrez-vous ?</summary><p>Oui, &lt;!-- page 9 --&gt; partout.</p></details>
<div hidden>caché</div><div style="display: none">caché</div><form><input value=x><label>Nom</label></form>
<aside>pub</aside></main><footer>pied</footer></body></html>"##;

#[test]
fn a_page_becomes_markdown() {
    let page = page(PAGE.as_bytes(), "https://a.example/dir/page", None).unwrap();
    assert!(page.rules.noindex && page.rules.nofollow);
    assert_eq!(page.canonical.as_deref(), Some("https://a.example/prix?x"));
    assert_eq!(page.feeds, ["https://a.example/feed"]);
    assert_eq!(page.document.language, "fr-FR");
    assert_eq!(page.document.title, "Boulangerie Durand");
    assert_eq!(page.document.url, "https://a.example/prix?x");
    assert_eq!(
        page.links,
        [
            "https://a.example/",
            "https://a.example/dir/prix",
            "https://a.example/dir/carte.pdf"
        ]
    );
    insta::assert_snapshot!(page.document.body);
}

#[test]
fn scripts_without_spaces_and_from_right_to_left() {
    insta::assert_snapshot!(body(
        "<h1 id=料金>料金</h1><p>毎日\n朝七時に<ruby>焼<rt>や</rt></ruby>きます。<br>どうぞ。</p><h2 dir=rtl>ساعات العمل</h2>\
         <ul dir=rtl><li>من السبت إلى الخميس</li></ul><p>เปิดทุก<wbr>วัน</p><table><tr><th>品<th>値段<tr><td>パン<td>三百円</table>"
    ));
}

#[test]
fn a_page_in_another_encoding_says_so_in_its_head() {
    let mut html =
        b"<meta http-equiv=content-type content='text/html; charset=windows-1251'><p>".to_vec();
    html.extend(b"\xcf\xf0\xe8\xe2\xe5\xf2");
    assert_eq!(page(&html, "", None).unwrap().document.body, "Привет\n");
}

#[test]
fn without_main_the_page_is_read_without_its_surroundings() {
    let html = "<header>Logo</header><div class=sidebar>links</div><form id=aspnet><input><h1>T</h1><p>Text</p></form>";
    assert_eq!(body(html), "# T\n\nText\n");
    assert_eq!(body("<main></main><p>Text</p>"), "Text\n");
    assert_eq!(body("<script>x</script><div id=root></div>"), "");
    let empty = File {
        name: "a.html",
        content_type: None,
        url: "",
        bytes: b"<html><div id=root></div>",
    };
    assert_eq!(read(&empty).unwrap_err().code.as_str(), "no_text");
}

#[test]
fn what_is_made_to_hurt_is_refused_or_bounded() {
    let deep = "<div>".repeat(100_000);
    assert_eq!(
        page(deep.as_bytes(), "", None).unwrap_err().code.as_str(),
        "too_large"
    );
    // Every paragraph opens all of them again: the work must stay in proportion to the page.
    let formatting =
        (0..500).map(|n| format!("<b x{n}>")).collect::<String>() + &"<p>x".repeat(2_000);
    assert!(
        page(formatting.as_bytes(), "", None).is_ok_and(|page| page.document.body.len() < 100_000)
    );
    let cells = format!(
        "<table>{}</table>",
        "<tr><td colspan=50 rowspan=500>x</td></tr>".repeat(3_000)
    );
    assert_eq!(
        page(cells.as_bytes(), "", None).unwrap_err().code.as_str(),
        "too_large"
    );
}

proptest::proptest! {
    #[test]
    fn nothing_panics(html in "(</?(p|table|tr|td|li|ul|b|s|a|div|h1|dl|dd|pre|form|select|svg|template)( id=x| class=tabs| class=panel| hidden| colspan=9| rowspan=7)?>|\\PC{0,4}){0,60}") {
        let _ = page(html.as_bytes(), "https://a.example/", None);
    }

    #[test]
    fn a_broken_page_does_not_panic(cut in 0..3_000_usize, at in 0..3_000_usize, byte: u8) {
        let mut bytes = PAGE.as_bytes().to_vec();
        bytes.truncate(cut.min(PAGE.len()));
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        let _ = page(&bytes, "https://a.example/", None);
    }
}

/// The body of a page whose main part this is.
fn of_main(html: &str) -> String {
    let html = format!(
        "<html><head><style>.up{{vertical-align:super}}</style></head><body><main>{html}</main></body></html>"
    );
    page(html.as_bytes(), "https://a.example/", None)
        .unwrap()
        .document
        .body
}

#[test]
fn digits_that_look_raised_are_not_glued_to_a_number() {
    for (html, told) in [
        ("<p>19<small>99</small> €</p>", "19,99 €\n"),
        (
            "<p>19<span class='price__cents'>99</span> €</p>",
            "19,99 €\n",
        ),
        (
            "<p>$19<span style='vertical-align: top'>99</span></p>",
            "$19.99\n",
        ),
        (
            "<p>19<span class=up>99</span> €, 10<span class=up>6</span></p>",
            "19,99 €, 10⁶\n",
        ),
        ("<p>19<sup><small>99</small></sup> €</p>", "19,99 €\n"),
        (
            "<p>In <small>2024</small> we had <small>big</small> plans.</p>",
            "In 2024 we had big plans.\n",
        ),
        (
            "<p>About <math><msup><mn>10</mn><mn>6</mn></msup></math> litres, <math><mfrac><mn>1</mn><mn>2</mn></mfrac></math> full</p>",
            "About 10⁶ litres, 1/2 full\n",
        ),
        (
            "<p><math><msqrt><mi>a</mi><mo>+</mo><msub><mi>b</mi><mn>1</mn></msub></msqrt><annotation>x</annotation></math></p>",
            "√(a+b₁)\n",
        ),
    ] {
        assert_eq!(of_main(html), told, "{html}");
    }
}

#[test]
fn panels_of_further_accordions_are_read_under_their_titles() {
    for (html, told) in [
        (
            "<div class='ui accordion'><div class=title><i class=icon></i>Dogs?</div><div class=content style='display:none'><p>On a lead.</p></div></div>",
            "## Dogs?\n\nOn a lead.\n",
        ),
        (
            "<div x-data><button @click='open=!open'>Dogs?</button><div x-show=open style='display:none'>On a lead.</div></div>",
            "## Dogs?\n\nOn a lead.\n",
        ),
        (
            "<p>We bake<span> bread</span><span style='display:none'> and cakes.</span></p><button onclick='more()'>Read more</button>",
            "We bake bread and cakes.\n",
        ),
        (
            "<p>We bake.<span hidden>Saved.</span></p><form><button>Send</button></form>",
            "We bake.\n",
        ),
    ] {
        assert_eq!(of_main(html), told, "{html}");
    }
}

#[test]
fn tables_that_only_a_style_makes_keep_rows_and_columns() {
    let told = "| Item | Day |\n|---|---|\n| E-bike | 45 € |\n";
    for (row, head, cell) in [
        (
            "class=divTableRow",
            "class=divTableHead",
            "class=divTableCell",
        ),
        ("class=tr", "class=th", "class=td"),
        (
            "style='display: table-row'",
            "class=table-header",
            "style='display:table-cell'",
        ),
    ] {
        let html = format!(
            "<div class=x><div {row}><div {head}>Item</div><div {head}>Day</div></div><div {row}><div {cell}>E-bike</div><div {cell}>45 €</div></div></div>"
        );
        assert_eq!(of_main(&html).trim(), told.trim(), "{html}");
    }
}

#[test]
fn what_is_around_a_long_article_or_in_a_form_is_read() {
    let long = "A visitor liked it very much. ".repeat(30);
    for (html, wanted) in [
        (format!("<h1>Bakery</h1><p>We open at nine.</p><article><p>{long}</p></article><p>Closed on Monday.</p>"), "Closed on Monday."),
        ("<form id=aspnetForm><div><h3>Bakery</h3><p>We open at nine.</p></div></form>".to_owned(), "We open at nine."),
        ("<p>Write to <span style='unicode-bidi:bidi-override;direction:rtl'>elpmaxe.a@olleh</span></p>".to_owned(), "Write to hello@a.example"),
    ] {
        let page = page(format!("<body>{html}").as_bytes(), "https://a.example/", None).unwrap();
        assert!(page.document.body.contains(wanted), "{}", page.document.body);
    }
}
