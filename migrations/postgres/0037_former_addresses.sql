-- By what the address of a former delivery is found; those beyond ASCII get theirs from the program.
ALTER TABLE former_deliveries ADD COLUMN address_key TEXT NOT NULL DEFAULT '';
UPDATE former_deliveries SET address_key = LOWER(email) WHERE email ~ '^[ -~]*$';
CREATE INDEX former_deliveries_by_address ON former_deliveries (address_key);
