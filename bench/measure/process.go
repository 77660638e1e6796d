// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package measure runs servers as processes of their own, calls them, and counts what it
// costs both.
package measure

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/mcpconnect/mcpconnect/bench/contender"
)

// First arguments of a process that this program runs again.
const (
	serveArg = "serve"
	crowdArg = "crowd"
)

// Child gives the main function of a process that was started by this package; nil for any
// other. args are the arguments of the program, without its name. The function reads commands
// until their end, and writes answers.
func Child(args []string) func(commands io.Reader, answers io.Writer) error {
	if len(args) == 0 {
		return nil
	}
	var run func([]string, io.Reader, io.Writer) error
	switch args[0] {
	case serveArg:
		run = serve
	case crowdArg:
		run = gather
	case contender.ChildArg:
		run = func(_ []string, in io.Reader, out io.Writer) error { return contender.ServeStdio(in, out) }
	default:
		return nil
	}
	return func(commands io.Reader, answers io.Writer) error { return run(args[1:], commands, answers) }
}

// A process is this program, run again. It gets lines and answers with JSON.
type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers *json.Decoder
}

func start(exe string, args ...string) (*process, error) {
	cmd := exec.Command(exe, args...) //nolint:noctx // ourselves, until stop
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{cmd, in, json.NewDecoder(out)}, nil
}

func (p *process) ask(command string, answer any) error {
	if _, err := io.WriteString(p.in, command+"\n"); err != nil {
		return fmt.Errorf("the process is gone: %w", err)
	}
	return p.answers.Decode(answer)
}

// stop ends the process and waits for that.
func (p *process) stop() error {
	_ = p.in.Close() // it ends by itself then
	timer := time.AfterFunc(5*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	return p.cmd.Wait()
}
