DROP TABLE upstream_sessions;
DROP TABLE upstream_proofs;
DROP TABLE upstream_trips;
DROP TABLE upstream_links;
