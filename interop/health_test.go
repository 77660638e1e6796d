// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"errors"
	"io"
	"testing"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/mcpconnect/mcpconnect/internal/everything"
)

func TestHealthCheck(t *testing.T) {
	t.Parallel()
	c, ctx := healthpb.NewHealthClient(dial(t, serve(t, everything.NewServer()).addr)), testContext(t)
	for _, service := range []string{"", "mcp.v1.MCP", "mcp.v1.AuthDiscovery"} {
		res, err := c.Check(ctx, &healthpb.HealthCheckRequest{Service: service})
		if err != nil || res.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("%q: got %v, %v", service, res, err)
		}
	}
	if _, err := c.Check(ctx, &healthpb.HealthCheckRequest{Service: "mcp.v1.None"}); codeOf(err) != codes.NotFound {
		t.Errorf("an unknown service: got %v, want NotFound", err)
	}
}

// TestHealthWatch sees a server drain.
func TestHealthWatch(t *testing.T) {
	t.Parallel()
	s := serve(t, everything.NewServer())
	c, ctx := healthpb.NewHealthClient(dial(t, s.addr)), testContext(t)
	watch := func(service string) healthpb.Health_WatchClient {
		t.Helper()
		stream, err := c.Watch(ctx, &healthpb.HealthCheckRequest{Service: service})
		if err != nil {
			t.Fatal(err)
		}
		return stream
	}
	next := func(stream healthpb.Health_WatchClient, want healthpb.HealthCheckResponse_ServingStatus) {
		t.Helper()
		if res, err := stream.Recv(); err != nil || res.GetStatus() != want {
			t.Errorf("got %v, %v, want %v", res, err, want)
		}
	}
	known, unknown := watch("mcp.v1.MCP"), watch("mcp.v1.None")
	next(known, healthpb.HealthCheckResponse_SERVING)
	next(unknown, healthpb.HealthCheckResponse_SERVICE_UNKNOWN)
	s.handler.NotServing()
	next(known, healthpb.HealthCheckResponse_NOT_SERVING)
	s.stop(t)
	for _, stream := range []healthpb.Health_WatchClient{known, unknown} {
		// The server may tell once more where it stands before it ends the stream.
		for {
			_, err := stream.Recv()
			if err == nil {
				continue
			}
			if code := codeOf(err); !errors.Is(err, io.EOF) && code != codes.Unavailable && code != codes.Canceled {
				t.Errorf("the watch ended with %v", err)
			}
			break
		}
	}
}
