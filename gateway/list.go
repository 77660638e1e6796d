// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// lists are the members of the results of lists.
var lists = map[string]struct {
	member     string
	name       string // the member of an item that tells it from others
	prefixed   bool
	capability string
}{
	methodListTools:     {"tools", "name", true, "tools"},
	methodListPrompts:   {"prompts", "name", true, "prompts"},
	methodListResources: {"resources", "uri", false, "resources"},
	methodListTemplates: {"resourceTemplates", "uriTemplate", false, "resources"},
}

// A cursor says where a page of the list of several upstreams begins: at which upstream, and
// where in its list.
type cursor struct {
	Upstream int    `json:"u"`
	Cursor   string `json:"c,omitempty"`
}

// list gives a page of a list: one of the upstream's. With several upstreams the list
// is theirs in their order, so that it is as stable as they are, and nothing is kept between its pages.
func (r *request) list(ctx context.Context) (json.RawMessage, error) {
	if len(r.g.upstreams) == 1 && r.g.upstreams[0].prefix == "" {
		return target{r.g.upstreams[0], r.params}.forward(ctx, r)
	}
	at, err := r.cursor()
	if err != nil {
		return nil, err
	}
	var failed error
	for ; at.Upstream < len(r.g.upstreams); at = (cursor{Upstream: at.Upstream + 1}) {
		u := r.g.upstreams[at.Upstream]
		page, next, n, err := r.page(ctx, u, at.Cursor)
		if err != nil {
			if ctx.Err() != nil || at.Cursor != "" {
				return nil, err
			}
			// One upstream that is down must not hide the others.
			r.g.cfg.Logger.Warn("a list is without an upstream", "upstream", u.Name, "method", r.method, "error", err)
			failed = err
			continue
		}
		if n == 0 && next == "" && at.Upstream < len(r.g.upstreams)-1 {
			continue
		}
		switch {
		case next != "":
			page["nextCursor"] = quote(cursor{at.Upstream, next}.text())
		case at.Upstream < len(r.g.upstreams)-1:
			page["nextCursor"] = quote(cursor{Upstream: at.Upstream + 1}.text())
		default:
			delete(page, "nextCursor")
		}
		return page.text(), nil
	}
	if failed != nil {
		return nil, failed
	}
	return r.emptyPage(), nil
}

func (r *request) emptyPage() json.RawMessage {
	page := object{lists[r.method].member: json.RawMessage("[]")}
	if r.front.modern {
		page["resultType"], page["ttlMs"], page["cacheScope"] = json.RawMessage(`"complete"`), json.RawMessage("0"), json.RawMessage(`"private"`)
	}
	return page.text()
}

func (c cursor) text() string {
	text, err := json.Marshal(c)
	if err != nil {
		return "" // cannot be
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func (r *request) cursor() (c cursor, err error) {
	text := r.params.str("cursor")
	if text == "" {
		return c, nil
	}
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(plain, &c)
	}
	if err != nil || c.Upstream < 0 || c.Upstream >= len(r.g.upstreams) {
		return c, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "cursor: it is none that this server has given"}
	}
	return c, nil
}

// page gives a page of an upstream's list, with its prefix; n is how many items it has.
func (r *request) page(ctx context.Context, u *upstream, from string) (page object, next string, n int, err error) {
	kind := lists[r.method]
	c, err := u.acquire(ctx, r.front)
	if err != nil {
		return nil, "", 0, err
	}
	_, has := c.capabilities[kind.capability]
	u.release(c)
	if !has {
		page, err := objectOf(r.emptyPage())
		return page, "", 0, err
	}
	params := r.params.with("cursor", quote(from))
	if from == "" {
		delete(params, "cursor")
	}
	result, err := target{u, params}.forward(ctx, r)
	if err != nil {
		return nil, "", 0, err
	}
	if page, err = objectOf(result); err != nil {
		return nil, "", 0, err
	}
	var items []object
	if err := json.Unmarshal(page[kind.member], &items); err != nil {
		return nil, "", 0, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "an upstream's list cannot be read"}
	}
	texts := make([]json.RawMessage, len(items))
	for i, item := range items {
		if kind.prefixed {
			item["name"] = quote(u.prefix + item.str("name"))
		}
		r.g.own(thing{kind.member, item.str(kind.name)}, u)
		texts[i] = item.text()
	}
	if page[kind.member], err = json.Marshal(texts); err != nil {
		return nil, "", 0, err
	}
	return page, page.str("nextCursor"), len(items), nil
}

// A thing is something that lists show.
type thing struct {
	list string // the member of results that it stands in
	name string // as clients know it
}

func resource(uri string) thing { return thing{lists[methodListResources].member, uri} }

// maxOwners bounds the things whose upstream is remembered.
const maxOwners = 100_000

// own notes whose a thing is. Of two upstreams with the same resource the first one has it; of two
// with the same name, the one with the longer prefix, which is the one that nobody else can have.
func (g *Gateway) own(t thing, u *upstream) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.owners) >= maxOwners {
		clear(g.owners)
	}
	if old := g.owners[t]; old == nil || len(u.prefix) > len(old.prefix) && strings.HasPrefix(t.name, u.prefix) {
		g.owners[t] = u
	}
}

// ownerOf gives the upstream that has a thing, nil if that is not known.
func (g *Gateway) ownerOf(t thing) *upstream {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.owners[t]
}

// disown forgets what lists have shown, since they have changed.
func (g *Gateway) disown() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.owners)
}

// find looks for a thing in the lists of those that may have it, the likeliest first. It gives that
// if none shows it.
func (r *request) find(ctx context.Context, method, name string, among []*upstream) *upstream {
	t := thing{lists[method].member, name}
	listing := &request{g: r.g, front: r.front, method: method, params: object{"_meta": r.params["_meta"]}}
	for _, u := range among {
		from := ""
		for range maxToolPages {
			_, next, _, err := listing.page(ctx, u, from)
			if r.g.ownerOf(t) == u {
				return u
			}
			if err != nil || next == "" {
				break
			}
			from = next
		}
	}
	return among[0]
}
