-- Addresses are counted by their keys now; nothing asks for this one any more.
DROP INDEX clients_by_address;
