-- What the people of a tenant may do apart from their role, and keys that belong to them.

ALTER TABLE membership ADD COLUMN rights TEXT NOT NULL DEFAULT '[]';  -- JSON array, api/src/people.rs
ALTER TABLE membership ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE membership ADD COLUMN updated_at INTEGER;

-- Owners may do what they could do before there were rights.
UPDATE membership SET rights = '["export","code"]' WHERE role = 'owner';

ALTER TABLE invitation ADD COLUMN rights TEXT NOT NULL DEFAULT '[]';

UPDATE invitation SET rights = '["export","code"]' WHERE role = 'owner';

-- Whose key it is; null: the tenant's.
ALTER TABLE api_key ADD COLUMN person_id TEXT REFERENCES person (id) ON DELETE CASCADE;

CREATE INDEX api_key_by_person ON api_key (person_id) WHERE person_id IS NOT NULL;
