// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"bytes"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A metaCache keeps the `_meta` of a result that was read lately: nearly all results of a server
// have the same. The zero value is ready, and safe for concurrent use.
type metaCache struct{ last atomic.Pointer[decodedMeta] }

type decodedMeta struct {
	text []byte
	meta *jsonTemplate
}

// maxCachedMeta bounds the text that is kept.
const maxCachedMeta = 4 << 10

// get gives the `_meta` that text stands for, which decode reads if it is another one than last
// time.
func (c *metaCache) get(text []byte, decode func() (mcp.Meta, error)) (mcp.Meta, error) {
	last := c.last.Load()
	if last == nil || !bytes.Equal(last.text, text) {
		meta, err := decode()
		if err != nil || meta == nil || len(text) > maxCachedMeta {
			return meta, err
		}
		last = &decodedMeta{text: bytes.Clone(text), meta: newJSONTemplate(meta)}
		c.last.Store(last)
	}
	return last.meta.object(), nil
}

// A jsonTemplate makes copies of a decoded JSON object that share nothing that can be changed:
// results belong to their callers.
type jsonTemplate struct {
	flat    map[string]any
	objects map[string]*jsonTemplate
	arrays  map[string][]any
}

func newJSONTemplate(object map[string]any) *jsonTemplate {
	// A decoder makes maps with room for more, which would be copied each time.
	t := &jsonTemplate{flat: make(map[string]any, len(object))}
	maps.Copy(t.flat, object)
	for key, value := range object {
		switch value := value.(type) {
		case map[string]any:
			if t.objects == nil {
				t.objects = map[string]*jsonTemplate{}
			}
			t.objects[key] = newJSONTemplate(value)
		case []any:
			if t.arrays == nil {
				t.arrays = map[string][]any{}
			}
			t.arrays[key] = value
		}
	}
	return t
}

// object gives a copy.
func (t *jsonTemplate) object() map[string]any {
	c := maps.Clone(t.flat)
	for key, object := range t.objects {
		c[key] = object.object()
	}
	for key, array := range t.arrays {
		c[key] = cloneArray(array)
	}
	return c
}

func cloneArray(array []any) []any {
	c := slices.Clone(array)
	for i, value := range c {
		switch value := value.(type) {
		case map[string]any:
			c[i] = newJSONTemplate(value).object()
		case []any:
			c[i] = cloneArray(value)
		}
	}
	return c
}
