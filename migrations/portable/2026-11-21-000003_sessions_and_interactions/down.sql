DROP TABLE otps;
DROP TABLE interactions;
DROP TABLE session_clients;
DROP TABLE sessions;
