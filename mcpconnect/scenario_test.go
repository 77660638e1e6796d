// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestScenarioList: clients in other languages run the scenarios of testdata/scenarios.txt, which
// are the tests of the clients here, in their order.
func TestScenarioList(t *testing.T) {
	t.Parallel()
	const list = "testdata/scenarios.txt"
	var want []string
	for _, file := range []string{"transport_test.go", "transport_era_test.go", "transport_loss_test.go", "restart_test.go", "client_test.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				if name, ok := strings.CutPrefix(f.Name.Name, "Test"); ok {
					want = append(want, name)
				}
			}
		}
	}
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, strings.Fields(string(text))); diff != "" {
		t.Errorf("%s differs from the tests (-tests +list):\n%s", list, diff)
	}
}
