// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//lint:file-ignore SA1019 sampling and roots are deprecated, not gone

package everything

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The tools of this file ask for input in the result of a call (multi round-trip
// requests, SEP-2322). To clients of older versions the SDK turns the questions into
// requests.
//
// Their request states are readable constants without a signature, unlike those of a
// real server, so that two servers give the same ones. The conformance suite forges a
// state by appending tamperedSuffix; nothing else is detected.
const tamperedSuffix = "-TAMPERED"

// asks is what a tool needs input for: nil if it is done.
type asks func(req *mcp.CallToolRequest) (*mcp.CallToolResult, error)

func (s *Server) addRoundTripTools() {
	s.addRoundTrip("test_input_required_result_elicitation",
		"MRTR (SEP-2322): asks for the caller name via an in-band elicitation request", askElicitation)
	s.addRoundTrip("test_input_required_result_sampling",
		"MRTR (SEP-2322): asks for an LLM completion via an in-band sampling request", askSampling)
	s.addRoundTrip("test_input_required_result_list_roots",
		"MRTR (SEP-2322): asks for the client roots via an in-band roots/list request", askRoots)
	s.addRoundTrip("test_input_required_result_request_state",
		"MRTR (SEP-2322): round-trips integrity-protected requestState alongside an elicitation request", askWithState)
	s.addRoundTrip("test_input_required_result_multiple_inputs",
		"MRTR (SEP-2322): asks for elicitation, sampling and roots input in a single round", askEverything)
	s.addRoundTrip("test_input_required_result_multi_round",
		"MRTR (SEP-2322): two elicitation rounds with evolving requestState before completing", askTwice)
	s.addRoundTrip("test_input_required_result_tampered_state",
		"MRTR (SEP-2322): rejects retries whose requestState fails integrity verification", askTampered)
	s.addRoundTrip("test_input_required_result_capabilities",
		"MRTR (SEP-2322): only requests input kinds the declared client capabilities cover", askWhatIsPossible)
	s.addRoundTrip("roundtrip_url", "Asks by a URL elicitation.", askURL)
	s.addRoundTrip("roundtrip_sampling_tools", "Asks for a completion with tools and describes the blocks it got.", askSamplingWithTools)
	s.addRoundTrip("roundtrip_busy", "Asks for nothing but another try, once (load shedding).", askPatience)
	s.addRoundTrip("roundtrip_both", "Returns content and a question at once, which is a bug.", askAndAnswer)
}

func (s *Server) addRoundTrip(name, description string, handle asks) {
	mcp.AddTool(s.mcp, &mcp.Tool{Name: name, Description: description},
		func(_ context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
			res, err := handle(req)
			return res, nil, err
		})
}

func ask(questions mcp.InputRequestMap, state string) *mcp.CallToolResult {
	return &mcp.CallToolResult{InputRequests: questions, RequestState: state}
}

func askElicitation(req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if name, ok := accepted(req.Params.InputResponses, "user_name")["name"].(string); ok && name != "" {
		return text("Hello, " + name + "!"), nil
	}
	return ask(mcp.InputRequestMap{"user_name": nameForm()}, ""), nil
}

func askSampling(req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if answer, ok := sampledText(req.Params.InputResponses, "capital_question"); ok {
		return text("Sampling response: " + answer), nil
	}
	return ask(mcp.InputRequestMap{"capital_question": question("What is the capital of France?", 100)}, ""), nil
}

func askRoots(req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if roots, ok := req.Params.InputResponses["client_roots"].(*mcp.ListRootsResult); ok {
		var uris []string
		for _, root := range roots.Roots {
			uris = append(uris, root.URI)
		}
		return text(fmt.Sprintf("Client exposed %d root(s): %s", len(uris), strings.Join(uris, ", "))), nil
	}
	return ask(mcp.InputRequestMap{"client_roots": &mcp.ListRootsParams{}}, ""), nil
}

func askWithState(req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if accepted(req.Params.InputResponses, "confirm") == nil {
		return ask(mcp.InputRequestMap{"confirm": confirmForm()}, "request_state"), nil
	}
	if !untampered(req.Params.RequestState) {
		return nil, invalidParams("invalid requestState")
	}
	return text("state-ok: requestState received and confirmation accepted"), nil
}

func askEverything(req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	responses := req.Params.InputResponses
	name, _ := accepted(responses, "user_name")["name"].(string)
	greeting, greeted := sampledText(responses, "greeting")
	roots, rooted := responses["client_roots"].(*mcp.ListRootsResult)
	if name != "" && greeted && rooted {
		return text(fmt.Sprintf("%s %s — %d root(s) visible", greeting, name, len(roots.Roots))), nil
	}
	return ask(mcp.InputRequestMap{
		"user_name":    nameForm(),
		"greeting":     question("Generate a greeting", 50),
		"client_roots": &mcp.ListRootsParams{},
	}, "multiple_inputs"), nil
}

// askTwice carries what it knows in the state: "round=1", then "round=2;name=<name>". A
// legacy client gets stuck in round 2, as the SDK asks it only once.
func askTwice(req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	const second = "round=2;name="
	responses, state := req.Params.InputResponses, req.Params.RequestState
	switch {
	case state == "":
		return ask(mcp.InputRequestMap{"step1": form("Step 1: What is your name?", "name", "string")}, "round=1"), nil
	case state == "round=1":
		name := acceptedOr(responses, "step1", "name", "unknown")
		return ask(mcp.InputRequestMap{
			"step2": form("Step 2: What is your favorite color?", "color", "string"),
		}, second+name), nil
	case strings.HasPrefix(state, second):
		color := acceptedOr(responses, "step2", "color", "unknown")
		return text(fmt.Sprintf("Multi-round complete: %s likes %s", strings.TrimPrefix(state, second), color)), nil
	default:
		return nil, invalidParams("invalid requestState")
	}
}

func askTampered(req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	state := req.Params.RequestState
	if state != "" && !untampered(state) {
		return nil, invalidParams("invalid requestState: tampered")
	}
	if state != "" && accepted(req.Params.InputResponses, "confirm") != nil {
		return text("state-ok: requestState received and confirmation accepted"), nil
	}
	return ask(mcp.InputRequestMap{"confirm": confirmForm()}, "tampered_state"), nil
}

func askWhatIsPossible(req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if len(req.Params.InputResponses) > 0 {
		return text("Capability-aware input requests fulfilled"), nil
	}
	questions := mcp.InputRequestMap{}
	if caps := req.ClientCapabilities(); caps != nil {
		if caps.Elicitation != nil {
			questions["user_name"] = nameForm()
		}
		if caps.Sampling != nil {
			questions["greeting"] = question("Generate a short greeting", 50)
		}
		if caps.RootsV2 != nil || caps.Roots.ListChanged {
			questions["client_roots"] = &mcp.ListRootsParams{}
		}
	}
	if len(questions) == 0 {
		return text("No declared client capability supports an in-band input request"), nil
	}
	return ask(questions, ""), nil
}

func askURL(req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if answer, ok := req.Params.InputResponses["sign_in"].(*mcp.ElicitResult); ok {
		return text("URL elicitation: " + answer.Action), nil
	}
	return ask(mcp.InputRequestMap{"sign_in": &mcp.ElicitParams{
		Mode:    "url",
		Message: "sign in",
		URL:     "https://example.com/sign-in",
	}}, ""), nil
}

func askSamplingWithTools(req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if answer, ok := req.Params.InputResponses["weather"].(*mcp.CreateMessageWithToolsResult); ok {
		return text(describeSampling(answer)), nil
	}
	return ask(mcp.InputRequestMap{"weather": toolSampling()}, ""), nil
}

func askPatience(req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if req.Params.RequestState == "busy" {
		return text("no longer busy"), nil
	}
	return ask(mcp.InputRequestMap{}, "busy"), nil
}

func askAndAnswer(*mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	res := text("content")
	res.InputRequests = mcp.InputRequestMap{"user_name": nameForm()}
	return res, nil
}

func untampered(state string) bool {
	return state != "" && !strings.HasSuffix(state, tamperedSuffix)
}

// accepted returns what was entered into a form, or nil if it was not accepted.
func accepted(responses mcp.InputResponseMap, key string) map[string]any {
	answer, ok := responses[key].(*mcp.ElicitResult)
	if !ok || answer.Action != "accept" {
		return nil
	}
	return answer.Content
}

func acceptedOr(responses mcp.InputResponseMap, key, field, otherwise string) string {
	if value, ok := accepted(responses, key)[field].(string); ok && value != "" {
		return value
	}
	return otherwise
}

// sampledText returns the first text of a completion.
func sampledText(responses mcp.InputResponseMap, key string) (string, bool) {
	answer, ok := responses[key].(*mcp.CreateMessageWithToolsResult)
	if !ok {
		return "", false
	}
	for _, block := range answer.Content {
		if block, ok := block.(*mcp.TextContent); ok {
			return block.Text, true
		}
	}
	return "(non-text response)", true
}

// form asks for one required field.
func form(message, field, fieldType string) *mcp.ElicitParams {
	return &mcp.ElicitParams{
		Mode:    "form",
		Message: message,
		RequestedSchema: &jsonschema.Schema{
			Type:       "object",
			Properties: map[string]*jsonschema.Schema{field: {Type: fieldType}},
			Required:   []string{field},
		},
	}
}

func nameForm() *mcp.ElicitParams    { return form("What is your name?", "name", "string") }
func confirmForm() *mcp.ElicitParams { return form("Please confirm", "ok", "boolean") }

// question is a sampling request with one message.
func question(prompt string, maxTokens int64) *mcp.CreateMessageParams {
	return &mcp.CreateMessageParams{
		Messages:  []*mcp.SamplingMessage{{Role: "user", Content: &mcp.TextContent{Text: prompt}}},
		MaxTokens: maxTokens,
	}
}
