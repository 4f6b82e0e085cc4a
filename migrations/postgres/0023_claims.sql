-- What an engine takes of a run in order is one row here, however many deliveries it is: they are not written
-- before their outcome is.

CREATE TABLE claims (
    lease TEXT PRIMARY KEY,
    run_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    -- The clients whose deliveries were taken in order; none where only such were taken as had come back.
    first BIGINT,
    last BIGINT,
    until TIMESTAMPTZ NOT NULL
);
CREATE INDEX claims_by_run ON claims (run_id);

-- Up to which client the deliveries of a run have been taken in order.
CREATE TABLE queues (
    run_id BIGINT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    taken_to BIGINT NOT NULL
);

-- It came back, deferred or put back, and waits for its own time: pending ones that do not are taken in order.
ALTER TABLE deliveries ADD COLUMN loose BOOLEAN NOT NULL DEFAULT FALSE;

-- Whatever an earlier version left: all taken, and all that waits has come back.
INSERT INTO queues (run_id, taken_to) SELECT id, 9223372036854775807 FROM runs WHERE state = 'open';
UPDATE deliveries SET loose = TRUE
    WHERE state IN ('pending', 'deferred') AND run_id IN (SELECT id FROM runs WHERE state = 'open');
INSERT INTO claims (lease, run_id, until)
    SELECT lease, run_id, MAX(lease_until) FROM deliveries WHERE state IN ('claimed', 'armed') GROUP BY lease, run_id;

DROP INDEX deliveries_due;
DROP INDEX deliveries_leased;
DROP INDEX deliveries_by_state;
DROP INDEX deliveries_by_run;
ALTER TABLE deliveries DROP COLUMN lease_until;
CREATE INDEX deliveries_loose ON deliveries (run_id, due_at, id) WHERE loose;
CREATE INDEX deliveries_held ON deliveries (lease) WHERE lease IS NOT NULL;
-- Without those that wait in order, which are by far the most while a run begins.
CREATE INDEX deliveries_by_state ON deliveries (run_id, state, client_id) WHERE state <> 'pending' OR loose;

-- An attempt is only ever written with its delivery's outcome, in one transaction; to look the delivery up once more
-- for each took as long as the attempt itself. What is deleted still takes its attempts along.
ALTER TABLE attempts DROP CONSTRAINT attempts_delivery_id_fkey;
CREATE FUNCTION delete_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM attempts WHERE delivery_id IN (SELECT id FROM gone);
    RETURN NULL;
END
$$;
CREATE TRIGGER attempts_go_too AFTER DELETE ON deliveries REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION delete_attempts();
