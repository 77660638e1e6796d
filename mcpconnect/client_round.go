// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// maxRounds bounds how often a server may ask within one call, and maxBusyRounds how
	// often it may ask for nothing but another try. Both are those of the SDK's client.
	maxRounds     = 10
	maxBusyRounds = 3
)

// rounds are a call that the server may answer with questions (SPEC.md §8).
type rounds[R any] struct {
	// try makes the call, with the answers of the round before; nil in the first.
	try func(answers mcp.InputResponseMap, state string) (*R, error)
	// question gives what the server wants to know; false if it is done.
	question func(*R) (mcp.InputRequestMap, string, bool)
}

// inRounds answers questions by the handlers of c, and gives the final result, or the
// first question that has no handler.
func inRounds[R any](ctx context.Context, c *Client, r rounds[R]) (*R, error) {
	var answers mcp.InputResponseMap
	var state string
	for round, busy := 1, 0; ; round++ {
		res, err := r.try(answers, state)
		if err != nil {
			return nil, err
		}
		questions, next, needed := r.question(res)
		if !needed || !c.cfg.typed.canAnswer(questions) {
			return res, nil
		}
		if len(questions) == 0 {
			busy++
		}
		switch {
		case busy >= maxBusyRounds:
			return nil, unavailable(fmt.Sprintf("the server was busy, %d times in a row", busy))
		case round >= maxRounds:
			return nil, unavailable(fmt.Sprintf("the server asked for input in %d rounds", round))
		}
		if answers, err = c.cfg.typed.answer(ctx, questions); err != nil {
			return nil, err
		}
		state = next
	}
}

// canAnswer tells whether there is a handler for each question. A client without any
// leaves it to its user to try again, too.
func (c *typedConfig) canAnswer(questions mcp.InputRequestMap) bool {
	for _, q := range questions {
		can := false
		switch q.(type) {
		case *mcp.ElicitParams:
			can = c.elicit != nil
		case *mcp.CreateMessageParams, *mcp.CreateMessageWithToolsParams:
			can = c.sample != nil
		case *mcp.ListRootsParams:
			can = c.hasRoots
		}
		if !can {
			return false
		}
	}
	return c.elicit != nil || c.sample != nil || c.hasRoots
}

// answer asks the handlers, one after the other in the order of the keys, so that a user
// is asked one thing at a time.
func (c *typedConfig) answer(ctx context.Context, questions mcp.InputRequestMap) (mcp.InputResponseMap, error) {
	answers := make(mcp.InputResponseMap, len(questions))
	for _, key := range slices.Sorted(maps.Keys(questions)) {
		a, err := c.answerOne(ctx, questions[key])
		if err != nil {
			return nil, fmt.Errorf("mcpconnect: input %q: %w", key, err)
		}
		answers[key] = a
	}
	return answers, nil
}

func (c *typedConfig) answerOne(ctx context.Context, question mcp.InputRequest) (mcp.InputResponse, error) {
	switch q := question.(type) {
	case *mcp.ElicitParams:
		return c.elicit(ctx, q)
	case *mcp.CreateMessageWithToolsParams:
		return c.sample(ctx, q)
	case *mcp.CreateMessageParams:
		return c.sample(ctx, withTools(q))
	default:
		return &mcp.ListRootsResult{Roots: c.roots}, nil
	}
}

// withTools gives a sampling request of the older form in the newer one.
func withTools(p *mcp.CreateMessageParams) *mcp.CreateMessageWithToolsParams {
	q := &mcp.CreateMessageWithToolsParams{
		Meta:             p.Meta,
		IncludeContext:   p.IncludeContext,
		MaxTokens:        p.MaxTokens,
		Metadata:         p.Metadata,
		ModelPreferences: p.ModelPreferences,
		StopSequences:    p.StopSequences,
		SystemPrompt:     p.SystemPrompt,
		Temperature:      p.Temperature,
	}
	for _, m := range p.Messages {
		q.Messages = append(q.Messages, &mcp.SamplingMessageV2{Role: m.Role, Content: []mcp.Content{m.Content}})
	}
	return q
}
