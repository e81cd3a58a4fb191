"""The ways in which the reference application is broken, and the checks that have to see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Edit:
    """One text of one file of app/, which is there once, and what takes its place."""

    file: str
    old: str
    new: str

    def apply(self, app: Path) -> None:
        """Edit the file in a copy of app/."""
        path = app / self.file
        text = path.read_text(encoding="utf-8")
        assert text.count(self.old) == 1, f"{self.file} has {self.old!r} {text.count(self.old)} times"
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One way of being broken, and the names of the checks that fail for it: these and no other."""

    name: str
    caught_by: frozenset[str]
    edits: tuple[Edit, ...]


def _mutant(name: str, *caught_by: str, edits: tuple[tuple[str, str, str], ...]) -> Mutant:
    return Mutant(name, frozenset(caught_by), tuple(Edit(*each) for each in edits))


_OWN_BLOCKS = """            WHERE user_id = %(user_id)s
            ORDER BY user_artist_blocks.created_at"""

BACKEND = (
    _mutant(
        "passwords are not hashed",
        "test_password_is_stored_hashed",
        edits=(
            (
                "backend/passwords.py",
                "    from argon2 import PasswordHasher  # not needed to start\n\n    return PasswordHasher(",
                "    from argon2 import PasswordHasher\n\n    return password\n    return PasswordHasher(",
            ),
            (
                "backend/passwords.py",
                "    try:\n        PasswordHasher()",
                "    return password == password_hash\n    try:\n        PasswordHasher()",
            ),
        ),
    ),
    _mutant(
        "any password opens any account",
        "test_wrong_password_is_refused",
        edits=(("backend/routes/accounts.py", "if account is None or not is_right:", "if account is None:"),),
    ),
    _mutant(
        "a weak password is good enough",
        "test_weak_password_is_refused",
        edits=(("backend/routes/accounts.py", "    if unmet:", "    if False:"),),
    ),
    _mutant(
        "an e-mail address is registered twice",
        "test_email_is_registered_once",
        edits=(
            (
                "backend/routes/accounts.py",
                "ON CONFLICT (lower(email)) DO NOTHING",
                "ON CONFLICT (lower(email)) DO UPDATE SET password_hash = EXCLUDED.password_hash",
            ),
        ),
    ),
    _mutant(
        "tokens never expire",
        "test_token_says_when_it_expires",
        edits=(("backend/tokens.py", '"exp": now + self.lifetime', '"exp": now + 100_000 * self.lifetime'),),
    ),
    _mutant(
        "expired tokens are taken",
        "test_expired_token_is_refused",
        edits=(("backend/tokens.py", 'options={"require"', 'options={"verify_exp": False, "require"'),),
    ),
    _mutant(
        "forged tokens are taken",
        "test_forged_token_is_refused",
        edits=(
            (
                "backend/tokens.py",
                'options={"require"',
                'options={"verify_signature": False, "verify_exp": True, "require"',
            ),
        ),
    ),
    _mutant(
        "logging out does nothing",
        "test_token_ends_with_its_session",
        edits=(("backend/sessions.py", "client.delete(_key(session))", "client.ping()"),),
    ),
    _mutant(
        "a block is not in the audit log",
        "test_block_is_in_the_audit_log",
        edits=(
            (
                "backend/routes/blocks.py",
                'audit.record(transaction, session.user_id, "block.created", created.artist_id, after=created)',
                "pass",
            ),
        ),
    ),
    _mutant(
        "taking back is logged without what it was",
        "test_taking_back_is_in_the_audit_log",
        edits=(("backend/routes/blocks.py", "before=deleted)", "after=deleted)"),),
    ),
    _mutant(
        "everybody sees every block",
        "test_block_is_nobody_elses",
        edits=(
            (
                "backend/routes/blocks.py",
                _OWN_BLOCKS,
                _OWN_BLOCKS.replace("WHERE user_id", "WHERE %(user_id)s::uuid IS NOT NULL OR user_id"),
            ),
        ),
    ),
    _mutant(
        "anybody takes back anybody's block",
        "test_block_is_nobody_elses",
        edits=(
            (
                "backend/routes/blocks.py",
                "WHERE user_id = %(user_id)s AND artist_id = %(artist_id)s AND",
                "WHERE %(user_id)s::uuid IS NOT NULL AND artist_id = %(artist_id)s AND",
            ),
        ),
    ),
    _mutant(
        "any origin may call",
        "test_any_other_origin_is_not",
        edits=(("backend/application.py", "allow_origins=settings.cors_allowed_origins", 'allow_origin_regex=".*"'),),
    ),
    _mutant(
        "one configured origin is forgotten",
        "test_configured_origin_is_allowed",
        edits=(
            (
                "backend/application.py",
                "allow_origins=settings.cors_allowed_origins",
                "allow_origins=settings.cors_allowed_origins[:2]",
            ),
        ),
    ),
    _mutant(
        "an operation forgets to ask for the token",
        "test_operation_refuses_who_is_not_logged_in",
        "test_every_documented_operation_is_checked",
        edits=(("backend/routes/artists.py", "def list_artists(\n    _: CurrentSession,\n", "def list_artists(\n"),),
    ),
    _mutant(
        "invalid input is answered with another status",
        "test_operation_refuses_invalid_input",
        edits=(("backend/problems.py", "return _answer(422, Problem", "return _answer(400, Problem"),),
    ),
    _mutant(
        "an operation answers what its document does not know",
        "test_operation_answers_as_documented",
        edits=(
            ("backend/routes/community_lists.py", '(404, "There is no such list."', '(410, "There is no such list."'),
        ),
    ),
    _mutant(
        "the same inputs are another job when their order is another",
        "test_same_inputs_give_one_job",
        edits=(("backend/routes/jobs.py", "json.dumps(inputs, sort_keys=True,", "json.dumps(inputs,"),),
    ),
    _mutant(
        "every tenant sees every job",
        "test_tenant_sees_its_own_jobs_alone",
        edits=(("backend/database.py", "role=_TENANT_ROLE,", 'role="service_role",'),),
    ),
    _mutant(
        "tokens of music services are stored as they are",
        "test_tokens_of_services_are_stored_encrypted",
        edits=(
            (
                "backend/cipher.py",
                "        nonce = os.urandom(NONCE_BYTES)\n",
                "        return text.encode()\n        nonce = os.urandom(NONCE_BYTES)\n",
            ),
        ),
    ),
)

PAGE = (
    _mutant(
        "an icon is oversized",
        "test_rule_icons_are_small",
        edits=(
            (
                "frontend/style.css",
                "  flex: none;\n  width: 20px;\n  height: 20px;",
                "  flex: none;\n  width: 48px;\n  height: 48px;",
            ),
        ),
    ),
    _mutant(
        "the form is wider than a small phone",
        "test_nothing_overflows_a_narrow_screen",
        edits=(("frontend/style.css", "form {\n  display: grid;", "form {\n  display: grid;\n  min-width: 400px;"),),
    ),
    _mutant(
        "the page complains in the console",
        "test_console_stays_quiet",
        edits=(("frontend/app.js", "    if (answer.ok) {", '    console.error("registered");\n    if (answer.ok) {'),),
    ),
    _mutant(
        "nobody is welcomed",
        "test_form_registers",
        edits=(("frontend/app.js", "`Welcome, ${answer.display_name}. Your account is ready.`", '""'),),
    ),
    _mutant(
        "rules are not ticked",
        "test_rules_are_ticked_while_typing",
        edits=(("frontend/app.js", 'password.addEventListener("input", showRules);', ""),),
    ),
    _mutant(
        "a weak password is sent",
        "test_weak_password_is_not_sent",
        edits=(("frontend/app.js", "if (unmet.length > 0) {", "if (unmet.length > 9) {"),),
    ),
)
