DROP TABLE consents;
DROP TABLE subjects;
DROP TABLE client_origins;
DROP TABLE clients;
