CREATE TABLE IF NOT EXISTS site (key TEXT PRIMARY KEY, tenant TEXT NOT NULL, per_minute INTEGER NOT NULL);

CREATE TABLE IF NOT EXISTS message (
  tenant       TEXT NOT NULL,
  conversation TEXT NOT NULL,
  id           TEXT NOT NULL,
  role         TEXT NOT NULL,
  visitor      TEXT NOT NULL,
  text         TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  PRIMARY KEY (tenant, conversation, id, role)
);

INSERT OR REPLACE INTO site VALUES ('bench', 'bench', 1000);
