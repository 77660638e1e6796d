// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	"github.com/mcpconnect/mcpconnect/oauth"
)

// A provider is an OpenID provider in a process of its own.
type provider struct {
	t        *testing.T
	resource string
	issuer   string
	env      []string
	stop     func()
}

func startProvider(t *testing.T, resource string, env ...string) *provider {
	t.Helper()
	p := &provider{t: t, resource: resource, issuer: "http://127.0.0.1:0", env: append(os.Environ(), env...), stop: func() {}}
	p.start("k1")
	t.Cleanup(func() { p.stop() })
	return p
}

// start starts it with a new key, on the port that it had before.
func (p *provider) start(key string) {
	p.t.Helper()
	u, err := url.Parse(p.issuer)
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.CommandContext(context.Background(), abs(p.t, node), abs(p.t, "provider.mjs"), u.Port(), p.resource, key)
	cmd.Env = p.env
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		p.stop = func() {}
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		p.t.Fatal("the provider has ended")
	}
	p.issuer = lines.Text()
	go func() { _, _ = io.Copy(io.Discard, out) }() // until it ends
}

// A resource is our server, with tokens of the provider.
type resource struct {
	url    string
	listen net.Listener
}

func newResource(t *testing.T) *resource {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &resource{"http://" + ln.Addr().String(), ln}
}

// serve lets in those who have a token for name, a part of the resource's URL.
func (r *resource) serve(t *testing.T, p *provider, verifier authn.TokenVerifier) {
	t.Helper()
	policy, err := authn.NewPolicy(authn.PolicyConfig{
		Tools:   map[string]authn.Rule{"test_simple_text": {Scopes: []string{"read"}}, "add_numbers": {Scopes: []string{"write"}}},
		Default: &authn.Rule{},
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := newServer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server.AddTool(&mcp.Tool{Name: "add_numbers", InputSchema: map[string]any{"type": "object"}}, func(ctx context.Context, _ *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: authn.FromContext(ctx).Subject}}}, nil
	})
	h := mcpconnect.NewHandler(server, mcpconnect.WithLogger(quiet), mcpconnect.WithStreamableHTTP(), mcpconnect.WithPolicy(policy),
		mcpconnect.WithAuthn(authn.Bearer{verifier}),
		mcpconnect.WithResourceMetadata(&oauthex.ProtectedResourceMetadata{Resource: p.resource, AuthorizationServers: []string{p.issuer}, ScopesSupported: []string{"read"}}))
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- mcpconnect.Serve(ctx, r.listen, h, mcpconnect.WithServeLogger(quiet)) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// jwts are the provider's tokens that our server reads itself.
func jwts(t *testing.T, p *provider) authn.TokenVerifier {
	t.Helper()
	v, err := authn.NewJWT(authn.JWTConfig{Resource: p.resource, Issuers: []authn.Issuer{{URL: p.issuer, Algorithms: []string{"ES256"}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return v
}

// person logs in with a browser of their own: it keeps cookies, and follows where it is sent.
func person(t *testing.T, p *provider, store oauth.Store) *oauth.Source {
	t.Helper()
	return personWith(t, oauth.Config{Resource: p.resource, Scopes: []string{"openid"}, Store: store})
}

func personWith(t *testing.T, cfg oauth.Config) *oauth.Source {
	t.Helper()
	loopback, err := oauth.NewLoopback(func(_ context.Context, page string) error {
		browser(t, page)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = loopback.Close() })
	cfg.Authorize, cfg.RedirectURL = loopback.Authorize, loopback.RedirectURL()
	s, err := oauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// browser opens a page: it keeps cookies, and follows where it is sent.
func browser(t *testing.T, page string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
	go func() { // the answer goes to who waits for it after this
		if res, err := client.Get(page); err == nil {
			_ = res.Body.Close()
		}
	}()
}

// caller calls tools over a protocol with the tokens of handler.
func caller(t *testing.T, url, protocol string, handler auth.OAuthHandler) func(tool string) (string, error) {
	t.Helper()
	if protocol == "http" {
		base := new(http.Transport)
		t.Cleanup(base.CloseIdleConnections)
		transport, err := oauth.NewTransport(url, handler, base)
		if err != nil {
			t.Fatal(err)
		}
		return func(tool string) (string, error) {
			c, err := mcp.NewClient(&mcp.Implementation{Name: "t", Version: "1"}, nil).Connect(t.Context(),
				&mcp.StreamableClientTransport{Endpoint: url + "/mcp", HTTPClient: &http.Client{Transport: transport}, DisableStandaloneSSE: true}, nil)
			if err != nil {
				return "", err
			}
			defer c.Close()
			return text(c.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: map[string]any{}}))
		}
	}
	protocols := map[string]mcpconnect.Protocol{"grpc": mcpconnect.ProtocolGRPC, "grpcweb": mcpconnect.ProtocolGRPCWeb, "connect": mcpconnect.ProtocolConnect}
	c := mcpconnect.NewClient(url, mcpconnect.WithProtocol(protocols[protocol]), mcpconnect.WithAuthorization(handler))
	t.Cleanup(func() { _ = c.Close() })
	return func(tool string) (string, error) {
		return text(c.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: map[string]any{}}))
	}
}

func text(res *mcp.CallToolResult, err error) (string, error) {
	if err != nil {
		return "", err
	}
	if c, ok := res.Content[0].(*mcp.TextContent); ok {
		return c.Text, nil
	}
	return "", errors.New("no text")
}

// TestProvider has people log in at a real OpenID provider over each protocol, and step up, with
// tokens that our server verifies.
func TestProvider(t *testing.T) {
	t.Parallel()
	res := newResource(t)
	p := startProvider(t, res.url)
	res.serve(t, p, jwts(t, p))
	for _, protocol := range []string{"grpc", "grpcweb", "connect", "http"} {
		t.Run(protocol, func(t *testing.T) {
			call := caller(t, res.url, protocol, person(t, p, nil))
			for tool, want := range map[string]string{"test_simple_text": "This is a simple text response for testing.", "add_numbers": "ann"} {
				if got, err := call(tool); err != nil || got != want {
					t.Errorf("%s gave %q, %v", tool, got, err)
				}
			}
		})
	}
}

// TestProviderReadsOurMetadata: a client is known by the URL of a document, and does not register.
func TestProviderReadsOurMetadata(t *testing.T) {
	t.Parallel()
	var read atomic.Int64
	redirect := "http://127.0.0.1/callback" // on any port (RFC 8252 §7.3)
	document := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		read.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"client_id": "https://" + r.Host + r.URL.Path, "client_name": "test", "application_type": "native", "redirect_uris": []string{redirect},
			"token_endpoint_auth_method": "none", "grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
		})
	}))
	defer document.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: document.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	res := newResource(t)
	p := startProvider(t, res.url, "NODE_EXTRA_CA_CERTS="+ca)
	res.serve(t, p, jwts(t, p))
	store := oauth.FileStore{Dir: t.TempDir()}
	source := personWith(t, oauth.Config{Resource: p.resource, Scopes: []string{"openid"}, Store: store, ClientIDMetadataURL: document.URL + "/client.json"})
	if got, err := caller(t, res.url, "grpc", source)("add_numbers"); err != nil || got != "ann" {
		t.Errorf("got %q, %v", got, err)
	}
	known, err := store.Load(t.Context(), p.resource)
	if err != nil || known == nil || known.Client.ID != document.URL+"/client.json" || read.Load() == 0 {
		t.Errorf("the document was read %d times, and the client is %v, %v", read.Load(), known, err)
	}
}

// TestProviderChangesItsKey, and is away: who has a token is let in without it, who needs one is told
// so, and the new key counts at once.
func TestProviderChangesItsKey(t *testing.T) {
	t.Parallel()
	res := newResource(t)
	p := startProvider(t, res.url)
	res.serve(t, p, jwts(t, p))
	before, after := caller(t, res.url, "grpc", person(t, p, nil)), caller(t, res.url, "connect", person(t, p, nil))
	if _, err := before("test_simple_text"); err != nil {
		t.Fatal(err)
	}
	p.stop()
	if _, err := before("test_simple_text"); err != nil {
		t.Errorf("with a token, without the provider, got %v", err)
	}
	if _, err := after("test_simple_text"); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("without a token and the provider got %v", err)
	}
	p.start("k2")
	deadline := time.Now().Add(rpctest.Patience)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := after("test_simple_text") // the keys are fetched once in ten seconds at the most
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("with the new key got %v", err)
		}
		<-tick.C
	}
}

// TestExamplesWithAProvider: examples/server lets in who has logged in by examples/client.
func TestExamplesWithAProvider(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-C", "..", "-o", bin, "./examples/server", "./examples/client").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	res := newResource(t)
	p := startProvider(t, res.url)
	_ = res.listen.Close() // the server listens there
	server := exec.CommandContext(t.Context(), filepath.Join(bin, "server"), "-addr", strings.TrimPrefix(res.url, "http://"), "-auth", "oidc", "-issuer", p.issuer, "-algorithm", "ES256", "-scopes", "read")
	said, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Wait() }()
	defer func() { _ = server.Process.Kill() }()
	if !bufio.NewScanner(said).Scan() {
		t.Fatal("the server has ended")
	}
	client := exec.CommandContext(t.Context(), filepath.Join(bin, "client"), "-auth", "oidc", res.url)
	asks, err := client.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var answer strings.Builder
	client.Stdout = &answer
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for lines := bufio.NewScanner(asks); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		if page, ok := strings.CutPrefix(lines.Text(), "  http"); ok {
			browser(t, "http"+page)
		}
	}
	if err := client.Wait(); err != nil || answer.String() != "ann, by jwt\n" {
		t.Errorf("got %q, %v\n%s", answer.String(), err, all.String())
	}
}

// TestProviderRevokes a token that only it can read: who has not seen the token does not take it.
func TestProviderRevokes(t *testing.T) {
	t.Parallel()
	first, second := newResource(t), newResource(t)
	p := startProvider(t, first.url+"/opaque")
	look := func() authn.TokenVerifier {
		v, err := authn.NewIntrospection(authn.IntrospectionConfig{
			Issuer: authn.Issuer{URL: p.issuer}, Endpoint: p.issuer + "/token/introspection",
			ClientID: "resource-server", ClientSecret: "secret", Resource: p.resource,
		})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	first.serve(t, p, look())
	second.serve(t, p, look())
	store := oauth.FileStore{Dir: t.TempDir()}
	source := person(t, p, store)
	if err := source.Login(t.Context()); err != nil {
		t.Fatal(err)
	}
	known, err := store.Load(t.Context(), p.resource)
	if err != nil {
		t.Fatal(err)
	}
	token := known.Token.AccessToken
	ping := func(url string) error {
		c := mcpconnect.NewClient(url, mcpconnect.WithHeader("Authorization", "Bearer "+token))
		defer c.Close()
		_, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: "test_simple_text"})
		return err
	}
	if err := ping(first.url); err != nil {
		t.Errorf("with the token got %v", err)
	}
	res, err := http.PostForm(p.issuer+"/token/revocation", url.Values{"token": {token}, "client_id": {known.Client.ID}})
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("revoking gave %s", res.Status)
	}
	if err := ping(second.url); err == nil {
		t.Error("a revoked token is let in")
	}
}
