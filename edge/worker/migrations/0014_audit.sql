-- Who did what: a row for each change, and for each reading of what visitors have said.
CREATE TABLE audit (
  tenant_id   TEXT NOT NULL,              -- empty: the operator's
  id          TEXT NOT NULL,              -- ULID: sorts by time
  at          INTEGER NOT NULL,
  person_id   TEXT,                       -- who; stays when the person goes, and names nobody then
  key_id      TEXT,                       -- with which key; null with null: the operator's key
  action      TEXT NOT NULL,              -- an operation of openapi.json
  object      TEXT NOT NULL,              -- the address below the tenant; no words of visitors, no secrets
  detail      TEXT,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_by_time ON audit (at);
