// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"

	"connectrpc.com/connect"

	conformancev1 "github.com/mcpconnect/mcpconnect/conformance/connect/gen/connectrpc/conformance/v1"
	"github.com/mcpconnect/mcpconnect/conformance/connect/gen/connectrpc/conformance/v1/conformancev1connect"
	"github.com/mcpconnect/mcpconnect/internal/httpclient"
)

// atATime is how many calls are in flight.
const atATime = 16

// call makes the calls that the runner asks for, until in ends.
func call(ctx context.Context, in io.Reader, out io.Writer) error {
	clients := &clients{of: map[string]*http.Client{}}
	defer clients.close()
	var calls sync.WaitGroup
	defer calls.Wait()
	slots := make(chan struct{}, atATime)
	var writing sync.Mutex
	for {
		req := new(conformancev1.ClientCompatRequest)
		err := readFrame(in, req)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		slots <- struct{}{}
		calls.Go(func() {
			defer func() { <-slots }()
			res := &conformancev1.ClientCompatResponse{TestName: req.GetTestName()}
			if result, err := callOne(ctx, clients, req); err != nil {
				res.Result = &conformancev1.ClientCompatResponse_Error{Error: &conformancev1.ClientErrorResult{Message: err.Error()}}
			} else {
				res.Result = &conformancev1.ClientCompatResponse_Response{Response: result}
			}
			writing.Lock()
			defer writing.Unlock()
			_ = writeFrame(out, res) // the runner misses it
		})
	}
}

// callOne makes a call with the client that it wants.
func callOne(ctx context.Context, clients *clients, req *conformancev1.ClientCompatRequest) (*conformancev1.ClientResponseResult, error) {
	client, err := clients.get(req)
	if err != nil {
		return nil, err
	}
	scheme := "http://"
	if len(req.GetServerTlsCert()) > 0 {
		scheme = "https://"
	}
	url := scheme + net.JoinHostPort(req.GetHost(), strconv.Itoa(int(req.GetPort())))
	return invoke(ctx, conformancev1connect.NewConformanceServiceClient(client, url, optionsOf(req)...), req)
}

func optionsOf(req *conformancev1.ClientCompatRequest) []connect.ClientOption {
	opts := []connect.ClientOption{connect.WithReadMaxBytes(int(req.GetMessageReceiveLimit()))}
	switch req.GetProtocol() {
	case conformancev1.Protocol_PROTOCOL_GRPC:
		opts = append(opts, connect.WithGRPC())
	case conformancev1.Protocol_PROTOCOL_GRPC_WEB:
		opts = append(opts, connect.WithGRPCWeb())
	}
	if req.GetCodec() == conformancev1.Codec_CODEC_JSON {
		opts = append(opts, connect.WithProtoJSON())
	}
	if req.GetCompression() == conformancev1.Compression_COMPRESSION_GZIP {
		opts = append(opts, connect.WithSendGzip())
	}
	if req.GetUseGetHttpMethod() {
		opts = append(opts, connect.WithHTTPGet())
	}
	return opts
}

// clients are one for each way to connect.
type clients struct {
	mu     sync.Mutex
	of     map[string]*http.Client
	closes []func()
}

// get gives a client whose connections are as [mcpconnect.NewClient] has them.
func (c *clients) get(req *conformancev1.ClientCompatRequest) (*http.Client, error) {
	key := fmt.Sprint(req.GetHttpVersion(), req.GetProtocol(), req.GetHost(), req.GetPort())
	c.mu.Lock()
	defer c.mu.Unlock()
	if client := c.of[key]; client != nil {
		return client, nil
	}
	config := httpclient.Config{
		HTTP1:     req.GetHttpVersion() == conformancev1.HTTPVersion_HTTP_VERSION_1,
		HTTP2Only: req.GetProtocol() == conformancev1.Protocol_PROTOCOL_GRPC,
	}
	if len(req.GetServerTlsCert()) > 0 {
		config.Secure = true
		var err error
		if config.TLS, err = clientTLS(req); err != nil {
			return nil, err
		}
	}
	client, closeAll := httpclient.New(config)
	c.of[key] = client
	c.closes = append(c.closes, closeAll)
	return client, nil
}

func (c *clients) close() {
	for _, closeAll := range c.closes {
		closeAll()
	}
}

func clientTLS(req *conformancev1.ClientCompatRequest) (*tls.Config, error) {
	config := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	if !config.RootCAs.AppendCertsFromPEM(req.GetServerTlsCert()) {
		return nil, errors.New("the server's certificate is not PEM")
	}
	if creds := req.GetClientTlsCreds(); creds != nil {
		certificate, err := tls.X509KeyPair(creds.GetCert(), creds.GetKey())
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return config, nil
}
