// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"encoding/json"
	"testing"
)

// TestDecodeSDKAgreesWithItselfOnDuplicates: a policy decides on one reading of a request, and
// a gateway passes on another. Of two members with one name both take the same. (Not if the second is null, which leaves a
// field of a struct as it is: gateways go by the struct there.)
func TestDecodeSDKAgreesWithItselfOnDuplicates(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"name":"a","name":"b"}`, `{"name":"b","Name":"a"}`, `{"name":"a","\u006eame":"b"}`,
	} {
		var typed struct {
			Name string `json:"name"`
		}
		var free map[string]json.RawMessage
		if err := DecodeSDK([]byte(text), &typed); err != nil {
			t.Fatal(err)
		}
		if err := DecodeSDK([]byte(text), &free); err != nil {
			t.Fatal(err)
		}
		var name string
		if err := json.Unmarshal(free["name"], &name); err != nil {
			t.Fatal(err)
		}
		if name != typed.Name {
			t.Errorf("%s is %q as a struct, and %q as a map", text, typed.Name, name)
		}
	}
}
