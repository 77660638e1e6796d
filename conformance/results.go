// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// results are what all targets did with the requirements of one version.
type results struct {
	requirements string
	scenarios    []string               // in their order
	of           []map[string]*scenario // by name, for each target
}

// runAll runs the suite against all targets, one after the other.
func runAll(ctx context.Context, requirements string, progress io.Writer) (results, error) {
	all := results{requirements: requirements}
	for _, t := range targets {
		got, err := runTarget(ctx, t, requirements)
		if err != nil {
			return all, fmt.Errorf("%s, requirements of %s: %w", t.name, requirements, err)
		}
		byName := map[string]*scenario{}
		for i, s := range got {
			if len(all.of) == 0 {
				all.scenarios = append(all.scenarios, s.name)
			}
			byName[s.name] = &got[i]
		}
		all.of = append(all.of, byName)
		passed, _ := total(byName)
		fmt.Fprintf(progress, "%s, requirements of %s: %d of %d scenarios passed\n", t.name, requirements, passed, len(byName))
	}
	return all, nil
}

func runTarget(ctx context.Context, t target, requirements string) ([]scenario, error) {
	url, stop, err := t.start(ctx, requirements)
	if err != nil {
		return nil, err
	}
	got, err := run(ctx, url, requirements)
	return got, errors.Join(err, stop())
}

// total counts the scenarios that passed, and the checks.
func total(of map[string]*scenario) (passed, checks int) {
	for _, s := range of {
		if s.ok() {
			passed++
		}
		checks += s.passed
	}
	return passed, checks
}

// worse tells which scenarios the first target passes and another one does not.
func (r results) worse() error {
	var worse error
	for i, t := range targets[1:] {
		for _, name := range r.scenarios {
			native, ours := r.of[0][name], r.of[i+1][name]
			switch {
			case ours == nil:
				worse = errors.Join(worse, fmt.Errorf("%s, requirements of %s: the scenario %s was not run", t.name, r.requirements, name))
			case native.ok() && !ours.ok():
				worse = errors.Join(worse, fmt.Errorf("%s, requirements of %s: the scenario %s fails, which %s passes: %s",
					t.name, r.requirements, name, targets[0].name, strings.Join(ours.failures, "; ")))
			}
		}
	}
	return worse
}

// head says what the tables below it are.
func head() string {
	var b strings.Builder
	b.WriteString("# Results of MCP's conformance suite\n\nWritten by `make conformance`; README.md says what it does. Everything below is from one run.\n\n")
	for _, t := range targets {
		fmt.Fprintf(&b, "- **%s**: %s\n", t.name, t.about)
	}
	return b.String()
}

// table writes the results in Markdown.
func (r results) table(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## Requirements of MCP %s\n\n| scenario |", r.requirements)
	for _, t := range targets {
		fmt.Fprintf(&b, " %s |", t.name)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(targets)) + "\n")
	for _, name := range r.scenarios {
		fmt.Fprintf(&b, "| %s |", name)
		for _, of := range r.of {
			b.WriteString(" " + cell(of[name]) + " |")
		}
		b.WriteByte('\n')
	}
	b.WriteString("| **scenarios passed** |")
	for _, of := range r.of {
		passed, _ := total(of)
		fmt.Fprintf(&b, " **%d of %d** |", passed, len(of))
	}
	b.WriteString("\n| checks passed |")
	for _, of := range r.of {
		_, checks := total(of)
		fmt.Fprintf(&b, " %d |", checks)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// row is what the README of the project says of them.
func (r results) row() string {
	var row strings.Builder
	row.WriteString("| MCP's suite, " + r.requirements + " |")
	for _, of := range r.of {
		passed, _ := total(of)
		fmt.Fprintf(&row, " %d of %d |", passed, len(of))
	}
	return row.String()
}

// cell is the checks of a scenario.
func cell(s *scenario) string {
	switch {
	case s == nil:
		return "not run"
	case !s.ok():
		return fmt.Sprintf("**%d failed**, %d passed", s.failed, s.passed)
	case s.passed == 0:
		return "nothing to check"
	}
	return fmt.Sprintf("%d passed", s.passed)
}
