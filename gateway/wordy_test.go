// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// What beWordy says of a call, beside the progress token: more than the types of the SDK hold.
const (
	wordyProgress = `"progress":9007199254740993,"total":0,"message":"","_meta":{"n":9007199254740993},"eta":{"s":1e400}`
	wordyLog      = `{"level":"info","data":{"n":9007199254740993},"_meta":{"n":9007199254740993},"where":[1.10]}`
)

// beWordy is a server that says of each call what the types of the SDK do not hold.
func beWordy() int {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var m struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Params struct {
				Meta struct {
					Token json.RawMessage `json:"progressToken"`
				} `json:"_meta"`
			} `json:"params"`
		}
		if json.Unmarshal(in.Bytes(), &m) != nil || m.ID == nil {
			continue
		}
		switch m.Method {
		case "initialize":
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"logging":{}},"serverInfo":{"name":"wordy","version":"1"}}}`+"\n", m.ID)
		case "tools/call":
			fmt.Printf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,%s}}`+"\n", m.Params.Meta.Token, wordyProgress)
			fmt.Printf(`{"jsonrpc":"2.0","method":"notifications/message","params":%s}`+"\n", wordyLog)
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}`+"\n", m.ID)
		case "logging/setLevel":
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":{}}`+"\n", m.ID)
		default:
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"method not found"}}`+"\n", m.ID)
		}
	}
	return 0
}

// TestNotificationsPassInTheWordsOfTheServer, in every form.
func TestNotificationsPassInTheWordsOfTheServer(t *testing.T) {
	t.Parallel()
	want := []string{
		"notifications/progress " + rpctest.Canonical([]byte(`{"progressToken":"p",`+wordyProgress+`}`)),
		"notifications/message " + rpctest.Canonical([]byte(wordyLog)),
	}
	wordy := func(t *testing.T) string {
		g := open(t, gateway.Config{Upstreams: []gateway.Upstream{child(t, "up", "wordy")}})
		return serve(t, g.Handler(mcpconnect.WithLogger(quiet), mcpconnect.WithStreamableHTTP()))
	}
	const modern = `"io.modelcontextprotocol/logLevel":"debug",` + modernMeta
	for name, tt := range map[string]struct {
		transport     func(url string) mcp.Transport
		version, meta string
	}{
		"modern envelopes": {func(url string) mcp.Transport { return mcpconnect.NewTransport(url) }, rpctest.ModernVersion, modern},
		"legacy envelopes": {func(url string) mcp.Transport { return mcpconnect.NewTransport(url) }, "2025-11-25", ""},
		"legacy Streamable HTTP": {func(url string) mcp.Transport {
			return &mcp.StreamableClientTransport{Endpoint: url + "/mcp", DisableStandaloneSSE: true}
		}, "2025-11-25", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := rpctest.Dial(t, tt.transport(wordy(t)), tt.version, `{}`)
			ctx := rpctest.Context(t)
			meta := `"progressToken":"p"`
			if tt.meta != "" {
				meta += "," + tt.meta
			} else if o := c.Call(ctx, "logging/setLevel", `{"level":"debug"}`); o.Err != nil {
				t.Fatal(o)
			}
			got := c.Call(ctx, "tools/call", `{"_meta":{`+meta+`},"name":"x","arguments":{}}`)
			if diff := cmp.Diff(want, got.Said); diff != "" || got.Err != nil {
				t.Errorf("differs (-want +got):\n%s\n%v", diff, got)
			}
		})
	}
	t.Run("typed", func(t *testing.T) {
		t.Parallel()
		client := mcpv1connect.NewMCPClient(http.DefaultClient, wordy(t))
		stream, err := client.CallTool(rpctest.Context(t), &mcpv1.CallToolRequest{Name: new("x"), Meta: &mcpv1.RequestMeta{
			ProtocolVersion: new(rpctest.ModernVersion), LogLevel: new("debug"), JsonEncoding: mcpv1.JsonEncoding_JSON_ENCODING_BYTES,
			ProgressToken: &mcpv1.ProgressToken{Kind: &mcpv1.ProgressToken_StringValue{StringValue: "p"}},
			ClientInfo:    &mcpv1.ClientInfo{Name: new("t"), Version: new("1")}, ClientCapabilities: &mcpv1.CapabilitySet{},
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		var got []string
		for stream.Receive() {
			switch k := stream.Msg().GetKind().(type) {
			case *mcpv1.CallToolEvent_Progress:
				got = append(got, "notifications/progress "+textOf(t, k.Progress))
			case *mcpv1.CallToolEvent_Log:
				got = append(got, "notifications/message "+textOf(t, k.Log))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || stream.Err() != nil {
			t.Errorf("differs (-want +got):\n%s\n%v", diff, connect.CodeOf(stream.Err()))
		}
	})
}

func textOf(t *testing.T, m proto.Message) string {
	t.Helper()
	text, err := mapping.ToJSON(m)
	if err != nil {
		t.Fatal(err)
	}
	return rpctest.Canonical(text)
}
