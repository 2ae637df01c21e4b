-- The chunks of a bot (tenant ?1, bot ?2) with these vectors (a JSON array of objects with `id` and `score`, ?3), in their
-- order. Those of another bot, of chunks that are gone and of those that no longer answer are passed over.
SELECT chunk.id, source.title, source.language, asked.value ->> 'score' AS score, NULL AS words,
  json_array(chunk.heading, chunk.text, source.url, chunk.anchor) AS whole
FROM json_each(?3) AS asked
CROSS JOIN chunk ON chunk.id = CAST(asked.value ->> 'id' AS INTEGER) AND chunk.tenant_id = ?1 AND chunk.bot_id = ?2
  AND chunk.id || '-' || abs(chunk.embedded) = asked.value ->> 'id'
CROSS JOIN source ON source.tenant_id = ?1 AND source.bot_id = ?2 AND source.id = chunk.source_id
  AND source.generation = chunk.generation
ORDER BY asked.key
