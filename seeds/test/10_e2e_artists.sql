-- name: e2e_artists
-- version: 1
-- description: Artists that only the end-to-end checks block

INSERT INTO artists (name, external_ids)
SELECT 'E2E Artist ' || number, jsonb_build_object('spotify', 'e2e-artist-' || number)
FROM generate_series(1, 3) AS number
WHERE NOT EXISTS (SELECT FROM artists WHERE external_ids ->> 'spotify' = 'e2e-artist-' || number);
