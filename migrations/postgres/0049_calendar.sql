-- Runs of a month, whoever's they are.
CREATE INDEX runs_by_occurrence ON runs (occurrence, id);
