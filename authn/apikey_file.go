// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
)

// maxKeyFileBytes bounds a file of keys: some 100,000 of them.
const maxKeyFileBytes = 32 << 20

// keyFileInterval is how often Watch looks at the file.
const keyFileInterval = 10 * time.Second

// A fileStamp changes when a file does.
type fileStamp struct {
	modified time.Time
	size     int64
}

// LoadAPIKeys makes an APIKeys of a file: a JSON object whose member "keys" is an array of
// [APIKey]. It fails as [NewAPIKeys] does, for members that it does not know, and where the
// file can be written by everybody. Changes count after [APIKeys.Reload], or at once while
// [APIKeys.Watch] runs. If logger is nil, [slog.Default] is used.
func LoadAPIKeys(path string, pepper []byte, logger *slog.Logger) (*APIKeys, error) {
	if logger == nil {
		logger = slog.Default()
	}
	k := newKeys(pepper, logger)
	k.path = path
	return k, k.Reload()
}

// Reload reads the file again. If that fails the keys stay as they are.
func (k *APIKeys) Reload() error {
	if k.path == "" {
		return errors.New("API keys: they are from no file: use Replace")
	}
	f, err := os.Open(k.path)
	if err != nil {
		return fmt.Errorf("API keys: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("API keys: %w", err)
	}
	if info.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("API keys: everybody can write %s: take that right away (chmod o-w)", k.path)
	}
	var doc struct {
		Keys []APIKey `json:"keys"`
	}
	d := json.NewDecoder(io.LimitReader(f, maxKeyFileBytes))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		return fmt.Errorf("API keys: %s: %w", k.path, err)
	}
	if err := k.Replace(doc.Keys...); err != nil {
		return fmt.Errorf("%s: %w", k.path, err)
	}
	k.stamp.Store(&fileStamp{info.ModTime(), info.Size()})
	return nil
}

// Watch reads the file again whenever it has changed, until ctx ends: keys that are taken
// out are refused within 10 seconds, and their streams end. A file that cannot be used is
// logged, and changes nothing. Watch returns the cause of ctx's end. It may run once at a
// time.
func (k *APIKeys) Watch(ctx context.Context) error {
	ticker := time.NewTicker(keyFileInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
			k.reloadIfChanged()
		}
	}
}

func (k *APIKeys) reloadIfChanged() {
	info, err := os.Stat(k.path)
	if err == nil {
		if last := k.stamp.Load(); last != nil && last.modified.Equal(info.ModTime()) && last.size == info.Size() {
			return
		}
		err = k.Reload()
	}
	if err != nil {
		k.log.Error("API keys stay as they are", "error", err)
	}
}
