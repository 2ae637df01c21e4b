-- Heading, text and address of these chunks (a JSON array of ids, ?3) of a bot (tenant ?1, bot ?2) that answer.
SELECT chunk.id, source.title, source.language, 0 AS score, NULL AS words,
  json_array(chunk.heading, chunk.text, source.url, chunk.anchor) AS whole
FROM json_each(?3) AS asked
CROSS JOIN chunk ON chunk.id = asked.value AND chunk.tenant_id = ?1 AND chunk.bot_id = ?2
CROSS JOIN source ON source.tenant_id = ?1 AND source.bot_id = ?2 AND source.id = chunk.source_id
  AND source.generation = chunk.generation
