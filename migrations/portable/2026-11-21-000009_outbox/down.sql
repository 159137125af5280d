DROP TABLE sign_outs;
DROP TABLE outbox;
