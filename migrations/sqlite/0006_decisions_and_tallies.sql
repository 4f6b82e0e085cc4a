-- What people decided on deliveries whose fate was unknown, and the figures that reports are made of.

CREATE TABLE decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery_id INTEGER NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    -- Who decided; the name outlives the account.
    user_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    user_name TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('arrived', 'resend')),
    at TEXT NOT NULL
);
CREATE INDEX decisions_by_delivery ON decisions (delivery_id);

-- Attempts of a run by day (UTC, 'YYYY-MM-DD'), counted from the record, so that a report need not.
CREATE TABLE tallies (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    day TEXT NOT NULL,
    sent INTEGER NOT NULL,
    deferred INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    PRIMARY KEY (run_id, day)
);

-- The most frequent replies of a run by day.
CREATE TABLE reply_tallies (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    day TEXT NOT NULL,
    code INTEGER,
    reply TEXT NOT NULL,
    n INTEGER NOT NULL
);
CREATE INDEX reply_tallies_by_run ON reply_tallies (run_id, day);

-- When a run's attempts were last counted, and whether for good: after it had closed.
ALTER TABLE runs ADD COLUMN tallied_at TEXT;
ALTER TABLE runs ADD COLUMN tallied BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX runs_untallied ON runs (mailing_id) WHERE NOT tallied AND state <> 'skipped';

-- The other orders of the lists.
CREATE INDEX mailings_by_title ON mailings (owner_id, search, id);
CREATE INDEX messages_by_subject ON messages (owner_id, search, id);
CREATE INDEX messages_by_update ON messages (owner_id, updated_at, id);
