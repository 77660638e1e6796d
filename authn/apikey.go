// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// An APIKey is what a server keeps of an API key: enough to recognise it, and not enough to
// use it.
type APIKey struct {
	// ID is the part of the key that names it, in logs for example.
	ID string `json:"id"`
	// Hash is the HMAC-SHA-256 of the whole key under the server's pepper, in hex.
	Hash string `json:"hash"`
	// Subject is whose key it is. A subject may have several keys: to rotate one, hand out
	// the next and remove the old one later.
	Subject string `json:"subject"`
	// Tenant is the organisation that the subject belongs to, empty for none.
	Tenant string `json:"tenant,omitempty"`
	// Scopes are what the key may be used for.
	Scopes []string `json:"scopes,omitempty"`
	// Expires is when it ends. Zero is never.
	Expires time.Time `json:"expires,omitzero"`
}

// APIKeys is the [Authenticator] for API keys in the header X-Mcp-Api-Key. It is safe for
// concurrent use.
type APIKeys struct {
	pepper []byte
	macs   sync.Pool // of *keyMAC
	path   string    // of the file that the keys are from; empty for none
	stamp  atomic.Pointer[fileStamp]
	log    *slog.Logger

	replacing sync.Mutex // held by the one who changes set
	set       atomic.Pointer[keySet]
}

var _ Authenticator = (*APIKeys)(nil)

// A keySet is fixed once it is in use.
type keySet struct {
	byID map[string]*keyEntry
}

type keyEntry struct {
	APIKey

	hash      []byte
	principal *Principal
	revoke    context.CancelFunc // ends the streams of the key
}

// NewAPIKeys makes an APIKeys that knows keys. pepper is a secret of the server, kept apart
// from the hashes; it may be nil, since the secrets that [NewAPIKey] draws cannot be
// guessed. NewAPIKeys fails for ids that are wrong or given twice, hashes that are none,
// and without any key.
func NewAPIKeys(pepper []byte, keys ...APIKey) (*APIKeys, error) {
	k := newKeys(pepper, slog.Default())
	return k, k.Replace(keys...)
}

func newKeys(pepper []byte, log *slog.Logger) *APIKeys {
	k := &APIKeys{pepper: slices.Clone(pepper), log: log}
	k.macs.New = func() any { return &keyMAC{mac: hmac.New(sha256.New, k.pepper)} }
	return k
}

// Replace puts keys in the place of those known until now. Streams of keys that are gone,
// or have become another's, end with unauthenticated. It fails as [NewAPIKeys] does, and
// then changes nothing.
func (k *APIKeys) Replace(keys ...APIKey) error {
	next := &keySet{byID: make(map[string]*keyEntry, len(keys))}
	if len(keys) == 0 {
		return errors.New("API keys: there is none: add one, made by NewAPIKey")
	}
	for _, key := range keys {
		e, err := newKeyEntry(key)
		if err != nil {
			return fmt.Errorf("API key %q: %w", key.ID, err)
		}
		if next.byID[key.ID] != nil {
			return fmt.Errorf("API key %q is there twice: give each key an id of its own", key.ID)
		}
		next.byID[key.ID] = e
	}
	k.replacing.Lock()
	defer k.replacing.Unlock()
	previous := k.set.Load()
	var gone []context.CancelFunc
	for id, old := range previous.all() {
		if e := next.byID[id]; e != nil && e.continues(old) {
			e.principal, e.revoke = old.principal, old.revoke
		} else {
			gone = append(gone, old.revoke)
		}
	}
	k.set.Store(next)
	for _, revoke := range gone {
		revoke()
	}
	return nil
}

func (s *keySet) all() map[string]*keyEntry {
	if s == nil {
		return nil
	}
	return s.byID
}

func newKeyEntry(key APIKey) (*keyEntry, error) {
	if !isKeyID(key.ID) {
		return nil, errors.New("an id has 1 to 64 letters, digits and dashes")
	}
	hash, err := hex.DecodeString(key.Hash)
	if err != nil || len(hash) != sha256.Size {
		return nil, errors.New("the hash is not a SHA-256 in hex: keep what NewAPIKey gives, never the key itself")
	}
	grant := Grant{Subject: key.Subject, Tenant: key.Tenant, Scopes: slices.Clone(key.Scopes)}
	if err := grant.check(); err != nil {
		return nil, err
	}
	p := grant.principal(MethodAPIKey, key.Subject)
	p.CredentialID, p.Expires = key.ID, key.Expires
	e := &keyEntry{APIKey: key, hash: hash}
	p.revoked, e.revoke = context.WithCancel(context.Background()) //nolint:gosec // called when the key goes
	e.principal = sealed(p)
	return e, nil
}

// continues tells whether e is old, unchanged.
func (e *keyEntry) continues(old *keyEntry) bool {
	return e.Hash == old.Hash && e.Subject == old.Subject && e.Tenant == old.Tenant &&
		slices.Equal(e.Scopes, old.Scopes) && e.Expires.Equal(old.Expires)
}

// Scheme implements [Authenticator].
func (*APIKeys) Scheme() string { return "ApiKey" }

// noHash is compared with where there is no key, so that this takes no less time.
var noHash = make([]byte, sha256.Size)

// Authenticate implements [Authenticator].
func (k *APIKeys) Authenticate(_ context.Context, r *http.Request) (*Principal, error) {
	values := r.Header[headerAPIKey]
	if len(values) == 0 {
		return nil, nil
	}
	key := values[0]
	id, err := keyID(key)
	if err != nil {
		return nil, err
	}
	hash := noHash
	e := k.set.Load().byID[id]
	if e != nil {
		hash = e.hash
	}
	mac := k.macs.Get().(*keyMAC) //nolint:errcheck // New makes them
	defer k.macs.Put(mac)
	if sum := mac.sum(key); subtle.ConstantTimeCompare(hash, sum) != 1 || e == nil {
		return nil, invalid("API key %q is unknown or wrong", id)
	}
	return e.principal, nil
}

// secretBytes is how much of a key is drawn at random.
const secretBytes = 32

// NewAPIKey draws a key for what template says. It gives the key, which is shown to its
// owner once and kept nowhere, and the record for [NewAPIKeys]. environment is a word such
// as "live" or "test" that people and scanners recognise the key by. If template has no ID
// one is drawn, too.
func NewAPIKey(environment string, pepper []byte, template APIKey) (key string, record APIKey, err error) {
	record = template
	if record.ID == "" {
		record.ID = strings.ToLower(rand.Text()[:12])
	}
	if !isKeyID(environment) {
		return "", APIKey{}, fmt.Errorf("environment %q: use 1 to 64 letters, digits and dashes", environment)
	}
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails
	key = "mcp_" + environment + "_" + record.ID + "_" + base64.RawURLEncoding.EncodeToString(secret)
	sum := checksum(key)
	key += "_" + string(sum[:])
	record.Hash = hex.EncodeToString(newKeys(pepper, nil).hash(key))
	_, err = newKeyEntry(record)
	if err != nil {
		return "", APIKey{}, fmt.Errorf("API key %q: %w", record.ID, err)
	}
	return key, record, nil
}

// RecordAPIKey gives the record of a key that [NewAPIKey] has drawn elsewhere, for what template says,
// whose ID and Hash do not count. It fails if key is no API key; its error does not have the key.
func RecordAPIKey(key string, pepper []byte, template APIKey) (record APIKey, err error) {
	record = template
	if record.ID, err = keyID(key); err != nil {
		return APIKey{}, err
	}
	record.Hash = hex.EncodeToString(newKeys(pepper, nil).hash(key))
	if _, err := newKeyEntry(record); err != nil {
		return APIKey{}, fmt.Errorf("API key %q: %w", record.ID, err)
	}
	return record, nil
}

// keyID reads a key as far as it may be logged. A checksum that is wrong ends it there: no
// typing error costs a look-up.
func keyID(key string) (string, error) {
	if len(key) > 256 {
		return "", invalid("the API key has more than 256 bytes")
	}
	rest, ok := strings.CutPrefix(key, "mcp_")
	i := strings.LastIndexByte(key, '_')
	if !ok || i < 0 {
		return "", invalid("this is no API key, or not all of it")
	}
	if sum := checksum(key[:i]); string(sum[:]) != key[i+1:] {
		return "", invalid("this is no API key, or not all of it")
	}
	environment, rest, ok := strings.Cut(rest, "_")
	id, secret, ok2 := strings.Cut(rest, "_")
	if !ok || !ok2 || !isKeyID(environment) || !isKeyID(id) || len(secret) < base64.RawURLEncoding.EncodedLen(secretBytes) {
		return "", invalid("this is no API key")
	}
	return id, nil
}

// checksum is there for typing errors and for scanners that look for leaked keys. It is in hex.
func checksum(text string) (sum [2 * crc32.Size]byte) {
	crc := ^uint32(0)
	for i := range len(text) { // package crc32 wants bytes, and a copy of a secret
		crc = crc32.IEEETable[byte(crc)^text[i]] ^ crc>>8
	}
	var bytes [crc32.Size]byte
	binary.BigEndian.PutUint32(bytes[:], ^crc)
	hex.Encode(sum[:], bytes[:])
	return sum
}

func isKeyID(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
		default:
			return false
		}
	}
	return 1 <= len(s) && len(s) <= 64
}

// A keyMAC hashes keys, one at a time. It is used again, since the pepper is most of the work.
//
// It is not made slow on purpose, as for passwords: the secret has 256 bits.
type keyMAC struct {
	mac hash.Hash
	key []byte
	out [sha256.Size]byte
}

// sum gives the hash of a key. It is good until the next one.
func (m *keyMAC) sum(key string) []byte {
	m.mac.Reset()
	m.key = append(m.key[:0], key...)
	m.mac.Write(m.key)
	clear(m.key)
	return m.mac.Sum(m.out[:0])
}

func (k *APIKeys) hash(key string) []byte {
	return slices.Clone(k.macs.New().(*keyMAC).sum(key)) //nolint:errcheck // New makes them
}
