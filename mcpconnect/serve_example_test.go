// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

func ExampleServe() {
	// A program would end at a signal:
	// ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	// First, what to serve: usually the result of NewHandler, alone or below a mux.
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello over", r.Proto)
	})

	// Next, where to: any net.Listener will do, a Unix domain socket too.
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	done := make(chan error)
	go func() {
		done <- mcpconnect.Serve(ctx, ln, mux, mcpconnect.WithServeLogger(slog.New(slog.DiscardHandler)))
	}()

	// HTTP/1.1 and HTTP/2 share the port.
	for _, http1 := range []bool{true, false} {
		transport := &http.Transport{Protocols: new(http.Protocols)}
		transport.Protocols.SetHTTP1(http1)
		transport.Protocols.SetUnencryptedHTTP2(!http1)
		res, err := (&http.Client{Transport: transport}).Get("http://" + ln.Addr().String() + "/hello")
		if err != nil {
			fmt.Println(err)
			return
		}
		text, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		fmt.Print(string(text))
		transport.CloseIdleConnections()
	}

	// Finally, the end of ctx stops the server, once all calls have finished.
	stop()
	fmt.Println("stopped:", <-done)
	// Output:
	// hello over HTTP/1.1
	// hello over HTTP/2.0
	// stopped: <nil>
}
