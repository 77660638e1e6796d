// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// roleVariable makes the test's own program, race detector and all, the one that is tested.
const roleVariable = "MCPCONNECT_CONFORMANCE_ROLE"

func TestMain(m *testing.M) {
	if name := os.Getenv(roleVariable); name != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		err := role(ctx, []string{name})
		stop()
		if err != nil {
			fmt.Fprintln(os.Stderr, name, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestSuite runs all cases, and compares the table of README.md with what came out.
func TestSuite(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	totals := regexp.MustCompile(`Total cases: (\d+)\n(\d+) passed, (\d+) failed\n`)
	for _, name := range []string{"server", "client"} {
		t.Run(name, func(t *testing.T) { // not in parallel: both use deadlines of milliseconds
			suite := exec.CommandContext(t.Context(), "go", "tool", "connectconformance", "--mode", name, "--conf", "config.yaml", "--", program)
			suite.Env = append(os.Environ(), roleVariable+"="+name)
			out, err := suite.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got := totals.FindStringSubmatch(string(out))
			if got == nil || got[1] != got[2] || got[3] != "0" {
				t.Fatalf("the suite said %s", out)
			}
			if row := fmt.Sprintf("| %s | %s of %s |", name, got[2], got[1]); !strings.Contains(string(readme), row) {
				t.Errorf("conformance/README.md has no row %q", row)
			}
		})
	}
}
