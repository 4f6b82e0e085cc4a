-- Who has an address as a client, whoever asks: for readers who want to leave and have no letter at hand.
CREATE INDEX clients_by_key ON clients (address_key);
