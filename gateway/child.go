// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	// childGrace is how long a child may take to end when its standard input has, and then
	// again when it is told to.
	childGrace = 2 * time.Second
	// maxLogLine is what is logged of a line of standard error.
	maxLogLine = 4 << 10
	// sendTimeout bounds the sending of what nobody waits for.
	sendTimeout = 5 * time.Second
)

// inherited are the variables of our environment that a child gets: those that programs
// need to run. The others may hold secrets.
var inherited = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TERM", "TMPDIR",
	"APPDATA", "LOCALAPPDATA", "PATHEXT", "PROGRAMFILES", "SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "USERNAME", "USERPROFILE",
}

// A childLink is a link to a child process, by a line for each message.
type childLink struct {
	name     string
	log      *slog.Logger
	maxBytes int
	cmd      *exec.Cmd
	group    *processGroup
	stdin    io.WriteCloser // a pipe
	out      *pipe

	reading sync.Mutex    // guards what follows
	lines   *bufio.Reader // of out
	garbage quietLog
	rest    []*message // of a list
	broken  error      // what a caller has met, for the reader
	misses  int        // grows while callers stay awake in vain
	doze    int        // for how many calls none does

	queue   chan []byte
	unsent  atomic.Int32 // lines that were put into queue and are not written
	turn    sync.Mutex   // held by who writes
	closing chan struct{}
	once    sync.Once
	gone    chan struct{}  // closed when the process has ended
	exit    error          // how; set before
	writes  sync.WaitGroup // the goroutines beside the reader, that of close among them
}

// startChild starts the upstream's program.
func startChild(u *Upstream, log *slog.Logger, maxBytes int) (link, error) {
	l := &childLink{
		name: u.Name, log: log, maxBytes: maxBytes, garbage: newQuietLog(),
		queue: make(chan []byte, sendQueue), closing: make(chan struct{}), gone: make(chan struct{}),
	}
	l.cmd = exec.Command(u.Command[0], u.Command[1:]...) //nolint:gosec,noctx // that is what it is for; close ends it
	l.cmd.Dir = u.Dir
	l.cmd.Env = childEnv(u.Env)
	var err error
	if l.stdin, err = l.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := l.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if l.out, err = newPipe(stdout); err != nil {
		return nil, err
	}
	stderr, err := l.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	l.group = newProcessGroup(l.cmd)
	if err := startWithParent(l.cmd); err != nil {
		l.group.kill()
		return nil, fmt.Errorf("starting %q: %w", u.Command[0], err)
	}
	l.lines = bufio.NewReaderSize(l.out, 64<<10)
	l.writes.Go(func() { l.logLines(stderr) })
	l.writes.Go(l.write)
	l.writes.Go(func() {
		state, err := l.cmd.Process.Wait()
		l.exit = exitError(state, err)
		close(l.gone)
		// What it has written is still read; but what it has started may hold the other ends.
		time.AfterFunc(childGrace, func() {
			_, _ = stdout.Close(), stderr.Close()
		})
	})
	return l, nil
}

func childEnv(own []string) []string {
	var env []string
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok && !slices.ContainsFunc(own, func(v string) bool { return strings.HasPrefix(v, name+"=") }) {
			env = append(env, name+"="+value)
		}
	}
	return append(env, own...)
}

func exitError(state *os.ProcessState, err error) error {
	if err != nil {
		return err
	}
	return errors.New(state.String()) // "exit status 1", "signal: killed"
}

// A quietLog cuts a flood of what a child makes us log.
type quietLog struct {
	limiter *rate.Limiter
	skipped int
}

func newQuietLog() quietLog { return quietLog{limiter: rate.NewLimiter(50, 500)} }

func (q *quietLog) log(to *slog.Logger, level slog.Level, text string, attrs ...any) {
	if !q.limiter.Allow() {
		q.skipped++
		return
	}
	if q.skipped > 0 {
		attrs = append(attrs, "more_lines_before", q.skipped)
		q.skipped = 0
	}
	to.Log(context.Background(), level, text, attrs...)
}

// logLines logs standard error. A flood of it is cut.
func (l *childLink) logLines(stderr io.Reader) {
	r := bufio.NewReaderSize(stderr, maxLogLine)
	says := newQuietLog()
	for {
		line, err := r.ReadSlice('\n')
		if text := strings.TrimRight(string(line), "\r\n"); text != "" {
			says.log(l.log, slog.LevelInfo, "upstream says", "upstream", l.name, "line", text)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// close ends the child: MCP says by closing its standard input, then by SIGTERM, then by
// SIGKILL (MCP, lifecycle, "Shutdown"). It does not wait; wait does.
func (l *childLink) close() {
	l.once.Do(func() {
		close(l.closing)
		l.writes.Go(l.shutDown)
	})
}

func (l *childLink) shutDown() {
	_ = l.stdin.Close()
	defer l.group.kill() // what it has started and left behind, too
	select {
	case <-l.gone:
		return
	case <-time.After(childGrace):
		l.group.terminate()
	}
	select {
	case <-l.gone:
	case <-time.After(childGrace):
	}
}

// wait waits until all of the child has ended, after close.
func (l *childLink) wait() { l.writes.Wait() }
