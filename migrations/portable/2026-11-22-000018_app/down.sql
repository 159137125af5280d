DROP TABLE app_tickets;
DROP TABLE app_bindings;
DROP TABLE app_devices;
ALTER TABLE accounts DROP COLUMN app_device;
