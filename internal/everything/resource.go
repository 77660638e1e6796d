// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	staticTextURI   = "test://static-text"
	staticBinaryURI = "test://static-binary"
	watchedURI      = "test://watched-resource"
	watchedText     = "Watched resource content"

	templateStart = "test://template/"
	templateEnd   = "/data"
)

func (s *Server) addResources() {
	s.addExampleResources()
	s.addConformanceResources()
	for _, r := range []struct {
		uri, description string
		read             mcp.ResourceHandler
	}{
		{"everything://mixed", "Has several contents, of text and of bytes.", readMixed},
		{"everything://empty", "Has one content without anything in it.", readEmpty},
		{"everything://no-contents", "Has no contents.", readNoContents},
		{"everything://cached", "May be cached for a minute by its reader alone.", readCached},
		{"everything://text/grüß dich", "Has a URI that does not fit into a header.", readUnusualURI},
		{"everything://question", "Asks for a name first (SEP-2322).", readQuestion},
		{"everything://gone", "Is listed but not found.", readGone},
		{"everything://broken", "Fails with an error that is not one of JSON-RPC.", readBroken},
	} {
		s.mcp.AddResource(&mcp.Resource{
			URI:         r.uri,
			Name:        strings.TrimPrefix(r.uri, "everything://"),
			Title:       "Resource " + r.uri,
			Description: r.description,
			Annotations: annotations(),
			Meta:        meta(),
			Size:        7,
		}, r.read)
	}
}

// addExampleResources adds the resources of the SDK's example. The second replaces the
// first, which has the same URI.
func (s *Server) addExampleResources() {
	s.mcp.AddResource(&mcp.Resource{Name: "info", MIMEType: mimeText, URI: "embedded:info"}, readEmbedded)
	s.mcp.AddResource(&mcp.Resource{
		Name: "info (with Icons)", MIMEType: mimeText, URI: "embedded:info", Icons: icons(),
	}, readEmbedded)
	s.mcp.AddResourceTemplate(&mcp.ResourceTemplate{
		Name: "Resource template (with Icon)", MIMEType: mimeText,
		URITemplate: "http://example.com/~{resource_name}/", Icons: icons(),
	}, readEmbedded)
}

func (s *Server) addConformanceResources() {
	s.mcp.AddResource(&mcp.Resource{
		Name: "static-text", Description: "A static text resource for testing", MIMEType: mimeText, URI: staticTextURI,
	}, fixed(mcp.ResourceContents{MIMEType: mimeText, Text: "This is the content of the static text resource."}))
	s.mcp.AddResource(&mcp.Resource{
		Name: "static-binary", Description: "A static binary resource (image) for testing", MIMEType: mimePNG, URI: staticBinaryURI,
	}, fixed(mcp.ResourceContents{MIMEType: mimePNG, Blob: pngBytes()}))
	s.mcp.AddResource(&mcp.Resource{
		Name: "watched-resource", Description: "A resource that the tool update_resource changes", MIMEType: mimeText, URI: watchedURI,
	}, s.readUpdatable)
	s.mcp.AddResourceTemplate(&mcp.ResourceTemplate{
		Name: "template", Title: "Template", Description: "A resource template with parameter substitution", MIMEType: mimeJSON,
		URITemplate: templateStart + "{id}" + templateEnd, Annotations: annotations(), Meta: meta(),
	}, readTemplate)
}

// fixed returns a handler that answers with contents under the URI of the request.
func fixed(contents ...mcp.ResourceContents) mcp.ResourceHandler {
	return func(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		res := &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{}}
		for _, c := range contents { // copies: the SDK fills in what is missing
			if c.URI == "" {
				c.URI = req.Params.URI
			}
			res.Contents = append(res.Contents, &c)
		}
		return res, nil
	}
}

func readEmbedded(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	u, err := url.Parse(req.Params.URI)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "embedded" {
		return nil, fmt.Errorf("wrong scheme: %q", u.Scheme)
	}
	if u.Opaque != "info" {
		return nil, fmt.Errorf("no embedded resource named %q", u.Opaque)
	}
	return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{
		URI: req.Params.URI, MIMEType: mimeText, Text: "This is the hello example server.",
	}}}, nil
}

func readTemplate(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	id := strings.TrimSuffix(strings.TrimPrefix(req.Params.URI, templateStart), templateEnd)
	text, err := json.Marshal(struct {
		ID           string `json:"id"`
		TemplateTest bool   `json:"templateTest"`
		Data         string `json:"data"`
	}{id, true, "Data for ID: " + id})
	if err != nil {
		return nil, err
	}
	return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{
		URI: req.Params.URI, MIMEType: mimeJSON, Text: string(text),
	}}}, nil
}

// readUpdatable reads what update_resource writes.
func (s *Server) readUpdatable(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	s.mu.Lock()
	text, ok := s.texts[req.Params.URI]
	s.mu.Unlock()
	if !ok { // removed between the SDK's look-up and ours
		return nil, mcp.ResourceNotFoundError(req.Params.URI)
	}
	return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{
		URI: req.Params.URI, MIMEType: mimeText, Text: text,
	}}}, nil
}

var (
	readMixed = fixed(
		mcp.ResourceContents{MIMEType: mimeText, Text: "one", Meta: meta()},
		mcp.ResourceContents{URI: "everything://mixed/part", MIMEType: mimePNG, Blob: pngBytes(), Meta: meta()},
		mcp.ResourceContents{MIMEType: mimeJSON, Text: `{"three":3}`},
	)
	readEmpty      = fixed(mcp.ResourceContents{MIMEType: mimeText})
	readNoContents = fixed()
	readUnusualURI = fixed(mcp.ResourceContents{MIMEType: mimeText, Text: "grüß dich"})
)

func readCached(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	return &mcp.ReadResourceResult{
		Meta:      meta(),
		Cacheable: mcp.Cacheable{TTLMs: 60_000, CacheScope: "private"},
		Contents:  []*mcp.ResourceContents{{URI: req.Params.URI, MIMEType: mimeText, Text: "cached"}},
	}, nil
}

// readQuestion works for modern clients only: in SDK v1.8.0 the answer to a legacy one is
// an error, as a result without contents is refused before its question is seen.
func readQuestion(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	name, _ := accepted(req.Params.InputResponses, "user_name")["name"].(string)
	if name == "" {
		return &mcp.ReadResourceResult{
			InputRequests: mcp.InputRequestMap{"user_name": nameForm()},
			RequestState:  "read_state",
		}, nil
	}
	if !untampered(req.Params.RequestState) {
		return nil, invalidParams("invalid requestState")
	}
	return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{
		URI: req.Params.URI, MIMEType: mimeText, Text: "This is about " + name,
	}}}, nil
}

func readGone(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	return nil, mcp.ResourceNotFoundError(req.Params.URI)
}

func readBroken(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	return nil, errors.New(Secret)
}

// subscribe accepts every URI but one, to have an error as well. The SDK keeps the list
// of subscribers.
func subscribe(_ context.Context, req *mcp.SubscribeRequest) error {
	if req.Params.URI == "everything://gone" {
		return mcp.ResourceNotFoundError(req.Params.URI)
	}
	return nil
}

func unsubscribe(context.Context, *mcp.UnsubscribeRequest) error { return nil }
