-- What people are told by letter without asking, each once: what is claimed here is told. What was before this version is told
-- already.

-- The kinds of such letters that a user does not want, with spaces between them.
ALTER TABLE users ADD COLUMN quiet TEXT NOT NULL DEFAULT '';

-- Those under way are still to be told; no other row is written, for each holds its message.
ALTER TABLE runs ADD COLUMN told BOOLEAN NOT NULL DEFAULT TRUE;
UPDATE runs SET told = FALSE WHERE state = 'open';
CREATE INDEX runs_untold ON runs (id) WHERE state = 'done' AND NOT told;

ALTER TABLE mailings ADD COLUMN pause_told BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE mailings SET pause_told = TRUE WHERE paused_reason <> '';
CREATE INDEX mailings_untold ON mailings (id) WHERE paused_reason <> '' AND NOT pause_told;

ALTER TABLE letter_days ADD COLUMN told BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE relay_pauses ADD COLUMN told BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE relay_pauses SET told = TRUE;

-- It must not arrive twice: one whose fate is not known is given up instead of sent again.
ALTER TABLE outgoing ADD COLUMN once BOOLEAN NOT NULL DEFAULT FALSE;
