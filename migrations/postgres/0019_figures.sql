-- What the home page counts: addresses over all owners, and mailings that are running.
CREATE INDEX clients_by_address ON clients (email_key);
CREATE INDEX mailings_active ON mailings (id) WHERE status = 'running' AND paused_at IS NULL AND disabled_at IS NULL;
