-- Where what bots know comes from, and how far it has been read.

ALTER TABLE source ADD COLUMN kind TEXT NOT NULL DEFAULT 'file';       -- file, url, site, feed, text, faq
ALTER TABLE source ADD COLUMN status TEXT NOT NULL DEFAULT 'ready';    -- queued, indexing, ready, failed
ALTER TABLE source ADD COLUMN reason TEXT NOT NULL DEFAULT '';         -- why it failed, for programs
ALTER TABLE source ADD COLUMN detail TEXT NOT NULL DEFAULT '';         -- and for people
ALTER TABLE source ADD COLUMN given TEXT NOT NULL DEFAULT '{}';        -- JSON, edge/core/src/sources/given.rs
ALTER TABLE source ADD COLUMN parent TEXT;                             -- pages of a site, entries of a feed
ALTER TABLE source ADD COLUMN checksum TEXT NOT NULL DEFAULT '';       -- SHA-256 of what was indexed last
ALTER TABLE source ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE source ADD COLUMN done INTEGER NOT NULL DEFAULT 0;         -- chunks; pages of a site
ALTER TABLE source ADD COLUMN total INTEGER NOT NULL DEFAULT 0;
ALTER TABLE source ADD COLUMN refresh_seconds INTEGER;
ALTER TABLE source ADD COLUMN next_at INTEGER;                         -- when there is something to do
ALTER TABLE source ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;     -- since something was achieved
ALTER TABLE source ADD COLUMN etag TEXT NOT NULL DEFAULT '';           -- of the page, for conditional requests
ALTER TABLE source ADD COLUMN last_modified TEXT NOT NULL DEFAULT '';
ALTER TABLE source ADD COLUMN indexed_at INTEGER;                      -- when what answers now was complete
ALTER TABLE source ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;   -- 0: written by a seed
ALTER TABLE source ADD COLUMN version INTEGER NOT NULL DEFAULT 1;      -- the ETag; progress does not change it

-- What is to be indexed: grows when the owner asks for something else, so that what was begun before is given up.
ALTER TABLE source ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;

-- Chunks answer when they have the generation of their source. Those of the next one are written beside them, and one
-- update of `generation` makes them answer. `staged` says of what content they are; empty when there are none.
ALTER TABLE source ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE source ADD COLUMN staged TEXT NOT NULL DEFAULT '';
ALTER TABLE chunk ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;    -- -1: kept for answers, out of the index

CREATE INDEX source_by_time ON source (tenant_id, bot_id, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX source_by_parent ON source (tenant_id, bot_id, parent, id);

-- What was extracted: Markdown, in parts that fit a row.
CREATE TABLE source_text (
  tenant_id   TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  bot_id      TEXT NOT NULL,
  source_id   TEXT NOT NULL,
  generation  INTEGER NOT NULL,
  part        INTEGER NOT NULL,
  text        TEXT NOT NULL,
  PRIMARY KEY (tenant_id, bot_id, source_id, generation, part)
) STRICT, WITHOUT ROWID;

-- `knowledge` grows when what can be quoted changes, not with every step on the way there.
DROP TRIGGER source_made;
DROP TRIGGER source_changed;
DROP TRIGGER source_deleted;

CREATE TRIGGER source_made AFTER INSERT ON source WHEN new.status = 'ready' BEGIN
  UPDATE bot SET knowledge = knowledge + 1 WHERE tenant_id = new.tenant_id AND id = new.bot_id;
END;

CREATE TRIGGER source_changed AFTER UPDATE OF title, url, language, generation ON source
WHEN new.title <> old.title OR new.url <> old.url OR new.language <> old.language OR new.generation <> old.generation
BEGIN
  UPDATE bot SET knowledge = knowledge + 1 WHERE tenant_id = new.tenant_id AND id = new.bot_id;
END;

CREATE TRIGGER source_deleted AFTER DELETE ON source WHEN old.indexed_at IS NOT NULL OR old.status = 'ready' BEGIN
  UPDATE bot SET knowledge = knowledge + 1 WHERE tenant_id = old.tenant_id AND id = old.bot_id;
END;
