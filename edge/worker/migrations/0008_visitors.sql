-- What visitors tell of themselves, give, and have erased.

-- A form that a visitor has filled in.
CREATE TABLE form_answer (
  tenant_id       TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  id              TEXT NOT NULL,          -- ULID: sorts by the time of the first answer
  bot_id          TEXT NOT NULL,
  visitor_id      TEXT NOT NULL,
  fields          TEXT NOT NULL,          -- JSON: name to answer
  consent         TEXT,                   -- the words that the visitor has agreed to
  updated_at      INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, visitor_id, bot_id)
) STRICT, WITHOUT ROWID;

-- Files that visitors give: their text, not their bytes.
CREATE TABLE attachment (
  tenant_id       TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  id              TEXT NOT NULL,          -- ULID
  bot_id          TEXT NOT NULL,
  visitor_id      TEXT NOT NULL,
  name            TEXT NOT NULL,
  bytes           INTEGER NOT NULL,
  text            TEXT NOT NULL,          -- Markdown
  conversation_id TEXT,                   -- null until it is sent
  message_id      TEXT,
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX attachment_by_visitor ON attachment (tenant_id, visitor_id);
CREATE INDEX attachment_by_conversation ON attachment (tenant_id, conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX attachment_unsent ON attachment (created_at) WHERE message_id IS NULL;

-- Visitors who have had everything erased, for as long as a token could bring them back.
CREATE TABLE erased (
  tenant_id       TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  visitor_id      TEXT NOT NULL,          -- random: says nothing about the person
  at              INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, visitor_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX erased_by_time ON erased (at);

CREATE INDEX visitor_by_id ON visitor (tenant_id, id);
