-- Owners and what they configure.

CREATE TABLE tenant (
  id          TEXT PRIMARY KEY,
  name        TEXT NOT NULL,
  status      TEXT NOT NULL DEFAULT 'active',
  created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE bot (
  tenant_id   TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  id          TEXT NOT NULL,
  status      TEXT NOT NULL DEFAULT 'active',
  settings    TEXT NOT NULL,              -- JSON, edge/core/src/settings.rs
  updated_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE site (
  key         TEXT PRIMARY KEY,           -- public, in the script tag
  tenant_id   TEXT NOT NULL,
  bot_id      TEXT NOT NULL,
  origins     TEXT NOT NULL,              -- JSON array of patterns
  status      TEXT NOT NULL DEFAULT 'active',
  FOREIGN KEY (tenant_id, bot_id) REFERENCES bot (tenant_id, id) ON DELETE CASCADE
) STRICT;

-- What bots know.

CREATE TABLE source (
  tenant_id   TEXT NOT NULL,
  bot_id      TEXT NOT NULL,
  id          TEXT NOT NULL,
  title       TEXT NOT NULL,
  url         TEXT NOT NULL DEFAULT '',   -- page that shows the document, without fragment
  language    TEXT NOT NULL DEFAULT '',
  updated_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, bot_id, id),
  FOREIGN KEY (tenant_id, bot_id) REFERENCES bot (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE chunk (
  id          INTEGER PRIMARY KEY,        -- rowid of chunk_fts
  tenant_id   TEXT NOT NULL,
  bot_id      TEXT NOT NULL,
  source_id   TEXT NOT NULL,
  position    INTEGER NOT NULL,
  heading     TEXT NOT NULL,
  anchor      TEXT NOT NULL,
  text        TEXT NOT NULL
) STRICT;

CREATE INDEX chunk_by_source ON chunk (tenant_id, bot_id, source_id, position);

-- `scope` holds one word made from tenant and bot: a search meets the rows of one bot only.
CREATE VIRTUAL TABLE chunk_fts USING fts5 (
  scope, title, heading, body,
  content = '', contentless_delete = 1,
  tokenize = 'unicode61 remove_diacritics 2'
);

-- What visitors and bots said.

CREATE TABLE conversation (
  tenant_id   TEXT NOT NULL,
  id          TEXT NOT NULL,
  bot_id      TEXT NOT NULL,
  visitor_id  TEXT NOT NULL,
  title       TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX conversation_by_visitor ON conversation (tenant_id, visitor_id, bot_id, updated_at DESC);

CREATE TABLE message (
  tenant_id       TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  position        INTEGER NOT NULL,       -- questions are even, replies odd
  id              TEXT NOT NULL,
  role            TEXT NOT NULL,
  text            TEXT NOT NULL,
  blocks          TEXT NOT NULL,          -- JSON
  sources         TEXT NOT NULL,          -- JSON
  status          TEXT NOT NULL,
  reply_to        TEXT,
  finish          TEXT,
  error           TEXT,
  provider        TEXT NOT NULL DEFAULT '',
  model           TEXT NOT NULL DEFAULT '',
  input_tokens    INTEGER NOT NULL DEFAULT 0,
  output_tokens   INTEGER NOT NULL DEFAULT 0,
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, conversation_id, position)
) STRICT, WITHOUT ROWID;
