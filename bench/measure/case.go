// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/mcpconnect/mcpconnect/bench/contender"
	"github.com/mcpconnect/mcpconnect/bench/tools"
)

// A Call makes one call and checks its answer. i differs from call to call.
type Call func(ctx context.Context, c contender.Client, i int) error

// A Case is one kind of call.
type Case struct {
	Name  string
	About string
	Tools int // on the server
	Call  Call
}

// Names of the cases.
const (
	Small    = "small"
	Typed    = "typed"
	Text     = "text64k"
	Blob     = "blob1m"
	List     = "list1000"
	Progress = "progress20"
	Stdio    = "stdio-child"
)

// Cases are all that there are.
var Cases = []Case{
	{Small, "a tool that adds two integers, its result as text", tools.Few, add},
	{Typed, "a tool that adds two integers, its result as structured content", tools.Few, func(ctx context.Context, c contender.Client, i int) error {
		got, err := c.Sum(ctx, int64(i), 7)
		return check(err, got == int64(i)+7, "%d+7: got %d", i, got)
	}},
	{Text, "a tool whose result is 64 KiB of text", tools.Few, func(ctx context.Context, c contender.Client, _ int) error {
		got, err := c.Text(ctx)
		return check(err, got == tools.LongText, "got %d other bytes", len(got))
	}},
	{Blob, "a resource of 1 MiB, random bytes", tools.Few, func(ctx context.Context, c contender.Client, _ int) error {
		got, err := c.Blob(ctx)
		return check(err, bytes.Equal(got, tools.Blob), "got %d other bytes", len(got))
	}},
	{List, "a list of 1,000 tools", tools.Many, func(ctx context.Context, c contender.Client, _ int) error {
		got, err := c.List(ctx)
		return check(err, got == tools.Many, "got %d tools", got)
	}},
	{Progress, "a tool that tells its progress 20 times", tools.Few, func(ctx context.Context, c contender.Client, _ int) error {
		got, err := c.Progress(ctx)
		return check(err, got == tools.Steps, "got %d notifications", got)
	}},
	{Stdio, "the same as small, of a child process that speaks stdio: by itself, and behind a gateway", tools.Few, add},
}

func add(ctx context.Context, c contender.Client, i int) error {
	got, err := c.Add(ctx, int64(i), 7)
	return check(err, got == strconv.Itoa(i+7), "%d+7: got %q", i, got)
}

// FindCase gives the case of a name, which must be one of those above.
func FindCase(name string) Case {
	for _, c := range Cases {
		if c.Name == name {
			return c
		}
	}
	return Case{Name: name, Call: func(context.Context, contender.Client, int) error { return fmt.Errorf("no case is called %q", name) }}
}

func check(err error, ok bool, format string, args ...any) error {
	if err == nil && !ok {
		err = fmt.Errorf("wrong answer: "+format, args...)
	}
	return err
}
