-- What owners write about conversations.

CREATE TABLE conversation_label (
  tenant_id       TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  label           TEXT NOT NULL,
  PRIMARY KEY (tenant_id, conversation_id, label),
  FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversation (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Visitors and models never see a note.
CREATE TABLE conversation_note (
  tenant_id       TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  id              TEXT NOT NULL,          -- ULID: sorts by time
  person_id       TEXT,                   -- who wrote it; null: a key
  text            TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, conversation_id, id),
  FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversation (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
