-- Who was stopped by whom and why, the audit log, and the settings that an administrator changes.

ALTER TABLE users ADD COLUMN blocked_by TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN blocked_reason TEXT NOT NULL DEFAULT '';
-- Address and name, folded by the program for searching.
ALTER TABLE users ADD COLUMN search TEXT NOT NULL DEFAULT '';
UPDATE users SET search = lower(email || ' ' || name);
ALTER TABLE mailings ADD COLUMN disabled_by TEXT NOT NULL DEFAULT '';

-- Each line holds the hash of the one before it, so that a line that is changed or taken out shows.
-- Names are copied: the log outlives those whom it names.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    actor_id INTEGER,
    actor TEXT NOT NULL,
    act TEXT NOT NULL,
    target_id INTEGER,
    target TEXT NOT NULL,
    reason TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    address TEXT NOT NULL,
    search TEXT NOT NULL,
    previous TEXT NOT NULL UNIQUE,
    hash TEXT NOT NULL
);
CREATE INDEX audit_by_act ON audit (act, id);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
