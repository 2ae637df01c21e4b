"""Makes the samples that other programs would write: `python3 make.py`, with OpenSSL, and with Chromium for the PDF of a page."""

import hashlib
import os
import pathlib
import subprocess
import zipfile
import zlib

HERE = pathlib.Path(__file__).parent


def pdf(objects, encrypt=None):
    """A PDF of numbered objects, each bytes or (dictionary, stream)."""
    out, places = b"%PDF-1.7\n", []
    for number, item in enumerate(objects, 1):
        places.append(len(out))
        if isinstance(item, tuple):
            head, data = item
            item = b"<<%s/Length %d>>stream\n%s\nendstream" % (head, len(data), data)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for place in places:
        out += b"%010d 00000 n \n" % place
    out += b"trailer<</Size %d/Root 1 0 R/Info 2 0 R%s>>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1, encrypt or b"", start)
    return out


def pages(contents, font, extra=()):
    """Objects of a file with a page for each content; the font is object 4."""
    first = 5 + len(extra)
    kids = b" ".join(b"%d 0 R" % (first + 2 * n) for n in range(len(contents)))
    objects = [
        b"<</Type/Catalog/Pages 3 0 R/Lang(en-GB)>>",
        b"<</Title(\xfe\xff\0P\0r\0i\0c\0e\0s)>>",
        b"<</Type/Pages/Kids[%s]/Count %d/MediaBox[0 0 595 842]/Resources<</Font<</F 4 0 R>>>>>>" % (kids, len(contents)),
        font,
        *extra,
    ]
    for n, content in enumerate(contents):
        objects.append(b"<</Type/Page/Parent 3 0 R/Contents %d 0 R>>" % (first + 2 * n + 1))
        objects.append((b"/Filter/FlateDecode", zlib.compress(content, 9)))
    return objects


HELVETICA = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"

# Text without spaces between words, running heads, two columns drawn one after the other, a parted word.
PLAIN = [
    b"BT /F 9 Tf 60 800 Td (Price list - page %d) Tj ET\n" % n
    + b"BT /F 20 Tf 60 760 Td (Chapter %d) Tj ET\n" % n
    + b"BT /F 10 Tf 12 TL 60 720 Td [(Bread)-300(costs)-300(two)-300(euros)] TJ T* (\\(every day\\), and deliv-) Tj T* (ery is free.) Tj ET\n"
    + b"BT /F 10 Tf 12 TL 330 720 Td (The right column comes) Tj T* (after the left one.) Tj ET\n"
    for n in (1, 2, 3, 4)
]

# A Japanese font whose codes are Shift JIS, with no map of its own.
JAPANESE = (
    b"<</Type/Font/Subtype/Type0/BaseFont/Ryumin-Light/Encoding/90ms-RKSJ-H/DescendantFonts[5 0 R]>>",
    [b"<</Type/Font/Subtype/CIDFontType0/BaseFont/Ryumin-Light/CIDSystemInfo<</Registry(Adobe)/Ordering(Japan1)/Supplement 2>>>>"],
)


def files():
    japanese = "パン屋は毎朝七時に開きます。".encode("shift_jis")
    yield "plain.pdf", pdf(pages(PLAIN, HELVETICA))
    yield "japanese.pdf", pdf(pages([b"BT /F 12 Tf 60 700 Td <%s> Tj ET" % japanese.hex().encode()], *JAPANESE))
    yield "scanned.pdf", pdf(pages([b"q 500 0 0 700 0 0 cm /Im Do Q"], HELVETICA))
    yield "encrypted.pdf", pdf(
        pages([b"BT /F 12 Tf 60 700 Td (secret) Tj ET"], HELVETICA, [
            b"<</Filter/Standard/V 1/R 2/Length 40/P -4/O<%s>/U<%s>>>" % (b"11" * 32, b"22" * 32)]),
        b"/Encrypt 5 0 R/ID[<00><00>]")
    for version, name in (2, "rc4"), (4, "aes128"), (5, "aes256"):
        yield f"locked_{name}.pdf", locked(version)
    yield "bomb.pdf", pdf(pages([b" " * (200 << 20)], HELVETICA))


def rc4(key, data):
    state, j, out, i = list(range(256)), 0, bytearray(), 0
    for n in range(256):
        j = (j + state[n] + key[n % len(key)]) % 256
        state[n], state[j] = state[j], state[n]
    j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def aes(key, start, data, pad=True):
    command = ["openssl", "enc", f"-aes-{8 * len(key)}-cbc", "-K", key.hex(), "-iv", start.hex()] + ([] if pad else ["-nopad"])
    return subprocess.run(command, input=data, check=True, capture_output=True).stdout


def hash6(data):
    """Algorithm 2.B of ISO 32000-2, for no password."""
    key, number = hashlib.sha256(data).digest(), 0
    while True:
        out = aes(key[:16], key[16:32], key * 64, pad=False)
        key = (hashlib.sha256, hashlib.sha384, hashlib.sha512)[int.from_bytes(out[:16], "big") % 3](out).digest()
        number += 1
        if number >= 64 and out[-1] <= number - 32:
            return key[:32]


PAD = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")


def locked(version):
    """A file that opens without a password: what its owner forbids is to print or to change it."""
    ident, owner, allowed, iv = bytes(range(16)), bytes(32), -3904, bytes(range(16, 32))
    if version == 5:
        key, salts = bytes(range(32)), (b"abcdefgh", b"ijklmnop")
        user = hash6(salts[0]) + salts[0] + salts[1]
        packed = aes(hash6(salts[1]), bytes(16), key, pad=False)
        rest = b"/V 5/R 6/Length 256/OE<%s>/UE<%s>/Perms<%s>" % (bytes(32).hex().encode(), packed.hex().encode(), bytes(16).hex().encode())
        owner = bytes(48)
    else:
        key = hashlib.md5(PAD + owner + allowed.to_bytes(4, "little", signed=True) + ident).digest()
        for _ in range(50):
            key = hashlib.md5(key).digest()
        user = hashlib.md5(PAD + ident).digest()
        for number in range(20):
            user = rc4(bytes(byte ^ number for byte in key), user)
        user += bytes(16)
        rest = b"/V 2/R 3/Length 128" if version == 2 else b"/V 4/R 4/Length 128"
    if version > 2:
        rest += b"/CF<</StdCF<</AuthEvent/DocOpen/CFM/%s>>>>/StmF/StdCF/StrF/StdCF" % (b"AESV2" if version == 4 else b"AESV3")

    def lock(number, data):
        if version == 5:
            return iv + aes(key, iv, data)
        own = hashlib.md5(key + number.to_bytes(3, "little") + bytes(2) + (b"sAlT" if version == 4 else b"")).digest()
        return rc4(own, data) if version == 2 else iv + aes(own, iv, data)

    content = zlib.compress(b"BT /F 12 Tf 60 700 Td (Opens without a password.) Tj ET", 9)
    return pdf([
        b"<</Type/Catalog/Pages 3 0 R>>",
        b"<</Title<%s>>>" % lock(2, b"Locked").hex().encode(),
        b"<</Type/Pages/Kids[6 0 R]/Count 1/MediaBox[0 0 595 842]/Resources<</Font<</F 4 0 R>>>>>>",
        HELVETICA,
        b"<</Filter/Standard/P %d/O<%s>/U<%s>%s>>" % (allowed, owner.hex().encode(), user.hex().encode(), rest),
        b"<</Type/Page/Parent 3 0 R/Contents 7 0 R>>",
        (b"/Filter/FlateDecode", lock(7, content)),
    ], b"/Encrypt 5 0 R/ID[<%s><00>]" % ident.hex().encode())


def docx():
    word = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'

    def p(text, style="", extra=""):
        style = f'<w:pStyle w:val="{style}"/>' if style else ""
        return f'<w:p><w:pPr>{style}{extra}</w:pPr><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'

    bullet = '<w:numPr><w:ilvl w:val="{}"/><w:numId w:val="1"/></w:numPr>'
    cell = lambda text: f"<w:tc><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>"
    body = (
        p("Règlement intérieur", "Titre") + p("Horaires", "berschrift1")
        + '<w:p><w:r><w:t>Ouvert de </w:t></w:r><w:r><w:t>7 h</w:t></w:r><w:r><w:br/><w:t>à 19 h, voir </w:t></w:r>'
        + '<w:hyperlink r:id="rId1"><w:r><w:t>le site</w:t></w:r></w:hyperlink><w:del><w:r><w:delText>ancien</w:delText></w:r></w:del>'
        + '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
        + "<w:ins><w:r><w:t>.</w:t></w:r></w:ins></w:p>"
        + p("Pain", "", bullet.format(0)) + p("de seigle", "", bullet.format(1)) + p("Tarte # 1 *", "", bullet.format(0))
        + "<w:tbl>" + "".join(f"<w:tr>{cell(a)}{cell(b)}</w:tr>" for a, b in [("Produit", "Prix"), ("Pain | seigle", "2 €")]) + "</w:tbl>"
        + p("日本語とภาษาไทย", "", '<w:outlineLvl w:val="1"/>') + p("毎朝七時に開きます。") + p("يفتح المخبز في السابعة.", "", "<w:bidi/>")
        + '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice>'
        + p("dans un cadre") + "</mc:Choice><mc:Fallback>" + p("dans un cadre") + "</mc:Fallback></mc:AlternateContent>"
    )
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "word/document.xml": f"<?xml version='1.0' encoding='UTF-8'?><w:document {word}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": f'<w:styles {word}><w:docDefaults><w:rPrDefault><w:rPr><w:lang w:val="fr-FR"/></w:rPr></w:rPrDefault></w:docDefaults>'
        '<w:style w:type="paragraph" w:styleId="Titre"><w:name w:val="Title"/></w:style>'
        '<w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style></w:styles>',
        "word/_rels/document.xml.rels": '<Relationships xmlns="x"><Relationship Id="rId1" Type="t/hyperlink" Target="https://a.example/" TargetMode="External"/></Relationships>',
        "docProps/core.xml": '<cp:coreProperties xmlns:cp="c" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Règlement de la boulangerie</dc:title></cp:coreProperties>',
    }
    archive("letter.docx", parts)


def linkedin():
    archive("linkedin.zip", {
        "Profile.csv": "First Name,Last Name,Maiden Name,Address,Birth Date,Headline,Summary,Industry,Zip Code,Geo Location,Twitter Handles,Websites,Instant Messengers\n"
        'Élise,Moreau,,1 rue X,Jan 3,Site reliability engineer,"I keep bakeries online.\n\nSince 2015.",IT,35000,"Rennes, France",,[PERSONAL:https://elise.example],\n',
        "Positions.csv": "Company Name,Title,Description,Location,Started On,Finished On\n"
        'Acme,SRE,"Led a team of five. Kubernetes, Rust.",Rennes,Mar 2020,\nパン社,エンジニア,毎朝の焼き上がりを監視。,東京,2015,Feb 2020\n',
        "Education.csv": "School Name,Start Date,End Date,Notes,Degree Name,Activities\nINSA,2008,2013,,Engineer,Chess\n",
        "Skills.csv": "Name\nKubernetes\nRust\n",
        "Languages.csv": "Name,Proficiency\nFrench,Native or bilingual proficiency\nالعربية,Elementary proficiency\n",
        "Certifications.csv": "Name,Url,Authority,Started On,Finished On,License Number\nCKA,https://cka.example,CNCF,Jan 2021,,42\n",
        "Projects.csv": "Title,Description,Url,Started On,Finished On\nOven,Monitoring of ovens,https://oven.example,Jan 2019,\n",
        "Publications.csv": "Name,Published On,Description,Publisher,Url\nBread at scale,\"May 3, 2022\",On dough.,ACM,\n",
        "Recommendations_Received.csv": "First Name,Last Name,Company,Job Title,Text,Creation Date,Status\nAda,Petit,Acme,CTO,Reliable and kind.,\"01/02/23, 10:00 AM\",VISIBLE\n"
        "Bob,Brun,Acme,Dev,Hidden words.,\"01/02/23, 10:00 AM\",HIDDEN\n",
        "messages.csv": "CONVERSATION ID,CONTENT\n1,private words\n",
        "Connections.csv": "Notes:\n\"about\"\n\nFirst Name,Last Name\nSomebody,Else\n",
    })


def archive(name, parts, level=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(HERE / name, "w", level) as out:
        for path, text in parts.items():
            info = zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0))
            info.compress_type = level
            out.writestr(info, text)


def main():
    for name, data in files():
        (HERE / name).write_bytes(data)
    docx()
    linkedin()
    chromium = os.environ.get("CHROME_PATH", "chromium")
    subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
                    f"--print-to-pdf={HERE / 'page.pdf'}", str(HERE / "page.html")], check=True, capture_output=True)


main()
