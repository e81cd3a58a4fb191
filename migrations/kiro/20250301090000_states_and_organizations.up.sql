CREATE TABLE states (
    code char(2) PRIMARY KEY CHECK (code ~ '^[A-Z]{2}$'),
    name text NOT NULL UNIQUE
);
COMMENT ON TABLE states IS 'US states and the District of Columbia, by postal code.';

CREATE TABLE organizations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 120),
    state_code char(2) REFERENCES states (code),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE organizations IS 'Schools, studios and families that share blocklists.';

CREATE INDEX organizations_state_code_idx ON organizations (state_code);
