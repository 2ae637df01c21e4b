//! Bounds on the cost of reading. Work is counted, not timed, so that every machine reads or refuses the same files.

/// 1,048,576 bytes.
pub const MEGABYTE: usize = 1_048_576;

/// Largest file, in bytes.
pub const MAX_FILE_BYTES: usize = 20 * MEGABYTE;

/// Most bytes that all packed parts of a file (an archive's entries, a PDF's streams) may unpack to together,
/// whatever sizes they declare.
pub const MAX_UNPACKED_BYTES: usize = 64 * MEGABYTE;

/// Most bytes that one packed part may unpack to.
pub const MAX_PART_BYTES: usize = 24 * MEGABYTE;

/// Most entries of an archive.
pub const MAX_ENTRIES: usize = 5_000;

/// Most bytes of Markdown made of one file; a longer file is refused, not cut.
pub const MAX_MARKDOWN_BYTES: usize = 16 * MEGABYTE;

/// Most levels of nesting (elements, lists, JSON values). Deeper content is read as if it were on this level, or
/// refused where that would be wrong.
pub const MAX_DEPTH: usize = 128;

/// Most nodes of an HTML or XML document.
pub const MAX_NODES: usize = 1_000_000;

/// Most cells of a table file.
pub const MAX_CELLS: usize = 1_000_000;

/// Most pages of a PDF.
pub const MAX_PAGES: usize = 3_000;

/// Most operations of a PDF's drawing: glyphs, moves, changes of font.
pub const MAX_OPERATIONS: usize = 20_000_000;

/// Most values of a JSON file.
pub const MAX_VALUES: usize = 1_000_000;

/// Most links kept of a page.
pub const MAX_LINKS: usize = 5_000;

/// Most addresses kept of a sitemap: the protocol's own limit.
pub const MAX_SITEMAP_URLS: usize = 50_000;

/// Most entries of a feed that are kept, from the first.
pub const MAX_FEED_ENTRIES: usize = 1_000;

/// Most bytes of a `robots.txt` that are read (RFC 9309 asks for at least 500 KiB).
pub const MAX_ROBOTS_BYTES: usize = 512 * 1_024;

/// Longest title, in characters.
pub const MAX_TITLE_CHARS: usize = 200;

/// Most levels of elements of a web page: what browsers allow.
pub const MAX_HTML_DEPTH: usize = 512;

/// Largest web page, in bytes.
pub const MAX_HTML_BYTES: usize = 8 * MEGABYTE;

/// Most objects of a PDF.
pub const MAX_PDF_OBJECTS: usize = 300_000;

/// Most values of a PDF that are held: numbers, names, elements of arrays and dictionaries, entries of fonts.
pub const MAX_PDF_VALUES: usize = 1_500_000;

/// Most bytes of the character map of a PDF's font.
pub const MAX_CMAP_BYTES: usize = 2 * MEGABYTE;

/// Most entries of such a map.
pub const MAX_CMAP_ENTRIES: usize = 200_000;

/// Most bytes of the drawing of one page of a PDF, unpacked.
pub const MAX_PAGE_BYTES: usize = 16 * MEGABYTE;

/// Most elements, texts and references of an XML file or part.
pub const MAX_XML_EVENTS: usize = 5_000_000;

/// Largest JSON file, in bytes, because it is held as a tree.
pub const MAX_JSON_BYTES: usize = 6 * MEGABYTE;
