// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/raw"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// taskCases are of methods that a server has only if its user has registered them, and that
// have typed RPCs.
var taskCases = []suiteCase{
	request("task", "tasks/get", `{"_meta":{%META%},"taskId":"7"}`),
	request("update of a task", "tasks/update", `{"_meta":{%META%},"taskId":"7","inputResponses":{}}`),
	request("cancellation of a task", "tasks/cancel", `{"_meta":{%META%},"taskId":"7"}`),
}

// TestMethodsThatNobodyKnowsAreNotFound: a server that passes unknown methods to its middleware
// answers those that are unknown there, too, as every other server does.
func TestMethodsThatNobodyKnowsAreNotFound(t *testing.T) {
	t.Parallel()
	suite{
		server:  func() *mcp.Server { return mcp.NewServer(&mcp.Implementation{Name: "bare", Version: "1"}, nil) },
		options: []mcpconnect.HandlerOption{mcpconnect.WithUnknownMethods()},
		cases: append([]suiteCase{
			request("unknown method", "no/such/method", `{"_meta":{%META%}}`),
			request("unknown method with members", "no/such/method", `{"_meta":{%META%},"a":[1,null]}`),
			request("unknown method without params", "no/such/method", ``).in("legacy"),
			request("method of the other era", "logging/setLevel", `{"_meta":{%META%},"level":"info"}`).in("modern"),
			request("method without a name", "/", `{"_meta":{%META%}}`),
		}, taskCases...),
	}.run(t)
}

// TestUnknownMethodsReachTheMiddleware in every form that can say them, typed RPCs among them.
func TestUnknownMethodsReachTheMiddleware(t *testing.T) {
	t.Parallel()
	server := func() *mcp.Server {
		s := mcp.NewServer(&mcp.Implementation{Name: "forwarding", Version: "1"}, nil)
		s.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
			return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
				if p, ok := req.GetParams().(*raw.UnknownParams); ok {
					var params struct {
						TaskID string `json:"taskId"`
					}
					if err := json.Unmarshal(p.JSON, &params); err != nil {
						return nil, err
					}
					return &raw.Result{JSON: json.RawMessage(`{"taskId":"` + params.TaskID + `","status":"` + method + `","n":9007199254740993,"resultType":"complete"}`)}, nil
				}
				return next(ctx, method, req)
			}
		})
		return s
	}
	for _, version := range allVersions[:2] {
		url := serve(t, server(), mcpconnect.WithUnknownMethods())
		for _, form := range forms {
			t.Run(version+"/"+form.name, func(t *testing.T) {
				t.Parallel()
				client := form.open(t, peer{wire: wires[3], url: url, version: version, capabilities: noneDeclared})
				for _, c := range taskCases {
					o := client(testContext(t), c.method, c.paramsFor(version, noneDeclared))
					want := outcome{result: json.RawMessage(`{"taskId":"7","status":"` + c.method + `","n":9007199254740993,"resultType":"complete"}`)}
					if o.String() != want.String() {
						t.Errorf("%s gave %v, want %v", c.name, o, want)
					}
				}
			})
		}
	}
}

// TestUnknownMethodsSayHowTheyGetOn: what middleware notifies on the way goes to the request. (In
// a session over Streamable HTTP it goes to the session's stream.)
func TestUnknownMethodsSayHowTheyGetOn(t *testing.T) {
	t.Parallel()
	server := mcp.NewServer(&mcp.Implementation{Name: "slow", Version: "1"}, nil)
	server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			if method != "com.example/slow" {
				return next(ctx, method, req)
			}
			ss, ok := req.GetSession().(*mcp.ServerSession)
			if !ok {
				return nil, errors.New("not of a server")
			}
			err := ss.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: "p", Progress: 1})
			return &raw.Result{JSON: json.RawMessage(`{"done":true}`)}, err
		}
	})
	slow := request("slow", "com.example/slow", `{"_meta":{%META%,"progressToken":"p"}}`)
	for _, version := range allVersions[:2] {
		url := serve(t, server, mcpconnect.WithUnknownMethods())
		for _, form := range envelopeForms {
			if form.streamable && version < modernVersion {
				continue
			}
			t.Run(version+"/"+form.name, func(t *testing.T) {
				t.Parallel()
				client := form.open(t, peer{wire: wires[3], url: url, version: version, capabilities: noneDeclared})
				o := client(testContext(t), slow.method, slow.paramsFor(version, noneDeclared))
				want := outcome{
					notes:  []string{"notifications/progress " + canonical([]byte(`{"progress":1,"progressToken":"p"}`))},
					result: json.RawMessage(`{"done":true}`),
				}
				if o.String() != want.String() {
					t.Errorf("got %v, want %v", o, want)
				}
			})
		}
	}
}
