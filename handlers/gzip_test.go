// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// TestGzipGoesToWhoAskedForIt: long lists, to clients that read compressed replies. All others
// get the same page as it is.
func TestGzipGoesToWhoAskedForIt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		tools  int
		zipped bool // for those who asked
	}{{2, false}, {200, true}} {
		server := mcp.NewServer(&mcp.Implementation{Name: "s", Version: "1"}, nil)
		for i := range test.tools {
			mcp.AddTool(server, &mcp.Tool{Name: fmt.Sprint("tool ", i)}, func(context.Context, *mcp.CallToolRequest, textArgs) (*mcp.CallToolResult, any, error) {
				return &mcp.CallToolResult{}, nil, nil
			})
		}
		url := serve(t, server)
		for _, w := range bidiWires {
			t.Run(fmt.Sprintf("%s/%d tools", w.name, test.tools), func(t *testing.T) {
				t.Parallel()
				lists := map[bool]*mcpv1.ReplyFrame{}
				for _, asked := range []bool{false, true} {
					f := newFramer(t, w, url, &mcpv1.Hello{Frames: true, Batch: true, Gzip: asked})
					for id := uint64(1); id < 4; id++ {
						f.send(callEnvelope(&mcpv1.CallFrame{CallId: id, Request: &mcpv1.CallFrame_ListTools{ListTools: &mcpv1.ListToolsRequest{}}}))
						r := f.reply(id)
						if zipped := len(r.GetGzip()) > 0; zipped != (asked && test.zipped) {
							t.Errorf("the list is compressed: %t, want %t", zipped, asked && test.zipped)
						}
						lists[asked] = unzipped(t, r)
					}
					f.endsWithoutMore()
				}
				if diff := cmp.Diff(lists[false], lists[true], protocmp.Transform()); diff != "" || len(lists[true].GetListTools().GetTools()) != test.tools {
					t.Errorf("the lists differ (-plain +compressed):\n%s", diff)
				}
			})
		}
	}
}

// unzipped gives a reply in plain form, without its id.
func unzipped(t *testing.T, r *mcpv1.ReplyFrame) *mcpv1.ReplyFrame {
	t.Helper()
	if zipped := r.GetGzip(); zipped != nil {
		z, err := gzip.NewReader(bytes.NewReader(zipped))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		r = &mcpv1.ReplyFrame{}
		if err := proto.Unmarshal(text, r); err != nil {
			t.Fatal(err)
		}
	}
	r.CallId = 0
	return r
}
