// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// testKey gives the record of a new key.
func testKey(t testing.TB, template APIKey) APIKey {
	t.Helper()
	_, record := newTestKey(t, nil, template)
	return record
}

func newTestKey(t testing.TB, pepper []byte, template APIKey) (string, APIKey) {
	t.Helper()
	key, record, err := NewAPIKey("test", pepper, template)
	if err != nil {
		t.Fatal(err)
	}
	return key, record
}

func withKey(key string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("X-Mcp-Api-Key", key)
	return r
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	pepper := []byte("pepper")
	key, record := newTestKey(t, pepper, APIKey{ID: "k1", Subject: "ann", Tenant: "acme", Scopes: []string{"read"}})
	old, oldRecord := newTestKey(t, pepper, APIKey{ID: "k2", Subject: "ann", Tenant: "acme"})
	unknown, _ := newTestKey(t, pepper, APIKey{ID: "k3", Subject: "ann"})
	peppered, otherPepper := newTestKey(t, []byte("salt"), APIKey{ID: "k4", Subject: "ann"})
	keys, err := NewAPIKeys(pepper, record, oldRecord, otherPepper)
	if err != nil {
		t.Fatal(err)
	}
	sum := func(text string) string { return fmt.Sprintf("%s_%08x", text, crc32.ChecksumIEEE([]byte(text))) }
	body := key[:strings.LastIndexByte(key, '_')]
	for _, test := range []struct {
		name, key string
		id        string // empty if it is refused
	}{
		{"a key", key, "k1"},
		{"another key of the same subject", old, "k2"},
		{"an unknown key", unknown, ""},
		{"a key under another pepper", peppered, ""},
		{"a truncated key", key[:len(key)-1], ""},
		{"a byte more", key + "a", ""},
		{"a byte more with its checksum", sum(body + "a"), ""},
		{"a byte less with its checksum", sum(body[:len(body)-1]), ""},
		{"another environment", sum(strings.Replace(body, "mcp_test_", "mcp_live_", 1)), ""},
		{"the id of another key", sum(strings.Replace(body, "_k1_", "_k2_", 1)), ""},
		{"a key in another case", strings.ToUpper(key), ""},
		{"a space before", " " + key, ""},
		{"two keys", key + ", " + old, ""},
		{"an empty one", "", ""},
		{"the hash", record.Hash, ""},
		{"another prefix", sum("xyz" + body[3:]), ""},
		{"no secret", sum("mcp_test_k1_"), ""},
		{"a very long one", sum(body + strings.Repeat("a", 10_000)), ""},
	} {
		p, err := keys.Authenticate(t.Context(), withKey(test.key))
		if test.id == "" {
			if p != nil || !errors.Is(err, ErrInvalidCredential) {
				t.Errorf("%s: got %v, %v, want that it is refused", test.name, p, err)
			}
			if err != nil && len(test.key) > 20 && strings.Contains(err.Error(), test.key[len(test.key)-20:]) {
				t.Errorf("%s: the error has the key: %v", test.name, err)
			}
			continue
		}
		if err != nil || p.CredentialID != test.id || p.ID() != "api-key|acme|ann" || p.Method != MethodAPIKey {
			t.Errorf("%s: got %+v, %v", test.name, p, err)
		}
	}
	if p, err := keys.Authenticate(t.Context(), httptest.NewRequest(http.MethodPost, "/", nil)); p != nil || err != nil {
		t.Errorf("without a key: got %v, %v", p, err)
	}
}

func TestAPIKeyMistakes(t *testing.T) {
	t.Parallel()
	good := testKey(t, APIKey{ID: "k1", Subject: "ann"})
	change := func(f func(*APIKey)) []APIKey {
		k := good
		f(&k)
		return []APIKey{k}
	}
	for _, test := range []struct {
		name string
		keys []APIKey
		want string
	}{
		{"no key", nil, "NewAPIKey"},
		{"an id twice", []APIKey{good, good}, "twice"},
		{"no id", change(func(k *APIKey) { k.ID = "" }), "letters"},
		{"an id with an underscore", change(func(k *APIKey) { k.ID = "a_b" }), "letters"},
		{"a key in place of its hash", change(func(k *APIKey) { k.Hash = "mcp_test_a_b" }), "never the key itself"},
		{"half a hash", change(func(k *APIKey) { k.Hash = k.Hash[:32] }), "SHA-256"},
		{"nobody's", change(func(k *APIKey) { k.Subject = "" }), "subject"},
		{"a scope that is none", change(func(k *APIKey) { k.Scopes = []string{"read write"} }), "RFC 6749"},
	} {
		if _, err := NewAPIKeys(nil, test.keys...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want something about %q", test.name, err, test.want)
		}
	}
	if _, _, err := NewAPIKey("my env", nil, APIKey{Subject: "ann"}); err == nil {
		t.Error("an environment with a space was accepted")
	}
	if _, _, err := NewAPIKey("test", nil, APIKey{}); err == nil {
		t.Error("a key for nobody was made")
	}
}

func TestReplaceEndsStreams(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stays, staysRecord := newTestKey(t, nil, APIKey{ID: "stays", Subject: "ann"})
		goes, goesRecord := newTestKey(t, nil, APIKey{ID: "goes", Subject: "bob"})
		shrinks, shrinksRecord := newTestKey(t, nil, APIKey{ID: "shrinks", Subject: "cid", Scopes: []string{"a", "b"}})
		keys, err := NewAPIKeys(nil, staysRecord, goesRecord, shrinksRecord)
		if err != nil {
			t.Fatal(err)
		}
		open := func(key string) context.Context {
			p, err := keys.Authenticate(t.Context(), withKey(key))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := UntilEnd(NewContext(context.Background(), p))
			t.Cleanup(cancel)
			return ctx
		}
		streams := map[string]context.Context{"stays": open(stays), "goes": open(goes), "shrinks": open(shrinks)}
		shrinksRecord.Scopes = []string{"a"}
		if err := keys.Replace(staysRecord, staysRecord); err == nil {
			t.Error("an id was accepted twice")
		}
		if err := keys.Replace(staysRecord, shrinksRecord); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for id, want := range map[string]error{"stays": nil, "goes": ErrCredentialEnded, "shrinks": ErrCredentialEnded} {
			if got := context.Cause(streams[id]); got != want {
				t.Errorf("the stream of the key that %s: got %v, want %v", id, got, want)
			}
		}
		// What has stayed can still be revoked.
		if err := keys.Replace(shrinksRecord); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := context.Cause(streams["stays"]); got != ErrCredentialEnded {
			t.Errorf("got %v after the last revocation", got)
		}
	})
}

func writeKeys(t *testing.T, path string, keys ...APIKey) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys.json")
	key, record := newTestKey(t, nil, APIKey{ID: "k1", Subject: "ann"})
	next, nextRecord := newTestKey(t, nil, APIKey{ID: "k-2", Subject: "ann"})
	writeKeys(t, path, record)
	synctest.Test(t, func(t *testing.T) {
		keys, err := LoadAPIKeys(path, nil, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		watched := make(chan error, 1)
		go func() { watched <- keys.Watch(ctx) }()
		accepts := func(when, key string, want bool) {
			t.Helper()
			if _, err := keys.Authenticate(t.Context(), withKey(key)); (err == nil) != want {
				t.Errorf("%s: got %v, want that it is accepted: %t", when, err, want)
			}
		}
		accepts("at first", key, true)
		accepts("at first", next, false)
		writeKeys(t, path, record, nextRecord)
		time.Sleep(keyFileInterval) // of the bubble's clock
		synctest.Wait()
		accepts("after rotation", key, true)
		accepts("after rotation", next, true)
		if err := os.WriteFile(path, []byte(`{"keys":[`), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(keyFileInterval)
		synctest.Wait()
		accepts("while the file is broken", key, true)
		writeKeys(t, path, nextRecord)
		time.Sleep(keyFileInterval)
		synctest.Wait()
		accepts("after revocation", key, false)
		accepts("after revocation", next, true)
		cancel()
		if err := <-watched; !errors.Is(err, context.Canceled) {
			t.Errorf("Watch ended with %v", err)
		}
	})
}

func TestKeyFileMistakes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		mode       os.FileMode
		want       string
	}{
		{"empty", "", 0o600, "EOF"},
		{"no keys", `{"keys":[]}`, 0o600, "NewAPIKey"},
		{"an unknown member", `{"keys":[{"id":"a","secret":"b"}]}`, 0o600, "unknown field"},
		{"writable by everybody", `{"keys":[]}`, 0o666, "chmod"},
	} {
		path := filepath.Join(t.TempDir(), "keys.json")
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, test.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadAPIKeys(path, nil, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want something about %q", test.name, err, test.want)
		}
	}
	if _, err := LoadAPIKeys(filepath.Join(t.TempDir(), "none"), nil, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v without a file", err)
	}
	keys, err := NewAPIKeys(nil, testKey(t, APIKey{Subject: "ann"}))
	if err != nil {
		t.Fatal(err)
	}
	if keys.Reload() == nil {
		t.Error("keys of no file were reloaded")
	}
}

func FuzzKeyID(f *testing.F) {
	key, _ := newTestKey(f, nil, APIKey{ID: "k1", Subject: "ann"})
	for _, seed := range []string{key, "", "mcp_", "mcp_test_k1_" + strings.Repeat("a", 43) + "_00000000", "mcp____"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		id, err := keyID(key)
		if (id == "") == (err == nil) || (id != "" && !isKeyID(id)) {
			t.Errorf("got %q, %v of %q", id, err, key)
		}
	})
}

func BenchmarkAPIKey(b *testing.B) {
	key, record := newTestKey(b, []byte("pepper"), APIKey{ID: "k1", Subject: "ann"})
	keys, err := NewAPIKeys([]byte("pepper"), record)
	if err != nil {
		b.Fatal(err)
	}
	m := mustMiddleware(b, Config{Authenticators: []Authenticator{keys}, Unbounded: true})
	benchmarkWarm(b, m, withKey(key))
}

// benchmarkWarm measures what a middleware adds to a request.
func benchmarkWarm(b *testing.B, m *Middleware, r *http.Request) {
	b.Helper()
	calls := 0
	h := m.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if FromContext(r.Context()) != nil {
			calls++
		}
	}))
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
	if calls == 0 {
		b.Error("nobody got through")
	}
}

func TestRecordAPIKey(t *testing.T) {
	t.Parallel()
	template := APIKey{Subject: "bob", Scopes: []string{"read"}}
	key, want, err := NewAPIKey("test", []byte("pepper"), template)
	if err != nil {
		t.Fatal(err)
	}
	got, err := RecordAPIKey(key, []byte("pepper"), template)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, differs (-drawn +recorded):\n%s", err, diff)
	}
	for _, wrong := range []string{"", "secret", key + "a", key[1:]} {
		if _, err := RecordAPIKey(wrong, nil, template); err == nil || wrong != "" && strings.Contains(err.Error(), wrong) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := RecordAPIKey(key, nil, APIKey{}); err == nil {
		t.Error("a key of nobody is recorded")
	}
}
