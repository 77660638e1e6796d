# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Puts classic mistakes into a copy of ``mcp_grpc.auth``, one after the other, and shows that the tests find each.

    python tests/auth_mutants.py

It takes some minutes, and fails if a mistake is not found, or can no longer be made.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PYTHON = Path(__file__).resolve().parent.parent

# A file, what stands there, what stands there by mistake, and the tests of it.
MUTANTS: list[tuple[str, str, str, str]] = [
    (
        "jwt_issuer.py",
        'if not any(_same_audience(a, ours) for a in token.texts("aud") for ours in audiences):',
        "if False:",
        "jwt",
    ),
    ("jwt_issuer.py", "if token.typ not in (self.types or ()):", "if False:", "jwt"),
    ("jwt_issuer.py", "if token.alg not in self.algorithms:", "if False:", "jwks"),
    ("jwt_issuer.py", "if now >= expires + CLOCK_SKEW:", "if False:", "jwt"),
    ("jwt_issuer.py", "if expires - now > self.max_lifetime + CLOCK_SKEW:", "if False:", "jwt"),
    ("jwt_issuer.py", 'if token.has_any("nonce", "at_hash", "c_hash", "events"):', "if False:", "jwt"),
    (
        "jwt_verifier.py",
        "    keys: KeySet | None = await store.keys(token.kid)\n    if keys is not None and keys.verifies(token):",
        "    keys: KeySet | None = await store.keys(token.kid)\n    if keys is not None:",
        "jwt jwks",
    ),
    (
        "jwt_verifier.py",
        '        found = self._issuers.get(parsed.text("iss"))',
        "        found = next(iter(self._issuers.values()))",
        "jwt",
    ),
    (
        "jwt_verifier.py",
        "if not hmac.compare_digest(got, thumbprint.encode()):",
        "if False:",
        "jwt jwks certificate guard",
    ),
    ("jwt_issuer.py", "if begins is not None and begins > now + CLOCK_SKEW:", "if False:", "jwt"),
    ("jwt_issuer.py", "if issued is not None and issued > now + CLOCK_SKEW:", "if False:", "jwt"),
    ("jwt_issuer.py", '            _needed(token, "sub"),', '            token.text("sub"),', "jwt"),
    ("jwt_issuer.py", "if self.clients and client not in self.clients:", "if False:", "jwt"),
    ("jwks_store.py", 'if document.get("issuer") != self._issuer.url:', "if False:", "jwks"),
    ("jwks_store.py", "if url.netloc != urllib.parse.urlsplit(self._issuer.url).netloc:", "if False:", "jwks"),
    ("jwks.py", "        if token.alg not in self.algorithms:", "        if False:", "jwks"),
    (
        "jwks.py",
        "return self._by_id.get(kid, ()) if kid else self._only",
        "return self._by_id.get(kid, ()) or self._only",
        "jwks",
    ),
    ("certificate.py", 'if match is None or any(s in (".", "..")', "if match is None or any(s in ()", "certificate"),
    ("certificate.py", "        if not self._domain or match[1] != self._domain:", "        if False:", "certificate"),
    ("certificate.py", "    if (basic is not None and basic.ca) or", "    if", "certificate"),
    ("api_key.py", "        if entry is None or not same:", "        if not same and entry is None:", "api_key"),
    ("call.py", "    metadata: Metadata = field(repr=False)", "    metadata: Metadata = field()", "client"),
    ("strict_json.py", "if len(members) != len(pairs):", "if False:", "jwt"),
    ("jwt_parse.py", 'if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != segment:', "if False:", "jwt"),
    ("jwt_parse.py", "    refuse_variants(claims)\n    _refuse", "    _refuse", "jwt"),
    ("jwt_parse.py", "        if name in header:\n", "        if False:\n", "jwt"),
    ("jwt_verifier.py", "        if known.bound_to:", "        if False:", "jwt jwks"),
    (
        "jwt_verifier.py",
        "if known is None or not self._issuers[known.principal.issuer][2].is_current(known.keys):",
        "if known is None:",
        "jwt jwks",
    ),
    ("jwks_store.py", "        if self._tokens < 1:\n            return False\n", "", "jwks"),
    ("jwks_store.py", "            elif age >= KEY_REFRESH and self._may_fetch():", "            elif False:", "jwks"),
    ("jwks_store.py", "            if age >= KEY_TTL:", "            if False:", "jwks"),
    ("jwks_store.py", "or now < self._resume", "or False", "jwks"),
    (
        "jwks.py",
        'if not isinstance(item, dict) or item.keys() & _PRIVATE or item.get("use", "sig") != "sig":',
        "if not isinstance(item, dict):",
        "jwks",
    ),
    ("jwks.py", "            return key.key_size >= _MIN_RSA_BITS and", "            return", "jwks"),
    ("fetch.py", "follow_redirects=False", "follow_redirects=True", "jwks client"),
    ("fetch.py", "        if len(text) > _MAX_BYTES:", "        if False:", "jwks client"),
    ("authenticator.py", "    if tokens > 1 or keys > 1:", "    if False:", "bearer"),
    ("authenticator.py", "    if tokens and keys:", "    if False:", "bearer"),
    ("authenticator.py", "if found.end is not None and found.end <= time.time():", "if False:", "bearer"),
    (
        "guard.py",
        'headers += ((HEADER, challenge.header() if self._scheme == "Bearer" else self._scheme),)',
        "pass",
        "guard",
    ),
    (
        "guard.py",
        "return Refusal(code, message, headers, status_details(code, message, challenge.info()))",
        "return Refusal(code, message, (_NO_STORE,), (*headers, *status_details(code, message, challenge.info())))",
        "guard",
    ),
    (
        "guard.py",
        "        if self.policy is not None:\n            try:",
        "        if False:\n            try:",
        "guard",
    ),
    (
        "guard.py",
        "_PUBLIC = frozenset({GET_METADATA,",
        "_PUBLIC = frozenset({GET_METADATA, '/mcp.v1.MCP/Ping',",
        "guard",
    ),
    ("interceptor.py", "if k not in CREDENTIAL_HEADERS)", "if True)", "guard"),
    (
        "interceptor.py",
        "        if method in self._public:",
        "        if method.endswith('AuthDiscovery/GetMetadata') or method in self._public:",
        "guard",
    ),
    ("interceptor.py", "    if when is None and not watches:", "    if True:", "guard"),
    ("interceptor.py", "        show_to_sdk(principal)\n", "", "guard"),
    (
        "certificate.py",
        "    if extended is None or ExtendedKeyUsageOID.CLIENT_AUTH not in extended:",
        "    if False:",
        "certificate",
    ),
    ("certificate.py", "        if len(uris) != 1:", "        if False:", "certificate"),
    (
        "certificate.py",
        "        if not leaf.begins - CLOCK_SKEW <= now <= leaf.ends:",
        "        if False:",
        "certificate",
    ),
    ("api_key.py", "                entry.revocation.revoke()", "                pass", "api_key"),
    ("api_key.py", "        if entry is None or not same:", "        if entry is None:", "api_key"),
    ("static.py", "if found is not None and not self._everywhere and not call.is_local:", "if False:", "bearer"),
    ("unix_peer.py", "        if uid == _OVERFLOW_UID:", "        if False:", "unix"),
    (
        "policy.py",
        "        return None if rule is None else [*rules, rule]",
        "        return rules if rule is None else [*rules, rule]",
        "policy",
    ),
    (
        "policy.py",
        "if template.matches(uri)] if own is None else [own]",
        "if template.matches(uri)][:1] if own is None else [own]",
        "policy",
    ),
    ("access.py", '    shown["cacheScope"] = "private"\n', "", "policy"),
    ("denial.py", "    if principal is not None and not principal.by_token:", "    if False:", "policy"),
    ("channel.py", "    if auth is not None and not (to.secure or to.local or insecure):", "    if False:", "client"),
    (
        "client_credentials.py",
        "                if self._scopes.keys() >= set(challenge.scopes):",
        "                if False:",
        "client",
    ),
    ("call.py", 'if b"ssl" not in properties.get("transport_security_type", ()):', "if False:", "certificate"),
    ("scope.py", 'if s != "offline_access" and is_scope(s)', "if is_scope(s)", "policy guard"),
    (
        "peer_socket.py",
        'tempfile.mkdtemp(prefix="mcp-grpc-")',
        '(lambda d: (os.chmod(d,0o755), d)[1])(tempfile.mkdtemp(prefix="mcp-grpc-"))',
        "unix",
    ),
    ("introspection.py", 'if claims.get("active") is not True:', "if False:", "introspection"),
    (
        "introspection.py",
        'if self._allow_missing_audience and "aud" not in claims:',
        'if "aud" not in claims:',
        "introspection",
    ),
    ("introspection.py", "if self._tokens < 1:", "if False:", "introspection"),
    ("origin.py", "(len(given) == 1 and given[0] in self._origins)", "given[-1] in self._origins", "guard"),
    ("fetch.py", 'proxies = not is_loopback(urllib.parse.urlsplit(url).hostname or "")', "proxies = True", "jwks"),
    ("resource_discovery.py", "    if not _covers(document.resource, url):", "    if False:", "client"),
    ("resource_discovery.py", "    if issuer not in document.authorization_servers:", "    if False:", "client"),
]


def main() -> int:
    """Gives the number of mistakes that nobody noticed."""
    unnoticed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "python"
        shutil.copytree(PYTHON, copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        for file, right, wrong, tests in MUTANTS:
            verdict = judge(copy, copy / "src/mcp_grpc/auth" / file, right, wrong, tests)
            unnoticed += verdict != "found"
            print(f"{verdict}: {file}: {right.strip().splitlines()[0]}", flush=True)  # noqa: T201
    return unnoticed


def judge(copy: Path, path: Path, right: str, wrong: str, tests: str) -> str:
    """Makes one mistake, and says what becomes of it."""
    text = path.read_text()
    if text.count(right) != 1:
        return "CANNOT BE MADE"
    path.write_text(text.replace(right, wrong))
    try:
        files = [f"tests/test_auth_{name}.py" for name in tests.split()]
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files]
        environment = {**os.environ, "PYTHONPATH": str(copy / "src")}
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=600, check=False)
    finally:
        path.write_text(text)
    return {0: "NOT FOUND", 1: "found"}.get(done.returncode, f"BROKEN ({done.returncode})")


if __name__ == "__main__":
    sys.exit(main())
