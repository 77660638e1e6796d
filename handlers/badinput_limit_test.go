// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// smallMessage is a limit that tests can pass without much work.
const smallMessage = 64 << 10

func TestMessagesOverTheSizeLimitFailTheirRPC(t *testing.T) {
	t.Parallel()
	url := badServer(t, everything.NewServer(), mcpconnect.WithLimits(mcpconnect.Limits{MessageBytes: smallMessage}))
	// Spaces are the smallest JSON text there is when compressed.
	large := `{"name":"test_simple_text","arguments":{}` + strings.Repeat(" ", 1<<20) + `}`
	for _, w := range wires {
		for name, opts := range map[string][]connect.ClientOption{
			"plain":   nil,
			"gzipped": {connect.WithSendGzip()},
		} {
			t.Run(w.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				b := newBadClient(t, w, url)
				b.rpc = w.client(t, url, opts...)
				want := fails(connect.CodeResourceExhausted, 0)
				b.run(badInput{
					name: "a large message", typed: calling(badCall("test_simple_text", large)), wantTyped: want,
					message: envelope(1, "tools/call", []byte(large)), wantSend: want, wantStream: want,
				})
				if err := b.serves(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// streamType gives the content type of a wire's streams.
func (w wire) streamType() string {
	switch {
	case strings.HasPrefix(w.name, "gRPC-Web"):
		return "application/grpc-web+proto"
	case strings.HasPrefix(w.name, "gRPC"):
		return "application/grpc+proto"
	case strings.Contains(w.name, "JSON"):
		return "application/connect+json"
	default:
		return "application/connect+proto"
	}
}

// A message that announces more than the limit is refused for that: the server neither
// waits for the rest, nor reads it.
func TestALargeMessageIsNotReadOn(t *testing.T) {
	t.Parallel()
	url := badServer(t, everything.NewServer(), mcpconnect.WithLimits(mcpconnect.Limits{ReadTimeout: time.Second}))
	for _, w := range wires {
		for _, procedure := range []string{mcpv1connect.MCPSendProcedure, mcpv1connect.MCPConnectProcedure} {
			if procedure == mcpv1connect.MCPConnectProcedure && !w.bidi() {
				continue
			}
			t.Run(w.name+procedure, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				sent, body := io.Pipe()
				defer func() { _ = body.Close() }()
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+procedure, sent)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Content-Type", w.streamType())
				req.Header.Set("Te", "trailers")
				go func() {
					prefix := binary.BigEndian.AppendUint32([]byte{0}, 1<<30)
					// An error is the server's refusal, which the response tells.
					_, _ = body.Write(append(prefix, make([]byte, 1<<10)...))
				}()
				res, err := httpClient(t, w.http1).Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = res.Body.Close() }()
				text, err := io.ReadAll(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				status := res.Header.Get("Grpc-Status") + res.Trailer.Get("Grpc-Status")
				refused := status == "8" || bytes.Contains(bytes.ToLower(text), []byte("grpc-status: 8")) || bytes.Contains(text, []byte(`"resource_exhausted"`))
				if !refused {
					t.Errorf("got HTTP status %d, gRPC status %q and body %q; want resource_exhausted", res.StatusCode, status, text)
				}
			})
		}
	}
}
