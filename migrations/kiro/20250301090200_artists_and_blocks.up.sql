CREATE TABLE artists (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    external_ids jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(external_ids) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE artists IS 'Artists that can be blocked; two may share a name.';
COMMENT ON COLUMN artists.external_ids IS 'The id of the artist at each music service, by the name of the service.';

CREATE INDEX artists_name_idx ON artists (lower(name) text_pattern_ops);
COMMENT ON INDEX artists_name_idx IS 'Search by the beginning of a name.';
CREATE INDEX artists_external_ids_idx ON artists USING gin (external_ids jsonb_path_ops);
COMMENT ON INDEX artists_external_ids_idx IS 'Find an artist by the id that a music service gives.';
CREATE UNIQUE INDEX artists_spotify_id_key ON artists ((external_ids ->> 'spotify'));
CREATE UNIQUE INDEX artists_apple_music_id_key ON artists ((external_ids ->> 'apple_music'));
CREATE UNIQUE INDEX artists_youtube_music_id_key ON artists ((external_ids ->> 'youtube_music'));

CREATE TABLE user_artist_blocks (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    artist_id uuid NOT NULL REFERENCES artists (id) ON DELETE CASCADE,
    reason text CHECK (length(reason) <= 500),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, artist_id)
);
COMMENT ON TABLE user_artist_blocks IS 'Do not play: the artists that a person has blocked.';

CREATE INDEX user_artist_blocks_artist_id_idx ON user_artist_blocks (artist_id);
