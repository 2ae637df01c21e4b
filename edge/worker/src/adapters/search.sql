-- The chunks of a bot (tenant ?1, bot ?2) with any of the words (a JSON array, ?3), at most ?4, the best first.
-- The rarest words are looked for, as long as they stand in no more than ?5 rows together, and the rarest in any case.
WITH
  word AS (
    SELECT chunk_word.term, chunk_word.doc
    FROM json_each(?3) AS asked CROSS JOIN chunk_word ON chunk_word.term = asked.value
  ),
  rare AS (
    SELECT term, doc, sum(doc) OVER (ORDER BY doc, term) AS rows_so_far FROM word
  ),
  found AS (
    SELECT rowid AS id, -rank AS score FROM chunk_fts
    WHERE chunk_fts MATCH (
      SELECT coalesce(group_concat('"' || term || '"', ' OR '), '""')
      FROM rare WHERE rows_so_far <= ?5 OR rows_so_far = doc
    )
    ORDER BY rank LIMIT ?4
  )
SELECT chunk.id, source.title, chunk.heading, chunk.text, source.url, chunk.anchor, source.language, found.score
FROM found
CROSS JOIN chunk ON chunk.id = found.id AND chunk.tenant_id = ?1 AND chunk.bot_id = ?2
CROSS JOIN source ON source.tenant_id = ?1 AND source.bot_id = ?2 AND source.id = chunk.source_id
ORDER BY found.score DESC
