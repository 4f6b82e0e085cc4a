-- A letter that must not arrive twice may have left only once its final dot was to be written.
ALTER TABLE outgoing ADD COLUMN armed BOOLEAN NOT NULL DEFAULT FALSE;
