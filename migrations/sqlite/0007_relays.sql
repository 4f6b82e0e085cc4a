-- Relays: the mail servers that letters are handed to. The one in VESTNIK_SMTP_URL has no row here; where
-- other tables speak of it, its id is 0.
CREATE TABLE relays (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    tls TEXT NOT NULL CHECK (tls IN ('none', 'offered', 'required', 'implicit')),
    username TEXT NOT NULL,
    -- Sealed with a key from VESTNIK_SECRET; empty without a user.
    password TEXT NOT NULL,
    connections INTEGER NOT NULL,
    per_second INTEGER,
    per_hour INTEGER,
    per_day INTEGER,
    priority INTEGER NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

-- Relays that refused user and password. The fingerprint is that of the settings that were refused: with
-- others the pause is over.
CREATE TABLE relay_pauses (
    relay_id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    fault TEXT NOT NULL,
    at TEXT NOT NULL
);

-- Letters handed to relays with limits, in buckets of time (engine/relays/window.rs).
CREATE TABLE relay_usage (
    relay_id INTEGER NOT NULL,
    span TEXT NOT NULL CHECK (span IN ('second', 'hour', 'day')),
    bucket INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (relay_id, span, bucket)
);

-- Letters that an engine may hand over or is handing over; they count until they are recorded as usage.
CREATE TABLE relay_holds (
    relay_id INTEGER NOT NULL,
    holder TEXT NOT NULL,
    n INTEGER NOT NULL,
    until TEXT NOT NULL,
    PRIMARY KEY (relay_id, holder)
);

-- What each engine sees of a relay now, for the page that shows all of them (domain::relay::RelayLive).
CREATE TABLE relay_reports (
    relay_id INTEGER NOT NULL,
    holder TEXT NOT NULL,
    at TEXT NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (relay_id, holder)
);
