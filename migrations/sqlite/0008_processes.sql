-- Processes that hold work: their name begins the leases of the deliveries they have claimed.
CREATE TABLE processes (
    id TEXT PRIMARY KEY,
    -- Counted up while the process lives. Others see that it no longer is, each by their own clock.
    beat INTEGER NOT NULL,
    -- What is wrong with its mail server, for those who wait for it; empty if nothing is.
    trouble TEXT NOT NULL,
    started_at TEXT NOT NULL,
    seen_at TEXT NOT NULL
);

-- The process that reads the file of a running import.
ALTER TABLE imports ADD COLUMN process TEXT;
