-- Log-ins and the like are noted too, so that lines come by the million. A line is stored with its act and
-- tied into the chain a moment later, so that nobody stands in line for the one before. What it says of a
-- person can be taken out when their account goes, while the chain holds: it is made of digests.

DROP TRIGGER audit_is_not_changed;
DROP TRIGGER audit_is_not_deleted;
CREATE TABLE audit_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    actor_id INTEGER,
    act TEXT NOT NULL,
    target_id INTEGER,
    -- Who: goes with the actor's account. A salt is empty when its texts have been taken out.
    actor TEXT NOT NULL,
    address TEXT NOT NULL,
    actor_salt TEXT NOT NULL,
    -- What: goes with the target's.
    target TEXT NOT NULL,
    reason TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    target_salt TEXT NOT NULL,
    search TEXT NOT NULL
);
INSERT INTO audit_new SELECT id, at, actor_id, act, target_id, actor, address, hash, target, reason, before, after,
    hash, search FROM audit;
DROP TABLE audit;
ALTER TABLE audit_new RENAME TO audit;
CREATE INDEX audit_by_act ON audit (act, id);
CREATE INDEX audit_by_actor ON audit (actor_id, id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_by_target ON audit (target_id, id) WHERE target_id IS NOT NULL;

CREATE TRIGGER audit_is_only_erased BEFORE UPDATE ON audit WHEN NOT (
    NEW.id = OLD.id AND NEW.at = OLD.at AND NEW.actor_id IS OLD.actor_id AND NEW.act = OLD.act
    AND NEW.target_id IS OLD.target_id
    AND (NEW.actor || NEW.address || NEW.actor_salt = ''
        OR (NEW.actor = OLD.actor AND NEW.address = OLD.address AND NEW.actor_salt = OLD.actor_salt))
    AND (NEW.target || NEW.reason || NEW.before || NEW.after || NEW.target_salt = ''
        OR (NEW.target = OLD.target AND NEW.reason = OLD.reason AND NEW.before = OLD.before
            AND NEW.after = OLD.after AND NEW.target_salt = OLD.target_salt)))
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- Each link holds the hash of the one before it and of the line's digests, so that a line that is changed
-- or taken out shows.
CREATE TABLE audit_chain (
    -- From 1, without gaps.
    seq INTEGER PRIMARY KEY,
    line_id INTEGER NOT NULL UNIQUE,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE TRIGGER audit_chain_is_not_changed BEFORE UPDATE ON audit_chain
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_chain_is_not_deleted BEFORE DELETE ON audit_chain
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- Lines that are not in the chain yet.
CREATE TABLE audit_waiting (line_id INTEGER PRIMARY KEY);
INSERT INTO audit_waiting SELECT id FROM audit;
