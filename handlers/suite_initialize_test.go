// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// TestInitializeAgreesOnWhatTheSDKAgreesOn compares the handshake in all forms with the
// SDK's own: versions that are known, too new, and unknown.
func TestInitializeAgreesOnWhatTheSDKAgreesOn(t *testing.T) {
	t.Parallel()
	url := serve(t, everything.NewServer())
	for _, version := range []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28", "1999-01-01"} {
		params := fmt.Appendf(nil, `{"protocolVersion":%q,"capabilities":{"roots":{"listChanged":true},"elicitation":{}},"clientInfo":{"name":"c","title":"C","version":"1"}}`, version)
		want := newRawPeer(t, everything.NewServer()).call(testContext(t), "initialize", params).String()
		for _, w := range wires {
			client := w.client(t, url)
			var req mcpv1.InitializeRequest
			if err := mapping.FromJSON(params, &req, mcpv1.JsonEncoding_JSON_ENCODING_BYTES); err != nil {
				t.Fatal(err)
			}
			req.Meta = &mcpv1.RequestMeta{JsonEncoding: mcpv1.JsonEncoding_JSON_ENCODING_BYTES}
			got := map[string]outcome{}
			if res, err := client.Initialize(testContext(t), &req); err != nil {
				got["typed"] = failed(err)
			} else {
				text, err := mapping.ToJSON(res)
				if err != nil {
					t.Fatal(err)
				}
				got["typed"] = outcome{result: text}
			}
			stream, err := client.Send(testContext(t), envelope(1, "initialize", params))
			if err != nil {
				t.Fatal(err)
			}
			if got["Send"], err = read(sendStream{stream}); err != nil {
				t.Fatal(err)
			}
			if w.bidi() {
				stream, err := client.Connect(testContext(t))
				if err != nil {
					t.Fatal(err)
				}
				if err := stream.Send(envelope(1, "initialize", json.RawMessage(params))); err != nil {
					t.Fatal(err)
				}
				if got["Connect"], err = read(stream); err != nil {
					t.Fatal(err)
				}
				_ = stream.CloseRequest()
				_ = stream.CloseResponse()
			}
			for form, o := range got {
				if diff := cmp.Diff(want, o.String()); diff != "" {
					t.Errorf("%s, %s, %s: differs from the SDK (-want +got):\n%s", version, w.name, form, diff)
				}
			}
		}
	}
}
