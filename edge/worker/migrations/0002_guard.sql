-- Who may manage what, and who vouches for visitors.

-- `version` is the ETag: it grows with every change.
ALTER TABLE tenant ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';   -- JSON, protocol/src/settings.rs
ALTER TABLE tenant ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tenant ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

ALTER TABLE bot ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bot ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

ALTER TABLE site ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE site ADD COLUMN environment TEXT NOT NULL DEFAULT 'production';
ALTER TABLE site ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE site ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE site ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

CREATE INDEX site_by_tenant ON site (tenant_id, key);

CREATE TABLE api_key (
  tenant_id    TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  id           TEXT NOT NULL,
  hash         TEXT NOT NULL,             -- SHA-256 of the whole key, hexadecimal
  name         TEXT NOT NULL,
  scopes       TEXT NOT NULL,             -- JSON array
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER,
  revoked_at   INTEGER,
  last_used_at INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- The secrets themselves are derived from SESSION_SECRET and are nowhere stored.
CREATE TABLE identity_secret (
  tenant_id    TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  id           TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- Visitors whom a site's server has vouched for.
CREATE TABLE visitor (
  tenant_id    TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  subject      TEXT NOT NULL,             -- `sub` of the identity
  id           TEXT NOT NULL,
  name         TEXT NOT NULL DEFAULT '',
  email        TEXT NOT NULL DEFAULT '',
  tier         TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  seen_at      INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, subject)
) STRICT, WITHOUT ROWID;

-- What was answered to a creation with an Idempotency-Key, without secrets; kept for a day.
CREATE TABLE idempotency (
  tenant_id    TEXT NOT NULL,             -- empty for the operator's own creations
  key          TEXT NOT NULL,
  fingerprint  TEXT NOT NULL,             -- of method, path and body
  response     TEXT NOT NULL,             -- JSON
  etag         TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, key)
) STRICT, WITHOUT ROWID;
