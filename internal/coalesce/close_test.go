// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package coalesce

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestCloseWritesWhatIsBuffered(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		prep func(c *Conn)
	}{
		{"at once", func(*Conn) {}},
		{"while it is being written", func(*Conn) { synctest.Wait() }},
		// As crypto/tls does it.
		{"although the write deadline has passed", func(c *Conn) { c.SetWriteDeadline(time.Now()) }},
		{"although the write deadline has stopped it", func(c *Conn) {
			synctest.Wait()
			c.SetWriteDeadline(time.Now())
			synctest.Wait()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, peer := pair(t)
				wantWrite(t, c, "last words")
				tt.prep(c)
				got := make(chan string)
				go func() {
					time.Sleep(closeTime / 2)
					all, _ := io.ReadAll(peer)
					got <- string(all)
				}()
				if err := c.Close(); err != nil {
					t.Error(err)
				}
				if got := <-got; got != "last words" {
					t.Errorf("got %q", got)
				}
			})
		})
	}
}

func TestCloseDoesNotWaitForStalledPeers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		stalled time.Duration
		want    time.Duration
	}{
		{"that have just stalled", 0, closeTime},
		{"that have stalled for a while", closeTime / 2, closeTime / 2},
		{"that have stalled for long", time.Hour, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, _ := pair(t)
				wantWrite(t, c, "nobody reads this")
				time.Sleep(tt.stalled)
				start := time.Now()
				wantError(t, "Close", c.Close(), os.ErrDeadlineExceeded)
				wantElapsed(t, start, tt.want)
			})
		})
	}
}

func TestCloseEndsEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _ := pair(t)
		read := make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1))
			read <- err
		}()
		wantWrite(t, c, "nobody reads this")
		synctest.Wait()
		start := time.Now()
		go c.Close()
		wantError(t, "Read", <-read, net.ErrClosed)
		wantElapsed(t, start, 0) // though Close still waits for the peer
		wantError(t, "second Close", c.Close(), net.ErrClosed)
		_, err := c.Write([]byte("x"))
		wantError(t, "Write", err, net.ErrClosed)
		_, err = c.Read(make([]byte, 1))
		wantError(t, "next Read", err, net.ErrClosed)
		wantError(t, "SetWriteDeadline", c.SetWriteDeadline(time.Time{}), net.ErrClosed)
		wantError(t, "CloseWrite", c.out.shut(), net.ErrClosed)
		time.Sleep(closeTime) // synctest fails if a goroutine is left
	})
}

func TestCloseWrite(t *testing.T) {
	t.Parallel()
	c, peer := tcpPair(t)
	client := Client(c)
	wantWrite(t, client, "question")
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(peer)
	if err != nil || string(all) != "question" {
		t.Errorf("the peer got %q, %v", all, err)
	}
	_, err = client.Write([]byte("more"))
	wantError(t, "Write", err, net.ErrClosed)
	wantWrite(t, peer, "answer")
	wantRead(t, client, "answer")
	if err := client.Close(); err != nil {
		t.Error(err)
	}
}

func TestCloseWriteObeysDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, peer := pair(t)
		wantWrite(t, c, "slow")
		start := time.Now()
		c.SetWriteDeadline(start.Add(time.Second))
		wantError(t, "shut", c.out.shut(), os.ErrDeadlineExceeded)
		wantElapsed(t, start, time.Second)
		c.SetWriteDeadline(time.Time{})
		go wantRead(t, peer, "slow")
		if err := c.out.shut(); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatTheConnectionBelowCannotDo(t *testing.T) {
	t.Parallel()
	c, _ := pair(t)
	wantError(t, "CloseWrite", c.CloseWrite(), errors.ErrUnsupported)
	_, err := c.SyscallConn()
	wantError(t, "SyscallConn", err, errors.ErrUnsupported)
}
