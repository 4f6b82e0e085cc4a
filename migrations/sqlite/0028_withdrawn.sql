-- Deliveries that an engine had in hand when their address was left out: they may not be armed any more.
CREATE TABLE withdrawn (
    lease TEXT NOT NULL REFERENCES claims (lease) ON DELETE CASCADE,
    delivery_id INTEGER NOT NULL,
    PRIMARY KEY (lease, delivery_id)
);
