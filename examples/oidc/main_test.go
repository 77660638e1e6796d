// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestRun prints what README.md says.
func TestRun(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out strings.Builder
	if err := run(ctx, &out, person); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	want := regexp.MustCompile(`^provider: http://localhost:\d+
server:   http://127\.0\.0\.1:\d+
nobody:   unauthenticated: .*
token:    eyJ.{5}… until \d\d:\d\d
somebody: hello id1, who may .*greet.*
$`)
	if !want.MatchString(out.String()) {
		t.Errorf("printed:\n%s", out.String())
	}
}
