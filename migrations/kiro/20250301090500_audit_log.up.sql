CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actor_id uuid,
    action text NOT NULL CHECK (action ~ '^[a-z_]+\.[a-z_]+$'),
    subject_id uuid NOT NULL,
    before jsonb,
    after jsonb,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT audit_log_change_check CHECK (before IS NOT NULL OR after IS NOT NULL)
);
COMMENT ON TABLE audit_log IS 'Append-only: who did what to which subject, with the row before and after, and when.';
COMMENT ON COLUMN audit_log.actor_id IS 'The person, or null for the system; no foreign key, for the log outlives accounts.';
COMMENT ON COLUMN audit_log.action IS 'subject.verb, such as block.created.';

CREATE INDEX audit_log_subject_id_idx ON audit_log (subject_id, at);
CREATE INDEX audit_log_actor_id_idx ON audit_log (actor_id, at);

CREATE FUNCTION refuse_audit_log_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'audit_log is append-only: % refused', lower(TG_OP) USING ERRCODE = 'restrict_violation';
END;
$$;

CREATE TRIGGER audit_log_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_log_change();
