-- What visitors ask in vain, and what owners know to be right.

-- What the visitor thinks of an answer: JSON, protocol/src/conversation.rs.
ALTER TABLE message ADD COLUMN feedback TEXT;

CREATE TABLE unanswered (
  tenant_id       TEXT NOT NULL,
  bot_id          TEXT NOT NULL,
  reply_id        TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  question        TEXT NOT NULL,
  nothing_found   INTEGER NOT NULL,       -- 1: the documents said nothing
  thumbs_down     INTEGER NOT NULL,       -- 1: the answer was rated down
  comment         TEXT,                   -- to the rating
  created_at      INTEGER NOT NULL,
  closed          TEXT,                   -- answered, dismissed
  source_id       TEXT,                   -- that was made of it
  PRIMARY KEY (tenant_id, bot_id, reply_id),
  FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversation (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX unanswered_by_time ON unanswered (tenant_id, bot_id, created_at);
CREATE INDEX unanswered_by_conversation ON unanswered (tenant_id, conversation_id);

CREATE TABLE golden_question (
  tenant_id       TEXT NOT NULL,
  bot_id          TEXT NOT NULL,
  id              TEXT NOT NULL,          -- ULID: sorts by time
  question        TEXT NOT NULL,
  expected        TEXT NOT NULL,          -- JSON, protocol/src/admin/golden.rs
  knowledge       INTEGER,                -- of the bot when it was looked for last; null: never
  place           INTEGER,                -- among what was found then, from 1; 0: not found
  place_before    INTEGER,                -- with the documents of before
  first           TEXT,                   -- title of what came first
  checked_at      INTEGER,
  PRIMARY KEY (tenant_id, bot_id, id),
  FOREIGN KEY (tenant_id, bot_id) REFERENCES bot (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
