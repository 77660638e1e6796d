// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// A Credential is what a login has given. It holds secrets.
type Credential struct {
	// Resource is the server that the token is for, as its metadata names it, and Issuer who gave it.
	Resource string `json:"resource"`
	Issuer   string `json:"issuer"`
	// Client is who we are at the issuer.
	Client Registration `json:"client"`
	// TokenEndpoint is where the token is refreshed.
	TokenEndpoint string `json:"token_endpoint"`
	// Scopes are those that the token has, as far as we know.
	Scopes []string `json:"scopes,omitempty"`
	// Token is the access token, and what refreshes it. It is nil once it is worth nothing: who we are
	// at the issuer is still known then.
	Token *oauth2.Token `json:"token,omitempty"`
}

// A Registration is a client of an authorization server.
type Registration struct {
	// ID is the client id, and Secret its secret, empty for a public client.
	ID     string `json:"id"`
	Secret string `json:"secret,omitempty"`
	// Style is how the client tells the token endpoint who it is.
	Style oauth2.AuthStyle `json:"style,omitempty"`
	// SecretExpires is when the secret does, zero for never.
	SecretExpires time.Time `json:"secret_expires,omitzero"`
	// Dynamic registrations can be made again, and are for one RedirectURL: not every server takes any
	// port of this machine.
	Dynamic     bool   `json:"dynamic,omitempty"`
	RedirectURL string `json:"redirect_url,omitempty"`
}

// A Store keeps credentials by the URL of the server that they are for, and by the Issuer of each. It
// must be safe for concurrent use, also by several processes if they share it.
type Store interface {
	// Load gives the credential that was saved last, whoever its issuer is, nil for none.
	Load(ctx context.Context, resource string) (*Credential, error)
	// LoadOf gives the credential of one issuer, nil for none.
	LoadOf(ctx context.Context, resource, issuer string) (*Credential, error)
	// Save keeps a credential in the place of any other of its issuer; nil removes those of all issuers.
	Save(ctx context.Context, resource string, c *Credential) error
}

// A Locker is a [Store] that several processes share. One of them at a time refreshes a credential.
type Locker interface {
	// Lock waits, as long as ctx lasts, until nobody else has the lock of a resource.
	Lock(ctx context.Context, resource string) (unlock func(), err error)
}

// A memory is a store that ends with its process, for one resource.
type memory struct {
	mu   sync.Mutex
	last *Credential
	of   map[string]*Credential // by issuer
}

func (m *memory) Load(context.Context, string) (*Credential, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last, nil
}

func (m *memory) LoadOf(_ context.Context, _, issuer string) (*Credential, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of[issuer], nil
}

func (m *memory) Save(_ context.Context, _ string, c *Credential) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = c
	if c == nil {
		m.of = nil
		return nil
	}
	if len(m.of) >= maxIssuers || m.of == nil { // the resource names them
		m.of = map[string]*Credential{}
	}
	m.of[c.Issuer] = c
	return nil
}

// maxIssuers bounds how many issuers of one resource are remembered.
const maxIssuers = 16

// A FileStore keeps each credential in a file of its own, which only its user can read: that of the
// last issuer of a resource under the name of the resource, those of others beside it.
type FileStore struct {
	// Dir is the folder. It is made, for its user alone, when there is something to keep.
	Dir string
}

var (
	_ Store  = FileStore{}
	_ Locker = FileStore{}
)

// path names the file: URLs have characters that file names cannot have.
func (s FileStore) path(resource string) string {
	return filepath.Join(s.Dir, nameOf(resource)+".json")
}

// pathOf names the file of an issuer that is not the last one.
func (s FileStore) pathOf(resource, issuer string) string {
	return filepath.Join(s.Dir, nameOf(resource)+"-"+nameOf(issuer)+".json")
}

func nameOf(url string) string {
	sum := sha256.Sum256([]byte(url))
	return hex.EncodeToString(sum[:16])
}

// Load implements [Store]. It refuses a file that others can read.
func (s FileStore) Load(_ context.Context, resource string) (*Credential, error) {
	return readCredential(s.path(resource))
}

// LoadOf implements [Store].
func (s FileStore) LoadOf(ctx context.Context, resource, issuer string) (*Credential, error) {
	if last, err := s.Load(ctx, resource); err == nil && last != nil && last.Issuer == issuer {
		return last, nil
	}
	return readCredential(s.pathOf(resource, issuer))
}

func readCredential(path string) (*Credential, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, fmt.Errorf("oauth: %w", err)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 && os.PathSeparator == '/' {
		return nil, fmt.Errorf("oauth: %s has mode %v, so others can read the token: log in again, or run chmod 600", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("oauth: %w", err)
	}
	c := new(Credential)
	if err := json.Unmarshal(text, c); err != nil || c.Resource == "" {
		return nil, fmt.Errorf("oauth: %s is not a credential: remove it, and log in again", path) // its text is a secret
	}
	return c, nil
}

// Save implements [Store]. A reader sees the old file or the new one.
func (s FileStore) Save(ctx context.Context, resource string, c *Credential) error {
	if c == nil {
		return s.remove(resource)
	}
	if last, err := s.Load(ctx, resource); err == nil && last != nil && last.Issuer != c.Issuer {
		if err := s.write(s.pathOf(resource, last.Issuer), last); err != nil {
			return err
		}
	}
	if err := s.write(s.path(resource), c); err != nil {
		return err
	}
	return removeFile(s.pathOf(resource, c.Issuer)) // as it was before
}

func (s FileStore) write(path string, c *Credential) error {
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("oauth: %w", err)
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return fmt.Errorf("oauth: %w", err)
	}
	f, err := os.CreateTemp(s.Dir, ".new-*") // for its user alone
	if err != nil {
		return fmt.Errorf("oauth: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("oauth: %w", err), os.Remove(f.Name()))
	}
	return nil
}

// remove removes what there is for a resource, of all issuers.
func (s FileStore) remove(resource string) error {
	files, err := os.ReadDir(s.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("oauth: %w", err)
	}
	var failed error
	for _, f := range files {
		if name := f.Name(); strings.HasPrefix(name, nameOf(resource)) && strings.HasSuffix(name, ".json") {
			failed = errors.Join(failed, removeFile(filepath.Join(s.Dir, name)))
		}
	}
	return failed
}

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("oauth: %w", err)
	}
	return nil
}

// lasts tells whether a registration is still good.
func (r *Registration) lasts() bool {
	return r.SecretExpires.IsZero() || time.Until(r.SecretExpires) > time.Minute
}
