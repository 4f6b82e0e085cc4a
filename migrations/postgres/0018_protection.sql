-- Addresses that a mail server said do not exist: their owner's mailings leave them out.
CREATE TABLE suppressions (
    owner_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    email_key TEXT NOT NULL,
    since TIMESTAMPTZ NOT NULL,
    code INTEGER NOT NULL,
    reply TEXT NOT NULL,
    PRIMARY KEY (owner_id, email_key)
);

-- How often the process died with this delivery in hand; 0 as soon as it has outlived one.
ALTER TABLE deliveries ADD COLUMN crashes BIGINT NOT NULL DEFAULT 0;

-- Why the service paused a mailing: a word, and what the mail server said. Empty if its owner did.
ALTER TABLE mailings ADD COLUMN paused_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE mailings ADD COLUMN paused_reply TEXT NOT NULL DEFAULT '';
