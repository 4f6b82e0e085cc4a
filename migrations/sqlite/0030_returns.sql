-- What came back for letters: a fact beside the delivery, whose record stays as it is.
CREATE TABLE returns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at TEXT NOT NULL,
    -- The letter it is about; none where what came names none of ours. Kept when that is deleted.
    delivery_id INTEGER,
    owner_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
    run_id INTEGER REFERENCES runs (id) ON DELETE SET NULL,
    class TEXT NOT NULL CHECK (class IN ('no_address', 'full', 'passing', 'letter', 'policy', 'complaint',
        'auto_reply', 'under_way', 'unknown')),
    recipient TEXT NOT NULL,
    status TEXT NOT NULL,
    diagnostic TEXT NOT NULL,
    source TEXT NOT NULL,
    -- SHA-256 of what came: the same report twice is one.
    digest BLOB NOT NULL UNIQUE,
    -- What came, for 30 days.
    evidence BLOB
);
CREATE INDEX returns_by_delivery ON returns (delivery_id, id);
CREATE INDEX returns_by_run ON returns (run_id, id) WHERE run_id IS NOT NULL;
CREATE INDEX returns_by_owner ON returns (owner_id, id);
CREATE INDEX returns_with_evidence ON returns (received_at) WHERE evidence IS NOT NULL;

-- Letters of a run that came back or were complained of, each once: moved with the transaction that enters a return.
CREATE TABLE return_counts (
    run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    returned INTEGER NOT NULL,
    -- Of them those to addresses that do not exist.
    hard INTEGER NOT NULL,
    complained INTEGER NOT NULL
);
