// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"google.golang.org/protobuf/proto"
)

// A cacheableResponse says how long it may be kept, and by whom.
type cacheableResponse interface {
	proto.Message
	GetTtlMs() int64
	GetCacheScope() string
}

// cacheable gives the answer to a GET its caching headers (SPEC.md §13), and fails with
// "not modified" if the caller has the same answer already. Other calls are left alone.
func cacheable(ctx context.Context, res cacheableResponse) error {
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok || info.HTTPMethod() != http.MethodGet {
		return nil
	}
	return setCache(ctx, info, res, res.GetTtlMs(), res.GetCacheScope() == "public")
}

func setCache(ctx context.Context, info connect.CallInfo, res proto.Message, ttlMs int64, public bool) error {
	h := info.ResponseHeader()
	scope := "private"
	if public && !authenticated(ctx, info) {
		scope = "public"
	}
	if ttlMs > 0 {
		h.Set("Cache-Control", fmt.Sprintf("%s, max-age=%d", scope, ttlMs/1000))
	} else {
		h.Set("Cache-Control", scope+", no-cache")
	}
	h.Add("Vary", "Authorization, X-Mcp-Api-Key, Origin, Mcp-Session-Id, Mcp-Protocol-Version")
	tag, err := entityTag(res)
	if err != nil {
		return err
	}
	h.Set("Etag", tag)
	if matches(info.RequestHeader().Get("If-None-Match"), tag) {
		return connect.NewNotModifiedError(h)
	}
	return nil
}

// authenticated tells whether the caller may be somebody: its answers must not be
// shared, whatever the server says of them.
func authenticated(ctx context.Context, info connect.CallInfo) bool {
	if auth.TokenInfoFromContext(ctx) != nil || identifiedByTLS(ctx) {
		return true
	}
	h := info.RequestHeader()
	for _, key := range []string{"Authorization", "Cookie", "X-Mcp-Api-Key", headerSession} {
		if h.Get(key) != "" {
			return true
		}
	}
	return false
}

// entityTag is weak: the two codecs give the same answer in different bytes.
func entityTag(res proto.Message) (string, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(res)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return `W/"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`, nil
}

func matches(ifNoneMatch, tag string) bool {
	for candidate := range strings.SplitSeq(ifNoneMatch, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}
