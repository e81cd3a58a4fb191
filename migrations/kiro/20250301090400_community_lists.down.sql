DROP VIEW effective_blocks;
DROP TABLE list_subscriptions;
DROP TABLE list_entries;
DROP TABLE community_lists;
