-- The chunks of a bot (tenant ?1, bot ?2) with any of the words (a JSON array, ?3), at most ?4, the best first.
-- The rarest words are looked for, as long as they stand in no more than ?5 rows together, and the rarest in any case.
-- The index brings its rows in order of rank, and chunks of another generation than their source, which is about to be
-- replaced or was, are passed over before they are counted. CROSS JOIN keeps SQLite from asking the index once for every
-- chunk that the bot has.
-- Of a chunk come the entries that ranking needs (search/indexed.rs; core's search::with_entries writes the expressions), and
-- heading, text and address only of the first ?6, which are likely to be chosen, and of those without entries.
WITH
  word AS (
    SELECT chunk_word.term, chunk_word.doc
    FROM json_each(?3) AS asked CROSS JOIN chunk_word ON chunk_word.term = asked.value
  ),
  rare AS (
    SELECT term, doc, sum(doc) OVER (ORDER BY doc, term) AS rows_so_far FROM word
  ),
  found AS (
    SELECT chunk.id, source.title, chunk.heading, chunk.text, source.url, chunk.anchor, source.language, chunk.words,
      -chunk_fts.rank AS score
    FROM chunk_fts
    CROSS JOIN chunk ON chunk.id = chunk_fts.rowid AND chunk.tenant_id = ?1 AND chunk.bot_id = ?2
    CROSS JOIN source ON source.tenant_id = ?1 AND source.bot_id = ?2 AND source.id = chunk.source_id
      AND source.generation = chunk.generation
    WHERE chunk_fts MATCH (
      SELECT coalesce(group_concat('"' || term || '"', ' OR '), '""')
      FROM rare WHERE rows_so_far <= ?5 OR rows_so_far = doc
    )
    ORDER BY chunk_fts.rank LIMIT ?4
  )
SELECT found.id, found.title, found.language, found.score,
  CASE WHEN found.words IS NOT NULL THEN json_array(/* entries */) END AS words,
  CASE WHEN found.words IS NULL OR row_number() OVER () <= ?6
    THEN json_array(found.heading, found.text, found.url, found.anchor) END AS whole
FROM found
