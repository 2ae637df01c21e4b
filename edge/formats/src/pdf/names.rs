//! Named encodings of simple fonts, and names of glyphs.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use super::sort::sort_by;
use crate::charset::Charset;

/// The characters of the 256 codes of an encoding; zero is none.
pub(super) type Codes = [char; 256];

/// Each name followed by its character. Accented letters are not here, because their names consist of two parts.
const NAMES: &str = "\
    exclam! quotedbl\" numbersign# dollar$ percent% ampersand& quotesingle' parenleft( parenright) asterisk* \
    plus+ comma, hyphen- period. slash/ zero0 one1 two2 three3 four4 five5 six6 seven7 eight8 nine9 colon: \
    semicolon; less< equal= greater> question? at@ GermandblsS SSS bracketleft[ backslash\\ bracketright] \
    asciicircum^ underscore_ grave` braceleft{ bar| verticalbar| braceright} exclamdown¡ cent¢ sterling£ \
    currency¤ yen¥ brokenbar¦ section§ dieresis¨ copyright© ordfeminineª guillemotleft« logicalnot¬ registered® \
    macron¯ overscore¯ degree° plusminus± acute´ muµ mu1µ paragraph¶ middot· cedilla¸ ordmasculineº \
    guillemotright» onequarter¼ onehalf½ threequarters¾ questiondown¿ AEÆ EthÐ multiply× OslashØ ThornÞ \
    germandblsß aeæ ethð divide÷ oslashø thornþ CdotĊ cdotċ DbarĐ DcroatĐ DslashĐ dbarđ dcroatđ EdotĖ edotė \
    GdotĠ gdotġ HbarĦ hbarħ Idotİ dotlessiı IJĲ ijĳ LdotĿ ldotŀ LslashŁ lslashł napostropheŉ EngŊ NgŊ engŋ ngŋ \
    OEŒ oeœ TbarŦ tbarŧ ZdotŻ zdotż longsſ slongſ florinƒ dotlessjȷ circumflexˆ caronˇ breve˘ dotaccent˙ ring˚ ogonek˛ \
    tilde˜ hungarumlaut˝ tonos΄ anoteleia· AlphaΑ BetaΒ GammaΓ DeltaΔ DeltagreekΔ EpsilonΕ ZetaΖ EtaΗ ThetaΘ \
    IotaΙ KappaΚ LambdaΛ MuΜ NuΝ XiΞ OmicronΟ PiΠ RhoΡ SigmaΣ TauΤ UpsilonΥ PhiΦ ChiΧ PsiΨ OmegaΩ OmegagreekΩ \
    alphaα betaβ gammaγ deltaδ epsilonε zetaζ etaη thetaθ iotaι kappaκ lambdaλ mugreekμ nuν xiξ omicronο piπ \
    rhoρ sigma1ς sigmafinalς sigmaσ tauτ upsilonυ phiφ chiχ psiψ omegaω theta1ϑ Upsilon1ϒ phi2ϕ omega1ϖ pi1ϖ \
    figuredash‒ endash– rangedash– emdash— punctdash— horizontalbar― dblverticalbar‖ dbllowline‗ \
    underscoredbl‗ quoteleft‘ quoteright’ quotesinglbase‚ quoteleftreversed‛ quotereversed‛ quotedblleft“ \
    quotedblright” quotedblbase„ dagger† daggerdbl‡ bullet• onedotenleader․ twodotenleader‥ twodotleader‥ \
    ellipsis… perthousand‰ pertenthousand‱ minute′ prime′ second″ primereversed‵ guilsinglleft‹ guilsinglright› \
    referencemark※ exclamdbl‼ interrobang‽ overline‾ tie⁀ asterism⁂ fraction⁄ colonmonetary₡ colonsign₡ \
    cruzeiro₢ franc₣ lira₤ peseta₧ won₩ newsheqelsign₪ sheqel₪ sheqelhebrew₪ dong₫ Euro€ euro€ centigrade℃ \
    careof℅ fahrenheit℉ Ifracturℑ Ifrakturℑ lscriptℓ numero№ weierstrass℘ Rfracturℜ Rfrakturℜ telephone℡ \
    trademark™ OhmΩ angstromÅ estimated℮ alephℵ onethird⅓ twothirds⅔ oneeighth⅛ threeeighths⅜ fiveeighths⅝ \
    seveneighths⅞ arrowleft← arrowup↑ arrowright→ arrowdown↓ arrowboth↔ arrowupdn↕ carriagereturn↵ arrowdblleft⇐ \
    arrowdblup⇑ arrowdblright⇒ arrowdbldown⇓ arrowdblboth⇔ universal∀ partialdiff∂ existential∃ emptyset∅ \
    increment∆ gradient∇ nabla∇ element∈ notelement∉ owner∋ suchthat∋ product∏ summation∑ minus− minusplus∓ \
    divisionslash∕ asteriskmath∗ bulletoperator∙ radical√ proportional∝ infinity∞ angle∠ divides∣ bardbl∥ \
    parallel∥ logicaland∧ logicalor∨ intersection∩ union∪ integral∫ therefore∴ similar∼ congruent≅ approxequal≈ \
    notequal≠ equivalence≡ lessequal≤ greaterequal≥ lessmuch≪ greatermuch≫ propersubset⊂ propersuperset⊃ \
    notsubset⊄ reflexsubset⊆ reflexsuperset⊇ circleplus⊕ circlemultiply⊗ perpendicular⊥ dotmath⋅ \
    blacksquare■ whitesquare□ blacksmallsquare▪ blackuppointingtriangle▲ \
    blackrightpointingtriangle▶ blackdownpointingtriangle▼ lozenge◊ \
    circle○ whitecircle○ blackcircle● blackstar★ spade♠ spadesuitblack♠ club♣ clubsuitblack♣ heart2♥ \
    heartsuitblack♥ diamond2♦ musicalnote♪ checkmark✓ f_fﬀ ffﬀ fiﬁ flﬂ ffiﬃ fflﬄ";

/// Suffixes of the names of letters, each with its combining accent.
const ACCENTS: [(&str, char); 17] = [
    ("acute", '\u{301}'),
    ("grave", '\u{300}'),
    ("circumflex", '\u{302}'),
    ("dieresis", '\u{308}'),
    ("tilde", '\u{303}'),
    ("ring", '\u{30a}'),
    ("cedilla", '\u{327}'),
    ("commaaccent", '\u{327}'),
    ("caron", '\u{30c}'),
    ("ogonek", '\u{328}'),
    ("macron", '\u{304}'),
    ("breve", '\u{306}'),
    ("dotaccent", '\u{307}'),
    ("hungarumlaut", '\u{30b}'),
    ("dotbelow", '\u{323}'),
    ("hookabove", '\u{309}'),
    ("tonos", '\u{301}'),
];

/// Ranges of numbers in names such as `afii10017`, each with the character of the first number.
const NUMBERED: [(u32, u32, u32); 21] = [
    (10_017, 10_022, 0x410),
    (10_023, 10_023, 0x401),
    (10_024, 10_049, 0x416),
    (10_050, 10_050, 0x490),
    (10_051, 10_061, 0x402),
    (10_062, 10_062, 0x40e),
    (10_065, 10_070, 0x430),
    (10_071, 10_071, 0x451),
    (10_072, 10_097, 0x436),
    (10_098, 10_098, 0x491),
    (10_099, 10_109, 0x452),
    (10_110, 10_110, 0x45e),
    (10_145, 10_145, 0x40f),
    (10_193, 10_193, 0x45f),
    (57_388, 57_388, 0x60c),
    (57_392, 57_401, 0x660),
    (57_403, 57_403, 0x61b),
    (57_407, 57_407, 0x61f),
    (57_409, 57_434, 0x621),
    (57_440, 57_458, 0x640),
    (57_664, 57_690, 0x5d0),
];

const STANDARD: &str = "\0¡¢£⁄¥ƒ§¤'“«‹›ﬁﬂ\0–†‡·\0¶•‚„”»…‰\0¿\0`´ˆ˜¯˘˙¨\0˚¸\0˝˛ˇ—\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0Æ\0ª\0\0\0\0ŁØŒº\
    \0\0\0\0\0æ\0\0\0ı\0\0łøœß";

const MAC: &str = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄¤‹›ﬁﬂ‡·‚„‰\
    ÂÊÁËÈÍÎÏÌÓÔ\0ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";

/// The table of names, which all fonts share, as it is searched often.
static GLYPHS: LazyLock<Vec<(&str, char)>> = LazyLock::new(|| {
    let mut glyphs = NAMES
        .split(' ')
        .filter_map(|entry| {
            let (at, c) = entry.char_indices().last()?;
            Some((entry.get(..at)?, c))
        })
        .collect();
    sort_by(&mut glyphs, |a, b| a.0.cmp(b.0));
    glyphs
});

static STANDARD_CODES: LazyLock<Codes> = LazyLock::new(|| {
    let mut codes = with_ascii(STANDARD.chars(), 161);
    for (code, c) in [(0x27, '’'), (0x60, '‘')] {
        if let Some(old) = codes.get_mut(code) {
            *old = c;
        }
    }
    codes
});

static MAC_CODES: LazyLock<Codes> = LazyLock::new(|| with_ascii(MAC.chars(), 128));

static WINDOWS_CODES: LazyLock<Codes> = LazyLock::new(|| {
    let bytes: Vec<u8> = (128..=255).collect();
    let text = Charset::of_label("windows-1252").map(|charset| charset.decode(&bytes));
    let text = text.unwrap_or_default().replace('\u{ad}', "-");
    with_ascii(text.chars(), 128)
});

fn with_ascii(high: impl Iterator<Item = char>, first: usize) -> Codes {
    let mut codes = ['\0'; 256];
    let low = (' '..='~').zip(32..);
    for (c, code) in low.chain(high.zip(first..)) {
        if let Some(old) = codes.get_mut(code) {
            *old = c;
        }
    }
    codes
}

/// The encoding of a name.
pub(super) fn encoding(name: &[u8]) -> Option<&'static Codes> {
    match name {
        b"StandardEncoding" => Some(&*STANDARD_CODES),
        b"MacRomanEncoding" => Some(&*MAC_CODES),
        b"WinAnsiEncoding" => Some(&*WINDOWS_CODES),
        _ => None,
    }
}

/// The encoding of a font without one: Windows-1252.
pub(super) fn latin() -> &'static Codes {
    &WINDOWS_CODES
}

/// The text of a glyph's name: `eacute`, `uni00E9`, `f_i`, `one.oldstyle`.
pub(super) fn glyph(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name)
        .ok()
        .filter(|name| name.len() < 64)?;
    let name = name.split('.').next().filter(|name| !name.is_empty())?;
    if let Some(digits) = name.strip_prefix("uni")
        && digits.len() >= 4
        && let Some(text) = hexadecimal(digits)
    {
        return Some(text);
    }
    name.split('_').map(single).collect()
}

/// UTF-16, four digits a unit.
fn hexadecimal(digits: &str) -> Option<String> {
    let units: Option<Vec<u16>> = digits
        .as_bytes()
        .chunks_exact(4)
        .map(|four| u16::from_str_radix(std::str::from_utf8(four).ok()?, 16).ok())
        .collect();
    String::from_utf16(&units?).ok()
}

fn single(name: &str) -> Option<char> {
    let mut chars = name.chars();
    if let (Some(only), None) = (chars.next(), chars.next()) {
        return only.is_ascii_alphabetic().then_some(only);
    }
    if let Ok(at) = GLYPHS.binary_search_by(|(own, _)| (*own).cmp(name)) {
        return GLYPHS.get(at).map(|(_, c)| *c);
    }
    if matches!(name, "space" | "nbspace" | "nonbreakingspace") {
        return Some(' ');
    }
    if let Some(number) = name
        .strip_prefix("afii")
        .and_then(|number| number.parse().ok())
    {
        let range = NUMBERED
            .iter()
            .find(|(low, high, _)| (*low..=*high).contains(&number));
        return range.and_then(|(low, _, first)| char::from_u32(first + number - low));
    }
    if let Some(digits) = name
        .strip_prefix('u')
        .filter(|digits| (4..=6).contains(&digits.len()))
        && let Ok(number) = u32::from_str_radix(digits, 16)
    {
        return char::from_u32(number);
    }
    for (ending, accent) in ACCENTS {
        if let Some(base) = name.strip_suffix(ending).filter(|base| !base.is_empty()) {
            let base = single(base)?;
            let mut composed = [base, accent].into_iter().nfc();
            return composed.next().filter(|_| composed.next().is_none());
        }
    }
    // Figures and small capitals in forms of their own.
    ["oldstyle", "small", "superior", "inferior"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .filter(|base| !base.is_empty())
        .and_then(single)
}
