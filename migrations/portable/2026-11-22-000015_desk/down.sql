DROP TABLE officer_acts;
DROP TABLE authority_requests;
