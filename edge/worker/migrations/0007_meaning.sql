-- Chunks by what they mean: which have a vector in Vectorize. Nothing of this is used while that is off.

-- 0: nobody has asked for a vector. Below 0: one is wanted, and may be there already. Above: it is there. Its id is
-- `{chunk}-{the number without its sign}`: rows are numbered again when the last one goes, so a row alone is no name.
ALTER TABLE chunk ADD COLUMN embedded INTEGER NOT NULL DEFAULT 0;

-- The generation whose chunks have been asked for.
ALTER TABLE source ADD COLUMN embedded INTEGER NOT NULL DEFAULT -1;

CREATE INDEX chunk_to_embed ON chunk (tenant_id, bot_id) WHERE embedded < 0;
CREATE INDEX source_to_embed ON source (tenant_id, bot_id, id) WHERE embedded <> generation;

-- Vectors that nobody wants any more, until Vectorize has been told. They are known by their numbers alone, so that they
-- are also deleted of a tenant that is gone.
CREATE TABLE vector_unwanted (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TRIGGER chunk_deleted AFTER DELETE ON chunk WHEN old.embedded <> 0 BEGIN
  INSERT OR IGNORE INTO vector_unwanted (id) VALUES (old.id || '-' || abs(old.embedded));
END;

-- Kept for answers, out of the index.
CREATE TRIGGER chunk_kept AFTER UPDATE OF generation ON chunk WHEN new.generation < 0 AND new.embedded <> 0 BEGIN
  INSERT OR IGNORE INTO vector_unwanted (id) VALUES (new.id || '-' || abs(new.embedded));
  UPDATE chunk SET embedded = 0 WHERE tenant_id = new.tenant_id AND id = new.id;
END;
