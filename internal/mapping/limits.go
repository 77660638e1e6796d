// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import "encoding/json"

// Limits bounds free-form JSON. Zero fields mean no limit (beyond 10 000 levels, which
// protect the stack).
type Limits struct {
	// MaxDepth is how deep arrays and objects may nest: `[]` is one level, `1` is none. In
	// a message it also bounds, separately, how deep messages nest.
	MaxDepth int
	// MaxNodes is how many arrays and objects there may be; in a message, in all of its
	// free-form JSON together.
	MaxNodes int
}

// CheckJSON checks that data is exactly one JSON value, in valid UTF-8 and within l. It
// does not allocate.
//
// It is [ErrMalformed], [ErrDepth] or [ErrNodes], whichever is met first.
func CheckJSON(data []byte, l Limits) error {
	_, err := CheckedJSON(data, l)
	return err
}

// CheckedJSON is CheckJSON that gives the value without the space around it: a part of data,
// not a copy.
func CheckedJSON(data []byte, l Limits) (json.RawMessage, error) {
	s := scanner{data: data, limits: l}
	return s.only()
}
