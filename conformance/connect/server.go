// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/mcpconnect/mcpconnect/authn"
	conformancev1 "github.com/mcpconnect/mcpconnect/conformance/connect/gen/connectrpc/conformance/v1"
	"github.com/mcpconnect/mcpconnect/conformance/connect/gen/connectrpc/conformance/v1/conformancev1connect"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// serve is one server, as the runner asks for it, until ctx ends. All is as it is for MCP.
func serve(ctx context.Context, in io.Reader, out io.Writer) error {
	var want conformancev1.ServerCompatRequest
	if err := readFrame(in, &want); err != nil {
		return err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	addr, ok := ln.Addr().(*net.TCPAddr)
	if !ok {
		return errors.Join(errors.New("the address has no port"), ln.Close())
	}
	ready := &conformancev1.ServerCompatResponse{Host: "127.0.0.1", Port: uint32(addr.Port)}
	options := []mcpconnect.ServeOption{mcpconnect.WithServeLogger(slog.New(slog.DiscardHandler))}
	if want.GetUseTls() {
		config, err := serverTLS(&want)
		if err != nil {
			return errors.Join(err, ln.Close())
		}
		options = append(options, mcpconnect.WithTLSConfig(config))
		ready.PemCert = want.GetServerCreds().GetCert()
	}
	if err := writeFrame(out, ready); err != nil {
		return errors.Join(err, ln.Close())
	}
	return mcpconnect.Serve(ctx, ln, handler(&want), options...)
}

// handler is the one of MCP, with the suite's service on it.
func handler(want *conformancev1.ServerCompatRequest) http.Handler {
	return mcpconnect.NewHandler(
		mcp.NewServer(&mcp.Implementation{Name: "conformance", Version: "1"}, nil),
		mcpconnect.WithService(func(opts ...connect.HandlerOption) (string, http.Handler) {
			return conformancev1connect.NewConformanceServiceHandler(service{}, opts...)
		}),
		mcpconnect.WithLimits(mcpconnect.Limits{MessageBytes: int(want.GetMessageReceiveLimit())}),
		mcpconnect.WithAuthn(everyone{}),
		mcpconnect.WithStreamableHTTP(),
		mcpconnect.WithReflection(),
		mcpconnect.WithTracerProvider(tracenoop.NewTracerProvider()),
		mcpconnect.WithMeterProvider(metricnoop.NewMeterProvider()),
		mcpconnect.WithLogger(slog.New(slog.DiscardHandler)),
	)
}

// everyone is let in: the suite's client has no credentials.
type everyone struct{}

var _ authn.Authenticator = everyone{}

// Authenticate knows everyone by the same name.
func (everyone) Authenticate(context.Context, *http.Request) (*authn.Principal, error) {
	return &authn.Principal{Subject: "everyone"}, nil
}

// Scheme is none.
func (everyone) Scheme() string { return "" }

func serverTLS(want *conformancev1.ServerCompatRequest) (*tls.Config, error) {
	certificate, err := tls.X509KeyPair(want.GetServerCreds().GetCert(), want.GetServerCreds().GetKey())
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	if trusted := want.GetClientTlsCert(); len(trusted) > 0 {
		config.ClientAuth = tls.RequireAndVerifyClientCert
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(trusted) {
			return nil, errors.New("the client's certificate is not PEM")
		}
	}
	return config, nil
}
