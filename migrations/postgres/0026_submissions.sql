-- Forms that made something, for a day: one that is sent twice makes one thing. `form` is a hash of its key and content.
-- No reference to users: it would hold their row while others of the same user wait to change it.
CREATE TABLE submissions (
    owner_id BIGINT NOT NULL,
    form TEXT NOT NULL,
    -- 0 until the transaction that takes the form has made it.
    made_id BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (owner_id, form)
);
CREATE INDEX submissions_by_creation ON submissions (created_at);
