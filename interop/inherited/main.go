// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Command inherited is a plain grpc-go client of mcp.v1 that knows the inherited subset and
// nothing else: its code is generated from proto_inherited. The tests run it as a program of
// its own, since one binary cannot hold two sets of messages of the same names.
//
//	inherited [--addr HOST:PORT] [--session ID] [--timeout DURATION] COMMAND [ARGUMENT...]
//
// It speaks gRPC without TLS. Each response and each event is one line of JSON on standard
// output. If an RPC fails, its status is one line of JSON on standard error, with the details
// that the inherited subset can read, and the exit status is 1. Wrong usage exits with 2.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	mcpv1 "github.com/mcpconnect/mcpconnect/interop/inherited/gen/mcp/v1"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

// errUsage is what run returns, wrapped, if the command line makes no sense.
var errUsage = errors.New("usage: inherited [--addr HOST:PORT] [--session ID] [--timeout DURATION] COMMAND [ARGUMENT...]")

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout)
	switch {
	case err == nil:
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitUsage)
	default:
		fmt.Fprintln(os.Stderr, describe(err))
		os.Exit(exitFailed)
	}
}

// run calls one RPC as the command line args say and writes what comes back to stdout.
func run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	flags := flag.NewFlagSet("inherited", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:8080", "`host:port` of the server")
	session := flags.String("session", "", "`id` to send as mcp-session-id")
	timeout := flags.Duration("timeout", 10*time.Second, "deadline of the RPC")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	name, rest := flags.Arg(0), flags.Args()
	command, ok := commands[name]
	if !ok {
		return fmt.Errorf("%w\nunknown command %q", errUsage, name)
	}
	if rest = rest[1:]; len(rest) < command.minArgs || len(rest) > command.maxArgs {
		return fmt.Errorf("%w\n%s takes: %s", errUsage, name, command.usage)
	}

	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	if *session != "" {
		ctx = withSession(ctx, *session)
	}
	conn, err := grpc.NewClient(*addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("dial %q: %w", *addr, err)
	}
	defer conn.Close()
	return command.call(ctx, &client{
		mcp:    mcpv1.NewMCPClient(conn),
		auth:   mcpv1.NewAuthDiscoveryClient(conn),
		stdin:  stdin,
		stdout: stdout,
	}, rest)
}

// client is what a command works with. It is for one goroutine.
type client struct {
	mcp    mcpv1.MCPClient
	auth   mcpv1.AuthDiscoveryClient
	stdin  io.Reader
	stdout io.Writer
}

// withSession makes an RPC one of a session.
func withSession(ctx context.Context, id string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "mcp-session-id", id)
}

// print writes a message as one line of JSON.
func (c *client) print(message proto.Message) error {
	text, err := line(message)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.stdout, text)
	return err
}

// line gives a message as JSON. protojson puts blanks in at random, so that nobody relies on
// its bytes; here somebody may.
func line(message proto.Message) (string, error) {
	text, err := protojson.Marshal(message)
	if err != nil {
		return "", fmt.Errorf("write %s as JSON: %w", message.ProtoReflect().Descriptor().FullName(), err)
	}
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		return "", fmt.Errorf("compact JSON: %w", err)
	}
	return out.String(), nil
}

// describe gives the status of a failed RPC as one line of JSON, or else the error's text.
func describe(err error) string {
	state, ok := status.FromError(err)
	if !ok {
		return err.Error()
	}
	failure := struct {
		Code    string            `json:"code"`
		Message string            `json:"message"`
		Details []json.RawMessage `json:"details,omitempty"`
	}{Code: state.Code().String(), Message: state.Message()}
	for _, detail := range state.Details() {
		message, ok := detail.(proto.Message)
		if !ok {
			continue // An error: the detail is of a type that the subset does not have.
		}
		text, lineErr := line(message)
		if lineErr != nil {
			return lineErr.Error()
		}
		failure.Details = append(failure.Details, json.RawMessage(text))
	}
	text, jsonErr := json.Marshal(failure)
	if jsonErr != nil {
		return err.Error()
	}
	return string(text)
}
