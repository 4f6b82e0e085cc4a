-- Clients, messages, mailings, and the record of what was sent.

CREATE TABLE clients (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    full_name TEXT NOT NULL,
    full_name_key TEXT NOT NULL,
    comment TEXT NOT NULL,
    search TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (owner_id, email_key)
);
CREATE INDEX clients_by_name ON clients (owner_id, full_name_key, id);
CREATE INDEX clients_by_id ON clients (owner_id, id);

-- Hand-picked clients. A selection belongs to a mailing once the mailing is made.
CREATE TABLE selections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at TEXT NOT NULL
);
CREATE TABLE selection_clients (
    selection_id INTEGER NOT NULL REFERENCES selections (id) ON DELETE CASCADE,
    client_id INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    PRIMARY KEY (selection_id, client_id)
);
CREATE INDEX selection_clients_by_client ON selection_clients (client_id);

CREATE TABLE imports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    file_name TEXT NOT NULL,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('uploaded', 'running', 'done', 'failed')),
    reason TEXT NOT NULL,
    counts TEXT NOT NULL,
    problems TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX imports_by_owner ON imports (owner_id, id);

CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    search TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX messages_by_owner ON messages (owner_id, id);

CREATE TABLE mailings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    message_id INTEGER NOT NULL REFERENCES messages (id),
    title TEXT NOT NULL,
    search TEXT NOT NULL,
    -- domain::audience::Audience as JSON
    audience TEXT NOT NULL,
    -- The anchor: wall time in the zone, 'YYYY-MM-DDTHH:MM:SS'. Every occurrence is counted from it.
    start_local TEXT NOT NULL,
    zone TEXT NOT NULL,
    start_at TEXT NOT NULL,
    end_at TEXT NOT NULL,
    period TEXT NOT NULL CHECK (period IN ('once', 'daily', 'weekly', 'monthly')),
    policy TEXT NOT NULL CHECK (policy IN ('resend', 'hold')),
    status TEXT NOT NULL CHECK (status IN ('created', 'running', 'finished')),
    paused_at TEXT,
    disabled_at TEXT,
    disabled_reason TEXT NOT NULL DEFAULT '',
    -- When the scheduler looks at it next; NULL when nothing more will open.
    next_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX mailings_by_owner ON mailings (owner_id, id);
CREATE INDEX mailings_by_message ON mailings (message_id);
CREATE INDEX mailings_due ON mailings (next_at) WHERE next_at IS NOT NULL;

-- One occurrence of a mailing, with the message as it was when the run opened. The counters are kept
-- by the transactions that move deliveries, so that a page need not count 1 000 000 rows.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    mailing_id INTEGER NOT NULL REFERENCES mailings (id) ON DELETE CASCADE,
    occurrence TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'done', 'skipped')),
    reason TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    from_name TEXT NOT NULL,
    reply_to TEXT NOT NULL,
    lang TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    finished_at TEXT,
    waiting INTEGER NOT NULL,
    deferred INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    not_sent INTEGER NOT NULL,
    UNIQUE (mailing_id, occurrence)
);
CREATE INDEX runs_open ON runs (id) WHERE state = 'open';

CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    -- Kept when the client is deleted: the record outlives the address book.
    client_id INTEGER NOT NULL,
    email TEXT NOT NULL,
    full_name TEXT NOT NULL,
    comment TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('pending', 'claimed', 'armed', 'sent', 'deferred', 'failed', 'unknown', 'not_sent')),
    reason TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    -- When it may be tried: the run's opening at first, the retry time once deferred.
    due_at TEXT NOT NULL,
    lease TEXT,
    lease_until TEXT,
    last_at TEXT,
    last_code INTEGER,
    last_reply TEXT NOT NULL DEFAULT '',
    UNIQUE (run_id, client_id)
);
CREATE INDEX deliveries_due ON deliveries (run_id, due_at, id) WHERE state IN ('pending', 'deferred');
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE state IN ('claimed', 'armed');
CREATE INDEX deliveries_by_state ON deliveries (run_id, state, id);

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery_id INTEGER NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    run_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at TEXT NOT NULL,
    ms INTEGER NOT NULL,
    stage TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('sent', 'deferred', 'failed', 'unknown')),
    relay TEXT NOT NULL,
    code INTEGER,
    enhanced TEXT,
    reply TEXT NOT NULL,
    UNIQUE (delivery_id, number)
);
CREATE INDEX attempts_by_run ON attempts (run_id, at);

-- Letters caught by the built-in mail server.
CREATE TABLE letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    subject TEXT NOT NULL,
    search TEXT NOT NULL,
    raw BLOB NOT NULL
);
