-- Codes with which a person who has lost the password signs in, once each.
CREATE TABLE recovery_code (
  person_id   TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  hash        TEXT NOT NULL,              -- edge/core/src/people/recovery.rs
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (person_id, hash)
) STRICT, WITHOUT ROWID;
