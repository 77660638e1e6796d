// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// cachingServer says of every list how long it may be kept, and by whom.
func cachingServer(ttlMs int, scope string) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "caching", Version: "1"}, &mcp.ServerOptions{
		Capabilities: &mcp.ServerCapabilities{
			Tools: &mcp.ToolCapabilities{}, Prompts: &mcp.PromptCapabilities{}, Resources: &mcp.ResourceCapabilities{},
		},
	})
	server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			res, err := next(ctx, method, req)
			switch r := res.(type) {
			case *mcp.ListToolsResult:
				r.Cacheable = mcp.Cacheable{TTLMs: ttlMs, CacheScope: scope}
			case *mcp.ListPromptsResult:
				r.Cacheable = mcp.Cacheable{TTLMs: ttlMs, CacheScope: scope}
			case *mcp.ListResourcesResult:
				r.Cacheable = mcp.Cacheable{TTLMs: ttlMs, CacheScope: scope}
			case *mcp.ListResourceTemplatesResult:
				r.Cacheable = mcp.Cacheable{TTLMs: ttlMs, CacheScope: scope}
			case *mcp.DiscoverResult:
				r.Cacheable = mcp.Cacheable{TTLMs: ttlMs, CacheScope: scope}
			}
			return res, err
		}
	})
	return server
}

// get makes a Connect GET. header is pairs of name and value.
func get(t testing.TB, client *http.Client, base, path, encoding string, header ...string) (*http.Response, string) {
	t.Helper()
	q := url.Values{"connect": {"v1"}, "encoding": {encoding}, "message": {""}}
	if encoding == "json" {
		q.Set("message", "{}")
	}
	req, err := http.NewRequestWithContext(testContext(t), http.MethodGet, base+path+"?"+q.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res, string(body)
}

var cacheablePaths = []string{
	"/mcp.v1.MCP/Discover", "/mcp.v1.MCP/ListTools", "/mcp.v1.MCP/ListPrompts",
	"/mcp.v1.MCP/ListResources", "/mcp.v1.MCP/ListResourceTemplates", "/mcp.v1.AuthDiscovery/GetMetadata",
}

var resourceMetadata = mcpconnect.WithResourceMetadata(&oauthex.ProtectedResourceMetadata{Resource: "https://example.com/"})

func TestCachingOfGets(t *testing.T) {
	t.Parallel()
	none := []string(nil)
	for name, c := range map[string]struct {
		ttlMs  int
		scope  string
		header []string
		want   string
	}{
		"public":                        {90_500, "public", none, "public, max-age=90"},
		"private":                       {90_500, "private", none, "private, max-age=90"},
		"less than a second":            {999, "public", none, "public, max-age=0"},
		"no time":                       {0, "public", none, "public, no-cache"},
		"no time, private":              {0, "private", none, "private, no-cache"},
		"negative time":                 {-1, "public", none, "public, no-cache"},
		"authorized":                    {90_500, "public", []string{"Authorization", "Bearer x"}, "private, max-age=90"},
		"authorized, without any time":  {0, "public", []string{"Authorization", "Bearer x"}, "private, no-cache"},
		"with a cookie":                 {90_500, "public", []string{"Cookie", "a=b"}, "private, max-age=90"},
		"accepted in another encoding":  {90_500, "public", []string{"Accept-Encoding", "gzip"}, "public, max-age=90"},
		"of a modern version in header": {90_500, "public", []string{"Mcp-Protocol-Version", modernVersion}, "public, max-age=90"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := serve(t, cachingServer(c.ttlMs, c.scope), resourceMetadata)
			for _, http1 := range []bool{true, false} {
				client := httpClient(t, http1)
				for _, path := range cacheablePaths {
					want := c.want
					if strings.HasSuffix(path, "GetMetadata") {
						// A document of the handler, public by its nature, for an hour.
						want = "public, max-age=3600"
						if strings.HasPrefix(c.want, "private") && c.scope == "public" {
							want = "private, max-age=3600" // because of who asks
						}
					}
					for _, encoding := range []string{"json", "proto"} {
						checkGet(t, client, base, path, encoding, want, c.header)
					}
				}
			}
		})
	}
}

func checkGet(t *testing.T, client *http.Client, base, path, encoding, want string, header []string) {
	t.Helper()
	res, body := get(t, client, base, path, encoding, header...)
	if res.StatusCode != http.StatusOK || body == "" {
		t.Fatalf("GET %s gave %s %s", path, res.Status, body)
	}
	if got := res.Header.Get("Cache-Control"); got != want {
		t.Errorf("GET %s: Cache-Control is %q, want %q", path, got, want)
	}
	vary := strings.ToLower(strings.Join(res.Header.Values("Vary"), ","))
	for _, name := range []string{"authorization", "mcp-session-id", "mcp-protocol-version"} {
		if !strings.Contains(vary, name) {
			t.Errorf("GET %s: Vary is %q, without %s", path, vary, name)
		}
	}
	tag := res.Header.Get("Etag")
	for _, match := range []string{tag, `"x", ` + tag, strings.TrimPrefix(tag, "W/"), "*"} {
		again, body := get(t, client, base, path, encoding, append([]string{"If-None-Match", match}, header...)...)
		if tag == "" || again.StatusCode != http.StatusNotModified || body != "" || again.Header.Get("Etag") != tag {
			t.Errorf("GET %s with tag %s gave %s %q, want not modified", path, match, again.Status, body)
		}
	}
	if other, _ := get(t, client, base, path, encoding, append([]string{"If-None-Match", `W/"other"`}, header...)...); other.StatusCode != http.StatusOK {
		t.Errorf("GET %s with another tag gave %s", path, other.Status)
	}
}

// TestNothingElseAnswersGet walks all RPCs: none but those without side effects.
func TestNothingElseAnswersGet(t *testing.T) {
	t.Parallel()
	base := serve(t, cachingServer(1000, "public"), resourceMetadata)
	client := httpClient(t, true)
	cacheable := map[string]bool{}
	for _, path := range cacheablePaths {
		cacheable[path] = true
	}
	n := 0
	for _, file := range []interface {
		Services() protoreflect.ServiceDescriptors
	}{mcpv1.File_mcp_v1_mcp_proto, mcpv1.File_mcp_v1_auth_proto} {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				path := "/" + string(service.FullName()) + "/" + string(service.Methods().Get(j).Name())
				n++
				for _, encoding := range []string{"json", "proto"} {
					res, body := get(t, client, base, path, encoding)
					if cacheable[path] {
						if res.StatusCode != http.StatusOK {
							t.Errorf("GET %s gave %s", path, res.Status)
						}
						continue
					}
					if res.StatusCode < 400 || res.StatusCode >= 500 && res.StatusCode != http.StatusHTTPVersionNotSupported {
						t.Errorf("GET %s gave %s %s, want that it is refused", path, res.Status, body)
					}
					if c := res.Header.Get("Cache-Control"); c != "" {
						t.Errorf("GET %s: refused with Cache-Control %q", path, c)
					}
				}
			}
		}
	}
	if n != 21 {
		t.Errorf("walked %d RPCs, want 21", n)
	}
}

// TestPostsAndErrorsAreNotCached: only answers to GET may be kept.
func TestPostsAndErrorsAreNotCached(t *testing.T) {
	t.Parallel()
	base := serve(t, cachingServer(1000, "public"))
	client := httpClient(t, true)
	for _, path := range cacheablePaths[:5] {
		res, err := client.Post(base+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK || res.Header.Get("Cache-Control") != "" || res.Header.Get("Etag") != "" {
			t.Errorf("POST %s gave %s with %v", path, res.Status, res.Header)
		}
		refused, _ := get(t, client, base, path, "json", "Mcp-Protocol-Version", "1999-01-01")
		if c := refused.Header.Get("Cache-Control"); refused.StatusCode != http.StatusBadRequest || c != "" {
			t.Errorf("GET %s of an unknown version gave %s with Cache-Control %q", path, refused.Status, c)
		}
	}
	if res, _ := get(t, client, base, cacheablePaths[5], "json"); res.StatusCode != http.StatusNotFound || res.Header.Get("Cache-Control") != "" {
		t.Errorf("without metadata, GET gave %s with %v", res.Status, res.Header)
	}
}
