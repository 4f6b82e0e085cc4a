-- An owner has an address once, in whatever spelling. Of those that were stored twice one keeps 0; the others are marked
-- with their own id until they are joined. Clients without a key get it, and their mark, from the program at its start.
ALTER TABLE clients ADD COLUMN double_id BIGINT NOT NULL DEFAULT 0;
UPDATE clients SET double_id = id WHERE address_key = '' OR EXISTS (SELECT 1 FROM clients o
    WHERE o.owner_id = clients.owner_id AND o.address_key = clients.address_key AND o.id < clients.id);
DROP INDEX clients_by_address_key;
CREATE UNIQUE INDEX clients_by_address_key ON clients (owner_id, address_key, double_id);
CREATE INDEX clients_doubles ON clients (owner_id, double_id) WHERE double_id > 0;
