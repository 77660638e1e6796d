// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/oauth2"

	"github.com/mcpconnect/mcpconnect/oauth"
)

// TestFileStore keeps secrets from other users, and says what is wrong without telling them.
func TestFileStore(t *testing.T) {
	t.Parallel()
	s := oauth.FileStore{Dir: filepath.Join(t.TempDir(), "new", "credentials")}
	const resource = "https://mcp.example.com/base"
	if c, err := s.Load(t.Context(), resource); c != nil || err != nil {
		t.Errorf("nothing gave %v, %v", c, err)
	}
	want := &oauth.Credential{Resource: resource, Issuer: "https://as.example", Client: oauth.Registration{ID: "c", Secret: "s", Dynamic: true},
		TokenEndpoint: "https://as.example/token", Scopes: []string{"read"}, Token: &oauth2.Token{AccessToken: "secret", RefreshToken: "secret too"}}
	for range 2 {
		if err := s.Save(t.Context(), resource, want); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Load(t.Context(), resource)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(oauth2.Token{})); diff != "" || err != nil {
		t.Errorf("%v, differs (-want +got):\n%s", err, diff)
	}
	if c, err := s.Load(t.Context(), resource+"2"); c != nil || err != nil {
		t.Errorf("another resource gave %v, %v", c, err)
	}
	files, err := filepath.Glob(filepath.Join(s.Dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("there are the files %q, %v", files, err)
	}
	for path, mode := range map[string]os.FileMode{s.Dir: 0o700, files[0]: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v, %v", path, info.Mode().Perm(), err)
		}
	}
	if err := os.Chmod(files[0], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), resource); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others can read gave %v", err)
	}
	if err := os.WriteFile(files[0], []byte(`{"token":"secret`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(files[0], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), resource); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a broken file gave %v", err)
	}
	for range 2 {
		if err := s.Save(t.Context(), resource, nil); err != nil {
			t.Errorf("removing gave %v", err)
		}
	}
}

// TestStoreKeepsIssuersApart: what one authorization server has given is not lost, nor used, while
// another one counts.
func TestStoreKeepsIssuersApart(t *testing.T) {
	t.Parallel()
	const resource = "https://mcp.example.com"
	credential := func(issuer string) *oauth.Credential {
		return &oauth.Credential{Resource: resource, Issuer: issuer, Client: oauth.Registration{ID: "client of " + issuer}}
	}
	const a, b = "https://a.example", "https://b.example"
	s := oauth.FileStore{Dir: t.TempDir()}
	load := func(issuer string) string {
		t.Helper()
		c, err := s.LoadOf(t.Context(), resource, issuer)
		if err != nil {
			t.Fatal(err)
		}
		last, err := s.Load(t.Context(), resource)
		if err != nil {
			t.Fatal(err)
		}
		got := "the last of nobody, "
		if last != nil {
			got = "the last of " + last.Issuer + ", "
		}
		if c == nil {
			return got + "none"
		}
		return got + c.Client.ID
	}
	for _, step := range []struct {
		name string
		save *oauth.Credential
		a, b string
	}{
		{"of a", credential(a), "the last of " + a + ", client of " + a, "the last of " + a + ", none"},
		{"of b", credential(b), "the last of " + b + ", client of " + a, "the last of " + b + ", client of " + b},
		{"of a again", credential(a), "the last of " + a + ", client of " + a, "the last of " + a + ", client of " + b},
		{"a logout", nil, "the last of nobody, none", "the last of nobody, none"},
	} {
		if err := s.Save(t.Context(), resource, step.save); err != nil {
			t.Fatal(err)
		}
		if gotA, gotB := load(a), load(b); gotA != step.a || gotB != step.b {
			t.Errorf("%s: got %q and %q, want %q and %q", step.name, gotA, gotB, step.a, step.b)
		}
	}
	if files, err := filepath.Glob(filepath.Join(s.Dir, "*")); err != nil || len(files) > 0 {
		t.Errorf("after the logout there are %q, %v", files, err)
	}
}
