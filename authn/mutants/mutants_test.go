// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package mutants puts the classic mistakes of authentication into the source, one after the other,
// and shows that the tests of package authn find each of them. `make mutants` runs it.
package mutants

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A mutant is a mistake: text that stands in a file once, and what takes its place. There is none for
// what two places see to, each by itself: that tokens end, for example, and that there is one
// credential.
type mutant struct {
	name     string
	file     string // below the project's root
	old, new string
	tests    string // the pattern of those that are to find it
}

const (
	attacks = "TestAttacks$"
	access  = "TestAccess|TestLists"
)

var mutants = []mutant{
	{"the audience is not looked at", "authn/jwt_issuer.go", "if !matchesAny(audience, i.Audiences) {", "if false {", attacks},
	{"the type is not looked at", "authn/jwt_issuer.go", "if !slices.Contains(i.Types, t.typ) {", "if false {", attacks},
	{"a prefix of the audience will do", "authn/jwt_issuer.go", "if a == o || (withoutRootSlash(a) == withoutRootSlash(o)) {", "if strings.HasPrefix(o, a) {", attacks},
	{"tokens are good before their time", "authn/jwt_issuer.go", "case begins.After(now.Add(clockSkew)):", "case false:", attacks},
	{"the algorithm is the token's choice", "authn/jwt_issuer.go", "if !slices.Contains(i.Algorithms, t.alg) {", "if false {", attacks + "|TestJWT"},
	{"names of claims in any case", "authn/jwt_parse.go", "if err := refuseVariants(t.claims, readClaims); err != nil {", "if err := refuseVariants(nil, readClaims); err != nil {", attacks},
	{"a bound token without its proof", "authn/jwt.go", "if known.boundTo != \"\" {", "if false {", attacks},
	{"no limit for fetching keys", "authn/jwks_remote.go", "if !k.take(time.Now()) {", "if false {", "TestJWKSFlood"},
	{"keys live for ever", "authn/jwks_remote.go", "case age < jwksRefresh:", "case known != nil:", "TestJWKSWithdrawal"},
	{"the first of two headers counts", "authn/authenticator.go", "case authorizations > 1 || keys > 1:", "case false:", attacks},
	{"credentials in the query", "authn/authenticator.go", "case r.URL.RawQuery != \"\" && queryHasCredential(r.URL.RawQuery):", "case false:", attacks},
	{"an outage is the caller's fault", "authn/error.go", "return refusedUnavailable", "return refusedInvalid", attacks},
	{"the challenge is not in a header", "authn/middleware.go", "h.Set(\"Www-Authenticate\", m.cfg.Metadata.Challenge(refused.oauth, scopes))", "_ = scopes", attacks},
	{"the challenge is there twice", "authn/middleware.go", "h.Set(\"Www-Authenticate\", m.cfg.Metadata.Challenge(refused.oauth, scopes))", "h[\"Www-Authenticate\"] = []string{m.cfg.Metadata.Challenge(refused.oauth, scopes), \"Bearer\"}", attacks},
	{"tools see the credentials", "authn/middleware.go", "r.Header = withoutCredentials(r.Header)", "_ = withoutCredentials", "TestGoodCredentials"},
	{"the reason is told to the caller", "authn/middleware.go", "return refused.connectError(m.cfg.Metadata, scopes)", "refused.text = err.Error(); return refused.connectError(m.cfg.Metadata, scopes)", attacks},
	{"the token is logged", "authn/middleware.go", "slog.String(\"peer\", r.RemoteAddr)}", "slog.String(\"peer\", r.Header.Get(\"Authorization\"))}", attacks},
	{"the hash of a key is not compared", "authn/apikey.go", "subtle.ConstantTimeCompare(hash, sum) != 1 || e == nil", "subtle.ConstantTimeCompare(hash[:0], sum[:0]) != 1 || e == nil", "TestAPIKeys"},
	{"any page may call", "authn/browser.go", "\treturn errOrigin\n}", "\treturn nil\n}", attacks},
	{"origins that end alike", "authn/browser.go", "if slices.Contains(g.origins, origins[0]) ||", "if slices.ContainsFunc(g.origins, func(o string) bool { return strings.HasSuffix(origins[0], strings.TrimPrefix(o, \"https://\")) }) ||", attacks},
	{"the host is not looked at", "authn/browser.go", "\tif !ok {\n\t\treturn errHost\n\t}", "\tif !ok && certain {\n\t\treturn errHost\n\t}", attacks},
	{"CORS inside authentication", "mcpconnect/handler.go", "public.Handle(\"/\", cfg.authenticated(mux, connectOptions))", "public.Handle(\"/\", cfg.authenticated(cfg.gated(mux), connectOptions))\n\tcfg.gate.Origins = []string{}", "TestBrowser|TestPreflight|TestCORS|TestGoodCredentials"},
	{"a path is public by its end", "mcpconnect/handler.go", "public.Handle(\"/\", cfg.authenticated(mux, connectOptions))", "authenticated := cfg.authenticated(mux, connectOptions)\n\tpublic.Handle(\"/\", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {\n\t\tif strings.HasSuffix(r.URL.Path, \"/GetMetadata\") {\n\t\t\tmux.ServeHTTP(w, r)\n\t\t\treturn\n\t\t}\n\t\tauthenticated.ServeHTTP(w, r)\n\t}))", "TestDiscovery|TestPathTricks"},
	{"what has no rule is allowed", "authn/policy.go", "\trules, ok := p.rulesFor(a)\n\tif !ok {\n\t\treturn Denied()\n\t}", "\trules, _ := p.rulesFor(a)", access},
	{"scopes are not compared", "authn/policy.go", "enough = enough && p.has(caller, scopes)", "_ = scopes", access},
	{"scopes from headers", "authn/middleware.go", "a.caller, a.response = p, nil", "if claimed := r.Header.Get(\"X-Forwarded-Scopes\"); claimed != \"\" {\n\t\tq := *p\n\t\tq.Scopes = append(q.Scopes, claimed, \"write\", \"read\")\n\t\tp = sealed(q)\n\t}\n\ta.caller, a.response = p, nil", access},
	{"an image may call", "authn/browser.go", "site == \"\" || site == \"same-origin\" || site == \"none\"", "site != \"?\"", attacks},
	{"lists show everything", "handlers/access.go", "err := show(ctx, s.cfg.Policy, &shown.Cacheable, &shown.Tools, methodCallTool, func(t *mcp.Tool) string { return t.Name })\n\t\treturn &shown, err", "return &shown, nil", access},
	{"private lists in public caches", "handlers/cache.go", "if public && !authenticated(ctx, info) {", "if true {", "TestCachingOfGets|" + access},
	{"sessions are anybody's", "handlers/caller.go", "return strconv.Quote(p.ID()) + strconv.Quote(p.ClientID)", "return strconv.Quote(\"somebody\")", "TestSessionsBelong"},
	{"streams outlive their credential", "authn/lifetime.go", "ctx, stopClock = context.WithDeadlineCause(ctx, end, ErrCredentialEnded)", "_ = end", "TestUntilEnd$"},
	{"revocation ends nothing", "authn/lifetime.go", "stops = append(stops, context.AfterFunc(p.revoked, func() { cancelCause(ErrCredentialEnded) }))", "_ = stops", "TestReplaceEndsStreams"},
}

// TestMutants are each found. With -short they are every third one.
func TestMutants(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range mutants {
		if testing.Short() && i%3 != 0 {
			continue
		}
		t.Run(m.name, func(t *testing.T) { // not in parallel: each uses all of the machine
			path := filepath.Join(root, m.file)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(text, []byte(m.old)); n != 1 {
				t.Fatalf("%s has %q %d times", m.file, m.old, n)
			}
			mutated := filepath.Join(t.TempDir(), filepath.Base(m.file))
			if err := os.WriteFile(mutated, bytes.Replace(text, []byte(m.old), []byte(m.new), 1), 0o600); err != nil {
				t.Fatal(err)
			}
			overlay := filepath.Join(t.TempDir(), "overlay.json")
			list, err := json.Marshal(map[string]any{"Replace": map[string]string{path: mutated}})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(overlay, list, 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-failfast", "-timeout", "3m", "-overlay", overlay, "-run", m.tests, "./authn")
			cmd.Dir = root
			out, err := cmd.CombinedOutput()
			switch said := string(out); {
			case err == nil:
				t.Errorf("no test has found it:\n%s", said)
			case !strings.Contains(said, "--- FAIL: Test"):
				t.Errorf("it is no mutant that tests could find:\n%s", said)
			}
		})
	}
}
