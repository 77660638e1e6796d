// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func TestIsPublic(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{
		"93.184.215.14": true, "2606:2800:21f:cb07:6820:80da:af6b:8b2c": true,
		"127.0.0.1": false, "::1": false, "::ffff:127.0.0.1": false, "0.0.0.0": false, "::": false,
		"10.0.0.1": false, "172.16.0.1": false, "192.168.1.1": false, "fd00::1": false,
		"169.254.169.254": false, "fe80::1": false, "100.64.0.1": false, "224.0.0.1": false,
		"0.1.2.3": false, "198.18.0.1": false, "240.0.0.1": false, "64:ff9b::a00:1": false, "2002:a00:1::1": false,
	} {
		if got := isPublic(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got %v", addr, got)
		}
	}
}

// TestAPublicServerLeadsNowhereElse: what it names may resolve to what only we can reach.
func TestAPublicServerLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 10)
	inside := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	defer inside.Close()
	for resource, want := range map[string]bool{"https://93.184.215.14/mcp": false, "http://127.0.0.1:1/mcp": true} {
		u, err := url.Parse(resource)
		if err != nil {
			t.Fatal(err)
		}
		_, err = document[struct{}](t.Context(), newHTTPClient(u, nil, false), inside.URL+"/x")
		select {
		case <-asked:
			if !want {
				t.Errorf("%s: the inside was reached", resource)
			}
		default:
			if want || !strings.Contains(err.Error(), "is not a public address") {
				t.Errorf("%s: got %v", resource, err)
			}
		}
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		resource, url string
		want          bool
	}{
		{"https://h/mcp", "https://h/mcp", true},
		{"https://h/mcp/", "https://h/mcp", true},
		{"https://h", "https://h/mcp", true},
		{"https://H/mcp", "https://h/mcp", true},
		{"https://h/mc", "https://h/mcp", false},
		{"https://h/mcp/x", "https://h/mcp", false},
		{"https://h:444/mcp", "https://h/mcp", false},
		{"http://h/mcp", "https://h/mcp", false},
		{"https://evil/mcp", "https://h/mcp", false},
		{"https://h@evil/mcp", "https://h/mcp", false},
		{"https://u@h/mcp", "https://h/mcp", false},
		{"https://h/mcp?x", "https://h/mcp", false},
		{"https://h/mcp#x", "https://h/mcp", false},
		{"", "https://h/mcp", false},
		{"h/mcp", "https://h/mcp", false},
	} {
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := covers(tt.resource, u); got != tt.want {
			t.Errorf("covers(%q, %q) = %v", tt.resource, tt.url, got)
		}
	}
}
