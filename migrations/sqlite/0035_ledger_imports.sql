-- What an uploaded file is for, and why its addresses are to be left out.
ALTER TABLE imports ADD COLUMN goal TEXT NOT NULL DEFAULT 'clients';
ALTER TABLE imports ADD COLUMN why TEXT NOT NULL DEFAULT '';

-- The import that an entry came with, so that all of one can be lifted together; the number stays when that is forgotten.
ALTER TABLE suppressions ADD COLUMN import_id INTEGER;
CREATE INDEX suppressions_by_import ON suppressions (owner_id, import_id, id) WHERE import_id IS NOT NULL;

-- When an entry was made: one that came with a file may hold since long ago. Open runs ask for what is new.
ALTER TABLE suppressions ADD COLUMN entered_at TEXT NOT NULL DEFAULT '';
UPDATE suppressions SET entered_at = since;
DROP INDEX suppressions_since;
CREATE INDEX suppressions_entered ON suppressions (owner_id, entered_at);

-- Those that end by themselves: few, to be told apart when all are counted.
CREATE INDEX suppressions_ending ON suppressions (owner_id, until) WHERE until IS NOT NULL;
