DROP TABLE user_artist_blocks;
DROP TABLE artists;
