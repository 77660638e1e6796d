// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/config"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// gatewayFlags are those of `mcpconnect gateway`.
type gatewayFlags struct {
	config, listen, admin string
	log                   logFlags
}

func newGatewayCommand() *cobra.Command {
	var f gatewayFlags
	cmd := &cobra.Command{
		Use:   "gateway [flags] [-- command [argument...]]",
		Short: "Put MCP servers on gRPC, gRPC-Web, Connect and Streamable HTTP",
		Long: `Put MCP servers on gRPC, gRPC-Web, Connect and Streamable HTTP: a program that speaks on
standard input and output, or the servers of a configuration file. Several servers are shown
as one, whose tools and prompts have the server's name before theirs. Programs are started
again when they end, and end with the gateway.

Without a configuration that says who is let in, the gateway listens on the loopback
interface only. docs/command.md describes the file; it may be the mcpServers file of a
desktop client, too.

SIGTERM drains: health turns bad, calls in flight are answered, then the gateway ends.`,
		Example: `  mcpconnect gateway -- npx -y @modelcontextprotocol/server-everything
  mcpconnect gateway --config gateway.yaml`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := f.load(args, cmd.ArgsLenAtDash())
			if err != nil {
				return err
			}
			log, err := f.log.logger(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return serveGateway(cmd.Context(), cfg, log)
		},
	}
	cmd.Flags().StringVar(&f.config, "config", "", "file with the configuration")
	cmd.Flags().StringVar(&f.listen, "listen", "", "address to listen on: host:port, or unix:/path; if empty, that of the file, or "+config.DefaultListen)
	cmd.Flags().StringVar(&f.admin, "admin", "", "address for /livez, /readyz and /metrics; if empty, that of the file, or none")
	f.log.flags(cmd, "info")
	return cmd
}

// load gives the configuration of the command line.
func (f *gatewayFlags) load(args []string, dash int) (*config.Config, error) {
	var cfg *config.Config
	var err error
	switch {
	case f.config != "" && len(args) > 0:
		return nil, usage(errors.New("there is a --config and a command: put the command into the file"))
	case f.config != "":
		if cfg, err = config.Load(f.config, os.LookupEnv); err != nil {
			return nil, usage(err)
		}
	case len(args) == 0:
		return nil, usage(errors.New("nothing to serve: name a command after --, or a file with --config"))
	case dash != 0:
		return nil, usage(fmt.Errorf("unexpected argument %q: the command comes after --", args[0]))
	default:
		cfg = &config.Config{Listen: config.DefaultListen, Servers: config.Servers{{Name: "server", Command: args[0], Args: args[1:]}}}
	}
	if f.listen != "" {
		cfg.Listen = f.listen
	}
	if f.admin != "" {
		cfg.Admin = f.admin
	}
	return cfg, nil
}

// serveGateway serves until ctx is done and what is in flight has been answered.
func serveGateway(ctx context.Context, cfg *config.Config, log *slog.Logger) (err error) {
	access, err := cfg.Access(log)
	if err != nil {
		return usage(err)
	}
	tlsConfig, err := cfg.ServerTLS()
	if err != nil {
		return usage(err)
	}
	ops, err := newOperations(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ops.close()) }()
	if cfg.Admin != "" {
		at, stop, err := ops.serve(ctx, cfg.Admin)
		if err != nil {
			return err
		}
		defer stop()
		log.Info("probes and metrics are served", "address", at.String())
	}
	ln, err := listen(ctx, cfg)
	if err != nil {
		return err
	}
	defer ln.Close()
	g, err := openGateway(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()

	opts := append(ops.options(), access.Options...)
	opts = append(opts, mcpconnect.WithStreamableHTTP())
	if cfg.Reflection {
		opts = append(opts, mcpconnect.WithReflection())
	}
	handler := g.Handler(opts...)
	defer watch(ctx, access, log)()
	ops.ready.Store(true)
	log.Info("the gateway is ready", "address", ln.Addr().String(), "tls", tlsConfig != nil, "upstreams", len(cfg.Servers))
	serve := []mcpconnect.ServeOption{
		mcpconnect.WithServeLogger(log), mcpconnect.WithDrain(handler), mcpconnect.WithDrain(ops),
		mcpconnect.WithDrainDelay(time.Duration(cfg.DrainDelay)),
	}
	if cfg.GracePeriod > 0 {
		serve = append(serve, mcpconnect.WithGracePeriod(time.Duration(cfg.GracePeriod)))
	}
	if tlsConfig != nil {
		serve = append(serve, mcpconnect.WithTLSConfig(tlsConfig))
	}
	return mcpconnect.Serve(ctx, ln, withRequestID(handler), serve...)
}

func openGateway(ctx context.Context, cfg *config.Config, log *slog.Logger) (*gateway.Gateway, error) {
	c := gateway.Config{Logger: log}
	for _, s := range cfg.Servers {
		u, err := s.Upstream()
		if err != nil {
			return nil, usage(fmt.Errorf("server %q: %w", s.Name, err))
		}
		c.Upstreams = append(c.Upstreams, u)
	}
	return gateway.New(ctx, c)
}

// listen listens on host:port, or on the Unix socket of unix:/path.
func listen(ctx context.Context, cfg *config.Config) (net.Listener, error) {
	if path, ok := strings.CutPrefix(cfg.Listen, "unix:"); ok {
		return listenUnix(ctx, path, cfg.SocketMode())
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", cfg.Listen)
}

// watch follows the files of the access until stop is called.
func watch(ctx context.Context, access *config.Access, log *slog.Logger) (stop func()) {
	if access.Watch == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := access.Watch(ctx); err != nil && ctx.Err() == nil {
			log.Error("the file with API keys is not followed any more", "error", err)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
