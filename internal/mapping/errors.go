// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"errors"
	"fmt"
	"strconv"
)

// Errors for callers to tell apart with [errors.Is]. What is returned wraps one of them
// with the path of the field or member and a hint.
var (
	// ErrBothTwins says that a field and its _json twin are both set.
	ErrBothTwins = errors.New("both twins are set")
	// ErrDepth says that JSON is nested more deeply than the limit.
	ErrDepth = errors.New("JSON is nested too deeply")
	// ErrNodes says that JSON has more arrays and objects than the limit.
	ErrNodes = errors.New("JSON has too many arrays and objects")
	// ErrMalformed says that text is not JSON, or JSON or a message not what the mapping
	// can hold.
	ErrMalformed = errors.New("malformed")
	// ErrSyntax says that text is not JSON in valid UTF-8. Such an error is ErrMalformed,
	// too.
	ErrSyntax = errors.New("not JSON")
	// ErrInvalidRequest says that JSON is well-formed, but not a JSON-RPC message.
	ErrInvalidRequest = errors.New("invalid JSON-RPC message")
)

func bothTwins(x, text string) error {
	return fmt.Errorf("%w: set %s or %s", ErrBothTwins, x, text)
}

func depthError(limit int) error { return fmt.Errorf("%w: more than %d levels", ErrDepth, limit) }

func nodesError(limit int) error { return fmt.Errorf("%w: more than %d", ErrNodes, limit) }

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// A syntaxError is an ErrMalformed that is ErrSyntax as well, with the text of the first.
type syntaxError struct{ error }

func (e syntaxError) Unwrap() []error { return []error{e.error, ErrSyntax} }

// pathError says where in a message an error is: for example
// `content[3].text.extra_json`.
type pathError struct {
	path string
	err  error
}

func (e *pathError) Error() string { return e.path + ": " + e.err.Error() }
func (e *pathError) Unwrap() error { return e.err }

// at puts name in front of the path of err.
func at(name string, err error) error {
	var p *pathError
	if !errors.As(err, &p) || p != err { //nolint:errorlint // only the outermost path grows
		return &pathError{name, err}
	}
	if p.path[0] == '[' {
		return &pathError{name + p.path, p.err}
	}
	return &pathError{name + "." + p.path, p.err}
}

// within is at, for an error that may be nil.
func within(name string, err error) error {
	if err == nil {
		return nil
	}
	return at(name, err)
}

func atIndex(i int, err error) error { return at("["+strconv.Itoa(i)+"]", err) }

func atKey(key string, err error) error { return at("["+strconv.Quote(key)+"]", err) }
