-- Which model answered what, from what, at what cost.

-- Grows with every change of what the bot knows.
ALTER TABLE bot ADD COLUMN knowledge INTEGER NOT NULL DEFAULT 1;

-- Every settings that a bot has ever had: the prompt of an old answer is made again from them.
CREATE TABLE bot_version (
  tenant_id       TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  bot_id          TEXT NOT NULL,
  version         INTEGER NOT NULL,
  settings        TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, bot_id, version)
) STRICT, WITHOUT ROWID;

INSERT INTO bot_version (tenant_id, bot_id, version, settings, created_at)
  SELECT tenant_id, id, version, settings, updated_at FROM bot;

CREATE TRIGGER bot_made AFTER INSERT ON bot BEGIN
  INSERT OR REPLACE INTO bot_version (tenant_id, bot_id, version, settings, created_at)
    VALUES (new.tenant_id, new.id, new.version, new.settings, new.updated_at);
END;

CREATE TRIGGER bot_changed AFTER UPDATE OF settings ON bot BEGIN
  INSERT OR REPLACE INTO bot_version (tenant_id, bot_id, version, settings, created_at)
    VALUES (new.tenant_id, new.id, new.version, new.settings, new.updated_at);
END;

CREATE TRIGGER source_made AFTER INSERT ON source BEGIN
  UPDATE bot SET knowledge = knowledge + 1 WHERE tenant_id = new.tenant_id AND id = new.bot_id;
END;

CREATE TRIGGER source_changed AFTER UPDATE ON source BEGIN
  UPDATE bot SET knowledge = knowledge + 1 WHERE tenant_id = new.tenant_id AND id = new.bot_id;
END;

CREATE TRIGGER source_deleted AFTER DELETE ON source BEGIN
  UPDATE bot SET knowledge = knowledge + 1 WHERE tenant_id = old.tenant_id AND id = old.bot_id;
END;

-- Title of its source when the chunk was taken out of the index; null while it is in there. What an answer quoted
-- stays until its bot goes.
ALTER TABLE chunk ADD COLUMN retired_title TEXT;

-- JSON, edge/core/src/record.rs: confidence, topic, times, and what the prompt is made again from.
ALTER TABLE message ADD COLUMN evidence TEXT NOT NULL DEFAULT '{}';

-- 1: tokens that we have estimated are among those of the answer.
ALTER TABLE message ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0;

-- Answers are found by their ids, too.
CREATE INDEX answer_by_id ON message (tenant_id, id) WHERE role = 'assistant';

-- Every step of every chain: models asked, and those that were passed over. What it has cost stays with the tenant when
-- bot, conversation and words are gone.
CREATE TABLE model_call (
  tenant_id       TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  id              TEXT NOT NULL,          -- {reply}/{number of the step}
  bot_id          TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  question_id     TEXT,                   -- of the visitor's message; null when it was for no single one
  purpose         TEXT NOT NULL,
  provider        TEXT NOT NULL,
  model           TEXT NOT NULL,
  outcome         TEXT NOT NULL,
  status          INTEGER,                -- of HTTP
  input_tokens    INTEGER NOT NULL,
  output_tokens   INTEGER NOT NULL,
  estimated       INTEGER NOT NULL,       -- 1: counted by us, the vendor said nothing
  microusd        INTEGER,                -- null: no price is known
  first_token_ms  INTEGER,
  total_ms        INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX model_call_by_time ON model_call (tenant_id, created_at);
CREATE INDEX model_call_by_conversation ON model_call (tenant_id, conversation_id, created_at);

-- What owners were told.
CREATE TABLE notice (
  tenant_id       TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  id              TEXT NOT NULL,          -- ULID: sorts by time
  kind            TEXT NOT NULL,
  about           TEXT NOT NULL,          -- what exactly: it is told once
  bot_id          TEXT,                   -- who met it; the notice stays when the bot goes
  detail          TEXT NOT NULL,          -- JSON
  created_at      INTEGER NOT NULL,
  deliveries      TEXT NOT NULL DEFAULT '[]', -- JSON
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, kind, about)
) STRICT, WITHOUT ROWID;

-- What stood for the beginnings of long conversations. All are kept: answers were given with them.
CREATE TABLE summary (
  tenant_id       TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  conversation_id TEXT NOT NULL,
  until           INTEGER NOT NULL,       -- position, exclusive
  text            TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, conversation_id, until)
) STRICT, WITHOUT ROWID;
