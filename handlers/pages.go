// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"slices"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A page is one page of a list as it goes out, as a message or as JSON. It is made once, however
// often it is asked for; nobody must change it.
type page struct {
	message proto.Message
	text    json.RawMessage

	once    sync.Once
	gzipped []byte // see compressed; nil if it is not worth it
}

// pages are those lately asked for. A page is known by what is on it: the very features that
// the server's handlers, middleware included, have given for a request. So there is nothing
// to invalidate: a server whose list has changed, or that shows other features to somebody
// else, gives others. The zero value is ready.
type pages struct {
	tools     pagesOf[mcp.Tool]
	resources pagesOf[mcp.Resource]
	templates pagesOf[mcp.ResourceTemplate]
	prompts   pagesOf[mcp.Prompt]
}

// get gives the page for the result of a list method, as the message m.
func (p *pages) get(res mcp.Result, m proto.Message, o mapping.ResultOptions) (*page, error) {
	return p.find(res, o, func() (*page, error) { return &page{message: m}, mapping.FromSDKResult(res, m, o) })
}

// json gives a result as JSON: if it is that of a list method, the page that is known.
func (p *pages) json(res mcp.Result, o mapping.ResultOptions) (json.RawMessage, error) {
	found, err := p.find(res, o, func() (*page, error) {
		text, err := mapping.EncodeSDK(o.Annotate(res))
		return &page{text: text}, err
	})
	if err != nil {
		return nil, err
	}
	return found.text, nil
}

// find gives the page that is known for a result, or makes it.
func (p *pages) find(res mcp.Result, o mapping.ResultOptions, build func() (*page, error)) (*page, error) {
	switch r := res.(type) {
	case *mcp.ListToolsResult:
		return p.tools.get(res, r.Tools, pageKey{options: o, next: r.NextCursor, cacheable: r.Cacheable}, build)
	case *mcp.ListResourcesResult:
		return p.resources.get(res, r.Resources, pageKey{options: o, next: r.NextCursor, cacheable: r.Cacheable}, build)
	case *mcp.ListResourceTemplatesResult:
		return p.templates.get(res, r.ResourceTemplates, pageKey{options: o, next: r.NextCursor, cacheable: r.Cacheable}, build)
	case *mcp.ListPromptsResult:
		return p.prompts.get(res, r.Prompts, pageKey{options: o, next: r.NextCursor, cacheable: r.Cacheable}, build)
	}
	return build()
}

// pageKey is what a page has beside its features, and enough of them that few pages share one.
type pageKey struct {
	options   mapping.ResultOptions
	next      string
	cacheable mcp.Cacheable
	null      bool // there are no features, not even an empty list of them
	n         int
	first     any
}

// maxPageItems bounds the features on the pages that are kept, of each kind: a client may ask
// for pages that begin anywhere.
const maxPageItems = 20_000

type pagesOf[T any] struct {
	mu    sync.Mutex
	known map[pageKey][]knownPage[T]
	items int // on all pages
}

type knownPage[T any] struct {
	features []*T
	page     *page
}

// get gives the page that is known for the features, or makes one.
func (p *pagesOf[T]) get(res mcp.Result, features []*T, key pageKey, build func() (*page, error)) (*page, error) {
	if len(res.GetMeta()) > 0 {
		return build() // of this request alone
	}
	key.null = features == nil
	if key.n = len(features); key.n > 0 {
		key.first = features[0]
	}
	if known := p.find(features, key); known != nil {
		return known, nil
	}
	fresh, err := build()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.items += len(features) + 1
	if p.known == nil || p.items > maxPageItems {
		p.known, p.items = map[pageKey][]knownPage[T]{}, len(features)+1
	}
	p.known[key] = append(p.known[key], knownPage[T]{slices.Clone(features), fresh})
	return fresh, nil
}

// maxLookups is how many pages that differ in nothing but their features are looked at: those
// made last.
const maxLookups = 16

func (p *pagesOf[T]) find(features []*T, key pageKey) *page {
	p.mu.Lock()
	defer p.mu.Unlock()
	candidates := p.known[key]
	for i := len(candidates) - 1; i >= max(0, len(candidates)-maxLookups); i-- {
		if slices.Equal(candidates[i].features, features) {
			return candidates[i].page
		}
	}
	return nil
}

// minGzip is the size from which a page is worth compressing. That is done once, and repays
// with each time that it is sent: lists repeat themselves, to a twentieth of their size.
const minGzip = 4 << 10

// compressed gives the encoding of reply with the page in it, gzipped; nil if the page is
// small.
func (p *page) compressed(reply *mcpv1.ReplyFrame) []byte {
	p.once.Do(func() {
		encoded, err := proto.Marshal(reply)
		if err != nil || len(encoded) < minGzip {
			return // an error comes again when it is sent as it is
		}
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write(encoded); err == nil && w.Close() == nil {
			p.gzipped = b.Bytes()
		}
	})
	return p.gzipped
}
