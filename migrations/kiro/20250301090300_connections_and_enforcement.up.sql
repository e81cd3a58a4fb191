CREATE TYPE music_service AS ENUM ('spotify', 'apple_music', 'youtube_music');

CREATE TABLE connections (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider music_service NOT NULL,
    access_token bytea NOT NULL,
    refresh_token bytea,
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT connections_user_provider_key UNIQUE (user_id, provider)
);
COMMENT ON TABLE connections IS 'A person''s account at a music service; one per service.';
COMMENT ON COLUMN connections.access_token IS 'AES-GCM: a 12-byte nonce, then the ciphertext and its tag.';
COMMENT ON COLUMN connections.refresh_token IS 'Encrypted as access_token is.';

CREATE TYPE batch_status AS ENUM ('queued', 'running', 'succeeded', 'failed');

CREATE TABLE action_batches (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    connection_id uuid NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    status batch_status NOT NULL DEFAULT 'queued',
    total_count integer NOT NULL CHECK (total_count >= 0),
    done_count integer NOT NULL DEFAULT 0 CHECK (done_count >= 0),
    failed_count integer NOT NULL DEFAULT 0 CHECK (failed_count >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    CONSTRAINT action_batches_counts_check CHECK (done_count + failed_count <= total_count),
    CONSTRAINT action_batches_ended_check CHECK ((ended_at IS NOT NULL) = (status IN ('succeeded', 'failed')))
);
COMMENT ON TABLE action_batches IS 'One enforcement of a blocklist at a music service, and how far it came.';

CREATE INDEX action_batches_connection_id_idx ON action_batches (connection_id);
CREATE INDEX action_batches_open_idx ON action_batches (created_at) WHERE status IN ('queued', 'running');
COMMENT ON INDEX action_batches_open_idx IS 'The batches that still have work, oldest first.';
