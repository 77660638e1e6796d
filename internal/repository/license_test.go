// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package repository_test checks the files of the repository, whatever is in them.
package repository_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// header is what a source file begins with; only a #! line may stand before it.
var header = regexp.MustCompile(`\A(?:#!.*\n)?(?://|#) Copyright 2026 The mcpconnect Authors\n(?://|#) SPDX-License-Identifier: Apache-2\.0\n`)

// generated is the mark of generated Go code (go help generate), and protoc-gen-es's.
var generated = regexp.MustCompile(`(?m)^// (?:Code generated .* DO NOT EDIT\.|@generated .*)$`)

func TestLicenseHeaders(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	checked := 0
	for _, name := range tracked(t, root) {
		switch filepath.Ext(name) {
		case ".go", ".proto", ".py", ".ts", ".tsx", ".js", ".mjs":
		default:
			continue
		}
		content, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // Removed, but not committed yet.
		}
		if err != nil {
			t.Fatalf("read a tracked file: %v", err)
		}
		checked++
		if !header.Match(content) && !generated.Match(content) {
			t.Errorf("%s does not begin with the licence header", name)
		}
	}
	if checked == 0 {
		t.Error("found no source file at all")
	}
}

// tracked lists the files that git tracks, relative to root.
func tracked(t *testing.T, root string) []string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", "ls-files", "-z")
	command.Dir = root
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v\n%s", err, stderr.Bytes())
	}
	return strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
}
