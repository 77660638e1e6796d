// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// nameQuestion is the key of greet's only input request.
	nameQuestion = "name"
	// maxNameLength in characters is enough for any name and keeps a greeting short.
	maxNameLength = 100
	// stateLifetime is how long a person may think about the question. After that the
	// question is asked anew.
	stateLifetime = 10 * time.Minute
	// firstModern is the first protocol version with multi round-trip requests.
	firstModern = "2026-07-28"
)

// greet asks for a name and greets its owner, in two rounds (SEP-2322): the first call
// is answered by a question, the second brings the answer. A client of an older version
// gets the same question as an elicitation request, which the SDK arranges.
func (s *Server) greet(_ context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
	answer, answered := req.Params.InputResponses[nameQuestion].(*mcp.ElicitResult)
	if !answered {
		return s.askName(req)
	}
	switch err := s.states.check(req.Params.RequestState); {
	case errors.Is(err, errStateExpired):
		return s.askName(req)
	case err != nil:
		return nil, nil, &jsonrpc.Error{
			Code:    jsonrpc.CodeInvalidParams,
			Message: "greet: " + err.Error() + ": call again without requestState",
		}
	}
	switch answer.Action {
	case "accept":
		name, _ := answer.Content["name"].(string)
		if name = strings.TrimSpace(name); name == "" {
			// Not asked again: to a legacy client the SDK puts the question only once,
			// and a second one would reach it as a result it cannot read.
			return nil, nil, errors.New("greet: the name is empty")
		}
		return text("Hello, " + name + "!"), nil, nil
	case "decline":
		return text("Hello, whoever you are!"), nil, nil
	default: // "cancel": the user closed the form without a choice
		return text("Never mind. Goodbye!"), nil, nil
	}
}

func (s *Server) askName(req *mcp.CallToolRequest) (*mcp.CallToolResult, any, error) {
	if !answersForms(req.ClientCapabilities()) {
		return nil, nil, formsRequired(req.ProtocolVersion())
	}
	return &mcp.CallToolResult{
		InputRequests: mcp.InputRequestMap{nameQuestion: &mcp.ElicitParams{
			Mode:    "form",
			Message: "What is your name?",
			RequestedSchema: &jsonschema.Schema{
				Type: "object",
				Properties: map[string]*jsonschema.Schema{"name": {
					Type:        "string",
					Title:       "Name",
					Description: "how you want to be greeted",
					MinLength:   new(1),
					MaxLength:   new(maxNameLength),
				}},
				Required: []string{"name"},
			},
		}},
		RequestState: s.states.sign(),
	}, nil, nil
}

// answersForms reports whether a client can be asked by a form. An empty elicitation
// capability means forms: URLs came later.
func answersForms(caps *mcp.ClientCapabilities) bool {
	if caps == nil || caps.Elicitation == nil {
		return false
	}
	return caps.Elicitation.Form != nil || caps.Elicitation.URL == nil
}

// formsRequired is the error for a client that did not declare form elicitation on
// this request. A server must not ask it anyway. The code -32021 exists only since
// 2026-07-28; to older clients it is a failure of the tool.
func formsRequired(version string) error {
	const message = "greet needs a client with form elicitation"
	if version != "" && version < firstModern {
		return errors.New(message)
	}
	data, err := json.Marshal(mcp.MissingRequiredClientCapabilityData{
		RequiredCapabilities: &mcp.ClientCapabilities{
			Elicitation: &mcp.ElicitationCapabilities{Form: &mcp.FormElicitationCapabilities{}},
		},
	})
	if err != nil {
		return err
	}
	return &jsonrpc.Error{
		Code:    mcp.CodeMissingRequiredClientCapabilities,
		Message: message,
		Data:    data,
	}
}

var (
	errStateForged  = errors.New("the request state is not one of this server")
	errStateExpired = errors.New("the request state is too old")
)

// A stateSigner makes and checks request states. A state comes back from the client,
// so it may be anything; specification "Multi round-trip requests" wants it protected
// whenever the server acts on it. Ours says only when the question was asked, and needs
// no secrecy: 8 bytes of Unix time and an HMAC over them, which also binds them to
// greet. The key lives as long as the process. That is right for a demo on one machine;
// several replicas would have to share it.
//
// What it does not do: a state can be used more than once, and by somebody else. greet
// reveals and changes nothing, so there is nothing to gain by that. A tool for which
// that matters adds the caller's identity and its arguments to what is signed.
type stateSigner struct {
	key string
	now func() time.Time
}

const stateTimeSize = 8 // bytes: a Unix time in seconds, big endian

func (s stateSigner) sign() string {
	at := binary.BigEndian.AppendUint64(nil, uint64(s.now().Unix()))
	return base64.RawURLEncoding.EncodeToString(append(at, s.mac(at)...))
}

func (s stateSigner) check(state string) error {
	raw, err := base64.RawURLEncoding.DecodeString(state)
	if err != nil || len(raw) != stateTimeSize+sha256.Size {
		return errStateForged
	}
	at, sum := raw[:stateTimeSize], raw[stateTimeSize:]
	if !hmac.Equal(sum, s.mac(at)) {
		return errStateForged
	}
	if asked := time.Unix(int64(binary.BigEndian.Uint64(at)), 0); s.now().Sub(asked) > stateLifetime {
		return errStateExpired
	}
	return nil
}

func (s stateSigner) mac(at []byte) []byte {
	h := hmac.New(sha256.New, []byte(s.key))
	h.Write([]byte("greet\n")) // a hash never fails to write
	h.Write(at)
	return h.Sum(nil)
}
