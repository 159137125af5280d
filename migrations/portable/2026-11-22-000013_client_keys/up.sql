-- What no second FAPI client may be registered with: the thumbprints of its keys, or the address of its set. The row of a
-- client from before comes with its next registration.
CREATE TABLE client_keys (
    mark      TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (id)
);
CREATE INDEX client_keys_by_client ON client_keys (client_id);
