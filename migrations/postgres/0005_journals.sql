-- What engines have recorded and not carried over into the other tables yet (docs/architecture.md, The
-- journal): one row for each group commit, its records as JSON.
CREATE TABLE journals (
    id TEXT PRIMARY KEY,
    applied BIGINT NOT NULL,
    touched_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE journal_frames (
    journal TEXT NOT NULL,
    seq BIGINT NOT NULL,
    records TEXT NOT NULL,
    PRIMARY KEY (journal, seq)
);
