-- People who manage tenants.

-- A person belongs to no tenant: memberships say what they may do where.
CREATE TABLE person (
  id          TEXT PRIMARY KEY,           -- ULID
  email       TEXT NOT NULL UNIQUE,       -- edge/core/src/people/email.rs
  name        TEXT NOT NULL,
  password    TEXT NOT NULL,              -- PHC string, edge/core/src/people/password.rs
  operator    INTEGER NOT NULL DEFAULT 0, -- 1: everything in every tenant
  created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE membership (
  tenant_id   TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  person_id   TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  role        TEXT NOT NULL,              -- api/src/people.rs
  bots        TEXT,                       -- JSON array; null: all
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, person_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX membership_by_person ON membership (person_id, tenant_id);

-- Browsers that are signed in.
CREATE TABLE person_session (
  id          TEXT PRIMARY KEY,           -- ULID
  person_id   TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  hash        TEXT NOT NULL,              -- SHA-256 of the token, hexadecimal
  user_agent  TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  seen_at     INTEGER NOT NULL,           -- to five minutes
  proved_at   INTEGER NOT NULL            -- when the password was given last
) STRICT, WITHOUT ROWID;

CREATE INDEX person_session_by_person ON person_session (person_id);
CREATE INDEX person_session_by_use ON person_session (seen_at);

-- Links that make a person a member, once. Those of the operator have no tenant and no role: they make or help a person.
CREATE TABLE invitation (
  tenant_id   TEXT NOT NULL,              -- empty for the operator's
  id          TEXT NOT NULL,              -- ULID
  hash        TEXT NOT NULL,              -- SHA-256 of the token, hexadecimal
  email       TEXT NOT NULL,
  operator    INTEGER NOT NULL DEFAULT 0, -- 1: the person becomes an operator
  role        TEXT,
  bots        TEXT,                       -- JSON array; null: all
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  session_id  TEXT,                       -- of the session that has used it
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
