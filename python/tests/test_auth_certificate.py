# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Client certificates, over real TLS and as gRPC shows them."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from auth_certs import CA, SERVER, Issued
from auth_server import call, serving

from mcp_grpc.auth import (
    Call,
    Certificates,
    ClientTLS,
    Grant,
    Guard,
    InvalidCredentialError,
    Principal,
    channel,
    server_credentials,
)

AGENT = "spiffe://example.org/agent"
HOST = "agent.example.org"
GRANTS = {AGENT: Grant(scopes=("read",)), HOST: Grant(), "*.example.org": Grant()}
CLIENTS, OTHERS = CA("clients"), CA("others")
SPIFFE, DNS = {"trust_domain": "example.org"}, {"dns_names": True}


def over(pem: bytes) -> Call:
    return Call("/x", (), "ipv4:127.0.0.1:1", {"transport_security_type": [b"ssl"], "x509_pem_cert": [pem]})


@pytest.mark.parametrize(
    ("config", "certificate", "subject"),
    [
        pytest.param(SPIFFE, {"uris": [AGENT]}, AGENT, id="a SPIFFE ID"),
        pytest.param(SPIFFE, {"uris": [AGENT], "dns": [HOST]}, AGENT, id="a SPIFFE ID and a host"),
        pytest.param(DNS, {"dns": [HOST]}, HOST, id="a DNS name"),
        pytest.param(DNS, {"dns": ["AGENT.Example.org"]}, HOST, id="a DNS name in capitals"),
        pytest.param(SPIFFE, {"uris": ["spiffe://other.example/agent"]}, "", id="another trust domain"),
        pytest.param(SPIFFE, {"uris": ["spiffe://example.org.evil/agent"]}, "", id="one that begins alike"),
        pytest.param(SPIFFE, {"uris": ["spiffe://example.org/stranger"]}, "", id="a stranger of the domain"),
        pytest.param(SPIFFE, {"uris": ["spiffe://example.org/AGENT"]}, "", id="a name in another case"),
        pytest.param(SPIFFE, {"uris": [AGENT, "spiffe://example.org/other"]}, "", id="two SPIFFE IDs"),
        pytest.param(SPIFFE, {"uris": ["https://example.org/agent"]}, "", id="a URI that is no SPIFFE ID"),
        pytest.param(SPIFFE, {"uris": ["spiffe://example.org/x/../agent"]}, "", id="dots in the path"),
        pytest.param(SPIFFE, {"uris": ["spiffe://example.org:443/agent"]}, "", id="a port"),
        pytest.param(SPIFFE, {"uris": ["spiffe://u@example.org/agent"]}, "", id="a user"),
        pytest.param(SPIFFE, {"uris": [AGENT + "?x"]}, "", id="a query"),
        pytest.param(SPIFFE, {"uris": [AGENT + "/"]}, "", id="a slash at the end"),
        pytest.param(DNS, {"uris": [AGENT], "dns": [HOST]}, "", id="a SPIFFE ID where names are hosts"),
        pytest.param(SPIFFE, {"dns": [HOST]}, "", id="a host where names are SPIFFE IDs"),
        pytest.param(SPIFFE, {"uris": [AGENT], "lifetime": -60}, "", id="expired"),
        pytest.param(SPIFFE, {"uris": [AGENT], "purposes": [SERVER]}, "", id="for servers"),
        pytest.param(SPIFFE, {"uris": [AGENT], "purposes": []}, "", id="for nothing in particular"),
        pytest.param(SPIFFE, {"uris": [AGENT], "ca": True}, "", id="of a CA"),
        pytest.param(SPIFFE, {"uris": [AGENT], "ca": True, "signs": False}, "", id="of a CA that may not sign"),
        pytest.param(SPIFFE, {"uris": [AGENT], "signs": True}, "", id="of who may sign and is no CA"),
        pytest.param(DNS, {"common_name": HOST}, "", id="a common name only"),
        pytest.param(DNS, {"dns": [HOST, "other.example.org"]}, "", id="two DNS names"),
        pytest.param(DNS, {"dns": [HOST], "ips": ["127.0.0.1"]}, "", id="a DNS name and an address"),
        pytest.param(DNS, {"dns": ["*.example.org"]}, "", id="a wildcard"),
    ],
)
async def test_names(config: dict[str, Any], certificate: dict[str, Any], subject: str) -> None:
    authenticator = Certificates(GRANTS, **config)
    issued = CLIENTS.issue(**certificate)
    for _ in range(2):  # from the cache, too
        found: Principal | None = None
        if subject:
            found = await authenticator.authenticate(over(issued.pem))
            assert found is not None
            assert (found.subject, found.method) == (subject, "certificate")
            assert found.expires is not None
        else:
            with pytest.raises(InvalidCredentialError):
                await authenticator.authenticate(over(issued.pem))


@pytest.mark.parametrize("path", ["/x/../agent", "/./agent", "/..", "//agent", "/agent/", "/a%2Fb", ":443/agent"])
async def test_odd_ids_are_nobodys_though_all_are_let_in(path: str) -> None:
    everybody = Certificates(Grant, trust_domain="example.org")
    with pytest.raises(InvalidCredentialError, match="no SPIFFE ID"):
        await everybody.authenticate(over(CLIENTS.issue(uris=["spiffe://example.org" + path]).pem))


async def test_what_is_no_certificate() -> None:
    authenticator = Certificates(GRANTS, trust_domain="example.org")
    with pytest.raises(InvalidCredentialError):
        await authenticator.authenticate(over(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
    assert await authenticator.authenticate(Call("/x", (), "ipv4:127.0.0.1:1", {})) is None
    # Only what TLS has checked counts.
    pem = CLIENTS.issue(uris=[AGENT]).pem
    unchecked = Call("/x", (), "", {"transport_security_type": [b"insecure"], "x509_pem_cert": [pem]})
    assert await authenticator.authenticate(unchecked) is None


@pytest.mark.parametrize(
    ("client", "subject"),
    [
        pytest.param(CLIENTS.issue(uris=[AGENT]), AGENT, id="ours"),
        pytest.param(OTHERS.issue(uris=[AGENT]), "", id="another CA"),
        pytest.param(CLIENTS.issue(uris=[AGENT], lifetime=-60), "", id="expired"),
        pytest.param(CLIENTS.issue(uris=["spiffe://example.org/stranger"]), "", id="a stranger"),
        pytest.param(None, "", id="none"),
    ],
)
async def test_over_tls(client: Issued | None, subject: str) -> None:
    own = CLIENTS.server()
    credentials = server_credentials(own.pem, own.key, client_ca=CLIENTS.pem)
    guard = Guard([Certificates(GRANTS, trust_domain="example.org")])
    tls = ClientTLS(CLIENTS.pem) if client is None else ClientTLS(CLIENTS.pem, client.pem, client.key)
    async with serving(guard, credentials=credentials) as served, channel(served.address, tls=tls) as c:
        got = await call(c)
        if subject:
            assert got.body.decode() == f"hi certificate|{subject} by certificate"
            return
        assert served.seen == []
        # Refused by TLS, or by name: without challenge, for TLS asks for certificates and not a header.
        assert got.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED)
        assert got.challenges == ()


async def test_a_server_of_another_ca_gets_nothing() -> None:
    own = OTHERS.server()
    async with (
        serving(None, credentials=server_credentials(own.pem, own.key)) as served,
        channel(served.address, tls=ClientTLS(CLIENTS.pem)) as c,
    ):
        assert (await call(c)).code is grpc.StatusCode.UNAVAILABLE
        assert served.seen == []


@pytest.mark.parametrize(
    ("config", "want"),
    [({}, "no kind"), ({"trust_domain": "Example.org"}, "Example.org"), ({"trust_domain": "a/b"}, "a/b")],
)
def test_mistakes(config: dict[str, Any], want: str) -> None:
    with pytest.raises(ValueError, match=want):
        Certificates({}, **config)
