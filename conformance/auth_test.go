// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// authClientVariable makes the test's own program the client that the suite tests.
const authClientVariable = "MCPCONNECT_AUTH_CLIENT"

func TestMain(m *testing.M) {
	if os.Getenv(authClientVariable) != "" {
		if err := authClient(context.Background(), os.Args[len(os.Args)-1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// notPassed are the scenarios for authorization that do not pass, with the reason.
var notPassed = map[string]string{
	"auth/2025-03-26-oauth-metadata-backcompat": "a server without metadata says by nothing that it is the one to log in at",
	"auth/2025-03-26-oauth-endpoint-fallback":   "as above, and its endpoints would be guessed",
	"auth/client-credentials-jwt":               "an extension that is not there: clients with a key",
	"auth/enterprise-managed-authorization":     "an extension that is not there",
	"auth/dpop":                                 "an extension that is not there",
	"auth/dpop-nonce":                           "an extension that is not there",
	"auth/wif-jwt-bearer":                       "an extension that is not there",
}

// TestAuthorization runs the suite's scenarios for the authorization of clients, in which package
// oauth is the client.
func TestAuthorization(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	list, err := exec.CommandContext(t.Context(), node, suite, "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, m := range regexp.MustCompile(`- (auth/\S+)`).FindAllStringSubmatch(string(list), -1) {
		name := m[1]
		if reason, ok := notPassed[name]; ok {
			if row := fmt.Sprintf("| %s | %s |", name, reason); !strings.Contains(string(readme), row) {
				t.Errorf("README.md has no row %q", row)
			}
			continue
		}
		passed++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), node, suite, "client", "--command", program, "--scenario", name, "--output-dir", t.TempDir())
			cmd.Env = append(os.Environ(), authClientVariable+"=1")
			if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "OVERALL: PASSED") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	if sentence := fmt.Sprintf("All %d scenarios", passed); !strings.Contains(string(readme), sentence) {
		t.Errorf("README.md does not say %q", sentence)
	}
}
