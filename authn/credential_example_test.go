// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/authn"
)

// whoCalls tells whom a request lets in.
func whoCalls(r *http.Request, by ...authn.Authenticator) string {
	m, err := authn.NewMiddleware(authn.Config{Authenticators: by, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err.Error()
	}
	p, err := m.Check(r)
	if err != nil {
		return "nobody"
	}
	return fmt.Sprint(p.ID(), " ", p.Scopes)
}

func withHeader(name, value string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set(name, value)
	return r
}

// A key is drawn once. Its owner gets the key, and the server keeps a record that is no secret.
func ExampleNewAPIKey() {
	key, record, err := authn.NewAPIKey("live", []byte("pepper"), authn.APIKey{ID: "k1", Subject: "build", Scopes: []string{"read"}})
	if err != nil {
		panic(err)
	}
	fmt.Println(strings.HasPrefix(key, "mcp_live_k1_"), record.ID, record.Subject, len(record.Hash))
	// Output: true k1 build 64
}

// Keys are rotated by handing out the next one before the old one goes.
func ExampleNewAPIKeys() {
	draw := func(id string) (string, authn.APIKey) {
		key, record, err := authn.NewAPIKey("live", nil, authn.APIKey{ID: id, Subject: "build"})
		if err != nil {
			panic(err)
		}
		return key, record
	}
	oldKey, oldRecord := draw("k1")
	newKey, newRecord := draw("k2")
	keys, err := authn.NewAPIKeys(nil, oldRecord, newRecord)
	if err != nil {
		panic(err)
	}
	for range 2 {
		fmt.Println(whoCalls(withHeader("X-Mcp-Api-Key", oldKey), keys), "-", whoCalls(withHeader("X-Mcp-Api-Key", newKey), keys))
		if err := keys.Replace(newRecord); err != nil { // streams of the old key end
			panic(err)
		}
	}
	// Output:
	// api-key|build [] - api-key|build []
	// nobody - api-key|build []
}

// Records in a file, which Watch reads again when it changes.
func ExampleLoadAPIKeys() {
	key, record, err := authn.NewAPIKey("live", nil, authn.APIKey{Subject: "build", Scopes: []string{"read"}})
	if err != nil {
		panic(err)
	}
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	text, err := json.Marshal(map[string]any{"keys": []authn.APIKey{record}})
	if err != nil {
		panic(err)
	}
	path := filepath.Join(dir, "keys.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		panic(err)
	}
	keys, err := authn.LoadAPIKeys(path, nil, nil)
	if err != nil {
		panic(err)
	}
	// go keys.Watch(ctx)
	fmt.Println(whoCalls(withHeader("X-Mcp-Api-Key", key), keys))
	// Output: api-key|build [read]
}

// Holders of client certificates, by their SPIFFE IDs. TLS has to ask for the certificates, and to
// verify them.
func ExampleNewCertificates() {
	certificates, err := authn.NewCertificates(authn.CertificateConfig{
		TrustDomain: "example.org",
		Grant:       authn.Grants{"spiffe://example.org/agent": {Scopes: []string{"read"}}}.Lookup,
	})
	if err != nil {
		panic(err)
	}
	// mcpconnect.WithTLSConfig(&tls.Config{ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, …})
	fmt.Println(whoCalls(httptest.NewRequest(http.MethodPost, "/", nil), certificates))
	// Output: nobody
}

// Tokens that only their issuer can read.
func ExampleNewIntrospection() {
	// An authorization server that knows one token.
	as := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"active":%t,"sub":"ann","scope":"read","aud":"https://mcp.example.com","exp":%d}`, r.FormValue("token") == "opaque", time.Now().Unix()+600)
	}))
	defer as.Close()
	tokens, err := authn.NewIntrospection(authn.IntrospectionConfig{
		Issuer:   authn.Issuer{URL: "https://login.example.com"},
		Endpoint: as.URL,
		ClientID: "mcp", ClientSecret: "secret",
		Resource: "https://mcp.example.com",
	})
	if err != nil {
		panic(err)
	}
	for _, token := range []string{"opaque", "revoked"} {
		fmt.Println(whoCalls(withHeader("Authorization", "Bearer "+token), authn.Bearer{tokens}))
	}
	// Output:
	// https://login.example.com|ann [read]
	// nobody
}

// A token for development, which works on this machine only.
func ExampleNewStatic() {
	tokens, err := authn.NewStatic(map[string]authn.Grant{"dev-token": {Subject: "developer", Scopes: []string{"read"}}})
	if err != nil {
		panic(err)
	}
	r := withHeader("Authorization", "Bearer dev-token") // on no connection at all
	fmt.Println(whoCalls(r, authn.Bearer{tokens}))
	fmt.Println(whoCalls(r, authn.Bearer{tokens.InsecureEverywhere()}))
	// Output:
	// nobody
	// static-token|developer [read]
}

// The document that tells callers where they get tokens.
func ExampleNewMetadata() {
	metadata, err := authn.NewMetadata(oauthex.ProtectedResourceMetadata{
		Resource:             "https://example.com/mcp",
		AuthorizationServers: []string{"https://login.example.com"},
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	for _, path := range metadata.Paths() {
		mux.Handle(path, metadata) // NewHandler does it for WithResourceMetadata
		fmt.Println(path)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, metadata.URL(), nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// /.well-known/oauth-protected-resource
	// /.well-known/oauth-protected-resource/mcp
	// 200 {"resource":"https://example.com/mcp","authorization_servers":["https://login.example.com"],"bearer_methods_supported":["header"]}
}
