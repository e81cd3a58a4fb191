CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email text NOT NULL CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND length(email) <= 254),
    password_hash text NOT NULL,
    display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 80),
    organization_id uuid REFERENCES organizations (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE users IS 'People with an account.';
COMMENT ON COLUMN users.password_hash IS 'Argon2id in the PHC string format: $argon2id$v=19$m=19456,t=2,p=1$salt$hash.';

CREATE UNIQUE INDEX users_email_key ON users (lower(email));
COMMENT ON INDEX users_email_key IS 'One account per e-mail address, however it is capitalised.';
CREATE INDEX users_organization_id_idx ON users (organization_id);

CREATE TABLE roles (
    id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    description text NOT NULL DEFAULT ''
);
COMMENT ON TABLE roles IS 'What a person may be: admin, moderator, member.';

CREATE TABLE permissions (
    id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z_]+:[a-z_]+$'),
    description text NOT NULL DEFAULT ''
);
COMMENT ON TABLE permissions IS 'What a role may do, as subject:verb.';

CREATE TABLE role_permissions (
    role_id smallint NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    permission_id smallint NOT NULL REFERENCES permissions (id) ON DELETE CASCADE,
    PRIMARY KEY (role_id, permission_id)
);
COMMENT ON TABLE role_permissions IS 'The permissions of each role.';

CREATE INDEX role_permissions_permission_id_idx ON role_permissions (permission_id);

CREATE TABLE user_roles (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role_id smallint NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    granted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, role_id)
);
COMMENT ON TABLE user_roles IS 'The roles of each person.';

CREATE INDEX user_roles_role_id_idx ON user_roles (role_id);

CREATE VIEW user_permissions AS
SELECT DISTINCT user_roles.user_id, permissions.name AS permission
FROM user_roles
JOIN role_permissions USING (role_id)
JOIN permissions ON permissions.id = role_permissions.permission_id;
COMMENT ON VIEW user_permissions IS 'What each person may do, through any of their roles.';
