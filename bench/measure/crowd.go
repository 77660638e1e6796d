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
	"strconv"
	"time"

	"github.com/mcpconnect/mcpconnect/bench/contender"
)

// A crowdAnswer is what a process with a [contender.Crowd] says: that all its streams stand,
// that it listens, and that each stream has been told.
type crowdAnswer struct {
	Took  time.Duration // opening the streams
	Error string
}

// gather is the main function of a process with a crowd. Each line of commands is the news
// that come next. The process ends without closing its streams: the kernel does so.
func gather(args []string, commands io.Reader, answers io.Writer) error {
	if len(args) != 3 {
		return errors.New("usage: " + crowdArg + " ADDRESS KIND SIZE")
	}
	size, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	ctx := context.Background()
	out := json.NewEncoder(answers)
	start := time.Now()
	crowd, err := contender.Gather(ctx, args[0], contender.Kind(args[1]), size)
	if err != nil {
		return out.Encode(crowdAnswer{Error: err.Error()})
	}
	if err := out.Encode(crowdAnswer{Took: time.Since(start)}); err != nil {
		return err
	}
	for in := bufio.NewScanner(commands); in.Scan(); {
		var answer crowdAnswer
		ctx, cancel := context.WithTimeout(ctx, patience)
		err := crowd.Hear(ctx, contender.News(in.Text()), func() error { return out.Encode(crowdAnswer{}) })
		cancel()
		if err != nil {
			answer.Error = err.Error()
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
	return nil
}

// A crowd is a process with a [contender.Crowd]: what its clients cost does not disturb those
// who call meanwhile.
type crowd struct{ process *process }

// startCrowd opens streams, and gives how long that took.
func startCrowd(exe, addr string, kind contender.Kind, size int) (*crowd, time.Duration, error) {
	p, err := start(exe, crowdArg, addr, string(kind), strconv.Itoa(size))
	if err != nil {
		return nil, 0, err
	}
	c := &crowd{p}
	took, err := c.answer()
	if err != nil {
		_ = p.stop() // the error says enough
	}
	return c, took, err
}

func (c *crowd) answer() (time.Duration, error) {
	var a crowdAnswer
	if err := c.process.answers.Decode(&a); err != nil {
		return 0, fmt.Errorf("the crowd is gone: %w", err)
	}
	if a.Error != "" {
		return 0, errors.New(a.Error)
	}
	return a.Took, nil
}

// hear has tell cause news, and gives how long it took until each stream had been told.
func (c *crowd) hear(news contender.News, tell func() error) (time.Duration, error) {
	var listens crowdAnswer
	if err := c.process.ask(string(news), &listens); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := tell(); err != nil {
		return 0, err
	}
	_, err := c.answer()
	return time.Since(start), err
}

// hangUp ends the process.
func (c *crowd) hangUp() error { return c.process.stop() }
