// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A schema is what the command line needs to know of a tool's input.
type schema struct {
	order    []string // the arguments, the required ones first
	required map[string]bool
	types    map[string][]string // nil for any
}

func schemaOf(t *mcp.Tool) schema {
	s := schema{required: map[string]bool{}, types: map[string][]string{}}
	text, err := json.Marshal(t.InputSchema)
	if err != nil {
		return s
	}
	var in struct {
		Properties map[string]struct {
			Type json.RawMessage `json:"type"`
		} `json:"properties"`
		Required []string `json:"required"`
	}
	if json.Unmarshal(text, &in) != nil {
		return s
	}
	for _, name := range in.Required {
		s.required[name] = true
	}
	for name, p := range in.Properties {
		s.order = append(s.order, name)
		s.types[name] = typesOf(p.Type)
	}
	slices.SortFunc(s.order, func(a, b string) int {
		if s.required[a] != s.required[b] {
			return map[bool]int{true: -1, false: 1}[s.required[a]]
		}
		return strings.Compare(a, b)
	})
	return s
}

func typesOf(text json.RawMessage) []string {
	var one string
	if json.Unmarshal(text, &one) == nil {
		return []string{one}
	}
	var several []string
	_ = json.Unmarshal(text, &several) // any type, if it is neither
	return several
}

// arguments makes a JSON object of key=value. A value is text where the tool wants text, and
// JSON where it wants something else; where it does not say, JSON if it is.
func (s schema) arguments(pairs []string) (json.RawMessage, error) {
	values := map[string]json.RawMessage{}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("argument %q: want key=value", pair)
		}
		if _, twice := values[name]; twice {
			return nil, fmt.Errorf("argument %q is given twice", name)
		}
		text, err := s.value(name, value)
		if err != nil {
			return nil, err
		}
		values[name] = text
	}
	return json.Marshal(values)
}

func (s schema) value(name, value string) (json.RawMessage, error) {
	types := s.types[name]
	if slices.Contains(types, "string") && (len(types) == 1 || !json.Valid([]byte(value))) {
		return json.Marshal(value)
	}
	if json.Valid([]byte(value)) {
		return json.RawMessage(bytes.TrimSpace([]byte(value))), nil
	}
	if types == nil {
		return json.Marshal(value)
	}
	return nil, fmt.Errorf("argument %s: want %s, as JSON, not %q", name, strings.Join(types, " or "), value)
}
