// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/suite.json")

// TestSuiteList: clients in other languages make the requests of testdata/suite.json, which are
// those of cases.
func TestSuiteList(t *testing.T) {
	t.Parallel()
	const file = "testdata/suite.json"
	var list bytes.Buffer
	for i, c := range cases {
		line, err := json.Marshal(struct {
			Name   string `json:"name"`
			Method string `json:"method"`
			// Params is text: not all of it is JSON that any language can hold.
			Params string `json:"params,omitempty"`
			Only   string `json:"only,omitempty"`
		}{c.name, c.method, c.params, c.only})
		if err != nil {
			t.Fatal(err)
		}
		list.WriteString([]string{"[\n", ",\n"}[min(i, 1)])
		list.Write(line)
	}
	list.WriteString("\n]\n")
	if *update {
		if err := os.WriteFile(file, list.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, list.Bytes()) {
		t.Errorf("%s differs from cases: run go test ./handlers -run %s -update", file, t.Name())
	}
}
