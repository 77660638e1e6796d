// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	mcpv1 "github.com/mcpconnect/mcpconnect/interop/inherited/gen/mcp/v1"
)

// maxLine bounds one envelope on standard input: the default limit of a message, and as much
// again for the growth of bytes to base64.
const maxLine = 8 << 20

// command is one subcommand: one RPC of the inherited subset.
type command struct {
	usage            string // its arguments, for example "NAME ARGSJSON"
	minArgs, maxArgs int
	call             func(ctx context.Context, c *client, args []string) error
}

// commands are the subcommands by name. The table never changes.
var commands = map[string]command{
	"initialize":     {"[VERSION]", 0, 1, initialize},
	"connect":        {"(one envelope as JSON on each line of standard input)", 0, 0, connectStream},
	"list-tools":     {"", 0, 0, listTools},
	"call-tool":      {"NAME ARGSJSON", 2, 2, callTool},
	"list-resources": {"", 0, 0, listResources},
	"read":           {"URI", 1, 1, readResource},
	"subscribe":      {"URI COUNT", 2, 2, subscribeResource},
	"list-prompts":   {"", 0, 0, listPrompts},
	"get-prompt":     {"NAME ARGSJSON", 2, 2, getPrompt},
	"complete":       {"REF ARGUMENT VALUE", 3, 3, complete},
	"ping":           {"", 0, 0, ping},
	"shutdown":       {"SESSION", 1, 1, shutdown},
	"metadata":       {"", 0, 0, getMetadata},
}

func initialize(ctx context.Context, c *client, args []string) error {
	version := "2025-11-25"
	if len(args) > 0 {
		version = args[0]
	}
	return unary(ctx, c, c.mcp.Initialize, &mcpv1.InitializeRequest{
		ProtocolVersion: version,
		Capabilities:    &mcpv1.CapabilitySet{Values: &structpb.Struct{}},
		ClientInfo:      &mcpv1.ClientInfo{Name: "inherited", Version: "1.0.0"},
	})
}

// connectStream sends every line of standard input, then says that no more will come, and
// prints what the server sends until it ends the stream.
func connectStream(ctx context.Context, c *client, _ []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.mcp.Connect(ctx)
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		err := sendLines(stream, c.stdin)
		sent <- err
		if err != nil {
			cancel() // Else printAll would wait for answers that nobody asked for.
		}
	}()
	received := printAll(c, stream.Recv)
	select {
	case err := <-sent:
		if err != nil {
			return err // It is why the stream was cancelled.
		}
	default: // The server may end the stream before standard input ends.
	}
	return received
}

func sendLines(stream grpc.BidiStreamingClient[mcpv1.Envelope, mcpv1.Envelope], stdin io.Reader) error {
	lines := bufio.NewScanner(stdin)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var envelope mcpv1.Envelope
		if err := protojson.Unmarshal(lines.Bytes(), &envelope); err != nil {
			return fmt.Errorf("%w: envelope: %w", errUsage, err)
		}
		if err := stream.Send(&envelope); err != nil {
			return nil //nolint:nilerr // The receiver gets the status; Send says EOF only.
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	return stream.CloseSend()
}

func listTools(ctx context.Context, c *client, _ []string) error {
	return unary(ctx, c, c.mcp.ListTools, &mcpv1.ListToolsRequest{})
}

func callTool(ctx context.Context, c *client, args []string) error {
	arguments, err := object(args[1])
	if err != nil {
		return err
	}
	stream, err := c.mcp.CallTool(ctx, &mcpv1.CallToolRequest{Name: args[0], Arguments: arguments})
	if err != nil {
		return err
	}
	return printAll(c, stream.Recv)
}

func listResources(ctx context.Context, c *client, _ []string) error {
	return unary(ctx, c, c.mcp.ListResources, &mcpv1.ListResourcesRequest{})
}

func readResource(ctx context.Context, c *client, args []string) error {
	return unary(ctx, c, c.mcp.ReadResource, &mcpv1.ReadResourceRequest{Uri: args[0]})
}

// subscribeResource prints the first COUNT events and leaves.
func subscribeResource(ctx context.Context, c *client, args []string) error {
	count, err := strconv.Atoi(args[1])
	if err != nil {
		return fmt.Errorf("%w: COUNT: %w", errUsage, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.mcp.SubscribeResource(ctx, &mcpv1.SubscribeResourceRequest{Uri: args[0]})
	if err != nil {
		return err
	}
	for range count {
		event, err := stream.Recv()
		if err != nil {
			return err // An end of the stream is an error too: events are missing.
		}
		if err := c.print(event); err != nil {
			return err
		}
	}
	return nil
}

func listPrompts(ctx context.Context, c *client, _ []string) error {
	return unary(ctx, c, c.mcp.ListPrompts, &mcpv1.ListPromptsRequest{})
}

func getPrompt(ctx context.Context, c *client, args []string) error {
	arguments, err := object(args[1])
	if err != nil {
		return err
	}
	return unary(ctx, c, c.mcp.GetPrompt, &mcpv1.GetPromptRequest{Name: args[0], Arguments: arguments})
}

func complete(ctx context.Context, c *client, args []string) error {
	return unary(ctx, c, c.mcp.Complete, &mcpv1.CompleteRequest{
		Ref: args[0], ArgumentName: args[1], Value: args[2],
	})
}

func ping(ctx context.Context, c *client, _ []string) error {
	return unary(ctx, c, c.mcp.Ping, &mcpv1.PingRequest{})
}

func shutdown(ctx context.Context, c *client, args []string) error {
	return unary(withSession(ctx, args[0]), c, c.mcp.Shutdown, &mcpv1.ShutdownRequest{})
}

func getMetadata(ctx context.Context, c *client, _ []string) error {
	return unary(ctx, c, c.auth.GetMetadata, &mcpv1.GetMetadataRequest{})
}

// unary calls one unary RPC and prints its response.
func unary[Request any, Response proto.Message](
	ctx context.Context,
	c *client,
	call func(context.Context, Request, ...grpc.CallOption) (Response, error),
	request Request,
) error {
	response, err := call(ctx, request)
	if err != nil {
		return err
	}
	return c.print(response)
}

// printAll prints what receive gives until it says io.EOF, which is no error here.
func printAll[Message proto.Message](c *client, receive func() (Message, error)) error {
	for {
		message, err := receive()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := c.print(message); err != nil {
			return err
		}
	}
}

// object reads the text of a JSON object; empty text is no object at all.
func object(text string) (*structpb.Struct, error) {
	if text == "" {
		return nil, nil
	}
	var value structpb.Struct
	if err := protojson.Unmarshal([]byte(text), &value); err != nil {
		return nil, fmt.Errorf("%w: ARGSJSON: %w", errUsage, err)
	}
	return &value, nil
}
