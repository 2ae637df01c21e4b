-- What ranking needs of a chunk is stored when the chunk is indexed (edge/core/src/search/indexed.rs): a JSON object, NULL in
-- chunks of the releases before. Those are ranked from their text until the sweep has computed it.
ALTER TABLE chunk ADD COLUMN words TEXT;

CREATE INDEX chunk_without_words ON chunk (tenant_id, bot_id) WHERE words IS NULL AND generation >= 0;
