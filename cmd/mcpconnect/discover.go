// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func printServer(w io.Writer, res *mcp.InitializeResult) error {
	text, err := json.Marshal(res.Capabilities)
	if err != nil {
		return err
	}
	var capabilities map[string]json.RawMessage
	if err := json.Unmarshal(text, &capabilities); err != nil {
		return err
	}
	t := newTable(w, "SERVER", "")
	if res.ServerInfo != nil {
		t.row("name", res.ServerInfo.Name)
		t.row("title", res.ServerInfo.Title)
		t.row("version", res.ServerInfo.Version)
	}
	t.row("protocol version", res.ProtocolVersion)
	t.row("capabilities", strings.Join(slices.Sorted(maps.Keys(capabilities)), ", "))
	t.row("instructions", res.Instructions)
	return t.flush()
}
