// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Command webapp is a small web app with pages, a login and a session cookie of its own,
// that has MCP embedded: its tools are served beside its routes, and one of its pages calls
// them from the browser.
//
//	go run ./examples/webapp
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8081", "address to listen on; port 0 picks a free one")
	tokenLife := flag.Duration("token-life", 10*time.Minute, "how long a token of the page is good")
	origins := flag.String("origins", "", "origins of other pages that may call the tools, separated by commas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, *tokenLife, *origins); err != nil {
		log.Print(err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func run(ctx context.Context, addr string, tokenLife time.Duration, origins string) error {
	var config net.ListenConfig
	ln, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	self := "http://" + ln.Addr().String()
	allowed := []string{self} // browsers send Origin with POSTs to the page's own origin, too
	if origins != "" {
		allowed = append(allowed, strings.Split(origins, ",")...)
	}
	app := newApp(tokenLife, allowed)
	fmt.Println("serving " + self)
	err = mcpconnect.Serve(ctx, ln, app.routes(), mcpconnect.WithDrain(app.mcp), mcpconnect.WithGracePeriod(2*time.Second))
	return errors.Join(err, app.mcp.Close())
}
