// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// known are the names of fields that RPCs have, as HTTP/2 and as [http.Header] have them. The others
// are converted each time.
var known, lowered = func() (map[string]string, map[string]string) {
	up, down := map[string]string{}, map[string]string{}
	for name := range strings.FieldsSeq(`accept accept-encoding access-control-allow-origin access-control-expose-headers
		authorization cache-control connect-accept-encoding connect-content-encoding connect-protocol-version
		connect-timeout-ms content-encoding content-length content-type cookie date etag grpc-accept-encoding
		grpc-encoding grpc-message grpc-status grpc-status-details-bin grpc-timeout host mcp-method mcp-name
		mcp-protocol-version mcp-session-id origin te traceparent trailer user-agent vary www-authenticate x-grpc-web
		x-mcp-api-key x-user-agent`) {
		up[name] = http.CanonicalHeaderKey(name)
		down[up[name]] = name
	}
	return up, down
}()

func canonical(name string) string {
	if c, ok := known[name]; ok {
		return c
	}
	return http.CanonicalHeaderKey(name)
}

func lower(name string) string {
	if l, ok := lowered[name]; ok {
		return l
	}
	return strings.ToLower(name)
}

// A second is the value of the field Date for a second.
type second struct {
	unix int64
	text string
}

var thisSecond atomic.Pointer[second]

func date() string {
	now := time.Now()
	if s := thisSecond.Load(); s != nil && s.unix == now.Unix() {
		return s.text
	}
	s := &second{now.Unix(), now.UTC().Format(http.TimeFormat)}
	thisSecond.Store(s)
	return s.text
}
