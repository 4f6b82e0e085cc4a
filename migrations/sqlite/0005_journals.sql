-- How far each journal of an engine has been carried over into the tables. The journal itself is a file
-- beside the database (docs/architecture.md, The journal).
CREATE TABLE journals (
    id TEXT PRIMARY KEY,
    applied INTEGER NOT NULL,
    touched_at TEXT NOT NULL
);
