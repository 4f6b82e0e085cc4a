-- Log-ins and the like are noted too, so that lines come by the million. A line is stored with its act and
-- tied into the chain a moment later, so that nobody stands in line for the one before. What it says of a
-- person can be taken out when their account goes, while the chain holds: it is made of digests.

DROP TRIGGER audit_is_not_changed ON audit;
ALTER TABLE audit DROP COLUMN previous;
-- A salt is empty when its texts have been taken out: who (actor, address) goes with the actor's account,
-- what (target, reason, before, after) with the target's.
ALTER TABLE audit RENAME COLUMN hash TO actor_salt;
ALTER TABLE audit ADD COLUMN target_salt TEXT NOT NULL DEFAULT '';
UPDATE audit SET target_salt = actor_salt;
ALTER TABLE audit ALTER COLUMN target_salt DROP DEFAULT;
CREATE INDEX audit_by_actor ON audit (actor_id, id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_by_target ON audit (target_id, id) WHERE target_id IS NOT NULL;

CREATE FUNCTION audit_is_only_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id = OLD.id AND NEW.at = OLD.at AND NEW.actor_id IS NOT DISTINCT FROM OLD.actor_id
        AND NEW.act = OLD.act AND NEW.target_id IS NOT DISTINCT FROM OLD.target_id
        AND (NEW.actor || NEW.address || NEW.actor_salt = ''
            OR (NEW.actor = OLD.actor AND NEW.address = OLD.address AND NEW.actor_salt = OLD.actor_salt))
        AND (NEW.target || NEW.reason || NEW.before || NEW.after || NEW.target_salt = ''
            OR (NEW.target = OLD.target AND NEW.reason = OLD.reason AND NEW.before = OLD.before
                AND NEW.after = OLD.after AND NEW.target_salt = OLD.target_salt))
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only';
END
$$;
CREATE TRIGGER audit_is_only_erased BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_only_erased();
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();

-- Each link holds the hash of the one before it and of the line's digests, so that a line that is changed
-- or taken out shows.
CREATE TABLE audit_chain (
    -- From 1, without gaps.
    seq BIGINT PRIMARY KEY,
    line_id BIGINT NOT NULL UNIQUE,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE TRIGGER audit_chain_is_not_changed BEFORE UPDATE OR DELETE ON audit_chain
FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_chain_is_not_emptied BEFORE TRUNCATE ON audit_chain
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

-- Lines that are not in the chain yet.
CREATE TABLE audit_waiting (line_id BIGINT PRIMARY KEY);
INSERT INTO audit_waiting SELECT id FROM audit;
