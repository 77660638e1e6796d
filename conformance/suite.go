// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// The suite, and the Node.js that it needs, as package.json says.
const (
	node  = "node_modules/node/bin/node"
	suite = "node_modules/@modelcontextprotocol/conformance/dist/index.js"
)

// A scenario is what came of one of the suite's scenarios.
type scenario struct {
	name           string
	passed, failed int
	failures       []string // what the failed checks say
}

func (s scenario) ok() bool { return s.failed == 0 }

// suiteTimeout bounds one run, which takes some seconds.
const suiteTimeout = 5 * time.Minute

// run runs the scenarios that a version of MCP requires against url.
func run(ctx context.Context, url, requirements string) ([]scenario, error) {
	out, err := os.MkdirTemp("", "mcpconnect-conformance-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	ctx, cancel := context.WithTimeout(ctx, suiteTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, suite, "server", "--url", url+"/mcp", "--requirements", requirements, "--output-dir", out) //nolint:gosec // the URL is our own
	said, err := cmd.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && (!ended || ctx.Err() != nil) {
		return nil, fmt.Errorf("running the suite: %w\n%s", err, said)
	}
	// A failed scenario is an exit status, too, and so is one that the suite could not run.
	results, err := read(out)
	if err == nil && len(results) == 0 {
		err = fmt.Errorf("the suite gave no results:\n%s", said)
	}
	return results, err
}

// folder is that of a scenario's results: its name, after the role, before the time.
var folder = regexp.MustCompile(`^server-(.+)-\d{4}-\d\d-\d\dT[-\dZ]+$`)

// read reads the results that the suite has written, in the order of their names.
func read(dir string) ([]scenario, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []scenario
	for _, e := range entries {
		name := folder.FindStringSubmatch(e.Name())
		if name == nil {
			return nil, fmt.Errorf("the suite wrote %s, which is no scenario's", e.Name())
		}
		s := scenario{name: name[1]}
		text, err := os.ReadFile(filepath.Join(dir, e.Name(), "checks.json"))
		if err != nil {
			return nil, err
		}
		var checks []struct{ ID, Status, ErrorMessage string }
		if err := json.Unmarshal(text, &checks); err != nil {
			return nil, fmt.Errorf("scenario %s: %w", s.name, err)
		}
		for _, c := range checks {
			switch c.Status {
			case "SUCCESS":
				s.passed++
			case "FAILURE":
				s.failed++
				message, _, _ := strings.Cut(c.ErrorMessage, "\n")
				s.failures = append(s.failures, c.ID+": "+message)
			}
		}
		all = append(all, s)
	}
	return all, nil
}
