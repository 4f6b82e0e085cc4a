-- When a run ends before its mailing does: one for those whom another run missed makes room for the next.
ALTER TABLE runs ADD COLUMN end_at TIMESTAMPTZ;
