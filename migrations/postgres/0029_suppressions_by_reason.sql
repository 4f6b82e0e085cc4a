-- The ledger by reason, the newest first.
CREATE INDEX suppressions_by_reason ON suppressions (owner_id, reason, id);
