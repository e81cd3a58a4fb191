CREATE TABLE community_lists (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 500),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE community_lists IS 'Blocklists that a person keeps and others subscribe to.';

CREATE UNIQUE INDEX community_lists_owner_name_key ON community_lists (owner_id, lower(name));
CREATE INDEX community_lists_created_at_idx ON community_lists (created_at DESC, id);

CREATE TABLE list_entries (
    list_id uuid NOT NULL REFERENCES community_lists (id) ON DELETE CASCADE,
    artist_id uuid NOT NULL REFERENCES artists (id) ON DELETE CASCADE,
    reason text CHECK (length(reason) <= 500),
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (list_id, artist_id)
);
COMMENT ON TABLE list_entries IS 'The artists on each community list.';

CREATE INDEX list_entries_artist_id_idx ON list_entries (artist_id);

CREATE TABLE list_subscriptions (
    list_id uuid NOT NULL REFERENCES community_lists (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    subscribed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (list_id, user_id)
);
COMMENT ON TABLE list_subscriptions IS 'Who follows which community list.';

CREATE INDEX list_subscriptions_user_id_idx ON list_subscriptions (user_id);

CREATE VIEW effective_blocks AS
SELECT user_id, artist_id, NULL::uuid AS list_id, reason
FROM user_artist_blocks
UNION ALL
SELECT list_subscriptions.user_id, list_entries.artist_id, list_entries.list_id, list_entries.reason
FROM list_subscriptions
JOIN list_entries USING (list_id);
COMMENT ON VIEW effective_blocks IS 'What is not played to each person: their own blocks (no list_id), and those of their lists.';
