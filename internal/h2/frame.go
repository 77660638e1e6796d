// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"errors"
	"time"

	"golang.org/x/net/http2"
)

// maxSettings is how many a client may set at a time: there are fewer than ten.
const maxSettings = 100

// take acts on a frame. A [http2.StreamError] is about its stream, any other error ends the
// connection.
func (c *conn) take(f http2.Frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return c.ended
	}
	defer c.flushSoon()
	if !c.started {
		if s, ok := f.(*http2.SettingsFrame); !ok || s.IsAck() {
			return http2.ConnectionError(http2.ErrCodeProtocol)
		}
		c.started = true
		_ = c.nc.SetReadDeadline(time.Time{})
	}
	switch f := f.(type) {
	case *http2.MetaHeadersFrame:
		return c.takeHeaders(f)
	case *http2.DataFrame:
		return c.takeData(f)
	case *http2.WindowUpdateFrame:
		return c.takeWindowUpdate(f)
	case *http2.SettingsFrame:
		return c.takeSettings(f)
	case *http2.PingFrame:
		if f.IsAck() {
			c.role.takePing(f.Data)
			return nil
		}
		c.appendPing(true, f.Data)
		return c.answered()
	case *http2.RSTStreamFrame:
		return c.takeReset(f)
	case *http2.GoAwayFrame:
		c.role.takeGoAway(f)
		return nil
	case *http2.PushPromiseFrame:
		return http2.ConnectionError(http2.ErrCodeProtocol) // clients do not push, and servers may not (RFC 9113 §8.4)
	}
	return nil // priorities, and what is not known (RFC 9113 §4.1)
}

func (c *conn) takeHeaders(f *http2.MetaHeadersFrame) error {
	if s := c.streams[f.StreamID]; s != nil {
		return s.owner.takeTrailers(f)
	}
	return c.role.takeHeaders(f)
}

func (c *conn) takeData(f *http2.DataFrame) error {
	size := int(f.Length) // with its padding
	if size > c.recvLeft {
		return http2.ConnectionError(http2.ErrCodeFlowControl)
	}
	c.recvLeft -= size
	s := c.streams[f.StreamID]
	if s == nil || s.remoteDone {
		c.credit(size)
		if c.role.isIdle(f.StreamID) {
			return http2.ConnectionError(http2.ErrCodeProtocol)
		}
		if s != nil {
			return http2.StreamError{StreamID: s.id, Code: http2.ErrCodeStreamClosed}
		}
		return c.role.late(f.StreamID)
	}
	if size > s.recvLeft {
		return http2.StreamError{StreamID: s.id, Code: http2.ErrCodeFlowControl}
	}
	s.recvLeft -= size
	data := f.Data()
	s.received += int64(len(data))
	if s.declared >= 0 && s.received > s.declared {
		c.credit(size)
		return http2.StreamError{StreamID: s.id, Code: http2.ErrCodeProtocol}
	}
	if s.readErr != nil { // nobody reads it any more
		s.credit(size)
	} else {
		s.credit(size - len(data))
		s.put(data)
	}
	if f.StreamEnded() {
		return s.owner.ended()
	}
	return nil
}

func (c *conn) takeWindowUpdate(f *http2.WindowUpdateFrame) error {
	const most = 1<<31 - 1
	n := int64(f.Increment)
	if f.StreamID == 0 {
		if c.sendWindow += n; c.sendWindow > most {
			return http2.ConnectionError(http2.ErrCodeFlowControl)
		}
		c.wake()
		return nil
	}
	s := c.streams[f.StreamID]
	if s == nil {
		if c.role.isIdle(f.StreamID) {
			return http2.ConnectionError(http2.ErrCodeProtocol)
		}
		return nil
	}
	if s.sendWindow += n; s.sendWindow > most {
		return http2.StreamError{StreamID: s.id, Code: http2.ErrCodeFlowControl}
	}
	s.room.Signal()
	return nil
}

func (c *conn) takeSettings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return nil
	}
	if f.NumSettings() > maxSettings {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if err := f.ForeachSetting(c.set); err != nil {
		return err
	}
	c.appendFrame(http2.FrameSettings, http2.FlagSettingsAck, 0, 0)
	return c.answered()
}

func (c *conn) set(s http2.Setting) error {
	if err := s.Valid(); err != nil {
		return err
	}
	switch s.ID {
	case http2.SettingHeaderTableSize:
		c.encoder.SetMaxDynamicTableSize(min(s.Val, headerTable))
	case http2.SettingMaxFrameSize:
		c.peerFrame = int(min(s.Val, maxSentFrame))
	case http2.SettingInitialWindowSize:
		grown := int64(s.Val) - c.peerWindow
		c.peerWindow = int64(s.Val)
		for _, stream := range c.streams {
			if stream.sendWindow += grown; stream.sendWindow > 1<<31-1 {
				return http2.ConnectionError(http2.ErrCodeFlowControl)
			}
			stream.room.Signal()
		}
	default:
		return c.role.set(s)
	}
	return nil
}

// errFromPeer is what net/http's errors say: RPC libraries look for it.
var errFromPeer = errors.New("received from peer")

func (c *conn) takeReset(f *http2.RSTStreamFrame) error {
	if c.role.isIdle(f.StreamID) {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if s := c.streams[f.StreamID]; s != nil {
		s.fail(s.owner.refused(http2.StreamError{StreamID: s.id, Code: f.ErrCode, Cause: errFromPeer}))
	}
	return nil
}
