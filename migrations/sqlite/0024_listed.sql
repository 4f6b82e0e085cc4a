-- A delivery's state where it stands in the index by state. Those that wait in order and those that were sent, which are
-- nearly all, do not.
ALTER TABLE deliveries ADD COLUMN listed TEXT
    GENERATED ALWAYS AS (CASE WHEN loose OR state NOT IN ('pending', 'sent') THEN state END) VIRTUAL;
DROP INDEX deliveries_by_state;
CREATE INDEX deliveries_listed ON deliveries (run_id, listed, client_id) WHERE listed IS NOT NULL;
