-- name: permissions
-- version: 1
-- description: What a role may do, as subject:verb

INSERT INTO permissions (name, description) VALUES
    ('artists:edit', 'Add artists and correct their ids at music services'),
    ('blocks:edit', 'Keep a do-not-play list of their own'),
    ('lists:edit', 'Keep community lists of their own'),
    ('lists:moderate', 'Correct and remove anybody''s community lists'),
    ('users:read', 'See who has an account'),
    ('users:manage', 'Give and take roles, close accounts')
ON CONFLICT (name) DO UPDATE SET description = excluded.description;
