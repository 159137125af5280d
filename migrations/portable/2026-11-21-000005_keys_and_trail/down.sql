DROP TABLE messages;
DROP TABLE trail;
DROP TABLE meta;
DROP TABLE signing_keys;
