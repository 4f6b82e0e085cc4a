-- Uploads that wait to be started, or are being imported: looked through every hour.
CREATE INDEX imports_stored ON imports (created_at) WHERE state IN ('uploaded', 'running');

-- A page of all deliveries of a run is read in the order of their ids, without sorting the run.
CREATE INDEX deliveries_by_run ON deliveries (run_id, id);

-- A page of mailings in one status.
CREATE INDEX mailings_by_status ON mailings (owner_id, status, id);

-- The file of a run's attempts is read in their order, and reports count attempts by this index alone.
DROP INDEX attempts_by_run;
CREATE INDEX attempts_by_run ON attempts (run_id, at, id, status, code, enhanced);
