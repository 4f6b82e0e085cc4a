-- The numbers of topics that were deleted: the ledger names them, and whoever has left one has left what is made anew with its name.
CREATE TABLE former_topics (
    owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name_key TEXT NOT NULL,
    topic_id INTEGER NOT NULL,
    PRIMARY KEY (owner_id, name_key)
);
