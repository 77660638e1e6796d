// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strings"
	"testing"
)

// TestNoScenarioFewerThanTheSDK passes on its own, on each wire, and RESULTS.md is what this run
// gives.
func TestNoScenarioFewerThanTheSDK(t *testing.T) {
	abs(t, node)
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, r := range []string{modern, legacy} {
		got, err := runAll(t.Context(), r, &table)
		if err != nil {
			t.Fatal(err)
		}
		table.Reset()
		if err := got.worse(); err != nil {
			t.Error(err)
		}
		if err := got.table(&table); err != nil {
			t.Fatal(err)
		}
		committed, err := os.ReadFile("RESULTS.md")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(committed), table.String()) {
			t.Errorf("RESULTS.md has other results for the requirements of %s: make conformance writes it anew", r)
		}
		if row := got.row(); !strings.Contains(string(readme), row) {
			t.Errorf("README.md does not have the row %q", row)
		}
	}
}
