DROP TABLE action_batches;
DROP TYPE batch_status;
DROP TABLE connections;
DROP TYPE music_service;
