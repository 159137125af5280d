-- Resource identifiers hold no space, so one text holds a list of them.
ALTER TABLE grants ADD COLUMN resources TEXT;
ALTER TABLE access_tokens ADD COLUMN audience TEXT;

-- Which client answers for a resource: one for each.
CREATE TABLE client_resources (
    resource  TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (id)
);
