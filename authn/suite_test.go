// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/net/http2"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/authntest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// canary is part of each credential that the suite makes up, and must be nowhere else.
const canary = "CANARY"

// inside is what operators may read in the log, and callers may not.
const inside = "INSIDE"

// What callers are told, byte for byte.
const (
	challengeAbsent    = `Bearer resource_metadata="` + wellKnown + `"`
	challengeInvalid   = `Bearer error="invalid_token", resource_metadata="` + wellKnown + `"`
	challengeMalformed = `Bearer error="invalid_request", resource_metadata="` + wellKnown + `"`
)

// A verdict is what becomes of a request.
type verdict struct {
	code      connect.Code
	status    int // of a unary Connect call; others have 200 if the RPC answers at all
	challenge string
	text      string // of the error
	plain     bool   // HTTP refuses it, on all protocols alike
}

var (
	absent      = verdict{connect.CodeUnauthenticated, 401, challengeAbsent, "credentials are missing", false}
	invalid     = verdict{connect.CodeUnauthenticated, 401, challengeInvalid, "credentials are not valid", false}
	malformed   = verdict{connect.CodeInvalidArgument, 400, challengeMalformed, "credentials are malformed, given twice, or in the wrong place", false}
	unavailable = verdict{connect.CodeUnavailable, 503, "", "authentication is unavailable: try again later", false}
	forbidden   = verdict{connect.CodePermissionDenied, 403, "", "", true}
)

// A lab is a server that accepts every kind of credential, and everything that can be seen
// of it from outside.
type lab struct {
	*site

	as, other *authntest.Issuer // other is one that the server does not know
	ca        *authntest.CA
	key       string
	keys      *authn.APIKeys
	record    authn.APIKey
	reached   atomic.Int64
	log       lockedBuffer
	spans     *tracetest.SpanRecorder
	metrics   *sdkmetric.ManualReader
	outgoing  atomic.Int64 // requests that left, but those to issuers that are configured
}

// A lockedBuffer takes a log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{
		as:    authntest.New("https://as.example", resource, authntest.NewKey("k1", "EdDSA")),
		other: authntest.New("https://as.example", resource, authntest.NewKey("k1", "EdDSA")),
		ca:    authntest.NewCA("clients"),
		spans: tracetest.NewSpanRecorder(),

		metrics: sdkmetric.NewManualReader(),
	}
	v, err := authn.NewJWT(authn.JWTConfig{Resource: resource, Transport: roundTrip(l.reach), Issuers: []authn.Issuer{
		{URL: l.as.URL, Algorithms: []string{"EdDSA"}},
		{URL: "https://down.example", Algorithms: []string{"EdDSA"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	static, err := authn.NewStatic(map[string]authn.Grant{"dev-token-" + canary: {Subject: "dev"}})
	if err != nil {
		t.Fatal(err)
	}
	if l.key, l.record, err = authn.NewAPIKey("test", []byte(canary), authn.APIKey{ID: "k1", Subject: "bob", Tenant: "acme"}); err != nil {
		t.Fatal(err)
	}
	if l.keys, err = authn.NewAPIKeys([]byte(canary), l.record); err != nil {
		t.Fatal(err)
	}
	certificates, err := authn.NewCertificates(authn.CertificateConfig{TrustDomain: "example.org", Grant: authn.Grants{"spiffe://example.org/agent": {}}.Lookup})
	if err != nil {
		t.Fatal(err)
	}
	peers, err := authn.NewUnixPeers(authn.Grants{fmt.Sprintf("uid:%d", os.Getuid()): {Subject: "me"}}.Lookup)
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(&l.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := mcpconnect.NewHandler(toolServer(&l.reached), mcpconnect.WithLogger(logger),
		mcpconnect.WithAuthn(authn.Bearer{v, static}, l.keys, certificates, peers), mcpconnect.WithResourceMetadata(&document),
		mcpconnect.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(l.spans))),
		mcpconnect.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(l.metrics))),
		mcpconnect.WithReflection(), mcpconnect.WithStreamableHTTP(), mcpconnect.WithOrigins("https://app.example.com"))
	t.Cleanup(func() { h.Close() })
	l.site = serve(t, h, l.ca.Pool())
	return l
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// reach is all the network that the server has.
func (l *lab) reach(r *http.Request) (*http.Response, error) {
	switch r.URL.Host {
	case "as.example":
		return l.as.RoundTrip(r)
	case "down.example":
		return nil, errors.New("nobody answers at down.example " + inside)
	}
	l.outgoing.Add(1)
	return nil, errors.New("no such host")
}

// attacks are what must not get in, by rows of the threat table.
func (l *lab) attacks(t testing.TB) []attack {
	t.Helper()
	now := time.Now().Unix()
	good := l.token(nil, nil)
	head, rest, _ := strings.Cut(good, ".")
	body, signature, _ := strings.Cut(rest, ".")
	header := func(name string, values ...string) credential {
		return credential{header: http.Header{name: values}}
	}
	token := func(header, claims authntest.Claims) credential { return bearer(l.token(header, claims)) }
	public := l.as.JWKS()
	raw := func(extra string) credential {
		claims, err := json.Marshal(l.as.Claims(authntest.Claims{"jti": canary}))
		if err != nil {
			t.Fatal(err)
		}
		return bearer(l.as.Raw([]byte(`{"alg":"EdDSA","kid":"k1","typ":"at+jwt"}`), []byte("{"+extra+","+string(claims[1:]))))
	}
	return []attack{
		{"1", "no credentials", credential{}, absent},
		{"2", "alg none", token(authntest.Claims{"alg": "none"}, nil), invalid},
		{"2", "no signature", bearer(head + "." + body + "."), invalid},
		{"3", "signed with the public key", bearer(symmetric(public, body)), invalid},
		{"4", "another algorithm", token(authntest.Claims{"alg": "ES256"}, nil), invalid},
		{"5", "another audience", token(nil, authntest.Claims{"aud": "https://other.example"}), invalid},
		{"5", "a prefix of the audience", token(nil, authntest.Claims{"aud": "https://mcp.example.com"}), invalid},
		{"5", "no audience", token(nil, authntest.Claims{"aud": nil}), invalid},
		{"6", "another issuer", token(nil, authntest.Claims{"iss": "https://evil.example"}), invalid},
		{"6", "the issuer with a slash", token(nil, authntest.Claims{"iss": "https://as.example/"}), invalid},
		{"7", "the key of another issuer", bearer(l.other.Token(authntest.Claims{"jti": canary})), invalid},
		{"8", "expired", token(nil, authntest.Claims{"exp": authntest.In(-61)}), invalid},
		{"8", "not yet valid", token(nil, authntest.Claims{"nbf": authntest.In(600), "exp": authntest.In(1200)}), invalid}, // however long the suite takes
		{"8", "no end", token(nil, authntest.Claims{"exp": nil}), invalid},
		{"8", "an end in milliseconds", token(nil, authntest.Claims{"exp": now * 1000}), invalid},
		{"9", "an ID token", token(authntest.Claims{"typ": "JWT"}, authntest.Claims{"nonce": "x"}), invalid},
		{"9", "an ID-JAG", token(authntest.Claims{"typ": "oauth-id-jag+jwt"}, nil), invalid},
		{"9", "a DPoP proof", token(authntest.Claims{"typ": "dpop+jwt"}, nil), invalid},
		{"10", "a path for key id", token(authntest.Claims{"kid": "../../dev/null"}, nil), verdict{}}, // see below
		{"11", "where a key is", token(authntest.Claims{"jku": "https://evil.example/" + canary}, nil), invalid},
		{"12", "a critical extension", token(authntest.Claims{"crit": []string{"x"}, "x": 1}, nil), invalid},
		{"12", "encrypted", bearer(good + ".a.b"), invalid},
		{"13", "two subjects", raw(`"sub":"root"`), invalid},
		{"13", "a claim that looks like aud", raw(`"Aud":"https://mcp.example.com/base"`), invalid},
		{"14", "a line break in the token", header("Authorization", "Bearer "+head+"."+body+".\t"+signature), malformed},
		{"14", "a token that is too long", bearer(canary + strings.Repeat("a", 9000)), invalid},
		{"16", "an issuer that is down", token(nil, authntest.Claims{"iss": "https://down.example"}), unavailable},
		{"19", "bound to a certificate that is not there", token(nil, authntest.Claims{"cnf": map[string]string{"x5t#S256": "x"}}), invalid},
		{"19", "bound by DPoP", token(nil, authntest.Claims{"cnf": map[string]string{"jkt": "x"}}), invalid},
		{"20", "two tokens", header("Authorization", "Bearer "+good, "Bearer "+good), malformed},
		{"20", "another scheme, then a token", header("Authorization", "Basic "+canary, "Bearer "+good), malformed},
		{"20", "a list of tokens", header("Authorization", "Bearer "+good+", Bearer "+good), malformed},
		{"20", "two spaces", header("Authorization", "Bearer  "+good), malformed},
		{"20", "another scheme", header("Authorization", "Basic "+canary), absent},
		{"20", "a DPoP token", header("Authorization", "DPoP "+good), absent},
		{"21", "a token in a cookie", header("Cookie", "access_token="+good), absent},
		{"21", "a token in a subprotocol", header("Sec-Websocket-Protocol", "bearer."+good), absent},
		{"21", "a token in a binary header", header("Authorization-Bin", base64.StdEncoding.EncodeToString([]byte(good))), malformed},
		{"21", "a token in the query", credential{query: "access_token=" + good}, malformed},
		{"21", "a token in the query beside a good one", credential{header: bearer(good).header, query: "Access_Token=" + canary}, malformed},
		{"22", "a token and a key", credential{header: http.Header{"Authorization": {"Bearer " + good}, "X-Mcp-Api-Key": {l.key}}}, malformed},
		{"22", "two keys", header("X-Mcp-Api-Key", l.key, l.key), malformed},
		{"23", "a truncated key", apiKey(l.key[:len(l.key)-1]), invalid},
		{"23", "a longer key", apiKey(l.key + "a"), invalid},
		{"23", "a key by another header", header("X_mcp_api_key", l.key), absent},
		{"23", "a key as a token", bearer(l.key), invalid},
		{"25", "a token that begins like the static one", bearer("dev-token-"), invalid},
		{"76", "a certificate in a header", header("X-Forwarded-Client-Cert", "URI=spiffe://example.org/agent"), absent},
		{"76", "a user in a header", credential{header: http.Header{"X-Forwarded-User": {"ann"}, "X-Peer-Uid": {"0"}, "Client-Cert": {":AAAA:"}}}, absent},
		{"44", "an image of another site", credential{header: http.Header{"Authorization": {"Bearer " + good}, "Sec-Fetch-Site": {"cross-site"}}}, forbidden},
		{"46", "a page of another origin", credential{header: http.Header{"Authorization": {"Bearer " + good}, "Origin": {"https://evil.example"}}}, forbidden},
		{"46", "nobody's page", credential{header: http.Header{"Authorization": {"Bearer " + good}, "Origin": {"null"}}}, forbidden},
		{"46", "a page whose name ends alike", credential{header: http.Header{"Authorization": {"Bearer " + good}, "Origin": {"https://evilapp.example.com"}}}, forbidden},
		{"47", "a name that was led here", credential{header: http.Header{"Authorization": {"Bearer " + good}, "Host": {"evil.example"}}}, forbidden},
	}
}

// An attack is a request that must not get in.
type attack struct {
	row  string // of the threat table
	name string
	who  credential
	want verdict // the zero value is invalid or unavailable: it may depend on others
}

// token gives a token of the lab's issuer that cannot be taken for anything else.
func (l *lab) token(header, claims authntest.Claims) string {
	if claims == nil {
		claims = authntest.Claims{}
	}
	claims["jti"] = canary
	return l.as.TokenWith(header, claims)
}

// symmetric signs with a key that everybody has.
func symmetric(key []byte, body string) string {
	input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","kid":"k1","typ":"at+jwt"}`)) + "." + body
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// suiteForms are all forms, and lists by GET.
var suiteForms = append(slices.Clone(forms), form{"ListTools by GET", false, true, false, func(ctx context.Context, c *caller, _, _ string) reply {
	if _, err := c.mcp(connect.WithHTTPGet()).ListTools(ctx, &mcpv1.ListToolsRequest{}); err != nil {
		return failed(err)
	}
	return reply{text: "a list"}
}})

// eachWay runs test on each wire in each form that it can have.
func eachWay(t *testing.T, test func(t *testing.T, w wire, f form)) {
	t.Helper()
	for _, w := range wires {
		for _, f := range suiteForms {
			if w.can(f) {
				t.Run(w.name+"/"+f.name, func(t *testing.T) { test(t, w, f) })
			}
		}
	}
}

// TestAttacks sends every attack in every form on every wire.
func TestAttacks(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	attacks := l.attacks(t)
	var said strings.Builder
	eachWay(t, func(t *testing.T, w wire, f form) {
		for _, a := range attacks {
			c := l.call(t, w, a.who)
			got := f.call(testContext(t), c, "read", `{}`)
			c.client.CloseIdleConnections()
			l.check(t, a, w, f, c, got)
			said.WriteString(got.err + got.info.String() + c.rec.text())
		}
	})
	if n := l.reached.Load(); n != 0 {
		t.Errorf("tools were reached %d times", n)
	}
	if n, outside := l.outgoing.Load(), l.as.Outside(); n != 0 || len(outside) != 0 {
		t.Errorf("%d requests left the server, and %q", n, outside)
	}
	// Somebody who gets in is measured, too.
	if _, err := l.call(t, wires[0], bearer(l.token(nil, nil))).mcp().ListTools(testContext(t), &mcpv1.ListToolsRequest{}); err != nil {
		t.Error(err)
	}
	l.searchCanary(t, said.String())
}

// TestGoodCredentials checks who the tool sees, for every kind of credential.
func TestGoodCredentials(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	cert := l.ca.Issue(func(c *x509.Certificate) { c.URIs = authntest.URIs("spiffe://example.org/agent") })
	anonymous := l.ca.Issue(func(c *x509.Certificate) { c.URIs = authntest.URIs("spiffe://example.org/stranger") })
	for _, test := range []struct {
		name string
		who  credential
		only func(wire) bool
		want string // empty: refused
	}{
		{"JWT", bearer(l.token(nil, nil)), nil, "https://as.example|ann by jwt"},
		{"the scheme in another case", credential{header: http.Header{"Authorization": {"bEARER " + l.token(nil, nil)}}}, nil, "https://as.example|ann by jwt"},
		{"static token", bearer("dev-token-" + canary), nil, "static-token|dev by static-token"},
		{"API key", apiKey(l.key), nil, "api-key|acme|bob by api-key"},
		{"certificate", credential{cert: &cert}, func(w wire) bool { return w.tls }, "certificate|spiffe://example.org/agent by certificate"},
		{"a token over a certificate", credential{cert: &cert, header: bearer(l.token(nil, nil)).header}, func(w wire) bool { return w.tls }, "https://as.example|ann by jwt"},
		{"a token over a stranger's certificate", credential{cert: &anonymous, header: bearer(l.token(nil, nil)).header}, func(w wire) bool { return w.tls }, ""},
		{"Unix peer", credential{socket: true}, func(w wire) bool { return !w.tls }, "unix-peer|me by unix-peer"},
		{"a token over a Unix socket", credential{socket: true, header: bearer(l.token(nil, nil)).header}, func(w wire) bool { return !w.tls }, "https://as.example|ann by jwt"},
		{"a page that may call", credential{header: http.Header{"Authorization": {"Bearer " + l.token(nil, nil)}, "Origin": {"https://app.example.com"}}}, nil, "https://as.example|ann by jwt"},
	} {
		for _, w := range wires {
			if test.only != nil && !test.only(w) {
				continue
			}
			for _, f := range suiteForms {
				if !w.can(f) {
					continue
				}
				want := test.want
				if f.name == "ListTools by GET" && want != "" {
					want = "a list"
				}
				got := f.call(testContext(t), l.call(t, w, test.who), "read", `{}`)
				if got.text != want || (want == "") != (got.code == connect.CodeUnauthenticated) {
					t.Errorf("%s, %s, %s: got %q, %v %s, want %q", test.name, w.name, f.name, got.text, got.code, got.err, want)
				}
			}
		}
	}
}

// TestEveryProcedureNeedsCredentials walks over the services, so that no RPC can be
// forgotten. A body is not waited for.
func TestEveryProcedureNeedsCredentials(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	paths := []string{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "/mcp.v1.MCP/Nothing", "/nothing", "/"}
	methods := mcpv1.File_mcp_v1_mcp_proto.Services().ByName("MCP").Methods()
	for i := range methods.Len() {
		paths = append(paths, "/mcp.v1.MCP/"+string(methods.Get(i).Name()))
	}
	if len(paths) < 20 {
		t.Fatalf("there are only %q", paths)
	}
	for _, w := range wires {
		for _, contentType := range []string{"application/grpc", "application/grpc-web", "application/proto", "application/json", "application/connect+proto", "application/connect+json", "text/plain", ""} {
			for _, path := range paths {
				c := l.call(t, w, credential{header: http.Header{"Content-Type": {contentType}}})
				body, end := newEndless()
				req, err := http.NewRequestWithContext(testContext(t), http.MethodPost, c.url+path, body)
				if err != nil {
					t.Fatal(err)
				}
				res, err := c.client.Do(req)
				if err != nil {
					t.Fatalf("%s %s: %v", path, contentType, err)
				}
				end() // the answer was there before
				res.Body.Close()
				c.client.CloseIdleConnections()
				if got := res.Header.Values("Www-Authenticate"); len(got) != 1 || got[0] != challengeAbsent {
					t.Errorf("%s with %q on %s: got %s, %q", path, contentType, w.name, res.Status, got)
				}
			}
		}
	}
	if n := l.reached.Load(); n != 0 {
		t.Errorf("tools were reached %d times", n)
	}
}

// An endless body has nothing to read until it ends.
type endless struct{ ended chan struct{} }

func newEndless() (body *endless, end func()) {
	e := &endless{make(chan struct{})}
	return e, func() { close(e.ended) }
}

func (e *endless) Read([]byte) (int, error) {
	<-e.ended
	return 0, errors.New("the test is over")
}

// TestPathTricks checks that no spelling of a path gets round authn.
func TestPathTricks(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, w := range wires {
		for _, path := range []string{
			"//mcp.v1.MCP/InvokeTool", "/x/../mcp.v1.MCP/InvokeTool", "/./mcp.v1.MCP/InvokeTool", "/mcp.v1.MCP%2FInvokeTool", "/mcp.v1.MCP/InvokeTool/",
			"/mcp.v1.MCP/InvokeTool;x", "/MCP.v1.mcp/invoketool", "/mcp.v1.AuthDiscovery/../mcp.v1.MCP/InvokeTool", "/mcp.v1.AuthDiscovery/%2e%2e/mcp.v1.MCP/InvokeTool",
			"/grpc.health.v1.Health/../mcp.v1.MCP/InvokeTool", "/.well-known/oauth-protected-resource/../../mcp.v1.MCP/InvokeTool",
			"/mcp.v1.AuthDiscovery/InvokeTool", "/.well-known/oauth-protected-resource/mcp.v1.MCP/InvokeTool",
		} {
			c := l.call(t, w, credential{header: http.Header{"Content-Type": {"application/json"}}})
			req, err := http.NewRequestWithContext(testContext(t), http.MethodPost, c.url, strings.NewReader(`{"name":"read"}`))
			if err != nil {
				t.Fatal(err)
			}
			req.URL.Opaque = strings.TrimPrefix(c.url, "http:")
			req.URL.Opaque = strings.TrimPrefix(req.URL.Opaque, "https:") + path
			res, err := c.client.Do(req)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			res.Body.Close()
			c.client.CloseIdleConnections()
			if res.StatusCode == http.StatusOK {
				t.Errorf("%s on %s: got %s", path, w.name, res.Status)
			}
		}
	}
	if n := l.reached.Load(); n != 0 {
		t.Errorf("the tool was reached %d times", n)
	}
}

// TestNoOtherWayIn: there is no HTTP/2 in clear on the port with TLS, and no upgrade to it anywhere.
func TestNoOtherWayIn(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const upgrade = "POST /mcp.v1.MCP/InvokeTool HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
	for _, test := range []struct{ name, address, sent, want string }{
		{"HTTP/2 in clear where there is TLS", l.secure, http2.ClientPreface, ""},
		{"HTTP/1.1 in clear where there is TLS", l.secure, upgrade, "HTTP/1.0 400 "},
		{"an upgrade", l.clear, upgrade, "HTTP/1.1 401 "},
	} {
		conn, err := net.Dial("tcp", test.address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := conn.Write([]byte(test.sent)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, max(len(test.want), 1))
		if n, err := conn.Read(got); string(got[:n]) != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.name, got[:n], err, test.want)
		}
		_ = conn.Close()
	}
	if n := l.reached.Load(); n != 0 {
		t.Errorf("the tool was reached %d times", n)
	}
}

// TestForgedRequests sends what a page can make a browser send without asking, with the
// user's client certificate.
func TestForgedRequests(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	cert := l.ca.Issue(func(c *x509.Certificate) { c.URIs = authntest.URIs("spiffe://example.org/agent") })
	for _, test := range []struct {
		name, method, path string
		header             http.Header
		status             int
	}{
		{"an image", http.MethodGet, "/mcp.v1.MCP/InvokeTool?connect=v1&encoding=json&message=%7B%22name%22%3A%22read%22%7D", nil, 405},
		{"an image of a stream", http.MethodGet, "/mcp.v1.MCP/CallTool?connect=v1&encoding=json&message=%7B%22name%22%3A%22read%22%7D", nil, 405},
		{"plain text", http.MethodPost, "/mcp.v1.MCP/InvokeTool", http.Header{"Content-Type": {"text/plain"}}, 415},
		{"plain text that looks like JSON", http.MethodPost, "/mcp.v1.MCP/InvokeTool", http.Header{"Content-Type": {"text/plain; application/json"}}, 415},
		{"a form", http.MethodPost, "/mcp.v1.MCP/InvokeTool", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 415},
		{"a form with a file", http.MethodPost, "/mcp.v1.MCP/InvokeTool", http.Header{"Content-Type": {"multipart/form-data; boundary=x"}}, 415},
		{"nothing said", http.MethodPost, "/mcp.v1.MCP/InvokeTool", nil, 415},
		{"JSON of another page", http.MethodPost, "/mcp.v1.MCP/InvokeTool", http.Header{"Content-Type": {"application/json"}, "Origin": {"https://evil.example"}}, 403},
		{"a list as an image", http.MethodGet, "/mcp.v1.MCP/ListTools?connect=v1&encoding=json&message=%7B%7D", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}, "Sec-Fetch-Dest": {"image"}}, 403},
		{"a list for another page", http.MethodGet, "/mcp.v1.MCP/ListTools?connect=v1&encoding=json&message=%7B%7D", http.Header{"Origin": {"https://evil.example"}}, 403},
	} {
		for _, w := range wires {
			if !w.tls {
				continue
			}
			c := l.call(t, w, credential{cert: &cert, header: test.header})
			req, err := http.NewRequestWithContext(testContext(t), test.method, c.url+test.path, strings.NewReader(`{"name":"read"}`))
			if err != nil {
				t.Fatal(err)
			}
			res, err := c.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != test.status || res.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s on %s: got %s, %q, want %d", test.name, w.name, res.Status, res.Header.Get("Access-Control-Allow-Origin"), test.status)
			}
		}
	}
	if n := l.reached.Load(); n != 0 {
		t.Errorf("the tool was reached %d times", n)
	}
}

// TestCallersOnOneConnection mixes callers on one HTTP/2 connection, as proxies do.
func TestCallersOnOneConnection(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	c := l.call(t, wires[1], credential{})
	const callers, calls = 8, 100
	var all sync.WaitGroup
	for i := range callers {
		subject := fmt.Sprint("user-", i)
		token := l.token(nil, authntest.Claims{"sub": subject})
		all.Go(func() {
			for range calls {
				ctx, info := connect.NewClientContext(testContext(t))
				info.RequestHeader().Set("Authorization", "Bearer "+token)
				res, err := c.mcp().InvokeTool(ctx, callRequest("read", `{}`))
				if want := "https://as.example|" + subject + " by jwt"; err != nil || textOf(res.GetResult()) != want {
					t.Errorf("got %v, %v, want %q", res, err, want)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestCertificateNeedsTLS pins that the server of the tests asks for certificates.
func TestCertificateNeedsTLS(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	evil := authntest.NewCA("clients").Issue(func(c *x509.Certificate) { c.URIs = authntest.URIs("spiffe://example.org/agent") })
	got := invokeTool(testContext(t), l.call(t, wires[0], credential{cert: &evil}), "read", `{}`)
	if got.code == 0 {
		t.Error("a certificate of another CA was accepted")
	}
}
