DROP TABLE consents;
DROP TABLE subjects;
DROP TABLE clients;
