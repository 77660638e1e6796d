// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bytes"
	"encoding/json"
)

// A knownMeta is a `_meta` that was looked at lately: nearly all requests of a client have the same.
// It has no progress token, which another request would not have.
type knownMeta struct {
	text   json.RawMessage
	legacy json.RawMessage // as upstreams with sessions get it; nil for nothing
}

// maxKnownMeta bounds the text that is kept.
const maxKnownMeta = 4 << 10

// known gives what is known of a `_meta`; nil for nothing.
func (g *Gateway) known(text json.RawMessage) *knownMeta {
	if k := g.lastMeta.Load(); k != nil && bytes.Equal(k.text, text) {
		return k
	}
	return nil
}

// checkMeta refuses a `_meta` with a member that other readers may take for one that MCP knows.
func (g *Gateway) checkMeta(text json.RawMessage) error {
	if g.known(text) != nil {
		return nil
	}
	meta, err := objectOf(text)
	if err != nil {
		return err
	}
	if err := meta.distinct("_meta.", "progressToken", metaVersion, metaClientInfo, metaCapabilities, metaLogLevel); err != nil {
		return err
	}
	if _, ok := meta["progressToken"]; ok || len(text) > maxKnownMeta {
		return nil
	}
	k := &knownMeta{text: bytes.Clone(text)}
	if meta.becomeLegacy(); len(meta) > 0 {
		k.legacy = meta.text()
	}
	g.lastMeta.Store(k)
	return nil
}

// becomeLegacy leaves out of a `_meta` what upstreams with sessions know from initialize.
func (o object) becomeLegacy() {
	for _, key := range []string{metaVersion, metaClientInfo, metaCapabilities, metaLogLevel} {
		delete(o, key)
	}
}
