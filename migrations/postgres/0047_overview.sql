-- What the overview asks: runs with letters nobody knows the fate of, mailings that were stopped, and whether somebody has
-- sent a test letter. All three are few among many.
CREATE INDEX runs_unknown ON runs (id) WHERE unknown > 0;
CREATE INDEX mailings_stopped ON mailings (id)
    WHERE status <> 'finished' AND (paused_at IS NOT NULL OR disabled_at IS NOT NULL);
ALTER TABLE users ADD COLUMN tested_at TIMESTAMPTZ;
