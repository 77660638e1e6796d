// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package contender

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"google.golang.org/protobuf/proto"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// raw1 is a floor: the same messages as bodies of plain HTTP/1.1.
type raw1 struct{}

func rawHTTP() []Contender { return []Contender{raw1{}} }

func (raw1) Name() string { return "raw-http1" }

func (raw1) Serve(ctx context.Context, ln net.Listener, setup Setup) error {
	service, err := newPlainService(setup)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /invoke", rawHandler(func() *mcpv1.CallToolRequest { return &mcpv1.CallToolRequest{} }, service.InvokeTool))
	mux.HandleFunc("POST /read", rawHandler(func() *mcpv1.ReadResourceRequest { return &mcpv1.ReadResourceRequest{} }, service.ReadResource))
	mux.HandleFunc("POST /list", rawHandler(func() *mcpv1.ListToolsRequest { return &mcpv1.ListToolsRequest{} }, service.ListTools))
	return serveHTTP(ctx, ln, mux)
}

func rawHandler[Req, Res proto.Message](request func() Req, serve func(context.Context, Req) (Res, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxMessage))
		req := request()
		if err == nil {
			err = proto.Unmarshal(body, req)
		}
		if err == nil {
			var res Res
			if res, err = serve(r.Context(), req); err == nil {
				body, err = proto.Marshal(res)
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/protobuf")
		_, _ = w.Write(body) // the client is gone then
	}
}

func (raw1) Dial(_ context.Context, addr string, inFlight int) (Client, error) {
	return stubClient{&rawStub{client: http1Client(inFlight), base: "http://" + addr}}, nil
}

type rawStub struct {
	client *http.Client
	base   string
}

func (s *rawStub) post(ctx context.Context, path string, req, res proto.Message) error {
	body, err := proto.Marshal(req)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/protobuf")
	answer, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if body, err = io.ReadAll(answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", answer.Status, body)
	}
	return proto.Unmarshal(body, res)
}

func (s *rawStub) invoke(ctx context.Context, req *mcpv1.CallToolRequest) (*mcpv1.InvokeToolResponse, error) {
	res := &mcpv1.InvokeToolResponse{}
	return res, s.post(ctx, "/invoke", req, res)
}

func (s *rawStub) events(context.Context, *mcpv1.CallToolRequest, func(*mcpv1.CallToolEvent)) error {
	return errors.ErrUnsupported
}

func (s *rawStub) list(ctx context.Context, req *mcpv1.ListToolsRequest) (*mcpv1.ListToolsResponse, error) {
	res := &mcpv1.ListToolsResponse{}
	return res, s.post(ctx, "/list", req, res)
}

func (s *rawStub) read(ctx context.Context, req *mcpv1.ReadResourceRequest) (*mcpv1.ReadResourceResponse, error) {
	res := &mcpv1.ReadResourceResponse{}
	return res, s.post(ctx, "/read", req, res)
}

func (s *rawStub) close() error {
	s.client.CloseIdleConnections()
	return nil
}
