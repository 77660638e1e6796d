// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mcpconnect/mcpconnect/bench/contender"
)

// Counters are what a server process has used since its start.
type Counters struct {
	CPU        time.Duration // user and system
	Mallocs    uint64
	AllocBytes uint64
	Wire       Wire

	RSS        int64 // bytes
	Heap       uint64
	Stack      uint64
	Goroutines int
}

// hello is the first line of a server.
type hello struct {
	Addr string
}

// serve is the main function of a server process.
func serve(args []string, commands io.Reader, answers io.Writer) error {
	if len(args) != 2 {
		return errors.New("usage: " + serveArg + " CONTENDER SETUP")
	}
	c, err := contender.Find(args[0])
	if err != nil {
		return err
	}
	var setup contender.Setup
	if err := json.Unmarshal([]byte(args[1]), &setup); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	counted := &Listener{Listener: ln}
	served := make(chan error, 1)
	go func() {
		served <- c.Serve(ctx, counted, setup)
	}()
	out := json.NewEncoder(answers)
	if err := out.Encode(hello{ln.Addr().String()}); err != nil {
		return err
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(commands); in.Scan(); {
			lines <- in.Text()
		}
	}()
	for {
		select {
		case err := <-served:
			return fmt.Errorf("serving ended: %w", err)
		case line, ok := <-lines:
			if !ok {
				return nil // the parent has gone, or is done with us
			}
			if line == "gc" {
				debug.FreeOSMemory()
			}
			if err := out.Encode(ownCounters(counted.Wire())); err != nil {
				return err
			}
		}
	}
}

func ownCounters(w Wire) Counters {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Counters{
		CPU: ownCPU(), Mallocs: m.Mallocs, AllocBytes: m.TotalAlloc, Wire: w,
		RSS: ownRSS(), Heap: m.HeapInuse, Stack: m.StackInuse, Goroutines: runtime.NumGoroutine(),
	}
}

func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// ownRSS is 0 where there is no /proc.
func ownRSS() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if fields := strings.Fields(string(text)); err == nil && len(fields) > 1 {
		pages, _ := strconv.ParseInt(fields[1], 10, 64)
		return pages * int64(os.Getpagesize())
	}
	return 0
}

// A Server is a server process.
type Server struct {
	Addr string

	process *process
}

// Start runs this program again, as a server. exe is its path.
func Start(exe, name string, setup contender.Setup) (*Server, error) {
	text, err := json.Marshal(setup)
	if err != nil {
		return nil, err
	}
	p, err := start(exe, serveArg, name, string(text))
	if err != nil {
		return nil, err
	}
	var h hello
	if err := p.answers.Decode(&h); err != nil {
		_ = p.stop() // the error says enough
		return nil, fmt.Errorf("%s did not start: %w", name, err)
	}
	return &Server{h.Addr, p}, nil
}

// Counters asks the server what it has used.
func (s *Server) Counters() (Counters, error) { return s.ask("stats") }

// Collect has the server free all memory that it can, and gives its counters after that.
func (s *Server) Collect() (Counters, error) { return s.ask("gc") }

func (s *Server) ask(command string) (c Counters, err error) {
	return c, s.process.ask(command, &c)
}

// Stop ends the process and waits for that.
func (s *Server) Stop() error { return s.process.stop() }
