-- A new password, role or block begins a new epoch of an account: what was begun before, and is kept with the epoch it
-- was begun in, is good for nothing any more.
ALTER TABLE users ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;

-- Links that take a change of address back.
ALTER TABLE tokens DROP CONSTRAINT tokens_kind_check;
ALTER TABLE tokens ADD CONSTRAINT tokens_kind_check CHECK (kind IN ('setup', 'confirm', 'reset', 'email', 'revoke'));

-- Whose rights an invitation stands for: it goes with them. The log knows it of those that are open.
ALTER TABLE invitations ADD COLUMN inviter_id BIGINT REFERENCES users (id) ON DELETE CASCADE;
UPDATE invitations SET inviter_id = (SELECT a.actor_id FROM audit a JOIN users u ON u.id = a.actor_id
    WHERE a.act = 'invitation_sent' AND a.target = invitations.email ORDER BY a.id DESC LIMIT 1)
    WHERE used_at IS NULL;
DELETE FROM invitations WHERE used_at IS NULL AND inviter_id IS NULL;
CREATE INDEX invitations_by_inviter ON invitations (inviter_id);
