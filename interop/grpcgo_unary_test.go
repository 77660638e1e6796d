// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"context"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/interop/gen/mcpv1grpc"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// TestUnaryRPCs calls each unary RPC of service MCP with the stubs of grpc-go, as a modern
// client that says who it is and as one that says nothing.
func TestUnaryRPCs(t *testing.T) {
	t.Parallel()
	c := client(t, serve(t, everything.NewServer()))
	for name, meta := range map[string]*mcpv1.RequestMeta{
		"with metadata": modern(t, `{}`), "without metadata": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := testContext(t)
			checkDiscover(ctx, t, c, meta)
			checkCatalogue(ctx, t, c, meta)
			checkInvokeTool(ctx, t, c, meta)
			checkReadResource(ctx, t, c, meta)
			checkPromptAndCompletion(ctx, t, c, meta)
			if res, err := c.Ping(ctx, &mcpv1.PingRequest{Meta: meta}); err != nil || !res.GetServerTime().IsValid() {
				t.Errorf("Ping: got %v, %v", res, err)
			}
			if res, err := c.Shutdown(ctx, &mcpv1.ShutdownRequest{}); err != nil || res.GetAccepted() {
				t.Errorf("Shutdown without session: got %v, %v", res, err)
			}
		})
	}
}

func checkDiscover(ctx context.Context, t *testing.T, c mcpv1grpc.MCPClient, meta *mcpv1.RequestMeta) {
	t.Helper()
	res, err := c.Discover(ctx, &mcpv1.DiscoverRequest{Meta: meta})
	if err != nil {
		t.Fatal(err)
	}
	if v := res.GetSupportedVersions(); len(v) == 0 || v[0] != modernVersion {
		t.Errorf("Discover: got versions %v", v)
	}
	if res.GetInstructions() != "Use this server!" || res.GetCapabilities().GetValues().GetFields()["tools"] == nil {
		t.Errorf("Discover: got %v", res)
	}
	name := res.GetMeta().GetValues().GetFields()["io.modelcontextprotocol/serverInfo"].GetStructValue().GetFields()["name"]
	if name.GetStringValue() != "everything" {
		t.Errorf("Discover: got server %v", name)
	}
}

func checkCatalogue(ctx context.Context, t *testing.T, c mcpv1grpc.MCPClient, meta *mcpv1.RequestMeta) {
	t.Helper()
	tools, err := c.ListTools(ctx, &mcpv1.ListToolsRequest{Meta: meta})
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*mcpv1.Tool{}
	for _, tool := range tools.GetTools() {
		byName[tool.GetName()] = tool
	}
	if greet := byName["greet"]; greet.GetDescription() != "say hi" || greet.GetInputSchema().GetFields()["type"].GetStringValue() != "object" {
		t.Errorf("ListTools: got %v", greet)
	}
	resources, err := c.ListResources(ctx, &mcpv1.ListResourcesRequest{Meta: meta})
	if err != nil || len(resources.GetResources()) < 5 {
		t.Errorf("ListResources: got %v, %v", resources, err)
	}
	templates, err := c.ListResourceTemplates(ctx, &mcpv1.ListResourceTemplatesRequest{Meta: meta})
	if err != nil || len(templates.GetResourceTemplates()) < 2 {
		t.Errorf("ListResourceTemplates: got %v, %v", templates, err)
	}
	prompts, err := c.ListPrompts(ctx, &mcpv1.ListPromptsRequest{Meta: meta})
	if err != nil || len(prompts.GetPrompts()) < 5 {
		t.Errorf("ListPrompts: got %v, %v", prompts, err)
	}
}

func checkInvokeTool(ctx context.Context, t *testing.T, c mcpv1grpc.MCPClient, meta *mcpv1.RequestMeta) {
	t.Helper()
	asStruct, err := c.InvokeTool(ctx, &mcpv1.CallToolRequest{
		Name: new("structured_echo"), Arguments: object(t, `{"a":[1,true,null,"x"]}`), Meta: meta,
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(object(t, `{"a":[1,true,null,"x"]}`), asStruct.GetResult().GetStructuredContent()); d != "" {
		t.Errorf("InvokeTool with a Struct (-want +got):\n%s", d)
	}
	exact, err := c.InvokeTool(ctx, &mcpv1.CallToolRequest{
		Name: new("structured_echo"), ArgumentsJson: []byte(`{"n":9007199254740993}`), Meta: meta,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(exact.GetResult().GetStructuredContentJson()); got != `{"n":9007199254740993}` {
		t.Errorf("InvokeTool with exact JSON: got %s", got)
	}
}

func checkReadResource(ctx context.Context, t *testing.T, c mcpv1grpc.MCPClient, meta *mcpv1.RequestMeta) {
	t.Helper()
	res, err := c.ReadResource(ctx, &mcpv1.ReadResourceRequest{Uri: new("everything://mixed"), Meta: meta})
	if err != nil {
		t.Fatal(err)
	}
	got := res.GetContents()
	if len(got) != 3 || got[0].GetText().GetText() != "one" || len(got[1].GetBlob().GetData()) == 0 || got[1].GetBlob().GetMimeType() != "image/png" {
		t.Errorf("ReadResource: got %v", res)
	}
}

func checkPromptAndCompletion(ctx context.Context, t *testing.T, c mcpv1grpc.MCPClient, meta *mcpv1.RequestMeta) {
	t.Helper()
	prompt, err := c.GetPrompt(ctx, &mcpv1.GetPromptRequest{
		Name: new("test_prompt_with_arguments"), Arguments: object(t, `{"arg1":"a","arg2":"b"}`), Meta: meta,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := prompt.GetMessages(); len(got) != 1 || got[0].GetRole() != "user" || got[0].GetText().GetText() != "Prompt with arguments: arg1='a', arg2='b'" {
		t.Errorf("GetPrompt: got %v", prompt)
	}
	completion, err := c.Complete(ctx, &mcpv1.CompleteRequest{
		Ref: new("test_prompt_with_arguments"), RefType: new("ref/prompt"),
		ArgumentName: new("arg1"), Value: new("par"), Meta: meta,
	})
	if err != nil || len(completion.GetValues()) != 3 || completion.GetValues()[0] != "paris" || completion.GetTotal() != 3 {
		t.Errorf("Complete: got %v, %v", completion, err)
	}
}

func TestTasks(t *testing.T) {
	t.Parallel()
	c, ctx := client(t, serve(t, everything.NewServer())), testContext(t)
	meta := modern(t, `{"extensions":{"`+everything.TasksExtension+`":{}}}`)
	start := func(mode string) *string {
		t.Helper()
		res, err := c.InvokeTool(ctx, &mcpv1.CallToolRequest{Name: new("start_task"), Arguments: object(t, `{"mode":"`+mode+`"}`), Meta: meta})
		if err != nil || res.GetTask().GetTaskId() == "" {
			t.Fatalf("start %s: got %v, %v", mode, res, err)
		}
		return res.GetTask().TaskId
	}
	state := func(id *string) *mcpv1.Task {
		t.Helper()
		res, err := c.GetTask(ctx, &mcpv1.GetTaskRequest{TaskId: id, Meta: meta})
		if err != nil {
			t.Fatal(err)
		}
		return res.GetTask()
	}
	asked := start("input")
	if question := state(asked).GetInputRequests()["user_name"].GetElicitation(); question.GetMessage() == "" {
		t.Errorf("got %v, want a question", state(asked))
	}
	if _, err := c.UpdateTask(ctx, &mcpv1.UpdateTaskRequest{TaskId: asked, Meta: meta, InputResponses: map[string]*mcpv1.InputResponse{
		"user_name": message(t, &mcpv1.InputResponse{}, `{"elicitation":{"action":"accept","content":{"name":"Ada"}}}`),
	}}); err != nil {
		t.Fatal(err)
	}
	if got := state(asked); got.GetStatus() != "completed" || !strings.Contains(got.GetResult().String(), "task done for Ada") {
		t.Errorf("got %v, want it completed", got)
	}
	working := start("working")
	if _, err := c.CancelTask(ctx, &mcpv1.CancelTaskRequest{TaskId: working, Meta: meta}); err != nil {
		t.Fatal(err)
	}
	if got := state(working).GetStatus(); got != "cancelled" {
		t.Errorf("got a task that is %s, want cancelled", got)
	}
	_, err := c.GetTask(ctx, &mcpv1.GetTaskRequest{TaskId: new("none"), Meta: meta})
	wantStatus(t, err, codes.InvalidArgument, -32602)
}

// TestInitialize opens a legacy session by the typed RPC, uses it, and ends it.
func TestInitialize(t *testing.T) {
	t.Parallel()
	c, ctx := client(t, serve(t, everything.NewServer())), testContext(t)
	opened, err := c.Initialize(ctx, &mcpv1.InitializeRequest{
		ProtocolVersion: new(legacyVersion),
		Capabilities:    &mcpv1.CapabilitySet{Values: object(t, `{}`)},
		ClientInfo:      &mcpv1.ClientInfo{Name: new("interop"), Version: new("1.0.0")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if opened.GetProtocolVersion() != legacyVersion || opened.GetServerInfo().GetName() != "everything" || opened.GetSessionId() == "" {
		t.Fatalf("got %v", opened)
	}
	in := metadata.AppendToOutgoingContext(ctx, "mcp-session-id", opened.GetSessionId())
	res, err := c.InvokeTool(in, &mcpv1.CallToolRequest{Name: new("inspect_request")})
	if err != nil {
		t.Fatal(err)
	}
	if got := res.GetResult().GetStructuredContent().GetFields()["protocolVersion"].GetStringValue(); got != legacyVersion {
		t.Errorf("the tool saw version %q, want %q", got, legacyVersion)
	}
	_, err = c.Initialize(in, &mcpv1.InitializeRequest{ProtocolVersion: new(legacyVersion), ClientInfo: &mcpv1.ClientInfo{Name: new("x"), Version: new("1")}})
	wantStatus(t, err, codes.InvalidArgument, -32600)
	if closed, err := c.Shutdown(in, &mcpv1.ShutdownRequest{}); err != nil || !closed.GetAccepted() {
		t.Errorf("Shutdown: got %v, %v", closed, err)
	}
	_, err = c.ListTools(in, &mcpv1.ListToolsRequest{})
	wantStatus(t, err, codes.NotFound, -32600)
}

func TestAuthDiscovery(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	none := mcpv1grpc.NewAuthDiscoveryClient(dial(t, serve(t, everything.NewServer()).addr))
	_, err := none.GetMetadata(ctx, &mcpv1.GetMetadataRequest{})
	wantStatus(t, err, codes.NotFound, -32600)
	some := mcpv1grpc.NewAuthDiscoveryClient(dial(t, serve(t, everything.NewServer(), mcpconnect.WithResourceMetadata(&oauthex.ProtectedResourceMetadata{
		Resource: "https://mcp.example.com", AuthorizationServers: []string{"https://issuer.example.com"}, ScopesSupported: []string{"tools"},
	})).addr))
	got, err := some.GetMetadata(ctx, &mcpv1.GetMetadataRequest{})
	if err != nil {
		t.Fatal(err)
	}
	want := &mcpv1.ProtectedResourceMetadata{
		Resource: "https://mcp.example.com", AuthorizationServers: []string{"https://issuer.example.com"}, ScopesSupported: []string{"tools"},
		BearerMethodsSupported: []string{"header"},
	}
	if d := diff(want, got); d != "" {
		t.Errorf("metadata differs (-want +got):\n%s", d)
	}
}

// TestErrors checks that errors carry a code, and the JSON-RPC error in the status details.
func TestErrors(t *testing.T) {
	t.Parallel()
	c, ctx := client(t, serve(t, everything.NewServer())), testContext(t)
	tool := func(name, args string) error {
		_, err := c.InvokeTool(ctx, &mcpv1.CallToolRequest{Name: new(name), Arguments: object(t, args)})
		return err
	}
	wantStatus(t, tool("nothing", `{}`), codes.NotFound, -32602)
	wantStatus(t, tool("error_plain", `{}`), codes.Internal, -32603)
	wantStatus(t, tool("panic", `{}`), codes.Internal, -32603)
	e := wantStatus(t, tool("error_jsonrpc", `{"code":4321,"message":"as you like","data":{"why":"testing"}}`), codes.Unknown, 4321)
	if d := diff(object(t, `{"why":"testing"}`), e.GetData()); d != "" {
		t.Errorf("data of the error differs (-want +got):\n%s", d)
	}
	e = wantStatus(t, tool("test_missing_capability", `{}`), codes.FailedPrecondition, -32021)
	if e.GetData().GetFields()["requiredCapabilities"] == nil {
		t.Errorf("got data %v", e.GetData())
	}
	_, err := c.ReadResource(ctx, &mcpv1.ReadResourceRequest{Uri: new("everything://gone")})
	wantStatus(t, err, codes.NotFound, -32602)
	_, err = c.ListTools(ctx, &mcpv1.ListToolsRequest{Cursor: new("%%%")})
	wantStatus(t, err, codes.InvalidArgument, -32602)
	_, err = c.GetPrompt(ctx, &mcpv1.GetPromptRequest{Name: new("nothing")})
	wantStatus(t, err, codes.NotFound, -32602)
	_, err = c.InvokeTool(ctx, &mcpv1.CallToolRequest{Name: new("greet"), Arguments: object(t, `{}`), ArgumentsJson: []byte(`{}`)})
	wantStatus(t, err, codes.InvalidArgument, -32602)
	unsupported := modern(t, `{}`)
	unsupported.ProtocolVersion = new("2099-01-01")
	_, err = c.ListTools(ctx, &mcpv1.ListToolsRequest{Meta: unsupported})
	e = wantStatus(t, err, codes.FailedPrecondition, -32022)
	if e.GetData().GetFields()["requested"].GetStringValue() != "2099-01-01" {
		t.Errorf("got data %v", e.GetData())
	}
	legacy := metadata.AppendToOutgoingContext(ctx, "mcp-protocol-version", legacyVersion)
	_, err = c.ListTools(legacy, &mcpv1.ListToolsRequest{})
	wantStatus(t, err, codes.FailedPrecondition, -32600)
	_, err = c.ListTools(metadata.AppendToOutgoingContext(ctx, "mcp-session-id", "none"), &mcpv1.ListToolsRequest{})
	wantStatus(t, err, codes.NotFound, -32600)
}

// TestMirroredMetadata sends the headers that repeat the body, true and false.
func TestMirroredMetadata(t *testing.T) {
	t.Parallel()
	c := client(t, serve(t, everything.NewServer()))
	tests := []struct {
		name   string
		header []string
		ok     bool
	}{
		{"all as they are", []string{"mcp-method", "tools/call", "mcp-name", "test_x_mcp_header", "mcp-protocol-version", modernVersion, "mcp-param-region", "eu"}, true},
		{"a name in base64", []string{"mcp-name", "=?base64?dGVzdF94X21jcF9oZWFkZXI=?="}, true},
		{"none", nil, true},
		{"another method", []string{"mcp-method", "tools/list"}, false},
		{"another name", []string{"mcp-name", "greet"}, false},
		{"a name that is no base64", []string{"mcp-name", "=?base64?%?="}, false},
		{"another version", []string{"mcp-protocol-version", legacyVersion}, false},
		{"another argument", []string{"mcp-param-region", "us"}, false},
		{"a name twice", []string{"mcp-name", "test_x_mcp_header", "mcp-name", "test_x_mcp_header"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx := metadata.AppendToOutgoingContext(testContext(t), test.header...)
			request := &mcpv1.CallToolRequest{Name: new("test_x_mcp_header"), Arguments: object(t, `{"region":"eu"}`), Meta: modern(t, `{}`)}
			res, err := c.InvokeTool(ctx, request)
			if !test.ok {
				wantStatus(t, err, codes.InvalidArgument, -32020)
				return
			}
			if err != nil || text(res.GetResult()) != "region=eu" {
				t.Errorf("got %v, %v", res, err)
			}
		})
	}
}
