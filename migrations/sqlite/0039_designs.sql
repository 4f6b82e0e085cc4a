-- How an owner's letters look; `look` is JSON.
CREATE TABLE designs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    look TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX designs_by_owner ON designs (owner_id, id);
-- A message has a design of its owner's, or one that everybody has.
ALTER TABLE messages ADD COLUMN preheader TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN design TEXT NOT NULL DEFAULT 'plain';
ALTER TABLE messages ADD COLUMN design_id INTEGER REFERENCES designs (id);
CREATE INDEX messages_by_design ON messages (design_id) WHERE design_id IS NOT NULL;
-- What a run keeps of them; no look is a plain letter.
ALTER TABLE runs ADD COLUMN preheader TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN look TEXT NOT NULL DEFAULT '';
