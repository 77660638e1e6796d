// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"image/png"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// versions are one modern and two legacy protocol versions: most tests run on each.
var versions = []string{"2026-07-28", "2025-11-25", "2025-06-18"}

func eachVersion(t *testing.T, test func(t *testing.T, version string)) {
	t.Helper()
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			test(t, version)
		})
	}
}

// connect links a client to srv in memory. Both ends are closed when the test ends.
func connect(t *testing.T, srv *Server, version string, opts *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	clientEnd, serverEnd := mcp.NewInMemoryTransports()
	ss, err := srv.MCP().Connect(t.Context(), serverEnd, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, opts)
	cs, err := client.Connect(t.Context(), clientEnd, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cs.Close(); err != nil {
			t.Errorf("closing the client: %v", err)
		}
		_ = ss.Wait() // reports how the connection ended, which the client decided
	})
	if got := cs.InitializeResult().ProtocolVersion; got != version {
		t.Fatalf("got protocol version %q, want %q", got, version)
	}
	return cs
}

func TestDescribesEverything(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, version string) {
		cs := connect(t, NewServer("v9"), version, nil)
		var tools, resources, prompts []string
		for tool, err := range cs.Tools(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			if tool.Title == "" || tool.Description == "" || tool.Annotations == nil || !tool.Annotations.ReadOnlyHint {
				t.Errorf("tool %q is not described: %+v", tool.Name, tool)
			}
			tools = append(tools, tool.Name)
		}
		for resource, err := range cs.Resources(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			if resource.Title == "" || resource.Description == "" || resource.MIMEType == "" {
				t.Errorf("resource %q is not described: %+v", resource.URI, resource)
			}
			resources = append(resources, resource.URI)
		}
		for prompt, err := range cs.Prompts(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			if prompt.Title == "" || prompt.Description == "" || len(prompt.Arguments) != 1 {
				t.Errorf("prompt %q is not described: %+v", prompt.Name, prompt)
			}
			prompts = append(prompts, prompt.Name)
		}
		got := [][]string{tools, resources, prompts}
		want := [][]string{
			{"add", "countdown", "echo", "greet", "pixel"},
			{"demo://clock", "demo://logo"},
			{"review"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("lists differ (-want +got):\n%s", diff)
		}
		if !cs.InitializeResult().Capabilities.Resources.Subscribe {
			t.Error("the server does not offer subscriptions")
		}
	})
}

func TestReadsTheLogo(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, version string) {
		cs := connect(t, NewServer("v9"), version, nil)
		got, err := cs.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "demo://logo"})
		if err != nil {
			t.Fatal(err)
		}
		assertPNG(t, got.Contents[0].Blob, 64)
		if got := got.Contents[0].MIMEType; got != "image/png" {
			t.Errorf("got type %q, want image/png", got)
		}
	})
}

func TestRefusesAnUnknownResource(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, version string) {
		cs := connect(t, NewServer("v9"), version, nil)
		if _, err := cs.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "demo://other"}); err == nil {
			t.Error("reading demo://other: got no error")
		}
		if version >= firstModern {
			return // Subscribe is a listen there, whose error the SDK's client does not report
		}
		if err := cs.Subscribe(t.Context(), &mcp.SubscribeParams{URI: "demo://other"}); err == nil {
			t.Error("subscribing to demo://other: got no error")
		}
	})
}

// The clock runs in a synctest bubble, where a second takes no time and the test reads
// the same clock as the server.
func TestClockTicksEverySecond(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { testClock(t, version) })
		})
	}
}

func testClock(t *testing.T, version string) {
	srv := NewServer("v9")
	updates := make(chan time.Time, 16)
	cs := connect(t, srv, version, &mcp.ClientOptions{
		ResourceUpdatedHandler: func(_ context.Context, req *mcp.ResourceUpdatedNotificationRequest) {
			if req.Params.URI == "demo://clock" {
				updates <- time.Now()
			}
		},
	})
	if err := cs.Subscribe(t.Context(), &mcp.SubscribeParams{URI: "demo://clock"}); err != nil {
		t.Fatal(err)
	}
	synctest.Wait() // the subscription stands
	start := time.Now()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); srv.Run(ctx) }()
	for i := 1; i <= 3; i++ {
		if got, want := (<-updates).Sub(start), time.Duration(i)*time.Second; got != want {
			t.Errorf("update %d came after %v, want %v", i, got, want)
		}
	}
	got, err := cs.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "demo://clock"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := got.Contents[0].Text, start.Add(3*time.Second).UTC().Format(time.RFC3339); got != want {
		t.Errorf("got clock %q, want %q", got, want)
	}
	stop()
	<-done
	if err := cs.Unsubscribe(t.Context(), &mcp.UnsubscribeParams{URI: "demo://clock"}); err != nil {
		t.Error(err)
	}
}

func assertPNG(t *testing.T, data []byte, size int) {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if got := img.Bounds(); got.Dx() != size || got.Dy() != size {
		t.Errorf("got a picture of %v, want %d×%[2]d", got, size)
	}
}
