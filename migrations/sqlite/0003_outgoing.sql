-- Letters of the service itself (confirmations and the like) until a mail server has taken them.
-- While a process sends one, `lease` is its random word and `due_at` the end of its lease.

CREATE TABLE outgoing (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient TEXT NOT NULL,
    raw BLOB NOT NULL,
    smtputf8 BOOLEAN NOT NULL,
    tries INTEGER NOT NULL,
    lease TEXT NOT NULL DEFAULT '',
    due_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
);
CREATE INDEX outgoing_by_due ON outgoing (due_at);
