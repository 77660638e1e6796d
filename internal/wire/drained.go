// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import "encoding/json"

// DrainedData is the data of the error that ends a Connect stream on which a server has answered
// all that it has taken (SPEC.md §10.4).
const DrainedData = `{"drained":true}`

// IsDrained tells whether the data of an error is that of [DrainedData].
func IsDrained(data json.RawMessage) bool {
	var d struct {
		Drained bool `json:"drained"`
	}
	return len(data) > 0 && json.Unmarshal(data, &d) == nil && d.Drained
}
