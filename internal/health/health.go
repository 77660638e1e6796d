// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package health serves grpc.health.v1.Health, both Check and Watch, over gRPC, gRPC-Web and
// Connect.
//
// Check comes from [connectrpc.com/grpchealth], which answers Watch with unimplemented; Watch
// is here. Kubernetes probes and grpc_health_probe call Check, client-side load balancers
// call Watch.
//
// The protocol: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
package health

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	healthv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcpconnect/health/v1"
)

// Procedures of the service, as they stand in a request's path.
const (
	CheckProcedure = "/" + grpchealth.HealthV1ServiceName + "/Check"
	WatchProcedure = "/" + grpchealth.HealthV1ServiceName + "/Watch"
)

// Server keeps the status of each service and tells it to callers of Check and Watch. The
// service named "" is the whole server. Construct one with [New]. All methods may be called
// concurrently and more than once.
type Server struct {
	mu       sync.Mutex
	statuses map[string]healthv1.WatchResponse_ServingStatus
	frozen   bool          // SetAllNotServing was called
	closed   bool          // Close was called
	changed  chan struct{} // closed, and replaced, by each change of the fields above
}

var _ grpchealth.Checker = (*Server)(nil)

// New returns a Server that says SERVING for the whole server and for each of the services,
// which are full protobuf names such as "mcp.v1.MCP".
func New(services ...string) *Server {
	statuses := map[string]healthv1.WatchResponse_ServingStatus{
		"": healthv1.WatchResponse_SERVING_STATUS_SERVING,
	}
	for _, service := range services {
		statuses[service] = healthv1.WatchResponse_SERVING_STATUS_SERVING
	}
	return &Server{statuses: statuses, changed: make(chan struct{})}
}

// SetStatus sets the status of a service and makes the service known if it was not. After
// [Server.SetAllNotServing] it does nothing: a late "I am well" of some part must not bring
// traffic back to a server that is about to go.
func (s *Server) SetStatus(service string, serving bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frozen {
		return
	}
	status := healthv1.WatchResponse_SERVING_STATUS_NOT_SERVING
	if serving {
		status = healthv1.WatchResponse_SERVING_STATUS_SERVING
	}
	if s.statuses[service] == status {
		return
	}
	s.statuses[service] = status
	s.broadcastLocked()
}

// SetAllNotServing sets all known services to NOT_SERVING, for good, as Shutdown of
// grpc-go's health server does. Watchers are told and stay; [Server.Close] ends them.
func (s *Server) SetAllNotServing() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.freezeLocked()
}

// Close does what [Server.SetAllNotServing] does and then ends all watches, and each later
// one, with unavailable, once they have told their last status. Check still answers.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.freezeLocked()
	if !s.closed {
		s.closed = true
		s.broadcastLocked()
	}
}

func (s *Server) freezeLocked() {
	if s.frozen {
		return
	}
	s.frozen = true
	for service := range s.statuses {
		s.statuses[service] = healthv1.WatchResponse_SERVING_STATUS_NOT_SERVING
	}
	s.broadcastLocked()
}

// broadcastLocked wakes all watchers. Each then looks up its own service: there are few
// services, their status changes rarely, and nothing has to be kept for each watcher.
func (s *Server) broadcastLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Check implements [grpchealth.Checker]. An unknown service is not_found.
func (s *Server) Check(_ context.Context, req *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	s.mu.Lock()
	status, known := s.statuses[req.Service]
	s.mu.Unlock()
	if !known {
		return nil, connect.NewError(connect.CodeNotFound, fmt.Errorf("unknown service %q", req.Service))
	}
	if status == healthv1.WatchResponse_SERVING_STATUS_SERVING {
		return &grpchealth.CheckResponse{Status: grpchealth.StatusServing}, nil
	}
	return &grpchealth.CheckResponse{Status: grpchealth.StatusNotServing}, nil
}

// Handler returns the path to mount the service on, "/grpc.health.v1.Health/", and the
// handler for it. The options apply to both RPCs.
func (s *Server) Handler(opts ...connect.HandlerOption) (string, http.Handler) {
	path, check := grpchealth.NewHandler(s, opts...)
	watch := connect.NewServerStreamHandlerSimple(WatchProcedure, s.watch, opts...)
	return path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == WatchProcedure {
			watch.ServeHTTP(w, r)
			return
		}
		check.ServeHTTP(w, r)
	})
}

// watch sends the status of a service now and after each change. A watcher that reads more
// slowly than the status changes misses those in between, never the newest one.
func (s *Server) watch(ctx context.Context, req *healthv1.WatchRequest, stream *connect.ServerStream[healthv1.WatchResponse]) error {
	told := healthv1.WatchResponse_SERVING_STATUS_UNSPECIFIED // never a status of ours: the first is always sent
	for {
		status, closed, changed := s.look(req.GetService())
		if status != told {
			if err := stream.Send(&healthv1.WatchResponse{Status: status}); err != nil {
				return err
			}
			told = status
		}
		if closed {
			return connect.NewError(connect.CodeUnavailable, errors.New("server is shutting down"))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// look returns the status of a service, whether watches have to end after it, and the channel
// that is closed by the next change of either.
func (s *Server) look(service string) (status healthv1.WatchResponse_ServingStatus, closed bool, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, known := s.statuses[service]
	if !known {
		status = healthv1.WatchResponse_SERVING_STATUS_SERVICE_UNKNOWN
	}
	return status, s.closed, s.changed
}
